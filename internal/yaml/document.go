// Package yaml reads YAML 1.2 into the values of JSON, with the line and column of each. JSON is read too, as the
// part of YAML that it is, with nothing lost. Documents that have no form in JSON, or that other readers understand
// differently, are refused with the line: duplicate keys, keys that are not texts, merge keys, custom tags, a second
// document. It is pure.
package yaml

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of any document.
const (
	MaxDepth        = 64
	MaxFaults       = 1000    // that are listed
	maxNodes        = 100_000 // values, aliases expanded, unless the options say otherwise
	maxPath         = 2000    // bytes of a value's JSON Pointer, which bounds the cost of messages
	longPathLength  = 200     // of a path, in bytes, which counts as one more node where these are limited
	maxNumberLength = 400     // bytes
	maxExponent     = 1000    // of ten, either way: beyond it, exact arithmetic costs too much
)

// Options configure the reading of a document.
type Options struct {
	// values in all, aliases expanded; 0: about 100,000 in YAML, any number in JSON
	MaxNodes int
	Text     func(string) string // applied to texts and keys; nil: they stay as they are
}

// Position is a place in a source. Both numbers start at 1; columns count characters.
type Position struct{ Line, Column int }

// Fault is an error in a document.
type Fault struct {
	Position
	Path    string // JSON Pointer (RFC 6901) to the value
	Message string // follows the name of the value

	Known []string // the known keys, if the value's is unknown
}

// Document is the result of reading a source.
type Document struct {
	Value  any     // nil, bool, string, json.Number, []any or map[string]any; nil too if nothing could be read
	Faults []Fault // in the order in which they were found

	places map[string]place    // by JSON Pointer; nil: not recorded
	order  map[string][]string // the keys of an object, as written; nil: not recorded
	spelt  map[string]string   // scalars that JSON spells otherwise
	locate func() *Document    // reads the source again, with its places; nil: those are recorded already
}

// place has the position of a value and of its name: its key, or the value itself.
type place struct{ key, value Position }

// The room for places of a document: a value takes about so many bytes of a source.
const (
	bytesOfValue = 24
	mostRoom     = 100_000
)

// newDocument returns a document of a source that records places.
func newDocument(source []byte) *Document {
	room := min(len(source)/bytesOfValue, mostRoom)
	return &Document{places: make(map[string]place, room), order: map[string][]string{}, spelt: map[string]string{}}
}

// setKey records the position of the key of a path. Of several, the first counts.
func (d *Document) setKey(path string, at Position) {
	if _, known := d.places[path]; !known {
		d.places[path] = place{key: at}
	}
}

// setValue records the position of the value at a path, which is also that of its name if it has no key.
func (d *Document) setValue(path string, at Position) {
	place := d.places[path]
	if place.value != (Position{}) {
		return
	}
	if place.value = at; place.key == (Position{}) {
		place.key = at
	}
	d.places[path] = place
}

func (d *Document) fault(at Position, path, message string) {
	if len(d.Faults) < MaxFaults {
		d.Faults = append(d.Faults, Fault{Position: at, Path: path, Message: message})
	}
}

// Read reads a document. It lists all faults, unless the syntax is wrong: that ends the reading.
func Read(source []byte, o Options) *Document {
	if o.Text == nil {
		o.Text = func(text string) string { return text }
	}
	source = WithoutBOM(source)
	if json.Valid(source) {
		return readJSON(source, o, true)
	}
	return readYAML(source, o)
}

// ReadJSON reads a JSON document without recording positions: faults have no lines, and values can't be
// decoded.
func ReadJSON(source []byte) *Document { return ReadJSONUpTo(source, 0) }

// ReadJSONUpTo is ReadJSON for a document of at most so many values; 0: of any number.
func ReadJSONUpTo(source []byte, values int) *Document {
	return readJSON(source, Options{MaxNodes: values}, false)
}

// WithoutBOM returns a text in UTF-8 without a byte order mark.
func WithoutBOM(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }

// PositionOf returns the position of the key at a path, or of the value if it has no key. If there is
// none, it returns the position of the nearest value around it.
func (d *Document) PositionOf(path string) Position {
	places := d.located()
	for {
		if at, known := places[path]; known {
			return at.key
		}
		if path == "" {
			return Position{1, 1}
		}
		path = path[:strings.LastIndexByte(path, '/')]
	}
}

// located returns the places of values, by JSON Pointer.
func (d *Document) located() map[string]place {
	if d.locate != nil {
		return d.locate().places
	}
	return d.places
}

// Keys returns the keys of the object at a path, as they were written.
func (d *Document) Keys(path string) []string { return d.order[path] }

// JSON writes a value with sorted keys, without escaping for HTML.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Path leads to a value. It is formatted only for messages.
type Path []Step

// Step leads to the member of an object, or to an item of a list.
type Step struct {
	name  string
	index int // -1: by name
}

// Member is the step to a member.
func Member(name string) Step { return Step{name, -1} }

// Item is the step to an item.
func Item(index int) Step { return Step{index: index} }

// Tokens returns the names and indexes on the path.
func (p Path) Tokens() []string {
	tokens := make([]string, len(p))
	for i, s := range p {
		if tokens[i] = s.name; s.index >= 0 {
			tokens[i] = strconv.Itoa(s.index)
		}
	}
	return tokens
}

// Pointer writes the path as a JSON Pointer.
func (p Path) Pointer() string {
	var b strings.Builder
	for _, token := range p.Tokens() {
		b.WriteString(pointer("", token))
	}
	return b.String()
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

// pointer appends a token to a JSON Pointer.
func pointer(base, token string) string { return base + "/" + escape.Replace(token) }

// advance moves a position over a text.
func (p *Position) advance(text []byte) {
	for {
		i := bytes.IndexAny(text, "\r\n")
		if i < 0 {
			p.Column += utf8.RuneCount(text)
			return
		}
		if text[i] == '\r' && i+1 < len(text) && text[i+1] == '\n' {
			i++
		}
		p.Line, p.Column, text = p.Line+1, 1, text[i+1:]
	}
}

// positionIn returns the position of the byte at an offset.
func positionIn(text []byte, offset int) Position {
	at := Position{1, 1}
	at.advance(text[:offset])
	return at
}
