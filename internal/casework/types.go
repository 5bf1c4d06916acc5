package casework

import (
	"context"
	"sync"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
)

// typeReader reads definitions; a store.Store does, and so does a store.Tx.
type typeReader interface {
	CaseType(ctx context.Context, tenant int64, key string, version int64) (store.CaseType, error)
}

// typeCache keeps parsed versions. A version never changes, so nothing in it
// goes stale; whether the type is retired is not in it. The zero value is ready.
type typeCache struct {
	mu    sync.RWMutex
	types map[typeKey]TypeVersion
	size  int // of their definitions, in bytes
}

type typeKey struct {
	tenant  int64
	key     string
	version int64
}

// The bounds of the cache; beyond them it begins anew.
const (
	maxCached     = 2000
	maxCachedSize = 2 << 20 // bytes of definitions; what is made of them is some times as large
)

func (c *typeCache) get(k typeKey) (TypeVersion, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	t, ok := c.types[k]
	return t, ok
}

func (c *typeCache) put(k typeKey, t TypeVersion) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := t.Size()
	if c.types == nil || len(c.types) >= maxCached || c.size+size > maxCachedSize {
		c.types, c.size = map[typeKey]TypeVersion{}, 0
	}
	c.types[k] = t
	c.size += size
}

// typeAt returns a version of a case type; 0 is the newest.
func (s *Service) typeAt(ctx context.Context, r typeReader, tenant int64, key string, version int64) (TypeVersion, error) {
	if version > 0 {
		if t, ok := s.types.get(typeKey{tenant, key, version}); ok {
			return t, nil
		}
	}
	stored, err := r.CaseType(ctx, tenant, key, version)
	if err != nil {
		return TypeVersion{}, err
	}
	return s.typeOf(tenant, stored)
}

// typeOf parses a stored version, once.
func (s *Service) typeOf(tenant int64, stored store.CaseType) (TypeVersion, error) {
	k := typeKey{tenant, stored.Key, stored.Version}
	if t, ok := s.types.get(k); ok {
		t.RetiredAt = stored.RetiredAt
		return t, nil
	}
	parsed, err := casetype.Load(stored.Definition)
	if err != nil {
		return TypeVersion{}, err
	}
	t := TypeVersion{Type: parsed, Version: stored.Version, CreatedAt: stored.CreatedAt, Clearance: stored.Clearance}
	s.types.put(k, t)
	t.RetiredAt = stored.RetiredAt
	return t, nil
}
