package casework

import (
	"context"

	"github.com/casehook/casehook/internal/cache"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/store"
)

// typeReader reads definitions; a store.Store does, and so does a store.Tx.
type typeReader interface {
	CaseType(ctx context.Context, tenant int64, key string, version int64) (store.CaseType, error)
}

type typeKey struct {
	tenant  int64
	key     string
	version int64
}

// newTypeCache makes a cache of parsed versions. What is made of a definition is some times
// as large as the definition, whose bytes are counted.
func newTypeCache() *cache.Bounded[typeKey, TypeVersion] {
	return cache.New[typeKey, TypeVersion](2000, 2<<20)
}

// typeAt returns a version of a case type; 0 is the newest.
func (s *Service) typeAt(ctx context.Context, r typeReader, tenant int64, key string, version int64) (TypeVersion, error) {
	if version > 0 {
		if t, ok := s.types.Get(typeKey{tenant, key, version}); ok {
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
	if t, ok := s.types.Get(k); ok {
		t.RetiredAt = stored.RetiredAt
		return t, nil
	}
	parsed, err := casetype.Load(stored.Definition)
	if err != nil {
		return TypeVersion{}, err
	}
	t := TypeVersion{Type: parsed, Version: stored.Version, CreatedAt: stored.CreatedAt, Clearance: stored.Clearance}
	s.types.Put(k, t, t.Type.Size())
	t.RetiredAt = stored.RetiredAt
	return t, nil
}
