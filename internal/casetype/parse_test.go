package casetype_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

const good = `key: loan
name: Loan
fields:
  type: object
  required: [amount]
  properties:
    amount: {type: integer, minimum: 1}
    email: {type: string, format: email, x-classification: PRIVATE}
    client: {type: object, properties: {name: {type: string}}}
states:
  - key: draft
  - key: done
    final: true
transitions:
  - key: create
    to: draft
  - key: edit
    from: [draft]
    about_to_submit:
      url: https://example.com/ask
  - key: finish
    from: [draft]
    to: done
edit: edit
documents:
  - key: letter
    template: "{client.name} owes {amount}"
proofs:
  - key: passport
`

// wrong is an edit of a definition, and the fault that it causes.
type wrong struct{ name, old, new, path, message string }

// wrongs are edits that each put one fault into the good definition: old becomes new, and the fault is at the path,
// on the line marked "# <-".
var wrongs = []wrong{
	{"no key", "key: loan\n", "", "/key", "required"},
	{"key with a blank", "key: loan", "key: A loan # <-", "/key", "is not a key"},
	{"key too long", "key: loan", "key: " + strings.Repeat("k", 71) + " # <-", "/key", "is longer than 70 characters"},
	{"name not text", "name: Loan", "name: 7 # <-", "/name", "is a number, not text"},
	{"name of two lines", "name: Loan", `name: "a\nb" # <-`, "/name", "is not a name"},
	{"unknown key", "name: Loan", "nmae: Loan # <-", "/nmae", `did you mean "name"`},
	{"unknown kind", "name: Loan", "kind: thing # <-", "/kind", "not one of case, claim"},
	{"duplicate key", "name: Loan", "name: Loan\nname: Credit # <-", "/name", "given twice"},
	{"unknown classification", "name: Loan", "security_classification: SECRET # <-", "/security_classification", "PUBLIC, PRIVATE, RESTRICTED"},
	{"colour that is none", "name: Loan", "color: '#12' # <-", "/color", "is not a colour"},
	{"process key with spaces", "name: Loan", "process_key: a b # <-", "/process_key", "is not a process key"},
	{"reference without seq", "name: Loan", "reference: LOAN # <-", "/reference", "exactly once"},
	{"reference with two seqs", "name: Loan", "reference: '{seq}-{seq:04}' # <-", "/reference", "exactly once"},
	{"reference with another brace", "name: Loan", "reference: 'L-{seq}{year}' # <-", "/reference", "brace"},
	{"name template of no field", "name: Loan", "name_template: '{amonut}' # <-", "/name_template", `did you mean "amount"`},
	{"name template of itself", "name: Loan", "name_template: '{case.name}' # <-", "/name_template", "{case.name}"},
	{"name template with an open brace", "name: Loan", "name_template: 'a {amount' # <-", "/name_template", "brace"},
	{"no fields", "fields:\n", "filds: # <-\n", "/filds", `did you mean "fields"`},
	{"fields of an array", "  type: object\n  required", "  type: array # <-\n  required", "/fields/type", "is not object"},
	{"required names no field", "required: [amount]", "required: [amuont] # <-", "/fields/required/0", `did you mean "amount"`},
	{"field name with a dot", "    email:", "    e.mail: # <-\n     ", "/fields/properties/e.mail", "not a field name"},
	{"field name that begins with a dash", "    email:", "    -mail: # <-\n     ", "/fields/properties/-mail", "not a field name"},
	{"field named case", "    email:", "    case: # <-\n     ", "/fields/properties/case", "may not be the name"},
	{"field of unknown type", "type: integer, minimum", "type: int, minimum", "/fields/properties/amount/type", "write integer"},
	{"bound that is text", "minimum: 1}", "minimum: one}", "/fields/properties/amount/minimum", "is text, not a number"},
	{"misspelt keyword", "minimum: 1}", "minimun: 1}", "/fields/properties/amount/minimun", `did you mean "minimum"`},
	{"unknown format", "format: email", "format: emial", "/fields/properties/email/format", `did you mean "email"`},
	{"pattern that takes too long", "format: email", "pattern: '^(a?b?c?){1000}$'", "/fields/properties/email/pattern", "more than 2500 steps"},
	{"pattern that does not compile", "format: email", "pattern: '('", "/fields/properties/email/pattern", "not a valid regex"},
	{"classification of a field", "x-classification: PRIVATE", "x-classification: private", "/fields/properties/email/x-classification", "PUBLIC, PRIVATE, RESTRICTED"},
	{"classification inside a field", "{name: {type: string}}", "{name: {x-classification: PUBLIC}}", "/fields/properties/client/properties/name/x-classification", "no effect"},
	{"keyword of the engine", "minimum: 1}", "x-casehook-a: 1}", "/fields/properties/amount/x-casehook-a", "reserved for Casehook"},
	{"reference to a file", "format: email", "$ref: 'file:///etc/passwd'", "/fields/properties/email/$ref", "nothing else is loaded"},
	{"reference over the network", "format: email", "$ref: 'http://127.0.0.1:1/s.json'", "/fields/properties/email/$ref", "nothing else is loaded"},
	{"reference to a relative file", "format: email", "$ref: 'other.json#/a'", "/fields/properties/email/$ref", "nothing else is loaded"},
	{"reference to nothing", "format: email", "$ref: '#/$defs/nope'", "/fields/properties/email/$ref", "leads to no schema"},
	{"reference to itself", "format: email", "$ref: '#/properties/email'", "/fields/properties/email", "refers to itself"},
	{"schema with an address", "format: email", "$id: 'http://example.com/x'", "/fields/properties/email/$id", "not supported"},
	{"another dialect", "  type: object\n  required", "  $schema: http://json-schema.org/draft-07/schema# # <-\n  type: object\n  required", "/fields/$schema", "2020-12"},
	{"no states", "states:\n  - key: draft\n  - key: done\n    final: true\n", "states: [] # <-\n", "/states", "is an empty list"},
	{"state without key", "- key: draft\n  -", "- name: Draft # <-\n  -", "/states/0/key", "required"},
	{"state twice", "- key: done", "- key: draft # <-", "/states/1/key", "is the key of /states/0 too"},
	{"outcome unknown", "final: true", "outcome: maybe # <-", "/states/1/outcome", "approved, declined"},
	{"final that is text", "final: true", "final: yes # <-", "/states/1/final", "is text, not true or false"},
	{"unknown key in a state", "final: true", "finale: true # <-", "/states/1/finale", `did you mean "final"`},
	{"no creation", "key: create\n", "key: create\n    from: [draft]\n", "/transitions", "no case can be created"},
	{"creation without target", "    to: draft\n", "", "/transitions/0", "neither from nor to"},
	{"target that is no state", "to: draft", "to: drafd # <-", "/transitions/0/to", `did you mean "draft"`},
	{"source that is no state", "from: [draft]\n    to: done", "from: [nope] # <-\n    to: done", "/transitions/2/from/0", "not a state"},
	{"source empty", "from: [draft]\n    to: done", "from: [] # <-\n    to: done", "/transitions/2/from", "is an empty list"},
	{"source that is text", "from: [draft]\n    to: done", "from: draft # <-\n    to: done", "/transitions/2/from", "is text, not a list"},
	{"transition twice", "key: finish", "key: edit # <-", "/transitions/2/key", "is the key of /transitions/1 too"},
	{"transition sets no field", "to: done", "to: done\n    fields: [amount, sum] # <-", "/transitions/2/fields/1", "not a field"},
	{"precondition that does not parse", "to: done", "to: done\n    precondition: data.amount > # <-", "/transitions/2/precondition", "is not CEL"},
	{"precondition of an unknown name", "to: done", "to: done\n    precondition: amount > 1 # <-", "/transitions/2/precondition", "undeclared reference"},
	{"precondition that is a number", "to: done", "to: done\n    precondition: 1 + 1 # <-", "/transitions/2/precondition", "not true or false"},
	{"callback to a file", "https://example.com/ask", "file:///etc/passwd # <-", "/transitions/1/about_to_submit/url", "http:// or https://"},
	{"callback with a password", "https://example.com", "https://u:p@example.com # <-", "/transitions/1/about_to_submit/url", "password"},
	{"callback of a queue without a name", "https://example.com/ask", "'pull:' # <-", "/transitions/1/about_to_submit/url", "pull:checks"},
	{"callback with a foreign variable", "https://example.com", "https://${HOME}/x # <-", "/transitions/1/about_to_submit/url", "CASEHOOK_VAR_"},
	{"callback with an open variable", "https://example.com", "'https://h/${CASEHOOK_VAR_A' # <-", "/transitions/1/about_to_submit/url", "CASEHOOK_VAR_"},
	{"callback with a wrong timeout", "/ask", "/ask\n      timeout: fast # <-", "/transitions/1/about_to_submit/timeout", "is not a duration"},
	{"callback with no timeout", "/ask", "/ask\n      timeout: 0s # <-", "/transitions/1/about_to_submit/timeout", "above 0"},
	{"callback with a long timeout", "/ask", "/ask\n      timeout: 2h # <-", "/transitions/1/about_to_submit/timeout", "at most 1m0s"},
	{"callback with a budget below its timeout", "/ask", "/ask\n      budget: 1s # <-", "/transitions/1/about_to_submit/budget", "shorter"},
	{"callback with a negative wait", "/ask", "/ask\n      retries: [-1s] # <-", "/transitions/1/about_to_submit/retries/0", "is not a duration"},
	{"callback with a wait of nothing", "/ask", "/ask\n      retries: [1s, 0s] # <-", "/transitions/1/about_to_submit/retries/1", "above 0"},
	{"callback with many waits", "/ask", "/ask\n      retries: [1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s] # <-", "/transitions/1/about_to_submit/retries", "more than 10"},
	{"callback with a negative guard", "/ask", "/ask\n      guard: {max_dropped: -1} # <-", "/transitions/1/about_to_submit/guard/max_dropped", "below 0"},
	{"callback with unknown failures to try again", "/ask", "/ask\n      retry_on: 4xx # <-",
		"/transitions/1/about_to_submit/retry_on", "passing, any"},
	{"callback with an unknown policy", "/ask", "/ask\n      failure_policy: shrug # <-", "/transitions/1/about_to_submit/failure_policy", "fail, ignore"},
	{"edit of no transition", "edit: edit\n", "edit: edti # <-\n", "/edit", `did you mean "edit"`},
	{"edit that moves", "edit: edit\n", "edit: finish # <-\n", "/edit", "which is no edit"},
	{"edit that creates", "edit: edit\n", "edit: create # <-\n", "/edit", "which is no edit"},
	{"document without template", "    template: \"{client.name} owes {amount}\"\n", "", "/documents/0/template", "required"},
	{"document of no field", "{amount}", "{sum}", "/documents/0/template", "{sum} is not a field"},
	{"document of no part of a field", "{client.name}", "{client.nam}", "/documents/0/template", "{client.nam} is not a field"},
	{"document of a part of text", "{client.name}", "{email.host}", "/documents/0/template", "{email.host} is not a field"},
	{"document of something else of the case", "{amount}", "{case.secret}", "/documents/0/template", "{case.secret} is not one of"},
	{"proof twice", "  - key: passport", "  - key: passport\n  - key: passport # <-", "/proofs/1/key", "is the key of /proofs/0 too"},
	{"proof that is text", "  - key: passport", "  - passport # <-", "/proofs/0", "is text, not an object"},
	{"merge key", "  - key: passport", "  - <<: {a: b} # <-", "/proofs/0/<<", "merge key"},
	{"tag", "name: Loan", "name: !secret Loan # <-", "/name", "tag"},
	{"number that is none", "minimum: 1}", "minimum: .inf}", "/fields/properties/amount/minimum", "JSON can hold"},
	{"number that is huge", "minimum: 1}", "minimum: 1e99999999}", "/fields/properties/amount/minimum", "10 to the power"},
}

