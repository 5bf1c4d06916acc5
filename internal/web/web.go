// Package web is the console: pages on which people work on cases, and watch and repair webhooks. It composes the
// kernel (package ui) and the pages of three wings (cases, hooks and people). Pages call the use cases, as the API
// does, and hold no rules.
package web

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/web/cases"
	"github.com/casehook/casehook/internal/web/hooks"
	"github.com/casehook/casehook/internal/web/people"
	"github.com/casehook/casehook/internal/web/ui"
)

// Config has the settings of the console.
type Config struct {
	// TenantName returns the name of a tenant.
	TenantName func(ctx context.Context, tenant int64) string
	// Wait returns a channel that is closed when a tenant has new entries in the journal.
	Wait func(tenant int64) <-chan struct{}
	Stop <-chan struct{} // closed when live pages should end
	// Gallery serves the page that shows all components, for those who develop the console.
	Gallery bool
	// Settings are those of the server that administrators may know.
	Settings []people.Setting
}

// Register registers the pages, beside the operations of the API.
func Register(s api.Services, parts api.Console, c Config) *ui.Site {
	pages := cases.Services{
		Casework: s.Casework, Messages: s.Hooks.Messages, Users: s.People.Users, Guard: s.Guard,
	}
	views := viewPages{views: s.People.Views, counts: map[string]counter{"/cases": pages.Count}}
	site := ui.New(ui.Config{
		Kernel:       parts.Kernel,
		Guard:        s.Guard,
		Authenticate: parts.Authenticate,
		TenantName: func(ctx context.Context, p access.Principal) string {
			return c.TenantName(ctx, p.Tenant)
		},
		Wait:    c.Wait,
		Stop:    c.Stop,
		Gallery: c.Gallery,
		Views: func(ctx context.Context, p access.Principal, page string) ([]ui.SavedView, error) {
			return views.of(ctx, p, page)
		},
	})
	parts.Kernel.OnMissing(site.Missing)
	site.Page("GET /{$}", access.GetSession, overview{s}.show)
	site.Page("GET /views", access.ListViews, views.counted)
	site.Page("POST /views", access.CreateView, views.create)
	site.Page("POST /views/delete", access.DeleteView, views.delete)
	site.Page("GET /jump", access.ListCases, jumper{s}.jump)
	hooks.Register(site, s.Hooks, hooks.Config{
		Kernel: parts.Kernel, Tester: parts.Tester, Portal: s.People.Portal,
		Version: parts.Version, AtfinityVersion: parts.AtfinityVersion,
	})
	people.Register(site, s.People, parts.Sessions, people.Config{Guard: s.Guard, Settings: c.Settings})
	cases.Register(site, pages)
	return site
}
