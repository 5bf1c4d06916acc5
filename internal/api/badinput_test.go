package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestBadInputIsRefusedWithItsPlace runs the story in which every operation succeeds. Before each operation it sends
// wrong variants of the request, derived from the OpenAPI document: a sample of them, or all with -bad.share 1. A
// refused request saves nothing: the rows are as before. The changes of an accepted variant are reverted.
//
// Several stories run at once, each with its share of the operations.
func TestBadInputIsRefusedWithItsPlace(t *testing.T) {
	t.Parallel()
	const shares = 2
	for share := range shares {
		t.Run(fmt.Sprintf("share %d", share), func(t *testing.T) {
			t.Parallel()
			s := newMutator(start(t))
			for i, d := range s.world.operations() {
				s.skipped[d.id] = i%shares != share
			}
			s.mutate = func(o target) {
				for _, m := range o.mutants() {
					s.try(o, m)
				}
			}
			s.world.around = s.step
			s.world.story()
			s.checkComplete()
			t.Logf("%d wrong requests, %d of them were not wrong after all", s.sent, s.accepted)
			if s.sent < 12000 / *badShare {
				t.Errorf("only %d wrong requests were sent", s.sent)
			}
		})
	}
}

// mutator sends wrong variants of a story's requests before each of them.
type mutator struct {
	world          *world
	undo           *undo
	mutate         func(target)
	everyRequest   bool            // before each request, not only before the first of an operation
	skipped        map[string]bool // operations without variants
	mutated        map[string]bool // operations
	sent, accepted int
}

func newMutator(w *world) *mutator {
	w.t.Helper()
	w.unchecked = true
	return &mutator{world: w, undo: newUndo(w), skipped: map[string]bool{}, mutated: map[string]bool{}}
}

// target is a request of the story that is about to be sent.
type target struct {
	mutator *mutator
	operation
	request request
}

func (s *mutator) step(r request) answer {
	s.world.t.Helper()
	d, ok := s.world.operation(r.method, r.path)
	if ok && !s.skipped[d.id] && (s.everyRequest || !s.mutated[d.id]) && !slices.Contains(r.header, "Authorization") {
		s.undo.forget()
		s.mutate(target{s, d, r})
	}
	g := s.world.direct(r)
	if g.status < 300 && !s.skipped[d.id] {
		s.mutated[d.id] = true
	}
	return g
}

func (s *mutator) checkComplete() {
	s.world.t.Helper()
	for _, d := range s.world.operations() {
		if d.open() && strings.HasPrefix(d.path, "/v1/") || slices.Contains(ofSessions, d.id) {
			continue // refused passwords are recorded; the others have no input but an id
		}
		if !s.mutated[d.id] && !s.skipped[d.id] {
			s.world.t.Errorf("%s was not tried", d.id)
		}
	}
}

// mutant is a request with something wrong in it.
type mutant struct {
	what    string
	request request
	place   string // where it is wrong: a JSON Pointer, or query.limit
	wrong   bool   // by the description; otherwise the request may be accepted
}

// try sends a mutant and checks the answer.
func (s *mutator) try(o target, m mutant) {
	s.world.t.Helper()
	s.sent++
	g := s.send(m.request)
	complain := func(format string, args ...any) {
		s.world.t.Helper()
		body, _ := m.request.body.(string)
		s.world.t.Errorf("%s, %s at %q: %s\n%s %.300s %q\n%.300q\n-> %d %.600s", o.id, m.what, m.place,
			fmt.Sprintf(format, args...),
			m.request.method, m.request.path, m.request.header, body, g.status, g.body)
	}
	if g.status >= 400 {
		for _, message := range s.faults(m, g) {
			complain("%s", message)
		}
	} else if m.wrong {
		complain("it is accepted")
	}
	saved := s.undo.changes()
	if g.status < 400 && len(saved) > 0 {
		s.accepted++
	}
	asked := bytes.Contains(g.body, []byte(`"code":"callback.`)) // with the key claimed meanwhile; questions are kept
	for _, w := range saved {
		besides := asked && (w.table == "idempotency" || w.table == "questions")
		if g.status >= 400 && w.table != "audit" && !besides { // the audit records refusals
			complain("something was saved: %s", w)
		}
	}
	s.undo.revert(saved)
}

