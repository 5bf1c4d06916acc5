//go:build unix

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// storm creates cases of the type note and changes each twice, again and again.
type storm struct {
	over atomic.Bool // no request is begun any more
	done sync.WaitGroup

	mu           sync.Mutex
	acknowledged map[string]int // case id -> its newest version that the server confirmed
	failed       error          // other than that the server ended
	refused      int            // answers that the database was away
	keys         atomic.Int64   // cases that were begun
}

func startStorm(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "storm N")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	w := of(ts)
	if w.storm == nil {
		w.storm = &storm{acknowledged: map[string]int{}}
	}
	ctx, stop := context.WithCancel(context.Background())
	ts.Defer(stop)
	w.storm.over.Store(false)
	header := http.Header{"Authorization": {"Bearer " + ts.Getenv("TOKEN")}, "Content-Type": {"application/json"}}
	url := ts.Getenv("URL")
	for range n {
		w.storm.done.Go(func() {
			for !w.storm.over.Load() && w.storm.one(ctx, url, header) {
				time.Sleep(stormPause)
			}
		})
	}
}

// stormPause keeps a storm from committing more in an outage than a slow receiver can take in a minute.
const stormPause = 30 * time.Millisecond

// one creates a case and changes it. It reports whether the server answered.
func (s *storm) one(ctx context.Context, url string, header http.Header) bool {
	id, ok := s.submit(ctx, "POST", url+"/v1/case-types/note/cases", header, `{"data": {"text": "0"}}`)
	for i := 1; ok && i <= 2; i++ {
		_, ok = s.submit(ctx, "PATCH", url+"/v1/cases/"+id, header, fmt.Sprintf(`{"data": {"text": "%d"}}`, i))
	}
	return ok
}

// submit makes a request until it is answered, under one key: where the database
// is away the answer is 503, and says when to try again.
func (s *storm) submit(ctx context.Context, method, url string, header http.Header, body string) (id string, ok bool) {
	header = header.Clone()
	if method == "POST" {
		header.Set("Idempotency-Key", "storm-"+strconv.FormatInt(s.keys.Add(1), 10))
	}
	for {
		status, answer, err := send(ctx, method, url, header, []byte(body))
		if err != nil {
			return "", false // the server was killed, or the storm is over
		}
		var saved struct {
			ID      json.Number
			Version int
			Code    string
		}
		json.Unmarshal(answer, &saved)
		s.mu.Lock()
		switch {
		case status == http.StatusServiceUnavailable && strings.HasPrefix(saved.Code, "store."):
			s.refused++
		case status/100 != 2 || saved.Version == 0:
			s.failed = fmt.Errorf("%s %s: %d %s", method, url, status, answer)
			s.mu.Unlock()
			return "", false
		default:
			s.acknowledged[saved.ID.String()] = saved.Version
			s.mu.Unlock()
			return saved.ID.String(), true
		}
		s.mu.Unlock()
		if s.over.Load() {
			return "", false
		}
		select {
		case <-ctx.Done():
			return "", false
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func calm(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts).storm
	s.over.Store(true)
	s.done.Wait() // requests under way are answered: no commit comes later
	ts.Check(s.failed)
}

// complete waits until all messages of the commits have arrived, and checks them.
func complete(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "complete NAME")
	r, s := of(ts).receivers[args[0]], of(ts).storm
	want := committed(ts)
	for id, version := range s.acknowledged {
		if want[id] < version {
			ts.Fatalf("case %s is at version %d, and %d was confirmed", id, want[id], version)
		}
	}
	if len(want) == 0 {
		ts.Fatalf("no case was created: this proves nothing")
	}
	if n := s.keys.Load(); int64(len(want)) > n {
		ts.Fatalf("there are %d cases, and only %d were asked for", len(want), n)
	}
	messages := 0
	for _, version := range want {
		messages += version + 1 // the creation fires two triggers
	}
	await(ts, nil, func() (string, bool) {
		got := len(firsts(r.all()))
		return fmt.Sprintf("%d of %d messages arrived", got, messages), got >= messages
	})
	all := r.all()
	first := firsts(all)
	if len(first) != messages {
		ts.Fatalf("%d messages arrived, and %d were committed", len(first), messages)
	}
	ts.Check(checkArrivals(all, first, want))
	again, err := r.repeats(all)
	ts.Check(err)
	ts.Logf("%d cases, %d messages, %d came again", len(want), messages, again)
}

// committed asks the server for all cases of the storm, with their versions.
func committed(ts *testscript.TestScript) map[string]int {
	versions := map[string]int{}
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ID      json.Number
				Version int
			}
			Next *string
		}
		request(ts, false, []string{"GET", "/v1/cases?type=note&limit=200&cursor=" + cursor, "200"})
		ts.Check(json.Unmarshal(of(ts).answer, &page))
		for _, c := range page.Items {
			versions[c.ID.String()] = c.Version
		}
		if page.Next == nil {
			return versions
		}
		cursor = *page.Next
	}
}

// firsts returns the first arrival of each message.
func firsts(all []arrival) []arrival {
	seen := map[string]bool{}
	var first []arrival
	for _, a := range all {
		if !seen[a.id] {
			seen[a.id] = true
			first = append(first, a)
		}
	}
	return first
}

// checkArrivals checks that each case's messages came first in their order, all of them
// signed.
func checkArrivals(all, first []arrival, want map[string]int) error {
	for _, a := range all {
		if a.verified != nil {
			return fmt.Errorf("%s of %s: %w", a.trigger, a.subject, a.verified)
		}
	}
	received := map[string][]string{}
	for _, a := range first {
		received[a.subject] = append(received[a.subject], fmt.Sprintf("%s %d", a.trigger, a.sequence))
	}
	for id, version := range want {
		expect := []string{"case_created 1", "case_state_changed 1"}
		for v := 2; v <= version; v++ {
			expect = append(expect, fmt.Sprintf("case_changed %d", v))
		}
		if got := received["case/"+id]; fmt.Sprint(got) != fmt.Sprint(expect) {
			return fmt.Errorf("of case %s came %v, want %v", id, got, expect)
		}
	}
	return nil
}
