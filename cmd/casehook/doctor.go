package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/casehook/casehook/internal/dev"
	"github.com/casehook/casehook/internal/server"
)

// doctorCmd checks an installation, whose options it takes as serve does.
type doctorCmd struct {
	JSON     bool   `name:"json" help:"Print one JSON object a line."`
	Endpoint string `placeholder:"NAME" help:"Probe this endpoint, too: its name or id."`
	Tenant   string `default:"default" placeholder:"KEY" help:"Tenant of the endpoint. The first one if not set."`

	serveCmd
}

// Help is shown below the command's summary.
func (doctorCmd) Help() string {
	return `Run it on the server's machine, as the server's user, with the flags, variables and file of the server. It
checks the configuration, the data folder and its disk, the key, and the database. It only reads, so that the server
may run meanwhile. For all that is not well it prints what to do next. The exit status is 1 if a check fails.

With --endpoint, a request is sent on the way of the endpoint's messages, through the same guard: the name, the
address, the connection, TLS and the answer are checked one after the other. The request is OPTIONS, without a body
and a signature, and no message.

  casehook doctor
  casehook doctor --config /etc/casehook.yaml --endpoint crm`
}

// Run prints the findings.
func (c *doctorCmd) Run(ctx context.Context, s stdio) error {
	findings := server.Diagnose(ctx, server.Diagnosis{
		Config: c.server(slog.New(slog.DiscardHandler)), Endpoint: c.Endpoint, Tenant: c.Tenant,
	})
	failed := false
	table := dev.Table{Columns: []string{"STATUS", "CHECK", "FOUND"}}
	for _, f := range findings {
		failed = failed || f.Status == server.StatusFail
		table.Rows = append(table.Rows, []string{string(f.Status), f.Check, f.Detail})
	}
	print := func() error { return printLines(s.out, findings) }
	if !c.JSON {
		print = func() error { return table.Print(s.out) }
	}
	if err := print(); err != nil {
		return err
	}
	for _, f := range findings {
		if f.Next != "" && !c.JSON {
			fmt.Fprintf(s.out, "%s: %s\n", f.Check, f.Next)
		}
	}
	if failed {
		return errShown
	}
	return nil
}
