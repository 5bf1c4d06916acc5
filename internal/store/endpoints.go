package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/weburl"
)

// endpointRow is a row of the endpoints.
type endpointRow struct {
	endpoint.Endpoint
	settings []byte // endpoint.Document: the settings that no statement selects by
	sealed   []byte // storedSecrets
}

// endpointSaved are the columns that a change of an endpoint saves.
var endpointSaved = columns[endpointRow]{
	textColumn("name", func(r *endpointRow) *string { return &r.Name }),
	textColumn("status", func(r *endpointRow) *endpoint.Status { return &r.Status }),
	rawColumn("settings", func(r *endpointRow) *[]byte { return &r.settings }),
	bytesColumn("secrets", func(r *endpointRow) *[]byte { return &r.sealed }),
	textColumn("clearance", func(r *endpointRow) *casetype.Classification { return &r.Clearance }),
	textColumn("reached", func(r *endpointRow) *casetype.Classification { return &r.Reached }),
	timeColumn("updated_at", func(r *endpointRow) *time.Time { return &r.UpdatedAt }),
}

var endpointInserted = slices.Concat(columns[endpointRow]{
	textColumn("id", func(r *endpointRow) *string { return &r.ID }),
	intColumn("tenant", func(r *endpointRow) *int64 { return &r.Tenant }),
	intColumn("revision", func(r *endpointRow) *int64 { return &r.Revision }),
	timeColumn("created_at", func(r *endpointRow) *time.Time { return &r.CreatedAt }),
}, endpointSaved)

// endpointColumns adds the columns that delivery and retention write.
var endpointColumns = slices.Concat(endpointInserted, columns[endpointRow]{
	timeColumn("expired_from", func(r *endpointRow) *time.Time { return &r.ExpiredFrom }),
	timeColumn("expired_to", func(r *endpointRow) *time.Time { return &r.ExpiredTo }),
	intColumn("health_version", func(r *endpointRow) *int64 { return &r.Health.Version }),
	timeColumn("failing_since", func(r *endpointRow) *time.Time { return &r.Health.Since }),
	timeColumn("failing_counted", func(r *endpointRow) *time.Time { return &r.Health.Counted }),
	textColumn("failing_reason", func(r *endpointRow) *string { return &r.Health.Reason }),
	boolColumn("failing_told", func(r *endpointRow) *bool { return &r.Health.Reported }),
	boolColumn("failing_notable", func(r *endpointRow) *bool { return &r.Health.Notable }),
	textColumn("breaker", func(r *endpointRow) *endpoint.Breaker { return &r.Health.Breaker }),
})

var (
	endpointSelect = `select ` + endpointColumns.of("e") + ` from endpoints e `
	endpointGet    = define(endpointSelect + `where e.tenant = $1 and e.id = $2`)
	endpointByName = define(endpointSelect + `
		where e.tenant = $1
			and (e.name = $2 or e.name_key = $3 and $3 <> '')
			and e.id <> $4
			and ($5 >= 2 or e.clearance = 'PUBLIC')
			and ($5 >= 3 or e.clearance <> 'RESTRICTED') and $5 >= 1
		order by case when e.name = $2 then 0 else 1 end, e.id limit 1`)
	endpointList = define(endpointSelect + `
		where e.tenant = $1 and e.id > $2
		order by e.id limit $3`)
	endpointListWith = define(endpointSelect + `
		where e.tenant = $1 and e.id > $2 and {{metadata}}
		order by e.id limit $3`)
	subscribers = define(endpointSelect + `
		join subscriptions s on s.endpoint = e.id
		where s.tenant = $1 and s.trigger_name = $2
		order by e.id`)
	endpointInsert = define(`insert into endpoints (name_key, ` + endpointInserted.names() + `)
		values ($1, ` + endpointInserted.parameters(2) + `)`)
	endpointUpdate = define(`update endpoints
		set name_key = case when name = $5 then name_key else $4 end,
			` + endpointSaved.assignments(5) + `, revision = revision + 1
		where tenant = $1 and id = $2 and revision = $3
		returning revision`)
	endpointSecrets  = define(`update endpoints set secrets = $3 where tenant = $1 and id = $2 and revision = $4`)
	endpointDrop     = define(`delete from endpoints where tenant = $1 and id = $2`)
	endpointDeadDrop = define(`delete from dead where tenant = $1 and endpoint = $2`)

	subscriptionList = define(`select endpoint, trigger_name from subscriptions
		where endpoint in (select r.id from rows($1: id text) as r) order by endpoint, trigger_name`)
	subscriptionsDrop   = define(`delete from subscriptions where endpoint = $1`)
	subscriptionsInsert = define(`insert into subscriptions (tenant, endpoint, trigger_name)
		select cast($1 as bigint), cast($2 as text), r.name from rows($3: name text) as r where true`)
	// Without it, two requests that set targets at once would each create an endpoint.
	targetsLock = postgresOnly(`select pg_advisory_xact_lock(hashtextextended('targets', $1))`)

	leaseInsert  = define(`insert into leases (endpoint, tenant, owner, epoch) values ($1, $2, '', 0)`)
	leaseDrop    = define(`delete from leases where endpoint = $1`)
	cursorInsert = define(`insert into cursors (id, tenant, endpoint, position, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $5)`)
	cursorsDrop = define(`delete from cursors where endpoint = $1`)
)

