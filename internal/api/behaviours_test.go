package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// TestTheBehavioursOfTheCallbackFamily tries each numbered behaviour over QuickCase's routes, in both dialects.
func TestTheBehavioursOfTheCallbackFamily(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *api.Config) { c.MaxBody = 4 << 20 })
	neighbours := &neighbours{}
	server := httptest.NewServer(wiretest.Callback(t, neighbours))
	t.Cleanup(server.Close)
	tried := map[string]bool{}
	for _, dialect := range []string{"quickcase", "ccd"} {
		f := family{world: w, neighbours: neighbours, key: "Permit-" + dialect, ccd: dialect == "ccd"}
		f.put(server.URL)
		for _, b := range slices.Concat(generally, starting, checking, submitting, confirming, identifying) {
			if b.only == "" || b.only == dialect {
				tried[b.number] = true
				t.Run(dialect+"/"+b.number, func(t *testing.T) {
					neighbours.reset()
					f := f
					f.t = t
					b.try(f)
				})
			}
		}
	}
	for letter, last := range map[string]int{"G": 15, "S": 8, "M": 6, "A": 13, "U": 6, "T": 3, "F": 3} {
		for n := range last {
			if number := fmt.Sprint(letter, n+1); !tried[number] {
				t.Errorf("%s is not tried", number)
			}
		}
	}
}

// behaviour is one row of the contract.
type behaviour struct {
	number string
	only   string // the dialect that has it; empty: both
	try    func(family)
}

// family is a permit in one dialect, with every callback.
type family struct {
	world      *world
	t          *testing.T
	neighbours *neighbours
	key        string
	ccd        bool
}

func (f family) put(url string) {
	gone := httptest.NewServer(nil)
	gone.Close()
	definition := strings.NewReplacer("KEY", f.key, "DIALECT", map[bool]string{true: "ccd", false: "quickcase"}[f.ccd],
		"GONE", gone.URL, "QUICK", `, "retries": ["1ms", "1ms"]}`, "ASK", `{"url": "`+url).Replace(`{
		"key": "KEY", "dialect": "DIALECT", "jurisdiction": "TOWN", "edit": "amend",
		"fields": {"type": "object", "properties": {
			"resident": {"type": "string"}, "reason": {"type": "string"}, "count": {"type": "integer"},
			"fee": {"x-casehook-type": "number_text"},
			"notes": {"x-casehook-type": "collection", "items": {"type": "string"}}, "vehicle": {"type": "object",
			"properties": {"plate": {"type": "string"}, "electric": {"x-casehook-type": "yes_no"}}}}},
		"states": [{"key": "Draft"}, {"key": "Issued"}, {"key": "Waiting"}],
		"transitions": [
			{"key": "create", "to": "Draft", "defaults": {"reason": "resident", "vehicle.electric": "No"},
				"about_to_start": ASK/start"QUICK, "about_to_submit": ASK/create"QUICK, "submitted": ASK/created"QUICK,
				"pages": [{"key": "1", "mid_event": ASK/page"QUICK}, {"key": "2"}]},
			{"key": "bare", "to": "Draft"},
			{"key": "amend", "from": ["Draft"], "nullify": ["reason", "notes", "vehicle"],
				"about_to_start": ASK/start"QUICK, "pages": [{"key": "1", "mid_event": ASK/page"QUICK}]},
			{"key": "note", "from": ["Draft"], "fields": ["notes"]},
			{"key": "decide", "from": ["Draft"], "to": "Issued", "about_to_submit": ASK/submit"QUICK,
				"submitted": ASK/done"QUICK},
			{"key": "patient", "from": ["Draft"], "to": "Issued", "about_to_submit": ASK/submit"}},
			{"key": "stubborn", "from": ["Draft"], "to": "Issued",
				"about_to_submit": ASK/submit", "retry_on": "any"QUICK},
			{"key": "slow", "from": ["Draft"], "to": "Issued",
				"about_to_submit": ASK/silent", "retries": [], "timeout": "100ms"}},
			{"key": "nobody", "from": ["Draft"], "to": "Issued", "about_to_submit": {"url": "GONE", "retries": []}},
			{"key": "plain", "from": ["Draft"], "to": "Issued", "about_to_start": {"url": " "}, "submitted": {}}]}`)
	f.world.do("PUT", "/v1/case-types/"+f.key, definition).is(201, "")
}

