package dev

import (
	"context"
	"net/url"
	"time"

	"github.com/casehook/casehook/internal/client"
)

// caseTypePath returns the path of a case type.
func caseTypePath(key string) string { return "/v1/case-types/" + url.PathEscape(key) }

// Retire ends new cases of a type.
func Retire(ctx context.Context, c *client.Client, o Output, key string) error {
	if err := c.Post(ctx, caseTypePath(key)+"/retire", nil, nil); err != nil {
		return err
	}
	o.line("case type %s: retired; it gets no new cases, and its running cases go on", key)
	return nil
}

// Restore allows new cases of a type that is retired.
func Restore(ctx context.Context, c *client.Client, o Output, key string) error {
	if err := c.Post(ctx, caseTypePath(key)+"/restore", nil, nil); err != nil {
		return err
	}
	o.line("case type %s: active; new cases can be created", key)
	return nil
}

// CallbackRotation is a request for a new secret of a callback.
type CallbackRotation struct {
	CaseType string // its key
	Callback string
	Overlap  time.Duration // how long the earlier secrets sign too
}

// RotateCallback makes a new secret for a callback of a type, and prints it.
func RotateCallback(ctx context.Context, c *client.Client, o Output, r CallbackRotation) error {
	return rotate(ctx, c, o, rotation{
		path:    caseTypePath(r.CaseType) + "/callbacks/" + url.PathEscape(r.Callback) + "/secret",
		owner:   "callback " + r.Callback + " of " + r.CaseType,
		overlap: r.Overlap,
	})
}
