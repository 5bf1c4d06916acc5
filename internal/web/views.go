package web

import (
	"context"
	"net/url"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

// viewPages has the views of pages: those that are there from the start, and those that were saved.
type viewPages struct {
	views  *people.Views
	counts map[string]counter // by page
}

// counter counts what the query of a page's address selects.
type counter func(ctx context.Context, p access.Principal, query url.Values) (string, error)

// fixed are the views that are there from the start, by page.
var fixed = map[string][]ui.SavedView{
	"/cases": {
		{Name: "Mine", Href: "/cases?assignee=me"},
		{Name: "Unassigned", Href: "/cases?assignee=none"},
	},
	"/messages": {
		{Name: "Failed", Href: "/messages?outcome=failed"},
	},
	"/questions": {
		{Name: "Refused", Href: "/questions?verdict=errors"},
		{Name: "Failed", Href: "/questions?verdict=failed"},
	},
}

// of returns the views of a page that a principal sees, without counts.
func (v viewPages) of(ctx context.Context, p access.Principal, page string) ([]ui.SavedView, error) {
	all, has := fixed[page]
	if !has || !p.Role.Permits(access.ListViews) {
		return all, nil
	}
	saved, err := v.views.Views(ctx, p)
	for _, one := range saved {
		if one.Page == page {
			all = append(all[:len(all):len(all)], ui.SavedView{
				ID: one.ID, Name: one.Name, Href: address(page, one.Query),
				Own: one.Owner == p.Owner() || p.Role.Includes(access.Manager),
			})
		}
	}
	return all, err
}

func address(page, query string) string {
	if query == "" {
		return page
	}
	return page + "?" + query
}

// counted returns the views of a page with their counts, for the navigation.
func (v viewPages) counted(ctx context.Context, r *ui.Request) (ui.View, error) {
	page := r.Query("page")
	all, err := v.of(ctx, r.Principal, page)
	if err != nil {
		return ui.View{}, err
	}
	counted := make([]ui.SavedView, len(all))
	for i, one := range all {
		counted[i] = one
		if count := v.counts[page]; count != nil {
			if counted[i].Count, err = countOf(ctx, r.Principal, one, count); err != nil {
				return ui.View{}, err
			}
		}
	}
	return ui.View{Body: ui.Views(page, r.Query("query"), counted, false, true), Part: true}, nil
}

// countOf counts what a view selects. A view whose query is no longer valid has no count.
func countOf(ctx context.Context, p access.Principal, v ui.SavedView, count counter) (string, error) {
	u, err := url.Parse(v.Href)
	if err != nil {
		return "", nil
	}
	n, err := count(ctx, p, u.Query())
	if kind := fault.As(err).Kind; err != nil && (kind == fault.Invalid || kind == fault.Unprocessable) {
		return "", nil
	}
	return n, err
}

func (v viewPages) create(ctx context.Context, r *ui.Request) (ui.View, error) {
	made, err := v.views.CreateView(ctx, r.Principal, people.NewView{
		Name: r.Form("name"), Page: r.Form("page"), Query: r.Form("query"), Shared: r.Form("shared") != "",
	}, authz.Once{})
	if err != nil {
		return ui.View{}, err
	}
	return ui.Redirect(address(made.Page, made.Query)), nil
}

// delete deletes a view. One's own can be taken back; a colleague's would come back as one's own.
func (v viewPages) delete(ctx context.Context, r *ui.Request) (ui.View, error) {
	all, err := v.views.Views(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	if err := v.views.DeleteView(ctx, r.Principal, r.Form("id")); err != nil {
		return ui.View{}, err
	}
	undo := ui.Undo{Note: "The view is deleted."}
	for _, one := range all {
		if one.ID == r.Form("id") && one.Owner == r.Principal.Owner() {
			undo = ui.Undo{
				Note: "The view " + one.Name + " is deleted.", Path: "/views",
				Form: map[string]string{"name": one.Name, "page": one.Page, "query": one.Query},
			}
			if one.Shared {
				undo.Form["shared"] = "true"
			}
		}
	}
	return r.RedirectUndo(ui.Local(r.Form("page")), undo)
}