// send calls the handler directly: no client would send some of these requests.
func (s *mutator) send(r request) answer {
	s.world.t.Helper()
	body, _ := r.body.(string)
	q := httptest.NewRequestWithContext(s.world.t.Context(), r.method, "/", strings.NewReader(body))
	path, query, _ := strings.Cut(r.path, "?")
	q.URL.RawPath, q.URL.RawQuery, q.RequestURI = path, query, r.path
	decoded, ok := unescape(path)
	if !ok {
		return answer{t: s.world.t, status: 400, body: []byte(`{"code": "http", "detail": "net/http refuses it"}`)}
	}
	q.URL.Path = decoded
	q.Header.Set("Authorization", "Bearer "+s.world.bearerFor(r.path))
	if r.body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	if r.method == "POST" { // a refusal leaves no claim of the key behind
		q.Header.Set("Idempotency-Key", fmt.Sprintf("mutant %d", s.sent))
	}
	for i := 0; i+1 < len(r.header); i += 2 {
		if r.header[i] == "Host" {
			q.Host = r.header[i+1]
		} else {
			q.Header.Set(r.header[i], r.header[i+1])
		}
	}
	recorder := httptest.NewRecorder()
	s.world.handler.ServeHTTP(recorder, q)
	g := answer{t: s.world.t, op: r.method + " " + path, status: recorder.Code, header: recorder.Header(),
		body: recorder.Body.Bytes()}
	_, ok = s.world.operation(r.method, path)
	if routed := recorder.Code != 307 && !bytes.Contains(g.body, []byte(`"route.not_found"`)); ok && routed &&
		!strings.HasSuffix(path, "/content") {
		s.world.agrees(q, g)
	}
	return g
}

// pathless are refusals of the request as a whole, or of something outside of its body and query.
var pathless = map[string]bool{
	"http": true, "request.content_type": true, "request.too_large": true, "request.incomplete": true, "request.range": true,
	"idempotency.key_invalid": true, "idempotency.key_reused": true,
}

// faults lists the faults of a refusal. A callback's answer names no place.
func (s *mutator) faults(m mutant, g answer) (wrong []string) {
	var p struct {
		Code, Detail string
		Fields       []struct{ Path, Message string }
	}
	if err := json.Unmarshal(g.body, &p); err != nil || p.Code == "" || p.Detail == "" || !utf8.Valid(g.body) {
		return []string{"it is no problem"}
	}
	if g.status >= 500 {
		wrong = append(wrong, "it is the server's fault")
	}
	if pathless[p.Code] || strings.HasPrefix(p.Code, "callback.") || g.status != 400 && g.status != 422 {
		return wrong
	}
	if len(p.Fields) == 0 {
		wrong = append(wrong, "it says no place")
	}
	named := m.place == "" || slices.ContainsFunc(p.Fields, func(f struct{ Path, Message string }) bool {
		return strings.HasPrefix(f.Path, m.place) || strings.HasPrefix(m.place, f.Path)
	})
	if m.wrong && !named {
		wrong = append(wrong, "it names another place")
	}
	return wrong
}

// drawn reports whether this run sends a wrong value at a place. The hash of operation, place and value
// decides, so that the sample of one operation does not depend on the others.
func (o target) drawn(place, value string) bool {
	h := fnv.New32a()
	io.WriteString(h, o.id+"\x00"+place+"\x00"+value) // never fails
	return h.Sum32()%uint32(*badShare) == 0
}

// mutants lists the drawn mutants of a request.
func (o target) mutants() (all []mutant) {
	all = append(all, o.badParameters()...)
	if o.op["requestBody"] != nil {
		all = append(all, o.badBodies()...)
		all = append(all, o.badFields()...)
	}
	return all
}

// text returns the body of the request, which must be an object.
func (o target) text() (map[string]any, bool) {
	text, _ := o.request.body.(string)
	if text == "" {
		return map[string]any{}, true
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var object map[string]any
	err := d.Decode(&object)
	return object, err == nil
}

// with returns the request with another body.
func (o target) with(body string) request {
	r := o.request
	r.body = body
	return r
}

// resolve follows a reference.
func (w *world) resolve(schema map[string]any) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		return w.document.doc["components"].(map[string]any)["schemas"].(map[string]any)[name].(map[string]any)
	}
	return schema
}

