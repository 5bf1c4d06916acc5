//go:build unix

package e2e_test

import (
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the drivers
	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"
)

// inFlight is the highest number of messages of an endpoint that are sent and not durably settled.
const inFlight = 512

// zombieMay is the highest number of messages that a continued process may send without its lease: those that its
// workers were about to send.
const zombieMay = 64

// cut kills or stops a server while it works. Only messages that the receiver has got and that are not settled in the
// database may arrive again, once each.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 4, "cut NAME SIGNAL RECEIVER DATABASE")
	p, r, database := of(ts).servers[args[0]], of(ts).receivers[args[2]], args[3]
	before := epochs(ts, database)
	switch args[1] {
	case "KILL":
		end(ts, false, []string{args[0], "KILL"})
	case "STOP":
		ts.Check(p.cmd.Process.Signal(syscall.SIGSTOP))
		ts.Defer(func() { p.cmd.Process.Signal(syscall.SIGCONT) })
	default:
		ts.Fatalf("no such signal: %s", args[1])
	}
	at := time.Now()
	r.quiet(ts)
	settled, after := recorded(ts, database)
	r.mu.Lock()
	defer r.mu.Unlock()
	forgotten := map[string]bool{}
	for _, a := range r.arrived {
		if !settled[a.id] {
			forgotten[a.id] = true
		}
	}
	// another node has already taken over, so more messages are settled now than at the cut
	if strings.HasPrefix(database, "postgres") && after != before {
		ts.Logf("too late to say what was in flight")
		r.again += inFlight
	}
	if len(forgotten) > inFlight {
		ts.Fatalf("%d messages were in flight, more than %d", len(forgotten), inFlight)
	}
	if r.mayAgain == nil {
		r.mayAgain = map[string]int{}
	}
	for id := range forgotten {
		r.mayAgain[id]++
	}
	if args[1] == "STOP" {
		r.again += zombieMay
	}
	r.cutAt, r.cutAfter = at, len(r.arrived)
	ts.Logf("%s: %d messages had arrived, %d of them in flight", args[1], len(r.arrived), len(forgotten))
}

// proceed continues a stopped server.
func proceed(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "proceed NAME")
	ts.Check(of(ts).servers[args[0]].cmd.Process.Signal(syscall.SIGCONT))
}

// takenOver waits for the first request after the last cut, which has to come
// within a time.
func takenOver(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "takenover RECEIVER WITHIN")
	within, err := time.ParseDuration(args[1])
	ts.Check(err)
	r := of(ts).receivers[args[0]]
	await(ts, nil, func() (string, bool) { return "nobody takes over", len(r.all()) > r.cutAfter })
	gap := r.all()[r.cutAfter].at.Sub(r.cutAt)
	if gap > within {
		ts.Fatalf("it was taken over after %v, later than %v", gap, within)
	}
	ts.Logf("taken over after %v", gap.Round(time.Millisecond))
}

// quiet waits until every request is read and answered.
func (r *receiver) quiet(ts *testscript.TestScript) {
	calm := 0
	await(ts, nil, func() (string, bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if calm++; len(r.active) > 0 {
			calm = 0
		}
		return fmt.Sprintf("%d connections are active", len(r.active)), calm >= 5
	})
}

// noteConn records the connections with a request under way.
func (r *receiver) noteConn(c net.Conn, state http.ConnState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if state == http.StateActive {
		if r.active == nil {
			r.active = map[net.Conn]bool{}
		}
		r.active[c] = true
	} else {
		delete(r.active, c)
	}
}

// repeats counts repeated arrivals, and returns an error if one was not in flight.
func (r *receiver) repeats(all []arrival) (again int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	times := map[string]int{}
	unexplained := 0
	for _, a := range all {
		if times[a.id]++; times[a.id] > 1 {
			again++
		}
		if times[a.id] > 1+r.mayAgain[a.id] {
			unexplained++
			err = fmt.Errorf("%s of %s, version %d, came %d times, and was in flight %d times", a.trigger, a.subject,
				a.sequence, times[a.id], r.mayAgain[a.id])
		}
	}
	if unexplained <= r.again {
		return again, nil
	}
	return again, fmt.Errorf("%d messages came again that were not in flight: %w", unexplained, err)
}

// query queries a database. It copies SQLite's files first, so that the next server finds them as the last one left
// them.
func query(ts *testscript.TestScript, database, text string, each func(*sql.Rows) error) {
	driver, source := "pgx", database
	if !strings.HasPrefix(database, "postgres") {
		dir, err := os.MkdirTemp(ts.Getenv("WORK"), "copy")
		ts.Check(err)
		defer os.RemoveAll(dir)
		for _, suffix := range []string{"", "-wal"} {
			raw, err := os.ReadFile(ts.MkAbs(database) + suffix)
			ts.Check(err)
			ts.Check(os.WriteFile(filepath.Join(dir, "db"+suffix), raw, 0o600))
		}
		driver, source = "sqlite", filepath.Join(dir, "db")
	}
	db, err := sql.Open(driver, source)
	ts.Check(err)
	defer db.Close()
	rows, err := db.Query(text)
	ts.Check(err)
	defer rows.Close()
	for rows.Next() {
		ts.Check(each(rows))
	}
	ts.Check(rows.Err())
}

// recorded reads which messages are settled, and the sum of the epochs.
func recorded(ts *testscript.TestScript, database string) (settled map[string]bool, epoch int64) {
	settled = map[string]bool{}
	query(ts, database,
		`select message, 0 from attempts where delivered union select message, 0 from dead union all select '', sum(epoch) from leases`,
		func(rows *sql.Rows) error {
			var message string
			var n int64
			err := rows.Scan(&message, &n)
			settled[message] = true
			epoch += n
			return err
		})
	return settled, epoch
}

func epochs(ts *testscript.TestScript, database string) (epoch int64) {
	if !strings.HasPrefix(database, "postgres") {
		return 0 // SQLite has no other nodes, and a copy of files that are being written may be torn
	}
	_, epoch = recorded(ts, database)
	return epoch
}
