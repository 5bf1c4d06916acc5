package api_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/internal/access"
)

// description is the OpenAPI document, parsed and compiled. Worlds of one version share it.
type description struct {
	doc      map[string]any
	all      []operation            // ordered by id
	patterns map[string][]operation // by method and number of segments

	mu       sync.Mutex // guards the compiler, which is not safe for concurrent use
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by pointer
}

var (
	descriptions   = map[string]*description{} // by version
	descriptionsMu sync.Mutex
)

// describe loads the OpenAPI document, against which answers are checked.
func (w *world) describe(version string) {
	w.t.Helper()
	descriptionsMu.Lock()
	defer descriptionsMu.Unlock()
	d := descriptions[version]
	if d == nil {
		d = w.readDescription()
		descriptions[version] = d
	}
	w.document = d
}

func (w *world) readDescription() *description {
	w.t.Helper()
	response, err := w.server.Client().Get(w.server.URL + "/openapi.json")
	must(w.t, err)
	defer response.Body.Close()
	doc, err := jsonschema.UnmarshalJSON(response.Body)
	must(w.t, err)
	d := &description{
		doc: doc.(map[string]any), patterns: map[string][]operation{},
		compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{},
	}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	must(w.t, d.compiler.AddResource("https://casehook.test/openapi.json", doc))
	for path, item := range d.doc["paths"].(map[string]any) {
		for method, op := range item.(map[string]any) {
			op := op.(map[string]any)
			d.all = append(d.all,
				operation{op["operationId"].(string), strings.ToUpper(method), path, op, strings.Split(path, "/")})
		}
	}
	slices.SortFunc(d.all, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	for _, o := range d.all {
		key := patternKey(o.method, len(o.segments))
		d.patterns[key] = append(d.patterns[key], o)
	}
	return d
}

func patternKey(method string, segments int) string { return method + " " + strconv.Itoa(segments) }

// schema compiles the schema at a pointer into the document.
func (d *description) schema(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.schemas[pointer]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile("https://casehook.test/openapi.json#" + pointer)
	if err == nil {
		d.schemas[pointer] = s
	}
	return s, err
}

// operation is an operation of the OpenAPI document.
type operation struct {
	id, method, path string
	op               map[string]any
	segments         []string // of its path
}

func (w *world) operations() []operation { return w.document.all }

// operation finds the operation of a request.
func (w *world) operation(method, path string) (operation, bool) {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	for _, d := range w.document.patterns[patternKey(method, len(segments))] {
		if d.matches(segments) {
			return d, true
		}
	}
	return operation{}, false
}

func (d operation) responses() map[string]any { return d.op["responses"].(map[string]any) }

func (d operation) hasResponse(status string) bool {
	_, ok := d.responses()[status]
	return ok
}

// matches reports whether the operation has a path, which has as many segments.
func (d operation) matches(segments []string) bool {
	for i, segment := range segments {
		if isParameter := strings.HasPrefix(d.segments[i], "{"); segment != d.segments[i] &&
			(!isParameter || segment == "") {
			return false
		}
	}
	return true
}

// concrete returns the operation's path with required and other parameters that name nothing.
func (d operation) concrete(others ...string) string {
	const anything = "1000000000000009"
	query := url.Values{}
	for _, name := range others {
		query.Set(name, anything)
	}
	parameters, _ := d.op["parameters"].([]any)
	for _, p := range parameters {
		if p := p.(map[string]any); p["in"] == "query" && p["required"] == true {
			query.Set(p["name"].(string), anything)
		}
	}
	path := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(d.path, anything)
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")

// agrees checks an answer against the OpenAPI document.
func (w *world) agrees(r *http.Request, g answer) {
	w.t.Helper()
	if g.header.Get("X-Request-Id") == "" {
		w.t.Errorf("%s: no request id", g.op)
	}
	if w.observe != nil {
		w.observe(g)
	}
	d, ok := w.operation(r.Method, r.URL.Path)
	if !ok {
		return
	}
	status := http.StatusText(g.status)
	number := string([]byte{byte('0' + g.status/100), byte('0' + g.status/10%10), byte('0' + g.status%10)})
	response, ok := d.responses()[number].(map[string]any)
	if !ok {
		w.t.Errorf("%s: %s %s is not documented: %s", d.id, number, status, g.body)
		return
	}
	w.mu.Lock()
	w.seen[d.id+" "+number] = true
	w.mu.Unlock()
	contentType, _, _ := strings.Cut(g.header.Get("Content-Type"), ";")
	content, _ := response["content"].(map[string]any)
	lines := contentType == "application/jsonl" // which are several values
	if _, ok := content[contentType]; !ok || lines || !strings.Contains(contentType, "json") {
		if !ok && len(g.body) > 0 && len(content) > 0 && !strings.HasPrefix(d.id, "download") {
			w.t.Errorf("%s: %s answers with the undocumented %s", d.id, number, contentType)
		}
		return
	}
	at := "/paths/" + pointerEscape.Replace(d.path) + "/" + strings.ToLower(d.method) +
		"/responses/" + number + "/content/" + pointerEscape.Replace(contentType) + "/schema"
	schema, err := w.document.schema(at)
	must(w.t, err)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(g.body))
	must(w.t, err)
	if err := schema.Validate(value); err != nil {
		w.t.Errorf("%s: the answer is not as documented: %v\n%s", d.id, err, g.body)
	}
}

func TestTheDocumentIsValidOpenAPI31(t *testing.T) {
	t.Parallel()
	w := start(t)
	if version := w.document.doc["openapi"]; version != "3.1.0" {
		t.Errorf("it is OpenAPI %v", version)
	}
	components := w.document.doc["components"].(map[string]any)["schemas"].(map[string]any)
	for name := range components {
		if _, err := w.document.schema("/components/schemas/" + name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
	tags := map[string]bool{}
	for _, tag := range w.document.doc["tags"].([]any) {
		tags[tag.(map[string]any)["name"].(string)] = true
	}
	ids := map[string]bool{}
	for _, d := range w.operations() {
		if ids[d.id] {
			t.Errorf("%s is there twice", d.id)
		}
		ids[d.id] = true
		if d.op["summary"] == "" || d.op["summary"] == nil {
			t.Errorf("%s has no summary", d.id)
		}
		if used := d.op["tags"].([]any); len(used) != 1 || !tags[used[0].(string)] {
			t.Errorf("%s has the tags %v", d.id, used)
		}
		checkParameters(t, d)
		checkResponses(t, d)
	}
	resolves(t, w.document.doc, w.document.doc)
}

// checkParameters checks that all parameters in the path are declared, and that all have descriptions.
func checkParameters(t *testing.T, d operation) {
	t.Helper()
	var inPath, described []string
	for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(d.path, -1) {
		inPath = append(inPath, m[1])
	}
	parameters, _ := d.op["parameters"].([]any)
	for _, p := range parameters {
		p := p.(map[string]any)
		if p["in"] == "path" {
			described = append(described, p["name"].(string))
		}
		if p["description"] == nil {
			t.Errorf("%s: the parameter %s has no description", d.id, p["name"])
		}
	}
	slices.Sort(inPath)
	slices.Sort(described)
	if !slices.Equal(inPath, described) {
		t.Errorf("%s describes %v of %s", d.id, described, d.path)
	}
}

// checkResponses checks that there is one success, and that all other responses are problems.
func checkResponses(t *testing.T, d operation) {
	t.Helper()
	successes := 0
	for status, response := range d.responses() {
		if status < "400" {
			successes++
			continue
		}
		content, _ := response.(map[string]any)["content"].(map[string]any)
		if len(content) != 1 || content["application/problem+json"] == nil {
			t.Errorf("%s: %s is no problem: %v", d.id, status, slices.Collect(maps.Keys(content)))
		}
	}
	if successes == 0 {
		t.Errorf("%s can't succeed", d.id)
	}
	if !d.hasResponse("500") {
		t.Errorf("%s can't fail", d.id)
	}
}

// resolves checks that references resolve, and that fields have descriptions.
func resolves(t *testing.T, doc map[string]any, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			name := strings.TrimPrefix(ref, "#/components/schemas/")
			if doc["components"].(map[string]any)["schemas"].(map[string]any)[name] == nil {
				t.Errorf("%s leads nowhere", ref)
			}
		}
		if properties, ok := v["properties"].(map[string]any); ok && v["type"] == "object" {
			for name, p := range properties {
				if p.(map[string]any)["description"] == nil {
					t.Errorf("the field %s of %v has no description", name, slices.Sorted(maps.Keys(properties)))
				}
			}
		}
		for _, item := range v {
			resolves(t, doc, item)
		}
	case []any:
		for _, item := range v {
			resolves(t, doc, item)
		}
	}
}

func TestEveryOperationNeedsAToken(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, d := range w.operations() {
		if !strings.HasPrefix(d.path, "/v1/") {
			if !d.open() {
				t.Errorf("%s says that it needs a token", d.id)
			}
		}
		if d.open() {
			if g := w.do(d.method, d.concrete(), nil, "Authorization", ""); g.status == 401 || g.status == 403 {
				t.Errorf("%s says that it needs no token: %d", d.id, g.status)
			}
			continue
		}
		schemes := `[{"bearer":[]},{"session":[]}]`
		if strings.HasPrefix(d.path, "/v1/tenants") {
			schemes = `[{"operator":[]}]`
		}
		if security, _ := json.Marshal(d.op["security"]); string(security) != schemes {
			t.Errorf("%s does not say that it needs a token: %s", d.id, security)
		}
		for name, header := range map[string]string{"none": "", "another scheme": "Basic YTpi",
			"unknown": "Bearer chk_tok_x.y", "cut": w.bearer[:20],
			"an old operator's": "Bearer " + access.OperatorBearer(operatorKey, time.Now().Add(-time.Hour))} {
			g := w.do(d.method, d.concrete(), nil, "Authorization", header)
			if g.status != 401 || !strings.HasPrefix(g.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s with the token %s: %d", d.id, name, g.status)
			}
		}
	}
}

// open reports whether the operation needs no credential: its list of schemes is empty.
func (d operation) open() bool {
	security, said := d.op["security"].([]any)
	return said && len(security) == 0
}

// The operations that need no token are listed here, and nowhere else.
func TestOperationsWithoutAToken(t *testing.T) {
	t.Parallel()
	w := start(t)
	var open []string
	for _, d := range w.operations() {
		if d.open() {
			open = append(open, d.id)
		}
	}
	if want := []string{"begin-oidc", "create-session", "finish-oidc", "health", "ready"}; !slices.Equal(open, want) {
		t.Errorf("anybody may ask for %v", open)
	}
}

func TestTheRouterHasNothingThatIsNotDescribed(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, path := range []string{"/v1", "/v1/", "/v1/nothing", "/v1/cases/1000000000000009/nothing"} {
		w.get(path).is(404, "route.not_found")
	}
	for _, d := range w.operations() {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if _, found := w.operation(method, d.concrete()); found {
				continue
			}
			g := w.do(method, d.concrete(), nil).is(405, "route.method_not_allowed")
			if !strings.Contains(g.header.Get("Allow"), d.method) {
				t.Errorf("%s %s allows %q", method, d.path, g.header.Get("Allow"))
			}
		}
	}
}

func TestTheDocumentComesInYAMLToo(t *testing.T) {
	t.Parallel()
	w := start(t)
	g := w.get("/openapi.yaml", "Authorization", "").is(200, "")
	if !bytes.Contains(g.body, []byte("openapi: 3.1.0")) {
		t.Errorf("it begins with %.80s", g.body)
	}
}
