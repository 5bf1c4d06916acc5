package store

import (
	"context"
	"time"
)

var (
	sessionGet    = define(`select data from sessions where id = $1 and expires_at > $2`)
	sessionUpsert = define(`insert into sessions (` + sessionColumns.names() + `)
		values (` + sessionColumns.parameters(1) + `)
		on conflict (id) do update set ` + sessionColumns.without("id").excluded())
	sessionExtend = define(`update sessions set data = $2, expires_at = $3 where id = $1`)
	sessionsOf    = define(`select ` + sessionColumns.names() + ` from sessions
		where tenant = $1 and user_id = $2 and user_id <> 0 and expires_at > $3 order by expires_at desc, id`)
	sessionEndOwn = define(`delete from sessions where tenant = $1 and user_id = $2 and user_id <> 0 and id = $3`)
	sessionsOther = define(`delete from sessions where tenant = $1 and user_id = $2 and user_id <> 0 and id <> $3`)
	sessionDelete = define(`delete from sessions where id = $1`)
	sessionsDrop  = define(`delete from sessions where tenant = $1 and user_id = $2 and user_id <> 0`)
	sessionsPurge = define(`delete from sessions where expires_at <= $1`)
	sessionsEnd   = define(`delete from sessions where portal_link = $1 and portal_link <> ''`)

	failureCount = define(`insert into signin_failures (key, failures, at, until) values ($1, 1, $2, 0)
		on conflict (key) do update set at = excluded.at,
		failures = case when signin_failures.at < $3 then 1 else signin_failures.failures + 1 end
		where signin_failures.until <= excluded.at returning failures`)
	failureUntil   = define(`select until from signin_failures where key = $1`)
	failureLock    = define(`update signin_failures set until = $2 where key = $1`)
	failureForget  = define(`delete from signin_failures where key = $1`)
	failureForgive = define(`update signin_failures set failures = failures - 1, until = 0
		where key = $1 and failures > 0`)
	failuresTrim = define(`delete from signin_failures
		where at < (select at from signin_failures order by at desc limit 1 offset $1)`)
	failuresPurge = define(`delete from signin_failures where at <= $1`)
)

// Session returns the data of a session that has not expired.
func (r reader) Session(ctx context.Context, id string, now time.Time) (data []byte, found bool, err error) {
	rows, err := r.q.query(ctx, sessionGet, id, micros(now))
	all, err := collect(rows, err, scanValue[[]byte])
	if err != nil || len(all) == 0 {
		return nil, false, err
	}
	data, err = r.seal.open(all[0], sessionPlace(id))
	return data, err == nil, err
}

// Session is a session of the console as it is saved.
type Session struct {
	ID           string
	Tenant, User int64  // 0: nobody has signed in
	PortalLink   string // of a receiver's session
	Data         []byte
	ExpiresAt    time.Time
}

var sessionColumns = columns[Session]{
	textColumn("id", func(s *Session) *string { return &s.ID }),
	intColumn("tenant", func(s *Session) *int64 { return &s.Tenant }),
	intColumn("user_id", func(s *Session) *int64 { return &s.User }),
	textColumn("portal_link", func(s *Session) *string { return &s.PortalLink }),
	bytesColumn("data", func(s *Session) *[]byte { return &s.Data }),
	timeColumn("expires_at", func(s *Session) *time.Time { return &s.ExpiresAt }),
}

// PutSession saves a session.
func (tx *Tx) PutSession(ctx context.Context, s Session) error {
	s.Data = tx.seal.seal(s.Data, sessionPlace(s.ID))
	_, err := sessionColumns.exec(ctx, tx.q, sessionUpsert, &s)
	return err
}

// ExtendSession saves the data of a session anew. If the session has ended meanwhile, it does nothing.
func (tx *Tx) ExtendSession(ctx context.Context, s Session) error {
	_, err := tx.q.exec(ctx, sessionExtend, s.ID, tx.seal.seal(s.Data, sessionPlace(s.ID)), micros(s.ExpiresAt))
	return err
}

