package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/casehook/casehook/internal/dev"
)

type dryRunCmd struct {
	Case          int64  `placeholder:"ID" xor:"subject" help:"The case to change."`
	Type          string `placeholder:"KEY" xor:"subject" help:"The key of the type of the case to create."`
	Transition    string `placeholder:"KEY" help:"The transition. If not set: the plain edit of the case, or the only transition that creates one."`
	Data          string `placeholder:"JSON" help:"The fields to set: a JSON object, @FILE for one in a file, - for one on standard input."`
	IgnoreWarning bool   `help:"Go on although the callback warns."`
	Callback      webURL `placeholder:"URL" help:"Have the server ask this URL in place of the transition's callback."`
	Secret        string `placeholder:"WHSEC" env:"CASEHOOK_DRY_RUN_SECRET" help:"Signs the question to --callback: whsec_... A random one if not set."`
	JSON          bool   `name:"json" help:"Print the verdict as JSON, with all details."`
	remote
}

// Help is shown below the command's summary.
func (dryRunCmd) Help() string {
	return `The submission is checked, its callback is asked with the header dry-run: true, and its answer is checked.
Nothing is saved, and nobody is told. The command prints the verdict and the differences, and exits with 1 if the
submission would be refused.

  casehook dry-run --case 4539148803436467 --transition submit --data '{"country": "CH"}'
  casehook dry-run --type kyc --data @client.json
  casehook dry-run --case 4539148803436467 --transition submit --callback https://next.example/`
}

func (c *dryRunCmd) Run(ctx context.Context, s stdio) error {
	if c.Case == 0 && c.Type == "" {
		return errors.New("name the case with --case; for a creation, its type with --type")
	}
	data, err := dataOf(c.Data, s)
	if err != nil {
		return err
	}
	allowed, err := dev.DryRun(ctx, c.client(), dev.DryRunOptions{
		Output:        dev.Output{Out: s.out, JSON: c.JSON},
		Case:          c.Case,
		Type:          c.Type,
		Transition:    c.Transition,
		Data:          data,
		IgnoreWarning: c.IgnoreWarning,
		Callback:      string(c.Callback),
		Secret:        c.Secret,
	})
	if err == nil && !allowed {
		err = errShown
	}
	return err
}

// dataOf returns the JSON object that an option names: as it is, @FILE, or - for standard input.
func dataOf(option string, s stdio) (json.RawMessage, error) {
	var err error
	raw := []byte(option)
	switch file, isFile := strings.CutPrefix(option, "@"); {
	case option == "":
		return nil, nil
	case isFile:
		raw, err = os.ReadFile(file)
	case option == "-":
		raw, err = io.ReadAll(s.in)
	}
	if err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, fmt.Errorf("--data is not a JSON object: %w", err)
	}
	return raw, nil
}