// bodySchema returns the schema of the operation's JSON body.
func (o target) bodySchema() (map[string]any, *jsonschema.Schema) {
	content, _ := o.op["requestBody"].(map[string]any)["content"].(map[string]any)
	media, ok := content["application/json"].(map[string]any)
	if !ok || media["schema"] == nil {
		return nil, nil
	}
	at := "/paths/" + pointerEscape.Replace(o.path) + "/" + strings.ToLower(o.method) +
		"/requestBody/content/" + pointerEscape.Replace("application/json") + "/schema"
	compiled, err := o.mutator.world.document.schema(at)
	must(o.mutator.world.t, err)
	return o.mutator.world.resolve(media["schema"].(map[string]any)), compiled
}

// field is a place in a body, with its description.
type field struct {
	path   []string
	schema map[string]any
}

// fields lists the fields of a schema, and the further ones of the object.
func (w *world) fields(schema map[string]any, value any, path []string) (all []field) {
	if len(path) > 5 {
		return nil
	}
	schema = w.resolve(schema)
	properties, _ := schema["properties"].(map[string]any)
	object, _ := value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		here := append(slices.Clone(path), name)
		all = append(all, field{here, w.resolve(properties[name].(map[string]any))})
		all = append(all, w.fields(properties[name].(map[string]any), object[name], here)...)
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if properties[name] == nil {
			here := append(slices.Clone(path), name)
			all = append(all, field{here, map[string]any{}})
			all = append(all, w.fields(nil, object[name], here)...)
		}
	}
	items, _ := schema["items"].(map[string]any)
	if list, _ := value.([]any); len(list) > 0 || items != nil {
		here := append(slices.Clone(path), "0")
		all = append(all, field{here, w.resolve(items)})
		if len(list) > 0 {
			all = append(all, w.fields(items, list[0], here)...)
		}
	}
	return all
}

// required lists the required places of a body.
func (w *world) required(schema map[string]any, value any, path []string) map[string]bool {
	all := map[string]bool{}
	schema = w.resolve(schema)
	names, _ := schema["required"].([]any)
	for _, name := range names {
		all[pointerTo(append(slices.Clone(path), name.(string)))] = true
	}
	properties, _ := schema["properties"].(map[string]any)
	object, _ := value.(map[string]any)
	for name, property := range properties {
		maps.Copy(all, w.required(property.(map[string]any), object[name], append(slices.Clone(path), name)))
	}
	return all
}

