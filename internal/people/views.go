package people

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Views are the filters of the console's pages that people have saved. It is safe for concurrent use.
type Views struct {
	store *store.Store
	guard *authz.Guard
	now   func() time.Time
}

// The bounds of a view, in characters.
const (
	maxViewName  = 100
	maxViewQuery = 2000
)

// Views lists the caller's views, and those that are shared, the oldest first.
func (s *Views) Views(ctx context.Context, p access.Principal) ([]access.View, error) {
	if err := s.guard.Permit(ctx, p, access.ListViews); err != nil {
		return nil, err
	}
	return s.store.Views(ctx, p.Tenant, p.Owner())
}

// NewView is a view to create.
type NewView struct {
	Name, Page, Query string
	Shared            bool
}

// CreateView saves a view of the caller. Managers and administrators may share theirs.
func (s *Views) CreateView(ctx context.Context, p access.Principal, in NewView, once authz.Once) (access.View, error) {
	if err := s.guard.Permit(ctx, p, access.CreateView); err != nil {
		return access.View{}, err
	}
	if in.Shared && !p.Role.Includes(access.Manager) {
		return access.View{}, authz.Forbidden("The role %q may not share views; %q may. Save it for yourself.",
			p.Role, access.Manager)
	}
	v := access.View{
		ID: id.New("view"), Owner: p.Owner(), Name: strings.TrimSpace(in.Name), Page: in.Page, Shared: in.Shared,
		CreatedAt: s.now(),
	}
	var err error
	if v.Query, err = in.check(v.Name); err != nil {
		return access.View{}, err
	}
	err = s.guard.Once(ctx, p, once, func() error {
		return s.guard.Update(ctx, authz.NewMandate(p, access.CreateView), func(tx *store.Tx) error {
			if err := tx.CreateView(ctx, p.Tenant, v); err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, v)
		})
	})
	if err != nil {
		return access.View{}, err
	}
	return v, nil
}

// check returns the query in its one form, without a place in the list.
func (in NewView) check(name string) (query string, err error) {
	var wrong []fault.Field
	if message := input.LineProblem(name, maxViewName); message != "" {
		wrong = append(wrong, fault.Field{Path: "/name", Message: message})
	}
	if !strings.HasPrefix(in.Page, "/") || strings.HasPrefix(in.Page, "//") || strings.ContainsAny(in.Page, "?#\\") ||
		input.LineProblem(in.Page, maxViewName) != "" {
		wrong = append(wrong, fault.Field{Path: "/page", Message: "is not the path of a page, such as /cases"})
	}
	values, err := url.ParseQuery(strings.TrimPrefix(in.Query, "?"))
	if err != nil || len(in.Query) > maxViewQuery {
		wrong = append(wrong, fault.Field{
			Path: "/query", Message: "is not the query of an address, such as type=kyc&state=draft",
		})
	}
	if len(wrong) > 0 {
		return "", fault.In("view.invalid", "The view was not saved: see fields.", wrong...)
	}
	values.Del("cursor")
	return values.Encode(), nil
}

// DeleteView deletes a view of the caller. Managers and administrators may delete those that others share.
func (s *Views) DeleteView(ctx context.Context, p access.Principal, viewID string) error {
	if err := s.guard.Permit(ctx, p, access.DeleteView); err != nil {
		return err
	}
	if !input.Word(viewID) {
		viewID = ""
	}
	return s.guard.Update(ctx, authz.NewMandate(p, access.DeleteView), func(tx *store.Tx) error {
		v, err := tx.View(ctx, p.Tenant, viewID, p.Owner())
		if err != nil {
			return err
		}
		if v.Owner != p.Owner() && !p.Role.Includes(access.Manager) {
			return authz.Forbidden("The view is shared by a colleague. They, or a manager, may delete it.")
		}
		return tx.DeleteView(ctx, p.Tenant, v.ID)
	})
}
