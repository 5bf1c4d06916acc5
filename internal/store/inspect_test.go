package store_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func TestAnInspectionReadsBesideAStore(t *testing.T) {
	t.Parallel()
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			s := open(t, o)
			id := tenant(t, s)
			in, err := store.Inspect(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			version, err := in.Version(t.Context())
			if err != nil || !strings.HasPrefix(strings.ToLower(version), name[:5]) {
				t.Errorf("the version is %q, %v", version, err)
			}
			if applied, known, err := in.Schema(t.Context()); err != nil || applied != known || known < 60 {
				t.Errorf("the schema is %d of %d, %v", applied, known, err)
			}
			if ahead, err := in.Clock(t.Context()); err != nil || ahead.Abs() > 10*time.Second {
				t.Errorf("the clock is %v ahead, %v", ahead, err)
			}
			if err := in.CheckKey(t.Context()); err != nil {
				t.Error(err)
			}
			if got, err := in.Tenant(t.Context(), id); err != nil || got.ID != id {
				t.Errorf("the tenant is %+v, %v", got, err)
			}
			wrong := o
			wrong.Key = bytes.Repeat([]byte("x"), 32)
			other, err := store.Inspect(t.Context(), wrong)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close()
			if err := other.CheckKey(t.Context()); err == nil || fault.As(err).Code != "store.key_wrong" {
				t.Errorf("with another key: %v", err)
			}
			update(t, s, func(tx *store.Tx) error { // the store is not held up
				_, err := tx.CreateTenant(t.Context(), "later", "Later", time.Now())
				return err
			})
			if _, err := in.TenantByKey(t.Context(), "later"); err != nil {
				t.Errorf("what was committed later: %v", err)
			}
		})
	}
}
