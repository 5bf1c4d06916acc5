package waits

import (
	"sync"
	"testing"
	"time"
)

// Progress lets a test wait for a condition without polling: everyone who can make it true calls Made after each step,
// and Until looks again then.
type Progress struct {
	late <-chan struct{} // closed when a test has waited in vain
	mu   sync.Mutex
	next chan struct{}
}

// NewProgress returns the progress of a test.
func NewProgress(t testing.TB) *Progress { return &Progress{late: Context(t).Done()} }

// Made wakes everyone who waits. It never blocks.
func (p *Progress) Made() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next != nil {
		close(p.next)
		p.next = nil
	}
}

// Next returns a channel that is closed at the next step. Take it before looking.
func (p *Progress) Next() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = make(chan struct{})
	}
	return p.next
}

// Late returns a channel that is closed shortly before the test is stopped.
func (p *Progress) Late() <-chan struct{} { return p.late }

// Until waits until a condition is met.
func (p *Progress) Until(t testing.TB, what string, met func() bool) {
	t.Helper()
	for {
		next := p.Next()
		if met() {
			return
		}
		select {
		case <-next:
		case <-p.late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// pollEvery is the time between two looks of Poll.
const pollEvery = 20 * time.Millisecond

// Poll waits for a condition that nobody in this process can signal. Say at the call why.
func Poll(t testing.TB, what string, met func() bool) {
	t.Helper()
	late := Context(t).Done()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for !met() {
		select {
		case <-ticker.C:
		case <-late:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
