package api

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Paging is embedded in the parameters of every list that has pages.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"The next of the page before; absent: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The greatest number of items on the page. Where they are large it has fewer, although there are more: it ends at 4 MiB."`
}

// page is one page of a list.
type page[T any] struct {
	Items []T     `json:"items" doc:"The page's items."`
	Next  *string `json:"next" doc:"The cursor of the next page, however many items this one has; null: this is the last."`
}

// pageText is a page in JSON.
type pageText[T any] struct{ text }

// Schema is that of the page.
func (pageText[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[page[T]](), true, "")
}

// listed is the answer of a list.
type listed[T any] struct {
	Body pageText[T]
}

// pageWriter encodes a page item by item.
type pageWriter struct {
	text    text
	encoder *json.Encoder
	items   int
	bytes   int // of them
}

func newPageWriter() *pageWriter {
	w := &pageWriter{}
	w.encoder = json.NewEncoder(&w.text)
	w.encoder.SetEscapeHTML(false)
	w.text.Write([]byte(`{"items":[`))
	return w
}

// full reports whether the page has no room for another item. It has for one.
func (w *pageWriter) full() bool { return w.items > 0 && w.bytes >= store.PageBytes }

func (w *pageWriter) add(item any) error {
	if w.items > 0 {
		w.text.Write([]byte{','})
	}
	before := w.text.size()
	if err := w.encoder.Encode(item); err != nil {
		return err
	}
	w.text.unwrite() // the end of the line
	w.items++
	w.bytes += w.text.size() - before
	return nil
}

// end returns the page, whose next page begins at the cursor; empty: there is none.
func (w *pageWriter) end(next string) text {
	w.text.Write([]byte(`],"next":`))
	if next == "" {
		w.text.Write([]byte("null}\n"))
	} else {
		w.text.Write([]byte(`"` + next + "\"}\n")) // base64: nothing in it has to be escaped
	}
	return w.text
}

