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
	o.line("case type %s: retired; its cases go on, and there are no new ones", key)
	return nil
}

// Restore allows new cases of a type that is retired.
func Restore(ctx context.Context, c *client.Client, o Output, key string) error {
	if err := c.Post(ctx, caseTypePath(key)+"/restore", nil, nil); err != nil {
		return err
	}
	o.line("case type %s: active; there may be new cases of it", key)
	return nil
}

// RotateCallback makes a new secret for a callback of a type; that of before signs too for
// an overlap.
func RotateCallback(
	ctx context.Context, c *client.Client, o Output, key, callback string, overlap time.Duration,
) error {
	path := caseTypePath(key) + "/callbacks/" + url.PathEscape(callback) + "/secret"
	return rotate(ctx, c, o, path, "callback "+callback+" of "+key, overlap,
		map[string]string{"overlap": overlap.String()})
}
