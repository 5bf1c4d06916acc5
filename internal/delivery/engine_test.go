package delivery_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hostile"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
	"github.com/casehook/casehook/internal/waits"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// bench is a store with an engine and receivers.
type bench struct {
	tester *delivery.Tester // of the engine that was started last
	testing.TB
	store  *store.Store
	tenant int64
	key    []byte
	node   string // the engine's
	poll   time.Duration
	end    time.Duration // a failing endpoint is disabled after it
	flush  time.Duration
	lease  time.Duration
	stop   func()        // ends the engine as a shutdown does
	where  store.Options // the database
	road   *store.Store  // the engine's store; nil: the same
	log    io.Writer     // the engine's; nil: the test's

	committed *atomic.Int64   // entries of cases in the journal; the engine adds operational ones
	progress  *waits.Progress // of the engine and of receivers
	stopped   *atomic.Bool    // a cancelled replay begins no more requests
}

// databaseKey is that of every bench's database.
var databaseKey = make([]byte, 32)

// onBothEngines runs a test on SQLite and on PostgreSQL.
func onBothEngines(t *testing.T, test func(b *bench)) {
	t.Helper()
	t.Parallel()
	for name, options := range map[string]func(t *testing.T) store.Options{
		"sqlite": func(t *testing.T) store.Options {
			return store.Options{Path: storetest.SQLite(t, filepath.Join(t.TempDir(), "casehook.db"), databaseKey)}
		},
		"postgres": func(t *testing.T) store.Options { return store.Options{URL: storetest.Postgres(t, databaseKey)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newBench(t, options(t)))
		})
	}
}

// newBench starts an engine on a new store.
func newBench(t *testing.T, o store.Options) *bench {
	t.Helper()
	o.Key = databaseKey
	st, err := store.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		TB: t, store: st, where: o, committed: new(atomic.Int64), progress: waits.NewProgress(t),
		key: []byte("0123456789abcdef0123456789abcdef"),
	}
	t.Cleanup(func() { b.stop(); st.Close() })
	b.update(func(tx *store.Tx) (err error) {
		b.tenant, err = tx.CreateTenant(t.Context(), "acme", "Acme", time.Now())
		return err
	})
	b.start()
	return b
}

// start starts an engine, which stop ends.
func (b *bench) start() {
	b.node = id.New("node")
	b.stop = b.run()
}

func (b *bench) run() func() {
	client := outbound.New(b.outbound())
	e := delivery.New(cmp.Or(b.road, b.store), client, delivery.Config{
		Node:         b.node,
		Version:      "0.1.0",
		LeaseTTL:     cmp.Or(b.lease, 2*time.Second),
		Poll:         cmp.Or(b.poll, 50*time.Millisecond),
		Drain:        5 * time.Second,
		DisableAfter: b.end,
		Flush:        b.flush,
		Jitter:       rand.Float64,
		Log:          slog.New(slog.NewTextHandler(b.logs(), nil)),
		Progress:     b.progress.Made,
	})
	b.tester = e.Tester()
	stopped := new(atomic.Bool)
	b.stopped = stopped
	e.OnStopped(func() { stopped.Store(true); b.progress.Made() })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && (b.road == nil || !errors.Is(err, fault.Unavailable)) {
			b.Errorf("the engine ended with %v", err)
		}
		client.Close()
	})
}

func (b *bench) logs() io.Writer {
	if b.log == nil {
		return b.Output()
	}
	return b.log
}

func (b *bench) outbound() outbound.Config {
	return outbound.Config{
		Version: "0.1.0", AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, RootCAs: hostile.Roots(),
	}
}

func (b *bench) update(do func(*store.Tx) error) {
	b.Helper()
	if err := b.store.Update(b.Context(), do); err != nil {
		b.Fatal(err)
	}
}

// listen adds an endpoint.
func (b *bench) listen(url string, p endpoint.Policy) endpoint.Endpoint {
	b.Helper()
	e := b.listening(url, p)
	b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, id.New("cur")) })
	return e
}

