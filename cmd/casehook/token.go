package main

import (
	"context"
	"fmt"
	"os"

	"github.com/casehook/casehook/internal/server"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make an administrator's token in the database itself, when there is none that works."`
}

type tokenCreateCmd struct {
	Tenant   string `default:"default" placeholder:"KEY" help:"The tenant whose administrator's token it is; default if not set."`
	Name     string `default:"recovered" placeholder:"NAME" help:"What the token is called in lists, in the audit and in events; recovered if not set."`
	Data     string `type:"path" default:"casehook-data" placeholder:"DIR" env:"CASEHOOK_DATA" help:"The server's data directory. ./casehook-data if not set."`
	Database string `placeholder:"URL" env:"CASEHOOK_DATABASE" help:"Set where the server uses PostgreSQL: postgres://user:password@host:5432/name?sslmode=require."`
	KeyFile  string `type:"path" placeholder:"FILE" env:"CASEHOOK_KEY_FILE" help:"File with the server's key. CASEHOOK_KEY may hold the key itself. With SQLite it is in --data."`
}

// Help is shown below the command's summary.
func (tokenCreateCmd) Help() string {
	return `For whoever has the data directory, or the database's URL and the key: the first token was lost, or its start was cut off. With SQLite, stop the server first. The token may do everything in its tenant; the audit notes that it was made. Revoke the tokens that are lost.

  casehook token create --data /var/lib/casehook
  casehook token create --database "$CASEHOOK_DATABASE" --key-file /etc/casehook/key --tenant acme`
}

func (c *tokenCreateCmd) Run(ctx context.Context, s stdio) error {
	bearer, err := server.RecoverToken(ctx, server.Config{
		Version: version, Data: c.Data, Database: c.Database, KeyFile: c.KeyFile, Key: os.Getenv("CASEHOOK_KEY"),
	}, c.Tenant, c.Name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "tenant %s: a token that may do everything in it, shown this once; keep it in a safe place:\n\n  %s\n", c.Tenant, bearer)
	return err
}