// storedSecrets are the secrets of an endpoint, as they are sealed in its row.
type storedSecrets struct {
	Keys    []storedKey       `json:"keys"`
	Headers []endpoint.Header `json:"headers,omitempty"`
	Auth    endpoint.Auth     `json:"auth,omitzero"`
	TLS     endpoint.TLS      `json:"tls,omitzero"`
}

type storedKey struct {
	ID        string              `json:"id"`
	Kind      endpoint.SecretKind `json:"kind"`
	Key       []byte              `json:"key"`
	CreatedAt int64               `json:"created_at"`
	ExpiresAt int64               `json:"expires_at,omitempty"` // absent: never
	Tested    *storedTest         `json:"tested,omitempty"`
}

type storedTest struct {
	At        int64  `json:"at"`
	Status    int    `json:"status,omitempty"`
	Class     string `json:"class,omitempty"`
	Delivered bool   `json:"delivered,omitempty"`
}

func secretsOf(e endpoint.Endpoint) storedSecrets {
	return storedSecrets{Keys: storedKeys(e.Secrets), Headers: e.Headers, Auth: e.Auth, TLS: e.TLS}
}

func storedKeys(secrets []endpoint.Secret) (keys []storedKey) {
	for _, k := range secrets {
		stored := storedKey{ID: k.ID, Kind: k.Kind, Key: k.Key, CreatedAt: micros(k.CreatedAt)}
		if !k.ExpiresAt.IsZero() {
			stored.ExpiresAt = micros(k.ExpiresAt)
		}
		if t := k.Tested; !t.At.IsZero() {
			stored.Tested = &storedTest{micros(t.At), t.Status, t.Class, t.Delivered}
		}
		keys = append(keys, stored)
	}
	return keys
}

// secret returns the key as a secret of the endpoint.
func (k storedKey) secret() endpoint.Secret {
	secret := endpoint.Secret{ID: k.ID, Kind: k.Kind, Key: k.Key, CreatedAt: fromMicros(k.CreatedAt)}
	if k.ExpiresAt != 0 {
		secret.ExpiresAt = fromMicros(k.ExpiresAt)
	}
	if t := k.Tested; t != nil {
		secret.Tested = endpoint.SecretTest{
			At: fromMicros(t.At), Status: t.Status, Class: t.Class, Delivered: t.Delivered,
		}
	}
	return secret
}

// into copies the secrets into an endpoint.
func (s storedSecrets) into(e *endpoint.Endpoint) {
	e.Headers, e.Auth, e.TLS = s.Headers, s.Auth, s.TLS
	for _, k := range s.Keys {
		e.Secrets = append(e.Secrets, k.secret())
	}
}

// LockTargets makes other transactions that call it for the tenant wait for the end of this one.
func (tx *Tx) LockTargets(ctx context.Context, tenant int64) error {
	if tx.dialect == sqlite {
		return nil
	}
	_, err := tx.q.exec(ctx, targetsLock, tenant)
	return err
}

// Endpoint returns an endpoint.
func (r reader) Endpoint(ctx context.Context, tenant int64, id string) (endpoint.Endpoint, error) {
	rows, err := r.q.query(ctx, endpointGet, tenant, id)
	e, err := one(rows, err, r.scanEndpoint(), notFound("endpoint.not_found",
		"There is no endpoint %q. GET /v1/endpoints lists the endpoints with their ids.", id))
	return r.subscribed(ctx, e, err)
}

