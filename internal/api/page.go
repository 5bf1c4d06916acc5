package api

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"

	"github.com/casehook/casehook/internal/fault"
)

// Paging is embedded in the parameters of every list that has pages.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"500" doc:"The next of the page before; absent: the first page."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The greatest number of items on the page."`
}

// page is one page of a list.
type page[T any] struct {
	Items []T     `json:"items" doc:"The page's items."`
	Next  *string `json:"next" doc:"The cursor of the next page; null: this is the last."`
}

// listed is the answer of a list.
type listed[T any] struct {
	Body page[T]
}

// list makes the answer of a list without pages.
func list[T, V any](all []T, show func(T) V) *listed[V] {
	items := make([]V, len(all))
	for i, one := range all {
		items[i] = show(one)
	}
	return &listed[V]{page[V]{Items: items}}
}

// paged makes a page out of up to one item more than fit, and its cursor out of
// the place of its last item.
func paged[T, V, P any](a *API, name string, limit int, all []T, show func(T) V, place func(T) P) (*listed[V], error) {
	if len(all) <= limit {
		return list(all, show), nil
	}
	all = all[:limit]
	out := list(all, show)
	next, err := a.cursors.seal(name, place(all[limit-1]))
	out.Body.Next = &next
	return out, err
}

// pagedTo makes a page that may have fewer items than fit, and its cursor out of
// where the next begins; nil: there is none.
func pagedTo[T, V, P any](a *API, name string, all []T, show func(T) V, next *P) (*listed[V], error) {
	out := list(all, show)
	if next == nil {
		return out, nil
	}
	cursor, err := a.cursors.seal(name, next)
	out.Body.Next = &cursor
	return out, err
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
