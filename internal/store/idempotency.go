package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
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

// Claim reserves a key for one process while it asks other systems, so that no other process asks them under the same
// key.
type Claim struct {
	OnceKey
	Request string // a hash of the request, as in its Answer
	By      string // the process
	Now     time.Time
	Until   time.Time // when the claim ends if the process does not release it
	Since   time.Time // earlier answers no longer count
	Alone   bool      // no other process uses the database: the claims of others are void
}

// Answer is the response to an operation that was committed. Its body may hold a
// secret that is shown once, so it is sealed like one.
type Answer struct {
	Request string // a hash of the request that it answers
	Status  int    // 0: the request is still under way
	Header  map[string]string
	Body    []byte
}

func (k OnceKey) place() string {
	return "answer/" + strconv.FormatInt(k.Tenant, 10) + "/" + k.Token + "/" + k.Operation + "/" + k.Key
}

var (
	onceGet = define(`select request, status, header, body from idempotency
		where tenant = $1 and token = $2 and operation = $3 and key = $4 and at > $5`)
	onceInsert = define(`insert into idempotency (` + onceInserted.names() + `)
		values (` + onceInserted.parameters(1) + `)
		` + onceConflict(1))
	onceClaim = define(`insert into idempotency
		(tenant, token, operation, key, request, status, header, body, at, claimed_by, claimed_until)
		values ($1, $2, $3, $4, $5, 0, '{}', $6, $7, $8, $9)
		on conflict (tenant, token, operation, key) do update set request = excluded.request, status = 0,
		header = excluded.header, body = excluded.body, at = excluded.at,
		claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
		where idempotency.at <= $10
		or idempotency.status = 0 and (idempotency.claimed_by = $8 or idempotency.claimed_until <= $7 or $11 = 1)`)
	onceRelease = define(`delete from idempotency
		where tenant = $1 and token = $2 and operation = $3 and key = $4 and status = 0 and claimed_by = $5`)
	onceReplace = define(`update idempotency set body = $6
		where tenant = $1 and token = $2 and operation = $3 and key = $4 and request = $5 and status > 0`)
	oncePurge = define(`delete from idempotency where (tenant, token, operation, key) in
		(select tenant, token, operation, key from idempotency where at <= $1 order by at limit $2)`)
)

// onceRow is an answer as it is saved.
type onceRow struct {
	NewAnswer
	sealed []byte // its body
}

var onceInserted = columns[onceRow]{
	intColumn("tenant", func(r *onceRow) *int64 { return &r.Tenant }),
	textColumn("token", func(r *onceRow) *string { return &r.Token }),
	textColumn("operation", func(r *onceRow) *string { return &r.Operation }),
	textColumn("key", func(r *onceRow) *string { return &r.Key }),
	textColumn("request", func(r *onceRow) *string { return &r.Request }),
	intColumn("status", func(r *onceRow) *int { return &r.Status }),
	jsonColumn("header", func(r *onceRow) *map[string]string { return &r.Header }),
	bytesColumn("body", func(r *onceRow) *[]byte { return &r.sealed }),
	timeColumn("at", func(r *onceRow) *time.Time { return &r.Now }),
}

// onceParameters is how many parameters the insertion of an answer has.
var onceParameters = len(onceInserted) + 2

// onceConflict returns the conflict clause of the insertion of an answer, whose parameters begin at $first.
func onceConflict(first int) string {
	now := first + len(onceInserted) - 1
	return fmt.Sprintf(`on conflict (tenant, token, operation, key) do update set request = excluded.request,
			status = excluded.status, header = excluded.header, body = excluded.body, at = excluded.at,
			claimed_by = '', claimed_until = 0
		where idempotency.at <= $%d
			or idempotency.status = 0 and (idempotency.claimed_by = $%d or idempotency.claimed_until <= $%d)`,
		now+1, now+2, now)
}

// args returns the parameters of the insertion.
func (a *NewAnswer) args(seal sealer) ([]any, error) {
	values, err := onceInserted.values(&onceRow{NewAnswer: *a, sealed: seal.seal(a.Body, a.place())})
	return append(values, micros(a.Since), a.By), err
}

// Answered returns the stored answer to an operation, if there is one from after since. A request that is still under
// way has an answer with the status 0.
func (r reader) Answered(ctx context.Context, k OnceKey, since time.Time) (Answer, bool, error) {
	rows, err := r.q.query(ctx, onceGet, k.Tenant, k.Token, k.Operation, k.Key, micros(since))
	found, err := collect(rows, err, func(rows *sql.Rows) (a Answer, err error) {
		var header []byte
		if err := rows.Scan(&a.Request, &a.Status, &header, &a.Body); err != nil {
			return a, err
		}
		if a.Status == 0 {
			a.Body = nil
			return a, json.Unmarshal(header, &a.Header)
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

// NewAnswer is an answer that is to be kept under a key.
type NewAnswer struct {
	OnceKey
	Answer
	By    string // the process whose claim the answer may replace
	Now   time.Time
	Since time.Time // earlier answers no longer count
}

// StoreAnswer keeps an operation's answer in the operation's own transaction. It returns false if another request
// with the same key, made after Since, was committed first or is under way in another process. Then the caller has to
// roll this transaction back.
func (tx *Tx) StoreAnswer(ctx context.Context, a NewAnswer) (bool, error) {
	args, err := a.args(tx.seal)
	if err != nil {
		return false, err
	}
	n, err := tx.q.exec(ctx, onceInsert, args...)
	return n > 0, err
}

// ReplaceAnswer replaces the body of a stored answer.
func (tx *Tx) ReplaceAnswer(ctx context.Context, a NewAnswer) error {
	_, err := tx.q.exec(ctx, onceReplace, a.Tenant, a.Token, a.Operation, a.Key, a.Request,
		tx.seal.seal(a.Body, a.place()))
	return err
}

// ClaimKey claims a key. It returns false if the key has an answer, or is claimed by another process.
func (tx *Tx) ClaimKey(ctx context.Context, c Claim) (bool, error) {
	alone := 0
	if c.Alone {
		alone = 1
	}
	n, err := tx.q.exec(ctx, onceClaim, c.Tenant, c.Token, c.Operation, c.Key, c.Request, tx.seal.seal(nil, c.place()),
		micros(c.Now),
		c.By, micros(c.Until), micros(c.Since), alone)
	return n > 0, err
}

// ReleaseKey ends a process's claim to a key, unless it has led to an answer.
func (tx *Tx) ReleaseKey(ctx context.Context, k OnceKey, by string) error {
	_, err := tx.q.exec(ctx, onceRelease, k.Tenant, k.Token, k.Operation, k.Key, by)
	return err
}

// PurgeAnswers removes a portion of the answers made before a time, and reports whether there may be more.
func (tx *Tx) PurgeAnswers(ctx context.Context, before time.Time) (more bool, err error) {
	n, err := tx.q.exec(ctx, oncePurge, micros(before), purgeBatch)
	return n == purgeBatch, err
}
