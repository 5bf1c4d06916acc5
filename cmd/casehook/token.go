package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/dev"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/server"
)

type tokenCmd struct {
	Create  tokenCreateCmd  `cmd:"" help:"Create a token, and print it."`
	List    tokenListCmd    `cmd:"" help:"List the tokens."`
	Revoke  tokenRevokeCmd  `cmd:"" help:"Revoke a token. It ends at once."`
	Recover tokenRecoverCmd `cmd:"" help:"Make an administrator's token in the database itself, when none works."`
}

// recovery has the options for making a token without a server.
type recovery struct {
	tenant, name            string
	data, database, keyFile string
}

// run makes a token in the database, and prints it.
func (r recovery) run(ctx context.Context, s stdio) error {
	bearer, err := server.RecoverToken(ctx, server.Config{
		Version: version, Data: r.data, Database: r.database, KeyFile: r.keyFile, Key: os.Getenv("CASEHOOK_KEY"),
	}, r.tenant, r.name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "tenant %s: a token that may do everything in it, shown this once; keep it "+
		"in a safe place:\n\n  %s\n", r.tenant, bearer)
	return err
}

type tokenRecoverCmd struct {
	Tenant   string `default:"default" placeholder:"KEY" help:"The tenant whose administrator's token it is; default if not set."`
	Name     string `default:"recovered" placeholder:"NAME" help:"The token's name in lists, in the audit and in events; recovered if not set."`
	Data     string `type:"path" default:"casehook-data" placeholder:"DIR" env:"CASEHOOK_DATA" help:"The server's data folder. ./casehook-data if not set."`
	Database string `placeholder:"URL" env:"CASEHOOK_DATABASE" help:"Set if the server uses PostgreSQL: postgres://user:password@host:5432/name?sslmode=require."`
	KeyFile  string `type:"path" placeholder:"FILE" env:"CASEHOOK_KEY_FILE" help:"File with the server's key. CASEHOOK_KEY may contain the key itself. With SQLite it is in --data."`
}

// Help is shown below the command's summary.
func (tokenRecoverCmd) Help() string {
	return `Use it if the first token was lost, or the first start was interrupted. It needs the data folder, or the
database's URL and the key. With SQLite, stop the server first. The token may do everything in its tenant, and the
audit records it. Revoke lost tokens.

  casehook token recover --data /var/lib/casehook
  casehook token recover --database "$CASEHOOK_DATABASE" --key-file /etc/casehook/key --tenant a`
}

func (c *tokenRecoverCmd) Run(ctx context.Context, s stdio) error {
	return recovery{c.Tenant, c.Name, c.Data, c.Database, c.KeyFile}.run(ctx, s)
}

// tokenCreateCmd creates a token over the API. In earlier releases it worked as token recover does now; it still
// does with --data or --database, or without a token.
type tokenCreateCmd struct {
	Name        string   `placeholder:"NAME" help:"The name in lists, in the history and in messages: crm."`
	Role        string   `enum:",admin,manager,caseworker,viewer" default:"" placeholder:"ROLE" help:"The role: admin, manager, caseworker or viewer. Yours if not set."`
	FurtherRole []string `placeholder:"NAME" help:"Further roles, by which case types know it: town-officer. Repeat it, or separate by commas. Yours if not set."`
	Clearance   string   `enum:",PUBLIC,PRIVATE,RESTRICTED" default:"" placeholder:"CLASS" help:"The highest visible classification: PUBLIC, PRIVATE or RESTRICTED. Yours if not set."`
	Expires     expiry   `placeholder:"WHEN" help:"Expiry: in 90d or 12h, or at 2031-01-01T00:00:00Z. Never if not set."`
	Address     []string `placeholder:"CIDR" help:"Addresses from which it may be used: 192.0.2.0/24. Repeat it, or separate by commas. All if not set."`
	remote

	Tenant   string `hidden:""`
	Data     string `type:"path" hidden:""`
	Database string `hidden:""`
	KeyFile  string `type:"path" hidden:""`
}

// Help is shown below the command's summary.
func (tokenCreateCmd) Help() string {
	return `The token is printed, this once. Its roles and clearance are at most those of your token; administrators
may give any further role.

  casehook token create --name crm --role caseworker --clearance PRIVATE
  casehook token create --name import --role manager --expires 90d --address 192.0.2.0/24

If no token works, casehook token recover makes one in the database itself. So does this command with --data or
--database, or without a token.`
}

// Validate refuses combinations of options that fit neither way to create a token.
func (c *tokenCreateCmd) Validate() error {
	shaped := c.Role != "" || len(c.FurtherRole) > 0 || c.Clearance != "" || !c.Expires.isZero() || len(c.Address) > 0
	switch {
	case c.recovers() && shaped && c.Data == "" && c.Database == "":
		return errors.New("there is no token with which to create another: set CASEHOOK_TOKEN; if none works, " +
			"see casehook token recover")
	case c.recovers() && shaped:
		return errors.New("a token that is made in the database itself may do everything: leave --role, " +
			"--further-role, --clearance, --expires and --address out")
	case !c.recovers() && (c.Tenant != "" || c.KeyFile != ""):
		return errors.New("--tenant and --key-file are for a token that is made in the database itself: " +
			"see casehook token recover")
	case !c.recovers() && c.Name == "":
		return errors.New("the token needs a name: --name crm")
	}
	return nil
}

