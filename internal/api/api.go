// Package api is the REST API: typed operations over package casework, described
// by the OpenAPI document that they are served from.
//
// Every answer that is not a success is an RFC 9457 problem with a stable code;
// [Problem] is its one shape, and one function makes it out of a fault. Every
// request has an id, which its answer carries and the log names; bodies, tokens
// and case data never reach the log. Uploads and downloads are streams: memory
// does not grow with the size of a file.
package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/session"
)

// Config is what the API needs besides the use cases.
type Config struct {
	Version string // of Casehook, as the OpenAPI document names it

	AtfinityVersion string // of examples in X-atfinity-version; default Version

	Log         *slog.Logger     // default slog.Default()
	MaxBody     int64            // bytes of a request that is no upload; default DefaultMaxBody
	Operator    []byte           // the key of operators' credentials; when empty, nobody is one
	Sessions    *session.Manager // of the people who sign in
	OIDC        *oidc.Provider   // by which people may sign in; nil: by password alone
	PublicURL   string           // whose pages may send requests with a session, besides the address that they go to
	CORSOrigins []string         // of pages that may use the API with tokens: "https://app.example.com"

	Key    []byte           // 32 bytes that seal cursors; drawn when empty, so that cursors end with the process
	Feed   *delivery.Feed   // the journal, for those who follow it; required
	Tester *delivery.Tester // sends samples to endpoints; required
	Follow Follow           // bounds those

	Ready        func(context.Context) error // why it should get no requests, if it should not; nil: it always should
	Hold         bool                        // nothing is sent and no callback asked, as /readyz shows
	Metrics      http.Handler                // answers GET /metrics, to whoever has MetricsToken
	MetricsToken string                      // empty: nobody has it
	Requests     *observe.HTTP               // counts requests; nil: they are not counted
	Tracer       *observe.Tracer             // nil: nothing is traced
}

// DefaultMaxBody is the greatest body of a request that is no upload, in bytes.
const DefaultMaxBody = 1 << 20

// API is the handler's state. It never changes while it serves.
type API struct {
	service *casework.Service
	config  Config
	log     *slog.Logger
	mux     *http.ServeMux
	huma    huma.API
	cursors cursors
	opened  map[string]bool   // "POST /v1/session": taken from anybody
	names   map[string]string // of operations, by their patterns: "POST /v1/session"
	origins *http.CrossOriginProtection
	origin  string // of the public URL
	states  usedStates

	followers  *followers
	room       *room
	answers    map[string]reflect.Type // of operations
	attemptIDs numbers
	auditIDs   numbers
}

// New makes the handler of the API, its description and its documentation.
// A key of a wrong length is a mistake of the program, and panics.
func New(s *casework.Service, c Config) http.Handler {
	a := newAPI(s, c)
	return a.wrap(a.mux)
}

func newAPI(s *casework.Service, c Config) *API {
	c.Version = cmp.Or(c.Version, "dev")
	c.AtfinityVersion = cmp.Or(c.AtfinityVersion, c.Version)
	c.MaxBody = cmp.Or(c.MaxBody, DefaultMaxBody)
	c.Follow = c.Follow.withDefaults()
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if len(c.Key) == 0 {
		c.Key = make([]byte, 32)
		rand.Read(c.Key) // never fails
	}
	a := &API{service: s, config: c, log: c.Log, mux: http.NewServeMux(), cursors: newCursors(c.Key), opened: map[string]bool{}, names: map[string]string{}, origins: http.NewCrossOriginProtection()}
	a.attemptIDs = newNumbers("att_", c.Key)
	a.auditIDs = newNumbers("aud_", c.Key)
	a.followers = newFollowers(c.Follow)
	a.room, a.answers = newRoom(), map[string]reflect.Type{}
	a.trust(c.PublicURL)
	setUpHuma()
	a.huma = humago.New(a.mux, describe(c.Version))
	a.health()
	a.readiness()
	a.caseTypes()
	a.migrations()
	a.retirements()
	a.cases()
	a.claims()
	a.marks()
	a.labels()
	a.history()
	a.comments()
	a.documents()
	a.proofs()
	a.contacts()
	a.endpoints()
	a.attempts()
	a.deliveries()
	a.secrets()
	a.lag()
	a.replays()
	a.endpointHealth()
	a.filters()
	a.repair()
	a.tests()
	a.triggers()
	a.journal()
	a.session()
	a.openIDConnect()
	a.users()
	a.tokens()
	a.tenants()
	a.audit()
	a.webhooks()
	a.metrics()
	a.name()
	a.publish()
	return a
}

