package people_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
)

func TestColleaguesAreThoseWhoMaySignIn(t *testing.T) {
	w := start(t)
	var want []int64
	for i := range 7 {
		email, name := fmt.Sprintf("u%d@example.org", i), fmt.Sprintf("ada%d@example.org", i)
		u, err := w.users.CreateUser(t.Context(), w.p, people.UserChange{Email: &email, Name: &name}, authz.Once{})
		if err != nil {
			t.Fatal(err)
		}
		if disabled := i%3 == 1; disabled {
			_, err = w.users.UpdateUser(t.Context(), w.p, u.ID, people.UserChange{Disabled: &disabled})
		} else {
			want = append(want, u.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{1, 2, 100} {
		var got []int64
		after, more := int64(0), true
		for more {
			all, next, err := w.users.Colleagues(t.Context(), w.as(access.Caseworker), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, who := range all {
				got = append(got, who.UserID)
				if want := fmt.Sprintf("ada%d", who.UserID-want[0]); who.Name != want {
					t.Errorf("a caseworker sees the name %q, not %q", who.Name, want)
				}
			}
			after, more = next, next > after
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d, they are %v, not %v", limit, got, want)
		}
	}
	_, _, err := w.users.Colleagues(t.Context(), w.as(access.Viewer), 0, 1)
	wantFault(t, err, fault.Forbidden, "access.denied")
}
