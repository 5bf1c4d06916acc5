package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// Tenant is an isolated customer.
type Tenant struct {
	ID    int64
	Key   string
	Name  string
	Hosts []string // host names of the tenant, lower-case, sorted
	Reach
	PublicURL  string       // of the server for its users; empty: derived from Hosts and the configuration
	ContactIDs casetype.IDs // of its contacts; empty: random
	CreatedAt  time.Time
}

var tenantColumns = columns[Tenant]{
	intColumn("id", func(t *Tenant) *int64 { return &t.ID }),
	textColumn("key", func(t *Tenant) *string { return &t.Key }),
	textColumn("name", func(t *Tenant) *string { return &t.Name }),
	timeColumn("created_at", func(t *Tenant) *time.Time { return &t.CreatedAt }),
	wordsColumn("variables", func(t *Tenant) *[]string { return &t.Variables }),
	wordsColumn("allow_addresses", func(t *Tenant) *[]string { return &t.Allow }),
	textColumn("contact_ids", func(t *Tenant) *casetype.IDs { return &t.ContactIDs }),
	textColumn("public_url", func(t *Tenant) *string { return &t.PublicURL }),
}

// tenantSaved are the columns that a change of a tenant saves.
var tenantSaved = tenantColumns.without("id", "key", "created_at")

// Reach is what a tenant may call beyond public addresses.
type Reach struct {
	Variables []string // names of variables that its callbacks' URLs may begin with, sorted
	Allow     []string // addresses, as outbound.AllowedPrefix writes them, sorted
}

var (
	tenantInsert = define(`insert into tenants (key, name, created_at) values ($1, $2, $3) returning id`)
	tenantUpdate = define(`update tenants set ` + tenantSaved.assignments(2) + ` where id = $1`)
	tenantSelect = `select ` + tenantColumns.names() + ` from tenants `
	tenantByID   = define(tenantSelect + `where id = $1`)
	tenantByKey  = define(tenantSelect + `where key = $1`)
	tenantList   = define(tenantSelect + `order by id`)
	hostList     = define(`select name, tenant from hosts order by name`)
	hostsOf      = define(`select name from hosts where tenant = $1 order by name`)
	hostTenant   = define(`select tenant from hosts where name = $1`)
	hostInsert   = define(`insert into hosts (name, tenant) values ($1, $2)`)
	hostsDrop    = define(`delete from hosts where tenant = $1`)
)

// TenantByKey returns the tenant with a key.
func (r reader) TenantByKey(ctx context.Context, key string) (Tenant, error) {
	rows, err := r.q.query(ctx, tenantByKey, key)
	t, err := one(rows, err, scanTenant(), notFound("tenant.not_found",
		"There is no tenant %q. GET /v1/tenants lists the tenants.", key))
	return r.hosted(ctx, t, err)
}

// TenantOfHost returns the id of the tenant that has a host name.
func (r reader) TenantOfHost(ctx context.Context, host string) (int64, error) {
	rows, err := r.q.query(ctx, hostTenant, host)
	return one(rows, err, scanValue[int64], notFound("tenant.not_found", "No tenant has the host name %q.", host))
}

// Tenants lists all tenants, oldest first.
func (r reader) Tenants(ctx context.Context) ([]Tenant, error) {
	rows, err := r.q.query(ctx, tenantList)
	all, err := collect(rows, err, scanTenant())
	return r.withHosts(ctx, all, err)
}

// scanTenant reads tenants, whose lists are never nil.
func scanTenant() func(*sql.Rows) (Tenant, error) {
	return mapped(tenantColumns, func(t *Tenant) (Tenant, error) {
		for _, list := range []*[]string{&t.Variables, &t.Allow} {
			if *list == nil {
				*list = []string{}
			}
		}
		return *t, nil
	})
}

// tenant reads a tenant by its id.
func (r reader) tenant(ctx context.Context, id int64) (Tenant, error) {
	rows, err := r.q.query(ctx, tenantByID, id)
	t, err := one(rows, err, scanTenant(), notFound("tenant.not_found", "There is no such tenant."))
	if err != nil {
		return Tenant{}, err
	}
	rows, err = r.q.query(ctx, hostsOf, id)
	t.Hosts, err = collect(rows, err, scanValue[string])
	return t, err
}

func (r reader) hosted(ctx context.Context, t Tenant, err error) (Tenant, error) {
	all, err := r.withHosts(ctx, []Tenant{t}, err)
	if err != nil {
		return Tenant{}, err
	}
	return all[0], nil
}

// withHosts fills in the tenants' host names.
func (r reader) withHosts(ctx context.Context, all []Tenant, err error) ([]Tenant, error) {
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, hostList)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var name string
		var tenant int64
		err = rows.Scan(&name, &tenant)
		for i := range all {
			if all[i].ID == tenant {
				all[i].Hosts = append(all[i].Hosts, name)
			}
		}
		return none, err
	})
	return all, err
}

// UpdateTenant saves a tenant's name, reach, public URL and kind of contact ids.
func (tx *Tx) UpdateTenant(ctx context.Context, t Tenant) error {
	tx.regrant(t.ID)
	_, err := tenantSaved.exec(ctx, tx.q, tenantUpdate, &t, t.ID)
	return err
}

// SetHosts replaces a tenant's host names.
func (tx *Tx) SetHosts(ctx context.Context, tenant int64, hosts []string) error {
	tx.regrant(tenant)
	if _, err := tx.q.exec(ctx, hostsDrop, tenant); err != nil {
		return err
	}
	for _, host := range hosts {
		_, err := tx.q.exec(ctx, hostInsert, host, tenant)
		if isDuplicate(err) {
			return fault.Wrap(err, fault.Conflict, "tenant.host_taken",
				"The host name %q belongs to another tenant. Choose another host name.", host)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// CreateTenant adds a tenant and returns its id.
func (tx *Tx) CreateTenant(ctx context.Context, key, name string, now time.Time) (int64, error) {
	rows, err := tx.q.query(ctx, tenantInsert, key, name, micros(now))
	return one(rows, err, scanValue[int64], notFound("tenant.not_found", "The tenant was not created."))
}
