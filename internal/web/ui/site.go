package ui

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
)

// Config has the collaborators of a site.
type Config struct {
	Kernel *rest.Kernel
	Guard  *authz.Guard
	// Authenticate sets the principal of a request and loads its session, or refuses it.
	Authenticate func(*rest.Exchange) error
	// TenantName returns the name of the caller's tenant.
	TenantName func(context.Context, access.Principal) string
	// Wait returns a channel that is closed when a tenant has new entries in the journal.
	Wait func(tenant int64) <-chan struct{}
	Stop <-chan struct{} // closed when live pages should end; nil: never
	// Gallery serves the page that shows all components, for those who develop the console.
	Gallery bool
	// Views returns the saved views of a page, without their counts.
	Views func(ctx context.Context, p access.Principal, page string) ([]SavedView, error)
}

// Site serves pages.
type Site struct {
	config Config
	pages  map[string]access.Operation // by pattern; empty: open to anybody
}

// New returns a site without pages, and serves the embedded files.
func New(c Config) *Site {
	s := &Site{config: c, pages: map[string]access.Operation{}}
	serveAssets(c.Kernel)
	s.serveLive()
	if c.Gallery {
		s.serveGallery()
	}
	return s
}

// Request is a request for a page.
type Request struct {
	Exchange  *rest.Exchange
	HTTP      *http.Request
	Principal access.Principal // with the permission of the page's operation

	site *Site
	undo *Undo // what was just done; nil: nothing
}

// Handler answers a request for a page.
type Handler func(ctx context.Context, r *Request) (View, error)

// View is a page, or the address of the page to go on with.
type View struct {
	Title   string // of the document
	Section string // the path of the navigation's item that is current
	Body    templ.Component
	Status  int    // default 200
	Call    string // of the API, which does the same: "GET /v1/cases"
	Bare    bool   // without the navigation
	Part    bool   // the body alone, for a script that puts it into a page

	location string
}

// Redirect returns the view that leads to another page of the site.
func Redirect(path string) View { return View{location: path} }

// Page registers a page. Its operation decides who may see it.
func (s *Site) Page(pattern string, o access.Operation, h Handler) { s.register(pattern, o, h) }

// Open registers a page that needs no session.
func (s *Site) Open(pattern string, h Handler) { s.register(pattern, "", h) }

// Pages returns the operations of all pages, by pattern.
func (s *Site) Pages() map[string]access.Operation { return maps.Clone(s.pages) }

// maxForm bounds the body of a form, in bytes. Files are sent to the API.
const maxForm = 16 << 20

func (s *Site) register(pattern string, o access.Operation, h Handler) {
	s.pages[pattern] = o
	s.config.Kernel.HandleFunc(pattern, func(_ http.ResponseWriter, request *http.Request) {
		x := rest.ExchangeOf(request.Context())
		header := x.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", policy)
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		x.Open = o == ""
		r := &Request{Exchange: x, site: s}
		view, err := s.answer(r, o, h)
		s.write(r, view, err)
	})
}

// policy lets pages load what this server serves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// answer authenticates and authorizes a request, and calls its handler.
func (s *Site) answer(r *Request, o access.Operation, h Handler) (View, error) {
	x := r.Exchange
	err := s.config.Authenticate(x)
	r.HTTP, r.Principal = x.Request, x.Principal // with its session
	if err != nil {
		return View{}, err
	}
	if r.HTTP.Method == http.MethodPost {
		r.HTTP.Body = http.MaxBytesReader(x, r.HTTP.Body, maxForm)
		if err := r.HTTP.ParseForm(); err != nil {
			return View{}, unreadableForm(err)
		}
	}
	if o != "" {
		if r.Principal, err = s.config.Guard.Authorize(r.HTTP.Context(), x.Principal, o); err != nil {
			return View{}, err
		}
		x.Principal = r.Principal
	}
	r.takeUndo()
	return h(r.HTTP.Context(), r)
}

func unreadableForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return fault.Wrap(err, fault.Invalid, "request.invalid", "The form can't be read. Send it again from its page.")
}

// Portal reports whether the request is of a receiver, who came by a portal link.
func (r *Request) Portal() bool { return r.Principal.Role == access.Receiver }

// Query returns a parameter of the address.
func (r *Request) Query(name string) string { return r.HTTP.URL.Query().Get(name) }

// Form returns a field of the form that was sent.
func (r *Request) Form(name string) string { return r.HTTP.PostForm.Get(name) }

// Path returns a part of the path.
func (r *Request) Path(name string) string { return r.HTTP.PathValue(name) }

