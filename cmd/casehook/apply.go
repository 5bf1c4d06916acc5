package main

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"

	"github.com/casehook/casehook/internal/apply"
	"github.com/casehook/casehook/internal/fault"
)

type applyCmd struct {
	Given  string `arg:"" optional:"" name:"file" help:"The file, in YAML; see above."`
	File   string `short:"f" placeholder:"FILE" help:"The file, as a flag."`
	DryRun bool   `help:"Print the changes, setting by setting, and make none."`
	remote
}

// Help is shown below the command's summary.
func (applyCmd) Help() string {
	return `apply creates missing case types and endpoints, and updates those that differ. It deletes none. Applying
a file a second time changes nothing. Case types are identified by their key, endpoints by their name. Secrets
that the server draws are printed, this once.

  casehook apply -f casehook.yaml --dry-run    print the changes
  casehook apply -f casehook.yaml

A file:

  case_types:
    - examples/leave.yaml           # relative to this file
    - file: examples/kyc.yaml       # with the secrets of its callbacks
      callback_secrets: { submit: { env: KYC_SUBMIT_SECRET } } # default: drawn by the server
    - file: loan.yaml               # which says callback_secret: type
      callback_secret: { env: LOAN_SECRET }
    - key: note                     # or the definition itself
      states: [{ key: open }]
      transitions: [{ key: write, to: open }]
      fields: { type: object, properties: { text: { type: string } } }
    - definition: { key: ... }      # the definition itself, with secrets
      callback_secret: { env: MEMO_SECRET }
  endpoints:
    - name: crm
      url: https://crm.example.com/hooks
      triggers: [case_created, case_finished]
      policy: { retries: [5s, 1m, 10m], timeout: 10s, concurrency: 4, order: per-case }
      sources: [ui, api]            # activity of people, of programs; default: both
      ignore_own: true              # skip messages that its token caused
      token: tok_...                # its token; default: the one that applies the file
      description: Keeps the CRM up to date.
      metadata: { team: billing }   # for programs
      headers: { X-Api-Key: { env: CRM_KEY } }
      auth: { type: bearer, token: { file: crm.token } } # or basic, oauth2
      tls: { ca: { file: ca.pem } } # and certificate, key
      clearance: PRIVATE            # default: yours; later the present one
      atfinity_version: 2.4.1       # value of X-atfinity-version; default: the server's
      secret: { env: CRM_SECRET }   # the signing secret; default: drawn by the server

A text may be in a variable, { env: NAME }, or in a file, { file: path }, so that no secret has to be in this file.

Signing secrets of callbacks and endpoints are whsec_ and the base64 of 24 to 64 bytes: echo "whsec_$(openssl rand
-base64 32)". A changed secret is rotated: the earlier one signs too for 24 hours, in which the receiver needs the
new one. Only the server knows whether other secrets (headers, auth, tls) have changed: a dry run names those that
it can't compare.

The whole file is checked before anything is sent. If the server refuses one item, the others are applied. A
policy has the default for each setting that it does not name.`
}

// Validate requires exactly one file.
func (c *applyCmd) Validate() error {
	if (c.File == "") == (c.Given == "") {
		return errors.New("name one file: casehook apply -f casehook.yaml")
	}
	return nil
}

// Run applies the file.
func (c *applyCmd) Run(ctx context.Context, s stdio) error {
	file := cmp.Or(c.File, c.Given)
	source, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	plan, err := apply.Read(file, source, os.ReadFile, os.LookupEnv)
	if err == nil {
		err = apply.Run(ctx, plan, c.client(), apply.Options{DryRun: c.DryRun, Out: s.out})
	}
	return lineByLine(err)
}

// lineByLine prefixes each line of an error with the command that reports it.
func lineByLine(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), "\n", "\ncasehook: "))
}