// InList is embedded in the parameters of lists whose items are small: what there is
// fits on one page but where it is very much.
type InList struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"The next of the page before; absent: the first page. There is a second one only beyond 4 MiB."`
}

// ordered makes a page of a list that was read as a whole, behind the cursor. Keys are
// unique, and grow.
func ordered[T, V any, K cmp.Ordered](a *API, name string, in InList, all []T,
	show func(T) V, key func(T) K) (*listed[V], error) {
	if in.Cursor != "" {
		var last K
		if err := a.cursors.open(name, in.Cursor, &last); err != nil {
			return nil, err
		}
		all = all[behind(all, last, key):]
	}
	return pageOf(a, name, store.Page[T]{Items: all}, show, key)
}

// behind returns where a list goes on behind a key. The database's order of texts
// may be another than ours; that counts where the key's own item is gone.
func behind[T any, K cmp.Ordered](all []T, last K, key func(T) K) int {
	if i := slices.IndexFunc(all, func(one T) bool { return key(one) == last }); i >= 0 {
		return i + 1
	}
	if i := slices.IndexFunc(all, func(one T) bool { return key(one) > last }); i >= 0 {
		return i
	}
	return len(all)
}

// short is the answer of a list of which there can't be much.
type short[T any] struct {
	Body shortText[T]
}

// shortText is a page that is the only one.
type shortText[T any] struct{ text }

// Schema is that of a page.
func (shortText[T]) Schema(r huma.Registry) *huma.Schema { return pageText[T]{}.Schema(r) }

// list makes the answer of a list of which there can't be much.
func list[T, V any](all []T, show func(T) V) (*short[V], error) {
	w := newPageWriter()
	for _, one := range all {
		if err := w.add(show(one)); err != nil {
			return nil, err
		}
	}
	return &short[V]{shortText[V]{w.end("")}}, nil
}

// paged makes a page out of up to one item more than fit, and its cursor out of
// the place of its last item.
func paged[T, V, P any](a *API, name string, limit int, all []T, show func(T) V, place func(T) P) (*listed[V], error) {
	p := store.Page[T]{Items: all}
	if len(all) > limit {
		p.Items, p.More = all[:limit], true
	}
	return pageOf(a, name, p, show, place)
}

// pageOf makes a page out of one that was read.
func pageOf[T, V, P any](a *API, name string, p store.Page[T], show func(T) V, place func(T) P) (*listed[V], error) {
	return pageOfEach(a, name, each(p.Items), p.More, func(one T) (V, error) { return show(one), nil }, place)
}

// pagedTo makes a page that may have fewer items than fit, and its cursor out of
// where the next begins; nil: there is none.
func pagedTo[T, V, P any](a *API, name string, all []T, show func(T) V, place func(T) P, next *P) (*listed[V], error) {
	w := newPageWriter()
	for i, one := range all {
		if err := w.add(show(one)); err != nil {
			return nil, err
		}
		if w.full() && i < len(all)-1 {
			here := place(one)
			next = &here
			break
		}
	}
	return endPage[V](a, name, w, next)
}

// wholePage makes a page that ends where it was read to, and its cursor as pagedTo does.
func wholePage[T, V, P any](a *API, name string, all []T, show func(T) V, next *P) (*listed[V], error) {
	w := newPageWriter()
	for _, one := range all {
		if err := w.add(show(one)); err != nil {
			return nil, err
		}
	}
	return endPage[V](a, name, w, next)
}

// endPage ends a page whose next begins at a place; nil: there is none.
func endPage[V, P any](a *API, name string, w *pageWriter, next *P) (*listed[V], error) {
	if next == nil {
		return &listed[V]{pageText[V]{w.end("")}}, nil
	}
	cursor, err := a.cursors.seal(name, next)
	return &listed[V]{pageText[V]{w.end(cursor)}}, err
}

// pageOfEach makes a page out of items, one after the other, until it is full. More
// says that there are others behind the last of them.
func pageOfEach[T, V, P any](a *API, name string, all iter.Seq2[T, error], more bool,
	show func(T) (V, error), place func(T) P) (*listed[V], error) {
	w := newPageWriter()
	var last P
	for one, err := range all {
		if w.full() || errors.Is(err, casework.ErrPageEnds) {
			more = true
			break
		}
		if err != nil {
			return nil, err
		}
		shown, err := show(one)
		if err != nil {
			return nil, err
		}
		if err := w.add(shown); err != nil {
			return nil, err
		}
		last = place(one)
	}
	if !more {
		return endPage[V, P](a, name, w, nil)
	}
	return endPage[V](a, name, w, &last)
}

// each returns the items one after the other.
func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// cursors seals places in lists. Sealed, they show nobody how much there is of
// what belongs to others, and none can be made up.
type cursors struct{ aead cipher.AEAD }

func newCursors(key []byte) cursors {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic("api: " + err.Error())
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic("api: " + err.Error())
	}
	return cursors{aead}
}

// seal makes a cursor of a place in the named list.
func (c cursors) seal(name string, place any) (string, error) {
	plain, err := json.Marshal(place)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(c.aead.Seal(nil, nil, plain, []byte("cursor/"+name))), nil
}

// open reads a cursor of the named list; the empty one leaves place as it is.
func (c cursors) open(name, cursor string, place any) error {
	if cursor == "" {
		return nil
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		var plain []byte
		if plain, err = c.aead.Open(nil, nil, sealed, []byte("cursor/"+name)); err == nil {
			err = json.Unmarshal(plain, place)
		}
	}
	if err != nil {
		return &fault.Error{Kind: fault.Invalid, Code: "request.cursor_invalid", Err: err,
			Detail: "The cursor is not one of this list; begin again without it.",
			Fields: []fault.Field{{Path: "query.cursor", Message: "is not a cursor of this list"}}}
	}
	return nil
}
