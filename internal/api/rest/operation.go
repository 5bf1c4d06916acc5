package rest

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
)

// Operation describes an operation of the API.
type Operation struct {
	ID          access.Operation
	Pattern     string // method and path, as http.ServeMux takes them: "GET /v1/cases/{id}"
	Tag         string
	Summary     string
	Description string
	Problems    []int // statuses besides those that any operation may answer with
	Success     int   // status; default 200, or 204 without a body
	Callers     Callers

	// Asks is true if a GET asks another system, although it changes nothing: a link on another site, or in a message,
	// must not make a browser with a session send it.
	Asks bool

	Weight         int64 // memory of an answer while it is made, in common answers; default 1
	ReservesMemory bool  // the operation reserves memory for its answers by itself
}

// Callers says which credential an operation needs.
type Callers int

const (
	Members   Callers = iota // people of a tenant with sessions, and its programs with tokens
	Anybody                  // no credential is needed
	Operators                // people who run the installation, with its key
)

// huma returns the operation in the form of the OpenAPI document.
func (op Operation) huma() huma.Operation {
	method, path, _ := strings.Cut(op.Pattern, " ")
	out := huma.Operation{
		OperationID:   string(op.ID),
		Method:        method,
		Path:          path,
		Tags:          []string{op.Tag},
		Summary:       op.Summary,
		Description:   op.Description,
		DefaultStatus: op.Success,
		Errors:        append([]int{http.StatusBadRequest, http.StatusInternalServerError}, op.Problems...),
	}
	if op.Callers != Anybody {
		out.Errors = append(out.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	switch op.Callers {
	case Members:
		out.Security = []map[string][]string{{"bearer": {}}, {"session": {}}}
	case Anybody:
		out.Security = []map[string][]string{}
	case Operators:
		out.Security = []map[string][]string{{"operator": {}}}
	}
	return out
}

// Handle registers an operation that takes no body, or reads it itself. The caller may complete the returned
// description.
func Handle[I, O any](k *Kernel, op Operation, do func(context.Context, *I) (*O, error)) *huma.Operation {
	return handle(k, op, op.huma(), do)
}

func handle[I, O any](
	k *Kernel, op Operation, described huma.Operation, do func(context.Context, *I) (*O, error),
) *huma.Operation {
	do = withMemory(k, op, do)
	k.answers[op.ID] = reflect.TypeFor[O]()
	k.names[op.Pattern] = op.ID
	k.open[op.Pattern], k.asks[op.Pattern] = op.Callers == Anybody, op.Asks
	huma.Register(k.huma, described, func(ctx context.Context, in *I) (*O, error) {
		x := ExchangeOf(ctx)
		x.operation = op.ID
		if op.Callers == Members { // before the request is read
			authorized, err := k.config.Authorize(ctx, x.Principal, op.ID)
			if err != nil {
				return nil, k.Problem(ctx, err)
			}
			x.Principal = authorized
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, k.Problem(ctx, err)
		}
		return out, nil
	})
	registered := find(k.OpenAPI(), described.Method, described.Path)
	describeNumbers(registered, reflect.TypeFor[I]())
	if unprocessable := http.StatusUnprocessableEntity; !slices.Contains(described.Errors, unprocessable) {
		delete(registered.Responses, strconv.Itoa(unprocessable)) // huma adds it to all that have parameters
	}
	return registered
}

// HandleBody registers an operation that takes a B in JSON. It reads the body itself: huma's read deadline would also
// cut off the rest of the operation, and huma's errors do not say where the JSON is wrong.
func HandleBody[B, I, O any](
	k *Kernel, op Operation, do func(context.Context, *I, B) (*O, error),
) *huma.Operation {
	registry := k.OpenAPI().Components.Schemas
	schema := registry.Schema(reflect.TypeFor[B](), true, "")
	required := len(registry.SchemaFromRef(schema.Ref).Required) > 0
	described := op.huma()
	described.Errors = append(described.Errors, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	registered := handle(k, op, described, func(ctx context.Context, in *I) (*O, error) {
		var body B
		if err := k.decode(ExchangeOf(ctx), schema, required, &body); err != nil {
			return nil, err
		}
		return do(ctx, in, body)
	})
	registered.RequestBody = &huma.RequestBody{
		Required: required, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
	return registered
}

// withMemory bounds the memory for the answers of an operation: the number that is made at once, and the bytes that
// clients have not read yet. The answer to a change that was made does not wait.
func withMemory[I, O any](
	k *Kernel, op Operation, do func(context.Context, *I) (*O, error),
) func(context.Context, *I) (*O, error) {
	body, large := bodyOf[O]()
	if !large || op.ReservesMemory {
		return do
	}
	reads := strings.HasPrefix(op.Pattern, http.MethodGet+" ")
	return func(ctx context.Context, in *I) (*O, error) {
		if reads {
			done, err := k.StartAnswer(ctx, PrincipalOf(ctx), max(op.Weight, 1))
			if err != nil {
				return nil, err
			}
			defer done()
		}
		out, err := do(ctx, in)
		if err != nil {
			return nil, err
		}
		size := reflect.ValueOf(out).Elem().Field(body).Interface().(sizedBody).size()
		return out, k.memory.reserve(ctx, ExchangeOf(ctx), size, !reads)
	}
}

// methods lists the methods of operations in the order of the document.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// Operations lists the operations of a document by path, then method.
func Operations(o *huma.OpenAPI) []*huma.Operation {
	var all []*huma.Operation
	for _, path := range slices.Sorted(maps.Keys(o.Paths)) {
		for _, method := range methods {
			if op := find(o, method, path); op != nil {
				all = append(all, op)
			}
		}
	}
	return all
}

// find returns an operation of a document; nil: there is none.
func find(o *huma.OpenAPI, method, path string) *huma.Operation {
	item := o.Paths[path]
	return map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPut: item.Put, http.MethodPost: item.Post,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete,
	}[method]
}
