package apply

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
)

const note = `key: note
fields: { type: object, properties: { b: { type: string }, a: { type: string } } }
states: [{ key: open }]
transitions: [{ key: write, to: open }]
`

// files reads files from a map.
func files(all map[string]string) func(string) ([]byte, error) {
	return func(path string) ([]byte, error) {
		content, found := all[path]
		if !found {
			return nil, fs.ErrNotExist
		}
		return []byte(content), nil
	}
}

func TestAPlanHoldsDefinitionsFromFilesAndInline(t *testing.T) {
	inline := "case_types:\n  - note.yaml\n  -   key: memo\n" + strings.ReplaceAll("\n"+note[10:], "\n", "\n      ") +
		"\n\nendpoints: []\n"
	flow := `{case_types: [{key: flow, states: [{key: open}], transitions: [{key: write, to: open}], fields: {type: object, properties: {}}}]}`
	for _, test := range []struct {
		source string
		want   []string
	}{{inline, []string{"note", "memo"}}, {flow, []string{"flow"}}} {
		plan, err := Read("setup/casehook.yaml", []byte(test.source),
			files(map[string]string{"setup/note.yaml": note}), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, test.source)
		}
		var got []string
		for _, ct := range plan.Types {
			got = append(got, ct.CaseType.Key)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Error(diff)
		}
	}
	plan, err := Read("casehook.yaml", []byte(inline), files(map[string]string{"note.yaml": note}), nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"b", "a"}, plan.Types[1].CaseType.FieldNames()); diff != "" {
		t.Errorf("the order of an inline definition's fields: %s", diff)
	}
}

func TestAnEndpointsPolicyIsCompletedByTheDefaults(t *testing.T) {
	plan, err := Read("c.yaml", []byte(`
endpoints:
  - name: crm
    url: https://crm.example.com
    triggers: [case_finished, case_created, case_created]
    filter: case.state != "draft"
    policy: { retries: [], concurrency: 2, rate_limit: 0.5 }
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []endpoint.Endpoint{{
		Name: "crm", URL: "https://crm.example.com/", Triggers: []string{"case_created", "case_finished"}, Filter: `case.state != "draft"`,
		Policy: endpoint.Policy{Retries: []time.Duration{}, Timeout: endpoint.DefaultTimeout, Concurrency: 2, Order: endpoint.PerCase, RateLimit: 0.5},
	}}
	if diff := cmp.Diff(want, plan.Endpoints); diff != "" {
		t.Error(diff)
	}
}

func TestAllFaultsAreListedByLine(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		want   []string
	}{
		"nothing in it":     {"{}", []string{"has neither case_types nor endpoints"}},
		"an unknown key":    {"case_type: []", []string{"c.yaml:1: /case_type: is not a known key"}},
		"no YAML":           {"case_types: [", []string{"c.yaml"}},
		"a missing file":    {"case_types: [none.yaml]", []string{"c.yaml:1: case type 1: can't be read"}},
		"a list":            {"case_types: [[]]", []string{"c.yaml:1: case type 1: a case type is the name of a file"}},
		"faults of two":     {"case_types:\n  - key: A!\n  - key: b\n    colour: red\n", []string{"c.yaml:2: case type A!: /key", "c.yaml:4: case type b: /colour"}},
		"a type twice":      {"case_types:\n- note.yaml\n- note.yaml", []string{"c.yaml:3: case type note: is given twice: on line 2 too"}},
		"an endpoint twice": {"endpoints:\n- {name: a, url: https://a.example, triggers: [case_created]}\n- {name: a, url: https://a.example, triggers: [case_created]}", []string{"c.yaml:3: endpoint a: /name: is given twice: on line 2 too"}},
		"no name, no URL":   {"endpoints: [{triggers: [case_created]}]", []string{"c.yaml:1: endpoint 1: /name: is missing", "c.yaml:1: endpoint 1: /url: "}},
		"a policy's key":    {"endpoints: [{name: a, policy: {retry: []}}]", []string{"c.yaml:1: endpoint a: /policy/retry: is not a known key"}},
		"an unknown key beside others": {"endpoints: [{nmae: a, url: ftp://a.example, triggers: 5, filter: case.stat}]",
			[]string{`/nmae: is not a known key (did you mean "name"?)`, "/name: is missing", "/url: ", "/triggers: is a number, not a list", "/filter: is not CEL"}},
		"a slip in a trigger": {"endpoints: [{name: a, url: https://a.example, triggers: [case_creatd]}]", []string{`/triggers/0: "case_creatd" is not a trigger (did you mean "case_created"?)`}},
		"a slip in a filter":  {"endpoints: [{name: a, url: https://a.example, triggers: [case_created], filter: case.typ}]", []string{`undefined field 'typ' (did you mean "type"?)`}},
		"no ending":           {"case_types:\n- note", []string{`c.yaml:2: case type 1: can't be read: file does not exist (did you mean "note.yaml"?)`}},
		"twice, with faults":  {"case_types:\n- note.yaml\n- { key: note, colour: red }", []string{"c.yaml:3: case type note: is given twice: on line 2 too", "c.yaml:3: case type note: /colour"}},
		"an unfit filter":     {"endpoints: [{name: a, url: https://a.example, triggers: [case_created], filter: case.stat}]", []string{"c.yaml:1: endpoint a: /filter: is not CEL at line 1, column 5"}},
		"a refused pattern":   {"endpoints: [{name: a, url: https://a.example, triggers: [case_created], filter: case.name.matches('*')}]", []string{"c.yaml:1: endpoint a: /filter: has a pattern for matches() at line 1, column 19 that", `missing argument to repetition operator: "*"`}},
		"a limit too low":     {"endpoints: [{name: a, url: https://a.example, triggers: [case_created], policy: {rate_limit: 0.001}}]", []string{"/policy/rate_limit"}},
		"a policy too large":  {"endpoints: [{name: a, url: https://a.example, triggers: [case_created], policy: {timeout: 1h}}]", []string{"/policy/timeout"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read("c.yaml", []byte(test.source), files(map[string]string{"note.yaml": note}), nil)
			if err == nil {
				t.Fatal("it was read")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

func TestAPlanWithoutATokenIsNotApplied(t *testing.T) {
	plan, err := Read("c.yaml", []byte("case_types: [note.yaml]"), files(map[string]string{"note.yaml": note}), nil)
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), plan, &client.Client{Server: "http://127.0.0.1:1"}, Options{})
	if err == nil || !strings.Contains(err.Error(), "CASEHOOK_TOKEN") || !errors.Is(err, fault.Invalid) {
		t.Errorf("error %v", err)
	}
}
