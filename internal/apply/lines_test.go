package apply

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachFaultIsNamedAtItsOwnLine(t *testing.T) {
	const source = `case_types:
  - key: memo
    fields: { type: object, properties: { text: { type: string, minimum: 1, minimum: 2 } } }
    states:
      - key: open
      # a comment
      - key: &closed closed

        colour: red
    transitions: [{ key: write, to: opne }]
  - { key: note, kind: cases,
      states: [{ key: open }], fields: {}, transitions: [{ key: w, to: *closed }] }
endpoints:
  - name: crm
    url: https://crm.example.com
    triggers: [case_made]
    policy:
      timeout: 1h
    filter: case.stat
  - name: erp
    url: 7
    retries: []
    policy: { timeout: 5 }
    headers:
      X-A: [x]
`
	_, err := Read("c.yaml", []byte(source), nil, nil)
	if err == nil {
		t.Fatal("it was read")
	}
	var got []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		at, _, _ := strings.Cut(line, " is ")
		got = append(got, at)
	}
	want := []string{
		"c.yaml:3: case type memo: /fields/properties/text/minimum:",
		"c.yaml:9: case type memo: /states/1/colour:", `c.yaml:10: case type memo: /transitions/0/to: "opne"`,
		"c.yaml:11: case type note: /kind:", "c.yaml:12: case type note: /fields/properties:", "c.yaml:12: case type note: /fields/type:",
		`c.yaml:12: case type note: /transitions/0/to: "closed"`,
		`c.yaml:16: endpoint crm: /triggers/0: "case_made"`, "c.yaml:18: endpoint crm: /policy/timeout:", "c.yaml:19: endpoint crm: /filter:",
		"c.yaml:20: endpoint erp: /triggers:", "c.yaml:21: endpoint erp: /url: does not begin with http:// or https://",
		"c.yaml:22: endpoint erp: /retries:", "c.yaml:23: endpoint erp: /policy/timeout:", "c.yaml:25: endpoint erp: /headers/X-A:",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%v", diff, err)
	}
}

func TestATextMayBeWrittenAsANumber(t *testing.T) {
	plan, err := Read("c.yaml", []byte(`
endpoints:
  - name: 0123
    url: https://crm.example.com
    triggers: [case_created]
    atfinity_version: 2.10
    description: ~
    headers: { X-A: 007, X-B: True }
`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := plan.Endpoints[0]
	texts := []string{e.Name, e.AtfinityVersion, e.Description, e.Headers[0].Value, e.Headers[1].Value}
	if got := strings.Join(texts, " "); got != "0123 2.10  007 True" {
		t.Errorf("they are %s", got)
	}
}
