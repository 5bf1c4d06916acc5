// Package faulty lets databases fail in tests, as a connection does that breaks:
// before a statement or a commit was carried out, or after it.
package faulty

import (
	"math/rand/v2"
	"sort"
	"sync"

	"github.com/casehook/casehook/internal/fault"
)

// Database fails every statement and every commit twice: the first time it is
// not carried out, the second time it is, and reported lost. It fails nothing before
// Start.
type Database struct {
	Rate   float64 // of what goes on failing after that, at random
	Random *rand.Rand

	mu     sync.Mutex
	on     bool
	passes map[string]int
	failed int
}

// Errors that are to be expected from a database that fails.
func broken(what string) error {
	return fault.New(fault.Unavailable, "store.unreachable", "The database can't be reached. It failed: %.60s", what)
}

// Start lets failures happen.
func (d *Database) Start() { d.set(true) }

// Stop lets no more failures happen.
func (d *Database) Stop() { d.set(false) }

func (d *Database) set(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.on = on
}

// Fail is what a store's options take.
func (d *Database) Fail(what string, done bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.on {
		return nil
	}
	if d.passes == nil {
		d.passes = map[string]int{}
	}
	if !done {
		d.passes[what]++
	}
	first := !done && d.passes[what] == 1
	second := done && d.passes[what] == 2
	again := d.passes[what] > 2 && d.Rate > 0 && d.Random.Float64() < d.Rate
	if first || second || again {
		d.failed++
		return broken(what)
	}
	return nil
}

// Failures is how many there were, of how many statements and commits.
func (d *Database) Failures() (failures, of int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed, len(d.passes)
}

// NotYetFailed lists the statements and commits that have not failed in both ways.
func (d *Database) NotYetFailed() (all []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for what, passes := range d.passes {
		if passes < 2 {
			all = append(all, what)
		}
	}
	sort.Strings(all)
	return all
}
