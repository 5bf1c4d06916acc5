package store

import (
	"context"
	"strings"
	"sync"
)

// topics wakes those who wait for something that happens here or on another node. The zero value is ready.
type topics struct {
	mu      sync.Mutex
	waiting map[string]*topic
}

// topic is what some wait for.
type topic struct {
	happens chan struct{}
	waiters int
}

// wait returns a channel that is closed when a topic is next woken. The caller calls done when it waits no more.
func (t *topics) wait(name string) (wake <-chan struct{}, done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = map[string]*topic{}
	}
	one := t.waiting[name]
	if one == nil {
		one = &topic{happens: make(chan struct{})}
		t.waiting[name] = one
	}
	one.waiters++
	return one.happens, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if one.waiters--; one.waiters == 0 && t.waiting[name] == one {
			delete(t.waiting, name)
		}
	}
}

// wake wakes those who wait for a topic.
func (t *topics) wake(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one := t.waiting[name]; one != nil {
		close(one.happens)
		delete(t.waiting, name)
	}
}

// topicPrefix begins the notifications of other nodes that wake a topic.
const topicPrefix = "topic "

// wakeTopics wakes topics here and on other nodes. A notification that is lost only delays: those who wait look
// regularly.
func (s *Store) wakeTopics(ctx context.Context, names []string) {
	for _, name := range names {
		s.topics.wake(name)
		if s.Nodes() {
			_ = s.engine.notify(ctx, topicPrefix+name)
		}
	}
}

// notified handles a notification of another node, or of this one.
func (s *Store) notified(text string) {
	if name, ok := strings.CutPrefix(text, topicPrefix); ok {
		s.topics.wake(name)
		return
	}
	s.wake.broadcast()
	s.rightsChangedElsewhere(text)
}
