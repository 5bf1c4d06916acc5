package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
)

// Options say where a plan is applied.
type Options struct {
	DryRun bool // only say what would be done
	Out    io.Writer
}

// applier applies a plan.
type applier struct {
	Options
	*client.Client
}

// Run applies a plan to a server, and says on Out what was done to each item. It
// stops at the first that fails; those before it are done.
func Run(ctx context.Context, p *Plan, server *client.Client, o Options) error {
	c := &applier{o, server}
	for _, t := range p.Types {
		if err := c.caseType(ctx, t); err != nil {
			return fmt.Errorf("case type %s: %w", t.Key, err)
		}
	}
	if len(p.Endpoints) == 0 {
		return nil
	}
	there, err := c.endpoints(ctx)
	if err != nil {
		return fmt.Errorf("listing the endpoints: %w", err)
	}
	for _, e := range p.Endpoints {
		if err := c.endpoint(ctx, e, p.Secrets[e.Name], there); err != nil {
			return fmt.Errorf("endpoint %s: %w", e.Name, err)
		}
	}
	return nil
}

// What is done to an item.
const (
	created   = "created"
	updated   = "updated"
	unchanged = "unchanged"
)

func (c *applier) say(what, name, done string) {
	if c.DryRun && done != unchanged {
		done = "would be " + done
	}
	fmt.Fprintf(c.Out, "%s %s: %s\n", what, name, done)
}

func (c *applier) caseType(ctx context.Context, t Type) error {
	path := "/v1/case-types/" + url.PathEscape(t.Key)
	if c.DryRun {
		return c.compareType(ctx, path, t)
	}
	var put struct {
		Version   int64             `json:"version"`
		Unchanged bool              `json:"unchanged"`
		Secrets   map[string]string `json:"callback_secrets"`
	}
	query := url.Values{"file": {t.File}}.Encode()
	if err := c.Call(ctx, client.Request{Method: http.MethodPut, Path: path + "?" + query, ContentType: "application/yaml", Body: t.Source}, &put); err != nil {
		return err
	}
	done := fmt.Sprintf("%s (version %d)", updated, put.Version)
	switch {
	case put.Unchanged:
		done = unchanged
	case put.Version == 1:
		done = created
	}
	c.say("case type", t.Key, done)
	for _, transition := range slices.Sorted(maps.Keys(put.Secrets)) {
		fmt.Fprintf(c.Out, "  secret of the callback of %s, shown this once: %s\n", transition, put.Secrets[transition])
	}
	return nil
}

func (c *applier) compareType(ctx context.Context, path string, t Type) error {
	var there struct {
		Definition json.RawMessage `json:"definition"`
	}
	err := c.Get(ctx, path, &there)
	done := updated
	switch {
	case errors.Is(err, fault.NotFound):
		done = created
	case err != nil:
		return err
	case sameJSON(there.Definition, t.JSON()):
		done = unchanged
	}
	c.say("case type", t.Key, done)
	return nil
}

func sameJSON(a, b []byte) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// remote is an endpoint as the API shows and takes it.
type remote struct {
	ID        string   `json:"id,omitempty"`
	Name      string   `json:"name"`
	URL       string   `json:"url"`
	Triggers  []string `json:"triggers"`
	Sources   []string `json:"sources"`
	IgnoreOwn bool     `json:"ignore_own"`
	Filter    string   `json:"filter"`
	Token     *string  `json:"token,omitempty"`
	Policy    policy   `json:"policy"`
	Secret    string   `json:"secret,omitempty"`
	Revision  int64    `json:"revision,omitempty"`
	remoteSettings
}

type policy struct {
	Retries     []string `json:"retries"`
	Timeout     string   `json:"timeout"`
	Concurrency int      `json:"concurrency"`
	Order       string   `json:"order"`
	RateLimit   float64  `json:"rate_limit"`
}

func wanted(e endpoint.Endpoint) remote {
	p := policy{Retries: []string{}, Timeout: e.Policy.Timeout.String(), Concurrency: e.Policy.Concurrency, Order: string(e.Policy.Order), RateLimit: e.Policy.RateLimit}
	for _, wait := range e.Policy.Retries {
		p.Retries = append(p.Retries, wait.String())
	}
	r := remote{Name: e.Name, URL: e.URL, Triggers: e.Triggers, Sources: e.Sources, IgnoreOwn: e.IgnoreOwn, Filter: e.Filter, Policy: p}
	r.remoteSettings = wantedSettings(e)
	if len(r.Sources) == 0 {
		r.Sources = endpoint.Sources
	}
	if e.Token != "" {
		r.Token = &e.Token
	}
	return r
}

func (r remote) same(other remote) bool {
	if !r.looksLike(other.remoteSettings) {
		return false
	}
	if r.Token != nil && (other.Token == nil || *r.Token != *other.Token) {
		return false // where none is named, any is right
	}
	if !slices.Equal(r.Sources, other.Sources) || r.IgnoreOwn != other.IgnoreOwn || r.Filter != other.Filter {
		return false
	}
	return r.Name == other.Name && r.URL == other.URL && slices.Equal(r.Triggers, other.Triggers) && slices.Equal(r.Policy.Retries, other.Policy.Retries) &&
		r.Policy.Timeout == other.Policy.Timeout && r.Policy.Concurrency == other.Policy.Concurrency && r.Policy.Order == other.Policy.Order && r.Policy.RateLimit == other.Policy.RateLimit
}

// endpoints returns those that have names.
func (c *applier) endpoints(ctx context.Context) (there []remote, err error) {
	for e, err := range client.Each[remote](ctx, c.Client, "/v1/endpoints", nil) {
		if err != nil {
			return nil, err
		}
		if e.Name != "" {
			slices.Sort(e.Triggers)
			there = append(there, e)
		}
	}
	return there, nil
}

// named finds the endpoint of a name, else the one whose name is spelt otherwise.
func named(there []remote, name string) (remote, bool) {
	at := slices.IndexFunc(there, func(e remote) bool { return e.Name == name })
	if at < 0 {
		at = slices.IndexFunc(there, func(e remote) bool { return spelling.Key(e.Name) == spelling.Key(name) })
	}
	if at < 0 {
		return remote{}, false
	}
	return there[at], true
}

func (c *applier) endpoint(ctx context.Context, e endpoint.Endpoint, secret string, there []remote) error {
	want := wanted(e)
	have, exists := named(there, e.Name)
	method, path, done := http.MethodPost, "/v1/endpoints", created
	if exists {
		method, path, done = http.MethodPatch, "/v1/endpoints/"+url.PathEscape(have.ID), updated
	}
	same := exists && want.same(have)
	if same && (c.DryRun || !want.secret()) {
		c.say("endpoint", e.Name, unchanged)
		return nil
	}
	if exists {
		want.removing(have.remoteSettings)
	} else {
		want.Secret = secret
	}
	var saved remote
	if !c.DryRun {
		if err := c.Call(ctx, client.Request{Method: method, Path: path, Body: want}, &saved); err != nil {
			return err
		}
	}
	if same && saved.Revision == have.Revision { // the secrets were right, too
		done = unchanged
	}
	c.say("endpoint", e.Name, done)
	if saved.Secret != "" {
		fmt.Fprintf(c.Out, "  secret, shown this once: %s\n", saved.Secret)
	}
	return nil
}