// spoilt makes an edit of a definition, and returns the fault that it causes. The fault's line has to be the marked
// one, unless another is given.
func spoilt(t *testing.T, definition string, w wrong, line int) casetype.Fault {
	t.Helper()
	if !strings.Contains(definition, w.old) {
		t.Fatalf("the definition has no %q", w.old)
	}
	source := strings.Replace(definition, w.old, w.new, 1)
	faults := faultsOf(t, source)
	i := slices.IndexFunc(faults,
		func(f casetype.Fault) bool { return f.Path == w.path && strings.Contains(f.Message, w.message) })
	if i < 0 {
		t.Fatalf("no fault at %s says %q:\n%v", w.path, w.message, faults)
	}
	if want := max(line, markedLine(source)); want > 0 && faults[i].Line != want {
		t.Errorf("the fault is on line %d, want %d:\n%v", faults[i].Line, want, faults)
	}
	return faults[i]
}

func TestEachFaultIsFoundAtItsLineAndPath(t *testing.T) {
	if _, err := casetype.Parse("good.yaml", []byte(good)); err != nil {
		t.Fatalf("the good definition has faults:\n%v", err)
	}
	for _, wrong := range wrongs {
		t.Run(wrong.name, func(t *testing.T) {
			f := spoilt(t, good, wrong, 0)
			if f.File != "wrong.yaml" || f.Line == 0 {
				t.Errorf("the fault has no file or line: %v", f)
			}
		})
	}
}