func pointerTo(path []string) string {
	var b strings.Builder
	for _, name := range path {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}

const placeholder = "@@here@@"

// put returns the object as JSON with raw at a path; raw "" leaves it out.
func put(object map[string]any, path []string, raw string) string {
	var set func(v any, path []string) any
	set = func(v any, path []string) any {
		if len(path) == 0 {
			return placeholder
		}
		if list, isList := v.([]any); isList || path[0] == "0" {
			list = slices.Clone(list)
			if len(list) == 0 {
				list = []any{nil}
			}
			list[0] = set(list[0], path[1:])
			return list
		}
		members, _ := v.(map[string]any)
		members = maps.Clone(members)
		if members == nil {
			members = map[string]any{}
		}
		if raw == "" && len(path) == 1 {
			delete(members, path[0])
			return members
		}
		members[path[0]] = set(members[path[0]], path[1:])
		return members
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(set(object, path))
	return strings.Replace(b.String(), `"`+placeholder+`"`, raw, 1)
}

// badFields puts each value that is wrong somewhere at each place of the body.
func (o target) badFields() (all []mutant) {
	object, isObject := o.text()
	schema, compiled := o.bodySchema()
	if !isObject {
		return nil
	}
	required := o.mutator.world.required(schema, object, nil)
	add := func(path []string, raw, what string) {
		m := mutant{what: what, place: pointerTo(path)}
		if !o.drawn(m.place, raw) {
			return
		}
		body := put(object, path, raw)
		m.request = o.with(body)
		if compiled != nil {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
			absent := raw == "null" && !required[m.place] // null is as absent
			m.wrong = err == nil && compiled.Validate(value) != nil && !absent
		}
		all = append(all, m)
	}
	for _, f := range o.mutator.world.fields(schema, object, nil) {
		for _, raw := range badValues {
			add(f.path, raw, fmt.Sprintf("%.40s", raw))
		}
		parent, name := f.path[:len(f.path)-1], f.path[len(f.path)-1]
		if name == "0" {
			continue
		}
		add(f.path, "", "missing")
		add(append(slices.Clone(parent), "nonsense"), "1", "an unknown neighbour")
		if place := pointerTo(f.path); o.drawn(place, "twice") {
			double := fmt.Sprintf(`{%[1]q: "a", %[1]q: "b"}`, name)
			if len(parent) > 0 {
				double = put(object, parent, double)
			}
			all = append(all, mutant{what: "twice", request: o.with(double), place: place, wrong: compiled != nil})
		}
	}
	return all
}

// badBodies are wrong as a whole.
func (o target) badBodies() (all []mutant) {
	for _, body := range []string{
		"", " ", "null", "true", "1", `"x"`, "[]", "[{}]", "{", "}", "{}{}", "{}x", "{]",
		`{"a"}`, `{"a":}`, `{a: 1}`, "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", "{\"\xff\": 1}",
		`{"": 1}`, `{"\u0000": 1}`, `{"\ud800": 1}`, `{"__proto__": {}}`, `{"a/b~c": 1}`,
		"{} // comment", "---\na: 1\n", "a: &a [*a]", "<a/>", "a=b",
		strings.Repeat("[", 30_000), strings.Repeat(`{"a":`, 10_000),
		strings.Repeat(" ", 70<<10), `{"a": "` + strings.Repeat("a", 70<<10) + `"}`,
	} {
		if o.drawn("body", body) {
			all = append(all, mutant{what: "a body", request: o.with(body)})
		}
	}
	for _, contentType := range oddTexts {
		if !o.drawn("content type", contentType) {
			continue
		}
		r := o.request
		r.header = append(slices.Clone(r.header), "Content-Type", contentType)
		all = append(all, mutant{what: "a content type", request: r})
	}
	return all
}

// badParameters puts odd texts in the place of each parameter and header.
func (o target) badParameters() (all []mutant) {
	parameters, _ := o.op["parameters"].([]any)
	for _, p := range parameters {
		p := p.(map[string]any)
		name, in := p["name"].(string), p["in"].(string)
		for _, odd := range oddTexts {
			if !o.drawn(in+" "+name, odd) {
				continue
			}
			m := mutant{what: fmt.Sprintf("%.40q", odd), request: o.request}
			switch in {
			case "path":
				m.request.path = o.inPath(name, odd)
			case "query":
				m.place = "query." + name
				m.request.path, m.wrong = withQuery(o.request.path, name, odd), o.breaks(p, odd)
			case "header":
				m.request.header = append(slices.Clone(o.request.header), name, odd)
			}
			all = append(all, m)
		}
		if in == "query" {
			twice := withQuery(o.request.path, name, "1") + "&" + name + "=2"
			all = append(all,
				mutant{what: "twice", request: request{o.method, twice, o.request.body, o.request.header}})
		}
	}
	unknown := o.request
	unknown.path = withQuery(unknown.path, "nonsense", "1")
	all = append(all, mutant{what: "unknown", request: unknown, place: "query.nonsense", wrong: true})
	for _, header := range []string{
		"Accept", "Range", "If-Match", "If-None-Match", "Host", "Accept-Encoding", "Prefer", "X-Forwarded-For",
	} {
		for _, odd := range oddHeaders {
			if !o.drawn("header "+header, odd) {
				continue
			}
			r := o.request
			r.header = append(slices.Clone(r.header), header, odd)
			all = append(all, mutant{what: fmt.Sprintf("%s %.40q", header, odd), request: r})
		}
	}
	return all
}

// inPath returns the path with an odd text in the place of a parameter.
func (o target) inPath(name, odd string) string {
	path, query, _ := strings.Cut(o.request.path, "?")
	segments := strings.Split(path, "/")
	for i, segment := range strings.Split(o.path, "/") {
		if segment == "{"+name+"}" {
			segments[i] = escape(odd)
		}
	}
	if query != "" {
		query = "?" + query
	}
	return strings.Join(segments, "/") + query
}

// breaks reports whether a parameter's description excludes a text.
func (o target) breaks(p map[string]any, text string) bool {
	schema := o.mutator.world.resolve(p["schema"].(map[string]any))
	switch most, _ := schema["maxLength"].(json.Number); {
	case schema["type"] == "string" && most != "":
		n, _ := most.Int64()
		return int64(utf8.RuneCountInString(text)) > n && utf8.ValidString(text)
	case schema["type"] == "integer":
		return text != "" && strings.Trim(text, "0123456789+- ") != ""
	}
	return false
}
