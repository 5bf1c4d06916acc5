package delivery_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/faulty"
)

var faultRate = flag.Float64("fault.rate", 0, "of what goes on failing at random, once everything has failed twice")

// flaky is a receiver that fails requests about case 1 twice: the first does not arrive, and the second is not
// answered. It always refuses those about version 2 of case 2.
type flaky struct {
	mu      sync.Mutex
	arrived []arrival
	cut     map[string]int   // by message: requests that did not arrive
	ended   map[arrival]bool // attempts that were cut off: on a new connection they are made once more
	gone    bool
}

func (f *flaky) take(b *bench, a arrival, w http.ResponseWriter) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		w.WriteHeader(http.StatusGone)
		f.cut[a.id]++
		return
	}
	if a.caseID == 1 && a.attempt <= 2 {
		if f.ended[a] {
			cutOff(b, w)
			return
		}
		f.ended[a] = true
	}
	if a.caseID == 1 && a.attempt == 1 {
		f.cut[a.id]++
		cutOff(b, w)
		return
	}
	f.arrived = append(f.arrived, a)
	switch {
	case a.caseID == 1 && a.attempt == 2:
		cutOff(b, w)
	case a.caseID == 2 && a.version == 2:
		w.WriteHeader(http.StatusUnprocessableEntity)
	}
}

func cutOff(b *bench, w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		b.Error(err)
		return
	}
	conn.Close()
}

// count returns how often each message was sent.
func (f *flaky) count() (all map[string]int, order []arrival) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all = map[string]int{}
	for id, n := range f.cut {
		all[id] = n
	}
	for _, a := range f.arrived {
		all[a.id]++
	}
	return all, slices.Clone(f.arrived)
}

// Each use of the database and each request fails twice: once not carried out, once carried out and reported lost.
// Nothing is lost or recorded twice, and only requests that a receiver cut off are sent again.
func TestEachStepOfTheRoadFailsTwice(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		b.stop()
		seed := rand.Uint64()
		b.Logf("seed %d", seed)
		faults := &faulty.Database{Rate: *faultRate, Random: rand.New(rand.NewPCG(seed, 0))}
		o := b.where
		o.Fail = faults.Fail
		var err error
		if b.road, err = store.Open(b.Context(), o); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { b.stop(); b.road.Close() })

		receivers := map[string]*flaky{}
		endpoints := map[string]endpoint.Endpoint{}
		for _, order := range []endpoint.Order{endpoint.PerCase, endpoint.Strict, endpoint.None, "gone"} {
			f := &flaky{cut: map[string]int{}, ended: map[arrival]bool{}, gone: order == "gone"}
			policy := endpoint.Policy{Order: order, Retries: every(20*time.Millisecond, 3), Concurrency: 4}
			if f.gone {
				policy.Order = endpoint.PerCase
			}
			receivers[string(order)] = f
			endpoints[string(order)] = b.listen(b.serve(func(a arrival, w http.ResponseWriter) {
				f.take(b, a,
					w)
			}).URL, policy)
		}
		version := int64(0)
		commit := func(versions int64) {
			for range versions {
				version++
				for c := int64(1); c <= 5; c++ {
					b.comment(c, version)
				}
			}
		}
		commit(3) // before the engine starts: it reads ranges of its own
		faults.Start()
		missing := func() []string { return slices.DeleteFunc(faults.NotYetFailed(), rare) }
		// Statements that an engine runs once must fail twice as well. With further failures, an engine may end before
		// its last ones.
		round := 0
		for ; round < 4 || round < 20 && len(missing()) > 0; round++ {
			b.start()
			commit(2)
			if round == 0 {
				b.revive(endpoints["gone"], receivers["gone"])
			}
			for _, e := range endpoints {
				b.served(e)
			}
			b.stop()
		}
		if b.store.Nodes() {
			b.shared(commit, endpoints)
		}
		failures, of := faults.Failures()
		b.Logf("%d failures of %d statements and commits, in %d rounds", failures, of, round)
		for _, what := range missing() {
			b.Errorf("it has not failed both ways: %s", what)
		}
		if n := b.countFacts(event.EndpointSubject(endpoints["gone"].ID), event.EndpointDisabled.Name); n != 1 {
			b.Errorf("%d facts say that an endpoint was disabled", n)
		}
		for name, f := range receivers {
			b.judgeRoad(name, endpoints[name], f, version)
		}
	})
}

