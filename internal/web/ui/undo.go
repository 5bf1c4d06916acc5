package ui

import (
	"net/url"
	"time"
)

// Undo tells what was just done, and which form of the site takes it back.
type Undo struct {
	Note string            // what was done
	Path string            // that the form is sent to; empty: it can't be taken back
	Form map[string]string // its fields
}

// undoKept is how long a page offers to take back what was done.
const undoKept = 15 * time.Minute

// sealedUndo is an Undo in the address of a page, for the person who did it.
type sealedUndo struct {
	Undo
	Tenant int64
	Owner  string
	Until  time.Time
}

const undoParameter = "undo"

// RedirectUndo is Redirect to a page that also tells what was done, and offers to take it back.
func (r *Request) RedirectUndo(path string, u Undo) (View, error) {
	sealed, err := r.site.config.Kernel.Seal(undoParameter, sealedUndo{
		u, r.Principal.Tenant, string(r.Principal.Owner()), r.site.config.Guard.Now().Add(undoKept),
	})
	if err != nil {
		return View{}, err
	}
	to, err := url.Parse(path)
	if err != nil {
		return View{}, err
	}
	query := to.Query()
	query.Set(undoParameter, sealed)
	to.RawQuery = query.Encode()
	return Redirect(to.String()), nil
}

// takeUndo removes what was done from the address, so that no link repeats it. It is shown to the person who did it.
func (r *Request) takeUndo() {
	query := r.HTTP.URL.Query()
	if !query.Has(undoParameter) {
		return
	}
	var u sealedUndo
	err := r.site.config.Kernel.Open(undoParameter, query.Get(undoParameter), &u)
	now, owner := r.site.config.Guard.Now(), string(r.Principal.Owner())
	if err == nil && u.Tenant == r.Principal.Tenant && u.Owner == owner && now.Before(u.Until) {
		r.undo = &u.Undo
	}
	query.Del(undoParameter)
	r.HTTP.URL.RawQuery = query.Encode()
}