// listening returns an endpoint that is not saved yet.
func (b *bench) listening(url string, p endpoint.Policy) endpoint.Endpoint {
	return endpoint.Endpoint{
		ID:        id.New("ep"),
		Tenant:    b.tenant,
		URL:       url,
		Triggers:  []string{"case_comment", "case_created"},
		Status:    endpoint.Active,
		Clearance: casetype.Restricted,
		Policy:    p,
		Secrets:   []endpoint.Secret{{ID: "sec_1", Kind: endpoint.V1, Key: b.key}},
		Revision:  1,
		CreatedAt: time.Now(),
		UpdatedAt: time.Now(),
	}
}

// comment appends the next version of a case to the journal.
func (b *bench) comment(caseID, version int64) {
	b.Helper()
	b.update(func(tx *store.Tx) error {
		_, err := tx.Append(b.Context(), b.commented(caseID, version))
		return err
	})
}

// commented returns an entry about a comment on a case.
func (b *bench) commented(caseID, version int64) event.Entry {
	b.committed.Add(1)
	return event.Entry{
		Tenant: b.tenant, Subject: event.CaseSubject(caseID), Version: version, At: time.Now(),
		Actor: event.Actor{Source: event.API, Name: "test"},
		Facts: []event.Fact{event.CaseCommented.New(event.Comment{ID: "com_1"})},
		Snapshot: event.Snapshot{Case: &event.Case{
			ID:        caseID,
			Version:   version,
			Reference: "T-1",
			Type:      "t",
			Kind:      "case",
			State:     "s",
			Data:      json.RawMessage("{}"),
		}},
	}
}

// arrival is one request that a receiver got.
type arrival struct {
	caseID, version int64
	id              string
	attempt         int
}

// receiver is an endpoint whose answers a test decides.
type receiver struct {
	url     string
	arrived chan arrival
}

func (b *bench) receiver(answer func(arrival) int) *receiver {
	r := &receiver{arrived: make(chan arrival, 10_000)}
	r.url = b.serve(func(a arrival, w http.ResponseWriter) {
		status := answer(a)
		r.arrived <- a
		w.WriteHeader(status)
	}).URL
	return r
}

// serve starts a server that calls take with each request, once it is checked.
func (b *bench) serve(take func(arrival, http.ResponseWriter)) *httptest.Server {
	hook, err := standardwebhooks.NewWebhookRaw(b.key)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(wiretest.Handler(b, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		if err := hook.Verify(body, q.Header); err != nil {
			b.Errorf("the signature does not verify: %v", err)
		}
		var m struct {
			CaseID  int64 `json:"case_id"`
			Version int64 `json:"case_version"`
		}
		if err := json.Unmarshal(body, &m); err != nil {
			b.Errorf("body %q: %v", body, err)
		}
		attempt, _ := strconv.Atoi(q.Header.Get("webhook-attempt"))
		take(arrival{m.CaseID, m.Version, q.Header.Get("webhook-id"), attempt}, w)
		b.progress.Made()
	})))
	b.Cleanup(server.Close)
	return server
}

func (b *bench) next(r *receiver) arrival {
	b.Helper()
	select {
	case a := <-r.arrived:
		return a
	case <-b.progress.Late():
		b.Fatal("nothing arrived")
		return arrival{}
	}
}

// eventually waits until the engine, or a receiver, makes a condition true.
func (b *bench) eventually(what string, met func() bool) {
	b.Helper()
	b.progress.Until(b, what, met)
}

// served waits until an endpoint is owed nothing of what the test has committed.
func (b *bench) served(e endpoint.Endpoint) {
	b.Helper()
	b.eventually("everything is settled", func() bool {
		c, parked := b.saved(e)
		committed := b.committed.Load()
		return len(parked) == 0 && c.Position >= committed && c.Position-b.operational(c.Position) >= committed
	})
}

// operational counts the entries up to a position that the engine itself has added. Positions are dense.
func (b *bench) operational(upTo int64) (n int64) {
	b.Helper()
	for after, more := int64(0), true; more && after < upTo; {
		found, err := b.store.Journal(b.Context(), after, 1000)
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range found.Entries {
			if e.Seq <= upTo && !strings.HasPrefix(e.Subject, "case/") {
				n++
			}
		}
		after, more = found.Last(), found.More
	}
	return n
}

