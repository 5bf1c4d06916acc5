package casework_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// quote returns a definition with fields, each a name and its schema.
func quote(fields ...string) string {
	return `{"key": "quote", "edit": "edit", "fields": {"type": "object", "properties": {` +
		strings.Join(fields, ", ") + `}},
		"states": [{"key": "open"}],
		"transitions": [{"key": "open", "to": "open"}, {"key": "edit", "from": ["open"]}]}`
}

const (
	plainSum    = `"sum": {"type": "integer"}`
	indexedSum  = `"sum": {"type": "integer", "indexed": true}`
	indexedCity = `"city": {"type": "string", "indexed": true}`
	hiddenCity  = `"city": {"type": "string", "indexed": true, "x-classification": "PRIVATE"}`
)

// quotes submits cases of the type quote, and returns their ids.
func (w *world) quotes(all ...string) (ids []int64) {
	w.t.Helper()
	for _, data := range all {
		ids = append(ids, w.submit(casework.Submission{Type: "quote", Data: object(data)}).ID)
	}
	return ids
}

// sorted returns the places in ids of the cases that are listed in an order, with conditions on a field.
func (w *world) sorted(
	p access.Principal, ids []int64, sort store.CaseSort, where ...casetype.Condition,
) (got []int, _ error) {
	w.t.Helper()
	all, err := listed(w.cases.Cases(w.t.Context(), p, store.CaseFilter{Type: "quote", Sort: sort, Where: where}))
	for _, v := range all {
		got = append(got, slices.Index(ids, v.ID))
	}
	return got, err
}

func (w *world) wantSorted(ids []int64, sort store.CaseSort, want ...int) {
	w.t.Helper()
	if got, err := w.sorted(w.p, ids, sort); err != nil || !slices.Equal(got, want) {
		w.t.Errorf("sorted by %s: %v, %v; want %v", sort, got, err, want)
	}
}

func TestOlderCasesAreIndexedWhenADefinitionMarksTheirFields(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, quote(plainSum, indexedCity))
		ids := w.quotes(`{"sum": 30, "city": "Bern"}`, `{"sum": 4}`, `{"city": "aarau"}`)
		w.wantSorted(ids, "data.city", 2, 0)
		_, err := w.sorted(w.p, ids, "data.sum")
		wantFields(t, wantFault(t, err, fault.Unprocessable, "case.field_not_indexed"), "query.sort")

		w.put(w.p, quote(indexedSum, indexedCity))
		w.wantSorted(ids, "data.sum", 1, 0)
		ids = append(ids, w.quotes(`{"sum": 17}`)...)
		w.submit(casework.Submission{CaseID: ids[1], Edit: true, Data: object(`{"sum": 31}`)}) // by the older version
		w.wantSorted(ids, "-data.sum", 1, 0, 3)
		w.wantSorted(ids, "data.city", 2, 0)

		w.put(w.p, quote(plainSum, indexedCity))
		_, err = w.sorted(w.p, ids, "data.sum")
		wantFault(t, err, fault.Unprocessable, "case.field_not_indexed")
		w.put(w.p, quote(indexedSum))
		w.wantSorted(ids, "-data.sum", 1, 0, 3)

		w.later(time.Hour) // the cases are checked once more
		if err := w.types.IndexFields(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, more, err := w.store.NextFieldTask(t.Context(), w.now().Add(time.Hour)); err != nil || more {
			t.Errorf("there is a task left: %t, %v", more, err)
		}
		w.wantSorted(ids, "-data.sum", 1, 0, 3)
		if err := w.cases.DeleteCase(t.Context(), w.p, casework.Deletion{CaseID: ids[0]}); err != nil {
			t.Fatal(err)
		}
		w.wantSorted(ids, "-data.sum", 1, 3)
	})
}