func TestAFaultIsReportedOnceAndAlone(t *testing.T) {
	// These are faults from which others follow.
	follow := []string{"no fields", "state without key", "no states", "creation without target", "no creation",
		"transition twice", "merge key", "field named case", "field name with a dash"}
	for _, wrong := range wrongs {
		if slices.Contains(follow, wrong.name) {
			continue
		}
		if faults := faultsOf(t, strings.Replace(good, wrong.old, wrong.new, 1)); len(faults) != 1 {
			t.Errorf("%s: want one fault, got\n%v", wrong.name, faults)
		}
	}
}

func markedLine(source string) int {
	before, _, found := strings.Cut(source, "# <-")
	if !found {
		return 0
	}
	return 1 + strings.Count(before, "\n")
}

func faultsOf(t testing.TB, source string) casetype.Faults {
	t.Helper()
	_, err := casetype.Parse("wrong.yaml", []byte(source))
	var faults casetype.Faults
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("the error is not a Faults: %v", err)
	}
	if err == nil {
		t.Fatalf("no fault is found in\n%s", source)
	}
	return faults
}

func TestManyFaultsAreAllListedByLine(t *testing.T) {
	const source = `key: Bad Key
kind: claim
colour: red
reference: none
fields:
  type: object
  properties:
    status: {type: string}
    amount: {type: nmuber, format: emial}
states:
  - key: open
  - key: open
    outcome: perhaps
transitions:
  - key: create
    to: nowhere
    fields: [amonut]
    precondition: data.x +
    about_to_submit:
      url: ftp://example.com
      timeout: 5h
  - key: lost
edit: edit
documents:
  - key: d
    template: "{x} {"
`
	var got []string
	for _, f := range faultsOf(t, source) {
		got = append(got, fmt.Sprintf("%d %s", f.Line, f.Path))
	}
	want := []string{
		"1 /key", "3 /colour", "4 /reference", "8 /fields/properties/status",
		"9 /fields/properties/amount/format", "9 /fields/properties/amount/type",
		"12 /states/1/key", "13 /states/1/outcome", "17 /transitions/0/fields/0",
		"18 /transitions/0/precondition", "20 /transitions/0/about_to_submit/url", "21 /transitions/0/about_to_submit/timeout",
		"22 /transitions/1", "23 /edit", "26 /documents/0/template",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsPrintAsFileLinePathMessage(t *testing.T) {
	faults := faultsOf(t, strings.Replace(good, "name: Loan", "nmae: Loan", 1))
	if got, want := faults.Error(), `wrong.yaml:2: /nmae: is not a known key (did you mean "name"?)`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestJSONIsReadWithItsLines(t *testing.T) {
	source := "{\n \"key\": \"a\",\n \"key\": \"b\",\n \"name\": \"\\ud83d\\ude00\",\n \"states\": [{\"key\": " +
		"\"s\"}],\n" +
		" \"transitions\": [{\"key\": \"t\",\n  \"to\": \"z\"}],\n \"fields\": {\"type\": \"object\", " +
		"\"properties\": {}}\n}"
	var got []string
	for _, f := range faultsOf(t, source) {
		got = append(got, fmt.Sprintf("%d %s", f.Line, f.Path))
	}
	if diff := cmp.Diff([]string{"3 /key", "7 /transitions/0/to"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultsAreFilledIn(t *testing.T) {
	ct, err := casetype.Parse("good.yaml", []byte(strings.Replace(good, "name: Loan\n", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	type defaults struct {
		Name, Reference string
		Kind            casetype.Kind
		Classification  casetype.Classification
	}
	got := defaults{ct.Name, ct.Reference, ct.Kind, ct.Definition.Classification}
	if diff := cmp.Diff(defaults{"loan", "LOAN-{seq}", casetype.Case, casetype.Public}, got); diff != "" {
		t.Error(diff)
	}
	edit, _ := ct.Transition("edit")
	want := casetype.CallbackList{{
		URL: "https://example.com/ask", Timeout: casetype.Duration(5 * time.Second),
		Budget:        casetype.Duration(15 * time.Second),
		Retries:       []casetype.Duration{casetype.Duration(time.Second), casetype.Duration(3 * time.Second)},
		FailurePolicy: casetype.Fail,
	}}
	if diff := cmp.Diff(want, edit.AboutToSubmit); diff != "" {
		t.Error(diff)
	}
	state, _ := ct.State("draft")
	document, _ := ct.Document("letter")
	proof, _ := ct.Proof("passport")
	names := []string{edit.Name, state.Name, document.Name, proof.Name}
	if diff := cmp.Diff([]string{"edit", "draft", "letter", "passport"}, names); diff != "" {
		t.Errorf("names do not default to keys: %s", diff)
	}
}

func TestAnEmptyListIsNotAnAbsentOne(t *testing.T) {
	source := strings.Replace(good, "/ask\n", "/ask\n      retries: []\n", 1)
	source = strings.Replace(source, "to: done", "to: done\n    fields: []", 1)
	ct, err := casetype.Parse("", []byte(source))
	if err != nil {
		t.Fatal(err)
	}
	if ct, err = casetype.Load(ct.JSON()); err != nil {
		t.Fatal(err)
	}
	edit, _ := ct.Transition("edit")
	finish, _ := ct.Transition("finish")
	if retries := edit.AboutToSubmit[0].Retries; retries == nil || len(retries) > 0 {
		t.Errorf("retries: [] became %v", retries)
	}
	if finish.Fields == nil || edit.Fields != nil {
		t.Errorf("fields: [] became %#v, absent fields %#v", finish.Fields, edit.Fields)
	}
}

func TestYAMLAndJSONOfOneDefinitionGiveTheSameBytes(t *testing.T) {
	a, err := casetype.Parse("", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	b, err := casetype.Parse("", a.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(a.JSON()), string(b.JSON())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"amount", "email", "client"}, b.FieldNames()); diff != "" {
		t.Errorf("fields lose their order: %s", diff)
	}
}

// recurring is a definition whose fields refer to a schema that refers to itself
// by as many names.
func recurring(recursive, plain int) string {
	var b strings.Builder
	for i := range recursive {
		fmt.Fprintf(&b, `"f%d": {"$ref": "#/$defs/node", "title": "x"}, `, i)
		fmt.Fprintf(&b, `"a%d": {"items": {"$ref": "#/$defs/node"}}, `, i)
	}
	all := b.String()
	for i := range plain {
		fmt.Fprintf(&b, `"p%d": {"type": "string"}, `, i)
	}
	return `{"key": "k", "fields": {"type": "object", "properties": {` + b.String() +
		`"last": true}, "$defs": {"node": {"properties": {` + all + `"z": true}}}},
		"states": [{"key": "s"}], "transitions": [{"key": "t", "to": "s"}]}`
}

func TestManyRecurringFieldsAreCountedCheaply(t *testing.T) {
	took := allocated(func() {
		if _, err := casetype.Parse("", []byte(recurring(150, 150))); err != nil {
			t.Fatal(err)
		}
	})
	if took > 512<<20 {
		t.Errorf("took %d MiB", took>>20)
	}
	t.Logf("%d MiB", took>>20)
}

func TestHostileSourcesAreRefusedCheaply(t *testing.T) {
	bomb := "a0: &a0 [x, x]\n"
	for i := 1; i < 40; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i,
			strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	doubling := "key: k\nstates: [{key: s}]\ntransitions: [{key: t, to: s}]\nfields:\n  type: object\n  properties: " +
		"{f: {$ref: '#/$defs/d0'}}\n  $defs:\n"
	for i := range 40 {
		doubling += fmt.Sprintf("    d%d: {allOf: [{$ref: '#/$defs/d%d'}, {$ref: '#/$defs/d%d'}]}\n", i, i+1, i+1)
	}
	doubling += "    d40: {type: string}\n"
	sources := map[string]string{
		"alias bomb":             bomb,
		"alias of itself":        "key: &k [*k]",
		"deep flow":              strings.Repeat("[", 200_000),
		"deep JSON":              "{\"key\":" + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + "}",
		"deep mapping":           strings.Repeat("{a: ", 50_000),
		"deep blocks":            strings.Repeat("- ", 100_000) + "x",
		"larger than allowed":    strings.Repeat("#", 1<<20+1),
		"many values":            "key: [" + strings.Repeat("1,", 200_000) + "1]",
		"a long name, in YAML":   "? " + strings.Repeat("k", 400<<10) + "\n: [" + strings.Repeat("1,", 15_000) + "]",
		"a long name, in JSON":   `{"` + strings.Repeat("k", 400<<10) + `":[` + strings.Repeat("1,", 15_000) + "1]}",
		"many anchors":           strings.Repeat("- &a x\n", 100_000),
		"references that double": doubling,
		"two documents":          good + "---\n" + good,
		"nothing":                "",
		"a comment":              "# nothing",
		"not UTF-8":              "key: \xff\xfe",
		"a scalar":               "hello",
		"a list":                 "[]",
		"null":                   "null",
	}
	for name, source := range sources {
		took := allocated(func() {
			if faults := faultsOf(t, source); len(faults) == 0 {
				t.Errorf("%s: no fault", name)
			}
		})
		if took > 512<<20 {
			t.Errorf("%s: took %d MiB", name, took>>20)
		}
		t.Logf("%s: %d MiB", name, took>>20)
	}
}

// allocated returns how many bytes f allocates in all. Unlike time, it does not depend on other load.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestTheSchemaDocumentsEveryKey(t *testing.T) {
	if s := string(casetype.Schema()); !strings.Contains(s, `"about_to_submit"`) || !strings.Contains(s, "2020-12") {
		t.Error("the schema of definitions is not whole")
	}
}

// Stored definitions with names that were reserved later still load.
func TestNamesOfClaimsAreReservedInUpperCaseForNewDefinitions(t *testing.T) {
	for name, want := range map[string][2]bool{
		"status": {}, "Status": {false, true}, "statuses": {true, true},
		"assigned_at": {false, true}, "last_activity_by": {false, true}, "LAST_ACTIVITY_BY": {false, true},
	} {
		source := []byte(`{"key": "glass", "name": "Glass", "kind": "claim", "fields": {"type": "object", "properties": {"` + name + `": {"type": "string"}}},
			"states": [{"key": "open"}, {"key": "closed", "final": true}],
			"transitions": [{"key": "create", "to": "open"}, {"key": "close", "from": ["open"], "to": "closed"}]}`)
		_, wrong := casetype.Parse("glass.json", source)
		_, unloadable := casetype.Load(source)
		if got := [2]bool{wrong == nil, unloadable == nil}; got != want {
			t.Errorf("%s: parsed and loaded %v, want %v: %v, %v", name, got, want, wrong, unloadable)
		}
	}
}

func TestAFieldWithANameThatClaimsKeepIsRefusedAtItsLine(t *testing.T) {
	for _, name := range casetype.Reserved() {
		_, err := casetype.Parse("glass.yaml",
			[]byte("key: glass\nkind: claim\nfields:\n  type: object\n  properties:\n    glass: {type: string}\n    "+
				name+": {type: string}\nstates: [{key: open}]\ntransitions: [{key: create, to: open}]\n"))
		var faults casetype.Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Line != 7 ||
			!strings.Contains(faults[0].Message, "Casehook sets "+name+" itself") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOneSecretPerTransitionIsTheDefault(t *testing.T) {
	definition := func(more string) []byte {
		return []byte(`{` +
			more + `"key": "a", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
			"transitions": [{"key": "w", "to": "open"}]}`)
	}
	var shown []string
	for _, more := range []string{"", `"callback_secret": "transition", `, `"callback_secret": "type", `} {
		parsed, err := casetype.Parse("", definition(more))
		if err != nil {
			t.Fatal(err)
		}
		shown = append(shown, string(parsed.JSON()))
	}
	if shown[0] != shown[1] || strings.Contains(shown[0], "callback_secret") ||
		!strings.Contains(shown[2], `"callback_secret":"type"`) {
		t.Errorf("they are %s", shown)
	}
	_, err := casetype.Parse("", definition(`"callback_secret": "case", `))
	if err == nil || !strings.Contains(err.Error(), `/callback_secret: is not one of`) {
		t.Errorf("%v", err)
	}
}
