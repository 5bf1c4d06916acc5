package rest

import (
	"cmp"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/store"
)

// Paging is embedded in the parameters of every list that has pages.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"The next of the previous page; absent: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The greatest number of items on the page. A page also ends at 4 MiB, and may have fewer items then although there are more."`
}

// InList is embedded in the parameters of lists whose items are small: they fit on one
// page unless there are very many.
type InList struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"The next of the previous page; absent: the first page. There is a second one only beyond 4 MiB."`
}

// page is one page of a list.
type page[T any] struct {
	Items []T     `json:"items" doc:"The page's items."`
	Next  *string `json:"next" doc:"The cursor of the next page, however many items this one has; null: this is the last."`
}

// pageText is a page in JSON.
type pageText[T any] struct{ Text }

// Schema describes the page.
func (pageText[T]) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[page[T]](), true, "")
}

// PageAnswer is the answer of a list that has pages.
type PageAnswer[T any] struct {
	Body pageText[T]
}

// ListAnswer is the answer of a short list, which always has one page.
type ListAnswer[T any] struct {
	Body listText[T]
}

// listText is the only page of a list.
type listText[T any] struct{ Text }

// Schema describes a page.
func (listText[T]) Schema(r huma.Registry) *huma.Schema { return pageText[T]{}.Schema(r) }

// List returns the answer of a short list.
func List[T, V any](all []T, show func(T) V) (*ListAnswer[V], error) {
	w := newPageWriter()
	for _, one := range all {
		if err := w.add(show(one)); err != nil {
			return nil, err
		}
	}
	return &ListAnswer[V]{listText[V]{w.end("")}}, nil
}

// Pager makes the pages of a list. It shows each T as a V; a cursor is a sealed P, the position of an item.
type Pager[T, V, P any] struct {
	kernel   *Kernel
	name     string
	show     func(T) (V, error)
	position func(T) P
}

// NewPager returns a pager. Its cursors are bound to the name. Position returns the position of an item; the next
// page begins behind that of the last item.
func NewPager[T, V, P any](k *Kernel, name string, show func(T) V, position func(T) P) Pager[T, V, P] {
	return NewFalliblePager(k, name, func(one T) (V, error) { return show(one), nil }, position)
}

// NewFalliblePager is NewPager with a show that may fail.
func NewFalliblePager[T, V, P any](
	k *Kernel, name string, show func(T) (V, error), position func(T) P,
) Pager[T, V, P] {
	return Pager[T, V, P]{kernel: k, name: name, show: show, position: position}
}

// PageOf returns a page that was read from the store.
func (p Pager[T, V, P]) PageOf(found store.Page[T]) (*PageAnswer[V], error) {
	return p.PageOfSequence(Sequence[T]{Items: each(found.Items), More: found.More})
}

// PageOfList returns a page of up to limit items. One item more in all means that there is a next page.
func (p Pager[T, V, P]) PageOfList(all []T, limit int) (*PageAnswer[V], error) {
	found := store.Page[T]{Items: all}
	if len(all) > limit {
		found.Items, found.More = all[:limit], true
	}
	return p.PageOf(found)
}

// PageBefore returns a page of items, which may be fewer than fit. The next page begins at next; nil: there is none.
func (p Pager[T, V, P]) PageBefore(all []T, next *P) (*PageAnswer[V], error) {
	w := newPageWriter()
	for i, one := range all {
		if err := p.add(w, one); err != nil {
			return nil, err
		}
		if w.full() && i < len(all)-1 {
			here := p.position(one)
			next = &here
			break
		}
	}
	return p.end(w, next)
}

// WholePageBefore is PageBefore for items that share one position, so that the page
// can't end between them.
func (p Pager[T, V, P]) WholePageBefore(all []T, next *P) (*PageAnswer[V], error) {
	w := newPageWriter()
	for _, one := range all {
		if err := p.add(w, one); err != nil {
			return nil, err
		}
	}
	return p.end(w, next)
}

// Sequence is a list that is read while its page is made.
type Sequence[T any] struct {
	Items iter.Seq2[T, error]
	More  bool  // there are further items behind the last
	End   error // an error of Items that ends the page early, with further items behind it; nil: none
}

// PageOfSequence returns a page of items, as many as fit.
func (p Pager[T, V, P]) PageOfSequence(s Sequence[T]) (*PageAnswer[V], error) {
	return p.PageUpTo(s, nil)
}

// PageUpTo is PageOfSequence with the position at which the next page begins; nil: behind the last item. The page may
// have no items.
func (p Pager[T, V, P]) PageUpTo(s Sequence[T], to *P) (*PageAnswer[V], error) {
	w, more := newPageWriter(), s.More
	var last P
	for one, err := range s.Items {
		if w.full() || s.End != nil && errors.Is(err, s.End) {
			more, to = true, nil
			break
		}
		if err != nil {
			return nil, err
		}
		if err := p.add(w, one); err != nil {
			return nil, err
		}
		last = p.position(one)
	}
	switch {
	case !more:
		return p.end(w, nil)
	case to != nil:
		return p.end(w, to)
	}
	return p.end(w, &last)
}

func (p Pager[T, V, P]) add(w *pageWriter, one T) error {
	shown, err := p.show(one)
	if err != nil {
		return err
	}
	return w.add(shown)
}

// end completes a page. The next one begins at next; nil: there is none.
func (p Pager[T, V, P]) end(w *pageWriter, next *P) (*PageAnswer[V], error) {
	if next == nil {
		return &PageAnswer[V]{pageText[V]{w.end("")}}, nil
	}
	cursor, err := p.kernel.Seal(p.name, next)
	return &PageAnswer[V]{pageText[V]{w.end(cursor)}}, err
}

// PageBehind returns the page behind the cursor of a list that was read as a whole. The positions of items are unique
// and ascending.
func PageBehind[T, V any, K cmp.Ordered](p Pager[T, V, K], cursor string, all []T) (*PageAnswer[V], error) {
	if cursor != "" {
		var last K
		if err := p.kernel.Open(p.name, cursor, &last); err != nil {
			return nil, err
		}
		all = all[behind(all, last, p.position):]
	}
	return p.PageOf(store.Page[T]{Items: all})
}

// behind returns the index of the first item behind a key. The database may order texts differently; that matters
// only if the key's own item is gone.
func behind[T any, K cmp.Ordered](all []T, last K, key func(T) K) int {
	if i := slices.IndexFunc(all, func(one T) bool { return key(one) == last }); i >= 0 {
		return i + 1
	}
	if i := slices.IndexFunc(all, func(one T) bool { return key(one) > last }); i >= 0 {
		return i
	}
	return len(all)
}

// each returns an iterator over the items, without errors.
func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// pageWriter encodes a page item by item.
type pageWriter struct {
	text    Text
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

// full reports whether the page has no room for another item. An empty page always has.
func (w *pageWriter) full() bool { return w.items > 0 && w.bytes >= store.PageBytes }

func (w *pageWriter) add(item any) error {
	if w.items > 0 {
		w.text.Write([]byte{','})
	}
	before := w.text.Size()
	if err := w.encoder.Encode(item); err != nil {
		return err
	}
	w.text.unwrite() // the end of the line
	w.items++
	w.bytes += w.text.Size() - before
	return nil
}

// end completes the page. Next is the cursor of the next page; empty: there is none.
func (w *pageWriter) end(next string) Text {
	w.text.Write([]byte(`],"next":`))
	if next == "" {
		w.text.Write([]byte("null}\n"))
	} else {
		w.text.Write([]byte(`"` + next + "\"}\n")) // base64: nothing in it has to be escaped
	}
	return w.text
}
