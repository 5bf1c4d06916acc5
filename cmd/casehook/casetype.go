package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/casehook/casehook/internal/casetype"
)

type casetypeCmd struct {
	Check checkCmd `cmd:"" help:"Say everything that is wrong in definitions, each with file, line and path."`
}

type checkCmd struct {
	Files []string `arg:"" name:"file" type:"path" help:"Definitions, in YAML or JSON."`
}

// Help is shown below the command's summary.
func (checkCmd) Help() string {
	return `Needs no server. It ends with 1 when anything is wrong.

  casehook casetype check examples/*.yaml`
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
			fmt.Fprintf(s.out, "%s: ok: %s, %d states, %d transitions\n", file, t.Key, len(t.States), len(t.Transitions))
		}
		failed = failed || err != nil
	}
	if failed {
		return errShown
	}
	return nil
}
