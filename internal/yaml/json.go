package yaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// jsonReader reads JSON, more strictly than encoding/json does.
type jsonReader struct {
	doc      *Document
	options  Options
	raw      []byte
	decoder  *json.Decoder
	start    int      // the offset of the token that was read
	position Position // of the byte at counted
	counted  int
	nodes    int
	full     bool // there were more values than the limit
	at       Path // of the value that is being read
	length   int  // of its JSON Pointer, roughly
}

// readJSON reads one JSON document. It lists all duplicate names, but a syntax error ends the reading. If positions are
// wanted, the document has those of its faults and the order of keys; it is read again for the place of a value, which
// most documents are never asked for.
func readJSON(raw []byte, o Options, positions bool) *Document {
	r := jsonReader{doc: &Document{}, options: o, raw: raw, position: Position{1, 1}}
	if positions {
		r.doc.order = map[string][]string{}
		r.doc.locate = sync.OnceValue(func() *Document {
			again := jsonReader{doc: newDocument(raw), options: o, raw: raw, position: Position{1, 1}}
			return again.document()
		})
	}
	return r.document()
}

func (r *jsonReader) document() *Document {
	raw := r.raw
	if message, offset := malformed(raw); message != "" {
		r.doc.fault(positionIn(raw, offset), "", message)
		return r.doc
	}
	r.decoder = json.NewDecoder(bytes.NewReader(raw))
	r.decoder.UseNumber()
	if r.doc.Value = r.read(); r.full {
		r.doc.Value = nil
	}
	return r.doc
}

// malformed returns the reason and offset at which raw is not a JSON document in UTF-8.
func malformed(raw []byte) (message string, offset int) {
	if offset = invalid(raw); offset != -1 {
		return notUTF8, offset
	}
	var whole json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = min(int(syntax.Offset), len(raw))
		}
		return fmt.Sprintf("is not JSON: %v (at byte %d)", err, offset), offset
	}
	if offset = badEscape(raw); offset != -1 {
		return "holds half of a surrogate pair, or the character U+0000, which text may not contain", offset
	}
	return "", 0
}

// invalid returns the offset of the first byte that is not UTF-8, or -1.
func invalid(raw []byte) int {
	for i := 0; i < len(raw); {
		c, size := utf8.DecodeRune(raw[i:])
		if c == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// badEscape returns the offset of the first \u escape in valid JSON that is NUL, or that is no character, alone or
// with its other half; or -1.
func badEscape(raw []byte) int {
	unit := func(i int) rune {
		if raw[i] != '\\' || raw[i+1] != 'u' {
			return -1
		}
		n, _ := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16)
		return rune(n)
	}
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		switch u := unit(i); {
		case u < 0:
			i++
		case u == 0 || u >= 0xDC00 && u <= 0xDFFF:
			return i
		case u >= 0xD800 && u <= 0xDBFF:
			if low := unit(i + 6); low < 0xDC00 || low > 0xDFFF {
				return i
			}
			i += 11
		default:
			i += 5
		}
	}
	return -1
}

// The messages of both readers.
var (
	notUTF8  = "is not valid UTF-8"
	tooDeep  = fmt.Sprintf("is nested deeper than %d levels", MaxDepth)
	longPath = fmt.Sprintf("holds a name that makes the path to it longer than %d bytes", maxPath)
)

// The messages of both readers with a verb in them.
const (
	tooMany    = "goes beyond the limit of %d values, aliases expanded"
	twice      = "is given twice"
	twiceSince = "is given twice; the first is on line %d"
)

func (r *jsonReader) fault(message string) {
	r.doc.fault(r.here(), r.at.Pointer(), message)
}

// here returns the position of the token that was read, where positions are wanted.
func (r *jsonReader) here() Position {
	if r.doc.order != nil {
		r.position.advance(r.raw[r.counted:r.start])
		r.counted = r.start
	}
	return r.position
}

// token returns the next token. There is one, since raw is well-formed.
func (r *jsonReader) token() json.Token {
	if r.doc.order != nil {
		r.start = int(r.decoder.InputOffset())
		for strings.IndexByte(" \t\r\n,:", r.raw[r.start]) >= 0 {
			r.start++
		}
	}
	token, err := r.decoder.Token()
	if err != nil {
		return nil
	}
	return token
}

func (r *jsonReader) read() any {
	token, depth := r.token(), len(r.at)
	r.setValue()
	if r.nodes += 1 + r.length/longPathLength; r.options.MaxNodes > 0 && r.nodes > r.options.MaxNodes && !r.full {
		r.full = true
		r.fault(fmt.Sprintf(tooMany, r.options.MaxNodes))
	}
	switch token := token.(type) {
	case json.Delim:
		if depth >= MaxDepth {
			r.fault(tooDeep)
			r.skip()
			return nil
		}
		if token == '{' {
			return r.object()
		}
		return r.array()
	case string:
		return r.text(token)
	case json.Number:
		if message := NumberProblem(token); message != "" {
			r.fault(message)
			return json.Number("0") // in place of the huge one
		}
	}
	return token
}

func (r *jsonReader) text(text string) string {
	if r.options.Text == nil {
		return text
	}
	return r.options.Text(text)
}

// skip leaves the object or array whose opening has just been read.
func (r *jsonReader) skip() {
	for open := 1; open > 0; {
		switch r.token() {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
}

func (r *jsonReader) setValue() {
	if r.doc.places != nil && !r.full {
		r.doc.setValue(r.at.Pointer(), r.here())
	}
}

// setKey records the position of a key, and refuses a duplicate.
func (r *jsonReader) setKey(known bool) {
	switch {
	case known && r.doc.order == nil:
		r.fault(twice)
	case known:
		r.fault(fmt.Sprintf(twiceSince, r.doc.PositionOf(r.at.Pointer()).Line))
	case r.doc.places != nil && !r.full:
		r.doc.setKey(r.at.Pointer(), r.here())
	}
}

func (r *jsonReader) object() map[string]any {
	object := map[string]any{}
	var names []string
	for r.decoder.More() {
		name, _ := r.token().(string)
		name = r.text(name)
		if r.length+len(name) > maxPath {
			r.fault(longPath)
			if _, opens := r.token().(json.Delim); opens {
				r.skip()
			}
			continue
		}
		_, known := object[name]
		r.at, r.length = append(r.at, Member(name)), r.length+len(name)+1
		r.setKey(known)
		if !known {
			names = append(names, name)
		}
		object[name] = r.read()
		r.at, r.length = r.at[:len(r.at)-1], r.length-len(name)-1
	}
	r.token()
	if r.doc.order != nil && !r.full {
		r.doc.order[r.at.Pointer()] = names
	}
	return object
}

func (r *jsonReader) array() []any {
	array := []any{}
	for r.decoder.More() {
		r.at, r.length = append(r.at, Item(len(array))), r.length+7
		array = append(array, r.read())
		r.at, r.length = r.at[:len(r.at)-1], r.length-7
	}
	r.token()
	return array
}
