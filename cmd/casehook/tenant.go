package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/server"
)

type tenantCmd struct {
	Create tenantCreateCmd `cmd:"" help:"Create a tenant, and print its administrator's token."`
	List   tenantListCmd   `cmd:"" help:"List the tenants."`
	Admin  tenantAdminCmd  `cmd:"" help:"Print a new administrator's token of a tenant, when no administrator can sign in."`
	Set    tenantSetCmd    `cmd:"" help:"Change a tenant's name, host names, public URL, ids, or allowed addresses."`
	Link   tenantLinkCmd   `cmd:"" help:"Print a link to the console's page on tenants, which is good for five minutes."`
}

const tenantHelp = `The server has to be running. The command needs the server's key and no token: name the key as
for casehook serve, by --data, --key-file or CASEHOOK_KEY.`

// operatorOptions are those of every command about tenants: the server, and the file of its key.
type operatorOptions struct {
	Server   serverURL `default:"http://127.0.0.1:8080" placeholder:"URL" env:"CASEHOOK_SERVER" help:"URL of the server. http://127.0.0.1:8080 if not set."`
	Data     string    `type:"path" default:"casehook-data" placeholder:"DIR" env:"CASEHOOK_DATA" help:"The server's data folder, with its key. ./casehook-data if not set."`
	Database string    `placeholder:"URL" env:"CASEHOOK_DATABASE" help:"Set if the server uses PostgreSQL: its key is not in --data then."`
	KeyFile  string    `type:"path" placeholder:"FILE" env:"CASEHOOK_KEY_FILE" help:"File with the server's key. CASEHOOK_KEY may contain the key itself."`
}

// credential makes a credential of the server's operator.
func (o operatorOptions) credential() (string, error) {
	return server.OperatorBearer(server.Config{
		Data: o.Data, Database: o.Database, KeyFile: o.KeyFile, Key: os.Getenv("CASEHOOK_KEY"),
	}, time.Now())
}

// call calls the API as the server's operator.
func (o operatorOptions) call(ctx context.Context, method, path string, body, into any) error {
	bearer, err := o.credential()
	if err != nil {
		return err
	}
	c := &client.Client{Server: string(o.Server), Token: bearer}
	return c.Call(ctx, client.Request{Method: method, Path: path, Body: body}, into)
}

// tenantBody is a tenant in the API's requests and answers.
type tenantBody struct {
	Key   string    `json:"key,omitempty"`
	Name  string    `json:"name,omitempty"`
	Hosts *[]string `json:"hosts,omitempty"`
	reachBody
	idsBody
	PublicURL *string `json:"public_url,omitempty"`
	URL       string  `json:"url,omitempty"`
	Token     string  `json:"token,omitempty"`
}

// reachBody lists the private addresses and variables that a tenant may use, in the API's requests
// and answers.
type reachBody struct {
	Variables *[]string `json:"variables,omitempty"`
	Allow     *[]string `json:"allow_addresses,omitempty"`
}

// idsBody is the setting of ids in the API's requests and answers.
type idsBody struct {
	ContactIDs string `json:"contact_ids,omitempty"`
}

// idOptions configure how ids are drawn.
type idOptions struct {
	ContactIDs string `name:"contact-ids" enum:",random,sequential" default:"" placeholder:"HOW" help:"Ids of contacts: random, with 16 digits, or sequential (1, 2, 3, ...), for receivers whose columns have 32 bits. random if never set."`
}

func (d idOptions) body() idsBody { return idsBody(d) }

// reachOptions are the variables and private addresses that a tenant may use.
type reachOptions struct {
	Var          []string `placeholder:"NAME" help:"Variable with which callback URLs may begin: ORDERS_URL for $${CASEHOOK_VAR_ORDERS_URL}, whose value is in the server's environment. Repeat it, or separate by commas."`
	AllowAddress []string `placeholder:"CIDR[:PORT]" help:"Address that is not public, and that the tenant may call: 10.0.0.0/8:8443, 10.1.2.3, [fd00::]/8:443. Repeat it, or separate by commas."`
}

func (r reachOptions) body() (b reachBody) {
	if len(r.Var) > 0 {
		b.Variables = &r.Var
	}
	if len(r.AllowAddress) > 0 {
		b.Allow = &r.AllowAddress
	}
	return b
}

type tenantCreateCmd struct {
	Key       string   `arg:"" help:"The key: a-z, 0-9, _ and -, beginning with a letter."`
	Name      string   `placeholder:"NAME" help:"The name, for people; the key if not set."`
	Host      []string `placeholder:"HOST" help:"Host name of the tenant: acme.example.com. Repeat it, or separate by commas."`
	PublicURL webURL   `name:"public-url" placeholder:"URL" help:"URL at which the tenant's people find the server: https://acme.example.com. If not set, the server's --public-url with the tenant's first host name."`
	reachOptions
	idOptions
	operatorOptions
}

// Help is shown below the command's summary.
func (tenantCreateCmd) Help() string {
	return tenantHelp + `

  casehook tenant create acme --name 'Acme Ltd' --host acme.example.com --data /var/lib/casehook`
}

