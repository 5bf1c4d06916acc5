package store

import (
	"fmt"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

// writtenCases are cases with comments, files and contacts of before these were searched.
func writtenCases() []string {
	all := []string{
		`insert into tenants (key, name, created_at) values ('acme', 'Acme', 1)`,
		`insert into contacts (id, tenant, details, version, created_at, modified_at, search)
			values (5, 1, '{"first_name": "Grace"}', 1, 1, 1, 'grace')`,
	}
	for id := range 300 {
		all = append(all, fmt.Sprintf(`insert into cases (id, created_at, reference,
				tenant, type, type_version, name, name_set, color, state, classification, data, version, revision,
				outcome_instance, modified_at, search, folding)
			values (%[1]d, %[1]d, 'R-%[1]d', 1, 'kyc', 1, '', false, '', 'open', 'PUBLIC', '{}', 1, 1, 0, 1, 'r %[1]d', 2)`, id+1),
			fmt.Sprintf(`insert into comments (id, tenant, case_id, text, actor, at)
				values ('cmt_%[1]d', 1, %[1]d, 'Großmutter', '{}', 1)`, id+1),
			fmt.Sprintf(`insert into case_contacts (tenant, contact, case_id, role)
				values (1, 5, %d, 'claimant')`, id+1))
	}
	return all
}

func TestCasesAreFoundByCommentsOfBeforeTheseWereSearched(t *testing.T) {
	t.Parallel()
	afterMigration(t, 34, writtenCases(), func(t *testing.T, s *Store, engine string) {
		if err := s.FoldTexts(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"grossmutter", "grossmutter grace", "r"} {
			f := CaseFilter{Text: text, Clearance: casetype.Public, Limit: 1000}
			if page, err := s.Cases(t.Context(), 1, f); err != nil || len(page.Items) != 300 {
				t.Errorf("%s: %q finds %d cases, %v", engine, text, len(page.Items), err)
			}
		}
	})
}

// TestTheCasesOfAContactFollowIt: some at once, and the others in the background.
func TestTheCasesOfAContactFollowIt(t *testing.T) {
	rows := writtenCases()
	afterMigration(t, 34, rows, func(t *testing.T, s *Store, engine string) {
		if err := s.FoldTexts(t.Context()); err != nil {
			t.Fatal(err)
		}
		more := `insert into case_contacts (tenant, contact, case_id, role)
			select 1, 5, 1000 + id, 'claimant' from cases`
		err := s.Update(t.Context(), func(tx *Tx) error {
			for _, text := range []string{
				`insert into cases (id, created_at, reference, tenant, type, type_version, name, name_set, color, state,
					classification, data, version, revision, outcome_instance, modified_at, search, folding)
				select 1000 + id, created_at, 'S-' || id, 1, 'kyc', 1, '', false, '', 'open', 'PUBLIC', '{}', 1, 1, 0, 1,
					's', 2 from cases`,
				more + ` where id <= 300`,
			} {
				if err := tx.Exec(text); err != nil {
					return err
				}
			}
			if err := tx.LockCasesOf(t.Context(), 1, 5); err != nil {
				return err
			}
			c, err := tx.LockContact(t.Context(), 1, 5)
			if err != nil {
				return err
			}
			c.FirstName = "Ada"
			_, err = tx.UpdateContact(t.Context(), c)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{mostLinked, 600} {
			f := CaseFilter{Text: "ada", Clearance: casetype.Public, Limit: 1000}
			if page, err := s.Cases(t.Context(), 1, f); err != nil || len(page.Items) != want {
				t.Errorf("%s: the contact finds %d cases, %v; want %d", engine, len(page.Items), err, want)
			}
			if err := s.FoldTexts(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
