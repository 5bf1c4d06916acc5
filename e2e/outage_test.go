//go:build unix

package e2e_test

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/casehook/casehook/internal/pgtest"
)

// outageDatabase is a PostgreSQL server of one script, behind a proxy.
type outageDatabase struct {
	cluster *pgtest.Cluster
	proxy   *pgtest.Proxy
}

// newOutageDatabase makes a database that can go away.
func newOutageDatabase(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "fragile VARIABLE")
	w := of(ts)
	cluster := pgtest.New(w.t)
	w.fragile = &outageDatabase{cluster, cluster.Proxy(w.t)}
	ts.Setenv(args[0], w.fragile.proxy.URL(w.t, cluster.Database(w.t)))
}

// outage takes the database away for a while.
func outage(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "outage KIND DURATION")
	d, err := time.ParseDuration(args[1])
	ts.Check(err)
	w := of(ts)
	f := w.fragile
	kinds := map[string][2]func(){
		"cut":      {f.proxy.Cut, f.proxy.Mend},
		"swallow":  {f.proxy.Swallow, f.proxy.Mend},
		"shutdown": {func() { f.cluster.Stop(w.t) }, func() { f.cluster.Start(w.t) }},
		"crash":    {func() { f.cluster.Kill(w.t) }, func() { f.cluster.Start(w.t) }},
	}
	kind, ok := kinds[args[0]]
	if !ok {
		ts.Fatalf("no such outage: %s", args[0])
	}
	kind[0]()
	<-time.After(d)
	kind[1]()
}

// refused waits until so many requests of the storm were refused since the last call, because the database is away.
func refused(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "refused N")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	s := of(ts).storm
	await(ts, nil, func() (string, bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.failed != nil {
			ts.Check(s.failed)
		}
		if s.refused < n {
			return fmt.Sprintf("only %d requests were refused", s.refused), false
		}
		s.refused = 0
		return "", true
	})
}

// shrink limits the files of a server to the length of the longest of some. That is as near to a full disk as a test
// comes without being root.
func shrink(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "shrink NAME FILE...")
	longest := uint64(0)
	for _, name := range args[1:] {
		info, err := os.Stat(ts.MkAbs(name))
		ts.Check(err)
		longest = max(longest, uint64(info.Size()))
	}
	limitFiles(ts, args[0], longest)
}

// grow ends that limit.
func grow(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "grow NAME")
	limitFiles(ts, args[0], ^uint64(0))
}