// rare reports whether a statement runs only if there is another node.
func rare(what string) bool {
	return slices.ContainsFunc([]string{
		"update leases set owner = ''", "commit after update leases set owner = ''", "commit after select pg_try_advisory_xact_lock", "notify",
	}, func(one string) bool { return strings.HasPrefix(what, one) })
}

// revive waits until an endpoint that answers 410 is disabled, and enables it.
func (b *bench) revive(e endpoint.Endpoint, f *flaky) {
	b.Helper()
	var now endpoint.Endpoint
	b.eventually("the endpoint that is gone is disabled", func() (is bool) {
		var err error
		if now, err = b.store.Endpoint(b.Context(), b.tenant, e.ID); err != nil {
			b.Fatal(err)
		}
		return now.Status == endpoint.Disabled
	})
	f.mu.Lock()
	f.gone = false
	f.mu.Unlock()
	now.Status = endpoint.Active
	b.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(b.Context(), now); return err })
}

// shared lets two nodes with failing databases share the endpoints.
func (b *bench) shared(commit func(int64), endpoints map[string]endpoint.Endpoint) {
	b.Helper()
	b.start()
	second := *b
	second.node = id.New("node")
	second.stop = second.run()
	defer second.stop()
	commit(2)
	for _, e := range endpoints {
		b.served(e)
	}
	b.stop()
	commit(2)
	for _, e := range endpoints {
		b.served(e)
	}
}

// countFacts counts the facts of a name in a subject's history.
func (b *bench) countFacts(subject, fact string) (n int) {
	b.Helper()
	entries, err := b.store.History(b.Context(), b.tenant, subject, 1<<62, 1000)
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range entries.Items {
		for _, f := range e.Facts {
			if f.Name == fact {
				n++
			}
		}
	}
	return n
}

// judgeRoad compares the received messages with the recorded ones.
func (b *bench) judgeRoad(name string, e endpoint.Endpoint, f *flaky, versions int64) {
	b.Helper()
	sent, arrivals := f.count()
	recorded := map[string]map[int]int{}
	for before := int64(1 << 62); ; {
		page, err := b.store.Attempts(b.Context(), b.tenant, e.ID, before, 500)
		if err != nil {
			b.Fatal(err)
		}
		for _, a := range page {
			if recorded[a.Message] == nil {
				recorded[a.Message] = map[int]int{}
			}
			if recorded[a.Message][a.Number]++; recorded[a.Message][a.Number] > 1 && name != "gone" {
				b.Errorf("%s: attempt %d of %s is recorded %d times", name, a.Number, a.Message,
					recorded[a.Message][a.Number])
			}
			before = a.ID
		}
		if len(page) < 500 {
			break
		}
	}
	dead, err := b.store.DeadMessages(b.Context(), b.tenant, e.ID, 10)
	if err != nil || len(dead) != 1 || dead[0].Subject != "case/2" {
		b.Errorf("%s: dead are %+v, %v; want the second message of case 2", name, dead, err)
	}
	if len(sent) != int(5*versions) {
		b.Errorf("%s: %d messages arrived of %d", name, len(sent), 5*versions)
	}
	for id, n := range sent {
		noted := 0
		for _, times := range recorded[id] {
			noted += times
		}
		if noted != n {
			b.Errorf("%s: %s was sent %d times, and %d attempts are recorded", name, id, n, noted)
		}
	}
	b.inOrder(name, arrivals)
}

// inOrder checks the order of first arrivals per case, unless the endpoint has no order.
func (b *bench) inOrder(name string, arrivals []arrival) {
	b.Helper()
	last, seen := map[int64]int64{}, map[string]bool{}
	for _, a := range arrivals {
		if seen[a.id] || name == string(endpoint.None) {
			continue
		}
		seen[a.id] = true
		if a.version != last[a.caseID]+1 {
			b.Errorf("%s: case %d: version %d arrived after %d", name, a.caseID, a.version, last[a.caseID])
		}
		last[a.caseID] = a.version
	}
	if name != string(endpoint.None) {
		for c := int64(1); c <= 5; c++ {
			if fmt.Sprint(last[c]) == "0" {
				b.Errorf("%s: nothing of case %d arrived", name, c)
			}
		}
	}
}