// neighbours answers the questions.
type neighbours struct {
	mu      sync.Mutex
	replies map[string][]reply // by path, one after the other; the last one stays
	asked   map[string][]asked
}

// reply is an answer to a question.
type reply struct {
	status int
	body   string
	header []string // a name and a value
}

// asked is a question that was asked.
type asked struct {
	header http.Header
	raw    []byte
}

func (n *neighbours) reset() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.replies, n.asked = map[string][]reply{}, map[string][]asked{}
}

func (n *neighbours) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "silent" {
		<-r.Context().Done()
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked[name] = append(n.asked[name], asked{r.Header, raw})
	all := n.replies[name]
	if len(all) == 0 {
		return
	}
	if len(all) > 1 {
		n.replies[name] = all[1:]
	}
	for i := 0; i+1 < len(all[0].header); i += 2 {
		w.Header().Set(all[0].header[i], all[0].header[i+1])
	}
	w.WriteHeader(all[0].status)
	io.WriteString(w, all[0].body)
}

// answer sets what a callback answers from now on, one answer after the other.
func (f family) answer(path string, all ...reply) {
	f.neighbours.mu.Lock()
	defer f.neighbours.mu.Unlock()
	f.neighbours.replies[path] = all
}

// says is an answer with a body.
func says(body string) reply { return reply{status: 200, body: body} }

// times counts the questions to a callback.
func (f family) times(path string) int {
	f.neighbours.mu.Lock()
	defer f.neighbours.mu.Unlock()
	return len(f.neighbours.asked[path])
}

// last is the last question to a callback.
func (f family) last(path string) asked {
	f.t.Helper()
	f.neighbours.mu.Lock()
	defer f.neighbours.mu.Unlock()
	all := f.neighbours.asked[path]
	if len(all) == 0 {
		f.t.Fatalf("%s was not asked", path)
	}
	return all[len(all)-1]
}

// question compares parts of the last question to a callback, by their names separated by dots. A part that is "-" is
// absent; objects and lists are JSON.
func (f family) question(path string, want map[string]any) {
	f.t.Helper()
	f.parts(path, f.last(path).raw, want)
}

