package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

var (
	callbackCredentialsList = define(`select transition, credentials from callback_credentials
		where tenant = $1 and type = $2 and transition in ($3, $4)`)
	callbackCredentialsUpsert = define(`insert into callback_credentials
		(tenant, type, transition, credentials, updated_at) values ($1, $2, $3, $4, $5)
		on conflict (tenant, type, transition)
		do update set credentials = excluded.credentials, updated_at = excluded.updated_at`)
	callbackCredentialsDelete = define(`delete from callback_credentials
		where tenant = $1 and type = $2 and transition = $3`)
)

// CallbackCredentials finds the credentials of callbacks, by their names. Callbacks without any are left out.
func (r reader) CallbackCredentials(
	ctx context.Context, c CallbackRef, other string,
) (map[string]endpoint.Credentials, error) {
	all := map[string]endpoint.Credentials{}
	rows, err := r.q.query(ctx, callbackCredentialsList, c.Tenant, c.CaseType, c.Callback, other)
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var name string
		var sealed []byte
		if err := rows.Scan(&name, &sealed); err != nil {
			return none, err
		}
		plain, err := r.seal.open(sealed, credentialsPlace(CallbackRef{c.Tenant, c.CaseType, name}))
		if err != nil {
			return none, err
		}
		var found endpoint.Credentials
		err = json.Unmarshal(plain, &found)
		all[name] = found
		return none, err
	})
	return all, err
}

// PutCallbackCredentials replaces the credentials of a callback.
func (tx *Tx) PutCallbackCredentials(
	ctx context.Context, c CallbackRef, credentials endpoint.Credentials, now time.Time,
) error {
	plain, err := json.Marshal(credentials)
	if err != nil {
		return err
	}
	sealed := tx.seal.seal(plain, credentialsPlace(c))
	_, err = tx.q.exec(ctx, callbackCredentialsUpsert, c.Tenant, c.CaseType, c.Callback, sealed, micros(now))
	return err
}

// DeleteCallbackCredentials removes the credentials of a callback, and reports whether there were any.
func (tx *Tx) DeleteCallbackCredentials(ctx context.Context, c CallbackRef) (bool, error) {
	n, err := tx.q.exec(ctx, callbackCredentialsDelete, c.Tenant, c.CaseType, c.Callback)
	return n > 0, err
}

func credentialsPlace(c CallbackRef) string {
	return fmt.Sprintf("credentials/%d/%s/%s", c.Tenant, c.CaseType, c.Callback)
}
