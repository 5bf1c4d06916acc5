package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// rightsKept is how long cached rights are valid if another node may change them. Commits of this process invalidate
// them at once.
const rightsKept = 500 * time.Millisecond

// rights caches what each owner may read, because delivery checks it for every message. The zero value is ready.
type rights struct {
	mu         sync.Mutex
	tenants    map[int64]*tenantRights
	moment     int64          // grows with every change, here or elsewhere
	unnotified map[int64]bool // tenants that the next notification of other nodes names
}

// tenantRights are the cached rights of one tenant.
type tenantRights struct {
	looking sync.Mutex // held while rights are read; callers that waited for it find them in the cache

	moment  int64  // of the last change; guarded by rights.mu
	changed signal // wakes callers of RightsChanged

	mu       sync.Mutex
	changes  int64 // number of changes that this process knows of
	versions int64 // number of versions of case types when narrowed was read
	narrowed access.Narrowing
	checked  time.Time // when narrowed was last found current; zero: it has to be checked
	owners   map[access.Owner]ownerGrant
	tenant   Tenant
	read     time.Time // when tenant was read; zero: it has to be read
}

// foundTenant is a tenant that a transaction has read. It is cached after the commit.
type foundTenant struct {
	Tenant
	changes int64 // tenantRights.changes when it was read
	read    time.Time
}

type ownerGrant struct {
	access.Grant
	checked time.Time
}

var (
	typeVersions = define(`select count(*) from case_types where tenant = $1`)
	typeAccess   = define(`select key, definition from case_types t
		where tenant = $1 and version = (select max(version) from case_types where tenant = t.tenant and key = t.key)`)
)

// regrant records that the commit changes rights in a tenant.
func (tx *Tx) regrant(tenant int64) {
	if tx.rights == nil {
		tx.rights = map[int64]bool{}
	}
	tx.rights[tenant] = true
}

func (r *rights) of(tenant int64) *tenantRights {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.locked(tenant)
}

// locked is of for a caller that holds the lock.
func (r *rights) locked(tenant int64) *tenantRights {
	if r.tenants == nil {
		r.tenants = map[int64]*tenantRights{}
	}
	t := r.tenants[tenant]
	if t == nil {
		t = &tenantRights{owners: map[access.Owner]ownerGrant{}}
		r.tenants[tenant] = t
	}
	return t
}

// forget invalidates the cached rights after a change.
func (t *tenantRights) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes++
	t.checked, t.read = time.Time{}, time.Time{}
	clear(t.owners)
}

// fresh reports whether rights that were read at a time are still valid. If there are no other processes, they are
// valid until this one changes them.
func (r reader) fresh(checked time.Time) bool {
	return !checked.IsZero() && (r.dialect != postgres || time.Since(checked) < rightsKept)
}

// ReaderAtHand is Reader from the cache. It returns false if the database has to be read.
func (s *Store) ReaderAtHand(tenant int64, owner access.Owner) (access.Reader, bool) {
	t := s.rights.of(tenant)
	t.mu.Lock()
	defer t.mu.Unlock()
	g := t.owners[owner]
	if !s.fresh(t.checked) || owner != "" && !s.fresh(g.checked) {
		return access.Reader{}, false
	}
	return g.Reader(t.narrowed, time.Now()), true
}

