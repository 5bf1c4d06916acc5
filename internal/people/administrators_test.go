package people_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testworld"
)

// Of two administrators who remove each other at the same time, one fails.
func TestTwoAdministratorsDoNotRemoveEachOther(t *testing.T) {
	testworld.Engines(t, func(t *testing.T, url string) {
		var looked sync.WaitGroup // both have looked for other administrators, unless one waits for the other
		looked.Add(2)
		watched := false
		st := testworld.Open(t, store.Options{URL: url, Fail: func(what string, done bool) error {
			if watched && done && strings.HasPrefix(what, "select clearance from users") {
				looked.Done()
				both := make(chan struct{})
				go func() { looked.Wait(); close(both) }()
				select {
				case <-both:
				case <-time.After(300 * time.Millisecond):
				}
			}
			return nil
		}})
		w := worldOn(t, st)
		var admins []people.NewToken
		for _, name := range []string{"a", "b"} {
			request := people.TokenRequest{Name: name, Role: access.Admin}
			made, err := w.tokens.CreateToken(t.Context(), w.p, request, authz.Once{})
			if err != nil {
				t.Fatal(err)
			}
			admins = append(admins, made)
		}
		watched = true
		errs := make(chan error, 2)
		for i, other := range []int{1, 0} {
			go func() {
				p, err := w.tokens.Authenticate(t.Context(), admins[i].Bearer, "192.0.2.7")
				if err == nil {
					err = w.tokens.DeleteToken(t.Context(), p, admins[other].Token.ID)
				}
				errs <- err
			}()
		}
		first, second := <-errs, <-errs
		if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), fault.Conflict) {
			t.Errorf("they end with %v and %v", first, second)
		}
	})
}
