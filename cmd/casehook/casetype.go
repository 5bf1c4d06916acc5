package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/dev"
	"github.com/casehook/casehook/internal/yaml"
)

type casetypeCmd struct {
	Init  initCmd         `cmd:"" help:"Write a small definition that works, with a comment on each part."`
	Check checkCmd        `cmd:"" help:"List all faults in definitions, each with its file, line and path."`
	List  casetypeListCmd `cmd:"" help:"List the case types of a server."`
	Get   casetypeGetCmd  `cmd:"" help:"Print the server's definition of a case type, as YAML."`

	Migrate migrateCmd         `cmd:"" help:"Move running cases to a newer version of their case type."`
	Retire  casetypeRetireCmd  `cmd:"" help:"End new cases of a case type; running cases go on."`
	Restore casetypeRestoreCmd `cmd:"" help:"Allow new cases of a retired case type again."`
	Rotate  casetypeRotateCmd  `cmd:"" help:"Give a callback a new secret; the earlier one signs too for some time."`
}

// Help is shown below the command's summary.
func (casetypeCmd) Help() string {
	return `A definition describes a kind of case in one file: its fields, its states, and the transitions between
them.

  casehook casetype init building_permit -o building_permit.yaml    start one
  casehook casetype check building_permit.yaml                      list its faults
  casehook apply -f casehook.yaml                                   put it on a server
  casehook casetype get building_permit                             print the server's
  casehook casetype migrate building_permit --dry-run               see which running cases fit it`
}

type checkCmd struct {
	Files []string `arg:"" name:"file" type:"path" help:"Definitions, in YAML or JSON."`
}

// Help is shown below the command's summary.
func (checkCmd) Help() string {
	return `The command needs no server. It exits with 1 if there is a fault.

  casehook casetype check examples/*.yaml

casehook casetype init writes a definition that explains all parts.`
}

// warn prints the parts of a definition that are valid and probably not intended.
func warn(s stdio, t *casetype.Type) {
	unset := t.Unset(os.LookupEnv, "is not set here; it has to be in the server's environment")
	for _, w := range slices.Concat(t.Warnings(), unset) {
		fmt.Fprintf(s.out, "%s:%d: warning: %s: %s\n", w.File, w.Line, cmp.Or(w.Path, "/"), w.Message)
	}
}

func (c *checkCmd) Run(s stdio) error {
	failed := false
	for _, file := range c.Files {
		source, err := os.ReadFile(file)
		var t *casetype.Type
		if err == nil {
			t, err = casetype.Parse(file, source)
		}
		var faults casetype.Faults
		switch {
		case errors.As(err, &faults):
			fmt.Fprintln(s.out, faults)
		case err != nil:
			fmt.Fprintln(s.err, "casehook:", err)
		default:
			warn(s, t)
			fmt.Fprintf(s.out, "%s: ok: %s, %d states, %d transitions\n",
				file, t.Key, len(t.States), len(t.Transitions))
		}
		failed = failed || err != nil
	}
	if failed {
		return errShown
	}
	return nil
}

type casetypeListCmd struct{ listing }

// Help is shown below the command's summary.
func (casetypeListCmd) Help() string {
	return `The newest version of each is listed. A retired case type has no new cases.

  casehook casetype list
  casehook casetype list --json | jq -r .key`
}

func (c *casetypeListCmd) Run(ctx context.Context, s stdio) error {
	type row struct {
		Key     string `json:"key"`
		Name    string `json:"name"`
		Kind    string `json:"kind"`
		Version int64  `json:"version"`

		RetiredAt *time.Time `json:"retired_at"`
	}
	table := dev.Table{Columns: []string{"KEY", "VERSION", "KIND", "STATUS", "NAME"}, Shorten: []string{"NAME"}}
	cells := func(t row) []string {
		status := "active"
		if t.RetiredAt != nil {
			status = "retired"
		}
		return []string{t.Key, strconv.FormatInt(t.Version, 10), t.Kind, status, t.Name}
	}
	return dev.List(ctx, c.client(), c.output(s), dev.Listing[row]{Path: "/v1/case-types", Table: table, Row: cells})
}

type casetypeGetCmd struct {
	Key     string `arg:"" help:"The key of the case type."`
	Version int64  `placeholder:"N" help:"The version. The newest if not set."`
	JSON    bool   `name:"json" help:"Print JSON."`
	remote
}

// Help is shown below the command's summary.
func (casetypeGetCmd) Help() string {
	return `You can change the output and put it again with casehook apply. It has all defaults, and no comments,
because the server does not keep them. Fields above the clearance of your token are missing.

  casehook casetype get kyc
  casehook casetype get kyc --version 3 > kyc-3.yaml`
}

func (c *casetypeGetCmd) Run(ctx context.Context, s stdio) error {
	path := "/v1/case-types/" + url.PathEscape(c.Key)
	if c.Version != 0 {
		path += "?version=" + strconv.FormatInt(c.Version, 10)
	}
	var there struct {
		Definition json.RawMessage `json:"definition"`
	}
	if err := c.client().Get(ctx, path, &there); err != nil {
		return err
	}
	if c.JSON {
		_, err := fmt.Fprintf(s.out, "%s\n", there.Definition)
		return err
	}
	written, err := yaml.Write(there.Definition)
	if err != nil {
		return err
	}
	_, err = s.out.Write(written)
	return err
}

// oneType has the arguments of every command about one case type.
type oneType struct {
	Key string `arg:"" help:"The key of the case type."`
	remote
}

type casetypeRetireCmd struct{ oneType }

// Help is shown below the command's summary.
func (casetypeRetireCmd) Help() string {
	return `Its versions stay. Putting a new version does not restore it.

  casehook casetype retire kyc`
}

func (c *casetypeRetireCmd) Run(ctx context.Context, s stdio) error {
	return dev.Retire(ctx, c.client(), dev.Output{Out: s.out}, c.Key)
}

type casetypeRestoreCmd struct{ oneType }

// Help is shown below the command's summary.
func (casetypeRestoreCmd) Help() string {
	return `The command changes nothing if the case type is not retired.

  casehook casetype restore kyc`
}

func (c *casetypeRestoreCmd) Run(ctx context.Context, s stdio) error {
	return dev.Restore(ctx, c.client(), dev.Output{Out: s.out}, c.Key)
}

type casetypeRotateCmd struct {
	Key      string        `arg:"" help:"The key of the case type."`
	Callback string        `arg:"" help:"The key of the callback's transition, or an operation such as @delete; or @type, if all callbacks share a secret."`
	Overlap  time.Duration `default:"24h" placeholder:"TIME" help:"Time for which the earlier secrets sign too, up to 168h; 0s ends them at once. 24h if not set."`
	remote
}

// Help is shown below the command's summary.
func (casetypeRotateCmd) Help() string {
	return `The new secret is printed, this once. Configure the callback's service with it before the overlap ends:
until then each question has signatures by both.

  casehook casetype rotate kyc submit
  casehook casetype rotate kyc @switch --overlap 1h
  casehook casetype rotate loan @type        the secret of all callbacks (callback_secret: type)`
}

func (c *casetypeRotateCmd) Run(ctx context.Context, s stdio) error {
	return dev.RotateCallback(ctx, c.client(), dev.Output{Out: s.out},
		dev.CallbackRotation{CaseType: c.Key, Callback: c.Callback, Overlap: c.Overlap})
}
