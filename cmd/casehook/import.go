package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/ccd"
	"github.com/casehook/casehook/internal/sheets"
)

type importCmd struct {
	Inputs  []string          `arg:"" name:"input" help:"Folders with sheets as JSON, and workbooks (XLSX)."`
	Exclude []string          `short:"e" sep:"none" placeholder:"PATTERN" help:"Leave out the files of which a folder or the name matches the pattern; * is any text."`
	Value   map[string]string `short:"D" mapsep:"none" placeholder:"NAME=VALUE" help:"Give a variable of the definition a value, wherever it stands."`
	Retries string            `default:"hmcts" enum:"hmcts,quickcase" placeholder:"PRODUCT" help:"The product whose columns on retries these are: hmcts or quickcase. hmcts if not set."`
	Out     string            `default:"." type:"path" placeholder:"DIR" help:"Folder for the case types. The current one if not set."`
	Check   bool              `help:"Print only what is left out, changed or doubtful, and write nothing."`
}

// Help is shown below the command's summary.
func (importCmd) Help() string {
	return `All inputs are one definition: their rows are joined. The command needs no server. It writes a file for each
case type, KEY.yaml, and replaces those that are there. Then it prints what it has made, the variables in the URLs
of callbacks, and all that is left out, changed or doubtful: each thing once, with its count and its first place.

  casehook import definitions -e '*-nonprod.json' -e UserProfile.json --check
  casehook import definitions -e '*-nonprod.json' --out types
  casehook import definition.xlsx -D TEAM=parks --retries quickcase
  casehook casetype check types/*.yaml

JSON sheets: a folder or a file for each sheet, with fragments at any depth. The same folders may be there for each
case type. Workbooks: cell A1 of a tab names the sheet, row 3 has the columns, and the rows begin in row 4. The
same rows make the same case types, from JSON or from a workbook.

-D fills in variables everywhere. A variable that is left in the URL of a callback becomes one of the server,
${CASEHOOK_VAR_...}. If there is an error, nothing is written.`
}

// Run imports the definition.
func (c *importCmd) Run(s stdio) error {
	files, err := c.files()
	if err != nil {
		return err
	}
	definition, err := sheets.Read(files, sheets.Options{Values: c.Value})
	if err != nil {
		return err
	}
	made, err := ccd.From(definition, ccd.Options{Retries: c.Retries})
	if err != nil {
		return err
	}
	if err := loads(made.Types); err != nil {
		return err
	}
	if c.Check {
		return printNotes(s.out, made.Notes)
	}
	if err := c.write(made.Types); err != nil {
		return err
	}
	return errors.Join(c.summary(s.out, made), printNotes(s.out, made.Notes))
}

// loads checks that a server takes the case types.
func loads(types []ccd.CaseType) error {
	var all []error
	for _, t := range types {
		if _, err := casetype.Parse(t.Key+".yaml", t.YAML); err != nil {
			all = append(all, fmt.Errorf("the case type %s has faults, and nothing is written:\n%w", t.Key, err))
		}
	}
	return errors.Join(all...)
}

// files reads the files of all inputs that are not excluded.
func (c *importCmd) files() (all []sheets.File, err error) {
	for _, input := range c.Inputs {
		info, err := os.Stat(input)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			if all, err = c.file(all, input, filepath.Base(input)); err != nil {
				return nil, err
			}
			continue
		}
		err = filepath.WalkDir(input, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || !strings.EqualFold(filepath.Ext(path), ".json") {
				return err
			}
			below, err := filepath.Rel(input, path)
			if err == nil {
				all, err = c.file(all, path, filepath.ToSlash(below))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no files were found: name folders with sheets in JSON, or workbooks in XLSX")
	}
	return all, nil
}

// file reads a file, unless it is excluded.
func (c *importCmd) file(all []sheets.File, path, below string) ([]sheets.File, error) {
	if sheets.Excluded(below, c.Exclude) {
		return all, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, sheets.MaxFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return append(all, sheets.File{Path: filepath.ToSlash(path), Below: below, Content: content}), nil
}

// write writes the files of the case types.
func (c *importCmd) write(types []ccd.CaseType) error {
	if err := os.MkdirAll(c.Out, 0o777); err != nil {
		return err
	}
	for _, t := range types {
		if err := os.WriteFile(filepath.Join(c.Out, t.Key+".yaml"), t.YAML, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// summary prints what was made.
func (c *importCmd) summary(out io.Writer, made *ccd.Import) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "fields\tstates\tevents\tpages\troles\tstart\tmid\tsubmit\tsubmitted\t  file\n")
	for _, t := range made.Types {
		n := t.Counts
		for _, count := range []int{n.Fields, n.States, n.Events, n.Pages, n.Roles, n.AboutToStart, n.MidEvents,
			n.AboutToSubmit, n.Submitted} {
			fmt.Fprintf(table, "%d\t", count)
		}
		fmt.Fprintf(table, "  %s\n", filepath.Join(c.Out, t.Key+".yaml"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d case types, of %d complex types (%d members) and %d lists (%d codes). "+
		"start, mid, submit and submitted are callbacks.\n\n",
		len(made.Types), made.ComplexTypes, made.Members, made.Lists, made.Codes)
	if len(made.Variables) == 0 {
		return nil
	}
	fmt.Fprint(out, "Variables of callbacks, to be set where the server runs:\n")
	variables := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, v := range made.Variables {
		fmt.Fprintf(variables, "  %s\tof ${%s}", v.Becomes, v.Name)
		if v.Default != "" {
			fmt.Fprintf(variables, "\tdefault %s", v.Default)
		}
		fmt.Fprintln(variables)
	}
	return errors.Join(variables.Flush(), lineBreak(out))
}

func lineBreak(out io.Writer) error {
	_, err := fmt.Fprintln(out)
	return err
}

// printNotes prints all that is left out, changed or doubtful.
func printNotes(out io.Writer, notes []sheets.Note) error {
	if len(notes) == 0 {
		_, err := fmt.Fprintln(out, "Nothing is left out.")
		return err
	}
	_, err := fmt.Fprintln(out, "Left out, changed or doubtful (how often, and where first):")
	for _, n := range notes {
		if err == nil {
			_, err = fmt.Fprintf(out, "  %s (%d: %s)\n", n.What, n.Count, n.First)
		}
	}
	return err
}