// SignInPath returns the address of the page to sign in, which leads back to a path.
func SignInPath(to string) string {
	if to == "" || to == "/" {
		return "/sign-in"
	}
	return "/sign-in?" + url.Values{"to": {to}}.Encode()
}

// Local returns a path of this site; "/" for any other address, so that nobody is sent to another site.
func Local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// write sends a view, or the page of an error.
func (s *Site) write(r *Request, view View, err error) {
	x := r.Exchange
	if err != nil {
		view = s.failed(r, err)
	}
	if view.location != "" {
		x.Header().Set("Location", view.location)
		x.WriteHeader(http.StatusSeeOther)
		return
	}
	var page bytes.Buffer
	ctx := x.Request.Context()
	if err := s.frame(ctx, r, view).Render(ctx, &page); err != nil {
		s.config.Kernel.Problem(ctx, err).Write(x)
		return
	}
	x.Header().Set("Content-Type", "text/html; charset=utf-8")
	if view.Status != 0 {
		x.WriteHeader(view.Status)
	}
	x.Write(page.Bytes()) // an error means that the client is gone
}

// failed returns the page of an error. Someone who is not signed in is led to the page to sign in.
func (s *Site) failed(r *Request, err error) View {
	ctx := r.Exchange.Request.Context()
	p := s.config.Kernel.Problem(ctx, err)
	if p.Status == http.StatusUnauthorized && !r.Exchange.Open {
		to := ""
		if r.Exchange.Request.Method == http.MethodGet {
			to = r.Exchange.Request.URL.RequestURI()
		}
		return Redirect(SignInPath(to))
	}
	return View{
		Title: p.Title, Status: p.Status, Body: failure(p, r.Exchange.ID), Bare: r.Exchange.Principal.Role == "",
	}
}

// frame returns a view inside the frame of all pages.
func (s *Site) frame(ctx context.Context, r *Request, view View) templ.Component {
	p := r.Exchange.Principal
	if view.Part {
		return view.Body
	}
	if view.Bare || p.Role == "" {
		return barePage(view)
	}
	views, err := s.config.Views(ctx, p, view.Section)
	if err != nil {
		s.config.Kernel.Problem(ctx, err) // which logs it; the page is complete without
	}
	return page(view, frameData{
		Views:     views,
		Undo:      r.undo,
		Query:     r.Exchange.Request.URL.RawQuery,
		Principal: p,
		Tenant:    s.config.TenantName(ctx, p),
		Path:      r.Exchange.Request.URL.Path,
		Sections:  sections(p),
	})
}

// Missing answers a request for a path that there is not, if it is a browser's.
func (s *Site) Missing(x *rest.Exchange) bool {
	r := x.Request
	if !strings.Contains(r.Header.Get("Accept"), "text/html") || strings.HasPrefix(r.URL.Path, "/v1") {
		return false
	}
	x.Header().Set("Content-Security-Policy", policy)
	request := &Request{Exchange: x, site: s}
	_, err := s.answer(request, "", func(context.Context, *Request) (View, error) {
		return View{}, fault.New(fault.NotFound, "route.not_found",
			"There is no such page. Look for what you need in the search box, or in the navigation.")
	})
	s.write(request, View{}, err)
	return true
}

// Cursor returns the address of the page of a list behind a position.
func (r *Request) Cursor(list string, position any) (string, error) {
	sealed, err := r.site.config.Kernel.Seal(list, position)
	if err != nil {
		return "", err
	}
	return With(r.HTTP.URL.Path, r.HTTP.URL.Query(), "cursor", sealed), nil
}

// Seal returns a text that holds something and can't be forged, for the forms of a page.
func (r *Request) Seal(name string, content any) (string, error) {
	return r.site.config.Kernel.Seal(name, content)
}

// Open reads what was sealed under a name.
func (r *Request) Open(name, sealed string, content any) error {
	return r.site.config.Kernel.Open(name, sealed, content)
}

// Elsewhere reports whether another site, a message or the address bar led to the page.
func (r *Request) Elsewhere() bool {
	from := r.HTTP.Header.Get("Sec-Fetch-Site")
	return from != "" && from != "same-origin"
}

// SealedIDs returns the ids of the API with a prefix.
func (s *Site) SealedIDs(prefix string) rest.SealedIDs { return s.config.Kernel.SealedIDs(prefix) }

// Position reads the position that the address of a page has. Without one it is left as it is.
func (r *Request) Position(list string, position any) error {
	return r.site.config.Kernel.Open(list, r.Query("cursor"), position)
}