// CheckEndpointName returns an error if another endpoint has the name, in any spelling. It ignores endpoints above the
// clearance, because a refusal would reveal that they exist; so each clearance may have one of the same name.
func (r reader) CheckEndpointName(ctx context.Context, e endpoint.Endpoint, clearance casetype.Classification) error {
	if e.Name == "" {
		return nil
	}
	rows, err := r.q.query(ctx, endpointByName, e.Tenant, e.Name, spelling.Key(e.Name), e.ID, clearance.Level())
	others, err := collect(rows, err, r.scanEndpoint())
	if err == nil && len(others) > 0 {
		err = nameTaken(nil, e.Name)
	}
	return err
}

// Endpoints lists the endpoints after the one with the id after, oldest first.
func (r reader) Endpoints(ctx context.Context, tenant int64, after string, limit int) (Page[endpoint.Endpoint], error) {
	rows, err := r.q.query(ctx, endpointList, tenant, after, limit+1)
	return r.endpointPage(ctx, rows, err, limit)
}

// EndpointsWith is Endpoints for those that have a text in their metadata.
func (r reader) EndpointsWith(
	ctx context.Context, tenant int64, text MetadataText, after string, limit int,
) (Page[endpoint.Endpoint], error) {
	rows, err := r.q.query(ctx, endpointListWith, tenant, after, limit+1, text.Key, text.Value)
	return r.endpointPage(ctx, rows, err, limit)
}

// MetadataText is a text in the metadata of endpoints, by its name.
type MetadataText struct{ Key, Value string }

func (r reader) endpointPage(
	ctx context.Context, rows *sql.Rows, err error, limit int,
) (Page[endpoint.Endpoint], error) {
	found, err := collectPage(rows, err,
		limit, sized(endpointColumns, func(row *endpointRow) (endpoint.Endpoint, int, error) {
			e, err := r.openEndpoint(row)
			return e, len(row.settings) + len(row.sealed), err
		}))
	if err == nil {
		found.Items, err = r.withTriggers(ctx, found.Items, nil)
	}
	return found, err
}

// Subscribers lists the endpoints that subscribe to a trigger, oldest first.
func (r reader) Subscribers(ctx context.Context, tenant int64, trigger string) ([]endpoint.Endpoint, error) {
	rows, err := r.q.query(ctx, subscribers, tenant, trigger)
	all, err := collect(rows, err, r.scanEndpoint())
	return r.withTriggers(ctx, all, err)
}

// CreateEndpoint adds an endpoint whose cursor is at the head of the journal: it receives messages of later commits
// only.
func (tx *Tx) CreateEndpoint(ctx context.Context, e endpoint.Endpoint, cursor string) error {
	row, err := tx.endpointRow(e)
	if err != nil {
		return err
	}
	_, err = endpointInserted.exec(ctx, tx.q, endpointInsert, row, spelling.Key(e.Name))
	if isDuplicate(err) {
		return nameTaken(err, e.Name)
	}
	if err != nil {
		return err
	}
	if err := tx.CatchUp(ctx); err != nil {
		return err
	}
	head, err := tx.Head(ctx)
	if err != nil {
		return err
	}
	if _, err := tx.q.exec(ctx, leaseInsert, e.ID, e.Tenant); err != nil {
		return err
	}
	if _, err := tx.q.exec(ctx, cursorInsert, cursor, e.Tenant, e.ID, head, micros(e.CreatedAt)); err != nil {
		return err
	}
	return tx.subscribe(ctx, e)
}

// UpdateEndpoint saves an endpoint if its revision is still e.Revision, and returns it with its new revision.
// Otherwise it returns a conflict.
func (tx *Tx) UpdateEndpoint(ctx context.Context, e endpoint.Endpoint) (endpoint.Endpoint, error) {
	row, err := tx.endpointRow(e)
	if err != nil {
		return e, err
	}
	rows, err := endpointSaved.query(ctx, tx.q, endpointUpdate, row, e.Tenant, e.ID, e.Revision, spelling.Key(e.Name))
	revision, err := one(rows, err, scanValue[int64], func() error {
		if _, err := tx.Endpoint(ctx, e.Tenant, e.ID); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "endpoint.version_conflict",
			"The endpoint changed meanwhile; nothing was saved. Load it again and repeat the change.")
	})
	if isDuplicate(err) {
		return e, nameTaken(err, e.Name)
	}
	if err != nil {
		return e, err
	}
	e.Revision = revision
	if _, err := tx.q.exec(ctx, subscriptionsDrop, e.ID); err != nil {
		return e, err
	}
	return e, tx.subscribe(ctx, e)
}

