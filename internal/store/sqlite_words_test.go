package store_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
)

// inOneGroup runs transactions in one group of SQLite's writer, in this order, and returns their errors.
func inOneGroup(t *testing.T, s *store.Store, all ...func(*store.Tx) error) []error {
	t.Helper()
	held, goOn := make(chan struct{}), make(chan struct{})
	results := make([]chan error, len(all)+1)
	for i := range results {
		do := func(*store.Tx) error { close(held); <-goOn; return nil }
		if i > 0 {
			do = all[i-1]
		}
		results[i] = make(chan error, 1)
		go func() { results[i] <- s.Update(t.Context(), do) }()
		if i == 0 {
			<-held
		}
		for s.Waiting() < i {
			runtime.Gosched()
		}
	}
	close(goOn)
	errs := make([]error, len(all))
	for i, result := range results {
		if err := <-result; i > 0 {
			errs[i-1] = err
		}
	}
	return errs
}

func wordType(t *testing.T) *casetype.Type {
	t.Helper()
	typ, err := casetype.Parse("", []byte(`{"key": "kyc", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// found returns the ids of the cases that a search finds, the newest first.
func found(t *testing.T, s *store.Store, tenant int64, text string) (ids []int64) {
	t.Helper()
	page, err := s.Cases(t.Context(), tenant, store.CaseFilter{Text: text, Clearance: casetype.Public, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range page.Items {
		c, err := row.Case()
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, c.ID)
	}
	return ids
}

func TestSQLiteIndexesTheWordsOfAGroup(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	acme, typ := tenant(t, s), wordType(t)
	at := time.UnixMicro(1_700_000_000_000_000)
	aCase := func(id int64, name string) cases.Case {
		return cases.Case{
			ID: id, Tenant: acme, Type: "kyc", TypeVersion: 1, Reference: fmt.Sprint("R-", id),
			Name: name, NameSet: true, State: "open", Classification: casetype.Public,
			Version: 1, Revision: 1, CreatedAt: at, ModifiedAt: at,
		}
	}
	insert := func(id int64, name string) func(*store.Tx) error {
		return func(tx *store.Tx) error { return tx.InsertCase(t.Context(), aCase(id, name), typ) }
	}
	rename := func(id, revision int64, name string) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			c := aCase(id, name)
			c.Revision = revision
			_, err := tx.UpdateCase(t.Context(), c, typ)
			return err
		}
	}
	remove := func(id, revision int64) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			c := aCase(id, "")
			c.Revision = revision
			_, err := tx.DeleteCase(t.Context(), c)
			return err
		}
	}
	refused := errors.New("refused")
	for i, err := range inOneGroup(t, s,
		insert(1, "apple"), insert(2, "pear"), rename(2, 1, "plum"), insert(3, "cherry"), remove(3, 1),
		insert(4, "apple"),
		func(tx *store.Tx) error { return errors.Join(insert(5, "apple")(tx), refused) },
	) {
		if want := i == 6; errors.Is(err, refused) != want || err != nil != want {
			t.Errorf("transaction %d: %v", i, err)
		}
	}
	check := func(what string, want map[string][]int64) {
		t.Helper()
		got := map[string][]int64{}
		for text := range want {
			got[text] = found(t, s, acme, text)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("a group", map[string][]int64{"apple": {4, 1}, "pear": nil, "plum": {2}, "cherry": nil})

	inOneGroup(t, s, rename(1, 1, "quince"), rename(1, 2, "melon"), remove(4, 1), insert(6, "apple"), remove(2, 2))
	check("the next", map[string][]int64{"apple": {6}, "quince": nil, "melon": {1}, "plum": nil})

	for i, err := range inOneGroup(t, s, insert(7, "fig"), func(tx *store.Tx) error {
		return tx.Exec("drop table case_documents") // so that the words can't be written
	}, rename(1, 3, "fig")) {
		if err == nil {
			t.Errorf("transaction %d of a group whose words are not saved: no error", i)
		}
	}
	check("a group that failed", map[string][]int64{"apple": {6}, "fig": nil, "melon": {1}})
}
