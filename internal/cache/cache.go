// Package cache keeps what is made of something that never changes, such as a version of a
// definition, so that nothing in it goes stale.
package cache

import "sync"

// Bounded keeps values by key, up to a number and a size of them all; beyond these it is
// emptied. Many may use it at once.
type Bounded[K comparable, V any] struct {
	maxCount, maxSize int

	mu     sync.RWMutex
	values map[K]V
	size   int
}

// New returns an empty cache. The size is in units of the caller's, those of Put.
func New[K comparable, V any](maxCount, maxSize int) *Bounded[K, V] {
	return &Bounded[K, V]{maxCount: maxCount, maxSize: maxSize, values: map[K]V{}}
}

// Get returns the value of a key, if it is there.
func (c *Bounded[K, V]) Get(key K) (V, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.values[key]
	return v, ok
}

// Put keeps a value of a size, unless there is one of its key already.
func (c *Bounded[K, V]) Put(key K, value V, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.values[key]; there {
		return
	}
	if len(c.values) >= c.maxCount || c.size+size > c.maxSize {
		clear(c.values)
		c.size = 0
	}
	c.values[key] = value
	c.size += size
}
