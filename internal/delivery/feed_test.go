package delivery

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/store/storetest"
)

func TestAReadEndsWithItsReader(t *testing.T) {
	tail := newTail(nil, "1.0.0")
	tail.from = 0
	for seq := range int64(100) {
		tail.append([]*event.Entry{{Seq: seq + 1, Tenant: 1}})
	}
	feed := &Feed{tail: tail}
	ctx, leave := context.WithCancel(t.Context())
	if b, err := feed.Read(ctx, &filter.Audience{Tenant: 1}, Position{Seq: 1}, 1, 1); err != nil || b.Next.Seq != 101 {
		t.Fatalf("read up to %v, %v", b.Next, err)
	}
	leave()
	if b, err := feed.Read(ctx, &filter.Audience{Tenant: 1}, Position{Seq: 1}, 1,
		1); fault.As(err).Code != "request.cancelled" || b.Next.Seq != 1 {
		t.Errorf("a client that has gone reads up to %v, %v", b.Next, err)
	}
}

// An entry that is committed while another node assigns positions may be too late for that node.
// A client that asks for it afterwards gets it all the same.
func TestCommitsAreReadableWhileAnotherNodeAssignsPositions(t *testing.T) {
	t.Parallel()
	key := make([]byte, 32)
	url := storetest.Postgres(t, key)
	s, err := store.Open(t.Context(), store.Options{URL: url, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	feed := &Feed{tail: newTail(s, "1.0.0")}
	if now, err := feed.Now(t.Context()); err != nil || now.Seq != 1 {
		t.Fatalf("an empty journal ends at %v, %v", now, err)
	}
	want := int64(0)
	for name, catch := range map[string]func(context.Context) (seq int64, err error){
		"Catch": func(ctx context.Context) (int64, error) {
			err := feed.Catch(ctx)
			return feed.tail.end(), err
		},
		"Now": func(ctx context.Context) (int64, error) {
			now, err := feed.Now(ctx)
			return now.Seq - 1, err
		},
	} {
		busy := assignPositions(t, url)
		err := s.Update(t.Context(), func(tx *store.Tx) error {
			tenant, err := tx.CreateTenant(t.Context(), name, name, time.Now())
			if err != nil {
				return err
			}
			_, err = tx.Append(t.Context(), event.Entry{Tenant: tenant, Subject: "case/1", Version: 1, At: time.Now()})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		want++
		done := make(chan struct{})
		var seq int64
		go func() {
			defer close(done)
			seq, err = catch(t.Context())
		}()
		busy.end(done)
		if <-done; err != nil || seq != want {
			t.Errorf("%s: the journal ends at %d, %v; want %d", name, seq, err, want)
		}
	}
}

// assigning is another node that is assigning positions.
type assigning struct {
	t    *testing.T
	db   *sql.DB
	lock *sql.Tx
}

func assignPositions(t *testing.T, url string) assigning {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	lock, err := db.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = lock.ExecContext(t.Context(), `select pg_advisory_xact_lock(4707280041)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	return assigning{t, db, lock}
}

// end ends it once somebody waits for it, or has finished without waiting.
func (a assigning) end(done <-chan struct{}) {
	a.t.Helper()
	const waiting = `select count(*) from pg_locks where locktype = 'advisory' and not granted
		and database = (select oid from pg_database where datname = current_database())`
	for waits := 0; waits == 0; {
		select {
		case <-done:
			waits = 1
		default:
			if err := a.db.QueryRowContext(a.t.Context(), waiting).Scan(&waits); err != nil {
				a.t.Fatal(err)
			}
		}
	}
	if err := a.lock.Rollback(); err != nil {
		a.t.Fatal(err)
	}
}
