package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
)

// CallbackSecrets are the secrets of one callback, the newest first, those that have
// expired included.
type CallbackSecrets struct {
	Secrets  []endpoint.Secret
	Revision int64 // grows by one with every change
}

// firstSecret is the id of a secret from before callbacks could have several.
const firstSecret = "sec_first"

var (
	callbackSecretsGet = define(`select transition, secret, created_at, revision from callback_secrets
		where tenant = $1 and type = $2 and transition = $3`)
	callbackSecretsList = define(`select transition, secret, created_at, revision from callback_secrets
		where tenant = $1 and type = $2`)
	callbackSecretsUpsert = define(`insert into callback_secrets
		(tenant, type, transition, secret, created_at, revision)
		values ($1, $2, $3, $4, $5, 1)
		on conflict (tenant, type, transition)
		do update set secret = excluded.secret, revision = callback_secrets.revision + 1
		where callback_secrets.revision = $6`)
)

// CallbackSecrets finds the secrets of a callback. The list is empty if it never had any.
func (r reader) CallbackSecrets(ctx context.Context, tenant int64, caseType, callback string) (CallbackSecrets, error) {
	rows, err := r.q.query(ctx, callbackSecretsGet, tenant, caseType, callback)
	all, err := r.collectSecrets(rows, err, tenant, caseType)
	return all[callback], err
}

// SecretsOfCallbacks finds the secrets of all callbacks of a case type by name, including callbacks that its newest
// version no longer has.
func (r reader) SecretsOfCallbacks(
	ctx context.Context, tenant int64, caseType string,
) (map[string]CallbackSecrets, error) {
	rows, err := r.q.query(ctx, callbackSecretsList, tenant, caseType)
	return r.collectSecrets(rows, err, tenant, caseType)
}

func (r reader) collectSecrets(
	rows *sql.Rows, err error, tenant int64, caseType string,
) (map[string]CallbackSecrets, error) {
	all := map[string]CallbackSecrets{}
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var callback string
		var sealed []byte
		var created int64
		var s CallbackSecrets
		if err := rows.Scan(&callback, &sealed, &created, &s.Revision); err != nil {
			return none, err
		}
		plain, err := r.seal.open(sealed, callbackPlace(tenant, caseType, callback))
		if err != nil {
			return none, err
		}
		s.Secrets = decodeSecrets(plain, s.Revision, created)
		all[callback] = s
		return none, nil
	})
	return all, err
}

// decodeSecrets decodes the sealed text: a list, or a single key, which is the form before the first change, and
// after a change by an older server that still runs.
func decodeSecrets(plain []byte, revision, created int64) (secrets []endpoint.Secret) {
	var keys []storedKey
	if revision == 0 || json.Unmarshal(plain, &keys) != nil {
		keys = []storedKey{{ID: firstSecret, Kind: endpoint.V1, Key: plain, CreatedAt: created}}
	}
	for _, k := range keys {
		secrets = append(secrets, k.secret())
	}
	return secrets
}

// SecretsConflict is the code of the error that PutCallbackSecrets returns after a concurrent change.
const SecretsConflict = "callback.secrets_conflict"

// CallbackRef identifies a callback of a case type.
type CallbackRef struct {
	Tenant   int64
	CaseType string // its key
	Callback string
}

// PutCallbackSecrets replaces a callback's secrets if their revision is still that of s; otherwise it returns a
// conflict.
func (tx *Tx) PutCallbackSecrets(ctx context.Context, c CallbackRef, s CallbackSecrets, now time.Time) error {
	plain, err := json.Marshal(storedKeys(s.Secrets))
	if err != nil {
		return err
	}
	sealed := tx.seal.seal(plain, callbackPlace(c.Tenant, c.CaseType, c.Callback))
	n, err := tx.q.exec(ctx, callbackSecretsUpsert, c.Tenant, c.CaseType, c.Callback, sealed, micros(now), s.Revision)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, SecretsConflict,
			"The secrets of %s/%s changed meanwhile; nothing was saved. List them again and repeat the change.",
			c.CaseType, c.Callback)
	}
	return err
}

func callbackPlace(tenant int64, caseType, callback string) string {
	return fmt.Sprintf("callback/%d/%s/%s", tenant, caseType, callback)
}
