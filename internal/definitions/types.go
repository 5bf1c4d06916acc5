package definitions

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/cache"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Reader reads definitions. Both store.Store and store.Tx do.
type Reader interface {
	CaseType(ctx context.Context, tenant int64, key string, version int64) (store.CaseType, error)
}

// Catalog parses the versions of case types and keeps them. It is safe for concurrent use.
type Catalog struct {
	types  *cache.Cache[typeKey, TypeVersion]
	newest *store.Memory[typeKey, newest] // by the key of version 0
}

// newest tells which version of a type is the newest.
type newest struct {
	version   int64
	retiredAt time.Time
}

const maxNewest = 2000

// NewCatalog returns an empty catalog of a store. Its bound counts the bytes of definitions; parsed, they need several
// times as much memory.
func NewCatalog(s *store.Store) *Catalog {
	return &Catalog{
		types:  cache.New[typeKey, TypeVersion](2000, 2<<20),
		newest: store.NewMemory[typeKey, newest](s, maxNewest),
	}
}

type typeKey struct {
	tenant  int64
	key     string
	version int64
}

// At returns a version of a case type; 0 is the newest.
func (c *Catalog) At(ctx context.Context, r Reader, tenant int64, key string, version int64) (TypeVersion, error) {
	if version > 0 {
		if t, ok := c.types.Get(typeKey{tenant, key, version}); ok {
			return t, nil
		}
	}
	if s, ok := r.(*store.Store); ok && version == 0 {
		return c.newestOf(ctx, s, tenant, key)
	}
	stored, err := r.CaseType(ctx, tenant, key, version)
	if err != nil {
		return TypeVersion{}, err
	}
	return c.Of(tenant, stored)
}

// newestOf returns the newest version of a type, as [store.Memory] knows it.
func (c *Catalog) newestOf(ctx context.Context, s *store.Store, tenant int64, key string) (t TypeVersion, err error) {
	known, _, err := c.newest.Get(typeKey{tenant: tenant, key: key}, func() (newest, int64, error) {
		stored, err := s.CaseType(ctx, tenant, key, 0)
		if err == nil {
			t, err = c.Of(tenant, stored)
		}
		return newest{t.Version, t.RetiredAt}, tenant, err
	})
	if err != nil || t.Type != nil {
		return t, err
	}
	t, err = c.At(ctx, s, tenant, key, known.version)
	t.RetiredAt = known.retiredAt
	return t, err
}

// Of parses a stored version, once.
func (c *Catalog) Of(tenant int64, stored store.CaseType) (TypeVersion, error) {
	k := typeKey{tenant, stored.Key, stored.Version}
	if t, ok := c.types.Get(k); ok {
		t.RetiredAt = stored.RetiredAt
		return t, nil
	}
	parsed, err := casetype.Load(stored.Definition)
	if err != nil {
		return TypeVersion{}, err
	}
	t := TypeVersion{Type: parsed, Version: stored.Version, CreatedAt: stored.CreatedAt, Clearance: stored.Clearance}
	c.types.Put(k, t, t.Type.Size())
	t.RetiredAt = stored.RetiredAt
	return t, nil
}

// TypeVersion is one version of a case type.
type TypeVersion struct {
	Type      *casetype.Type
	Version   int64
	CreatedAt time.Time
	Clearance casetype.Classification // of the author
	RetiredAt time.Time               // of the type; zero: it is not, or this is the version of a case
}

// Missing returns the fault of a case type that does not exist, or of which the caller may not know.
func Missing(key string) error {
	return fault.New(fault.NotFound, "case_type.not_found", "There is no case type %q.", key)
}

// TypeSummary is a case type in a list.
type TypeSummary struct {
	Key       string
	Name      string
	Kind      casetype.Kind
	Version   int64
	CreatedAt time.Time
	RetiredAt time.Time // zero: it is not retired
}

// Summary returns the version without its definition.
func (t TypeVersion) Summary() TypeSummary {
	return TypeSummary{
		Key:       t.Type.Key,
		Name:      t.Type.Name,
		Kind:      t.Type.Kind,
		Version:   t.Version,
		CreatedAt: t.CreatedAt,
		RetiredAt: t.RetiredAt,
	}
}
