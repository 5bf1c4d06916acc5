package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/weburl"
)

const endpointColumns = `e.id, e.tenant, e.name, e.url, e.sources, e.ignore_own, e.token, e.status, e.policy, e.secrets, e.clearance, e.reached, e.description, e.metadata, e.condition, e.owner, e.expired_from, e.expired_to, e.revision, e.created_at, e.updated_at,
	e.health_version, e.failing_since, e.failing_counted, e.failing_reason, e.failing_told, e.breaker`

var (
	endpointGet    = define(`select ` + endpointColumns + ` from endpoints e where e.tenant = $1 and e.id = $2`)
	endpointByName = define(`select ` + endpointColumns + ` from endpoints e where e.tenant = $1
		and (e.name = $2 or e.name_key = $3 and $3 <> '') and e.id <> $4
		and ($5 >= 2 or e.clearance = 'PUBLIC') and ($5 >= 3 or e.clearance <> 'RESTRICTED') and $5 >= 1
		order by case when e.name = $2 then 0 else 1 end, e.id limit 1`)
	endpointList   = define(`select ` + endpointColumns + ` from endpoints e where e.tenant = $1 and e.id > $2 order by e.id limit $3`)
	endpointInsert = define(`insert into endpoints (id, tenant, name, url, status, policy, secrets, revision, created_at, updated_at, sources, ignore_own, token, clearance, reached, description, metadata, condition, owner,
			name_key)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`)
	endpointUpdate = define(`update endpoints set name = $3, url = $4, status = $5, policy = $6, secrets = $7, updated_at = $8,
		sources = $10, ignore_own = $11, token = $12, clearance = $13, reached = $14, description = $15, metadata = $16, condition = $17, owner = $18,
		name_key = case when name = $3 then name_key else $19 end, revision = revision + 1
		where tenant = $1 and id = $2 and revision = $9 returning revision`)
	endpointDrop     = define(`delete from endpoints where tenant = $1 and id = $2`)
	endpointDeadDrop = define(`delete from dead where tenant = $1 and endpoint = $2`)

	subscriptionList = define(`select endpoint, trigger_name from subscriptions
		where endpoint in (select r.id from rows($1: id text) as r) order by endpoint, trigger_name`)
	subscriptionsDrop   = define(`delete from subscriptions where endpoint = $1`)
	subscriptionsInsert = define(`insert into subscriptions (tenant, endpoint, trigger_name)
		select cast($1 as bigint), cast($2 as text), r.name from rows($3: name text) as r where true`)
	subscribers = define(`select ` + endpointColumns + ` from subscriptions s join endpoints e on e.id = s.endpoint
		where s.tenant = $1 and s.trigger_name = $2 order by e.id`)

	// Two who set targets at once would create an endpoint each.
	targetsLock = postgresOnly(`select pg_advisory_xact_lock(hashtextextended('targets', $1))`)

	leaseInsert  = define(`insert into leases (endpoint, tenant, owner, epoch) values ($1, $2, '', 0)`)
	leaseDrop    = define(`delete from leases where endpoint = $1`)
	cursorInsert = define(`insert into cursors (id, tenant, endpoint, position, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)`)
	cursorsDrop  = define(`delete from cursors where endpoint = $1`)
)

// storedPolicy is a policy as the database keeps it: durations in Go's notation
// would hide the difference between none and the default.
type storedPolicy struct {
	Retries     []time.Duration `json:"retries,omitzero"` // nanoseconds
	Timeout     time.Duration   `json:"timeout,omitempty"`
	Concurrency int             `json:"concurrency,omitempty"`
	Order       endpoint.Order  `json:"order,omitempty"`
	RateLimit   float64         `json:"rate_limit,omitempty"` // per second
	KeepAnswers bool            `json:"keep_answers,omitempty"`

	AtfinityVersion string `json:"atfinity_version,omitempty"`
}

// storedSecrets is what the database keeps sealed of an endpoint.
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
		keys = append(keys, stored)
	}
	return keys
}

