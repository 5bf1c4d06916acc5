package store

import (
	"context"
	"database/sql"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/pgtest"
)

// migrateTo migrates an empty database to an older version.
func migrateTo(t *testing.T, db *sql.DB, d goose.Dialect, folder string, version int64) {
	t.Helper()
	p, err := newProvider(db, d, folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

// exec runs a test's own statements.
func exec(ctx context.Context, t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			t.Fatalf("%v\n%s", err, s)
		}
	}
}

// linkedCase has the rows of a case with a contact, from before ids belonged to the tenant.
var linkedCase = []string{
	`insert into tenants (key, name, created_at) values ('acme', 'Acme', 1)`,
	`insert into cases (id, tenant, type, type_version, reference, name, name_set, color, state, classification, data,
		version, revision, outcome_instance, created_at, modified_at, search, labels, assignee, assignee_name, closed_at,
		status_changed_by, last_activity_at, contacts, search_private, search_restricted)
		values (4539148803436467, 1, 'kyc', 2, 'KYC-3', 'Ada', true, 'red', 'open', 'PRIVATE', '{"n":4}',
		5, 6, 7, 8, 9, 'kyc-3', 'a b', 10, 'Bo', 11, 12, 13, '[{"contact_id":4539148803436467,"role":"claimant"}]', 'x', 'y')`,
	`insert into contacts (id, tenant, details, version, created_at, modified_at, search)
		values (4539148803436467, 1, '{"first_name":"Ada"}', 14, 15, 16, 'ada')`,
	`insert into case_contacts (tenant, contact, case_id, role)
		values (1, 4539148803436467, 4539148803436467, 'claimant')`,
}

func TestCasesAndContactsStayWhatTheyAreWhenIDsBecomeTheTenantsOwn(t *testing.T) {
	t.Parallel()
	afterMigration(t, 17, linkedCase, checkLinkedCase)
}

// bytesLiteral matches bytes as SQLite writes them.
var bytesLiteral = regexp.MustCompile(`x'([0-9a-f]+)'`)

