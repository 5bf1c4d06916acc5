// Package rest is the kernel of the REST API. It has the code that all operations share, and knows none of them.
//
// A [Kernel] serves operations that are registered with [Handle] and [HandleBody], and describes them in an OpenAPI
// document. It decodes requests, encodes answers, and makes pages and their cursors. Every answer that is not a
// success is a [Problem] (RFC 9457) with a stable code; [NewProblem] alone makes it from a fault. Every request has
// an id, which is in its answer and in the log; bodies, tokens and the data of cases never reach the log. Uploads and
// downloads are streams: memory does not grow with the size of a file.
//
// The functions in [Config] authenticate requests and authorize operations.
package rest

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/observe"
)

// DefaultMaxBody is the default bound of a request body, except uploads, in bytes.
const DefaultMaxBody = 16 << 20

// Config has the settings and collaborators of a Kernel.
type Config struct {
	OpenAPI     *huma.OpenAPI   // the document without its operations and schemas
	Log         *slog.Logger    // default slog.Default()
	MaxBody     int64           // bytes of a request body, except uploads; default DefaultMaxBody
	CORSOrigins []string        // origins of pages that may use the API with tokens: "https://app.example.com"
	Key         []byte          // 32 bytes that seal cursors; default: random, so that cursors end with the process
	Requests    *observe.HTTP   // counts requests; nil: they are not counted
	Tracer      *observe.Tracer // nil: nothing is traced

	// Authenticate sets the principal of a request below /v1, or refuses it.
	Authenticate func(*Exchange) error
	// Reauthenticate does the same again for a long request, without extending its session.
	Reauthenticate func(*Exchange) error
	// Authorize returns the principal with the permission of an operation, which the use cases find
	// in the exchange, or refuses the operation.
	Authorize func(context.Context, access.Principal, access.Operation) (access.Principal, error)
}

// Kernel serves the operations that are registered with it. All are registered before the first request.
type Kernel struct {
	config  Config
	log     *slog.Logger
	mux     *http.ServeMux
	huma    huma.API
	seals   sealer
	memory  *memory
	open    map[string]bool             // patterns of operations that need no credential
	asks    map[string]bool             // patterns of operations that ask another system, which have no parameters
	names   map[string]access.Operation // operations by pattern
	answers map[access.Operation]reflect.Type
	missing func(*Exchange) bool // nil: it answers none
}

// New returns a kernel without operations. It panics if the key has a wrong length.
func New(c Config) *Kernel {
	c.MaxBody = cmp.Or(c.MaxBody, DefaultMaxBody)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if len(c.Key) == 0 {
		c.Key = make([]byte, 32)
		rand.Read(c.Key) // never fails
	}
	if c.OpenAPI == nil {
		c.OpenAPI = &huma.OpenAPI{}
	}
	k := &Kernel{
		config:  c,
		log:     c.Log,
		mux:     http.NewServeMux(),
		seals:   newSeals(c.Key),
		memory:  newMemory(),
		open:    map[string]bool{},
		asks:    map[string]bool{},
		names:   map[string]access.Operation{},
		answers: map[access.Operation]reflect.Type{},
	}
	setUpHuma()
	k.huma = humago.New(k.mux, k.describe())
	return k
}

// describe completes the OpenAPI document, and sets how JSON is written.
func (k *Kernel) describe() huma.Config {
	o := k.config.OpenAPI
	o.OpenAPI = "3.1.0"
	if o.Components == nil {
		o.Components = &huma.Components{}
	}
	o.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	format := huma.Format{
		Marshal: marshal,
		Unmarshal: func([]byte, any) error {
			panic("rest: bodies are not read by huma")
		},
	}
	return huma.Config{
		OpenAPI:                      o,
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	}
}

// schemaName names the schema of a type; a page of cases is a CasePage.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if of, ok := strings.CutPrefix(name, "Page"); ok && strings.HasPrefix(t.Name(), "page[") {
		return of + "Page"
	}
	return name
}

// OpenAPI returns the document, which has the operations registered so far.
func (k *Kernel) OpenAPI() *huma.OpenAPI { return k.huma.OpenAPI() }

// Answers returns the types of the operations' answers.
func (k *Kernel) Answers() map[access.Operation]reflect.Type { return k.answers }

// HandleFunc registers a handler that is not an operation, and so not in the OpenAPI document.
func (k *Kernel) HandleFunc(pattern string, handler http.HandlerFunc) {
	k.mux.HandleFunc(pattern, handler)
}

// HandleAs is HandleFunc for another form of an operation, under whose name its requests are counted and logged.
func (k *Kernel) HandleAs(o access.Operation, pattern string, handler http.HandlerFunc) {
	k.names[pattern] = o
	k.mux.HandleFunc(pattern, handler)
}

// OnMissing sets the function that answers requests for paths that there are not, unless it returns false.
func (k *Kernel) OnMissing(answer func(*Exchange) bool) { k.missing = answer }

// Page serves a page that stays the same while the process runs, with an ETag. It is rendered at the first request, so
// that the process starts sooner.
func (k *Kernel) Page(path string, header http.Header, render func() []byte) {
	type page struct {
		contents []byte
		etag     string // weak: answers may be indented
	}
	rendered := sync.OnceValue(func() page {
		contents := render()
		sum := sha256.Sum256(contents)
		return page{contents, `W/"` + hex.EncodeToString(sum[:16]) + `"`}
	})
	contents := func() []byte { return rendered().contents }
	k.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.Header().Set("Cache-Control", "no-cache") // kept, and asked about before each use
		w.Header().Set("ETag", rendered().etag)
		if slices.Contains(strings.Split(r.Header.Get("If-None-Match"), ", "), rendered().etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if strings.HasSuffix(path, ".json") {
			jsonWriter(w).Write(contents())
			return
		}
		w.Write(contents())
	})
}