// Reader returns what an owner may read. It reflects all commits of this process, and those of other nodes after
// rightsKept at most.
func (s *Store) Reader(ctx context.Context, tenant int64, owner access.Owner) (access.Reader, error) {
	if r, ok := s.ReaderAtHand(tenant, owner); ok {
		return r, nil
	}
	narrowed, err := s.Narrowing(ctx, tenant)
	if err != nil {
		return access.Reader{}, err
	}
	t := s.rights.of(tenant)
	t.looking.Lock()
	defer t.looking.Unlock()
	if r, ok := s.ReaderAtHand(tenant, owner); ok {
		return r, nil
	}
	t.mu.Lock()
	changes := t.changes
	t.mu.Unlock()
	checked := time.Now()
	g, err := s.grant(ctx, tenant, owner)
	if err != nil {
		return access.Reader{}, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if changes == t.changes {
		if len(t.owners) >= maxOwners {
			clear(t.owners)
		}
		t.owners[owner] = ownerGrant{g, checked}
	}
	return g.Reader(narrowed, checked), nil
}

// maxOwners is how many owners of a tenant are cached.
const maxOwners = 10_000

// Narrowing returns which of a tenant's types restrict the roles that may read their cases. It is as current as a
// Reader.
func (s *Store) Narrowing(ctx context.Context, tenant int64) (access.Narrowing, error) {
	t := s.rights.of(tenant)
	t.looking.Lock()
	defer t.looking.Unlock()
	t.mu.Lock()
	narrowed, known, changes, versions := t.narrowed, s.fresh(t.checked), t.changes, t.versions
	t.mu.Unlock()
	if known {
		return narrowed, nil
	}
	checked := time.Now()
	rows, err := s.q.query(ctx, typeVersions, tenant)
	n, err := one(rows, err, scanValue[int64], unanswered("store.case_types"))
	if err != nil {
		return nil, err
	}
	if n != versions || narrowed == nil { // versions are only ever added
		if narrowed, err = s.narrowing(ctx, tenant); err != nil {
			return nil, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if changes == t.changes {
		t.narrowed, t.versions, t.checked = narrowed, n, checked
	}
	return narrowed, nil
}

// Tenant returns a tenant. It is as current as a Reader.
func (s *Store) Tenant(ctx context.Context, id int64) (Tenant, error) {
	t := s.rights.of(id)
	t.looking.Lock()
	defer t.looking.Unlock()
	tenant, changes, known := t.known(s.reader)
	if known {
		return tenant, nil
	}
	now := time.Now()
	tenant, err := s.tenant(ctx, id)
	if err == nil {
		t.found(foundTenant{tenant, changes, now})
	}
	return tenant, err
}

// Tenant returns a tenant. It is as current as a Reader, but may not reflect changes of the transaction itself.
func (tx *Tx) Tenant(ctx context.Context, id int64) (Tenant, error) {
	tenant, changes, known := tx.known.of(id).known(tx.reader)
	if known {
		return tenant, nil
	}
	now := time.Now()
	tenant, err := tx.tenant(ctx, id)
	if err == nil {
		tx.tenants = append(tx.tenants, foundTenant{tenant, changes, now})
	}
	return tenant, err
}

// known returns the cached tenant; known is false if it has to be read.
func (t *tenantRights) known(r reader) (tenant Tenant, changes int64, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tenant, t.changes, r.fresh(t.read)
}

// found caches a tenant, unless a commit of this process has changed it since.
func (t *tenantRights) found(f foundTenant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f.changes == t.changes {
		t.tenant, t.read = f.Tenant, f.read
	}
}

// narrowing reads the types that restrict the roles that may read their cases.
func (r reader) narrowing(ctx context.Context, tenant int64) (access.Narrowing, error) {
	found := access.Narrowing{}
	rows, err := r.q.query(ctx, typeAccess, tenant)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var key string
		var definition []byte
		if err := rows.Scan(&key, &definition); err != nil {
			return none, err
		}
		readers, err := casetype.Readers(definition)
		if err != nil {
			return none, fmt.Errorf("the definition of %s: %w", key, err)
		}
		if readers.Roles != nil || readers.States != nil {
			found[key] = readers
		}
		return none, nil
	})
	return found, err
}

// grant reads the rights of an owner. An owner that no longer exists has none.
func (r reader) grant(ctx context.Context, tenant int64, owner access.Owner) (access.Grant, error) {
	if id := owner.User(); id != 0 {
		u, err := r.User(ctx, tenant, id)
		if errors.Is(err, fault.NotFound) {
			return access.Grant{}, nil
		}
		return u.Grant(), err
	}
	t, err := r.Token(ctx, owner.Token())
	if errors.Is(err, fault.NotFound) || err == nil && t.Tenant != tenant {
		return access.Grant{}, nil
	}
	return t.Grant(), err
}
