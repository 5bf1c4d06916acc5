// Package cache keeps values derived from data that never changes, such as a version of a definition, so
// that none goes stale.
package cache

import "sync"

// Cache keeps values by key, up to a number and a total size; beyond these it is emptied. It is safe for
// concurrent use.
type Cache[K comparable, V any] struct {
	maxCount, maxSize int

	mu     sync.RWMutex
	values map[K]V
	size   int
}

// New returns an empty cache. The caller chooses the unit of maxSize and of the sizes given to Put.
func New[K comparable, V any](maxCount, maxSize int) *Cache[K, V] {
	return &Cache[K, V]{maxCount: maxCount, maxSize: maxSize, values: map[K]V{}}
}

// Get returns the value of a key, if it is there.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	v, ok := c.values[key]
	return v, ok
}

// Put adds a value with its size, unless the key has one already.
func (c *Cache[K, V]) Put(key K, value V, size int) {
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
