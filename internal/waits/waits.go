// Package waits says how long tests wait for what must happen: until shortly before they are
// stopped (go test -timeout), so that a slow machine fails no test, and a test that waits in
// vain says for what.
package waits

import (
	"context"
	"testing"
	"time"
)

// left is what a test has to report that it waited in vain.
const left = 15 * time.Second

// Context returns a context that ends with the test, or shortly before the test is stopped.
func Context(t testing.TB) context.Context {
	limited, ok := t.(interface{ Deadline() (time.Time, bool) })
	if !ok { // a benchmark
		return t.Context()
	}
	deadline, ok := limited.Deadline()
	if !ok {
		return t.Context()
	}
	ctx, cancel := context.WithDeadline(t.Context(), deadline.Add(-left))
	t.Cleanup(cancel)
	return ctx
}
