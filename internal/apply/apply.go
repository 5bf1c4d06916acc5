package apply

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
)

// Options configure the application of a plan.
type Options struct {
	DryRun bool // only report the changes
	Out    io.Writer
}

// applier applies a plan.
type applier struct {
	Options
	server *client.Client
	plan   *Plan
}

// Run applies a plan to a server, and writes the changes to each item, made or with DryRun intended, to Out. A
// failure does not stop the other items; the error lists all of them.
func Run(ctx context.Context, p *Plan, server *client.Client, o Options) error {
	c := &applier{o, server, p}
	var wrong failures
	for _, t := range p.Types {
		if err := c.caseType(ctx, t); wrong.add(err) {
			return wrong.err()
		}
	}
	if len(p.Endpoints) == 0 {
		return wrong.err()
	}
	there, err := c.endpoints(ctx)
	if err != nil {
		wrong.add(err)
		return wrong.err()
	}
	for _, e := range p.Endpoints {
		if err := c.endpoint(ctx, e, there); wrong.add(err) {
			break
		}
	}
	return wrong.err()
}

// The verbs of reports.
const (
	created   = "created"
	updated   = "updated"
	unchanged = "unchanged"
)

// report describes the changes to an item.
type report struct {
	item  string // "endpoint crm"
	done  string
	lines []string // the changes, and notes about the item
}

func (c *applier) say(r report) {
	if c.DryRun && r.done != unchanged {
		r.done = "would be " + r.done
	}
	fmt.Fprintf(c.Out, "%s: %s\n", r.item, r.done)
	for _, line := range r.lines {
		fmt.Fprintf(c.Out, "  %s\n", line)
	}
}

// also adds a line about another change to the item.
func (r *report) also(line string) {
	if r.lines = append(r.lines, line); r.done == unchanged {
		r.done = updated
	}
}

// would returns a verb, with DryRun in the conditional.
func (c *applier) would(done string) string {
	if c.DryRun {
		return "would be " + done
	}
	return done
}

func (c *applier) caseType(ctx context.Context, t Type) error {
	path := "/v1/case-types/" + url.PathEscape(t.CaseType.Key)
	r := report{item: "case type " + t.CaseType.Key, done: created}
	var there struct {
		Definition json.RawMessage `json:"definition"`
		RetiredAt  *time.Time      `json:"retired_at"`
	}
	err := c.server.Get(ctx, path, &there)
	exists := err == nil
	switch {
	case exists:
		r.done = unchanged
		if r.lines = definitionChanges(there.Definition, t.CaseType.JSON()); len(r.lines) > 0 {
			r.done = updated
		}
	case fault.As(err).Code != "case_type.not_found":
		return c.ofType(t, err)
	}
	if c.DryRun {
		for _, w := range t.CaseType.Warnings() {
			r.lines = append(r.lines, "warning: "+w.String())
		}
	}
	var drawn map[string]string
	if !c.DryRun {
		if drawn, err = c.put(ctx, path, t, &r); err != nil {
			return c.ofType(t, err)
		}
	}
	known := notes(t, there.Definition, strings.HasPrefix(r.done, updated), there.RetiredAt != nil)
	err = c.callbackSecrets(ctx, path, t, drawn, &r)
	r.lines = append(r.lines, known...)
	c.say(r)
	return err
}

// notes returns notes about an existing type: that it is retired, and how to move its running cases to a new
// version.
func notes(t Type, before json.RawMessage, updated, retired bool) (lines []string) {
	if retired {
		lines = append(lines,
			"is retired and gets no new cases; casehook casetype restore "+t.CaseType.Key+
				" undoes that")
	}
	if !updated {
		return lines
	}
	states := ""
	if removed := removedStates(before, t.CaseType.States); len(removed) > 0 {
		states = " --states " + strings.Join(removed, "=STATE,") + "=STATE"
	}
	return append(lines, fmt.Sprintf("running cases go on by the version that they have; to move them: casehook "+
		"casetype migrate %s%s --dry-run", t.CaseType.Key, states))
}

// removedStates lists the states that a definition had and no longer has.
func removedStates(before json.RawMessage, states []casetype.State) (removed []string) {
	var there struct {
		States []struct{ Key string } `json:"states"`
	}
	if json.Unmarshal(before, &there) != nil {
		return nil // then its states are unknown
	}
	for _, s := range there.States {
		if !slices.ContainsFunc(states, func(now casetype.State) bool { return now.Key == s.Key }) {
			removed = append(removed, s.Key)
		}
	}
	return removed
}

// put puts a definition, and returns the secrets that the server generated for its callbacks.
func (c *applier) put(ctx context.Context, path string, t Type, r *report) (drawn map[string]string, err error) {
	var put struct {
		Version   int64             `json:"version"`
		Unchanged bool              `json:"unchanged"`
		Secrets   map[string]string `json:"callback_secrets"`
		Warnings  []warning         `json:"warnings"`
	}
	path += "?" + url.Values{"file": {t.File}}.Encode()
	err = c.server.Call(ctx, client.Request{Method: http.MethodPut, Path: path, ContentType: "application/yaml",
		Body: t.Source}, &put)
	switch {
	case err != nil:
		return nil, err
	case put.Unchanged:
		r.done = unchanged
	case put.Version == 1:
		r.done = created
	default:
		r.done = fmt.Sprintf("%s (version %d)", updated, put.Version)
	}
	for _, w := range put.Warnings {
		r.lines = append(r.lines, "warning: "+w.in(t.File))
	}
	return put.Secrets, nil
}

