package delivery_test

import (
	"database/sql"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
)

// idlers adds endpoints without messages.
func (b *bench) idlers(url string, n int) (all []endpoint.Endpoint) {
	b.Helper()
	b.update(func(tx *store.Tx) error {
		for range n {
			e := b.listening(url, endpoint.Policy{})
			e.Triggers = []string{"case_finished", "contact.created"}
			if err := tx.CreateEndpoint(b.Context(), e, id.New("cur")); err != nil {
				return err
			}
			all = append(all, e)
		}
		return nil
	})
	return all
}

// positions counts the endpoints by their saved positions.
func (b *bench) positions(all []endpoint.Endpoint) map[int64]int {
	b.Helper()
	counts := map[int64]int{}
	for _, e := range all {
		c, err := b.store.Cursor(b.Context(), b.tenant, e.ID)
		if err != nil {
			b.Fatal(err)
		}
		counts[c.Position]++
	}
	return counts
}

// saves identifies the transactions that saved the positions of all endpoints but one, by their time or number. 0:
// not yet saved.
func (b *bench) saves(but endpoint.Endpoint) (all []int64) {
	b.Helper()
	driver, source, which := "sqlite", b.where.Path, "updated_at"
	if b.where.URL != "" {
		driver, source, which = "pgx", b.where.URL, "cast(cast(xmin as text) as bigint)"
	}
	database, err := sql.Open(driver, source)
	if err != nil {
		b.Fatal(err)
	}
	defer database.Close()
	rows, err := database.QueryContext(b.Context(),
		"select distinct case when position = 0 then 0 else "+which+" end from cursors where endpoint <> $1", but.ID)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var save int64
		if err := rows.Scan(&save); err != nil {
			b.Fatal(err)
		}
		all = append(all, save)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}

func TestIdleEndpointsAreSavedTogetherAndNotAtEachCommit(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		b.stop()
		b.flush = 4 * time.Second
		b.start()
		r := b.receiver(ok)
		busy := b.listen(r.url, endpoint.Policy{})
		b.idlers(r.url, 40)
		version, seen := int64(0), map[int64]bool{}
		for late := waits.Context(b.TB); len(seen) < 3 && late.Err() == nil; { // the beginning, and two ticks
			version++
			b.comment(1, version)
			b.next(r)
			saves := b.saves(busy)
			for _, save := range saves {
				seen[save] = true
			}
			if len(saves) > 2 {
				b.Fatalf("after %d commits the idle endpoints were saved by %v, not all at once", version, saves)
			}
		}
		if version < 2*int64(len(seen)) || len(seen) != 3 {
			b.Errorf("the idle endpoints were saved %d times in %d commits", len(seen)-1, version)
		}
		b.served(busy)
		if n := len(r.arrived); n > 0 {
			b.Errorf("%d messages went to idle endpoints", n)
		}
	})
}

func TestAnIdleEndpointHearsAtOnceWhatItWaitedFor(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		b.stop()
		b.flush, b.poll = time.Hour, time.Hour // the engine looks only if it is woken
		b.start()
		other, r := b.receiver(ok), b.receiver(ok)
		b.listen(other.url, endpoint.Policy{})
		e := b.listening(r.url, endpoint.Policy{})
		e.Triggers = []string{"contact.created", "case_created"}
		b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, id.New("cur")) })
		for version := int64(1); version <= 20; version++ {
			b.comment(1, version)
			b.next(other)
		}
		created := b.commented(2, 1)
		created.Facts = []event.Fact{event.CaseCreated.New(event.Creation{})}
		b.update(func(tx *store.Tx) error { _, err := tx.Append(b.Context(), created); return err })
		if a := b.next(r); a.caseID != 2 {
			b.Errorf("it receives case %d", a.caseID)
		}
	})
}

// BenchmarkIdle measures how long commits and their deliveries to one endpoint take beside ten thousand idle ones, as
// a multiple of their time without these.
func BenchmarkIdle(b *testing.B) {
	for name, o := range map[string]func() store.Options{
		"sqlite":   func() store.Options { return store.Options{Path: filepath.Join(b.TempDir(), "casehook.db")} },
		"postgres": func() store.Options { return store.Options{URL: pgtest.URL(b)} },
	} {
		b.Run(name, func(b *testing.B) { benchmarkIdle(b, o()) })
	}
}

func benchmarkIdle(b *testing.B, o store.Options) {
	o.Key = make([]byte, 32)
	st, err := store.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	x := &bench{
		TB: b, store: st, committed: new(atomic.Int64), progress: waits.NewProgress(b),
		key: []byte("0123456789abcdef0123456789abcdef"),
	}
	x.update(func(tx *store.Tx) (err error) {
		x.tenant, err = tx.CreateTenant(b.Context(), "acme", "Acme", time.Now())
		return err
	})
	x.lease, x.poll = 15*time.Second, time.Second // as they are by default
	x.start()
	defer x.stop()
	x.deliver(b, 100) // warms up
	alone := x.deliver(b, b.N)
	const many = 10_000
	all := x.idlers("http://127.0.0.1:9/", many)
	x.comment(99, 1)
	x.eventually("the idle endpoints are served", func() bool {
		return x.positions(all[many-1:])[x.committed.Load()] > 0
	})
	b.ResetTimer()
	beside := x.deliver(b, b.N)
	b.ReportMetric(beside.Seconds()/alone.Seconds(), "of-alone")
	b.ReportMetric(float64(b.N)/beside.Seconds(), "messages/s")
}

// deliver commits n messages, one after the other, and waits until an endpoint has
// got them all.
func (b *bench) deliver(tb *testing.B, n int) time.Duration {
	c := &counter{all: make(chan struct{}), want: int64(n)}
	e := b.listen(c.serve(tb), endpoint.Policy{Concurrency: benchConcurrency})
	begun := time.Now()
	for v := range n {
		b.comment(int64(v%50), int64(v/50)+1)
	}
	<-c.all
	took := time.Since(begun)
	b.served(e)
	b.update(func(tx *store.Tx) error { return tx.DeleteEndpoint(b.Context(), b.tenant, e.ID) })
	return took
}
