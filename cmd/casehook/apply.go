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
	Given  string `arg:"" optional:"" name:"file" help:"What there should be, in YAML: see above."`
	File   string `short:"f" placeholder:"FILE" help:"The same."`
	DryRun bool   `help:"Only say what would be done: what changes, setting by setting."`
	remote
}

// Help is shown below the command's summary.
func (applyCmd) Help() string {
	return `What is missing is created, what differs is updated, what is right is left alone: applying a file twice does nothing the second time. Nothing is ever deleted. Case types go by their key, endpoints by their name. Secrets that the server draws are printed, this once.

  casehook apply -f casehook.yaml --dry-run    say what would be done
  casehook apply -f casehook.yaml

A file:

  case_types:
    - examples/leave.yaml           # relative to this file
    - file: examples/kyc.yaml       # with secrets that sign what its callbacks are asked
      callback_secrets: { submit: { env: KYC_SUBMIT_SECRET } } # left out: they are drawn
    - file: loan.yaml               # which says callback_secret: type
      callback_secret: { env: LOAN_SECRET }
    - key: note                     # or the definition itself
      states: [{ key: open }]
      transitions: [{ key: write, to: open }]
      fields: { type: object, properties: { text: { type: string } } }
    - definition: { key: ... }      # the definition itself, where there are secrets besides
      callback_secret: { env: MEMO_SECRET }
  endpoints:
    - name: crm
      url: https://crm.example.com/hooks
      triggers: [case_created, case_finished]
      policy: { retries: [5s, 1m, 10m], timeout: 10s, concurrency: 4, order: per-case }
      sources: [ui, api]            # whose activity it hears of; left out: both
      ignore_own: true              # nothing of what its token caused
      token: tok_...                # its token; left out: the one that applies the file
      description: Keeps the CRM up to date.
      metadata: { team: billing }   # for programs
      headers: { X-Api-Key: { env: CRM_KEY } }
      auth: { type: bearer, token: { file: crm.token } } # or basic, oauth2
      tls: { ca: { file: ca.pem } } # and certificate, key
      clearance: PRIVATE            # left out: yours, and later as it is
      atfinity_version: 2.4.1       # what X-atfinity-version says; left out: the server's
      secret: { env: CRM_SECRET }   # what signs; left out: one is drawn

A text may be in a variable, { env: NAME }, or in a file, { file: path }: what is secret need not stand here.

Secrets that sign, of callbacks and endpoints, are whsec_ and the base64 of 24 to 64 bytes: echo "whsec_$(openssl rand -base64 32)". Where one has changed, it is rotated: the one of before signs too for 24 hours more, in which the receiver has to learn the new one. Of other secrets (headers, auth, tls) the server alone knows whether they have changed: a dry run names those that it can't compare.

All of the file is checked before anything is sent. What the server refuses then holds up nothing else. Of a policy, what is left out is the default.`
}

// Validate refuses what names no file, or two.
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

// lineByLine makes each line of an error one that says who reports it.
func lineByLine(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), "\n", "\ncasehook: "))
}
