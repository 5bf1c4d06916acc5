package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// node is a value of JSON as it is shown: exactly as it was written, with members in their order.
type node struct {
	Key      string // of a member, with its quotation marks; empty: an item, or the whole
	Text     string // of a value that is neither object nor list
	Number   bool
	Open     string // "{" or "[", of an object or a list
	Children []node
	Last     bool // no comma follows
	Deep     bool // it is shown folded
}

// Close returns the end of an object or a list.
func (n node) Close() string {
	if n.Open == "[" {
		return "]"
	}
	return "}"
}

func (n node) comma() string {
	if n.Last {
		return ""
	}
	return ","
}

// The bounds of a tree. A longer or deeper text is shown as it is.
const (
	maxNodes = 4000
	maxDepth = 40
	unfolded = 2 // levels that are open at first
)

var errTree = errors.New("hooks: not a tree")

// tree returns JSON as a tree, and false for text that is no JSON, or too much of it.
func tree(text []byte) (node, bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	left := maxNodes
	root, err := readNode(d, 0, &left)
	if err != nil {
		return node{}, false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return node{}, false
	}
	root.Last = true
	return root, true
}

func readNode(d *json.Decoder, depth int, left *int) (n node, err error) {
	token, err := d.Token()
	if *left--; err != nil || *left < 0 || depth > maxDepth {
		return n, errTree
	}
	delimiter, nested := token.(json.Delim)
	if !nested {
		return scalar(token)
	}
	n.Open, n.Deep = delimiter.String(), depth >= unfolded
	for d.More() {
		key := ""
		if n.Open == "{" {
			name, err := d.Token()
			if err != nil {
				return n, errTree
			}
			key = quoted(name.(string))
		}
		child, err := readNode(d, depth+1, left)
		if err != nil {
			return n, err
		}
		child.Key = key
		n.Children = append(n.Children, child)
	}
	if len(n.Children) > 0 {
		n.Children[len(n.Children)-1].Last = true
	}
	_, err = d.Token()
	return n, err
}

func scalar(token json.Token) (node, error) {
	switch v := token.(type) {
	case json.Number:
		return node{Text: v.String(), Number: true}, nil
	case string:
		return node{Text: quoted(v)}, nil
	case bool:
		if v {
			return node{Text: "true", Number: true}, nil
		}
		return node{Text: "false", Number: true}, nil
	}
	return node{Text: "null", Number: true}, nil
}

// quoted returns a string in quotation marks, readable: characters of all scripts are as they are.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return `""`
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
