// Package quickcase answers the requests of QuickCase's own client: starts, submissions, checks of pages, and cases, in
// the shapes that it knows. It has no rules of its own; the use cases are those of the API.
package quickcase

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/wire"
)

// DefaultPrefix begins the paths of the routes.
const DefaultPrefix = "/quickcase"

var prefixForm = regexp.MustCompile(`^(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*){1,5}$`)

// taken are the first parts of paths at which a server has other things: the API, its description, and the console.
var taken = []string{
	"v1", "docs", "openapi.json", "healthz", "readyz", "metrics", "_ui", "assets", "live", "views", "sign-in",
	"sign-out", "cases", "documents", "queues", "jobs", "contacts", "types", "labels", "questions", "callbacks", "dry-run",
	"messages", "endpoints", "problems", "replays", "catalogue", "people", "tokens", "audit", "settings", "profile",
	"setup", "portal",
}

// PrefixProblem explains why the routes can't have a prefix; empty: they can.
func PrefixProblem(prefix string) string {
	if !prefixForm.MatchString(prefix) {
		return "is not a path such as /quickcase: up to five parts of letters, digits, _, - and . within, without " +
			"a / at the end"
	}
	if first, _, _ := strings.Cut(prefix[1:], "/"); slices.Contains(taken, first) {
		return "begins with /" + first + ", where there are other things"
	}
	return ""
}

type handler struct {
	kernel   *rest.Kernel
	services casework.Services
	prefix   string
}

// Register adds the routes to a kernel, below a prefix.
func Register(k *rest.Kernel, s casework.Services, prefix string) {
	h := handler{k, s, cmp.Or(prefix, DefaultPrefix)}
	h.serve("GET /case-types/{type}/event-triggers/{event}",
		route{access.StartTransition, http.StatusOK, h.startCreation})
	h.serve("GET /cases/{id}/event-triggers/{event}", route{access.StartTransition, http.StatusOK, h.startEvent})
	h.serve("POST /case-types/{type}/cases", route{access.CreateCase, http.StatusCreated, h.createCase})
	h.serve("POST /cases/{id}/events", route{access.SubmitTransition, http.StatusCreated, h.submitEvent})
	h.serve("POST /case-types/{type}/validate", route{access.CheckPage, http.StatusOK, h.validate})
	h.serve("POST /case-types/{type}/cases/search", route{access.ListCases, http.StatusOK, h.search})
	h.serve("GET /cases/{id}", route{access.GetCase, http.StatusOK, h.getCase})
	h.serve("GET /api/data/case-type/{type}", route{access.GetCaseType, http.StatusOK, h.getDefinition})
	h.serve("PUT /cases/{id}/users/{user}", route{access.SetCaseRoles, http.StatusOK, h.grantUser})
	h.serve("PUT /cases/{id}/groups/{group}", route{access.SetCaseRoles, http.StatusOK, h.grantGroup})
	h.serve("POST /documents", route{access.UploadProof, http.StatusCreated, h.createDocument})
	h.serve("GET /documents/{document}", route{access.DownloadProof, http.StatusOK, h.getDocument})
	k.HandleAs(access.UploadProof, "PUT "+h.prefix+"/documents/{document}/binary", h.upload)
	k.HandleAs(access.DownloadProof, "GET "+h.prefix+"/documents/{document}/binary", h.download)
	k.HandleFunc(h.prefix+"/", func(_ http.ResponseWriter, r *http.Request) {
		h.refuse(rest.ExchangeOf(r.Context()), fault.New(fault.NotFound, "route.not_found",
			"QuickCase's routes have nothing at this path, or not by %s.", r.Method))
	})
}

// route is another form of an operation of the API. Its function returns the body of the answer.
type route struct {
	operation access.Operation
	status    int
	do        func(context.Context, *rest.Exchange) (any, error)
}

func (h handler) serve(pattern string, to route) {
	method, path, _ := strings.Cut(pattern, " ")
	h.kernel.HandleAs(to.operation, method+" "+h.prefix+path, func(_ http.ResponseWriter, r *http.Request) {
		x := rest.ExchangeOf(r.Context())
		x.Header().Set("Cache-Control", "no-store")
		x.Request = r // with the values of its path
		body, err := h.answer(x, to)
		if err != nil {
			h.refuse(x, err)
			return
		}
		x.Header().Set("Content-Type", "application/json")
		x.WriteHeader(to.status)
		x.Write(body) // an error means that the client is gone
	})
}

