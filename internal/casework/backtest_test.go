package casework_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// backtested runs a backtest to its end.
func (w *world) backtested(p access.Principal, in casework.Backtest) (all []casework.BacktestOutcome) {
	w.t.Helper()
	for {
		page, err := w.backtests.Run(w.t.Context(), p, in)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, page.Outcomes...)
		if in.Before = page.Next; in.Before == 0 {
			return all
		}
	}
}

// loanData returns case_data of the question in a request.
func loanData(r *http.Request) (data struct{ Client, Amount json.Number }) {
	var body struct {
		Details struct {
			Data json.RawMessage `json:"case_data"`
		} `json:"case_details"`
	}
	raw, _ := io.ReadAll(r.Body)
	json.Unmarshal(raw, &body)
	json.Unmarshal(body.Details.Data, &data)
	return data
}

// A backtest names the submissions with which the other callback ends otherwise, refused ones included, and leaves no
// trace.
func TestABacktestNamesWhatAnotherCallbackChanges(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", `"retries": []`))
		live := map[int64]string{}
		for amount, answer := range map[int]string{
			1: ``, 2: `{"data":{"client":"Ann","amount":2,"score":7}}`, 3: `{"errors":["no"]}`, 4: `{"override_state":"closed"}`,
		} {
			c := w.open("loan")
			w.callbacks.on("loan", respond(200, answer))
			w.submissions.Submit(t.Context(), w.p, casework.Submission{
				CaseID: c.ID, Transition: "submit", Data: object(fmt.Sprintf(`{"amount":%d,"client":"Ann"}`, amount)),
			}, authz.Once{})
			live[c.ID] = fmt.Sprint(amount)
		}
		before, err := w.store.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		kept := len(w.asked(w.p, store.QuestionFilter{}))
		for answer, want := range map[string]map[string]string{
			``: {"1": "", "2": "disagrees data/email,data/score", "3": "disagrees", "4": "disagrees state"},
			`{"errors":["never"]}`: {
				"1": "callback.errors disagrees", "2": "callback.errors disagrees", "3": "callback.errors",
				"4": "callback.errors disagrees",
			},
			`[]`: {"1": "failed", "2": "failed", "3": "failed", "4": "failed"},
			`{"override_state":"closed"}`: {
				"1": "state disagrees state", "2": "state disagrees state,data/email,data/score",
				"3": "state disagrees", "4": "state",
			},
		} {
			w.callbacks.on("next", respond(200, answer))
			got := map[string]string{}
			for _, o := range w.backtested(w.p, casework.Backtest{
				Type: "loan", Transition: "submit", URL: w.callbacks.url + "/next", Limit: 3,
			}) {
				got[live[o.Live.Case]] = told(o)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", answer, diff)
			}
		}
		for _, r := range w.callbacks.at("next").requests {
			if r.Header.Get("dry-run") != "true" {
				t.Errorf("a question has the headers %v", r.Header)
			}
		}
		after, err := w.store.Head(t.Context())
		if err != nil || after != before || len(w.asked(w.p, store.QuestionFilter{})) != kept {
			t.Errorf("the journal has entries to %d, not %d, %v", after, before, err)
		}
	})
}

// told sums up an outcome.
func told(o casework.BacktestOutcome) string {
	var all []string
	paths := func(changes store.KeptChanges) {
		var names []string
		for _, c := range changes.Changes {
			names = append(names, c.Path)
		}
		if len(names) > 0 {
			all = append(all, strings.Join(names, ","))
		}
	}
	switch {
	case o.Failed:
		all = append(all, "failed")
	case o.Refusal != nil:
		all = append(all, o.Refusal.Code)
	}
	paths(o.Changes)
	if o.Disagrees {
		all = append(all, "disagrees")
	}
	paths(o.Against)
	return strings.TrimSpace(strings.Join(append(all, o.LeftOut), " "))
}

