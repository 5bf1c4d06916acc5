package store

import (
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Both engines keep any number of attempts unchanged, except for characters that a text can't have.
func TestManyAttemptsAreKept(t *testing.T) {
	for name, s := range openBoth(t) {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{0, 1, 7, 8, 9, 63, 64, 65, 200} {
				endpoint := fmt.Sprint("ep_", n)
				var want []Attempt
				for i := range n {
					want = append(want, Attempt{
						Tenant:     1,
						Endpoint:   endpoint,
						Cursor:     "cur",
						Place:      Place{Seq: int64(i), Part: i % 3, Message: fmt.Sprint("msg_", i)},
						Subject:    "case/1",
						Trigger:    "case_created",
						Number:     i,
						At:         time.UnixMicro(int64(1000 + i)).UTC(),
						Duration:   time.Duration(i) * time.Millisecond,
						Address:    "192.0.2.1:443",
						Status:     200 + i,
						Class:      "",
						Delivered:  i%2 == 0,
						Request:    `{"a": "é\u0000\""}`,
						Response:   "{}",
						BodySHA256: "00",
					})
				}
				saved := slices.Clone(want)
				if n > 0 {
					saved[0].Response, want[0].Response = "a\x00b\xff", "a\uFFFDb\uFFFD"
				}
				err := s.Update(t.Context(), func(tx *Tx) error {
					_, err := tx.Settle(t.Context(),
						[]Settlement{{Tenant: 1, Endpoint: endpoint, Cursor: "cur", Attempts: saved}})
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.Attempts(t.Context(), 1, endpoint, 1<<40, 1000)
				slices.Reverse(got)
				if diff := gocmp.Diff(want, got, cmpopts.IgnoreFields(Attempt{}, "ID"),
					cmpopts.EquateEmpty()); diff != "" || err != nil {
					t.Errorf("%d attempts: %v\n%s", n, err, diff)
				}
			}
		})
	}
}

func TestALongListIsWrittenInPortions(t *testing.T) {
	for name, c := range map[string]struct {
		texts []string
		want  []int // rows in each portion
	}{
		"none":                     {nil, nil},
		"short":                    {[]string{"a", "", "b"}, []int{3}},
		"cut when it has enough":   {[]string{"aaa", "b", "c", "ddd", "e"}, []int{2, 2, 1}},
		"one that is long already": {[]string{"aaaaaaaaa", "b"}, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var rows [][]any
			for i, text := range c.texts {
				rows = append(rows, []any{i, text})
			}
			var got []int
			next := 0
			for _, portion := range portions(rows, 4) {
				got = append(got, len(portion))
				for _, row := range portion {
					if row[0] != next {
						t.Errorf("row %v comes where %d should", row[0], next)
					}
					next++
				}
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
