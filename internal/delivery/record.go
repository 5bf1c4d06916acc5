package delivery

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/outbound"
)

// requestRecord returns the headers of a request as an attempt keeps them, without signatures, which would help a
// thief and no reader.
func requestRecord(q outbound.Request) string {
	record := append(make([]byte, 0, 512), `{"headers":[`...)
	for i, h := range q.Header {
		record = appendPair(record, i == 0, h.Name, printable(h.Value, 1000))
	}
	for i, h := range q.Private {
		record = appendPair(record, i+len(q.Header) == 0, h.Name, redacted)
	}
	record = appendText(append(record, `],"url":`...), q.URL)
	return string(append(record, '}'))
}

func appendPair(record []byte, first bool, name, value string) []byte {
	if !first {
		record = append(record, ',')
	}
	record = appendText(append(record, '['), name)
	record = appendText(append(record, ','), value)
	return append(record, ']')
}

// responseRecord returns the headers and the beginning of the body of an answer as JSON, with members sorted by name.
func responseRecord(r outbound.Result) string {
	record := make([]byte, 0, 256)
	switch body := r.Body; {
	case len(body) == 0:
	case utf8.Valid(body):
		record = appendText(append(record, `,"body":`...), string(body))
	default:
		record = appendText(append(record, `,"body_base64":`...), base64.StdEncoding.EncodeToString(body))
	}
	if r.Err != nil {
		record = appendText(append(record, `,"error":`...), printable(r.Err.Error(), 500))
	}
	if r.Status != 0 {
		record = appendHeaders(append(record, `,"headers":{`...), r.Header)
		record = append(record, '}')
	}
	if r.Truncated {
		record = append(record, `,"truncated":true`...)
	}
	if len(record) == 0 {
		return "{}"
	}
	record[0] = '{'
	return string(append(record, '}'))
}

// appendHeaders appends an answer's headers, except those that may hold a credential.
func appendHeaders(record []byte, h http.Header) []byte {
	names := slices.AppendSeq(make([]string, 0, len(h)), maps.Keys(h))
	slices.Sort(names)
	for i, name := range names {
		value := redacted
		if name != "Set-Cookie" {
			value = printable(strings.Join(h[name], ", "), 1000)
		}
		if i > 0 {
			record = append(record, ',')
		}
		record = appendText(append(appendText(record, name), ':'), value)
	}
	return record
}

// appendText appends a text as encoding/json writes it. Most texts need no escapes, and take the fast path.
func appendText(record []byte, text string) []byte {
	if strings.ContainsFunc(text, escaped) {
		quoted, _ := json.Marshal(text) // a string can always be encoded
		return append(record, quoted...)
	}
	return append(append(append(record, '"'), text...), '"')
}

// escaped reports whether encoding/json may escape a character.
func escaped(r rune) bool {
	return r < ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' || r == '&'
}
