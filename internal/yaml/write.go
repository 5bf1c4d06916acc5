package yaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Write returns a JSON document as YAML for people, with the keys in their order. [Read] reads the same
// values from both.
func Write(raw []byte) ([]byte, error) {
	if message, _ := malformed(raw); message != "" {
		return nil, errors.New("the value to write " + message)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	root, err := node(decoder)
	if err != nil {
		return nil, err
	}
	return yaml.Dump(root, yaml.WithV4Defaults(), yaml.WithLineWidth(-1))
}

// node makes a node of the next value.
func node(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		return collection(d, token)
	case string:
		return textNode(token), nil
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: nullTag, Value: "null"}, nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: boolTag, Value: fmt.Sprint(token)}, nil
	}
	number := fmt.Sprint(token)
	tag := intTag
	if strings.ContainsAny(number, ".eE") {
		tag = floatTag
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: number}, nil
}

// maxLine bounds a list that is written in one line, in bytes.
const maxLine = 80

// collection makes a node of the object or array that was opened.
func collection(d *json.Decoder, opened json.Delim) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	if opened == '{' {
		n.Kind = yaml.MappingNode
	}
	length := 0    // of the items in one line
	for d.More() { // of an object, its keys and its values in turn
		item, err := node(d)
		if err != nil {
			return nil, err
		}
		length += 2 + len(item.Value)
		if item.Kind != yaml.ScalarNode || item.Style == yaml.LiteralStyle {
			length += maxLine
		}
		n.Content = append(n.Content, item)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if len(n.Content) == 0 || length <= maxLine && n.Kind == yaml.SequenceNode {
		n.Style = yaml.FlowStyle
	}
	return n, nil
}

// lineEnds are the characters that other readers may take for the end of a line.
const lineEnds = "\r\u0085\u2028\u2029"

// otherwise matches texts that readers of YAML 1.1 take for booleans.
var otherwise = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)

// textNode makes a node of a text: with quotes if it would be another value without them, and as a block
// if it has several lines.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: textTag, Value: text}
	switch {
	case plainTag(text) != textTag, otherwise.MatchString(text), strings.ContainsAny(text, lineEnds):
		n.Style = yaml.DoubleQuotedStyle
	case strings.Contains(text, "\n"):
		n.Style = yaml.LiteralStyle
	}
	return n
}