func (b *bench) saved(e endpoint.Endpoint) (store.Cursor, []store.ParkedMessage) {
	b.Helper()
	c, err := b.store.Cursor(b.Context(), b.tenant, e.ID)
	if err != nil {
		b.Fatal(err)
	}
	parked, err := b.store.Parked(b.Context(), b.tenant, c.ID)
	if err != nil {
		b.Fatal(err)
	}
	return c, parked
}

var ok = func(arrival) int { return 200 }

func TestMessagesOfACaseArriveInOrder(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		r := b.receiver(ok)
		e := b.listen(r.url, endpoint.Policy{})
		for version := int64(1); version <= 20; version++ {
			for c := int64(1); c <= 5; c++ {
				b.comment(c, version)
			}
		}
		last := map[int64]int64{}
		for range 100 {
			a := b.next(r)
			if a.version != last[a.caseID]+1 || a.attempt != 1 {
				b.Fatalf("case %d: version %d (attempt %d) arrived after %d", a.caseID, a.version, a.attempt,
					last[a.caseID])
			}
			last[a.caseID] = a.version
		}
		b.served(e)
		if n := len(r.arrived); n > 0 {
			b.Errorf("%d more arrived than were committed", n)
		}
	})
}

func TestAFailingMessageHoldsUpItsOwnCaseAlone(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var mu sync.Mutex
		poisoned := true
		r := b.receiver(func(a arrival) int {
			mu.Lock()
			defer mu.Unlock()
			if poisoned && a.caseID == 1 && a.version == 2 {
				return 422
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Retries: every(50*time.Millisecond, 30)})
		for version := int64(1); version <= 4; version++ {
			b.comment(1, version)
			b.comment(2, version)
		}
		seen := map[string]int{}
		for seen["2/4"] == 0 || seen["1/2"] < 3 {
			a := b.next(r)
			seen[fmt.Sprintf("%d/%d", a.caseID, a.version)]++
			if a.caseID == 1 && a.version > 2 {
				b.Fatalf("version %d of case 1 overtook the failing version 2", a.version)
			}
		}
		if _, parked := b.saved(e); len(parked) != 1 {
			b.Errorf("%d rows are parked, want one for the lane", len(parked))
		}
		mu.Lock()
		poisoned = false
		mu.Unlock()
		for want := int64(2); want <= 4; {
			if a := b.next(r); a.caseID == 1 && a.version == want {
				want++
			}
		}
		b.served(e)
	})
}

func every(d time.Duration, n int) []time.Duration {
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = d
	}
	return all
}

func TestAMessageThatKeepsFailingIsGivenUpAndListed(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		r := b.receiver(func(a arrival) int {
			if a.version == 1 {
				return 400
			}
			return 204
		})
		e := b.listen(r.url, endpoint.Policy{Retries: every(10*time.Millisecond, 2)})
		b.comment(1, 1)
		b.comment(1, 2)
		for want := 1; want <= 3; want++ {
			if a := b.next(r); a.version != 1 || a.attempt != want {
				b.Fatalf("got version %d, attempt %d; want version 1, attempt %d", a.version, a.attempt, want)
			}
		}
		if a := b.next(r); a.version != 2 {
			b.Fatalf("the lane did not go on: got version %d", a.version)
		}
		b.served(e)
		dead, err := b.store.DeadMessages(b.Context(), b.tenant, e.ID, 10)
		if err != nil {
			b.Fatal(err)
		}
		ignore := cmpopts.IgnoreFields(store.DeadMessage{}, "Place", "At")
		want := []store.DeadMessage{{Subject: "case/1", Trigger: "case_comment", Reason: "400 Bad Request"}}
		if diff := gocmp.Diff(want, dead, ignore); diff != "" {
			b.Errorf("dead messages (-want +got):\n%s", diff)
		}
		attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 10)
		if err != nil {
			b.Fatal(err)
		}
		var statuses []int
		for _, a := range attempts {
			statuses = append(statuses, a.Status)
		}
		if diff := gocmp.Diff([]int{204, 400, 400, 400}, statuses); diff != "" {
			b.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

func TestARestartGoesOnWhereItWas(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		release := make(chan struct{})
		var once sync.Once
		r := b.receiver(func(a arrival) int {
			if a.version == 3 {
				once.Do(func() { close(release) })
				return 500
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Retries: every(20*time.Millisecond, 30)})
		for version := int64(1); version <= 6; version++ {
			b.comment(1, version)
			b.comment(2, version)
		}
		<-release
		b.stop()
		again := b.receiver(ok)
		e.URL = again.url
		b.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(b.Context(), e); return err })
		b.start()
		last := map[int64]int64{}
		for len(r.arrived) > 0 {
			if a := <-r.arrived; a.version < 3 {
				last[a.caseID] = a.version
			}
		}
		for range 12 - last[1] - last[2] {
			a := b.next(again)
			if a.version != last[a.caseID]+1 {
				b.Fatalf("case %d: version %d arrived after %d", a.caseID, a.version, last[a.caseID])
			}
			last[a.caseID] = a.version
		}
		b.served(e)
		if n := len(again.arrived); n > 0 {
			b.Errorf("%d were repeated although they had been settled", n)
		}
	})
}

