package store

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Memory remembers what every request looks up: tokens, host names, the newest case types. A value is forgotten with
// the next commit of this process that changes rights in its tenant, and at the latest after rightsKept, since other
// processes commit too. A Memory is bounded, and safe for concurrent use.
type Memory[K comparable, V any] struct {
	store *Store
	kept  *lru.Cache[K, memoryEntry[V]]
}

type memoryEntry[V any] struct {
	value  V
	tenant int64
	Rights
}

// AnyTenant stands for all tenants: what is remembered of it is forgotten with a change in any.
const AnyTenant = 0

// NewMemory returns a memory of so many values.
func NewMemory[K comparable, V any](s *Store, most int) *Memory[K, V] {
	kept, err := lru.New[K, memoryEntry[V]](most)
	if err != nil {
		panic(err) // most is not positive
	}
	return &Memory[K, V]{store: s, kept: kept}
}

// Get returns the value of a key, and when it was looked at. Read looks in the database, and says which tenant the
// value belongs to; its errors are not remembered.
func (m *Memory[K, V]) Get(key K, read func() (value V, tenant int64, err error)) (V, Rights, error) {
	if r, ok := m.kept.Get(key); ok && m.store.RightsUnchanged(r.tenant, r.Moment, r.Looked) &&
		time.Since(r.Looked) < rightsKept {
		return r.value, r.Rights, nil
	}
	looked := Rights{Looked: time.Now(), Moment: m.store.RightsMoment()}
	value, tenant, err := read()
	if err != nil {
		m.kept.Remove(key)
		return value, looked, err
	}
	m.kept.Add(key, memoryEntry[V]{value, tenant, looked})
	return value, looked, nil
}