// authorize finds the caller of a request. It takes tokens alone: a start asks a callback, and a link must not make a
// browser with a session do that.
func (h handler) authorize(x *rest.Exchange, o access.Operation) error {
	if x.Request.Header.Get("Authorization") == "" {
		return fault.New(fault.Unauthenticated, "token.missing", "Send a token: Authorization: Bearer chk_...")
	}
	if err := h.kernel.Authenticate(x); err != nil {
		return err
	}
	return h.kernel.Authorize(x, o)
}

// answer returns the encoded body of an answer, for which memory is reserved until it is sent.
func (h handler) answer(x *rest.Exchange, to route) ([]byte, error) {
	if err := h.authorize(x, to.operation); err != nil {
		return nil, err
	}
	ctx := x.Request.Context()
	if x.Request.Method == http.MethodGet || to.operation == access.ListCases {
		done, err := h.kernel.StartAnswer(ctx, x.Principal, 1)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	body, err := to.do(ctx, x)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := rest.Encode(&b, body); err != nil {
		return nil, err
	}
	return b.Bytes(), h.kernel.Reserve(ctx, b.Len())
}

// contextOf returns the Client-Context of a request.
func contextOf(x *rest.Exchange) string { return x.Request.Header.Get(wire.ClientContextHeader) }

// passOn answers with a Client-Context.
func passOn(x *rest.Exchange, context string) {
	if context != "" {
		x.Header().Set(wire.ClientContextHeader, context)
	}
}

// caseID returns the id in the path: 16 digits with a check digit, also in groups of four, or a counted number.
func caseID(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "-", ""), 10, 64)
	if err != nil || n <= 0 || !id.ValidCase(n) {
		return 0, fault.New(fault.Invalid, "quickcase.case_id", "%q is not the id of a case.", text)
	}
	return n, nil
}

// ignores returns what the query says of warnings; nil: nothing.
func ignores(r *http.Request) *bool {
	said, err := strconv.ParseBool(r.URL.Query().Get("ignore-warning"))
	if err != nil {
		return nil
	}
	return &said
}

// started is the answer to a start.
type started struct {
	Token   string      `json:"token"`
	EventID string      `json:"event_id"`
	Case    caseDetails `json:"case_details"`
}

func (h handler) startCreation(ctx context.Context, x *rest.Exchange) (any, error) {
	return h.start(ctx, x, casework.Start{Type: x.Request.PathValue("type")})
}

func (h handler) startEvent(ctx context.Context, x *rest.Exchange) (any, error) {
	n, err := caseID(x.Request.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return h.start(ctx, x, casework.Start{CaseID: n})
}

func (h handler) start(ctx context.Context, x *rest.Exchange, in casework.Start) (any, error) {
	in.Transition, in.Context = x.Request.PathValue("event"), contextOf(x)
	if said := ignores(x.Request); said != nil {
		in.IgnoreWarning = *said
	}
	s, err := h.services.Submissions.Start(ctx, x.Principal, in)
	if err != nil {
		return nil, err
	}
	token, err := h.kernel.Seal(rest.StartToken, s.Ref)
	passOn(x, s.Context)
	return started{token, s.Transition.Key, detailsOf(s.Case, s.Definition)}, err
}

// content is the body of a submission or a check. Members that it does not have are ignored.
type content struct {
	Data  json.RawMessage `json:"data"`
	Event *struct {
		ID          string `json:"id"`
		Summary     string `json:"summary"`
		Description string `json:"description"`
	} `json:"event"`
	Token         string          `json:"event_token"`
	IgnoreWarning *bool           `json:"ignore_warning"`
	EventData     json.RawMessage `json:"event_data"`
	CaseReference json.Number     `json:"case_reference"` // a number, or a text that holds one
}

func (h handler) createCase(ctx context.Context, x *rest.Exchange) (any, error) {
	return h.submit(ctx, x, casework.Submission{Type: x.Request.PathValue("type")})
}

func (h handler) submitEvent(ctx context.Context, x *rest.Exchange) (any, error) {
	n, err := caseID(x.Request.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return h.submit(ctx, x, casework.Submission{CaseID: n})
}

func (h handler) getCase(ctx context.Context, x *rest.Exchange) (any, error) {
	n, err := caseID(x.Request.PathValue("id"))
	if err != nil {
		return nil, err
	}
	view, err := h.services.Cases.Case(ctx, x.Principal, n)
	if err != nil {
		return nil, err
	}
	return caseOf(view), nil
}
