package main

import (
	"context"
	"os"

	"github.com/casehook/casehook/internal/apply"
)

type applyCmd struct {
	File   string `short:"f" required:"" type:"path" placeholder:"FILE" help:"What there should be, in YAML: see above."`
	DryRun bool   `help:"Only say what would be done."`
	remote
}

// Help is shown below the command's summary.
func (applyCmd) Help() string {
	return `What is missing is created, what differs is updated, what is right is left alone: applying a file twice does nothing the second time. Nothing is ever deleted. Case types go by their key, endpoints by their name. Secrets of what is created are printed, this once.

  casehook apply -f casehook.yaml --dry-run    say what would be done
  casehook apply -f casehook.yaml

A file:

  case_types:
    - examples/kyc.yaml             # relative to this file
    - key: note                     # or the definition itself
      states: [{ key: open }]
      transitions: [{ key: write, to: open }]
      fields: { type: object, properties: { text: { type: string } } }
  endpoints:
    - name: crm
      url: https://crm.example.com/hooks
      triggers: [case_created, case_finished]
      policy: { retries: [5s, 1m, 10m], timeout: 10s, concurrency: 4, order: per-case }
      sources: [ui, api]            # whose activity it hears of; left out: both
      ignore_own: true              # nothing of what its token (token: tok_...) caused; left out: the token that applies the file
      description: Keeps the CRM up to date.
      metadata: { team: billing }   # for programs
      headers: { X-Api-Key: { env: CRM_KEY } }
      auth: { type: bearer, token: { file: crm.token } } # or basic, oauth2; and tls: { certificate, key, ca }
      clearance: PRIVATE            # left out: yours, and later as it is
      atfinity_version: 2.4.1       # what X-atfinity-version says; left out: what the server is set to
      secret: { env: CRM_SECRET }   # what signs, where the endpoint is created; left out: one is drawn

A text may be in a variable, { env: NAME }, or in a file, { file: path }: what is secret need not stand here. Whether secrets are right the server alone knows: a dry run looks at all but them.

All of the file is checked before anything is sent. Of a policy, what is left out is the default.`
}

func (c *applyCmd) Run(ctx context.Context, s stdio) error {
	source, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	plan, err := apply.Read(c.File, source, os.ReadFile, os.LookupEnv)
	if err != nil {
		return err
	}
	return apply.Run(ctx, plan, c.client(), apply.Options{DryRun: c.DryRun, Out: s.out})
}
