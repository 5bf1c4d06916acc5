package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// TestTextsOfBeforeThereWereKeysAreFolded opens a database of a version that kept texts in lower case and compared
// names by bytes.
func TestTextsOfBeforeThereWereKeysAreFolded(t *testing.T) {
	t.Parallel()
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			s := open(t, o)
			tenant := fillOld(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			nodes := make(chan *store.Store, 3)
			count := map[bool]int{true: cap(nodes), false: 1}[s.Nodes()]
			for range count {
				go func() {
					node, err := store.Open(t.Context(), o)
					if err != nil {
						t.Error(err)
					}
					nodes <- node
				}()
			}
			for range count {
				node := <-nodes
				if node == nil {
					t.FailNow()
				}
				t.Cleanup(func() { node.Close() })
				s = node
			}
			filter := store.CaseFilter{Text: "STRASSE", Clearance: casetype.Restricted, Limit: 2000}
			if found, err := s.Cases(t.Context(), tenant, filter); err != nil || len(found.Items) != oldRows {
				t.Errorf("%d cases, %v", len(found.Items), err)
			}
			for text, want := range map[string]int{"strasse": 0, "their": 1} { // the other has a case with the same id
				filter := store.CaseFilter{Text: text, Clearance: casetype.Restricted, Limit: 9}
				if found, err := s.Cases(t.Context(), tenant+1, filter); err != nil || len(found.Items) != want {
					t.Errorf("another tenant's search for %q finds %d cases, %v", text, len(found.Items), err)
				}
			}
			contacts, err := s.Contacts(t.Context(), tenant, store.ContactFilter{Text: "strasse", Limit: 2000})
			if err != nil || len(contacts.Items) != oldRows {
				t.Errorf("%d contacts, %v", len(contacts.Items), err)
			}
			for _, spelt := range []string{"Größe", "GRÖSSE", "Gro\u0308ße"} {
				e := endpoint.Endpoint{ID: "ep_2", Tenant: tenant, Name: spelt}
				if err := s.CheckEndpointName(t.Context(), e,
					casetype.Restricted); fault.As(err).Code != "endpoint.name_taken" {
					t.Errorf("%q is free: %v", spelt, err)
				}
			}
			e, err := s.Endpoint(t.Context(), tenant, "ep_1") // whose name another had first
			if err != nil {
				t.Fatal(err)
			}
			e.Description = "goes on as it is called"
			err = s.Update(t.Context(), func(tx *store.Tx) error {
				_, err := tx.UpdateEndpoint(t.Context(),
					e)
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// oldRows is more rows than one portion has.
const oldRows = 701

func fillOld(t *testing.T, s *store.Store) (tenant int64) {
	t.Helper()
	typ, err := casetype.Parse("", []byte(`{"key": "plain", "fields": {"type": "object", "properties": {}},
		"states": [{"key": "open"}], "transitions": [{"key": "create", "to": "open"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		if tenant, err = tx.CreateTenant(t.Context(), "acme", "Acme", at); err != nil {
			return err
		}
		other, err := tx.CreateTenant(t.Context(), "other", "Other", at)
		if err != nil || other != tenant+1 {
			return fmt.Errorf("the other tenant is %d: %w", other, err)
		}
		theirs := cases.Case{ID: 1000, Tenant: other, Type: "plain", TypeVersion: 1, Reference: "1", State: "open",
			Name: "Theirs", NameSet: true, Version: 1, Revision: 1, Classification: casetype.Public,
			CreatedAt: at, ModifiedAt: at}
		if err := tx.InsertCase(t.Context(), theirs, typ); err != nil {
			return err
		}
		for n := range int64(oldRows) {
			c := cases.Case{ID: 1000 + n, Tenant: tenant, Type: "plain", TypeVersion: 1, Reference: fmt.Sprint(n),
				State: "open",
				Name:  "Lange Straße", NameSet: true, Version: 1, Revision: 1, Classification: casetype.Public,
				CreatedAt: at, ModifiedAt: at}
			if err := tx.InsertCase(t.Context(), c, typ); err != nil {
				return err
			}
			d := event.ContactDetails{IsBusiness: true, BusinessName: "Straße"}
			contact := cases.Contact{
				ID: 1000 + n, Tenant: tenant, Version: 1, CreatedAt: at, ModifiedAt: at, ContactDetails: d,
			}
			if err := tx.InsertContact(t.Context(), contact); err != nil {
				return err
			}
		}
		for n, name := range []string{"Größe", "GRÖSSE"} {
			e := endpoint.Endpoint{ID: fmt.Sprint("ep_", n), Tenant: tenant, Name: fmt.Sprint(n),
				URL:      "https://example.org/",
				Triggers: []string{"case_created"}, Status: endpoint.Active, Revision: 1, CreatedAt: at, UpdatedAt: at}
			if err := tx.CreateEndpoint(t.Context(), e, fmt.Sprint("cur_", n)); err != nil {
				return err
			}
			old := fmt.Sprintf(`update endpoints set name = '%s', name_key = '' where id = '%s'`, name, e.ID)
			if err := tx.Exec(old); err != nil {
				return err
			}
		}
		for _, statement := range []string{
			`update cases set folding = 0, search = 'lange straße' where name = 'Lange Straße'`,
			`update cases set folding = 1, search = 'theirs;' where name = 'Theirs'`,
			`update contacts set folding = 0, search = 'straße'`,
		} {
			if err := tx.Exec(statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tenant
}
