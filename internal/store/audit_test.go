package store

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

// Neither Casehook nor an operator at the database can change the audit.
func TestTheAuditIsAppendOnly(t *testing.T) {
	for _, s := range statements {
		for _, text := range s.text {
			for _, verb := range []string{
				"update audit", "delete from audit", "insert or replace into audit", "truncate",
			} {
				if strings.Contains(strings.ToLower(text), verb) {
					t.Errorf("a statement changes the audit: %s", text)
				}
			}
		}
	}
	for name, s := range openBoth(t) {
		err := s.Update(t.Context(), func(tx *Tx) error {
			tenant, err := tx.CreateTenant(t.Context(), "acme", "Acme", fromMicros(1))
			if err != nil {
				return err
			}
			return tx.Audit(t.Context(), access.Record{Tenant: tenant, Action: access.TokenCreated})
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{"update audit set action = 'x'", "delete from audit"} {
			err := s.Update(t.Context(), func(tx *Tx) error {
				_, err := tx.q.exec(t.Context(), &statement{text: [2]string{text, text}})
				return err
			})
			if err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %s: %v", name, text, err)
			}
		}
	}
}
