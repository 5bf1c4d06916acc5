package filter_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// aCase returns an entry about a case with fields of all classifications.
func aCase() *event.Entry {
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	changed := event.CaseChanged.New(event.Changes{Changes: []event.Change{
		{Path: "data/amount"}, {Path: "data/iban", Class: "RESTRICTED"}, {Path: "name"},
	}})
	changed.Class = "RESTRICTED"
	return &event.Entry{
		ID: 1, Subject: event.CaseSubject(4539148803436467), Version: 7, At: at,
		Actor: event.Actor{Source: event.UI, UserID: 7, Name: "Jane Doe"},
		Facts: []event.Fact{changed},
		Snapshot: event.Snapshot{Case: &event.Case{
			ID:             4539148803436467,
			Reference:      "KYC-0042",
			Name:           "Acme",
			NameClass:      "PRIVATE",
			Version:        7,
			Color:          "green",
			ProcessKey:     "kyc",
			Type:           "kyc",
			TypeVersion:    3,
			Kind:           "case",
			State:          "in_review",
			Classification: "PUBLIC",
			Classes:        map[string]string{"iban": "RESTRICTED", "email": "PRIVATE"},
			Data:           []byte(`{"amount": 1200, "rate": 0.5, "big": 9007199254740993, "iban": "CH93", "email": "ann@example.com", "tags": ["a", "b"], "owner": {"country": "CH"}, "none": null}`),
			Labels:         []string{"urgent", "vip"},
			Contacts:       []event.CaseContact{{ContactID: 11, Role: "broker"}},
			Assignee:       &event.Person{UserID: 7, Name: "Jane Doe"},
			OpenedAt:       at,
			CreatedAt:      at.Add(-time.Hour),
		}},
	}
}

func message(e *event.Entry, clearance casetype.Classification) *filter.Message {
	m := wire.Messages(e, "1.0.0", clearance)[0]
	return filter.NewEntry(e, clearance).Message(&m)
}

func compiled(t testing.TB, source string) *filter.Filter {
	t.Helper()
	f, fault := filter.Compile(source)
	if fault != nil {
		t.Fatalf("%s: %v", source, fault)
	}
	return f
}

func TestFiltersSeeTheMessageAndItsCase(t *testing.T) {
	m := message(aCase(), casetype.Restricted)
	for source, want := range map[string]bool{
		``:                                  true,
		`message.trigger == "case_changed"`: true,
		`message.body.action == "updated" && message.body.case_version == 7`:  true,
		`message.subject == "case/4539148803436467" && message.sequence == 7`: true,
		`message.source == "ui"`:                                                               true,
		`message.occurred_at > timestamp("2026-03-14T00:00:00Z")`:                              true,
		`"data/amount" in message.changed`:                                                     true,
		`"color" in message.changed`:                                                           false,
		`case.type == "kyc" && case.type_version == 3 && case.kind == "case"`:                  true,
		`case.state == "in_review" && case.status == "open" && !case.final`:                    true,
		`case.reference.startsWith("KYC-") && case.name == "Acme" && case.version >= 7`:        true,
		`case.id == 4539148803436467 && case.color == "green" && case.process_key == "kyc"`:    true,
		`"vip" in case.labels && case.labels.size() == 2`:                                      true,
		`case.contacts.exists(c, c.role == "broker" && c.contact_id == 11)`:                    true,
		`has(case.assignee) && case.assignee.user_id == 7 && case.assignee.name == "Jane Doe"`: true,
		`has(case.closed_at)`:                                false,
		`case.opened_at - case.created_at == duration("1h")`: true,
		`case.classification == "PUBLIC"`:                    true,
		`case.data.amount > 1000 && case.data.rate < 1 && case.data.big == 9007199254740993`: true,
		`"b" in case.data.tags && case.data.owner.country == "CH" && case.data.none == null`: true,
		`has(case.data.missing) && case.data.missing > 1`:                                    false,
		`has(case.data.iban) && has(case.data.email)`:                                        true,
		`has(contact.email)`: false,
		`case.data.amount == 1200 ? case.labels.exists(l, l.matches("^ur")) : message.body.none`: true,
	} {
		if got, err := compiled(t, source).Passes(m); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", source, got, err, want)
		}
	}
}