func TestAnOutageAddsFewRowsAndUsesUpNoRetries(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var mu sync.Mutex
		down, all := true, make(chan struct{})
		r := b.receiver(func(arrival) int {
			<-all // otherwise the first message dies before the fifth arrives
			mu.Lock()
			defer mu.Unlock()
			if down {
				return 503
			}
			return 200
		})
		e := b.listen(r.url, endpoint.Policy{Retries: every(time.Second, 2), Concurrency: 4})
		for c := int64(1); c <= 300; c++ {
			b.comment(c, 1)
		}
		close(all)
		for range 7 { // five failures open the breaker; probes go on
			b.next(r)
		}
		b.eventually("the failures are recorded", func() bool { return b.tries(e) >= 6 })
		if _, parked := b.saved(e); len(parked) > 10 {
			b.Errorf("the outage made %d rows", len(parked))
		}
		mu.Lock()
		down = false
		mu.Unlock()
		b.served(e)
		dead, err := b.store.DeadMessages(b.Context(), b.tenant, e.ID, 1000)
		if err != nil || len(dead) > 0 {
			b.Errorf("the outage used up the retries of %d messages (%v)", len(dead), err)
		}
	})
}

// tries counts the recorded attempts of an endpoint.
func (b *bench) tries(e endpoint.Endpoint) int {
	attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 100)
	if err != nil {
		b.Fatal(err)
	}
	return len(attempts)
}

func TestASlowEndpointDelaysNoOther(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		hold := make(chan struct{})
		slow := b.receiver(func(arrival) int { <-hold; return 200 })
		fast := b.receiver(ok)
		s, f := b.listen(slow.url, endpoint.Policy{Concurrency: 2}), b.listen(fast.url, endpoint.Policy{})
		for c := int64(1); c <= 50; c++ {
			b.comment(c, 1)
		}
		for range 50 {
			b.next(fast)
		}
		if n := len(slow.arrived); n > 0 {
			b.Errorf("the slow endpoint answered %d times while it was held", n)
		}
		close(hold)
		b.served(s)
		b.served(f)
	})
}

func TestPausingHoldsMessagesAndAnEndpointMayMove(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		first, second := b.receiver(ok), b.receiver(ok)
		e := b.listen(first.url, endpoint.Policy{})
		b.comment(1, 1)
		b.next(first)
		b.served(e)
		change := func(url string, s endpoint.Status) {
			e.URL, e.Status = url, s
			b.update(func(tx *store.Tx) (err error) { e, err = tx.UpdateEndpoint(b.Context(), e); return err })
		}
		change(first.url, endpoint.Paused)
		b.comment(1, 2)
		change(second.url, endpoint.Active)
		b.comment(1, 3)
		b.served(e)
		// A pause takes effect within moments; messages under way may still arrive.
		var got []int64
		for _, r := range []*receiver{first, second} {
			for len(r.arrived) > 0 {
				got = append(got, (<-r.arrived).version)
			}
		}
		if diff := gocmp.Diff([]int64{2, 3}, got); diff != "" {
			b.Error(diff)
		}
	})
}

