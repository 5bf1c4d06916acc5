package casetype

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/spelling"
)

// The bounds of any JSON that is read here.
const (
	maxDepth        = 64
	maxPath         = 2000 // bytes of a value's JSON Pointer, so that telling places stays cheap
	maxFaults       = 1000 // that are listed
	longPathLength  = 200  // of a path, in bytes: where nodes are limited, it counts as another
	maxNumberLength = 400  // bytes
	maxExponent     = 1000 // of ten, either way: beyond it, exact arithmetic is a burden
)

// tree is a parsed document: its value, and where each part of it was written.
type tree struct {
	value any
	lines map[string]int      // by JSON Pointer; nil: not recorded
	order map[string][]string // the names in an object, as written
	wrong Faults
}

// jsonReader builds a tree from JSON, more strictly than encoding/json does.
type jsonReader struct {
	tree
	raw     []byte
	decoder *json.Decoder
	counted int // bytes of raw in which lines have been counted
	line    int
	nodes   int
	limit   int    // of nodes; 0: none
	full    bool   // there were more
	at      []step // to the value that is being read
	length  int    // of its JSON Pointer, roughly
}

// readJSON reads one JSON document. What can be told apart is told apart: all
// duplicate names are listed, while a syntax error ends the reading.
func readJSON(raw []byte, record bool, limit int) tree {
	r := jsonReader{raw: raw, line: 1, limit: limit}
	if record {
		r.lines, r.order = map[string]int{}, map[string][]string{}
	}
	if message, offset := malformed(raw); message != "" {
		r.wrong = Faults{{Line: 1 + bytes.Count(raw[:offset], []byte("\n")), Message: message}}
		return r.tree
	}
	r.decoder = json.NewDecoder(bytes.NewReader(raw))
	r.decoder.UseNumber()
	if r.value = r.read(); r.full {
		r.value = nil
	}
	return r.tree
}

// malformed says why raw is no JSON document in UTF-8, and where.
func malformed(raw []byte) (message string, offset int) {
	if !utf8.Valid(raw) {
		return "is not valid UTF-8", 0
	}
	var whole json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset = min(int(syntax.Offset), len(raw))
		}
		return fmt.Sprintf("is not JSON: %v (at byte %d)", err, offset), offset
	}
	if offset = badEscape(raw); offset >= 0 {
		return "holds half of a surrogate pair, or the character U+0000, which no text may", offset
	}
	return "", 0
}

// badEscape finds the first \u escape in valid JSON that is no character by
// itself or with its other half, or is NUL; -1 when there is none.
func badEscape(raw []byte) int {
	unit := func(i int) rune {
		if i+6 > len(raw) || raw[i] != '\\' || raw[i+1] != 'u' {
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

var longPath = fmt.Sprintf("holds a name that makes the path to it longer than %d bytes", maxPath)

func (r *jsonReader) fault(message string) {
	if len(r.wrong) == maxFaults {
		return
	}
	r.wrong = append(r.wrong, Fault{Line: r.line, Path: place(r.at), Message: message})
}

// token returns the next token; raw is known to be well-formed.
func (r *jsonReader) token() json.Token {
	token, err := r.decoder.Token()
	if err != nil {
		return nil
	}
	if r.lines != nil {
		end := int(r.decoder.InputOffset())
		r.line += bytes.Count(r.raw[r.counted:end], []byte("\n"))
		r.counted = end
	}
	return token
}

func (r *jsonReader) read() any {
	token, depth := r.token(), len(r.at)
	r.mark()
	if r.nodes += 1 + r.length/longPathLength; r.limit > 0 && r.nodes > r.limit && !r.full {
		r.full = true
		r.fault(fmt.Sprintf("comes after %d values, the most there may be", r.limit))
	}
	switch token := token.(type) {
	case json.Delim:
		if depth >= maxDepth {
			if depth == maxDepth {
				r.fault(fmt.Sprintf("is nested deeper than %d levels", maxDepth))
			}
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
		if message := numberProblem(token); message != "" {
			r.fault(message)
			return json.Number("0") // nothing computes with the huge one
		}
	}
	return token
}

// text returns a text of a definition, whose places are recorded, in its canonical
// composition, so that names in it are found. Data stay as they were sent.
func (r *jsonReader) text(text string) string {
	if r.lines == nil {
		return text
	}
	return spelling.Composed(text)
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

func (r *jsonReader) mark() {
	if r.lines == nil || r.full {
		return
	}
	path := place(r.at)
	if _, known := r.lines[path]; !known {
		r.lines[path] = r.line
	}
}

func (r *jsonReader) object() map[string]any {
	object := map[string]any{}
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
		_, twice := object[name]
		if !twice && r.order != nil && !r.full {
			path := place(r.at)
			r.order[path] = append(r.order[path], name)
		}
		r.at, r.length = append(r.at, step{name, -1}), r.length+len(name)+1
		if twice {
			r.fault("is given twice")
		}
		r.mark()
		object[name] = r.read()
		r.at, r.length = r.at[:len(r.at)-1], r.length-len(name)-1
	}
	r.token()
	return object
}

func (r *jsonReader) array() []any {
	array := []any{}
	for r.decoder.More() {
		r.at, r.length = append(r.at, step{index: len(array)}), r.length+7
		array = append(array, r.read())
		r.at, r.length = r.at[:len(r.at)-1], r.length-7
	}
	r.token()
	return array
}

// numberProblem says why a JSON number can't be kept exactly; empty: it can.
func numberProblem(n json.Number) string {
	mantissa, exponent, found := strings.Cut(strings.ToLower(string(n)), "e")
	if len(mantissa) > maxNumberLength {
		return fmt.Sprintf("is a number of more than %d digits", maxNumberLength)
	}
	if !found {
		return ""
	}
	e, err := strconv.Atoi(exponent)
	if err != nil || e > maxExponent || e < -maxExponent {
		return fmt.Sprintf("is a number beyond 10 to the power of %d", maxExponent)
	}
	return ""
}

// encode writes a value with sorted names, without escaping for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// encodeOrdered writes the part of the tree at path with names as they were written.
func (t *tree) encodeOrdered(b *bytes.Buffer, v any, path string) error {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, name := range t.order[path] {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := t.encodeOrdered(b, name, ""); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := t.encodeOrdered(b, v[name], pointer(path, name)); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := t.encodeOrdered(b, item, pointer(path, strconv.Itoa(i))); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		raw, err := encode(v)
		if err != nil {
			return err
		}
		b.Write(raw)
	}
	return nil
}

// WithoutMark is a text in UTF-8 without the byte order mark that some programs
// begin one with.
func WithoutMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\ufeff")) }
