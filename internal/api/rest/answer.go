package rest

import (
	"bytes"
	"encoding/json"
	"io"
	"reflect"
)

// sizedBody is a body that may be large. It is encoded before the response starts, so that its size is known by then
// and an error can still be answered with a problem.
type sizedBody interface {
	size() int                                // bytes
	send(w io.Writer, sent func(n int)) error // calls sent with each number of bytes released
}

// bodyOf returns the index of the body in an answer, and whether the body may be large.
func bodyOf[O any]() (field int, ok bool) {
	body, ok := reflect.TypeFor[O]().FieldByName("Body")
	if !ok || len(body.Index) != 1 || !body.Type.Implements(reflect.TypeFor[sizedBody]()) {
		return 0, false
	}
	return body.Index[0], true
}

// Text is encoded text in pieces. It grows without being copied, and each piece is
// released once it is sent.
type Text [][]byte

// The sizes of pieces, in bytes.
const (
	leastPiece = 4 << 10
	mostPiece  = 64 << 10

	leastShared = 16 << 10
)

// Write appends b to the text. It never fails.
func (t *Text) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		last := len(*t) - 1
		if last < 0 || len((*t)[last]) == cap((*t)[last]) {
			next := leastPiece
			if last >= 0 {
				next = min(2*cap((*t)[last]), mostPiece)
			}
			*t = append(*t, make([]byte, 0, max(next, min(len(b), mostPiece))))
			last++
		}
		piece := &(*t)[last]
		fits := min(len(b), cap(*piece)-len(*piece))
		*piece = append(*piece, b[:fits]...)
		b = b[fits:]
	}
	return n, nil
}

// Share appends b without copying it, so that several texts can share it. It copies a small b.
func (t *Text) Share(b []byte) {
	if len(b) < leastShared {
		t.Write(b)
		return
	}
	*t = append(*t, b[:len(b):len(b)])
}

// unwrite removes the last byte.
func (t *Text) unwrite() {
	last := len(*t) - 1
	if piece := (*t)[last]; len(piece) > 1 {
		(*t)[last] = piece[:len(piece)-1]
	} else {
		*t = (*t)[:last]
	}
}

// Size returns the number of bytes.
func (t Text) Size() (n int) {
	for _, piece := range t {
		n += len(piece)
	}
	return n
}

func (t Text) size() int { return t.Size() }

// send writes the text, and releases each piece once it is written.
func (t Text) send(w io.Writer, sent func(int)) error {
	for i, piece := range t {
		if _, err := w.Write(piece); err != nil {
			return err
		}
		t[i] = nil
		sent(len(piece))
	}
	return nil
}

// NewReply encodes a body that may be large.
func NewReply[T any](body T) (Reply[T], error) {
	var b bytes.Buffer
	err := Encode(&b, body)
	return b.Bytes(), err
}

func (r Reply[T]) size() int { return len(r) }

func (r Reply[T]) send(w io.Writer, sent func(int)) error {
	_, err := w.Write(r)
	sent(len(r))
	return err
}

// Encode writes v as JSON, without escaping HTML.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// marshal writes the body of an answer. It returns no error of the connection, since the client is gone then.
func marshal(w io.Writer, v any) error {
	body, ok := v.(sizedBody)
	out := jsonWriter(w)
	if !ok {
		return Encode(out, v)
	}
	sent := func(int) {}
	if x, ok := w.(*Exchange); ok {
		sent = x.reservation.sent
	}
	body.send(out, sent)
	return nil
}
