package delivery_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
)

// A node that starts after another's connections have ended takes over at once, although the other's lease lasts for
// minutes.
func TestASuccessorWaitsForNoLeaseOfTheDead(t *testing.T) {
	t.Parallel()
	cluster := pgtest.New(t)
	url := cluster.Database(t)
	proxy := cluster.Proxy(t)
	open := func(url string) *store.Store {
		st, err := store.Open(t.Context(), store.Options{URL: url, Key: make([]byte, 32)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		return st
	}
	one := &bench{
		TB:        t,
		store:     open(url),
		road:      open(proxy.URL(t, url)),
		where:     store.Options{URL: url},
		committed: new(atomic.Int64),
		progress:  waits.NewProgress(t),
		key:       make([]byte, 32),
		lease:     store.MaxLease,
	}
	one.update(func(tx *store.Tx) (err error) {
		one.tenant, err = tx.CreateTenant(t.Context(), "acme", "Acme", time.Now())
		return err
	})
	r := one.receiver(ok)
	e := one.listen(r.url, endpoint.Policy{})
	one.start()
	t.Cleanup(func() { one.stop() })
	one.comment(1, 1)
	one.next(r)
	one.served(e)
	conn := one.connect()
	one.knownByItsConnection(conn)

	proxy.Cut()
	waits.Poll(t, "PostgreSQL's own table of connections lacks it", func() (ended bool) {
		err := conn.QueryRow(t.Context(),
			"select not exists (select 1 from nodes n join pg_stat_activity a on a.pid = n.session)").Scan(&ended)
		return err == nil && ended
	})
	two := &bench{
		TB:        t,
		store:     open(url),
		committed: one.committed,
		progress:  one.progress,
		key:       one.key,
		tenant:    one.tenant,
		lease:     store.MaxLease,
	}
	log := &record{out: t.Output()}
	two.log = log
	two.comment(1, 2)
	two.start()
	t.Cleanup(func() { two.stop() })
	if a := one.next(r); a.version != 2 {
		t.Errorf("version %d arrived, want 2", a.version)
	}
	if !log.has("level=WARN", "are taken over", "from="+one.node, "endpoints=1") {
		t.Error("the log does not name the node that was taken over")
	}
}

// A node that is being stopped keeps its endpoints until its last request is answered, though another node claims
// leases meanwhile.
func TestANodeThatStopsIsNotTakenOver(t *testing.T) {
	one, two := twoNodes(t)
	one.lease, two.lease = store.MaxLease, store.MaxLease
	begun, answer := make(chan struct{}, 10), make(chan struct{})
	slow := one.receiver(func(a arrival) int {
		if a.caseID == 1 {
			begun <- struct{}{}
			<-answer
		}
		return http.StatusOK
	})
	release := sync.OnceFunc(func() { close(answer) })
	t.Cleanup(release)
	e := one.listen(slow.url, endpoint.Policy{})
	one.start()
	t.Cleanup(func() { one.stop() })
	one.knownByItsConnection(one.connect())
	one.comment(1, 1)
	<-begun

	stopped := make(chan struct{})
	go func() { defer close(stopped); one.stop() }()
	two.start()
	t.Cleanup(func() { two.stop() })
	fast := two.receiver(ok)
	two.listen(fast.url, endpoint.Policy{})
	two.comment(2, 1)
	two.next(fast) // it has claimed a lease
	release()
	<-stopped
	two.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(t.Context(), e); return err }) // it claims again
	two.served(e)
	if n := len(begun); n > 0 {
		t.Errorf("the request under way was repeated %d times", n)
	}
}

// connect opens a connection to the bench's PostgreSQL.
func (b *bench) connect() *pgx.Conn {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), b.where.URL)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// knownByItsConnection waits until the database knows the bench's node by the connection that listens.
func (b *bench) knownByItsConnection(conn *pgx.Conn) {
	b.Helper()
	b.eventually("the database knows the node by its connection", func() (known bool) {
		err := conn.QueryRow(b.Context(), "select exists (select 1 from nodes where session <> 0)").Scan(&known)
		return err == nil && known
	})
}
