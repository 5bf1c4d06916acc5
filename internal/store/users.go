package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

const userColumns = `id, tenant, email, name, role, clearance, password, issuer, subject, disabled, epoch, revision, created_at, updated_at`

var (
	userByID       = define(`select ` + userColumns + ` from users where tenant = $1 and id = $2`)
	userByEmail    = define(`select ` + userColumns + ` from users where tenant = $1 and email = $2`)
	userOddEmails  = define(`select email from users where tenant = $1 and octet_length(email) <> length(email)`)
	userByIdentity = define(`select ` + userColumns + ` from users where tenant = $1 and issuer = $2 and subject = $3 and issuer <> ''`)
	userList       = define(`select ` + userColumns + ` from users where tenant = $1 and id > $2 order by id limit $3`)
	userInsert     = define(`insert into users (` + userColumns + `)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`)
	userUpdate = define(`update users set email = $3, name = $4, role = $5, clearance = $6, password = $7, issuer = $8, subject = $9,
		disabled = $10, epoch = $11, revision = revision + 1, updated_at = $12 where tenant = $1 and id = $2 and revision = $13`)
	administrators = define(`select clearance from users where tenant = $1 and role = $2 and id <> $3 and not disabled and (password <> '' or issuer <> '')
		union select clearance from tokens where tenant = $1 and role = $2 and id <> $4 and (expires_at = 0 or expires_at > $5)`)
	userRename = define(`update cases set assignee_name = $3 where tenant = $1 and assignee = $2 and assignee_name <> $3`)
)

// Administrators lists what the administrators are cleared for who can come in: users
// with a way to sign in, and tokens; all of them but one.
func (r reader) Administrators(ctx context.Context, tenant int64, without access.Owner, now time.Time) ([]casetype.Classification, error) {
	rows, err := r.q.query(ctx, administrators, tenant, string(access.Admin), without.User(), without.Token(), micros(now))
	return collect(rows, err, scanValue[casetype.Classification])
}

// User finds a user by id.
func (r reader) User(ctx context.Context, tenant, id int64) (access.User, error) {
	rows, err := r.q.query(ctx, userByID, tenant, id)
	return one(rows, err, scanUser, notFound("user.not_found", "There is no user %d.", id))
}

// UserByEmail finds a user by address, in lower case.
func (r reader) UserByEmail(ctx context.Context, tenant int64, email string) (access.User, error) {
	rows, err := r.q.query(ctx, userByEmail, tenant, email)
	return one(rows, err, scanUser, notFound("user.not_found", "There is no such user."))
}

// OddEmails lists the addresses of a tenant's users that are not of ASCII alone.
func (r reader) OddEmails(ctx context.Context, tenant int64) ([]string, error) {
	rows, err := r.q.query(ctx, userOddEmails, tenant)
	return collect(rows, err, scanValue[string])
}

// UserByIdentity finds the user that an OpenID Connect identity belongs to.
func (r reader) UserByIdentity(ctx context.Context, tenant int64, issuer, subject string) (access.User, error) {
	rows, err := r.q.query(ctx, userByIdentity, tenant, issuer, subject)
	return one(rows, err, scanUser, notFound("user.not_found", "There is no such user."))
}

// Users lists a tenant's users with ids above after, oldest first.
func (r reader) Users(ctx context.Context, tenant, after int64, limit int) ([]access.User, error) {
	rows, err := r.q.query(ctx, userList, tenant, after, limit)
	return collect(rows, err, scanUser)
}

// CreateUser adds a user and returns it with its id, which is the next of its
// tenant's. An address or identity that another user of the tenant has is a conflict.
func (tx *Tx) CreateUser(ctx context.Context, u access.User) (_ access.User, err error) {
	u.Revision = 1
	if u.ID, err = tx.Next(ctx, u.Tenant, "ids/users"); err != nil {
		return u, err
	}
	_, err = tx.q.exec(ctx, userInsert, u.ID, u.Tenant, u.Email, u.Name, string(u.Role), string(u.Clearance), u.Password,
		u.Issuer, u.Subject, u.Disabled, u.Epoch, u.Revision, micros(u.CreatedAt), micros(u.UpdatedAt))
	return u, userTaken(err)
}

// UpdateUser saves a user as it was read, with changes, and returns it with its
// next revision. It is a conflict when somebody else changed it meanwhile.
func (tx *Tx) UpdateUser(ctx context.Context, u access.User) (access.User, error) {
	tx.regrant(u.Tenant)
	n, err := tx.q.exec(ctx, userUpdate, u.Tenant, u.ID, u.Email, u.Name, string(u.Role), string(u.Clearance), u.Password,
		u.Issuer, u.Subject, u.Disabled, u.Epoch, micros(u.UpdatedAt), u.Revision)
	if err == nil && n == 0 {
		if _, err := tx.User(ctx, u.Tenant, u.ID); err != nil {
			return access.User{}, err
		}
		err = fault.New(fault.Conflict, "user.version_conflict", "The user changed meanwhile. Load it again and repeat the change.")
	}
	if err == nil {
		_, err = tx.q.exec(ctx, userRename, u.Tenant, u.ID, u.Name) // in the cases that are assigned to them
	}
	u.Revision++
	return u, userTaken(err)
}

func userTaken(err error) error {
	if isDuplicate(err) {
		return fault.Wrap(err, fault.Conflict, "user.taken", "Another user has this address or identity.")
	}
	return err
}

func scanUser(rows *sql.Rows) (u access.User, err error) {
	var created, updated int64
	err = rows.Scan(&u.ID, &u.Tenant, &u.Email, &u.Name, &u.Role, &u.Clearance, &u.Password, &u.Issuer, &u.Subject,
		&u.Disabled, &u.Epoch, &u.Revision, &created, &updated)
	u.CreatedAt, u.UpdatedAt = fromMicros(created), fromMicros(updated)
	return u, err
}