func (c *tenantCreateCmd) Run(ctx context.Context, s stdio) error {
	wanted := tenantBody{Key: c.Key, Name: c.Name, reachBody: c.reachOptions.body(), idsBody: c.idOptions.body()}
	if c.PublicURL != "" {
		wanted.PublicURL = (*string)(&c.PublicURL)
	}
	if len(c.Host) > 0 {
		wanted.Hosts = &c.Host
	}
	var made tenantBody
	if err := c.call(ctx, http.MethodPost, "/v1/tenants", wanted, &made); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, `tenant %s: created
A token that may do everything in it, shown this once; keep it in a safe place:

  %s
`, made.Key, made.Token)
	return err
}

type tenantAdminCmd struct {
	Key string `arg:"" help:"The tenant's key; the first tenant's is default."`
	operatorOptions
}

// Help is shown below the command's summary.
func (tenantAdminCmd) Help() string {
	return tenantHelp + `

  casehook tenant admin acme --key-file /etc/casehook/key --database "$CASEHOOK_DATABASE"`
}

func (c *tenantAdminCmd) Run(ctx context.Context, s stdio) error {
	var made tenantBody
	if err := c.call(ctx, http.MethodPost, "/v1/tenants/"+url.PathEscape(c.Key)+"/administrators", nil,
		&made); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out,
		`A token that may do everything in the tenant %s, shown this once; keep it in a safe place:

  %s
`, c.Key, made.Token)
	return err
}

type tenantLinkCmd struct{ operatorOptions }

// Help is shown below the command's summary.
func (tenantLinkCmd) Help() string {
	return `The command needs the server's key and no token: name the key as for casehook serve, by --data, --key-file
or CASEHOOK_KEY. Whoever has the link may create tenants and administrators.

  casehook tenant link --data /var/lib/casehook --server https://cases.example.com`
}

func (c *tenantLinkCmd) Run(_ context.Context, s stdio) error {
	credential, err := c.credential()
	if err == nil {
		page := strings.TrimSuffix(string(c.Server), "/") + "/operator"
		_, err = fmt.Fprintf(s.out, "%s#credential=%s\n", page, credential)
	}
	return err
}

type tenantListCmd struct{ operatorOptions }

// Help is shown below the command's summary.
func (tenantListCmd) Help() string {
	return tenantHelp + `

  casehook tenant list --data /var/lib/casehook`
}

func (c *tenantListCmd) Run(ctx context.Context, s stdio) error {
	var page struct {
		Items []tenantBody `json:"items"`
	}
	if err := c.call(ctx, http.MethodGet, "/v1/tenants", nil, &page); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "KEY\tNAME\tHOSTS\tURL")
	for _, t := range page.Items {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.Key, t.Name, cmp.Or(strings.Join(*t.Hosts, ", "), "-"), t.URL)
	}
	return w.Flush()
}

type tenantSetCmd struct {
	Key     string   `arg:"" help:"The tenant's key."`
	Name    string   `placeholder:"NAME" help:"The name, for people."`
	Host    []string `placeholder:"HOST" help:"All host names of the tenant. Repeat it, or separate by commas."`
	NoHosts bool     `help:"Remove all host names."`

	PublicURL   webURL `name:"public-url" placeholder:"URL" help:"URL at which the tenant's people find the server: https://acme.example.com."`
	NoPublicURL bool   `name:"no-public-url" help:"Remove the public URL: the server's --public-url counts, with the tenant's first host name."`
	reachOptions
	NoVars           bool `help:"Remove all variables."`
	NoAllowAddresses bool `help:"Remove all addresses: the tenant may call public ones alone."`
	idOptions
	operatorOptions
}

// Help is shown below the command's summary.
func (tenantSetCmd) Help() string {
	return tenantHelp + `

  casehook tenant set acme --var ORDERS_URL --allow-address 10.0.0.0/8:8443
  casehook tenant set acme --contact-ids sequential`
}

func (c *tenantSetCmd) Run(ctx context.Context, s stdio) error {
	wanted := tenantBody{Name: c.Name, reachBody: c.reachOptions.body(), idsBody: c.idOptions.body()}
	if c.NoVars {
		wanted.Variables = &[]string{}
	}
	if c.NoAllowAddresses {
		wanted.Allow = &[]string{}
	}
	if len(c.Host) > 0 || c.NoHosts {
		wanted.Hosts = &c.Host
	}
	if c.NoHosts {
		wanted.Hosts = &[]string{}
	}
	if c.PublicURL != "" || c.NoPublicURL {
		wanted.PublicURL = (*string)(&c.PublicURL)
	}
	if c.NoPublicURL {
		wanted.PublicURL = new(string)
	}
	var saved tenantBody
	if err := c.call(ctx, http.MethodPatch, "/v1/tenants/"+url.PathEscape(c.Key), wanted, &saved); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.out, `tenant %s: %s, hosts: %s
its people find the server at: %s
may call, besides public addresses: %s
variables of its callbacks: %s
ids of contacts: %s
`, saved.Key, saved.Name, named(saved.Hosts), saved.URL, named(saved.Allow), named(saved.Variables), saved.ContactIDs)
	return err
}

// named joins names in one line.
func named(all *[]string) string { return cmp.Or(strings.Join(*all, ", "), "none") }