func (f family) parts(what string, raw []byte, want map[string]any) {
	f.t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		f.t.Fatalf("%s: %v: %s", what, err, raw)
	}
	got := map[string]any{}
	for name := range want {
		got[name] = part(whole, name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func part(at any, name string) any {
	for key := range strings.SplitSeq(name, ".") {
		members, _ := at.(map[string]any)
		value, has := members[key]
		if !has {
			return "-"
		}
		at = value
	}
	switch at.(type) {
	case map[string]any, []any:
		text, _ := json.Marshal(at)
		return string(text)
	}
	return at
}

// begin starts a creation, or an event of the case at a path.
func (f family) begin(path, event string, header ...string) answer {
	f.t.Helper()
	if path == "" {
		path = "/case-types/" + f.key
	}
	return f.retold(f.world.get("/quickcase"+path+"/event-triggers/"+event, header...))
}

// retold is an answer whose failures are those of this behaviour.
func (f family) retold(g answer) answer {
	g.t = f.t
	return g
}

// submit starts an event, and submits it with the members of a body.
func (f family) submit(path, event, members string, header ...string) answer {
	f.t.Helper()
	token := f.begin(path, event).is(200, "").text("token")
	return f.send(path, event, token, members, header...)
}

// send submits an event with a token.
func (f family) send(path, event, token, members string, header ...string) answer {
	f.t.Helper()
	to, query := path+"/events", ""
	if path == "" {
		to = "/case-types/" + f.key + "/cases"
	}
	if strings.HasPrefix(members, "?") {
		query, members, _ = strings.Cut(members, " ")
	}
	if members != "" {
		members = ", " + members
	}
	return f.retold(f.world.post("/quickcase"+to+query,
		`{"event": {"id": "`+event+`"}, "event_token": "`+token+`"`+members+`}`, header...))
}

// created creates a case without a callback, and returns its path.
func (f family) created() string {
	f.t.Helper()
	made := f.submit("", "bare", `"data": {"resident": "Ada", "notes": [{"id": "1", "value": "x"}]}`).is(201, "")
	return "/cases/" + made.text("id")
}

// refused checks the shape of an error, and its lists of messages as JSON.
func (f family) refused(g answer, status int, errors, warnings string) {
	f.t.Helper()
	g.is(status, "")
	f.parts(g.op, g.body, map[string]any{"callbackErrors": errors, "callbackWarnings": warnings})
	if g.text("message") == "" {
		f.t.Errorf("no message: %s", g.body)
	}
}

// unchanged checks that nothing was saved of a case since its creation.
func (f family) unchanged(path string) {
	f.t.Helper()
	f.retold(f.world.get("/v1"+path)).is(200, "").has(members{"version": "1", "state": "Draft"})
}

// count counts the cases of the type.
func (f family) count() int {
	f.t.Helper()
	return len(f.retold(f.world.get("/v1/cases?limit=200&type="+f.key)).is(200, "").items())
}

var generally = []behaviour{
	{"G1", "", func(f family) {
		f.submit(f.created(), "plain", "").is(201, "")
		if len(f.neighbours.asked) != 0 {
			f.t.Errorf("asked %v", f.neighbours.asked)
		}
	}},
	{"G2", "", func(f family) {
		f.begin("", "create").is(200, "")
		f.keys("start", false, false)
		path := f.created()
		f.begin(path, "amend").is(200, "")
		f.keys("start", true, false)
		f.submit(path, "decide", "").is(201, "")
		f.keys("submit", true, true)
		f.keys("done", true, true)
	}},
	{"G3", "", func(f family) {
		f.answer("submit", reply{status: 500}, reply{status: 500}, reply{status: 200})
		f.submit(f.created(), "decide", "").is(201, "")
		f.wasAsked("submit", 3)
	}},
	{"G4", "ccd", func(f family) {
		f.answer("submit", reply{status: 500})
		path, began := f.created(), time.Now()
		f.refused(f.submit(path, "patient", ""), 502, "[]", "[]")
		if took := time.Since(began); took < 4*time.Second {
			f.t.Errorf("it took %v", took)
		}
		f.wasAsked("submit", 3)
		f.unchanged(path)
	}},
	{"G5", "", func(f family) {
		path := f.created()
		f.answer("submit", reply{status: 401}, reply{status: 404}, says("<html>"))
		f.submit(path, "stubborn", "").is(502, "")
		f.wasAsked("submit", 3)
		f.answer("submit", says("<html>"), reply{status: 404}, says("{}"))
		f.submit(path, "stubborn", "").is(201, "")
	}},
	{"G6", "", func(f family) {
		path := f.created()
		f.submit(path, "slow", "").is(504, "")
		f.unchanged(path)
	}},
	{"G7", "", func(f family) {
		path, began := f.created(), time.Now()
		f.submit(path, "nobody", "").is(502, "")
		if took := time.Since(began); took > 4*time.Second {
			f.t.Errorf("it took %v", took)
		}
		f.unchanged(path)
	}},
	{"G8", "", func(f family) { f.accepted(says(`{"case_data": {}}`)) }},
	{"G9", "", func(f family) { f.accepted(says(""), reply{status: 204}) }},
	{"G10", "", func(f family) {
		path := f.created()
		f.answer("submit", says(`{"errors": ["No.", "Never."]}`))
		f.refused(f.submit(path, "decide", ""), 422, `["No.","Never."]`, "[]")
		f.unchanged(path)
	}},
	{"G11", "", func(f family) {
		path := f.created()
		f.answer("submit", says(`{"warnings": ["Late."]}`))
		f.refused(f.submit(path, "decide", ""), 422, "[]", `["Late."]`)
		f.submit(path, "decide", `"ignore_warning": true`).is(201, "")
	}},
	{"G12", "", func(f family) {
		f.answer("submit", says(`{"errors": ["No."], "warnings": ["Late."]}`))
		f.refused(f.submit(f.created(), "decide", `"ignore_warning": true`), 422, `["No."]`, `["Late."]`)
	}},
	{"G13", "", func(f family) { f.accepted(says(`{"errors": null, "warnings": []}`)) }},
	{"G14", "", func(f family) {
		context := func(text string) []string {
			return []string{"Client-Context", base64.StdEncoding.EncodeToString([]byte(text))}
		}
		f.answer("submit", reply{200, "", context(`{"b": 2, "c": 3}`)})
		check := func(want map[string]any, sent ...string) {
			f.t.Helper()
			g := f.submit(f.created(), "decide", "", sent...).is(201, "")
			for what, header := range map[string]http.Header{"done": f.last("done").header, "the client": g.header} {
				text, _ := base64.StdEncoding.DecodeString(header.Get("Client-Context"))
				f.parts(what, text, want)
			}
		}
		check(map[string]any{"a": 1.0, "b": 2.0, "c": 3.0}, context(`{"a": 1, "c": 4}`)...)
		check(map[string]any{"a": "-", "b": 2.0, "c": 3.0})
	}},
	{"G15", "", func(f family) {
		f.answer("submit", reply{200, `{"errors": ["No."]}`, []string{"Content-Type", "text/plain"}})
		f.refused(f.submit(f.created(), "decide", ""), 422, `["No."]`, "[]")
	}},
}

// wasAsked checks how often a callback was asked.
func (f family) wasAsked(path string, want int) {
	f.t.Helper()
	if got := f.times(path); got != want {
		f.t.Errorf("%s was asked %d times, want %d", path, got, want)
	}
}

// accepted checks that answers let a submission through as it is.
func (f family) accepted(all ...reply) {
	f.t.Helper()
	for _, r := range all {
		f.answer("submit", r)
		g := f.submit(f.created(), "decide", `"data": {"reason": "carer"}`).is(201, "")
		f.parts("the case", g.body, map[string]any{"state": "Issued", "data.resident": "Ada", "data.reason": "carer"})
	}
}

// keys compares the names in the last question to a callback. In QuickCase's dialect their order counts, too.
func (f family) keys(path string, saved, twice bool) {
	f.t.Helper()
	outer := []string{"case_details"}
	inner := []string{"case_type_id", "security_classification", "case_data", "data_classification"}
	if saved {
		inner = []string{"id", "case_type_id", "created_date", "last_modified", "state", "security_classification",
			"case_data", "data_classification"}
	}
	if twice {
		outer = []string{"case_details_before", "case_details"}
	}
	order := func(names []string) []string { return names }
	if f.ccd {
		outer = []string{"case_details", "case_details_before", "event_id", "ignore_warning"}
		inner = append(inner, "jurisdiction")
		if saved {
			inner = append(inner, "version", "last_state_modified_date")
		}
		order = func(names []string) []string { return slices.Sorted(slices.Values(names)) }
	}
	var whole map[string]json.RawMessage
	raw := f.last(path).raw
	if err := json.Unmarshal(raw, &whole); err != nil {
		f.t.Fatal(err)
	}
	want := [][]string{order(outer), order(inner)}
	got := [][]string{order(keysOf(f.t, raw)), order(keysOf(f.t, whole["case_details"]))}
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Errorf("%s (-want +got):\n%s", path, diff)
	}
	if kind := f.last(path).header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		f.t.Errorf("the Content-Type is %q", kind)
	}
}

// keysOf lists the names in an object as they are written.
func keysOf(t *testing.T, raw []byte) (all []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	depth := 0
	for expects := false; ; {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		must(t, err)
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			expects = depth == 1
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
			expects = depth == 1
			continue
		}
		if depth == 1 && expects {
			all = append(all, token.(string))
		}
		expects = depth == 1 && !expects
	}
}