// Fields above the endpoint's clearance are absent, wherever they would be found.
func TestFiltersSeeNothingAboveTheClearance(t *testing.T) {
	for source, least := range map[string]casetype.Classification{
		`has(case.data.iban)`:              casetype.Restricted,
		`has(case.data.email)`:             casetype.Private,
		`"data/iban" in message.changed`:   casetype.Restricted,
		`case.name == "Acme"`:              casetype.Private,
		`message.body.case_name == "Acme"`: casetype.Private,
	} {
		for _, clearance := range casetype.Classifications() {
			got, err := compiled(t, source).Passes(message(aCase(), clearance))
			if want := clearance.Sees(least); err != nil || got != want {
				t.Errorf("%s as %s: %v, %v; want %v", source, clearance, got, err, want)
			}
		}
	}
}

// A message about a fact that its entry does not have has no changes.
func TestAMessageOfNoFactHasChangedNothing(t *testing.T) {
	e := aCase()
	m := wire.Messages(e, "1.0.0", casetype.Restricted)[0]
	for fact, want := range map[int]bool{0: false, 1: true, 2: true} {
		m.Fact = fact
		got, err := compiled(t, `message.changed == []`).Passes(filter.NewEntry(e, casetype.Restricted).Message(&m))
		if err != nil || got != want {
			t.Errorf("fact %d: %v, %v; want %v", fact, got, err, want)
		}
	}
}

func TestContactsAndClaims(t *testing.T) {
	for trigger, source := range map[string]string{
		"contact.created":  `contact.last_name == "Meier" && !contact.is_business && contact.country_code == "CH" && !has(case.id)`,
		"claim.created":    `message.body.claim.policy_no == "POL-99120" && case.kind == "claim" && case.data.estimated_claim_cost > 80000`,
		"endpoint.failing": `message.body.reason.startsWith("503") && !has(case.type) && !has(contact.id)`,
	} {
		e := wire.Sample(trigger)
		for _, m := range wire.Messages(e, "1.0.0", casetype.Public) {
			if m.Trigger != trigger {
				continue
			}
			ok, err := compiled(t, source).Passes(filter.NewEntry(e, casetype.Public).Message(&m))
			if !ok || err != nil {
				t.Errorf("%s: %v, %v", trigger, ok, err)
			}
		}
	}
}

// The error of a filter that can't be evaluated has the reason, and does not quote the case.
func TestTheErrorOfAFilterQuotesNoData(t *testing.T) {
	e := aCase()
	long := strings.Repeat("x", 100_000)
	ones := strings.Repeat("1,", 2000)
	e.Snapshot.Case.Data = []byte(`{"secret": "hunter2", "long": "` + long + `", "pairs": [` + strings.Repeat(ones, 5) +
		`1], "nested": [[` + ones + `2]], "list": [` + ones + `1]}`)
	m := message(e, casetype.Restricted)
	for source, want := range map[string]string{
		`case.data.amount > 1000`:                                           "no such key: amount",
		`message.body.amount > 1000`:                                        "no such key: amount",
		`case.closed_at > timestamp(0)`:                                     "no such key: closed_at",
		`contact.email == ""`:                                               "no such key: email",
		`case.data[case.data.secret] == 1`:                                  "no such key",
		`case.data.secret > 5`:                                              "no such overload",
		`case.data.secret`:                                                  "neither true nor false",
		`int(case.data.secret) > 1`:                                         "not have the required form",
		`1 / (size(case.labels) - 2) == 1`:                                  "division by zero",
		`case.data.list.all(a, !(a + 1 in case.data.list))`:                 "cost limit exceeded",
		`case.data.pairs.all(p, case.data.nested != [case.data.list])`:      "cost limit exceeded",
		`case.data.pairs.all(p, case.data.long.matches("(a|b)+$") || true)`: "cost limit exceeded",
	} {
		ok, err := compiled(t, source).Passes(m)
		if ok || err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, %v; want %q", source, ok, err, want)
		}
	}
}

func TestTheFaultOfAFilterHasAReasonAndAPosition(t *testing.T) {
	loop := func(depth int) string {
		source := "true"
		for i := range depth {
			name := string(rune('a' + i))
			source = "case.data.list.all(" + name + ", " + source + ")"
		}
		return source
	}
	for source, want := range map[string]string{
		`case.state = "x"`:                       "line 1, column 12",
		"case.type == \"kyc\" &&\n  (":           "line 2, column",
		`case.stat == "x"`:                       "column 5: undefined field 'stat' (did you mean \"state\"?)",
		`kase.state == "x"`:                      "column 1: undeclared reference to 'kase'",
		`case.state`:                             "yields string, not true or false",
		`case.version == "7"`:                    "column 14: found no matching overload",
		`case.assignee.nam == ""`:                "undefined field 'nam'",
		`case.name.matches(case.data.x)`:         "write the pattern into the expression",
		`case.name.matches("(")`:                 "not a regular expression",
		`case.name.matches("(.{999}){1}.{999}")`: "too large",
		loop(5):                                  "would cost too much",
		strings.Repeat("true && ", 999):          "exceeds limit",
		`message{trigger: "x"} == message`:       "",
	} {
		f, fault := filter.Compile(source)
		if fault == nil && want == "" {
			continue
		}
		if f != nil || fault == nil || !strings.Contains(fault.Error(), want) {
			t.Errorf("%.100s: %v, want %q", source, fault, want)
		}
	}
}

