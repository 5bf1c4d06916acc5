package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

const askedURL = "${CASEHOOK_VAR_CALLBACKS}/kyc/submit"

// aQuestion returns a question with every field set.
func aQuestion(tenant int64, n int) store.Question {
	return store.Question{
		Tenant: tenant, At: start.Add(time.Duration(n) * time.Minute), Case: int64(n%3) + 1, Version: int64(n),
		Type: "kyc", OtherType: "loan", Transition: []string{"submit", "@switch"}[n%2],
		URL: askedURL, URLClass: "PRIVATE", WebhookID: fmt.Sprint("msg_", n),
		Attempts: 2, Duration: 38 * time.Millisecond, Status: 200, Verdict: []string{"accepted", "errors"}[n/2%2],
		Code: "callback.errors", Failure: "did not answer in time", Override: "escalated", BodySHA256: "e3b0c442",
		Answer: store.KeptAnswer{
			Body: "{\"errors\": [\"<no> & \u2028\"]}", Base64: []byte{0, 255}, Truncated: true, Withheld: true,
		},
		Changes: store.KeptChanges{More: 3, Changes: []store.KeptChange{{
			Change: event.Change{
				Path: "data/a", Before: json.RawMessage(`1.00`), After: json.RawMessage(`null`), Class: "PRIVATE",
			},
			Long: true,
		}}},
		Class: casetype.Restricted, CaseClass: casetype.Private,
		Question: []string{"mid_event", "submitted", "about_to_submit"}[n%3], Page: []string{"1", "", ""}[n%3],
		Callback: []string{"", "screening", "limits"}[n%3],
		Actor:    event.Actor{UserID: 42, Name: "Grace", Source: event.API, TokenID: "tok_1", Address: "192.0.2.1"},
	}
}

// asked keeps questions, every fifth for the other tenant.
func (f *fixture) asked(n int) {
	f.t.Helper()
	var all []store.Question
	for i := range n {
		tenant := f.tenant
		if i%5 == 4 {
			tenant = f.other
		}
		all = append(all, aQuestion(tenant, i))
	}
	f.update(func(tx *store.Tx) error { return tx.AddQuestions(f.t.Context(), all) })
}

// questions returns all questions that a filter selects.
func (f *fixture) questions(filter store.QuestionFilter) (all []store.Question) {
	f.t.Helper()
	for filter.Limit = 7; ; {
		found, next, err := f.store.FindQuestions(f.t.Context(), f.tenant, filter)
		f.noError(err)
		all = append(all, found...)
		if filter.Before = next; next == 0 {
			return all
		}
	}
}

var questionTests = map[string]func(*fixture){
	"questions are found by whatever is known of them": func(f *fixture) {
		const n = 60
		f.asked(n)
		half := start.Add(n / 2 * time.Minute)
		for name, c := range map[string]struct {
			filter store.QuestionFilter
			wanted func(i int) bool
		}{
			"all":        {store.QuestionFilter{}, func(int) bool { return true }},
			"case":       {store.QuestionFilter{Case: 2}, func(i int) bool { return i%3 == 1 }},
			"type":       {store.QuestionFilter{Type: "kyc"}, func(int) bool { return true }},
			"other type": {store.QuestionFilter{Type: "loan"}, func(int) bool { return false }},
			"transition": {store.QuestionFilter{Transition: "@switch"}, func(i int) bool { return i%2 == 1 }},
			"question":   {store.QuestionFilter{Question: "submitted"}, func(i int) bool { return i%3 == 1 }},
			"page":       {store.QuestionFilter{Page: "1"}, func(i int) bool { return i%3 == 0 }},
			"callback":   {store.QuestionFilter{Callback: "limits"}, func(i int) bool { return i%3 == 2 }},
			"url":        {store.QuestionFilter{URL: askedURL}, func(int) bool { return true }},
			"no url":     {store.QuestionFilter{URL: "https://elsewhere.example/"}, func(int) bool { return false }},
			"verdict":    {store.QuestionFilter{Verdict: "errors"}, func(i int) bool { return i/2%2 == 1 }},
			"since":      {store.QuestionFilter{Since: half}, func(i int) bool { return i >= 30 }},
			"until":      {store.QuestionFilter{Until: half}, func(i int) bool { return i < 30 }},
			"together": {store.QuestionFilter{Case: 1, Verdict: "accepted", Since: start.Add(time.Minute)},
				func(i int) bool { return i%3 == 0 && i/2%2 == 0 && i > 0 }},
		} {
			var want, got []string
			for i := n - 1; i >= 0; i-- {
				if i%5 != 4 && c.wanted(i) {
					want = append(want, fmt.Sprint("msg_", i))
				}
			}
			for _, q := range f.questions(c.filter) {
				got = append(got, q.WebhookID)
			}
			if !slices.Equal(got, want) {
				f.t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	},
	"a question is read as it was kept, by its tenant alone": func(f *fixture) {
		f.asked(1)
		change := f.change(f.aCase(f.tenant, 1), 0, "")
		change.Questions = []store.Question{aQuestion(f.tenant, 0)}
		f.noError(f.store.Commit(f.t.Context(), change))
		all := f.questions(store.QuestionFilter{})
		got := all[1]
		all[0].ID = got.ID
		f.equal(all[0], got) // however it was kept
		want := aQuestion(f.tenant, 0)
		want.ID = got.ID
		f.equal(got, want)
		f.equal(must[store.Question](f)(f.store.Question(f.t.Context(), f.tenant, got.ID)), want)
		_, err := f.store.Question(f.t.Context(), f.other, got.ID)
		f.wantFault(err, fault.NotFound, "question.not_found")
	},
	"a change keeps its questions, if it is saved": func(f *fixture) {
		one := []store.Question{aQuestion(f.tenant, 1)}
		two := []store.Question{aQuestion(f.tenant, 2), aQuestion(f.tenant, 3)}
		kept := 0
		for i, asked := range [][]store.Question{one, two, one, two} {
			key := []string{"", "", "k", "l"}[i]
			c := f.aCase(f.tenant, int64(i)+1)
			change := f.change(c, 0, key)
			change.Questions = asked
			f.noError(f.store.Commit(f.t.Context(), change))
			kept += len(asked)
			f.equal(len(f.questions(store.QuestionFilter{})), kept)

			from := c.Version
			c.Version, c.Revision = c.Version+1, c.Revision+1
			change = f.change(c, from, key+key)
			change.Questions = asked
			f.noError(f.store.Commit(f.t.Context(), change))
			kept += len(asked)
			f.equal(len(f.questions(store.QuestionFilter{})), kept)

			for _, again := range []*store.Change{change, f.change(c, from, key+"other")} {
				again.Questions = asked
				if err := f.store.Commit(f.t.Context(), again); !errors.Is(err, store.ErrCaseMoved) &&
					!errors.Is(err, store.ErrKeyAnswered) {
					f.t.Errorf("Commit = %v", err)
				}
			}
			f.equal(len(f.questions(store.QuestionFilter{})), kept)
		}
	},
	"old questions are removed in portions": func(f *fixture) {
		const n = 1200
		f.asked(n)
		portions := 0
		for more := true; more; portions++ {
			f.update(func(tx *store.Tx) (err error) {
				more, err = tx.PurgeQuestions(f.t.Context(), start.Add(1100*time.Minute))
				return err
			})
		}
		f.equal(portions, 3)
		f.equal(len(f.questions(store.QuestionFilter{})), (n-1100)*4/5)
	},
}