// SessionsOf lists the sessions of a tenant's user that have not expired, those that last longest first.
func (r reader) SessionsOf(ctx context.Context, tenant, user int64, now time.Time) ([]Session, error) {
	rows, err := r.q.query(ctx, sessionsOf, tenant, user, micros(now))
	all, err := collect(rows, err, sessionColumns.scan())
	for i := range all {
		if err == nil {
			all[i].Data, err = r.seal.open(all[i].Data, sessionPlace(all[i].ID))
		}
	}
	return all, err
}

// EndSessionOf ends one session of a tenant's user. If it is not theirs, it does nothing.
func (tx *Tx) EndSessionOf(ctx context.Context, tenant, user int64, id string) error {
	_, err := tx.q.exec(ctx, sessionEndOwn, tenant, user, id)
	return err
}

// EndSessionsBut ends all sessions of a tenant's user except one.
func (tx *Tx) EndSessionsBut(ctx context.Context, tenant, user int64, id string) error {
	_, err := tx.q.exec(ctx, sessionsOther, tenant, user, id)
	return err
}

// DeleteSession ends a session. If there is no such session, it does nothing.
func (tx *Tx) DeleteSession(ctx context.Context, id string) error {
	_, err := tx.q.exec(ctx, sessionDelete, id)
	return err
}

// DeleteSessionsOf ends all sessions of a tenant's user.
func (tx *Tx) DeleteSessionsOf(ctx context.Context, tenant, user int64) error {
	_, err := tx.q.exec(ctx, sessionsDrop, tenant, user)
	return err
}

// PurgeSessions removes expired sessions and portal links, and failed sign-ins from before a time.
func (tx *Tx) PurgeSessions(ctx context.Context, now, before time.Time) error {
	for _, expired := range []*statement{sessionsPurge, portalLinksPurge} {
		if _, err := tx.q.exec(ctx, expired, micros(now)); err != nil {
			return err
		}
	}
	_, err := tx.q.exec(ctx, failuresPurge, micros(before))
	return err
}

func sessionPlace(id string) string { return "session/" + id }

// CountSignIn counts an attempt to sign in as a failure, until [Tx.ForgetSignIns] or [Tx.ForgiveSignIn], and returns
// the number of failures in a row. Failures before since do not count. During a lockout it counts nothing, and returns
// the end of the lockout.
func (tx *Tx) CountSignIn(
	ctx context.Context, key string, now, since time.Time,
) (failures int64, until time.Time, err error) {
	rows, err := tx.q.query(ctx, failureCount, key, micros(now), micros(since))
	counted, err := collect(rows, err, scanValue[int64])
	if err != nil || len(counted) > 0 {
		return first(counted), time.Time{}, err
	}
	rows, err = tx.q.query(ctx, failureUntil, key)
	held, err := collect(rows, err, scanValue[int64])
	return 0, fromMicros(first(held)), err
}

func first(all []int64) int64 {
	if len(all) == 0 {
		return 0
	}
	return all[0]
}

// LockSignIns refuses attempts to sign in until a time.
func (tx *Tx) LockSignIns(ctx context.Context, key string, until time.Time) error {
	_, err := tx.q.exec(ctx, failureLock, key, micros(until))
	return err
}

// ForgetSignIns removes all counted failures of a key.
func (tx *Tx) ForgetSignIns(ctx context.Context, key string) error {
	_, err := tx.q.exec(ctx, failureForget, key)
	return err
}

// ForgiveSignIn removes one counted failure of a key.
func (tx *Tx) ForgiveSignIn(ctx context.Context, key string) error {
	_, err := tx.q.exec(ctx, failureForgive, key)
	return err
}

// TrimSignIns removes the oldest counts of failures, and keeps the newest most, which is at least 1.
func (tx *Tx) TrimSignIns(ctx context.Context, most int) error {
	_, err := tx.q.exec(ctx, failuresTrim, most-1)
	return err
}