// secret is the key as its users see it.
func (k storedKey) secret() endpoint.Secret {
	secret := endpoint.Secret{ID: k.ID, Kind: k.Kind, Key: k.Key, CreatedAt: fromMicros(k.CreatedAt)}
	if k.ExpiresAt != 0 {
		secret.ExpiresAt = fromMicros(k.ExpiresAt)
	}
	return secret
}

// into gives an endpoint its secrets.
func (s storedSecrets) into(e *endpoint.Endpoint) {
	e.Headers, e.Auth, e.TLS = s.Headers, s.Auth, s.TLS
	for _, k := range s.Keys {
		e.Secrets = append(e.Secrets, k.secret())
	}
}

// LockTargets makes others who set the tenant's targets wait for the end of this
// transaction.
func (tx *Tx) LockTargets(ctx context.Context, tenant int64) error {
	if tx.dialect == sqlite {
		return nil
	}
	_, err := tx.q.exec(ctx, targetsLock, tenant)
	return err
}

// Endpoint finds an endpoint.
func (r reader) Endpoint(ctx context.Context, tenant int64, id string) (endpoint.Endpoint, error) {
	rows, err := r.q.query(ctx, endpointGet, tenant, id)
	e, err := one(rows, err, r.scanEndpoint, notFound("endpoint.not_found", "There is no endpoint %q.", id))
	return r.subscribed(ctx, e, err)
}

// CheckEndpointName refuses a name that another endpoint has, however it is spelt, of
// those that a clearance sees. The others don't count: there may be one of the same name
// for each clearance, or the answer would tell that there is one.
func (r reader) CheckEndpointName(ctx context.Context, e endpoint.Endpoint, clearance casetype.Classification) error {
	if e.Name == "" {
		return nil
	}
	rows, err := r.q.query(ctx, endpointByName, e.Tenant, e.Name, spelling.Key(e.Name), e.ID, clearance.Level())
	others, err := collect(rows, err, r.scanEndpoint)
	if err == nil && len(others) > 0 {
		err = nameTaken(nil, e.Name)
	}
	return err
}

// Endpoints lists endpoints after one of them, oldest first.
func (r reader) Endpoints(ctx context.Context, tenant int64, after string, limit int) (Page[endpoint.Endpoint], error) {
	rows, err := r.q.query(ctx, endpointList, tenant, after, limit+1)
	found, err := collectPage(rows, err, limit, r.scanSizedEndpoint)
	if err == nil {
		found.Items, err = r.withTriggers(ctx, found.Items, nil)
	}
	return found, err
}

// Subscribers lists the endpoints that listen to a trigger, oldest first.
func (r reader) Subscribers(ctx context.Context, tenant int64, trigger string) ([]endpoint.Endpoint, error) {
	rows, err := r.q.query(ctx, subscribers, tenant, trigger)
	all, err := collect(rows, err, r.scanEndpoint)
	return r.withTriggers(ctx, all, err)
}

// CreateEndpoint adds an endpoint whose cursor stands at the head of the journal: it
// hears of all that is committed from now on, and of nothing before.
func (tx *Tx) CreateEndpoint(ctx context.Context, e endpoint.Endpoint, cursor string) error {
	policy, metadata, secrets, err := tx.encodeEndpoint(e)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, endpointInsert, e.ID, e.Tenant, e.Name, e.URL, string(e.Status), policy, secrets,
		e.Revision, micros(e.CreatedAt), micros(e.UpdatedAt), strings.Join(e.Sources, " "), e.IgnoreOwn, e.Token, string(e.Clearance), string(e.Reached), e.Description, metadata, e.Filter, e.Owner,
		spelling.Key(e.Name))
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