// trust lets the pages at a URL send requests with a session, whatever the
// address is that a proxy passes them on to.
func (a *API) trust(publicURL string) {
	if a.origin = originOf(publicURL); a.origin == "" {
		return
	}
	if err := a.origins.AddTrustedOrigin(a.origin); err != nil {
		a.log.Warn("the public URL is no origin that a browser names", "error", err)
	}
}

// originOf is the origin of the pages at a URL; empty: it has none.
func originOf(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// operation begins the description of an operation. Statuses are the problems
// that are its own; those that any operation may answer with are added.
func operation(id, method, path, tag, summary, description string, statuses ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Tags: []string{tag},
		Summary: summary, Description: description,
		Errors:   append([]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusInternalServerError}, statuses...),
		Security: []map[string][]string{{"bearer": {}}, {"session": {}}},
	}
}

// inTenant reports whether an operation is carried out for somebody of a tenant.
func inTenant(op huma.Operation) bool {
	return slices.ContainsFunc(op.Security, func(scheme map[string][]string) bool { return scheme["bearer"] != nil })
}

// status sets the status of success.
func status(status int, op huma.Operation) huma.Operation {
	op.DefaultStatus = status
	return op
}

// handle registers an operation that takes no body, or reads it itself.
func handle[I, O any](a *API, op huma.Operation, do func(context.Context, *I) (*O, error)) *huma.Operation {
	do = inRoom(a, op, do)
	a.answers[op.OperationID] = reflect.TypeFor[O]()
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		if inTenant(op) { // before anything is read of the request
			if err := a.service.Permit(ctx, principalOf(ctx), access.Operation(op.OperationID)); err != nil {
				return nil, a.problem(ctx, err)
			}
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
	registered := find(a.huma.OpenAPI(), op.Method, op.Path)
	describeNumbers(registered, reflect.TypeFor[I]())
	if unprocessable := http.StatusUnprocessableEntity; !slices.Contains(op.Errors, unprocessable) {
		delete(registered.Responses, strconv.Itoa(unprocessable)) // huma adds it to all that have parameters
	}
	return registered
}

// inRoom bounds the memory that the answers of an operation take: how many are made
// at once, and how much is held of those that clients have not read. What has been
// done already is answered without waiting.
func inRoom[I, O any](a *API, op huma.Operation, do func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	body, large := bodyOf[O]()
	if !large || op.OperationID == pollOperation { // which waits, and makes room by itself
		return do
	}
	reads := op.Method == http.MethodGet
	return func(ctx context.Context, in *I) (*O, error) {
		x := exchangeOf(ctx)
		if reads {
			done, err := a.room.make(ctx, x.principal, weightOf(op.OperationID))
			if err != nil {
				return nil, err
			}
			defer done()
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, err
		}
		size := reflect.ValueOf(out).Elem().Field(body).Interface().(sized).size()
		return out, a.room.enter(ctx, x, size, !reads)
	}
}

// weightOf says how many common answers one takes the room of, while it is made.
func weightOf(operation string) int64 {
	if operation == "preview-filter" {
		return 4 // it reads more, and decodes it
	}
	return 1
}

// handleBody registers an operation that takes a B in JSON. The body is read
// here and not by huma, whose deadline for it would also cut off what comes
// after, and which tells faults in JSON without their place.
func handleBody[B, I, O any](a *API, op huma.Operation, do func(context.Context, *I, B) (*O, error)) *huma.Operation {
	registry := a.huma.OpenAPI().Components.Schemas
	schema := registry.Schema(reflect.TypeFor[B](), true, "")
	required := len(registry.SchemaFromRef(schema.Ref).Required) > 0
	op.Errors = append(op.Errors, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	registered := handle(a, op, func(ctx context.Context, in *I) (*O, error) {
		var body B
		if err := a.decode(exchangeOf(ctx), schema, required, &body); err != nil {
			return nil, err
		}
		return do(ctx, in, body)
	})
	registered.RequestBody = &huma.RequestBody{
		Required: required, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
	return registered
}

// find returns a registered operation, whose description may still be completed.
func find(o *huma.OpenAPI, method, path string) *huma.Operation {
	item := o.Paths[path]
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}[method]
}
