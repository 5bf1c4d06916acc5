package storetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// strange are texts that engines may change.
var strange = []string{
	"", "'; drop table cases; --", "Ünïcödé ẞß İı", "日本語", "👩‍👩‍👧 \u202e \ufeff", "line\r\n\ttab", `back\slash "quote"`, "%_%",
	strings.Repeat("long ", 10_000), "\u0001\u001f\u007f", "\ufffd\uffff\U0010ffff",
}

// spellings are texts that are the same where letter case does not matter.
var spellings = [][]string{
	{"Müller", "MU\u0308LLER", "mu\u0308ller", "müller"},
	{"Gro\u00dfe Stra\u00dfe", "GROSSE STRASSE", "gro\u1e9ee strasse"},
	{"ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ"},
	{"ışıklar", "IŞIKLAR", "is\u0327iklar"},
	{"DİYARBAKIR", "diyarbakır", "di\u0307yarbakir"},
	{"ﬁﬁ １２３", "fifi 123", "FIFI １23"},
	{"K\u212aelvin", "kkelvin"},
	{"\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8"},
	{"co\u00adop", "COOP"},
}

var casesTests = map[string]func(*fixture){
	"a case is read back as it was saved": func(f *fixture) {
		for i, text := range strange {
			c := f.aCase(f.tenant, int64(i))
			c.Name, c.NameSet, c.Color, c.OutcomeInstance = text, i%2 == 0, text, int64(i)
			c.Classification = casetype.Restricted
			c.Data = map[string]any{
				"text": text, "nul": "a\x00b", "<&>": true, "null": nil, "none": map[string]any{}, "list": []any{json.Number("1e400"), text},
				"number": json.Number("12345678901234567890.10"),
			}
			f.insert(c)
			f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
		}
	},
	"cases are named by their ids": func(f *fixture) {
		c, other := f.aCase(f.tenant, 1), f.aCase(f.other, 2)
		f.insert(c, other)
		named := must[[]store.CaseName](f)
		f.equal(named(f.store.CaseNames(f.t.Context(), f.tenant, []int64{c.ID, other.ID, 7})), []store.CaseName{
			{ID: c.ID, Reference: c.Reference, Type: c.Type, State: c.State, Classification: c.Classification},
		})
		f.equal(named(f.store.CaseNames(f.t.Context(), f.tenant, nil)), []store.CaseName(nil))
	},
	"a big case is read back as it was saved": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		for i := range 2000 {
			c.Data[fmt.Sprint("field", i)] = strings.Repeat("x", 1000)
		}
		f.insert(c)
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
	},
	"text that an engine can't keep is refused": func(f *fixture) {
		for _, text := range []string{"a\x00b", "\xff\xfe"} {
			c := f.aCase(f.tenant, 1)
			c.Name = text
			f.refused(fault.Invalid, "store.text_invalid", func(tx *store.Tx) error { return tx.InsertCase(f.t.Context(), c, aType()) })
			_, err := f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Clearance: casetype.Restricted, Type: text, Limit: 1})
			f.wantFault(err, fault.Invalid, "store.text_invalid")
		}
	},
	"a case is its tenant's alone": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		_, err := f.store.Case(f.t.Context(), f.other, c.ID)
		f.wantFault(err, fault.NotFound, "case.not_found")
		f.equal(f.cases(f.store.Cases(f.t.Context(), f.other, store.CaseFilter{Clearance: casetype.Restricted, Limit: 9})), []cases.Case(nil))
		theirs := c
		theirs.Tenant = f.other
		for _, do := range []func(tx *store.Tx) error{
			func(tx *store.Tx) error { _, err := tx.UpdateCase(f.t.Context(), theirs, aType()); return err },
			func(tx *store.Tx) error { _, err := tx.TouchCase(f.t.Context(), f.other, c.ID, once); return err },
			func(tx *store.Tx) error { _, err := tx.DeleteCase(f.t.Context(), theirs); return err },
		} {
			f.refused(fault.NotFound, "case.not_found", do)
		}
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), c)
	},
	"an id and a reference are taken once": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		sameID, sameReference, another := f.aCase(f.tenant, 1), f.aCase(f.tenant, 2), f.aCase(f.other, 3)
		sameID.Reference, sameReference.Reference, another.Reference = "KYC-9", c.Reference, c.Reference
		for code, taken := range map[string]cases.Case{"store.duplicate": sameID, "case.reference_taken": sameReference} {
			f.refused(fault.Conflict, code, func(tx *store.Tx) error { return tx.InsertCase(f.t.Context(), taken, aType()) })
		}
		f.insert(another) // another tenant's references are its own
	},
	"an update needs the revision, a touch moves the version alone": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		var touched, updated cases.Case
		f.update(func(tx *store.Tx) (err error) {
			touched, err = tx.TouchCase(f.t.Context(), f.tenant, c.ID, cases.Activity{At: start.Add(time.Minute), By: 7})
			return err
		})
		want := c
		want.Version, want.LastActivity = 2, cases.Activity{At: start.Add(time.Minute), By: 7}
		f.equal(touched, want)

		c.Name, c.State, c.ModifiedAt, c.Data = "Grace", "approved", start.Add(time.Hour), map[string]any{}
		c.OpenedAt, c.ClosedAt, c.StatusChangedBy = start.Add(time.Minute), start.Add(time.Hour), 8
		c.LastActivity = cases.Activity{At: start.Add(time.Hour), By: 8}
		c.Type, c.TypeVersion, c.NameSet, c.Color, c.Classification = "claim", 7, true, "#fff", casetype.Public
		f.update(func(tx *store.Tx) (err error) { // c still has version 1, and the right revision
			updated, err = tx.UpdateCase(f.t.Context(), c, aType())
			return err
		})
		want = c
		want.Version, want.Revision = 3, 2
		f.equal(updated, want)
		f.equal(must[cases.Case](f)(f.store.Case(f.t.Context(), f.tenant, c.ID)), want)
		f.refused(fault.Conflict, "case.version_conflict", func(tx *store.Tx) error { _, err := tx.UpdateCase(f.t.Context(), c, aType()); return err })
		f.refused(fault.Conflict, "case.version_conflict", func(tx *store.Tx) error { _, err := tx.DeleteCase(f.t.Context(), c); return err })
		c.ID++
		f.refused(fault.NotFound, "case.not_found", func(tx *store.Tx) error { _, err := tx.UpdateCase(f.t.Context(), c, aType()); return err })
	},
	"a deleted case takes its comments and attachments along": func(f *fixture) {
		c, kept := f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		f.insert(c, kept)
		for _, c := range []cases.Case{c, kept} {
			f.update(func(tx *store.Tx) error {
				if err := tx.AddComment(f.t.Context(), f.tenant, aComment(c.ID, 1)); err != nil {
					return err
				}
				return tx.AddAttachment(f.t.Context(), f.tenant, cases.Proof, anAttachment(c.ID, 1))
			})
		}
		f.update(func(tx *store.Tx) error {
			last, err := tx.DeleteCase(f.t.Context(), c)
			f.equal([]any{last.Version, last.Name}, []any{int64(2), "Ada"})
			return err
		})
		_, err := f.store.Case(f.t.Context(), f.tenant, c.ID)
		f.wantFault(err, fault.NotFound, "case.not_found")
		for id, n := range map[int64]int{c.ID: 0, kept.ID: 1} {
			f.equal(len(items[cases.Comment](f)(f.store.Comments(f.t.Context(), f.tenant, id, "", 9))), n)
			f.equal(len(must[[]string](f)(f.store.CaseBlobs(f.t.Context(), f.tenant, id))), n)
		}
	},
	"pages of cases meet without gap or overlap, whatever was created at the same time": func(f *fixture) {
		f.label(f.tenant, cases.Label{Slug: "a"})
		var want []int64
		for i := range int64(25) {
			c := f.aCase(f.tenant, i)
			c.CreatedAt = start.Add(time.Duration(i/7) * time.Microsecond) // many share a time
			c.ModifiedAt = c.CreatedAt
			f.insert(c)
			f.update(func(tx *store.Tx) error {
				_, _, err := tx.AddLabel(f.t.Context(), f.tenant, c.ID, "a", once)
				return err
			})
			want = append(want, c.ID)
		}
		slices.Reverse(want)
		state := f.aCase(f.tenant, 0).State
		for _, filter := range []store.CaseFilter{
			{}, {Type: "kyc"}, {State: state}, {Label: "a"}, {Assignee: store.Unassigned},
			{Label: "a", State: state},
			{Text: "ada"}, {Text: "ada", Label: "a", State: state},
			{Sort: "-modified"}, {Sort: "-last_activity", Label: "a"}, {Created: store.Period{From: start}, Label: "a"},
		} {
			for _, limit := range []int{1, 4, 7, 25, 100} {
				filter.Clearance, filter.Limit = casetype.Restricted, limit
				f.equal(f.pagesOf(filter), want)
			}
		}
	},
	"cases are found by type and state": func(f *fixture) {
		for i, kind := range []string{"kyc/open", "kyc/done", "claim/open"} {
			c := f.aCase(f.tenant, int64(i))
			c.Type, c.State, _ = strings.Cut(kind, "/")
			f.insert(c)
		}
		for _, want := range []struct {
			store.CaseFilter
			n int
		}{
			{store.CaseFilter{}, 3}, {store.CaseFilter{Type: "kyc"}, 2}, {store.CaseFilter{State: "open"}, 2},
			{store.CaseFilter{Type: "kyc", State: "open"}, 1}, {store.CaseFilter{Type: "kyc", Text: "ada"}, 2}, {store.CaseFilter{Type: "none"}, 0},
			{store.CaseFilter{Without: []string{"kyc/open", "claim/done", "open"}}, 2},
			{store.CaseFilter{Without: []string{"kyc", "none"}}, 1}, {store.CaseFilter{Type: "kyc", Without: []string{"kyc"}}, 0},
		} {
			want.Limit, want.Clearance = 9, casetype.Restricted
			if got := f.cases(f.store.Cases(f.t.Context(), f.tenant, want.CaseFilter)); len(got) != want.n {
				f.t.Errorf("%+v finds %d cases, want %d", want.CaseFilter, len(got), want.n)
			}
		}
	},
	"cases are selected by their times, each from its beginning up to its end": func(f *fixture) {
		at := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
		for i := range 4 { // created at 0, 1, 2, 3, and the other times in another order; the last one is open
			c := f.aCase(f.tenant, int64(i))
			c.CreatedAt, c.ModifiedAt, c.LastActivity.At = at(i), at(13-i), at(20+i/2)
			c.ClosedAt = []time.Time{at(31), at(30), at(32), {}}[i]
			f.insert(c)
		}
		ids := func(all ...int64) (ids []int64) {
			for _, i := range all {
				ids = append(ids, f.aCase(f.tenant, i).ID)
			}
			return ids
		}
		from := func(n int) store.Period { return store.Period{From: at(n)} }
		until := func(n int) store.Period { return store.Period{Until: at(n)} }
		for _, want := range []struct {
			store.CaseFilter
			ids []int64
		}{
			{store.CaseFilter{Created: from(2)}, ids(3, 2)},
			{store.CaseFilter{Created: store.Period{From: at(2).Add(1)}}, ids(3)},
			{store.CaseFilter{Created: until(2)}, ids(1, 0)},
			{store.CaseFilter{Created: store.Period{Until: at(2).Add(1)}}, ids(2, 1, 0)},
			{store.CaseFilter{Created: store.Period{From: at(1), Until: at(3)}, Sort: "created"}, ids(1, 2)},
			{store.CaseFilter{Created: store.Period{From: at(1), Until: at(1)}}, nil},
			{store.CaseFilter{Created: until(2), Text: "ada"}, ids(1, 0)},
			{store.CaseFilter{Created: from(1), Text: "ada", Sort: "created"}, ids(1, 2, 3)},
			{store.CaseFilter{Modified: from(12)}, ids(1, 0)},
			{store.CaseFilter{Modified: from(12), Sort: "modified"}, ids(1, 0)},
			{store.CaseFilter{Modified: from(12), Sort: "-modified"}, ids(0, 1)},
			{store.CaseFilter{Modified: until(12), Created: until(3), Text: "ada"}, ids(2)},
			{store.CaseFilter{Closed: until(40)}, ids(2, 1, 0)},
			{store.CaseFilter{Closed: store.Period{From: at(31), Until: at(32)}, Sort: "closed"}, ids(0)},
			{store.CaseFilter{Closed: from(-1e6)}, ids(2, 1, 0)},
			{store.CaseFilter{LastActivity: from(21), State: "open"}, ids(3, 2)},
			{store.CaseFilter{LastActivity: until(21), Sort: "-last_activity", State: "open"}, ids(1, 0)},
			{store.CaseFilter{Sort: "modified"}, ids(3, 2, 1, 0)},
			{store.CaseFilter{Sort: "-modified"}, ids(0, 1, 2, 3)},
			{store.CaseFilter{Sort: "closed"}, ids(1, 0, 2)},
			{store.CaseFilter{Sort: "-closed"}, ids(2, 0, 1)},
			{store.CaseFilter{Sort: "last_activity"}, ids(0, 1, 2, 3)},
		} {
			for _, limit := range []int{1, 2, 9} {
				want.Limit, want.Clearance = limit, casetype.Restricted
				if got := f.pagesOf(want.CaseFilter); !slices.Equal(got, want.ids) {
					f.t.Errorf("%+v finds %v, want %v", want.CaseFilter, got, want.ids)
				}
			}
		}
	},
	"facets count the cases that a filter selects": func(f *fixture) {
		f.label(f.tenant, cases.Label{Slug: "a"}, cases.Label{Slug: "b"})
		for i, kind := range []string{"kyc/open", "kyc/done", "claim/open", "kyc/open"} {
			c := f.aCase(f.tenant, int64(i))
			c.Type, c.State, _ = strings.Cut(kind, "/")
			c.CreatedAt, c.ModifiedAt = start.Add(time.Duration(i)*time.Second), start.Add(time.Duration(9-i)*time.Second)
			c.Classification = []casetype.Classification{casetype.Restricted, casetype.Public}[min(i, 1)]
			f.insert(c)
			f.update(func(tx *store.Tx) error {
				_, _, err := tx.AddLabel(f.t.Context(), f.tenant, c.ID, []string{"a", "b"}[i/2], once)
				if i == 1 {
					_, _, other := tx.AddLabel(f.t.Context(), f.tenant, c.ID, "b", once)
					_, _, assigned := tx.Assign(f.t.Context(), f.tenant, c.ID, event.Person{UserID: 7, Name: "Bo"}, once)
					err = errors.Join(err, other, assigned)
				}
				return err
			})
		}
		f.insert(f.aCase(f.other, 9))
		type counts = map[string]int64
		counted := func(n int64, types, states, labels, assignees counts) store.CaseFacets {
			return store.CaseFacets{
				Cases: n, Complete: true, Types: types, States: states, Labels: labels, Assignees: assignees,
			}
		}
		for _, want := range []struct {
			store.CaseFilter
			store.CaseFacets
		}{
			{store.CaseFilter{}, counted(4, counts{"kyc": 3, "claim": 1}, counts{"open": 3, "done": 1}, counts{"a": 2, "b": 3}, counts{"0": 3, "7": 1})},
			{store.CaseFilter{Clearance: casetype.Public, Type: "kyc"}, counted(2, counts{"kyc": 2}, counts{"open": 1, "done": 1}, counts{"a": 1, "b": 2}, counts{"0": 1, "7": 1})},
			{store.CaseFilter{Modified: store.Period{From: start.Add(8 * time.Second)}}, counted(2, counts{"kyc": 2}, counts{"open": 1, "done": 1}, counts{"a": 2, "b": 1}, counts{"0": 1, "7": 1})},
			{store.CaseFilter{Text: "ada", Label: "b", Assignee: 7}, counted(1, counts{"kyc": 1}, counts{"done": 1}, counts{"a": 1, "b": 1}, counts{"7": 1})},
			{store.CaseFilter{Without: []string{"kyc"}, State: "open"}, counted(1, counts{"claim": 1}, counts{"open": 1}, counts{"b": 1}, counts{"0": 1})},
			{store.CaseFilter{Text: "nothing"}, counted(0, counts{}, counts{}, counts{}, counts{})},
		} {
			want.CaseFilter.Clearance = cmp.Or(want.CaseFilter.Clearance, casetype.Restricted)
			f.equal(must[store.CaseFacets](f)(f.store.CaseFacets(f.t.Context(), f.tenant, want.CaseFilter)), want.CaseFacets)
		}
	},
	"a list has one of the known orders, and its positions are its own": func(f *fixture) {
		for code, all := range map[string][]store.CaseFilter{
			"case.sort_invalid": {
				{Sort: "name"}, {Sort: "-"}, {Sort: "modified", Text: "ada"}, {Sort: "-closed", Text: "ada"},
			},
			"request.cursor_invalid": {
				{Sort: "modified", After: store.Position{CreatedAt: start, ID: 1}},
				{After: store.Position{CreatedAt: start, ID: 1, Sort: "modified"}},
				{Sort: "-modified", After: store.Position{CreatedAt: start, ID: 1, Sort: "modified"}},
			},
		} {
			for _, filter := range all {
				filter.Limit, filter.Clearance = 9, casetype.Restricted
				_, err := f.store.Cases(f.t.Context(), f.tenant, filter)
				f.wantFault(err, fault.Invalid, code)
			}
		}
	},
	"a search takes every character for what it is": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		c.Reference, c.Name = "KYC-0042", `100% of_a\b O'Neil ÄRGER Ελλάς`
		c.Data = map[string]any{"deep": []any{map[string]any{"x": "Gräfin\x00Zahl"}}, "n": json.Number("4711"), "flag": true, "field": nil}
		f.insert(c, f.aCase(f.tenant, 2))
		for text, found := range map[string]bool{
			"0042": true, "kyc-0042": true, "100%": true, "100% of_a": true, "0%f": false, "of_a": true, "ofxa": false, "of-a": true,
			`a\b`: true, `a\\b`: true, "o'neil": true, "ärger": true, "ÄRGER": true, "ελλά": true, "GRÄFIN": true, "zahl": true, "4711": true,
			"field": false, "true": false, "null": false, "%%": false, "_k": false,
		} {
			got := f.cases(f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Clearance: casetype.Restricted, Type: "kyc", Text: text, Limit: 9}))
			if (len(got) == 1) != found {
				f.t.Errorf("%q finds %d cases", text, len(got))
			}
		}
		_, err := f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Clearance: casetype.Restricted, Text: strings.Repeat("x", 60_000), Limit: 9})
		f.wantFault(err, fault.Invalid, "search.too_long")
	},
	"a search finds a text in every spelling": func(f *fixture) {
		finds := func(text string) int {
			filter := store.CaseFilter{Clearance: casetype.Restricted, Text: text, Limit: 9}
			return len(f.cases(f.store.Cases(f.t.Context(), f.tenant, filter)))
		}
		for i, spellings := range spellings {
			c := f.aCase(f.tenant, int64(i))
			c.Name, c.Data = "name", map[string]any{"note": "before " + spellings[0] + " behind"}
			f.insert(c)
			for _, text := range spellings {
				if n := finds(text); n != 1 {
					f.t.Errorf("%+q finds %d cases with %+q", text, n, spellings[0])
				}
			}
			for _, text := range spellings {
				c.Name = text
				f.update(func(tx *store.Tx) (err error) { c, err = tx.UpdateCase(f.t.Context(), c, aType()); return err })
				if n := finds(spellings[0]); n != 1 {
					f.t.Errorf("%+q finds %d cases named %+q", spellings[0], n, text)
				}
			}
		}
		f.equal(finds("Muller"), 0)
	},
	"a clearance lists cases and finds values up to itself": func(f *fixture) {
		for i, class := range casetype.Classifications() {
			c := f.aCase(f.tenant, int64(i))
			c.Classification, c.Name = class, "made-of-email"
			c.Data = map[string]any{"email": "private@example.org", "iban": "restricted-1", "note": "public"}
			f.insert(c)
		}
		for text, want := range map[string][3]int{
			"": {1, 2, 3}, "public": {1, 2, 3}, "private@": {0, 2, 3}, "made-of": {0, 2, 3}, "restricted-1": {0, 0, 3},
		} {
			for i, clearance := range casetype.Classifications() {
				got := f.cases(f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Text: text, Limit: 9, Clearance: clearance}))
				if len(got) != want[i] {
					f.t.Errorf("%s finds %d cases by %q, want %d", clearance, len(got), text, want[i])
				}
			}
			f.equal(f.cases(f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Text: text, Limit: 9})), []cases.Case(nil))
		}
	},
	"a search by relevance has the best match first, on every page": func(f *fixture) {
		want := map[string]int64{}
		for i, one := range []struct{ name, reference, note string }{
			{"whole", "A-1", "a long text before the word: the claim is about a roof"},
			{"beginning", "A-2", "rooftop"},
			{"reference", "roof", "nothing"},
			{"often", "A-3", "a long text before the word: roof, roof, roof and roof"},
			{"first", "A-4", "rooftops, the newer one"},
		} {
			c := f.aCase(f.tenant, int64(i))
			c.Classification, c.Reference = casetype.Public, one.reference
			c.Name, c.NameSet = "", true
			c.Data = map[string]any{"note": one.note}
			f.insert(c)
			want[one.name] = c.ID
		}
		order := []int64{want["reference"], want["often"], want["whole"], want["beginning"], want["first"]}
		for limit := 1; limit <= 6; limit++ {
			filter := store.CaseFilter{Text: "roof", Sort: "relevance", Limit: limit, Clearance: casetype.Public}
			f.equal(f.pagesOf(filter), order)
		}
	},
	"a search by relevance does not tell of what the reader may not see": func(f *fixture) {
		var all []cases.Case
		for i := range 3 {
			c := f.aCase(f.tenant, int64(i))
			c.Classification, c.Reference = casetype.Public, fmt.Sprint("A-", i)
			c.Name, c.NameSet = "", true
			c.Data = map[string]any{"note": "a roof of slates", "iban": "none"}
			f.insert(c)
			all = append(all, c)
		}
		order := func(clearance casetype.Classification) (ids []int64) {
			filter := store.CaseFilter{Text: "roof slate", Sort: "relevance", Limit: 9, Clearance: clearance}
			for _, c := range f.cases(f.store.Cases(f.t.Context(), f.tenant, filter)) {
				ids = append(ids, c.ID)
			}
			return ids
		}
		before := order(casetype.Public)
		f.update(func(tx *store.Tx) error {
			all[0].Data["iban"] = "roof roof slate"
			_, err := tx.UpdateCase(f.t.Context(), all[0], aType())
			return err
		})
		f.equal(order(casetype.Public), before)
		f.equal(order(casetype.Private), before)
		f.equal(order(casetype.Restricted), []int64{all[0].ID, all[2].ID, all[1].ID})
	},
	"a search finds every word by its beginning, and a phrase as it stands": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		c.Reference, c.Name, c.NameSet = "KYC-0042", "Grand Hôtel Müller", true
		c.Data = map[string]any{
			"note": "the quick brown fox; 東京都の天気 สวัสดี Straße 🏨",
			"long": strings.Repeat("x", 5000), "number": json.Number("-77.50"),
		}
		f.insert(c, f.aCase(f.tenant, 2))
		for text, found := range map[string]bool{
			"qui": true, "qui bro": true, "bro qui": true, "quick hotel": false, "grand quick 0042": true,
			"uick": false, "quick missing": false,
			`"quick brown"`: true, `"quick bro"`: false, `"quick bro`: true, `"brown quick"`: false, `"quick fox"`: false,
			`"QUICK  Brown" gra`: true, `"quick brown" missing`: false, `""`: false, `"`: false,
			"hôt": true, "ho\u0302tel": true, "müll": true, `"hôtel müller"`: true,
			"京都": true, "都京": false, "天": true, "สวัส": true, "🏨": true, "🏠": false,
			"strass": true, "STRASSE": true, "strase": false,
			strings.Repeat("x", 200): true, strings.Repeat("x", 63) + "y": false,
			"77.5": true, "77.6": false, "kyc-00": true, "kyc-42": false,
			"search:quick": false, "quick*": true, "quick OR missing": false, "NOT missing": false,
			"quick & (brown | zebra)": false, "'quick'": true, ";": false,
		} {
			filter := store.CaseFilter{Clearance: casetype.Restricted, Type: c.Type, Text: text, Limit: 9}
			got := f.cases(f.store.Cases(f.t.Context(), f.tenant, filter))
			if found != (len(got) == 1 && got[0].ID == c.ID) || len(got) > 1 {
				f.t.Errorf("%q finds %d cases", text, len(got))
			}
		}
	},
	"a search is the tenant's own, and forgets deleted cases": func(f *fixture) {
		c, theirs := f.aCase(f.tenant, 1), f.aCase(f.other, 1)
		theirs.Name = "Grace"
		f.insert(c, theirs)
		finds := func(tenant int64, text string) int {
			filter := store.CaseFilter{Clearance: casetype.Restricted, Text: text, Limit: 9}
			return len(f.cases(f.store.Cases(f.t.Context(), tenant, filter)))
		}
		f.equal([]int{finds(f.tenant, "ada"), finds(f.tenant, "grace"), finds(f.other, "grace")}, []int{1, 0, 1})
		f.update(func(tx *store.Tx) error { _, err := tx.DeleteCase(f.t.Context(), c); return err })
		f.equal([]int{finds(f.tenant, "ada"), finds(f.other, "grace")}, []int{0, 1})
		c.Name = "Alan" // of the same id
		f.insert(c)
		f.equal([]int{finds(f.tenant, "alan"), finds(f.tenant, "grace"), finds(f.other, "grace")}, []int{1, 0, 1})
		f.refused(fault.Conflict, "case.reference_taken", func(tx *store.Tx) error {
			taken := f.aCase(f.tenant, 2)
			taken.Name, taken.Reference = "Edsger", c.Reference
			return tx.InsertCase(f.t.Context(), taken, aType())
		})
		f.equal(finds(f.tenant, "edsger"), 0)
	},
	"a case with more words than are searched is saved, and found by the first": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		var text strings.Builder
		for i := range 100_000 {
			fmt.Fprintf(&text, "%x ", i)
		}
		for _, field := range []string{"email", "iban", "note"} { // one of each clearance
			c.Data[field] = text.String()
		}
		f.insert(c)
		filter := store.CaseFilter{Clearance: casetype.Restricted, Text: `"1 2 3"`, Limit: 9}
		f.equal(len(f.cases(f.store.Cases(f.t.Context(), f.tenant, filter))), 1)
	},
	"a search finds the comments, the files and the contacts of a case": func(f *fixture) {
		c, k := f.aCase(f.tenant, 1), cases.Contact{
			ID: 7, Tenant: f.tenant, Version: 1,
			ContactDetails: event.ContactDetails{FirstName: "Grace", LastName: "Hopper", BusinessName: "Eckert"},
		}
		f.insert(c, f.aCase(f.tenant, 2))
		link := event.CaseContact{ContactID: k.ID, Role: "claimant"}
		hidden := anAttachment(c.ID, 1)
		hidden.Filename, hidden.Clearance = "verdict-final.pdf", casetype.Restricted
		in := func(do func(tx *store.Tx) error) func() { return func() { f.update(do) } }
		steps := []struct {
			do             func()
			found, missing string // words, the second ones as found by nobody
		}{
			{in(func(tx *store.Tx) error {
				comment := aComment(c.ID, 1)
				comment.Text = "Please call the Großmutter"
				return tx.AddComment(f.t.Context(), f.tenant, comment)
			}), "ada grossmutter", "verdict grace"},
			{in(func(tx *store.Tx) error {
				return tx.AddAttachment(f.t.Context(), f.tenant, cases.Proof, hidden)
			}), "verdict pdf grossmutter", "grace"},
			{in(func(tx *store.Tx) error {
				if err := tx.InsertContact(f.t.Context(), k); err != nil {
					return err
				}
				_, _, err := tx.LinkContact(f.t.Context(), f.tenant, c.ID, link, once)
				return err
			}), `"grace hopper" eck`, "rear"},
			{in(func(tx *store.Tx) (err error) {
				k.LastName, k.BusinessName = "Murray", ""
				k, err = tx.UpdateContact(f.t.Context(), k)
				return err
			}), `"grace murray"`, "hopper eckert"},
			{in(func(tx *store.Tx) (err error) {
				c = must[cases.Case](f)(tx.Case(f.t.Context(), f.tenant, c.ID))
				c.Name, c.NameSet = "Lovelace", true
				c, err = tx.UpdateCase(f.t.Context(), c, aType())
				return err
			}), "lovelace murray grossmutter verdict", "hopper"},
			{in(func(tx *store.Tx) error {
				return tx.DeleteAttachment(f.t.Context(), f.tenant, c.ID, cases.Proof, hidden.ID)
			}), "murray grossmutter", "verdict pdf"},
			{in(func(tx *store.Tx) error {
				_, err := tx.DeleteContact(f.t.Context(), k)
				return err
			}), "grossmutter", "murray grace"},
			{in(func(tx *store.Tx) error {
				_, err := tx.DeleteCase(f.t.Context(), must[cases.Case](f)(tx.Case(f.t.Context(), f.tenant, c.ID)))
				return err
			}), "", "grossmutter lovelace"},
		}
		finds := func(text string, clearance casetype.Classification) int {
			return len(f.pagesOf(store.CaseFilter{Text: text, Limit: 9, Clearance: clearance}))
		}
		for i, step := range steps {
			step.do()
			if step.found != "" && finds(step.found, casetype.Restricted) != 1 {
				f.t.Errorf("step %d: %s is not found", i, step.found)
			}
			for _, word := range strings.Fields(step.missing) {
				if finds(word, casetype.Restricted) != 0 {
					f.t.Errorf("step %d: %s is found", i, word)
				}
			}
			if finds("verdict", casetype.Private) != 0 {
				f.t.Errorf("step %d: a restricted file is found with a lower clearance", i)
			}
		}
	},
	"a search follows an update": func(f *fixture) {
		c := f.aCase(f.tenant, 1)
		f.insert(c)
		c.Data = map[string]any{"email": "grace@example.org"}
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateCase(f.t.Context(), c, aType()); return err })
		for text, n := range map[string]int{"ada@example": 0, "grace@example": 1} {
			f.equal(len(f.cases(f.store.Cases(f.t.Context(), f.tenant, store.CaseFilter{Clearance: casetype.Restricted, Text: text, Limit: 9}))), n)
		}
	},
	"a counter counts by tenant and name, whether within a transaction or outside, and no number is drawn twice": func(f *fixture) {
		next := func(tenant int64, name string, then error) (n int64) {
			err := f.store.Update(f.t.Context(), func(tx *store.Tx) (err error) {
				if n, err = tx.Next(f.t.Context(), tenant, name); err != nil {
					return err
				}
				return then
			})
			if err != then {
				f.t.Fatal(err)
			}
			return n
		}
		outside := must[int64](f)(f.store.Next(f.t.Context(), f.tenant, "a"))
		f.equal([]int64{outside, next(f.tenant, "a", nil), next(f.tenant, "b", nil), next(f.other, "a", nil)}, []int64{1, 2, 1, 1})
		if n := next(f.tenant, "a", errGivenUp); n != 3 {
			f.t.Errorf("drew %d, want 3", n)
		}
		again := next(f.tenant, "a", nil)
		if f.store.Nodes() && again != 4 || !f.store.Nodes() && again != 3 { // SQLite draws in the transaction
			f.t.Errorf("drew %d after a number was given up", again)
		}
	},
	"a reference that is taken refuses a new case, and its transaction goes on": func(f *fixture) {
		first, second := f.aCase(f.tenant, 1), f.aCase(f.tenant, 2)
		f.insert(first)
		f.update(func(tx *store.Tx) error {
			taken := second
			taken.Reference = first.Reference
			if err := tx.InsertCase(f.t.Context(), taken, aType()); !errors.Is(err, store.ErrReferenceTaken) {
				f.t.Errorf("InsertCase = %v", err)
			}
			return tx.InsertCase(f.t.Context(), second, aType())
		})
		f.insert(f.aCase(f.tenant, 3))
		f.refused(fault.Conflict, "case.reference_taken", func(tx *store.Tx) error {
			c := must[cases.Case](f)(tx.Case(f.t.Context(), f.tenant, second.ID))
			c.Reference = first.Reference
			_, err := tx.UpdateCase(f.t.Context(), c, aType())
			return err
		})
	},
}

// pagesOf returns the ids of the cases that a filter selects, page by page.
func (f *fixture) pagesOf(filter store.CaseFilter) (ids []int64) {
	f.t.Helper()
	for {
		page := must[store.CasePage](f)(f.store.Cases(f.t.Context(), f.tenant, filter))
		for _, row := range page.Items {
			filter.After = row.Position(filter.Sort)
			ids = append(ids, filter.After.ID)
		}
		if len(page.Items) < filter.Limit || len(ids) > 1000 { // more than there are: pages overlap
			return ids
		}
	}
}
