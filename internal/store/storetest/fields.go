package storetest

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// indexedType returns a case type with fields, each a name and its schema.
func indexedType(f *fixture, key string, fields ...string) *casetype.Type {
	f.t.Helper()
	t, err := casetype.Parse(key, []byte(`{"key": "`+key+`", "fields": {"type": "object", "properties": {`+
		strings.Join(fields, ", ")+`}}, "states": [{"key": "open"}],
		"transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		f.t.Fatal(err)
	}
	return t
}

const (
	indexedAmount = `"amount": {"type": "number", "indexed": true}`
	indexedName   = `"name": {"type": "string", "indexed": true}`
	indexedDue    = `"due": {"type": ["string", "null"], "format": "date-time", "indexed": true}`
	indexedDay    = `"day": {"type": "string", "format": "date", "indexed": true}`
	indexedPaid   = `"paid": {"type": "boolean", "indexed": true}`
	indexedSecret = `"secret": {"type": "integer", "indexed": true, "x-classification": "PRIVATE"}`
)

// kyc is the type of the cases of these tests, as it is put first and later.
func kyc(f *fixture) *casetype.Type {
	return indexedType(f, "kyc", indexedAmount, indexedName, indexedDue, indexedDay, indexedPaid, indexedSecret)
}

// insertOf saves cases of a type with the data, in the order of their creation.
func (f *fixture) insertOf(t *casetype.Type, all ...string) (ids []int64) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		for i, data := range all {
			c := f.aCase(f.tenant, int64(i))
			c.Type, c.Data = t.Key, decoded(f, data)
			c.CreatedAt = start.Add(time.Duration(i/3) * time.Second) // some share a time
			c.Classification = casetype.Public
			ids = append(ids, c.ID)
			if err := tx.InsertCase(f.t.Context(), c, t); err != nil {
				return err
			}
		}
		return nil
	})
	return ids
}

func decoded(f *fixture, data string) (v map[string]any) {
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		f.t.Fatal(err)
	}
	return v
}

// where makes a filter of conditions such as amount>=1.
func where(f *fixture, t *casetype.Type, sort store.CaseSort, conditions ...string) store.CaseFilter {
	f.t.Helper()
	var all []casetype.Condition
	for _, one := range conditions {
		at := strings.IndexAny(one, "=<>")
		value := strings.TrimLeft(one[at:], "=<>")
		all = append(all, casetype.Condition{
			Field: one[:at], Operator: one[at : len(one)-len(value)], Value: value,
		})
	}
	ranges, wrong := t.Ranges(all, casetype.Restricted)
	if len(wrong) > 0 {
		f.t.Fatalf("%v: %v", conditions, wrong)
	}
	return store.CaseFilter{Type: t.Key, Fields: ranges, Sort: sort, Clearance: casetype.Restricted}
}

// lists checks the cases of a list, by their places in ids, in pages of several sizes.
func (f *fixture) lists(filter store.CaseFilter, ids []int64, want ...int) {
	f.t.Helper()
	for _, limit := range []int{1, 2, 5, 50} {
		filter.Limit = limit
		got := []int{}
		for _, id := range f.pagesOf(filter) {
			got = append(got, slices.Index(ids, id))
		}
		if !slices.Equal(got, want) {
			f.t.Errorf("%s %+v in pages of %d: the cases are %v, want %v", filter.Sort, filter.Fields, limit, got, want)
		}
	}
}

var fieldTests = map[string]func(f *fixture){
	"cases are listed by the numbers of a field": func(f *fixture) {
		t := kyc(f)
		ids := f.insertOf(t, `{"amount": 100}`, `{"amount": 99.5}`, `{"amount": 100.0}`, `{"amount": -3}`,
			`{"amount": 1e3}`,
			`{"amount": 0}`, `{}`, `{"amount": 9007199254740993}`, `{"amount": 9007199254740992}`, `{"amount": -3.25}`, `{"amount": 100}`)
		order := []int{9, 3, 5, 1, 0, 2, 10, 4, 8, 7}
		f.lists(where(f, t, "data.amount"), ids, order...)
		slices.Reverse(order)
		f.lists(where(f, t, "-data.amount"), ids, order...)
		f.lists(where(f, t, "", "amount=1.0e2"), ids, 10, 2, 0)
		f.lists(where(f, t, "created", "amount=100"), ids, 0, 2, 10)
		f.lists(where(f, t, "-modified", "amount=100"), ids, 10, 2, 0)
		f.lists(where(f, t, "data.amount", "amount=100"), ids, 0, 2, 10)
		f.lists(where(f, t, "", "amount>=99.5", "amount<100"), ids, 1)
		f.lists(where(f, t, "data.amount", "amount>99.5", "amount<=1000"), ids, 0, 2, 10, 4)
		f.lists(where(f, t, "-data.amount", "amount<0"), ids, 3, 9)
		f.lists(where(f, t, "data.amount", "amount>-3", "amount<0"), ids)
		f.lists(where(f, t, "created", "amount>5", "amount<5"), ids)
		f.lists(where(f, t, "", "amount=9007199254740993"), ids, 7)
	},
	"cases are listed by texts, times and truths of fields": func(f *fixture) {
		t := kyc(f)
		long := strings.Repeat("x", 300)
		ids := f.insertOf(t, `{"name": "Émile", "due": "2026-01-31T08:00:00Z", "day": "2026-01-31", "paid": true}`,
			`{"name": "e\u0301mile", "due": "2026-01-31T09:00:00+02:00", "day": "2025-12-31", "paid": false}`,
			`{"name": "Zoë", "due": null, "day": "2026-02-01"}`, `{"name": "", "due": "2026-01-31T08:00:00.5Z", "paid": true}`,
			`{"name": "`+long+`"}`)
		f.lists(where(f, t, "created", "name=ÉMILE"), ids, 0, 1)
		f.lists(where(f, t, "data.name"), ids, 3, 4, 2, 0, 1)
		f.lists(where(f, t, "", "name="), ids, 3)
		f.lists(where(f, t, "", "name="+long), ids, 4)
		f.lists(where(f, t, "data.due"), ids, 1, 0, 3)
		f.lists(where(f, t, "data.due", "due>=2026-01-31T08:00:00Z"), ids, 0, 3)
		f.lists(where(f, t, "data.due", "due<2026-01-31T10:00:00+02:00"), ids, 1)
		f.lists(where(f, t, "data.due", "due>=2026-01-31", "due<2026-02-01"), ids, 1, 0, 3)
		f.lists(where(f, t, "-data.day", "day>2025-12-31"), ids, 2, 0)
		f.lists(where(f, t, "created", "paid=true"), ids, 0, 3)
		f.lists(where(f, t, "data.paid"), ids, 1, 0, 3)
		f.lists(where(f, t, "created", "paid=true", "name=émile", "day=2026-01-31"), ids, 0)
	},
	"a list by a field meets the other conditions": func(f *fixture) {
		t := kyc(f)
		ids := f.insertOf(t, `{"amount": 1, "name": "ada"}`, `{"amount": 2, "name": "ada"}`, `{"amount": 2, "name": "bo"}`)
		f.label(f.tenant, cases.Label{Slug: "a"})
		f.update(func(tx *store.Tx) error {
			for _, id := range ids[:2] {
				if _, _, err := tx.AddLabel(f.t.Context(), f.tenant, id, "a", once); err != nil {
					return err
				}
			}
			return nil
		})
		for sort, want := range map[store.CaseSort][]int{
			"": {2, 1}, "data.amount": {1, 2}, "-data.name": {2, 1}, "-last_activity": {2, 1},
		} {
			filter := where(f, t, sort, "amount=2")
			f.lists(filter, ids, want...)
			filter.Label = "a"
			f.lists(filter, ids, 1)
			filter.State = "closed"
			f.lists(filter, ids)
		}
		searched := where(f, t, "", "amount>=1", "name=bo")
		searched.Text = "bo"
		f.lists(searched, ids, 2)
		facets := where(f, t, "", "amount=2", "name>=b")
		got := must[store.CaseFacets](f)(f.store.CaseFacets(f.t.Context(), f.tenant, facets))
		f.equal([]any{got.Cases, got.Complete, got.Types["kyc"]}, []any{int64(1), true, int64(1)})
	},
	"a value is listed for the clearance that both definitions ask for": func(f *fixture) {
		t := kyc(f)
		ids := f.insertOf(t, `{"secret": 7, "amount": 1}`)
		for clearance, want := range map[casetype.Classification][]int{
			casetype.Public: nil, casetype.Private: {0}, casetype.Restricted: {0},
		} {
			for _, sort := range []store.CaseSort{"", "data.secret", "data.amount", "created"} {
				filter := where(f, t, sort, "secret=7")
				filter.Clearance = clearance
				f.lists(filter, ids, want...)
			}
			counted := where(f, t, "", "secret>=1")
			counted.Clearance = clearance
			got := must[store.CaseFacets](f)(f.store.CaseFacets(f.t.Context(), f.tenant, counted))
			f.equal(got.Cases, int64(len(want)))
		}
		opened := indexedType(f, "kyc", strings.Replace(indexedSecret, "PRIVATE", "PUBLIC", 1))
		f.update(func(tx *store.Tx) error { // it works by the definition that hides it
			c := must[cases.Case](f)(tx.Case(f.t.Context(), f.tenant, ids[0]))
			_, err := tx.UpdateIndexedCase(f.t.Context(), c, t, opened)
			return err
		})
		filter := where(f, opened, "", "secret=7")
		filter.Clearance = casetype.Public
		f.lists(filter, ids)
		filter.Clearance = casetype.Private
		f.lists(filter, ids, 0)
	},
	"the values of a case follow its changes, its switch and its deletion": func(f *fixture) {
		t, other := kyc(f), indexedType(f, "loan", indexedAmount)
		plain := indexedType(f, "kyc", `"amount": {"type": "number"}`)
		ids := f.insertOf(t, `{"amount": 1}`, `{"amount": 2}`)
		save := func(by *casetype.Type, data string) {
			f.update(func(tx *store.Tx) error {
				c := must[cases.Case](f)(tx.Case(f.t.Context(), f.tenant, ids[0]))
				c.Type, c.Data = by.Key, decoded(f, data)
				_, err := tx.UpdateCase(f.t.Context(), c, by)
				return err
			})
		}
		save(t, `{"amount": 3}`)
		f.lists(where(f, t, "data.amount"), ids, 1, 0)
		save(t, `{}`)
		f.lists(where(f, t, "data.amount"), ids, 1)
		save(t, `{"amount": 0}`)
		save(other, `{"amount": 0}`)
		f.lists(where(f, t, "data.amount"), ids, 1)
		f.lists(where(f, other, "data.amount", "amount=0"), ids, 0)
		save(plain, `{"amount": 0}`)
		f.lists(where(f, t, "data.amount"), ids, 1)
		f.lists(where(f, other, "data.amount"), ids)

		moved := must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, ids[1]))
		moved.Data, moved.Version, moved.Revision = decoded(f, `{"amount": 8}`), moved.Version+1, moved.Revision+1
		change := &store.Change{
			Case: moved, Type: plain, Newest: t, From: moved.Version - 1, Entry: anEntry(f.tenant, moved.ID, moved.Version),
		}
		if err := f.store.Commit(f.t.Context(), change); err != nil {
			f.t.Fatal(err)
		}
		f.lists(where(f, t, "", "amount=8"), ids, 1)
		f.update(func(tx *store.Tx) error { _, err := tx.DeleteCase(f.t.Context(), moved); return err })
		f.lists(where(f, t, "data.amount"), ids)
	},
	"older cases are indexed in portions, and lists wait for that": func(f *fixture) {
		t := kyc(f)
		old := indexedType(f, "kyc", `"amount": {"type": "number"}`, indexedName)
		data := slices.Repeat([]string{`{"amount": 5, "name": "ada"}`}, 1001)
		f.insertOf(old, data...)
		f.update(func(tx *store.Tx) error {
			return tx.IndexAgain(f.t.Context(), f.tenant, "kyc", []string{"amount"}, start)
		})
		filter, named := where(f, t, "data.amount", "amount=5"), where(f, t, "", "name=ada")
		filter.Limit, named.Limit = 2000, 2000
		portions := 0
		for ; ; portions++ {
			f.equal(len(f.cases(f.store.Cases(f.t.Context(), f.tenant, named))), 1001)
			task, more, err := f.store.NextFieldTask(f.t.Context(), start)
			if err != nil {
				f.t.Fatal(err)
			}
			if !more {
				break
			}
			for _, one := range []store.CaseFilter{filter, where(f, t, "-data.amount")} {
				if _, err := f.store.Cases(f.t.Context(), f.tenant, one); !errors.Is(err, fault.Unavailable) {
					f.t.Errorf("a list by a field that is being indexed: %v", err)
				}
			}
			f.indexPortion(task, t, old)
		}
		f.equal([]int{portions, len(f.cases(f.store.Cases(f.t.Context(), f.tenant, filter)))}, []int{3, 1001})

		stale := f.aCase(f.tenant, 2000) // as another node saves it by the definition before
		stale.Data = decoded(f, `{"amount": 6}`)
		f.update(func(tx *store.Tx) error { return tx.InsertCase(f.t.Context(), stale, old) })
		for {
			task, more, err := f.store.NextFieldTask(f.t.Context(), start.Add(time.Hour))
			if err != nil || !more {
				f.equal(err, nil)
				break
			}
			f.indexPortion(task, t, old)
		}
		f.lists(where(f, t, "", "amount=6"), []int64{stale.ID}, 0)
	},
	"a filter by fields has a type, and its conditions are resolved": func(f *fixture) {
		for _, filter := range []store.CaseFilter{
			{Fields: []casetype.IndexedRange{casetype.AnyIndexed("amount")}},
			{Type: "kyc", Where: []casetype.Condition{{Field: "amount", Operator: "=", Value: "1"}}},
			{Sort: "data.amount"},
		} {
			filter.Limit, filter.Clearance = 9, casetype.Restricted
			if _, err := f.store.Cases(f.t.Context(), f.tenant, filter); err == nil {
				f.t.Errorf("%+v is not refused", filter)
			}
		}
	},
}

func (f *fixture) indexPortion(task store.FieldTask, newest, own *casetype.Type) {
	f.t.Helper()
	err := f.store.IndexPortion(f.t.Context(), task, func(c cases.Case) ([]casetype.IndexedValue, error) {
		return newest.IndexedValues(c.Data, own), nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}
