package dev

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
)

// attemptServer is a server's list of attempts, the newest first, in pages of 100.
type attemptServer struct {
	mu    sync.Mutex
	ids   []int // the oldest first
	asked int
	away  bool
}

// change changes the server, while requests may be under way.
func (r *attemptServer) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *attemptServer) RoundTrip(q *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, status := `{"items":[{"id":"ep_1","name":"crm"}],"next":null}`, 200
	if q.URL.Path == "/v1/attempts" {
		if r.asked++; r.away {
			return nil, errors.New("away")
		}
		from := len(r.ids)
		if place := q.URL.Query().Get("cursor"); place != "" {
			from, _ = slices.BinarySearch(r.ids, number(place)) // a cursor is an id: new attempts move no page
		}
		to := max(0, from-100)
		var items []string
		for i := from - 1; i >= to; i-- {
			items = append(items,
				fmt.Sprintf(`{"id":"att_%d","endpoint_id":"ep_1","trigger":"case_created","number":1,"status":200,"delivered":true}`, r.ids[i]))
		}
		next := "null"
		if to > 0 {
			next = strconv.Quote(strconv.Itoa(r.ids[to]))
		}
		text = `{"items":[` + strings.Join(items, ",") + `],"next":` + next + `}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}, nil
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// printedIDs returns the ids of the attempts in lines of JSON, in their order.
func printedIDs(out string) (ids []int) {
	for line := range strings.Lines(out) {
		_, rest, _ := strings.Cut(line, `"id":"att_`)
		id, _, _ := strings.Cut(rest, `"`)
		ids = append(ids, number(id))
	}
	return ids
}

// Each attempt is shown once, however many were made between two polls, and even if some were
// recorded late. Attempts from before the first poll are not shown.
func TestFollowingAttemptsHasNoGapsAndNoRepeats(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		there := rapid.IntRange(0, 500).Draw(r, "there")
		last := rapid.IntRange(1, 50).Draw(r, "last")
		rounds := rapid.SliceOfN(rapid.IntRange(0, 350), 1, 6).Draw(r, "rounds")
		late := rapid.SliceOfN(rapid.IntRange(1, 60), 6, 6).Draw(r, "late") // how far behind the newest
		synctest.Test(t, func(t *testing.T) {
			server := &attemptServer{}
			for i := range there {
				server.ids = append(server.ids, 10*(i+1))
			}
			want := slices.Clone(server.ids[max(0, there-last):])
			ctx, cancel := context.WithCancel(t.Context())
			var out bytes.Buffer
			done := make(chan error)
			go func() {
				done <- Attempts(ctx,
					&client.Client{Server: "http://casehook.example", Token: "chk_1.x", Transport: server},
					AttemptQuery{Output: Output{Out: &out, JSON: true}, Last: last, Follow: true})
			}()
			synctest.Wait()
			next := 10 * (there + 1)
			for i, n := range rounds {
				added := []int{}
				for range n {
					added = append(added, next)
					next += 10
				}
				if behind := next - 10*late[i] - 5; behind > 0 && !slices.Contains(server.ids, behind) {
					added = append(added, behind)
				}
				server.change(func() {
					server.ids = append(server.ids, added...)
					slices.Sort(server.ids)
				})
				want = append(want, added...)
				<-time.After(1500 * time.Millisecond)
				synctest.Wait()
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			got := printedIDs(out.String())
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	})
}

func TestTheNewestOfManyAttemptsAreShownWithANote(t *testing.T) {
	for there, says := range map[int]string{
		MostAttempts: "", MostAttempts + 1: "There are more than these 10000 attempts since then.",
	} {
		server := &attemptServer{}
		for i := range there {
			server.ids = append(server.ids, i+1)
		}
		var out, notes bytes.Buffer
		err := Attempts(t.Context(),
			&client.Client{Server: "http://casehook.example", Token: "chk_1.x", Transport: server},
			AttemptQuery{Output: Output{Out: &out, JSON: true}, Since: "2026-01-31T08:00:00Z", Notes: &notes})
		if got := printedIDs(out.String()); err != nil || len(got) != MostAttempts || got[len(got)-1] != there {
			t.Errorf("of %d it prints %d, %v", there, len(got), err)
		}
		if !strings.HasPrefix(notes.String(), says) || (says == "") != (notes.Len() == 0) {
			t.Errorf("of %d the note is %q", there, notes.String())
		}
	}
}

func TestFollowingAttemptsOutlivesAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &attemptServer{ids: []int{1}}
		ctx, cancel := context.WithCancel(t.Context())
		var out bytes.Buffer
		done := make(chan error)
		go func() {
			done <- Attempts(ctx,
				&client.Client{Server: "http://casehook.example", Token: "chk_1.x", Transport: server},
				AttemptQuery{Output: Output{Out: &out}, Last: 5, Follow: true})
		}()
		synctest.Wait()
		server.change(func() { server.away = true })
		<-time.After(20 * time.Second)
		server.change(func() { server.away, server.ids = false, []int{1, 2, 3} })
		<-time.After(20 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if rows := strings.Count(out.String(), "  crm              case_created "); rows != 3 ||
			!strings.HasPrefix(out.String(), "TIME      ENDPOINT ") {
			t.Errorf("it shows\n%s", out.String())
		}
		server.away = true
		err := Attempts(t.Context(),
			&client.Client{Server: "http://casehook.example", Token: "chk_1.x", Transport: server},
			AttemptQuery{Output: Output{Out: io.Discard}})
		if !errors.Is(err, fault.Upstream) {
			t.Errorf("not there at the beginning: %v", err)
		}
	})
}
