package yaml

import (
	"bytes"
	"encoding/json"
	"iter"
	"strconv"
)

// Node is a value of a document with recorded positions, and its path.
type Node struct {
	Value any
	Path  string // JSON Pointer
	doc   *Document
}

// Root returns the document's value.
func (d *Document) Root() Node { return Node{d.Value, "", d} }

// Member returns a member of an object. A missing one is null.
func (n Node) Member(key string) Node {
	object, _ := n.Value.(map[string]any)
	return Node{object[key], pointer(n.Path, key), n.doc}
}

// Members returns the keys of an object with their values, in the order in which they
// were written.
func (n Node) Members() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		for _, key := range n.doc.Keys(n.Path) {
			if !yield(key, n.Member(key)) {
				return
			}
		}
	}
}

// Items returns the items of a list.
func (n Node) Items() []Node {
	list, _ := n.Value.([]any)
	items := make([]Node, len(list))
	for i, item := range list {
		items[i] = Node{item, pointer(n.Path, strconv.Itoa(i)), n.doc}
	}
	return items
}

// Position returns the position of the node's key, or of the node if it has none.
func (n Node) Position() Position { return n.doc.PositionOf(n.Path) }

// Below returns the position of the value to which a JSON Pointer leads from the node.
func (n Node) Below(path string) Position { return n.doc.PositionOf(n.Path + path) }

// Text returns a scalar as it was written, whatever its type; it returns false for null.
func (n Node) Text() (text string, ok bool) {
	switch value := n.Value.(type) {
	case string:
		return value, true
	case bool:
		text = strconv.FormatBool(value)
	case json.Number:
		text = value.String()
	default:
		return "", false
	}
	if spelt, known := n.doc.spelt[n.Path]; known {
		text = spelt
	}
	return text, true
}

// Kind describes the node's type: "text", "a number", "a list".
func (n Node) Kind() string {
	switch n.Value.(type) {
	case nil:
		return "null"
	case bool:
		return "true or false"
	case string:
		return "text"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}

// JSON writes the node with its keys in the order in which they were written.
func (n Node) JSON() ([]byte, error) {
	w := writer{doc: n.doc}
	err := w.write(n)
	return w.out.Bytes(), err
}

// Cut writes the node as a JSON document of its own, each part on the line that it has in the document, so
// that faults have the same lines in both.
func (n Node) Cut() ([]byte, error) {
	w := writer{doc: n.doc, lines: true, line: 1}
	err := w.write(n)
	return w.out.Bytes(), err
}

// writer writes JSON.
type writer struct {
	doc   *Document
	out   bytes.Buffer
	lines bool // parts are written on their own lines
	line  int
}

// toLine breaks lines up to that of a position, unless that is behind. It is not asked for if lines don't matter.
func (w *writer) toLine(of func() Position) {
	if !w.lines {
		return
	}
	for at := of(); w.line < at.Line; {
		w.out.WriteByte('\n')
		w.line++
	}
}

func (w *writer) write(n Node) error {
	w.toLine(func() Position { return w.doc.located()[n.Path].value })
	switch n.Value.(type) {
	case map[string]any:
		return w.object(n)
	case []any:
		return w.list(n)
	}
	return w.scalar(n.Value)
}

func (w *writer) scalar(v any) error {
	raw, err := JSON(v)
	w.out.Write(raw)
	return err
}

func (w *writer) object(n Node) error {
	w.out.WriteByte('{')
	separator := ""
	for key, value := range n.Members() {
		w.out.WriteString(separator)
		separator = ","
		w.toLine(value.Position)
		if err := w.scalar(key); err != nil {
			return err
		}
		w.out.WriteByte(':')
		if err := w.write(value); err != nil {
			return err
		}
	}
	w.out.WriteByte('}')
	return nil
}

func (w *writer) list(n Node) error {
	w.out.WriteByte('[')
	for i, item := range n.Items() {
		if i > 0 {
			w.out.WriteByte(',')
		}
		if err := w.write(item); err != nil {
			return err
		}
	}
	w.out.WriteByte(']')
	return nil
}
