// Package web is the console: pages on which people work on cases, and watch and repair webhooks. It composes the
// kernel (package ui) and the pages of three wings (cases, hooks and people). Pages call the use cases, as the API
// does, and hold no rules.
package web

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/web/people"
	"github.com/casehook/casehook/internal/web/ui"
)

// Config has the settings of the console.
type Config struct {
	// TenantName returns the name of a tenant.
	TenantName func(ctx context.Context, tenant int64) string
}

// Register registers the pages, beside the operations of the API.
func Register(s api.Services, parts api.Console, c Config) *ui.Site {
	site := ui.New(ui.Config{
		Kernel:       parts.Kernel,
		Guard:        s.Guard,
		Authenticate: parts.Authenticate,
		TenantName: func(ctx context.Context, p access.Principal) string {
			return c.TenantName(ctx, p.Tenant)
		},
	})
	parts.Kernel.OnMissing(site.Missing)
	people.Register(site, s.People, parts.Sessions)
	return site
}
