package people

import (
	"cmp"
	"context"
	"errors"
	"net/mail"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// UserChange is a change of a user; nil leaves a field as it is.
type UserChange struct {
	Email     *string
	Name      *string
	Role      *access.Role
	Further   *[]string // further roles
	Clearance *casetype.Classification
	Password  *string // "": none any more
	Disabled  *bool
}

// CreateUser adds a user to the caller's tenant: by default a viewer with the clearance PUBLIC.
func (s *Users) CreateUser(
	ctx context.Context, p access.Principal, c UserChange, once authz.Once,
) (access.User, error) {
	if err := s.guard.Permit(ctx, p, access.CreateUser); err != nil {
		return access.User{}, err
	}
	now := s.now()
	made := access.User{
		Tenant:    p.Tenant,
		Role:      access.Viewer,
		Clearance: casetype.Public,
		CreatedAt: now,
		UpdatedAt: now,
	}
	if err := s.changeUser(ctx, p, &made, c); err != nil {
		return access.User{}, err
	}
	err := s.guard.Once(ctx, p, once, func() error {
		return s.guard.Update(ctx, authz.NewMandate(p, access.CreateUser), func(tx *store.Tx) (err error) {
			if err := checkAlike(ctx, tx, made.Tenant, made.Email); err != nil {
				return err
			}
			if made, err = tx.CreateUser(ctx, made); err != nil {
				return err
			}
			err = s.guard.Record(ctx, tx, authz.Note{
				Who:     p,
				What:    access.UserCreated,
				Subject: authz.AboutUser(made.ID),
				Detail: map[string]any{
					"role": made.Role, "further_roles": made.Further.Names(), "clearance": made.Clearance,
				},
			})
			if err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, made)
		})
	})
	if err != nil {
		return access.User{}, err
	}
	return made, nil
}

// UpdateUser changes a user. When the password or the address changes, or the
// user is disabled, all of the user's sessions end.
func (s *Users) UpdateUser(ctx context.Context, p access.Principal, userID int64, c UserChange) (access.User, error) {
	if err := s.guard.Permit(ctx, p, access.UpdateUser); err != nil {
		return access.User{}, err
	}
	var saved access.User
	err := authz.Retry("user.version_conflict", func() error {
		before, err := s.store.User(ctx, p.Tenant, userID)
		if err != nil {
			return err
		}
		if len(above(p, before.Role, before.Clearance)) > 0 {
			return s.guard.Deny(ctx, p, access.UpdateUser, authz.AboutUser(userID),
				authz.Forbidden("The user has a role or a clearance above yours. Ask an administrator who has them "+
					"too."))
		}
		after := before
		if err := s.changeUser(ctx, p, &after, c); err != nil {
			return err
		}
		return s.guard.Update(ctx, authz.NewMandate(p, access.UpdateUser), func(tx *store.Tx) (err error) {
			saved, err = s.saveUser(ctx, tx, p, before, after)
			return err
		})
	})
	if err != nil {
		return access.User{}, err
	}
	return saved, nil
}

func (s *Users) saveUser(
	ctx context.Context, tx *store.Tx, p access.Principal, before, after access.User,
) (access.User, error) {
	over := after.Password != before.Password || after.Email != before.Email || after.Disabled && !before.Disabled
	if over {
		after.Epoch++
		if err := tx.DeleteSessionsOf(ctx, after.Tenant, after.ID); err != nil {
			return after, err
		}
	}
	if after.Email != before.Email {
		if err := checkAlike(ctx, tx, after.Tenant, after.Email); err != nil {
			return after, err
		}
	}
	after.UpdatedAt = s.now()
	if had, has := before.SignInGrant(), after.SignInGrant(); !has.Includes(had) {
		if err := s.tokens.keepsAnAdministrator(ctx, tx, p.Tenant, had, before.Owner()); err != nil {
			return after, err
		}
	}
	saved, err := tx.UpdateUser(ctx, after)
	if err != nil {
		return saved, err
	}
	return saved, s.guard.Record(ctx, tx, authz.Note{
		Who:     p,
		What:    access.UserUpdated,
		Subject: authz.AboutUser(after.ID),
		Detail:  map[string]any{"changed": changed(before, after), "sessions_ended": over},
	})
}

// checkAlike refuses an address that differs from another user's, but looks the same.
func checkAlike(ctx context.Context, tx *store.Tx, tenant int64, email string) error {
	others, err := tx.OddEmails(ctx, tenant)
	if err != nil {
		return err
	}
	folded := access.FoldedEmail(email)
	if u, err := tx.UserByEmail(ctx, tenant, folded); err == nil {
		others = append(others, u.Email)
	} else if !errors.Is(err, fault.NotFound) {
		return err
	}
	for _, other := range others {
		if other != email && access.FoldedEmail(other) == folded {
			return fault.In("user.email_alike",
				"The email address could be mistaken for another user's. Choose another one.", fault.Field{
					Path: "/email",
					Message: "differs from the address of another user in letter case or in letters that look " +
						"the same",
				})
		}
	}
	return nil
}

