package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// A change of this process counts at once, and a change of another process within a second.
func TestAMemoryFollowsChanges(t *testing.T) {
	t.Parallel()
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			here, elsewhere := open(t, o), open(t, o)
			id := tenant(t, here)
			tokens := store.NewMemory[string, access.Token](here, 10)
			types := store.NewMemory[string, int64](here, 10)
			token := func(key string) (access.Token, error) {
				found, _, err := tokens.Get(key, func() (access.Token, int64, error) {
					found, err := here.Token(t.Context(), key)
					return found, found.Tenant, err
				})
				return found, err
			}
			newest := func() int64 {
				version, _, err := types.Get("kyc", func() (int64, int64, error) {
					found, err := here.CaseType(t.Context(), id, "kyc", 0)
					return found.Version, id, err
				})
				if err != nil {
					t.Fatal(err)
				}
				return version
			}
			define := func(s *store.Store, version int64) {
				update(t, s, func(tx *store.Tx) error {
					return tx.CreateCaseType(t.Context(), id, store.CaseType{
						Key: "kyc", Version: version, Definition: []byte("{}"), Clearance: casetype.Public,
					})
				})
			}
			revoke := func(s *store.Store, key string) {
				update(t, s, func(tx *store.Tx) error { return tx.DeleteToken(t.Context(), id, key) })
			}
			for _, key := range []string{"tok_1", "tok_2"} {
				update(t, here, func(tx *store.Tx) error {
					return tx.CreateToken(t.Context(), access.Token{ID: key, Tenant: id, Role: access.Admin, Hash: []byte("h")})
				})
				if _, err := token(key); err != nil {
					t.Fatal(err)
				}
			}
			define(here, 1)
			if newest() != 1 {
				t.Fatalf("version %d is the newest, want 1", newest())
			}

			revoke(here, "tok_1")
			define(here, 2)
			if _, err := token("tok_1"); !errors.Is(err, fault.NotFound) || newest() != 2 {
				t.Errorf("after changes of this process: token %v, version %d", err, newest())
			}
			revoke(elsewhere, "tok_2")
			define(elsewhere, 3)
			time.Sleep(time.Second)
			if _, err := token("tok_2"); !errors.Is(err, fault.NotFound) || newest() != 3 {
				t.Errorf("a second after changes of another process: token %v, version %d", err, newest())
			}
		})
	}
}

// A memory reads a value once, and again after it had to drop it for other keys.
func TestAMemoryIsBounded(t *testing.T) {
	s := open(t, engines["sqlite"](t))
	id := tenant(t, s)
	reads := 0
	for range 10 { // on a busy machine values may expire meanwhile
		memory := store.NewMemory[int, int](s, 2)
		reads = 0
		for _, key := range []int{1, 1, 2, 1, 3, 2} { // when 3 comes, 2 goes
			value, _, err := memory.Get(key, func() (int, int64, error) { reads++; return -key, id, nil })
			if err != nil || value != -key {
				t.Fatalf("%d: %d, %v", key, value, err)
			}
		}
		if reads == 4 {
			return
		}
	}
	t.Errorf("%d reads, want 4", reads)
}