// recovers reports whether the token is made in the database itself.
func (c *tokenCreateCmd) recovers() bool { return c.Token == "" || c.Data != "" || c.Database != "" }

func (c *tokenCreateCmd) Run(ctx context.Context, s stdio) error {
	if c.recovers() {
		return recovery{
			tenant: cmp.Or(c.Tenant, "default"), name: cmp.Or(c.Name, "recovered"),
			data:     cmp.Or(c.Data, os.Getenv("CASEHOOK_DATA"), "casehook-data"),
			database: cmp.Or(c.Database, os.Getenv("CASEHOOK_DATABASE")),
			keyFile:  cmp.Or(c.KeyFile, os.Getenv("CASEHOOK_KEY_FILE")),
		}.run(ctx, s)
	}
	body := map[string]any{"name": c.Name}
	if c.Role != "" {
		body["role"] = c.Role
	}
	if len(c.FurtherRole) > 0 {
		body["further_roles"] = c.FurtherRole
	}
	if c.Clearance != "" {
		body["clearance"] = c.Clearance
	}
	if !c.Expires.isZero() {
		body["expires_at"] = c.Expires.format(time.Now())
	}
	if len(c.Address) > 0 {
		body["allowed_addresses"] = c.Address
	}
	var made struct {
		tokenRow
		Token string `json:"token"`
	}
	if err := c.client().Post(ctx, "/v1/tokens", body, &made); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out,
		"token %s: created, %s, with the role %s and the clearance %s\n"+
			"Shown this once; keep it in a safe place:\n\n  %s\n",
		c.Name, made.ID, rolesCell(made.Role, made.Further), made.Clearance, made.Token)
	return err
}

// tokenRow is a token in a list.
type tokenRow struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      string     `json:"role"`
	Further   []string   `json:"further_roles"`
	Clearance string     `json:"clearance"`
	ExpiresAt *time.Time `json:"expires_at"`
	LastUsed  *time.Time `json:"last_used_at"`
}

type tokenListCmd struct{ listing }

// Help is shown below the command's summary.
func (tokenListCmd) Help() string {
	return `The oldest token is first. USED is the time of the last use, at most a minute late.

  casehook token list
  casehook token list --json | jq -r 'select(.last_used_at == null) | .name'`
}

func (c *tokenListCmd) Run(ctx context.Context, s stdio) error {
	table := dev.Table{Columns: []string{"ID", "NAME", "ROLE", "CLEARANCE", "EXPIRES", "USED"},
		Shorten: []string{"NAME"}}
	day := func(t *time.Time) string {
		if t == nil {
			return "-"
		}
		return t.Local().Format(time.DateOnly)
	}
	cells := func(t tokenRow) []string {
		return []string{t.ID, t.Name, rolesCell(t.Role, t.Further), t.Clearance, day(t.ExpiresAt), day(t.LastUsed)}
	}
	return dev.List(ctx, c.client(), c.output(s), dev.Listing[tokenRow]{Path: "/v1/tokens", Table: table, Row: cells})
}

type tokenRevokeCmd struct {
	Name string `arg:"" help:"The name or id."`
	remote
}

// Help is shown below the command's summary.
func (tokenRevokeCmd) Help() string {
	return `Requests with it are refused from then on. The last token of an administrator can't be revoked.

  casehook token revoke crm`
}

func (c *tokenRevokeCmd) Run(ctx context.Context, s stdio) error {
	id, err := c.find(ctx)
	if err != nil {
		return err
	}
	if err := c.client().Delete(ctx, "/v1/tokens/"+url.PathEscape(id)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "token %s: revoked\n", c.Name)
	return err
}

// find returns the id of the token.
func (c *tokenRevokeCmd) find(ctx context.Context) (string, error) {
	if strings.HasPrefix(c.Name, "tok_") {
		return c.Name, nil
	}
	var ids []string
	for t, err := range client.Each[tokenRow](ctx, c.client(), "/v1/tokens", client.AnyLimit()) {
		if err != nil {
			return "", err
		}
		if t.Name == c.Name {
			ids = append(ids, t.ID)
		}
	}
	switch len(ids) {
	case 1:
		return ids[0], nil
	case 0:
		return "", fault.New(fault.NotFound, "token.unknown", "There is no token %q. casehook token list shows them.",
			c.Name)
	}
	return "", fault.New(fault.Conflict, "token.ambiguous", "Several tokens are called %q; name one by its id: %s.",
		c.Name, strings.Join(ids, ", "))
}

// expiry is a length of time, or a time. The zero value is never.
type expiry struct {
	in   time.Duration
	time time.Time
}

// UnmarshalText reads 90d, 12h or 2031-01-01T00:00:00Z.
func (e *expiry) UnmarshalText(text []byte) error {
	var in age
	if in.UnmarshalText(text) == nil && in > 0 {
		*e = expiry{in: time.Duration(in)}
		return nil
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if err != nil || at.IsZero() {
		return fmt.Errorf("%q is neither a length of time nor a time; write 90d, 12h or 2031-01-01T00:00:00Z", text)
	}
	*e = expiry{time: at}
	return nil
}

func (e expiry) isZero() bool { return e == expiry{} }

// format returns the expiry as the API accepts it.
func (e expiry) format(now time.Time) string {
	if e.in > 0 {
		return now.Add(e.in).UTC().Format(time.RFC3339)
	}
	return e.time.UTC().Format(time.RFC3339)
}