// changed returns the names of the fields that differ between two versions of a user.
func changed(before, after access.User) []string {
	names := []string{}
	for _, field := range []struct {
		name   string
		differ bool
	}{
		{"email", before.Email != after.Email},
		{"name", before.Name != after.Name},
		{"role", before.Role != after.Role},
		{"further_roles", before.Further != after.Further},
		{"clearance", before.Clearance != after.Clearance},
		{"password", before.Password != after.Password},
		{"disabled", before.Disabled != after.Disabled},
		{"identity", before.Issuer != after.Issuer || before.Subject != after.Subject},
	} {
		if field.differ {
			names = append(names, field.name)
		}
	}
	return names
}

// changeUser writes the change into u, and checks all fields.
func (s *Users) changeUser(ctx context.Context, p access.Principal, u *access.User, c UserChange) error {
	var wrong []fault.Field
	add := func(path, message string) {
		if message != "" {
			wrong = append(wrong, fault.Field{Path: path, Message: message})
		}
	}
	if c.Email != nil {
		u.Email = access.NormalEmail(*c.Email)
	}
	add("/email", emailProblem(u.Email))
	if c.Name != nil {
		u.Name = *c.Name
	}
	add("/name", cmp.Or(input.LineProblem(u.Name, input.MaxName), missing(u.Name)))
	if c.Role != nil {
		u.Role = *c.Role
	}
	if c.Further != nil {
		wrong = append(wrong, furtherProblems(p, *c.Further)...)
		u.Further = access.NewFurtherRoles(*c.Further)
	}
	if c.Clearance != nil {
		u.Clearance = *c.Clearance
	}
	wrong = append(wrong, above(p, u.Role, u.Clearance)...)
	if c.Disabled != nil {
		u.Disabled = *c.Disabled
	}
	if c.Password != nil && *c.Password != "" {
		add("/password", access.PasswordProblem(*c.Password))
	}
	if len(wrong) > 0 {
		return fault.In("user.invalid", "The user was not saved: see fields.", wrong...)
	}
	return s.setPassword(ctx, u, c.Password)
}

func (s *Users) setPassword(ctx context.Context, u *access.User, password *string) error {
	switch {
	case password == nil:
		return nil
	case *password == "":
		u.Password = ""
		return nil
	}
	return s.hashing(ctx, func() (err error) {
		u.Password, err = access.HashPassword(s.random, s.passwordCost, *password)
		return err
	})
}

func emailProblem(email string) string {
	if message := input.LineProblem(email, input.MaxName); message != "" {
		return message
	}
	if parsed, err := mail.ParseAddress(email); err != nil || parsed.Address != email {
		return "is not an address such as ada@example.org"
	}
	return ""
}

func missing(s string) string {
	if s == "" {
		return "is empty"
	}
	return ""
}

// User returns a user.
func (s *Users) User(ctx context.Context, p access.Principal, userID int64) (access.User, error) {
	if err := s.guard.Permit(ctx, p, access.GetUser); err != nil {
		return access.User{}, err
	}
	return s.store.User(ctx, p.Tenant, userID)
}

// Users lists users with ids above after, oldest first.
func (s *Users) Users(ctx context.Context, p access.Principal, after int64, limit int) ([]access.User, error) {
	if err := s.guard.Permit(ctx, p, access.ListUsers); err != nil {
		return nil, err
	}
	return s.store.Users(ctx, p.Tenant, after, input.Page(limit))
}

// maxColleagueReads bounds the reads of a list of colleagues, where many users are disabled.
const maxColleagueReads = 5

// Colleagues lists up to limit users to whom cases can be assigned, by their ids, which are above after. Next is where
// the next page begins; 0: there is none. A page may have fewer users than its limit.
func (s *Users) Colleagues(
	ctx context.Context, p access.Principal, after int64, limit int,
) (all []event.Person, next int64, err error) {
	if err := s.guard.Permit(ctx, p, access.ListColleagues); err != nil {
		return nil, 0, err
	}
	limit, next = input.Page(limit), after
	for range maxColleagueReads {
		found, err := s.store.Users(ctx, p.Tenant, next, input.MaxPage)
		if err != nil {
			return nil, 0, err
		}
		for i, u := range found {
			if next = u.ID; !u.Disabled {
				all = append(all, p.RedactPerson(event.Person{UserID: u.ID, Name: u.Name}))
			}
			if len(all) == limit && (i < len(found)-1 || len(found) == input.MaxPage) {
				return all, next, nil
			}
		}
		if len(found) < input.MaxPage {
			return all, 0, nil
		}
	}
	return all, next, nil
}
