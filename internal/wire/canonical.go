package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
)

// reservedFields are Casehook's own fields of a claim, which no data may repeat.
var reservedFields = casetype.Reserved()

// canonical reports whether decoding and encoding a claim's data would not change its bytes: it is an object without
// spaces, whose names are sorted and none reserved, and whose texts need no escapes. It may report false for other
// such data.
func canonical(data []byte) bool {
	if len(data) == 0 || data[0] != '{' || !json.Valid(data) || !utf8.Valid(data) || bytes.ContainsRune(data, '\\') ||
		bytes.ContainsRune(data, '\u2028') || bytes.ContainsRune(data, '\u2029') {
		return false
	}
	s := canonicalScan{rest: data}
	return s.object(reservedFields) && len(s.rest) == 0
}

// canonicalScan reads valid JSON that holds no escapes.
type canonicalScan struct{ rest []byte }

// object reads an object that has none of these names.
func (s *canonicalScan) object(reserved []string) bool {
	s.next()
	var before []byte
	for first := true; s.rest[0] != '}'; first = false {
		if !first {
			s.next() // a comma
		}
		name, ok := s.text()
		if !ok || !first && bytes.Compare(before, name) >= 0 || slices.Contains(reserved, string(name)) {
			return false
		}
		before = name
		if s.next() != ':' || !s.value() {
			return false
		}
	}
	s.next()
	return true
}

func (s *canonicalScan) array() bool {
	s.next()
	for first := true; s.rest[0] != ']'; first = false {
		if !first && s.next() != ',' || !s.value() {
			return false
		}
	}
	s.next()
	return true
}

// value reads any value. It returns false if a space precedes or follows it, or it is not canonical.
func (s *canonicalScan) value() bool {
	switch s.rest[0] {
	case '{':
		return s.object(nil) && !s.space()
	case '[':
		return s.array() && !s.space()
	case '"':
		_, ok := s.text()
		return ok && !s.space()
	}
	s.rest = s.rest[bytes.IndexAny(s.rest, ",]} \t\r\n"):] // nothing is skipped if a space precedes
	return !s.space()
}

// text reads a text, and returns it without its quotes.
func (s *canonicalScan) text() ([]byte, bool) {
	if s.rest[0] != '"' {
		return nil, false
	}
	text, rest, _ := bytes.Cut(s.rest[1:], []byte{'"'})
	s.rest = rest
	return text, true
}

// next reads one byte.
func (s *canonicalScan) next() byte {
	read := s.rest[0]
	s.rest = s.rest[1:]
	return read
}

// space reports whether a space follows.
func (s *canonicalScan) space() bool { return s.rest[0] <= ' ' }
