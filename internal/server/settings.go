package server

import (
	"cmp"
	"fmt"
	"time"

	"github.com/casehook/casehook/internal/web/people"
)

// settings returns what administrators may know of the configuration: nothing about other tenants, and no secrets.
func (c Config) settings() []people.Setting {
	engine, uploads := "SQLite", c.MaxUpload
	if c.Database != "" {
		engine = "PostgreSQL"
	}
	if uploads == 0 {
		uploads = 32 << 20
	}
	held := "no"
	if c.Hold {
		held = "yes: nothing is sent, and no callback is asked"
	}
	return []people.Setting{
		{Name: "Version", Value: c.Version},
		{Name: "Database", Value: engine, Flag: "--database"},
		{Name: "Attachments", Value: cmp.Or(c.Attachments, c.usualPlace()), Flag: "--attachments"},
		{Name: "Public URL", Value: cmp.Or(c.PublicURL, "http:// and the address that it listens on"), Flag: "--public-url"},
		{Name: "Attempts and questions are kept", Value: kept(c.KeepAttempts), Flag: "--keep-attempts"},
		{Name: "Entries that no endpoint needs are kept", Value: kept(c.KeepJournal), Flag: "--keep-journal"},
		{Name: "A failing endpoint is disabled after", Value: lasts(c.DisableAfter, 5*24*time.Hour), Flag: "--disable-after"},
		{Name: "Largest proof", Value: fmt.Sprintf("%d MiB", uploads>>20), Flag: "--max-upload"},
		{Name: "A session ends without requests after", Value: lasts(c.SessionIdle, 2*time.Hour), Flag: "--session-idle"},
		{Name: "A session ends in any case after", Value: lasts(c.SessionLifetime, 12*time.Hour), Flag: "--session-lifetime"},
		{Name: "Sign-in with", Value: cmp.Or(c.OIDC.Issuer, "passwords alone"), Flag: "--oidc-issuer"},
		{Name: "Deliveries are held", Value: held, Flag: "--hold"},
	}
}

// kept says how long something is kept.
func kept(d time.Duration) string {
	if d == 0 {
		return "no limit"
	}
	return lasts(d, 0)
}

// lasts says how long something takes; 0 is the default.
func lasts(d, usual time.Duration) string {
	d = cmp.Or(d, usual)
	if day := 24 * time.Hour; d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%d days", d/day)
	}
	if d >= 2*time.Hour && d%time.Hour == 0 {
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return d.String()
}