func TestCasesThatAreNotIndexedAtOnceWaitForTheBackground(t *testing.T) {
	w := start(t)
	w.put(w.p, quote(plainSum))
	ids := w.quotes(`{"sum": 2}`, `{"sum": 1}`)
	for i := range 12 { // tasks ahead of that of the type
		key := fmt.Sprintf("a%d", i)
		w.put(w.p, strings.Replace(quote(indexedSum), "quote", key, 1))
		err := w.store.Update(t.Context(), func(tx *store.Tx) error {
			return tx.IndexAgain(t.Context(), w.p.Tenant, key, nil, w.now())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	w.put(w.p, quote(indexedSum))
	select {
	case <-w.types.Unindexed():
	default:
		t.Error("nobody is told that there are cases to index")
	}
	_, err := w.sorted(w.p, ids, "data.sum")
	wantFault(t, err, fault.Unavailable, "case.field_being_indexed")
	if err := w.types.IndexFields(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.wantSorted(ids, "data.sum", 1, 0)
}

func TestACaseThatMovesIsIndexedByTheNewestDefinition(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, quote(plainSum))
		other := strings.Replace(quote(plainSum, indexedCity), `"quote"`, `"other"`, 1)
		w.put(w.p, other)
		ids := w.quotes(`{"sum": 3}`, `{"sum": 2}`)
		ids = append(ids, w.submit(casework.Submission{Type: "other", Data: object(`{"sum": 1}`)}).ID)
		w.put(w.p, quote(indexedSum))
		w.put(w.p, quote(indexedSum, indexedCity))
		in := casework.Migration{Type: "quote", To: 2}
		if _, err := w.migrations.MigrateCases(t.Context(), w.p, in, authz.Once{}); err != nil {
			t.Fatal(err)
		}
		w.wantSorted(ids, "data.sum", 1, 0)
		turn := func(id int64, to string) {
			in := casework.Switch{CaseID: id, Type: to}
			if _, err := w.switches.SwitchType(t.Context(), w.p, in, authz.Once{}); err != nil {
				t.Fatal(err)
			}
		}
		turn(ids[2], "quote")
		w.wantSorted(ids, "data.sum", 2, 1, 0)
		turn(ids[0], "other")
		w.wantSorted(ids, "data.sum", 2, 1)
	})
}

func TestNobodyListsByAFieldAboveThem(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, quote(indexedSum, hiddenCity))
		ids := w.quotes(`{"sum": 1, "city": "Bern"}`, `{"sum": 2, "city": "Aarau"}`)
		w.wantSorted(ids, "data.city", 1, 0)
		public := w.cleared(casetype.Public)
		refused := func(sort store.CaseSort, where ...casetype.Condition) []fault.Field {
			_, err := w.sorted(public, ids, sort, where...)
			return wantFault(t, err, fault.Unprocessable, "case.field_not_indexed").Fields
		}
		bern := func(field string) casetype.Condition {
			return casetype.Condition{Field: field, Operator: "=", Value: "Bern"}
		}
		for _, pair := range [][2][]fault.Field{
			{refused("data.city"), refused("data.none")},
			{refused("", bern("city")), refused("", bern("none"))},
			{refused("data.sum", bern("city")), refused("data.sum", bern("none"))},
		} {
			hidden := strings.ReplaceAll(pair[0][0].Message, "city", "none")
			if hidden != pair[1][0].Message || pair[0][0].Path != pair[1][0].Path || len(pair[0]) != len(pair[1]) {
				t.Errorf("a hidden field shows: %+v, and an unknown one: %+v", pair[0], pair[1])
			}
		}
		counted := store.CaseFilter{Type: "quote", Where: []casetype.Condition{bern("city")}}
		_, err := w.cases.Facets(t.Context(), public, counted)
		wantFault(t, err, fault.Unprocessable, "case.field_not_indexed")

		w.put(w.p, quote(indexedSum, indexedCity)) // older cases keep their classification
		if got, err := w.sorted(public, ids, "data.city"); err != nil || len(got) > 0 {
			t.Errorf("values above the reader are listed: %v, %v", got, err)
		}
		ids = append(ids, w.quotes(`{"city": "Chur"}`)...)
		some := casetype.Condition{Field: "city", Operator: ">", Value: "a"}
		if got, err := w.sorted(public, ids, "", some); err != nil || !slices.Equal(got, []int{2}) {
			t.Errorf("the cases are %v, %v", got, err)
		}
		w.wantSorted(ids, "data.city", 1, 0, 2)
	})
}

func TestFiltersByFieldsAreBounded(t *testing.T) {
	w := start(t)
	w.put(w.p, quote(indexedSum))
	condition := casetype.Condition{Field: "sum", Operator: ">=", Value: "1"}
	wrong := condition
	wrong.Value = "x"
	of := func(conditions ...casetype.Condition) store.CaseFilter {
		return store.CaseFilter{Type: "quote", Where: conditions}
	}
	for name, test := range map[string]struct {
		filter store.CaseFilter
		path   string
	}{
		"no type":         {store.CaseFilter{Where: of(condition).Where}, "query.where"},
		"a sort alone":    {store.CaseFilter{Sort: "data.sum"}, "query.sort"},
		"an unknown type": {store.CaseFilter{Type: "none", Sort: "data.sum"}, "query.type"},
		"too many":        {of(slices.Repeat([]casetype.Condition{condition}, 11)...), "query.where"},
		"a wrong value":   {of(wrong), "query.where"},
	} {
		_, err := w.cases.Cases(t.Context(), w.p, test.filter)
		t.Log(name)
		wantFields(t, wantFault(t, err, fault.Unprocessable, "case.field_not_indexed"), test.path)
	}
}
