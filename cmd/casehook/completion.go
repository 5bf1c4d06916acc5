package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish."`
}

// Help is shown below the command's summary.
func (completionCmd) Help() string {
	return `The script asks casehook itself for the words that may follow, so it stays right when casehook is upgraded.

  source <(casehook completion bash)    # in ~/.bashrc
  source <(casehook completion zsh)     # in ~/.zshrc, after compinit
  casehook completion fish > ~/.config/fish/completions/casehook.fish

Packages put the scripts where the shells look for them, and need none of these lines.`
}

// The scripts of the shells. Each asks casehook complete.
var (
	//go:embed completion/casehook.bash
	bashCompletion string
	//go:embed completion/casehook.zsh
	zshCompletion string
	//go:embed completion/casehook.fish
	fishCompletion string
)

// Validate checks the name of the shell.
func (c *completionCmd) Validate() error {
	if !slices.Contains([]string{"bash", "zsh", "fish"}, c.Shell) {
		return fmt.Errorf("there is no completion for %q; write bash, zsh or fish", c.Shell)
	}
	return nil
}

func (c *completionCmd) Run(s stdio) error {
	script := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[c.Shell]
	_, err := fmt.Fprint(s.out, script)
	return err
}

// completeCmd prints the words that may stand at the end of a command line, for the scripts of shells: a word a line,
// and behind a tab its description. The single line ":file" stands for the names of files.
type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The command line behind casehook, up to the word to complete."`
}

func (c *completeCmd) Run(s stdio, k *kong.Context) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	var lines strings.Builder
	for _, w := range completions(k.Model.Node, words) {
		fmt.Fprintln(&lines, w)
	}
	_, err := fmt.Fprint(s.out, lines.String())
	return err
}

// files stands for the names of files.
const files = ":file"

// completions lists the words that may stand in place of the last one, with their descriptions.
func completions(root *kong.Node, words []string) (found []string) {
	words = slices.Clone(words)
	if n := len(words); n == 0 || words[n-1] == "=" {
		words = append(words, "")
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "=" }) // bash splits --flag=value
	last := words[len(words)-1]
	at := place{node: root}
	for _, word := range words[:len(words)-1] {
		at.pass(word)
	}
	if name, value, hasValue := strings.Cut(last, "="); hasValue && strings.HasPrefix(last, "--") {
		return values(at.flag(name), value, name+"=")
	}
	switch {
	case at.pending != nil:
		return values(at.pending.Value, last, "")
	case strings.HasPrefix(last, "-") && !at.ended:
		return at.flags(last)
	}
	for _, child := range at.node.Children {
		if !child.Hidden && child.Type == kong.CommandNode && strings.HasPrefix(child.Name, last) {
			found = append(found, child.Name+"\t"+child.Help)
		}
	}
	if n := len(at.node.Positional); n > 0 && (at.passed < n || at.node.Positional[n-1].IsCumulative()) {
		found = append(found, values(at.node.Positional[min(at.passed, n-1)], last, "")...)
	}
	return found
}

// place is a place in a command line.
type place struct {
	node    *kong.Node
	passed  int        // arguments of the node
	pending *kong.Flag // the flag whose value comes next
	ended   bool       // behind --
}

// pass goes past a word.
func (p *place) pass(word string) {
	switch {
	case p.pending != nil:
		p.pending = nil
	case word == "--":
		p.ended = true
	case strings.HasPrefix(word, "-") && word != "-" && !p.ended:
		if flag := p.known(word); flag != nil && !flag.IsBool() && !flag.IsCounter() {
			p.pending = flag
		}
	default:
		i := slices.IndexFunc(p.node.Children, func(n *kong.Node) bool { return n.Name == word })
		if i == -1 {
			p.passed++
			return
		}
		p.node, p.passed = p.node.Children[i], 0
	}
}

// known returns the flag that a word names, or nil.
func (p *place) known(word string) *kong.Flag {
	for _, group := range p.node.AllFlags(true) {
		for _, flag := range group {
			if word == "--"+flag.Name || flag.Short != 0 && word == "-"+string(flag.Short) {
				return flag
			}
		}
	}
	return nil
}

// flag returns the value of the flag that a word names, or nil.
func (p *place) flag(word string) *kong.Value {
	if flag := p.known(word); flag != nil {
		return flag.Value
	}
	return nil
}

// flags lists the flags that begin with a word.
func (p *place) flags(word string) (found []string) {
	for _, group := range p.node.AllFlags(true) {
		for _, flag := range group {
			if name := "--" + flag.Name; strings.HasPrefix(name, word) {
				found = append(found, name+"\t"+flag.Help)
			}
		}
	}
	return found
}

// values lists the values that begin with a word: those that are enumerated, or the names of files. Each is printed
// behind the prefix.
func values(v *kong.Value, word, prefix string) (found []string) {
	switch {
	case v == nil:
	case v.Enum != "":
		for _, value := range v.EnumSlice() {
			if value != "" && strings.HasPrefix(value, word) {
				found = append(found, prefix+value)
			}
		}
	case v.Tag.Type == "path" || v.Tag.Type == "existingfile" || v.Tag.Type == "existingdir":
		return []string{files}
	}
	return found
}
