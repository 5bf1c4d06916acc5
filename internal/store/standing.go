package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
)

// tokenRights are the columns that decide on a token's rights.
var tokenRights = tokenRead.without("id", "tenant", "name", "hash", "allowed", "created_at", "last_used_at",
	"user_name")

// The statements that read the rights of a credential, one for each kind. They also read the newest version of a case
// type, so that a commit needs one query.
var (
	tokenStanding = define(`select ` + tokenRights.of("t") + `,
			coalesce((select max(version) from case_types where tenant = $1 and key = $3), 0)
		from tokens t left join users u on u.tenant = t.tenant and u.id = t.user_id
		where t.tenant = $1 and t.id = $2 and (t.expires_at = 0 or t.expires_at > $4)`)
	userStanding = define(`select role, further_roles, clearance,
			coalesce((select max(version) from case_types where tenant = $1 and key = $3), 0)
		from users where tenant = $1 and id = $2 and not disabled and epoch = $5
		and ($6 = '' or exists (select 1 from sessions
			where id = $6 and tenant = $1 and user_id = $2 and expires_at > $4))`)
	receiverStanding = define(`select 'receiver', '', clearance, 0
		from portal_links where tenant = $1 and id = $2 and expires_at > $3
		and ($4 = '' or exists (select 1 from sessions where id = $4 and portal_link = $2 and expires_at > $3))`)
)

// Standing returns the current rights of a principal's credential, and the newest version of a case type.
func (r reader) Standing(
	ctx context.Context, p access.Principal, caseType string, now time.Time,
) (s access.Standing, err error) {
	var rows *sql.Rows
	scan := func(rows *sql.Rows) (s access.Standing, err error) {
		err = rows.Scan(&s.Role, &s.Further, &s.Clearance, &s.TypeAt)
		return s, err
	}
	if p.Role == access.Receiver {
		rows, err = r.q.query(ctx, receiverStanding, p.Tenant, p.Actor.TokenID, micros(now), p.Credential.Session)
	} else if p.Actor.UserID != 0 {
		rows, err = r.q.query(ctx, userStanding, p.Tenant, p.Actor.UserID, caseType, micros(now), p.Credential.Epoch,
			p.Credential.Session)
	} else {
		rows, err = r.q.query(ctx, tokenStanding, p.Tenant, p.Actor.TokenID, caseType, micros(now))
		scan = scanTokenStanding
	}
	s, err = one(rows, err, scan, notFound("store.revoked", "The credential was revoked. Send another one."))
	if errors.Is(err, fault.NotFound) {
		err = nil
	}
	return s, err
}

func scanTokenStanding(rows *sql.Rows) (s access.Standing, err error) {
	var t access.Token
	err = rows.Scan(append(tokenRights.targets(&t), &s.TypeAt)...)
	g := t.Grant()
	s.Role, s.Further, s.Clearance = g.Role, g.Further, g.Clearance
	return s, err
}

// RightsMoment returns a counter that grows with every change of rights. Call it before you read a credential, and
// pass it to [Store.RightsUnchanged] later.
func (s *Store) RightsMoment() int64 {
	s.rights.mu.Lock()
	defer s.rights.mu.Unlock()
	return s.rights.moment
}

// Rights returns the present moment of rights. Call it before you read a credential.
func (s *Store) Rights() Rights { return Rights{Looked: time.Now(), Moment: s.RightsMoment()} }

// RightsUnchanged reports whether no rights in a tenant can have changed since a moment. On PostgreSQL it returns
// false after rightsKept, since other nodes may have changed them, and the caller has to read the database.
func (s *Store) RightsUnchanged(tenant, moment int64, looked time.Time) bool {
	if s.Nodes() && time.Since(looked) >= rightsKept {
		return false
	}
	s.rights.mu.Lock()
	defer s.rights.mu.Unlock()
	if tenant == AnyTenant {
		return s.rights.moment <= moment
	}
	return s.rights.locked(tenant).moment <= moment
}

// RightsChanged returns a channel that is closed when rights in a tenant change, or a session ends: at once after a
// commit of this process, and after another node's commit when its notification arrives. Call it before you read.
func (s *Store) RightsChanged(tenant int64) <-chan struct{} {
	return s.rights.of(tenant).changed.channel()
}

// SessionEnded wakes the callers of [Store.RightsChanged] after a session of a tenant was ended.
func (s *Store) SessionEnded(tenant int64) { s.regranted(map[int64]bool{tenant: true}) }

// regranted records the tenants whose rights a commit of this process changed, and
// notifies other nodes.
func (s *Store) regranted(tenants map[int64]bool) {
	for tenant := range tenants {
		s.rights.change(tenant)
	}
	if len(tenants) > 0 && s.Nodes() {
		s.rights.queueNotices(tenants)
		s.committed.broadcast()
	}
}

// change invalidates the cached rights of a tenant, and wakes the callers of RightsChanged.
func (r *rights) change(tenant int64) {
	r.mu.Lock()
	r.moment++
	t := r.locked(tenant)
	t.moment = r.moment
	r.mu.Unlock()
	t.forget()
	t.changed.broadcast()
}

// queueNotices adds tenants to the next notification of other nodes.
func (r *rights) queueNotices(tenants map[int64]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unnotified == nil {
		r.unnotified = map[int64]bool{}
	}
	for tenant := range tenants {
		r.unnotified[tenant] = true
	}
}

// drainNotices returns the queued tenants, and empties the queue.
func (r *rights) drainNotices() map[int64]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	queued := r.unnotified
	r.unnotified = nil
	return queued
}

const (
	allTenants  = "*"
	mostTenants = 200 // in one notification, which is limited to 8,000 bytes
)

// tenantsText returns a notification's text: tenants separated by spaces, allTenants, or "".
func tenantsText(tenants map[int64]bool) string {
	if len(tenants) > mostTenants {
		return allTenants
	}
	texts := make([]string, 0, len(tenants))
	for tenant := range tenants {
		texts = append(texts, strconv.FormatInt(tenant, 10))
	}
	return strings.Join(texts, " ")
}

// rightsChangedElsewhere handles a notification of another node, or of this one.
func (s *Store) rightsChangedElsewhere(text string) {
	if text == allTenants {
		for _, tenant := range s.rights.known() {
			s.rights.change(tenant)
		}
		return
	}
	for _, word := range strings.Fields(text) {
		if tenant, err := strconv.ParseInt(word, 10, 64); err == nil {
			s.rights.change(tenant)
		}
	}
}

// known lists the tenants whose rights are cached or watched.
func (r *rights) known() (all []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for tenant := range r.tenants {
		all = append(all, tenant)
	}
	return all
}
