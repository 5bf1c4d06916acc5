package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"time"
)

// OnceKey names one operation that a client wants carried out once.
type OnceKey struct {
	Tenant    int64
	Token     string // the token's id
	Operation string // "create-case"
	Key       string // as the client gave it
}

// Answer is the response to an operation that was committed. Its body may hold a
// secret that is shown once, so it is sealed like one.
type Answer struct {
	Request string // a hash of the request that it answers
	Status  int
	Header  map[string]string
	Body    []byte
}

func (k OnceKey) place() string {
	return "answer/" + strconv.FormatInt(k.Tenant, 10) + "/" + k.Token + "/" + k.Operation + "/" + k.Key
}

var (
	onceGet = define(`select request, status, header, body from idempotency
		where tenant = $1 and token = $2 and operation = $3 and key = $4 and at > $5`)
	onceInsert = define(`insert into idempotency (tenant, token, operation, key, request, status, header, body, at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (tenant, token, operation, key) do update set request = excluded.request, status = excluded.status,
		header = excluded.header, body = excluded.body, at = excluded.at where idempotency.at <= $10`)
	oncePurge = define(`delete from idempotency where at <= $1`)
)

// Answered finds the stored answer to an operation, made after since.
func (r reader) Answered(ctx context.Context, k OnceKey, since time.Time) (Answer, bool, error) {
	rows, err := r.q.query(ctx, onceGet, k.Tenant, k.Token, k.Operation, k.Key, micros(since))
	found, err := collect(rows, err, func(rows *sql.Rows) (a Answer, err error) {
		var header []byte
		if err := rows.Scan(&a.Request, &a.Status, &header, &a.Body); err != nil {
			return a, err
		}
		if a.Body, err = r.seal.open(a.Body, k.place()); err != nil {
			return a, err
		}
		return a, json.Unmarshal(header, &a.Header)
	})
	if err != nil || len(found) == 0 {
		return Answer{}, false, err
	}
	return found[0], true, nil
}

// StoreAnswer keeps an operation's answer in the operation's own transaction. It
// reports false when another request with the same key, made after since, was
// committed first: then this transaction must be given up.
func (tx *Tx) StoreAnswer(ctx context.Context, k OnceKey, a Answer, now, since time.Time) (bool, error) {
	header, err := json.Marshal(a.Header)
	if err != nil {
		return false, err
	}
	n, err := tx.q.exec(ctx, onceInsert, k.Tenant, k.Token, k.Operation, k.Key, a.Request, a.Status, string(header),
		tx.seal.seal(a.Body, k.place()),
		micros(now), micros(since))
	return n > 0, err
}

// PurgeAnswers forgets answers made before a time.
func (tx *Tx) PurgeAnswers(ctx context.Context, before time.Time) (int64, error) {
	return tx.q.exec(ctx, oncePurge, micros(before))
}
