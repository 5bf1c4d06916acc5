package casework_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
)

func TestDefinitionsAreVersionedAndCasesKeepTheirs(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		first := w.put(w.p, loan("loan", ""))
		if first.Version != 1 || first.Unchanged || len(first.Secrets) != 2 ||
			!strings.HasPrefix(first.Secrets["submit"], "whsec_") {
			t.Errorf("put version %d, unchanged %v, secrets %v", first.Version, first.Unchanged, first.Secrets)
		}
		again := w.put(w.p, strings.ReplaceAll(loan("loan", ""), "\n", "\n  "))
		if again.Version != 1 || !again.Unchanged || again.Secrets != nil || !again.CreatedAt.Equal(first.CreatedAt) {
			t.Errorf("the same again: version %d, unchanged %v, secrets %v", again.Version, again.Unchanged,
				again.Secrets)
		}
		old := w.open("loan")
		second := strings.Replace(loan("loan", ""), `"amount": {"type": "integer"}`, `"amount": {"type": "string"}`, 1)
		second = strings.Replace(second, ` && data.amount < 100`, ``, 1)
		second = strings.Replace(second, `{"key": "edit", "from"`,
			`{"key": "edit", "about_to_submit": {"url": "https://x.example"}, "from"`, 1)
		if put := w.put(w.p, second); put.Version != 2 || put.Unchanged || len(put.Secrets) != 1 ||
			put.Secrets["edit"] == "" {
			t.Errorf("changed: version %d, secrets %v", put.Version, put.Secrets)
		}

		// by version 1: no callback, a number
		v := w.submit(casework.Submission{CaseID: old.ID, Edit: true, Data: object(`{"amount":12}`)})
		if v.TypeVersion != 1 || v.Definition.JSON() == nil {
			t.Errorf("the case works by version %d", v.TypeVersion)
		}
		_, err := w.submissions.Submit(ctx, w.p,
			casework.Submission{CaseID: old.ID, Edit: true, Data: object(`{"amount":"12"}`)}, authz.Once{})
		wantFault(t, err, fault.Unprocessable, "case.data_invalid")
		young := w.submit(casework.Submission{Type: "loan", Transition: "open", Data: object(`{"amount":"12"}`)})
		if young.TypeVersion != 2 || young.Reference != "L-002" {
			t.Errorf("the new case: version %d, %s", young.TypeVersion, young.Reference)
		}

		for version, want := range map[int64]int64{0: 2, 1: 1, 2: 2} {
			if got, err := w.types.CaseType(ctx, w.p, "loan", version); err != nil || got.Version != want ||
				got.Type.Key != "loan" {
				t.Errorf("version %d: %d, %v", version, got.Version, err)
			}
		}
		for _, missing := range []struct {
			key     string
			version int64
		}{{"loan", 3}, {"loan", -1}, {"x", 0}, {"a\x00", 0}} {
			_, err := w.types.CaseType(ctx, w.p, missing.key, missing.version)
			wantFault(t, err, fault.NotFound, "case_type.not_found")
		}
		w.put(w.p, loan("lease", ""))
		all, err := w.types.CaseTypes(ctx, w.p)
		if err != nil || len(all) != 2 || all[0].Key != "lease" || all[1].Version != 2 {
			t.Errorf("%d types, %v", len(all), err)
		}
	})
}

func TestAWrongDefinitionIsRefusedWithItsLines(t *testing.T) {
	w := start(t)
	const source = "key: loan\nfields: {type: object, properties: {}}\nstates:\n  - {key: a}\ntransitions:\n  - " +
		"{key: make, to: b}\n"
	_, err := w.types.PutCaseType(t.Context(), w.p, "loan", "loan.yaml", []byte(source))
	f := wantFault(t, err, fault.Unprocessable, "case_type.invalid")
	if len(f.Fields) == 0 || f.Fields[0].Path != "/transitions/0/to" ||
		!strings.HasPrefix(f.Fields[0].Message, "line 6: ") {
		t.Errorf("fields %+v", f.Fields)
	}
	_, err = w.types.PutCaseType(t.Context(), w.p, "other", "", []byte(strings.Replace(source, "to: b", "to: a", 1)))
	wantFields(t, wantFault(t, err, fault.Unprocessable, "case_type.invalid"), "/key")
	if all, err := w.types.CaseTypes(t.Context(), w.p); err != nil || len(all) != 0 {
		t.Errorf("%d types, %v", len(all), err)
	}
}

func TestDefinitionsPutAtOnceGetAVersionEach(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		var mu sync.Mutex
		versions := map[int64]bool{}
		for i := range 4 {
			all.Go(func() {
				d := strings.Replace(loan("loan", ""), `"maxLength": 40`, `"maxLength": 4`+string(rune('0'+i)), 1)
				put, err := w.types.PutCaseType(t.Context(), w.p, "loan", "", []byte(d))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				versions[put.Version] = true
			})
		}
		all.Wait()
		if diff := cmp.Diff(map[int64]bool{1: true, 2: true, 3: true, 4: true}, versions); diff != "" {
			t.Error(diff)
		}
	})
}
