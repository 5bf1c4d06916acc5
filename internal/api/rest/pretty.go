package rest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
)

// cutPretty reports whether a request asks for indented JSON, and removes the parameter from its query: a repetition
// under an idempotency key may differ in it.
func cutPretty(r *http.Request) (pretty bool) {
	if !strings.Contains(r.URL.RawQuery, "pretty") {
		return false
	}
	kept := slices.DeleteFunc(strings.Split(r.URL.RawQuery, "&"), func(parameter string) bool {
		asks := parameter == "pretty" || parameter == "pretty=" || parameter == "pretty=true"
		pretty = pretty || asks
		return asks || parameter == "pretty=false"
	})
	u := *r.URL
	u.RawQuery = strings.Join(kept, "&")
	r.URL = &u
	return pretty
}

// jsonWriter returns the writer of an answer's JSON, which indents if the request asks for it.
func jsonWriter(w io.Writer) io.Writer {
	if x, ok := w.(*Exchange); ok && x.pretty {
		return &indenter{w: w}
	}
	return w
}

// indenter indents JSON while it is written. It buffers one piece at most, and leaves
// texts and numbers as they are.
type indenter struct {
	w        io.Writer
	out      bytes.Buffer
	depth    int
	inText   bool
	escaped  bool
	opened   bool // the last byte was { or [, which may close at once
	finished bool // the value is complete
}

const (
	mostIndented = 40      // levels; deeper ones are not indented further
	mostGathered = 8 << 10 // bytes, before they are written
)

func (i *indenter) Write(b []byte) (int, error) {
	for _, c := range b {
		i.write(c)
		if i.out.Len() >= mostGathered {
			if err := i.flush(); err != nil {
				return 0, err
			}
		}
	}
	return len(b), i.flush()
}

func (i *indenter) flush() error {
	_, err := i.w.Write(i.out.Bytes())
	i.out.Reset()
	return err
}

func (i *indenter) write(c byte) {
	if i.inText {
		i.out.WriteByte(c)
		i.inText = i.escaped || c != '"'
		i.escaped = !i.escaped && c == '\\'
		return
	}
	switch c {
	case ' ', '\t', '\r', '\n':
		if c == '\n' && i.depth == 0 && i.finished {
			i.out.WriteByte(c) // the end of the answer
		}
		return
	case '}', ']':
		i.depth--
		if !i.opened {
			i.line()
		}
		i.opened = false
		i.finished = i.depth == 0
		i.out.WriteByte(c)
		return
	}
	if i.opened {
		i.line()
		i.opened = false
	}
	i.out.WriteByte(c)
	switch c {
	case '{', '[':
		i.depth++
		i.opened = true
	case '"':
		i.inText = true
	case ',':
		i.line()
	case ':':
		i.out.WriteByte(' ')
	}
}

func (i *indenter) line() {
	i.out.WriteByte('\n')
	for range min(i.depth, mostIndented) {
		i.out.WriteString("  ")
	}
}