// NoteTest saves the outcome of a sample that a secret of an endpoint alone signed. It is no change of the endpoint,
// whose revision stays. Where the endpoint or its secret has been changed meanwhile, nothing is saved.
func (tx *Tx) NoteTest(ctx context.Context, tenant int64, id, secret string, t endpoint.SecretTest) error {
	e, err := tx.Endpoint(ctx, tenant, id)
	if errors.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for i := range e.Secrets {
		if e.Secrets[i].ID == secret {
			e.Secrets[i].Tested = t
		}
	}
	row, err := tx.endpointRow(e)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, endpointSecrets, tenant, id, row.sealed, e.Revision)
	return err
}

// DeleteEndpoint removes an endpoint with its cursors and all waiting messages. Its attempts stay. The outcomes of
// messages in flight are not saved, because the lease is gone.
func (tx *Tx) DeleteEndpoint(ctx context.Context, tenant int64, id string) error {
	n, err := tx.q.exec(ctx, endpointDrop, tenant, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound("endpoint.not_found",
			"There is no endpoint %q. GET /v1/endpoints lists the endpoints with their ids.", id)()
	}
	tx.endpoints = true
	for _, s := range []*statement{leaseDrop, cursorsDrop} {
		if _, err := tx.q.exec(ctx, s, id); err != nil {
			return err
		}
	}
	for _, s := range []*statement{endpointDeadDrop, replaysForget} {
		if _, err := tx.q.exec(ctx, s, tenant, id); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) subscribe(ctx context.Context, e endpoint.Endpoint) error {
	tx.endpoints = true
	names := make([][]any, len(e.Triggers))
	for i, trigger := range e.Triggers {
		names[i] = []any{trigger}
	}
	list, err := encodeRows(names)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, subscriptionsInsert, e.Tenant, e.ID, list)
	return err
}

func (r reader) subscribed(ctx context.Context, e endpoint.Endpoint, err error) (endpoint.Endpoint, error) {
	all, err := r.withTriggers(ctx, []endpoint.Endpoint{e}, err)
	if err != nil {
		return endpoint.Endpoint{}, err
	}
	return all[0], nil
}

// withTriggers fills in the triggers that each endpoint subscribes to.
func (r reader) withTriggers(ctx context.Context, all []endpoint.Endpoint, err error) ([]endpoint.Endpoint, error) {
	if err != nil || len(all) == 0 {
		return nil, err
	}
	ids := make([][]any, len(all))
	at := make(map[string]int, len(all))
	for i, e := range all {
		ids[i], at[e.ID] = []any{e.ID}, i
	}
	list, err := encodeRows(ids)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, subscriptionList, list)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var id, trigger string
		if err := rows.Scan(&id, &trigger); err != nil {
			return none, err
		}
		all[at[id]].Triggers = append(all[at[id]].Triggers, trigger)
		return none, nil
	})
	return all, err
}

// endpointRow returns the row of an endpoint.
func (r reader) endpointRow(e endpoint.Endpoint) (*endpointRow, error) {
	settings, err := e.Document()
	if err != nil {
		return nil, err
	}
	secrets, err := json.Marshal(secretsOf(e))
	if err != nil {
		return nil, err
	}
	return &endpointRow{Endpoint: e, settings: settings, sealed: r.seal.seal(secrets, endpointPlace(e.ID))}, nil
}

// openEndpoint returns the endpoint of a row, with its secrets opened.
func (r reader) openEndpoint(row *endpointRow) (endpoint.Endpoint, error) {
	e := row.Endpoint
	if err := e.SetDocument(row.settings); err != nil {
		return e, err
	}
	plain, err := r.seal.open(row.sealed, endpointPlace(e.ID))
	if err != nil {
		return e, err
	}
	var secrets storedSecrets
	err = json.Unmarshal(plain, &secrets)
	secrets.into(&e)
	e.URL, e.Auth.TokenURL = weburl.Stored(e.URL), weburl.Stored(e.Auth.TokenURL)
	return e, err
}

func (r reader) scanEndpoint() func(*sql.Rows) (endpoint.Endpoint, error) {
	return mapped(endpointColumns, r.openEndpoint)
}

func endpointPlace(id string) string { return "endpoint/" + id }

func nameTaken(err error, name string) error {
	return fault.Wrap(err, fault.Conflict, "endpoint.name_taken",
		"Another endpoint has the name %q already. Choose another name.", name)
}