// submitMany creates loans of the amounts from 0 on, several at once, and returns the sorted ids of some.
func (w *world) submitMany(all int, some func(amount int) bool) (ids []int64) {
	w.t.Helper()
	const atOnce = 16
	created := make([]int64, all)
	var running sync.WaitGroup
	for first := range atOnce {
		running.Go(func() {
			for n := first; n < all; n += atOnce {
				v, err := w.submissions.Submit(w.t.Context(), w.p, casework.Submission{
					Type: "loan", Transition: "open_asked",
					Data: object(fmt.Sprintf(`{"client":"Ann","amount":%d}`, n)),
				}, authz.Once{})
				if err != nil {
					w.t.Error(err)
				}
				created[n] = v.ID
			}
		})
	}
	running.Wait()
	for n, id := range created {
		if some(n) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Of a thousand submissions, a backtest finds exactly those that a bug in the new callback touches.
func TestABacktestFindsAPlantedBug(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	const all = 1000
	w.callbacks.on("loan", respond(200, ""))
	touched := w.submitMany(all, func(n int) bool { return n%97 == 13 })
	before, err := w.store.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.callbacks.on("next", func(rw http.ResponseWriter, r *http.Request) {
		data := loanData(r)
		if n, _ := data.Amount.Int64(); n%97 == 13 {
			fmt.Fprint(rw, `{"errors":["a bug"]}`)
		}
	})
	in := casework.Backtest{Type: "loan", Transition: "open_asked", URL: w.callbacks.url + "/next", Limit: 50}
	var found []int64
	outcomes := w.backtested(w.p, in)
	for _, o := range outcomes {
		if o.Refusal != nil || o.Disagrees {
			found = append(found, o.Live.Case)
		}
	}
	slices.Sort(found)
	if diff := cmp.Diff(touched, found); diff != "" || len(outcomes) != all {
		t.Errorf("of %d submissions it finds (-want +got):\n%s", len(outcomes), diff)
	}
	after, err := w.store.Head(t.Context())
	if err != nil || after != before || w.load(touched[0]).Version != 1 {
		t.Errorf("the journal has entries to %d, not %d, %v", after, before, err)
	}
}

// A callback that did not answer, or whose host rests, said nothing with which another may disagree.
func TestABacktestTakesNoFailureForARefusal(t *testing.T) {
	w := start(t)
	w.put(w.p, strings.ReplaceAll(loan("loan", `"retries": []`), "${CASEHOOK_VAR_CALLBACKS}", "http://127.0.0.1:1"))
	want := []string{"callback.resting", "callback.failed", "callback.failed"}
	for range want {
		_, err := w.submissions.Submit(t.Context(), w.p, casework.Submission{
			CaseID: w.open("loan").ID, Transition: "submit", Data: object(`{"amount":1}`),
		}, authz.Once{})
		wantFault(t, err, fault.Upstream, fault.As(err).Code)
	}
	w.callbacks.on("next", respond(200, ""))
	var codes []string
	for _, o := range w.backtested(w.p, casework.Backtest{
		Type: "loan", Transition: "submit", URL: w.callbacks.url + "/next",
	}) {
		if codes = append(codes, o.Live.Code); o.Disagrees || o.Refusal != nil {
			t.Errorf("it disagrees with %s: %+v", o.Live.Code, o.Refusal)
		}
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
}

// A definition judges by its schema, its conditions and its callbacks.
func TestABacktestTriesADefinition(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	for _, amount := range []int{5, 50} {
		w.submit(casework.Submission{
			Type: "loan", Transition: "open_asked", Data: object(fmt.Sprintf(`{"client":"Ann","amount":%d}`, amount)),
		})
	}
	asks := func(definition, from, to string) (all []string) {
		for _, o := range w.backtested(w.p, casework.Backtest{
			Type: "loan", Transition: "open_asked", Limit: 9, Definition: strings.Replace(definition, from, to, 1),
		}) {
			all = append(all, told(o))
		}
		return all
	}
	w.callbacks.on("loan", respond(200, `{"errors":["no"]}`))
	skip, ask := loan("loan", `"retries": [], "dry_run": "skip"`), loan("loan", `"retries": []`)
	for _, k := range []struct {
		definition, from, to string
		want                 []string
	}{
		{skip, "", "", []string{"", ""}},
		{ask, "", "", []string{"callback.errors disagrees", "callback.errors disagrees"}},
		{skip, `"amount": {`, `"amount": {"maximum": 10, `, []string{"case.data_invalid disagrees", ""}},
		{skip, `"key": "open_asked", `, `"key": "open_asked", "precondition": "data.amount > 10", `,
			[]string{"", "case.precondition_failed disagrees"}},
		{skip, `{"key": "open_asked", "to": "draft"`, `{"key": "open_asked", "to": "review"`,
			[]string{"state disagrees state", "state disagrees state"}},
	} {
		if diff := cmp.Diff(k.want, asks(k.definition, k.from, k.to)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", k.to, diff)
		}
	}
}

// A rule judges after those of the newest definition, and asks nobody.
func TestABacktestTriesARule(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	w.callbacks.on("loan", respond(200, ""))
	for _, amount := range []int{5, 50, 500} {
		w.submit(casework.Submission{
			Type: "loan", Transition: "open_asked", Data: object(fmt.Sprintf(`{"client":"Ann","amount":%d}`, amount)),
		})
	}
	w.callbacks.on("loan", respond(500, ""))
	in := casework.Backtest{Type: "loan", Transition: "open_asked", Limit: 9}
	for rule, want := range map[string][]string{
		`{refuse: data.amount > 100, message: Too much.}`:        {"rule.refused disagrees", "", ""},
		`{"warn": "data.amount < 10", "message": "Too little."}`: {"", "", "rule.warnings disagrees"},
		`set: {score: data.amount * 2}`: {
			"data/score disagrees data/score", "data/score disagrees data/score", "data/score disagrees data/score",
		},
	} {
		in.Rule = rule
		var got []string
		for _, o := range w.backtested(w.p, in) {
			got = append(got, told(o))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", rule, diff)
		}
	}
	if n := len(w.callbacks.at("loan").requests); n != 0 {
		t.Errorf("the callback is asked %d times", n)
	}
	for rule, path := range map[string]string{
		`{refuse: data.amonut > 1, message: x}`: "/rule/refuse", `{refuse: "true"}`: "/rule", `[`: "/rule",
		`{refuse: "true", message: x, more: 1}`: "/rule/more", `x`: "/rule",
	} {
		in.Rule = rule
		_, err := w.backtests.Run(t.Context(), w.p, in)
		f := wantFault(t, err, fault.Unprocessable, "backtest.invalid")
		if len(f.Fields) == 0 || f.Fields[0].Path != path {
			t.Errorf("%s: %v, want %s", rule, f.Fields, path)
		}
	}
}

// Backtests are for those who may put the type, and are told nothing above their clearance.
func TestABacktestIsRefused(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	in := casework.Backtest{Type: "loan", Transition: "submit", URL: w.callbacks.url + "/next"}
	below := w.as(access.Manager)
	below.Clearance = casetype.Private
	url, transition, both, secret, definition := in, in, in, in, in
	url.URL, transition.Transition, both.Definition = "${CASEHOOK_VAR_X}/x", "nothing", loan("loan", "")
	secret.Secret = "x"
	definition.URL, definition.Definition = "", loan("other", "")
	for _, k := range []struct {
		p    access.Principal
		in   casework.Backtest
		kind fault.Kind
		code string
	}{
		{w.as(access.Caseworker), in, fault.Forbidden, "access.denied"},
		{below, in, fault.Forbidden, "case_type.above_clearance"},
		{w.p, url, fault.Unprocessable, "backtest.invalid"},
		{w.p, both, fault.Unprocessable, "backtest.invalid"},
		{w.p, secret, fault.Unprocessable, "backtest.invalid"},
		{w.p, transition, fault.NotFound, "transition.not_found"},
		{w.p, definition, fault.Unprocessable, "case_type.invalid"},
		{w.tenant("other"), in, fault.NotFound, "case_type.not_found"},
	} {
		_, err := w.backtests.Run(t.Context(), k.p, k.in)
		wantFault(t, err, k.kind, k.code)
	}
}

// Submissions that are too large are not kept; those of before are not there.
func TestABacktestSaysWhatItLeavesOut(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", `"retries": []`))
	w.submit(casework.Submission{Type: "loan", Transition: "open_asked", Data: object(
		`{"tags":["` + strings.Repeat("x", 70<<10) + `"]}`)})
	for _, o := range w.backtested(w.p, casework.Backtest{
		Type: "loan", Transition: "open_asked", URL: w.callbacks.url + "/next", Limit: 9,
	}) {
		if told(o) != casework.TooLarge {
			t.Errorf("it is %q", told(o))
		}
	}
}