// afterMigration checks a store of each engine that was migrated from an older version with these rows. Bytes in the
// rows have SQLite's form.
func afterMigration(t *testing.T, version int64, rows []string, check func(t *testing.T, s *Store, engine string)) {
	t.Helper()
	ctx := t.Context()
	path, url := filepath.Join(t.TempDir(), "casehook.db"), pgtest.URL(t)
	lite, err := openFile(path, "immediate", 1)
	if err != nil {
		t.Fatal(err)
	}
	full, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct {
		db      *sql.DB
		dialect goose.Dialect
		folder  string
		options Options
	}{
		{lite, goose.DialectSQLite3, "sqlite", Options{Path: path, Key: testKey}},
		{full, goose.DialectPostgres, "postgres", Options{URL: url, Key: testKey}},
	} {
		migrateTo(t, e.db, e.dialect, e.folder, version)
		for _, row := range rows {
			if e.folder == "postgres" {
				row = bytesLiteral.ReplaceAllString(row, `'\x$1'`)
			}
			exec(ctx, t, e.db, row)
		}
		if err := e.db.Close(); err != nil {
			t.Fatal(err)
		}
		s, err := Open(ctx, e.options)
		if err != nil {
			t.Fatal(err)
		}
		check(t, s, e.folder)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkLinkedCase checks that a store has all that linkedCase wrote.
func checkLinkedCase(t *testing.T, s *Store, engine string) {
	t.Helper()
	ctx := t.Context()
	const id = 4539148803436467
	c, err := s.Case(ctx, 1, id)
	numbers := []int64{c.TypeVersion, c.Version, c.Revision, c.OutcomeInstance, c.CreatedAt.UnixMicro(),
		c.ModifiedAt.UnixMicro(),
		c.Assignee.UserID, c.ClosedAt.UnixMicro(), c.StatusChangedBy, c.LastActivity.At.UnixMicro()}
	if !slices.Equal(numbers, []int64{2, 5, 6, 7, 8, 9, 10, 11, 12, 13}) {
		t.Errorf("%s: the numbers of the case are %v", engine, numbers)
	}
	if err != nil || len(c.Labels) != 2 || len(c.Contacts) != 1 || len(c.Data) != 1 {
		t.Errorf("%s: the case is %+v, %v", engine, c, err)
	}
	want := cases.Case{
		Reference: "KYC-3", Name: "Ada", NameSet: true, Color: "red", State: "open",
		Classification: casetype.Private, Assignee: event.Person{UserID: 10, Name: "Bo"},
	}
	got := cases.Case{
		Reference: c.Reference, Name: c.Name, NameSet: c.NameSet, Color: c.Color, State: c.State,
		Classification: c.Classification, Assignee: c.Assignee,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: the case: %s", engine, diff)
	}
	for text, clearance := range map[string]casetype.Classification{
		"kyc-3": casetype.Private, "x": casetype.Private, "y": casetype.Restricted,
	} {
		if found, err := s.Cases(ctx, 1, CaseFilter{Text: text, Clearance: clearance, Limit: 9}); err != nil ||
			len(found.Items) != 1 {
			t.Errorf("%s: %q finds %d cases, %v", engine, text, len(found.Items), err)
		}
	}
	contact, err := s.Contact(ctx, 1, id)
	if err != nil {
		t.Fatal(err)
	}
	type person struct {
		FirstName         string
		Version, Modified int64
	}
	read := person{contact.FirstName, contact.Version, contact.ModifiedAt.UnixMicro()}
	if diff := cmp.Diff(person{"Ada", 14, 16}, read); diff != "" {
		t.Errorf("%s: the contact: %s", engine, diff)
	}
	links, err := s.Links(ctx, 1, LinkFilter{Contact: id, Clearance: casetype.Restricted, Limit: 9})
	if err != nil || len(links) != 1 || links[0] != (Link{CaseID: id, Role: "claimant"}) {
		t.Errorf("%s: the links are %v, %v", engine, links, err)
	}
}

// peopleOfBefore has the rows of users and of one audit record of each kind, from before users' ids belonged to the
// tenant and records had a classification.
var peopleOfBefore = func() (all []string) {
	all = append(all, `insert into tenants (key, name, created_at) values ('acme', 'Acme', 1), ('other', 'Other', 1)`)
	for _, user := range []string{`1, 'ada@example.org'`, `2, 'bob@example.org'`, `1, 'grace@example.org'`} {
		all = append(all, `insert into users (tenant, email, name, role, clearance, password, issuer, subject, disabled,
			epoch, revision, created_at, updated_at)
			values (`+user+`, 'Name', 'viewer', 'PUBLIC', '', '', '', false, 1, 1, 1, 1)`)
	}
	all = append(all, `insert into case_types (tenant, key, version, definition, created_at)
		values (1, 'closed', 1, '{"security_classification":"PRIVATE"}', 1), (1, 'open', 1, '{}', 1)`)
	for _, subject := range []string{
		"case_type/open", "case_type/closed", "case_type/gone", "endpoint/gone", "case/17", "user/1", "",
	} {
		all = append(all,
			`insert into audit (tenant, at, action, subject, actor, detail) values (1, 1, 'x', '`+subject+
				`', '{}', '{}')`)
	}
	return all
}()

func TestUsersStayWhoTheyAreWhenIDsBecomeTheTenantsOwn(t *testing.T) {
	t.Parallel()
	afterMigration(t, 21, peopleOfBefore, func(t *testing.T, s *Store, engine string) {
		ctx := t.Context()
		var ids []int64
		for _, u := range []access.User{{Tenant: 1, Email: "new@example.org"}, {Tenant: 2, Email: "new@example.org"}} {
			err := s.Update(ctx, func(tx *Tx) (err error) { u, err = tx.CreateUser(ctx, u); return err })
			if err != nil {
				t.Fatal(err)
			}
			all, err := s.Users(ctx, u.Tenant, 0, 9)
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range all {
				ids = append(ids, u.ID)
			}
		}
		if !slices.Equal(ids, []int64{1, 3, 4, 2, 3}) {
			t.Errorf("%s: the ids are %v", engine, ids)
		}
		for clearance, want := range map[casetype.Classification][]string{
			casetype.Public:     {"", "user/1", "case_type/open"},
			casetype.Private:    {"", "user/1", "case_type/closed", "case_type/open"},
			casetype.Restricted: {"", "user/1", "case/17", "endpoint/gone", "case_type/gone", "case_type/closed", "case_type/open"},
		} {
			records, err := s.Audited(ctx, 1, AuditFilter{Clearance: clearance, Before: math.MaxInt64}, 9)
			if err != nil {
				t.Fatal(err)
			}
			var subjects []string
			for _, r := range records.Items {
				subjects = append(subjects, r.Subject)
			}
			if !slices.Equal(subjects, want) {
				t.Errorf("%s: %s reads %q", engine, clearance, subjects)
			}
		}
	})
}
