package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

var userColumns = columns[access.User]{
	intColumn("id", func(u *access.User) *int64 { return &u.ID }),
	intColumn("tenant", func(u *access.User) *int64 { return &u.Tenant }),
	textColumn("email", func(u *access.User) *string { return &u.Email }),
	textColumn("name", func(u *access.User) *string { return &u.Name }),
	textColumn("role", func(u *access.User) *access.Role { return &u.Role }),
	textColumn("further_roles", func(u *access.User) *access.FurtherRoles { return &u.Further }),
	textColumn("clearance", func(u *access.User) *casetype.Classification { return &u.Clearance }),
	textColumn("password", func(u *access.User) *string { return &u.Password }),
	textColumn("issuer", func(u *access.User) *string { return &u.Issuer }),
	textColumn("subject", func(u *access.User) *string { return &u.Subject }),
	boolColumn("disabled", func(u *access.User) *bool { return &u.Disabled }),
	intColumn("epoch", func(u *access.User) *int64 { return &u.Epoch }),
	intColumn("revision", func(u *access.User) *int64 { return &u.Revision }),
	timeColumn("created_at", func(u *access.User) *time.Time { return &u.CreatedAt }),
	timeColumn("updated_at", func(u *access.User) *time.Time { return &u.UpdatedAt }),
}

// userSaved are the columns that a change of a user saves.
var userSaved = userColumns.without("id", "tenant", "revision", "created_at")

var (
	userSelect     = `select ` + userColumns.names() + ` from users `
	userByID       = define(userSelect + `where tenant = $1 and id = $2`)
	userByEmail    = define(userSelect + `where tenant = $1 and email = $2`)
	userByIdentity = define(userSelect + `where tenant = $1 and issuer = $2 and subject = $3 and issuer <> ''`)
	userList       = define(userSelect + `where tenant = $1 and id > $2 order by id limit $3`)
	userOddEmails  = define(`select email from users where tenant = $1 and octet_length(email) <> length(email)`)
	userInsert     = define(`insert into users (` + userColumns.names() + `)
		values (` + userColumns.parameters(1) + `)`)
	userUpdate = define(`update users
		set ` + userSaved.assignments(4) + `, revision = revision + 1
		where tenant = $1 and id = $2 and revision = $3`)
	administrators = define(`select clearance from users
		where tenant = $1 and role = $2 and id <> $3 and not disabled and (password <> '' or issuer <> '')
		union select clearance from tokens
		where tenant = $1 and role = $2 and user_id = 0 and id <> $4 and (expires_at = 0 or expires_at > $5)`)
	administratorsLock = postgresOnly(`select id from tenants where id = $1 for no key update`)
	userLock           = postgresOnly(`select id from users where tenant = $1 and id = $2 for no key update`)
	userRename         = define(`update cases set assignee_name = $3
		where tenant = $1 and assignee = $2 and assignee_name <> $3`)
)

// Administrators lists the clearances of all administrators but one: users who can sign in, and tokens of the tenant.
// A user's own token is no administrator by itself.
func (r reader) Administrators(
	ctx context.Context, tenant int64, without access.Owner, now time.Time,
) ([]casetype.Classification, error) {
	rows, err := r.q.query(ctx, administrators, tenant, string(access.Admin), without.User(), without.Token(),
		micros(now))
	return collect(rows, err, scanValue[casetype.Classification])
}

// LockAdministrators makes other transactions that call it for the tenant wait for the end of this one.
func (tx *Tx) LockAdministrators(ctx context.Context, tenant int64) error {
	if tx.dialect != postgres {
		return nil // SQLite has one writer
	}
	_, err := tx.q.exec(ctx, administratorsLock, tenant)
	return err
}

// lockUser makes other transactions that call it for the user wait for the end of this one.
func (tx *Tx) lockUser(ctx context.Context, tenant, id int64) error {
	if tx.dialect != postgres {
		return nil // SQLite has one writer
	}
	_, err := tx.q.exec(ctx, userLock, tenant, id)
	return err
}

// User returns a user by id.
func (r reader) User(ctx context.Context, tenant, id int64) (access.User, error) {
	rows, err := r.q.query(ctx, userByID, tenant, id)
	return one(rows, err, userColumns.scan(), notFound("user.not_found", "There is no user %d.", id))
}

// UserByEmail returns a user by address, in lower case.
func (r reader) UserByEmail(ctx context.Context, tenant int64, email string) (access.User, error) {
	rows, err := r.q.query(ctx, userByEmail, tenant, email)
	return one(rows, err, userColumns.scan(), notFound("user.not_found", "No user has this email address."))
}

// OddEmails lists the addresses of a tenant's users that are not ASCII.
func (r reader) OddEmails(ctx context.Context, tenant int64) ([]string, error) {
	rows, err := r.q.query(ctx, userOddEmails, tenant)
	return collect(rows, err, scanValue[string])
}

// UserByIdentity returns the user that has an OpenID Connect identity.
func (r reader) UserByIdentity(ctx context.Context, tenant int64, issuer, subject string) (access.User, error) {
	rows, err := r.q.query(ctx, userByIdentity, tenant, issuer, subject)
	return one(rows, err, userColumns.scan(), notFound("user.not_found", "No user has this identity."))
}

// Users lists a tenant's users with ids above after, oldest first.
func (r reader) Users(ctx context.Context, tenant, after int64, limit int) ([]access.User, error) {
	rows, err := r.q.query(ctx, userList, tenant, after, limit)
	return collect(rows, err, userColumns.scan())
}

// CreateUser adds a user, and returns it with the tenant's next user id. It returns a conflict if another user of the
// tenant has the address or identity.
func (tx *Tx) CreateUser(ctx context.Context, u access.User) (_ access.User, err error) {
	u.Revision = 1
	if u.ID, err = tx.Next(ctx, u.Tenant, "ids/users"); err != nil {
		return u, err
	}
	_, err = userColumns.exec(ctx, tx.q, userInsert, &u)
	return u, userTaken(err)
}

// UpdateUser saves a changed user, and returns it with its next revision. It returns a conflict if the user was
// changed since it was read.
func (tx *Tx) UpdateUser(ctx context.Context, u access.User) (access.User, error) {
	tx.regrant(u.Tenant)
	n, err := userSaved.exec(ctx, tx.q, userUpdate, &u, u.Tenant, u.ID, u.Revision)
	if err == nil && n == 0 {
		if _, err := tx.User(ctx, u.Tenant, u.ID); err != nil {
			return access.User{}, err
		}
		err = fault.New(fault.Conflict, "user.version_conflict",
			"The user changed meanwhile; nothing was saved. Load it again and repeat the change.")
	}
	if err == nil {
		_, err = tx.q.exec(ctx, userRename, u.Tenant, u.ID, u.Name) // in the cases that are assigned to them
	}
	u.Revision++
	return u, userTaken(err)
}

func userTaken(err error) error {
	if isDuplicate(err) {
		return fault.Wrap(err, fault.Conflict, "user.taken",
			"Another user has this email address or identity already. Choose another one.")
	}
	return err
}
