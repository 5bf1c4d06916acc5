package casework_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/testworld"
)

// A warm process holds in memory what every request looks up, so that a submission runs the statements that save it,
// and an edit reads its case besides.
func TestASubmissionRunsFewStatements(t *testing.T) {
	for engine, want := range map[string]map[string][]string{
		"sqlite": {
			"create": {"insert into cases", "insert into journal"},
			"edit":   {"select id", "update cases", "insert into journal"},
			"keyed":  {"select request", "insert into cases", "insert into idempotency", "insert into journal"},
		},
		"postgres": {
			"create": {"with present"},
			"edit":   {"select id", "with present"},
			"keyed":  {"select request", "with present"},
		},
	} {
		t.Run(engine, func(t *testing.T) {
			var ran statementLog
			o := store.Options{Fail: ran.note}
			if engine == "postgres" {
				o.URL = storetest.Postgres(t, testworld.Key)
			}
			w := startOn(t, o)
			w.put(w.p, loan("loan", ""))
			made, err := w.tokens.CreateToken(t.Context(), w.p, people.TokenRequest{Name: "program"}, authz.Once{})
			if err != nil {
				t.Fatal(err)
			}
			submit := func(in casework.Submission, once authz.Once) (casework.View, []string) {
				p, err := w.tokens.Authenticate(t.Context(), made.Bearer, "192.0.2.7")
				if err == nil {
					err = w.tenants.CheckHost(t.Context(), p, "casehook.example")
				}
				if err != nil {
					t.Fatal(err)
				}
				v, err := w.submissions.Submit(t.Context(), p, in, once)
				if err != nil {
					t.Fatal(err)
				}
				return v, ran.take()
			}
			create := casework.Submission{Type: "loan", Transition: "open", Data: object(`{"client":"Ann"}`)}
			edit := casework.Submission{Edit: true, Data: object(`{"amount":11}`)}
			got := map[string][]string{}
			for range 20 { // until all is in memory, and no block of numbers has to be reserved
				var v casework.View
				v, got["create"] = submit(create, authz.Once{})
				edit.CaseID = v.ID
				_, got["edit"] = submit(edit, authz.Once{})
				_, got["keyed"] = submit(create, once("create", "k"+v.Reference, "r"))
				if cmp.Equal(got, want) {
					return
				}
			}
			t.Error(cmp.Diff(want, got))
		})
	}
}

// statementLog records the first words of the statements that a store runs.
type statementLog struct {
	mu  sync.Mutex
	ran []string
}

func (l *statementLog) note(what string, done bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if words := strings.Fields(what); done && words[0] == "commit" && len(words) > 2 {
		if words = words[2:]; words[0] != "with" { // of a transaction of several statements
			return nil
		}
		l.add(words)
	} else if done {
		l.add(words)
	}
	return nil
}

func (l *statementLog) add(words []string) {
	n := 2
	if words[0] == "insert" {
		n = 3
	}
	l.ran = append(l.ran, strings.TrimSuffix(strings.Join(words[:n], " "), ","))
}

func (l *statementLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	ran := l.ran
	l.ran = nil
	return ran
}
