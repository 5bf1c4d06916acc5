package store

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
)

// A search for cases of older versions reads a bounded number of cases, and the next one continues behind these, even
// if none was found.
func TestLookingForOlderCasesIsBounded(t *testing.T) {
	typ := &casetype.Type{Definition: casetype.Definition{Key: "kyc"}}
	versions := []int64{2, 2, 2, 1, 2, 2, 2, 1} // the ids 1 to 8; several are created at one time
	for name, s := range openBoth(t) {
		var tenant int64
		at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
		err := s.Update(t.Context(), func(tx *Tx) (err error) {
			if tenant, err = tx.CreateTenant(t.Context(), "acme", "Acme", at); err != nil {
				return err
			}
			for i, version := range versions {
				c := cases.Case{
					ID:             int64(i + 1),
					Tenant:         tenant,
					Type:           "kyc",
					TypeVersion:    version,
					Reference:      fmt.Sprint(i),
					State:          "open",
					Version:        1,
					Revision:       1,
					Classification: casetype.Public,
					CreatedAt:      at.Add(time.Duration(i/4) * time.Second),
					ModifiedAt:     at,
				}
				if err := tx.InsertCase(t.Context(), c, typ); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(name, err)
		}
		f := OlderFilter{Type: "kyc", Below: 2, Limit: 10, Clearance: casetype.Restricted}
		var got []string
		for range versions {
			page, to, err := s.olderCases(t.Context(), tenant, f, 3)
			if err != nil {
				t.Fatal(name, err)
			}
			left, err := s.CountOlderCases(t.Context(), tenant, f)
			if err != nil {
				t.Fatal(name, err)
			}
			found := ""
			for _, row := range page.Items {
				found += fmt.Sprint(" ", row.row.ID)
			}
			got = append(got, fmt.Sprintf("%d:%s to %d", left, found, to.ID))
			if to.ID == 0 {
				break
			}
			f.After = to
		}
		if want := []string{"2: to 3", "2: 4 to 6", "1: 8 to 0"}; !slices.Equal(got, want) {
			t.Errorf("%s: it found %q, want %q", name, got, want)
		}
		for of, args := range map[*statement][]any{
			caseAhead: append(f.from(tenant), 10), olderList: f.arguments(tenant, micros(at), 7, 10), olderCount: f.arguments(tenant, 10),
		} {
			plan := sqlitePlan
			if name == "postgres" {
				plan = postgresPlan
			}
			if p := plan(t, s, of, args); !strings.Contains(p, "cases_by_type") || strings.Contains(p, "TEMP B-TREE") {
				t.Errorf("%s:\n%s", name, p)
			}
		}
	}
}