// warning is a server's warning about a definition. Its message begins with the line.
type warning struct{ Path, Message string }

// in formats the warning for a file.
func (w warning) in(file string) string {
	line, message, found := strings.Cut(strings.TrimPrefix(w.Message, "line "), ": ")
	if !found {
		return fmt.Sprintf("%s: %s: %s", file, w.Path, w.Message)
	}
	return fmt.Sprintf("%s:%s: %s: %s", file, line, w.Path, message)
}

// remote is an endpoint in the API's requests and answers.
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
	p := policy{
		Retries: []string{}, Timeout: e.Policy.Timeout.String(), Concurrency: e.Policy.Concurrency,
		Order: string(e.Policy.Order), RateLimit: e.Policy.RateLimit,
	}
	for _, wait := range e.Policy.Retries {
		p.Retries = append(p.Retries, wait.String())
	}
	r := remote{
		Name:      e.Name,
		URL:       e.URL,
		Triggers:  e.Triggers,
		Sources:   e.Sources,
		IgnoreOwn: e.IgnoreOwn,
		Filter:    e.Filter,
		Policy:    p,
	}
	r.remoteSettings = wantedSettings(e)
	if len(r.Sources) == 0 {
		r.Sources = endpoint.Sources
	}
	if e.Token != "" {
		r.Token = &e.Token
	}
	return r
}

// masked returns the endpoint as the server will show it. Settings that the file does not name keep their values.
func (r remote) masked(there remote) remote {
	r.ID, r.Revision, r.Secret = there.ID, there.Revision, there.Secret
	r.Clearance = cmp.Or(r.Clearance, there.Clearance)
	if r.Token == nil {
		r.Token = there.Token
	}
	headers := map[string]*string{}
	for name := range r.Headers {
		shown := endpoint.Hidden
		headers[spelt(there.Headers, name)] = &shown
	}
	r.Headers, r.Auth.Auth, r.TLS = headers, r.Auth.Masked(), r.TLS.Masked()
	return r
}

// spelt returns the name of a header as the server's endpoint spells it.
func spelt(there map[string]*string, name string) string {
	for other := range there {
		if strings.EqualFold(other, name) {
			return other
		}
	}
	return name
}

// changes lists the differences from the server's endpoint, as far as the server shows it.
func (r remote) changes(there remote) []string {
	return differences(asJSON(there), asJSON(r.masked(there)))
}

// endpoints returns the server's endpoints that have names.
func (c *applier) endpoints(ctx context.Context) (there []remote, err error) {
	for e, err := range client.Each[remote](ctx, c.server, "/v1/endpoints", nil) {
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

// named finds the item with a name, or one whose name differs only in spelling.
func named[E any](there []E, name string, nameOf func(E) string) (e E, found bool) {
	at := slices.IndexFunc(there, func(e E) bool { return nameOf(e) == name })
	if at < 0 {
		at = slices.IndexFunc(there, func(e E) bool { return spelling.Key(nameOf(e)) == spelling.Key(name) })
	}
	if at < 0 {
		return e, false
	}
	return there[at], true
}

func (c *applier) endpoint(ctx context.Context, e endpoint.Endpoint, there []remote) error {
	have, exists := named(there, e.Name, func(e remote) string { return e.Name })
	if !exists {
		return c.create(ctx, e)
	}
	want, path := wanted(e), "/v1/endpoints/"+url.PathEscape(have.ID)
	r := report{item: "endpoint " + e.Name, done: unchanged, lines: want.changes(have)}
	if len(r.lines) > 0 {
		r.done = updated
	}
	hidden := want.hidden(have.remoteSettings)
	switch {
	case c.DryRun && len(hidden) > 0:
		r.lines = append(r.lines, "not compared, since the server does not show it: "+strings.Join(hidden, ", "))
	case !c.DryRun && len(r.lines)+len(hidden) > 0:
		want.removing(have.remoteSettings)
		var saved remote
		if err := c.server.Patch(ctx, path, want, &saved); err != nil {
			return c.ofEndpoint(e.Name, err)
		}
		if r.done == unchanged && saved.Revision != have.Revision {
			r.done, r.lines = updated, []string{strings.Join(hidden, " or ") + ": changes"}
		}
	}
	err := c.endpointSecret(ctx, path, e.Name, &r)
	c.say(r)
	return err
}

// create creates an endpoint.
func (c *applier) create(ctx context.Context, e endpoint.Endpoint) error {
	r := report{item: "endpoint " + e.Name, done: created}
	if !c.DryRun {
		want := wanted(e)
		want.Secret = c.plan.Secrets[e.Name]
		var saved remote
		if err := c.server.Post(ctx, "/v1/endpoints", want, &saved); err != nil {
			return c.ofEndpoint(e.Name, err)
		}
		if saved.Secret != "" {
			r.lines = []string{"secret, shown this once: " + saved.Secret}
		}
	}
	c.say(r)
	return nil
}
