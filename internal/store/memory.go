package store

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Memory caches values that every request looks up: tokens, host names, the newest case types. A value is valid until
// this process commits a change of rights in its tenant, but at most for rightsKept, since other processes commit too.
// A Memory is bounded, and safe for concurrent use.
type Memory[K comparable, V any] struct {
	store *Store
	kept  *lru.Cache[K, memoryEntry[V]]
}

type memoryEntry[V any] struct {
	value  V
	tenant int64
	Rights
}

// AnyTenant stands for all tenants: a change in any of them invalidates its values.
const AnyTenant = 0

// NewMemory returns a memory of at most most values.
func NewMemory[K comparable, V any](s *Store, most int) *Memory[K, V] {
	kept, err := lru.New[K, memoryEntry[V]](most)
	if err != nil {
		panic(err) // most is not positive
	}
	return &Memory[K, V]{store: s, kept: kept}
}

// Get returns the value of a key, and the state of rights as of which it is valid. Read reads the value from the
// database, and returns the tenant that it belongs to; its errors are not cached.
func (m *Memory[K, V]) Get(key K, read func() (value V, tenant int64, err error)) (V, Rights, error) {
	if r, ok := m.kept.Get(key); ok && m.store.RightsUnchanged(r.tenant, r.Moment, r.Looked) &&
		time.Since(r.Looked) < rightsKept {
		return r.value, r.Rights, nil
	}
	looked := m.store.Rights()
	value, tenant, err := read()
	if err != nil {
		m.kept.Remove(key)
		return value, looked, err
	}
	m.kept.Add(key, memoryEntry[V]{value, tenant, looked})
	return value, looked, nil
}