func TestGoneDisablesAtOnceAndLosesNothing(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var mu sync.Mutex
		status := 410
		r := b.receiver(func(arrival) int { mu.Lock(); defer mu.Unlock(); return status })
		e := b.listen(r.url, endpoint.Policy{})
		b.comment(1, 1)
		b.next(r)
		b.eventually("the endpoint is disabled", func() bool {
			got, err := b.store.Endpoint(b.Context(), b.tenant, e.ID)
			return err == nil && got.Status == endpoint.Disabled
		})
		b.comment(1, 2)
		mu.Lock()
		status = 200
		mu.Unlock()
		e, err := b.store.Endpoint(b.Context(), b.tenant, e.ID)
		if err != nil {
			b.Fatal(err)
		}
		e.Status = endpoint.Active
		b.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(b.Context(), e); return err })
		for want := int64(1); want <= 2; want++ {
			if a := b.next(r); a.version != want {
				b.Fatalf("version %d arrived, want %d", a.version, want)
			}
		}
		b.served(e)
	})
}

func TestADeletedEndpointHearsNothingMore(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		entered, leave := make(chan struct{}), make(chan struct{})
		var once sync.Once
		r := b.receiver(func(arrival) int { once.Do(func() { close(entered) }); <-leave; return 200 })
		other := b.receiver(ok)
		e := b.listen(r.url, endpoint.Policy{Concurrency: 1})
		b.listen(other.url, endpoint.Policy{})
		b.comment(1, 1)
		<-entered
		b.update(func(tx *store.Tx) error { return tx.DeleteEndpoint(b.Context(), b.tenant, e.ID) })
		close(leave)
		b.eventually("the attempt that was under way is recorded", func() bool { return b.tries(e) == 1 })
		b.comment(1, 2)
		for range 2 {
			b.next(other)
		}
		if n := len(r.arrived); n != 1 {
			b.Errorf("the deleted endpoint got %d requests, want the one under way", n)
		}
	})
}

// twoNodes opens one database for two engines, which the caller starts.
func twoNodes(t *testing.T) (one, two *bench) {
	t.Parallel()
	o := store.Options{URL: storetest.Postgres(t, databaseKey), Key: databaseKey}
	open := func() *store.Store {
		st, err := store.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		return st
	}
	one = &bench{
		TB: t, store: open(), where: o, committed: new(atomic.Int64), progress: waits.NewProgress(t),
		key: []byte("0123456789abcdef0123456789abcdef"),
	}
	one.update(func(tx *store.Tx) (err error) {
		one.tenant, err = tx.CreateTenant(t.Context(), "acme", "Acme", time.Now())
		return err
	})
	two = &bench{
		TB: t, store: open(), committed: one.committed, progress: one.progress, key: one.key, tenant: one.tenant,
	}
	return one, two
}

func TestANodeIsNotifiedOfEveryCommitOfTheOther(t *testing.T) {
	one, two := twoNodes(t)
	one.poll, two.poll = time.Hour, time.Hour
	r := one.receiver(ok)
	one.listen(r.url, endpoint.Policy{})
	two.start()
	t.Cleanup(func() { two.stop() })
	two.comment(1, 1)
	one.next(r) // the second node has the lease
	one.start()
	t.Cleanup(func() { one.stop() })
	for version := int64(2); version <= 6; version++ {
		one.comment(1, version) // as soon as the previous notification has arrived
		one.next(r)
	}
}

func TestTwoNodesShareAndTakeOver(t *testing.T) {
	one, two := twoNodes(t)
	r := one.receiver(ok)
	var endpoints []endpoint.Endpoint
	for range 4 {
		endpoints = append(endpoints, one.listen(r.url, endpoint.Policy{}))
	}
	one.start()
	t.Cleanup(func() { one.stop() })
	one.comment(1, 1)
	for range 4 {
		one.next(r)
	}
	two.start()
	t.Cleanup(func() { two.stop() })
	one.eventually("the second node has its share", func() bool {
		var held []store.Lease
		two.update(func(tx *store.Tx) (err error) {
			held, err = tx.Claim(t.Context(), two.node, 2*time.Second)
			return err
		})
		return len(held) == 2
	})
	two.comment(1, 2) // committed there, delivered by the node with the lease
	for range 4 {
		one.next(r)
	}
	one.stop()
	two.comment(1, 3)
	for range 4 {
		if a := one.next(r); a.version != 3 {
			t.Fatalf("version %d was repeated by the node that took over", a.version)
		}
	}
	for _, e := range endpoints {
		two.served(e)
	}
}