// Compiling and evaluating any text neither panics nor hangs.
func FuzzFilters(f *testing.F) {
	for _, source := range []string{
		`case.data.amount > 1`, `message{}`, `type(case) == type(message)`, `case == case`, `dyn(case).x`,
		`[case, contact].all(x, x == x)`, `{case: 1}[case]`, `case in [case]`, `string(case)`,
		`has(case.assignee.name)`,
	} {
		f.Add(source)
	}
	m := message(aCase(), casetype.Restricted)
	f.Fuzz(func(t *testing.T, source string) {
		compiled, fault := filter.Compile(source)
		if (compiled == nil) != (fault != nil || source == "") {
			t.Fatalf("%q: %v, %v", source, compiled, fault)
		}
		start := time.Now()
		if compiled.Passes(m); time.Since(start) > 10*time.Second {
			t.Fatalf("%q took %v", source, time.Since(start))
		}
	})
}

func TestAMessageIsSafeForConcurrentUse(t *testing.T) {
	m := message(aCase(), casetype.Private)
	var all sync.WaitGroup
	for range 8 {
		f := compiled(t, `case.data.amount > 1000 && message.body.action == "updated"`)
		all.Go(func() {
			for range 100 {
				if ok, err := f.Passes(m); !ok || err != nil {
					t.Errorf("%v, %v", ok, err)
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkPasses filters one message for many endpoints: its data is decoded once.
func BenchmarkPasses(b *testing.B) {
	for name, source := range map[string]string{
		"none":  ``,
		"field": `case.state == "in_review"`,
		"data":  `case.type == "kyc" && case.data.amount > 1000`,
		"body":  `message.body.action == "updated"`,
	} {
		b.Run(name, func(b *testing.B) {
			f, m := compiled(b, source), message(aCase(), casetype.Restricted)
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := f.Passes(m); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		compiled(b, `case.type == "kyc" && case.data.amount > 1000`)
	}
}

// Filters and preconditions read a number by its definition, whatever its spelling.
func TestFiltersAndPreconditionsComputeWithTheSameNumbers(t *testing.T) {
	const definition = `
key: k
fields:
  type: object
  properties:
    n: {type: number}
    i: {type: integer}
    o: {type: object, properties: {l: {type: array, items: {type: integer}}}}
states: [{key: s}]
transitions: [{key: t, to: s, precondition: 'CONDITION'}]`
	conditions := []string{
		"case.data.n * 1.5 > 100.0",
		"case.data.n == 200",
		"case.data.i / 2 == 3 && case.data.i * 0.5 == 3.5",
		"case.data.o.l[0] / 2 == 1 && type(case.data.n) == double",
	}
	for n, want := range map[string][]bool{
		"200": {true, true, true, true}, "200.0": {true, true, true, true}, "2e2": {true, true, true, true},
		"70.5": {true, false, true, true}, "60": {false, false, true, true},
	} {
		for k, condition := range conditions {
			data := `{"n":` + n + `,"i":7.0,"o":{"l":[3e0]}}`
			precondition := strings.ReplaceAll(condition, "case.data", "data")
			typ, err := casetype.Parse("", []byte(strings.Replace(definition, "CONDITION", precondition, 1)))
			if err != nil {
				t.Fatal(err)
			}
			values, err := casetype.Decode([]byte(data))
			if err != nil {
				t.Fatal(err)
			}
			unmet := typ.Meets("t", casetype.Input{Data: values}, casetype.Restricted)
			if (unmet == nil) != want[k] || unmet != nil && fault.As(unmet).Code != "case.precondition_failed" {
				t.Errorf("precondition %s of %s: %v; want %v", condition, data, unmet, want[k])
			}
			snapshot, err := cases.Case{ID: 1, Type: "k", State: "s", Data: values}.Snapshot(typ, "")
			if err != nil {
				t.Fatal(err)
			}
			e := aCase()
			e.Snapshot = snapshot
			got, err := compiled(t, condition).Passes(message(e, casetype.Restricted))
			if err != nil || got != want[k] {
				t.Errorf("filter %s of %s: %v, %v; want %v", condition, data, got, err, want[k])
			}
		}
	}
}