// UpdateEndpoint saves an endpoint if its revision is still e.Revision, and
// returns it with its new one; otherwise it is a conflict.
func (tx *Tx) UpdateEndpoint(ctx context.Context, e endpoint.Endpoint) (endpoint.Endpoint, error) {
	policy, metadata, secrets, err := tx.encodeEndpoint(e)
	if err != nil {
		return e, err
	}
	rows, err := tx.q.query(ctx, endpointUpdate, e.Tenant, e.ID, e.Name, e.URL, string(e.Status), policy, secrets,
		micros(e.UpdatedAt), e.Revision, strings.Join(e.Sources, " "), e.IgnoreOwn, e.Token, string(e.Clearance), string(e.Reached), e.Description, metadata, e.Filter, e.Owner,
		spelling.Key(e.Name))
	revision, err := one(rows, err, scanValue[int64], func() error {
		if _, err := tx.Endpoint(ctx, e.Tenant, e.ID); err != nil {
			return err
		}
		return fault.New(fault.Conflict, "endpoint.version_conflict", "The endpoint changed meanwhile; nothing was saved. Load it again and repeat the change.")
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

// DeleteEndpoint removes an endpoint with its cursors and all that waits. Its
// attempts stay. Without a lease, whatever is in flight settles nothing.
func (tx *Tx) DeleteEndpoint(ctx context.Context, tenant int64, id string) error {
	n, err := tx.q.exec(ctx, endpointDrop, tenant, id)
	if err != nil {
		return err
	}
	if n == 0 {
		return notFound("endpoint.not_found", "There is no endpoint %q.", id)()
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

// withTriggers fills in what each endpoint listens to.
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

func (r reader) encodeEndpoint(e endpoint.Endpoint) (policy, metadata string, secrets []byte, err error) {
	p, err := json.Marshal(storedPolicy(e.Policy))
	if err != nil {
		return "", "", nil, err
	}
	if len(e.Metadata) > 0 {
		m, err := json.Marshal(e.Metadata)
		if err != nil {
			return "", "", nil, err
		}
		metadata = string(m)
	}
	plain, err := json.Marshal(secretsOf(e))
	if err != nil {
		return "", "", nil, err
	}
	return string(p), metadata, r.seal.seal(plain, endpointPlace(e.ID)), nil
}

func (r reader) scanEndpoint(rows *sql.Rows) (endpoint.Endpoint, error) {
	e, _, err := r.scanSizedEndpoint(rows)
	return e, err
}

// scanSizedEndpoint returns an endpoint and the size of its row, in bytes.
func (r reader) scanSizedEndpoint(rows *sql.Rows) (e endpoint.Endpoint, size int, err error) {
	var policy, metadata, sealed []byte
	var sources string
	var created, updated, since, counted, from, to int64
	h := &e.Health
	err = rows.Scan(&e.ID, &e.Tenant, &e.Name, &e.URL, &sources, &e.IgnoreOwn, &e.Token, &e.Status, &policy, &sealed, &e.Clearance, &e.Reached,
		&e.Description, &metadata, &e.Filter, &e.Owner, &from, &to, &e.Revision, &created, &updated, &h.Version, &since, &counted, &h.Reason, &h.Told, &h.Breaker)
	if err != nil {
		return e, size, err
	}
	size = rowBytes + len(policy) + len(sealed) + len(metadata) + len(e.Description) + len(e.Filter)
	if e.Sources = strings.Fields(sources); len(e.Sources) == 0 {
		e.Sources = nil
	}
	e.CreatedAt, e.UpdatedAt = fromMicros(created), fromMicros(updated)
	h.Since, h.Counted = fromMicros(since), fromMicros(counted)
	e.ExpiredFrom, e.ExpiredTo = fromMicros(from), fromMicros(to)
	var p storedPolicy
	if err := json.Unmarshal(policy, &p); err != nil {
		return e, size, fmt.Errorf("policy of %s: %w", e.ID, err)
	}
	e.Policy = endpoint.Policy(p)
	if len(metadata) > 0 {
		if err := json.Unmarshal(metadata, &e.Metadata); err != nil {
			return e, size, fmt.Errorf("metadata of %s: %w", e.ID, err)
		}
	}
	plain, err := r.seal.open(sealed, endpointPlace(e.ID))
	if err != nil {
		return e, size, err
	}
	var secrets storedSecrets
	err = json.Unmarshal(plain, &secrets)
	secrets.into(&e)
	e.URL, e.Auth.TokenURL = weburl.Stored(e.URL), weburl.Stored(e.Auth.TokenURL)
	return e, size, err
}

func endpointPlace(id string) string { return "endpoint/" + id }

func nameTaken(err error, name string) error {
	return fault.Wrap(err, fault.Conflict, "endpoint.name_taken", "Another endpoint is named %q.", name)
}
