package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// manCmd writes the manual pages, for those who make packages.
type manCmd struct {
	Dir string `arg:"" type:"path" help:"The folder, which is created if it is missing."`
}

func (c *manCmd) Run(s stdio, k *kong.Context) error {
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return err
	}
	for name, page := range manPages(k.Model.Node) {
		if err := os.WriteFile(filepath.Join(c.Dir, name+".1"), []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// manPages returns the manual pages by their names: one of the program, and one of each command with those below it.
func manPages(root *kong.Node) map[string]string {
	pages := map[string]string{}
	commands := shown(root.Children)
	var p manPage
	p.head("casehook", "case management built around webhooks")
	p.section("SYNOPSIS")
	p.line(".B casehook")
	p.line(".I COMMAND")
	p.line("[options]")
	p.section("DESCRIPTION")
	p.text(description)
	p.section("COMMANDS")
	for _, c := range commands {
		p.term(`\fBcasehook\-`+roff(c.Name)+`\fR(1)`, c.Help)
	}
	p.status()
	pages["casehook"] = p.String()
	for _, c := range commands {
		pages["casehook-"+c.Name] = manPageOf(c)
	}
	return pages
}

// manPageOf returns the page of a command.
func manPageOf(c *kong.Node) string {
	var p manPage
	p.head("casehook-"+c.Name, strings.TrimSuffix(c.Help, "."))
	p.section("SYNOPSIS")
	leaves := c.Leaves(true)
	if len(leaves) == 0 {
		leaves = []*kong.Node{c}
	}
	for i, leaf := range leaves {
		if i > 0 {
			p.line(".br")
		}
		p.line(roffLine(leaf.FullPath() + strings.TrimPrefix(leaf.Summary(), leaf.Path())))
	}
	p.section("DESCRIPTION")
	p.text(cmp.Or(c.Detail, c.Help))
	if len(c.Children) == 0 {
		p.section("OPTIONS")
		p.options(c)
	} else {
		p.section("COMMANDS")
		for _, leaf := range leaves {
			p.line(".SS " + roffLine(leaf.FullPath()))
			p.text(leaf.Help)
			p.text(leaf.Detail)
			p.options(leaf)
		}
	}
	p.status()
	p.section("SEE ALSO")
	p.line(`.BR casehook (1)`)
	return p.String()
}

// shown returns the nodes that are not hidden.
func shown(nodes []*kong.Node) []*kong.Node {
	return slices.DeleteFunc(slices.Clone(nodes), func(n *kong.Node) bool { return n.Hidden })
}

// manPage is a page in roff, with the macros of man(7).
type manPage struct{ strings.Builder }

// line writes a line of roff.
func (p *manPage) line(text string) { p.WriteString(text + "\n") }

func (p *manPage) section(title string) { p.line(".SH " + title) }

func (p *manPage) head(name, purpose string) {
	p.line(`.TH ` + roff(strings.ToUpper(name)) + ` 1 "" "casehook ` + version + `" "Casehook"`)
	p.section("NAME")
	p.line(roff(name) + ` \- ` + roff(purpose))
}

// text writes paragraphs. Lines that are indented stay as they are.
func (p *manPage) text(text string) {
	literal, open := false, false
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		indented := strings.HasPrefix(line, "  ")
		switch {
		case line == "":
			open = false
			continue
		case indented && !literal:
			p.line(".PP\n.RS 4\n.nf")
		case !indented && literal:
			p.line(".fi\n.RE\n.PP")
		case !indented && !open, indented && !open:
			p.line(map[bool]string{true: `\&`, false: ".PP"}[literal])
		}
		literal, open = indented, true
		p.line(roffLine(strings.TrimPrefix(line, "  ")))
	}
	if literal {
		p.line(".fi\n.RE")
	}
}

// term writes a term, in roff, and its text.
func (p *manPage) term(term, text string) {
	p.line(".TP\n" + term)
	p.line(roffLine(text))
}

// options writes the arguments and options of a command.
func (p *manPage) options(c *kong.Node) {
	for _, a := range c.Positional {
		p.term(`\fI`+roff(a.Summary())+`\fR`, a.Help)
	}
	for _, group := range c.AllFlags(true) {
		for _, f := range group {
			term := `\fB\-\-` + roff(f.Name) + `\fR`
			if f.Short != 0 {
				term = `\fB\-` + roff(string(f.Short)) + `\fR, ` + term
			}
			if !f.IsBool() {
				term += `=\fI` + roff(f.FormatPlaceHolder()) + `\fR`
			}
			help := f.Help
			if len(f.Envs) > 0 {
				help += " Variable: " + strings.Join(f.Envs, ", ") + "."
			}
			p.term(term, help)
		}
	}
}

func (p *manPage) status() {
	p.section("EXIT STATUS")
	p.text(fmt.Sprintf("%d: success; %d: failure; %d: the command line is wrong.", exitOK, exitFailed, exitUsage))
}

var roffEscapes = strings.NewReplacer(
	`\`, `\e`, "-", `\-`, "^", `\(ha`, "~", `\(ti`, "`", `\(ga`, "'", `\(aq`, "\n", " ",
)

// roff escapes a text within a line.
func roff(text string) string { return roffEscapes.Replace(text) }

// roffLine escapes a line, whose beginning could be taken for a request.
func roffLine(text string) string {
	escaped := roff(text)
	if strings.HasPrefix(escaped, ".") || strings.HasPrefix(escaped, " ") {
		escaped = `\&` + escaped
	}
	return escaped
}
