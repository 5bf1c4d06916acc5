package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/yaml"
)

// starting is the definition that casehook casetype init writes, for its default key.
//
//go:embed starting.yaml
var starting string

type initCmd struct {
	Key    string `arg:"" optional:"" default:"application" help:"The key of the new case type: letters, digits, _ and -. application if not set."`
	Output string `short:"o" type:"path" placeholder:"FILE" help:"File to create; it must not exist. Standard output if not set."`
}

// Help is shown below the command's summary.
func (initCmd) Help() string {
	return `The command needs no server. It writes a small process that works: fields of each kind, states,
transitions with roles, preconditions and a callback, documents and proofs, each with a comment. Change it into
yours.

  casehook casetype init building_permit -o building_permit.yaml
  casehook casetype check building_permit.yaml

casehook casetype check lists its faults; casehook apply puts it on a server.`
}

var definitionKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,69}$`)

// Validate checks that the key is valid for a case type.
func (c *initCmd) Validate() error {
	if !definitionKey.MatchString(c.Key) {
		return fmt.Errorf("%q can't be the key of a case type: it has letters, digits, _ and -, begins with a "+
			"letter or a digit, and has at most 70 characters, as in building_permit", c.Key)
	}
	return nil
}

func (c *initCmd) Run(s stdio) error {
	if c.Output == "" {
		_, err := fmt.Fprint(s.out, startingFor(c.Key, c.Key+".yaml"))
		return err
	}
	f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and is left as it is: name another file with -o", c.Output)
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(startingFor(c.Key, filepath.Base(c.Output)))
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: written. Change it, and check it: casehook casetype check %[1]s\n", c.Output)
	return err
}

// startingFor returns the starting definition of a case type with a key, in a file.
func startingFor(key, file string) string {
	words := strings.FieldsFunc(key, func(r rune) bool { return r == '_' || r == '-' })
	name := strings.Join(words, " ")
	name = strings.ToUpper(name[:1]) + name[1:]
	initials := strings.ToUpper(key[:min(len(key), 3)])
	if len(words) > 1 {
		initials = ""
		for _, word := range words {
			initials += strings.ToUpper(word[:1])
		}
	}
	return strings.NewReplacer("application.yaml", file, "key: application\n", "key: "+asText(key)+"\n",
		"/v1/case-types/application", "/v1/case-types/"+key,
		"name: Application\n", "name: "+asText(name)+"\n", "APP-", initials+"-",
	).Replace(starting)
}

// asText writes a text in YAML: in quotes if it would be read as something else, such as a number.
func asText(text string) string {
	if _, isText := yaml.Read([]byte(text), yaml.Options{}).Value.(string); isText {
		return text
	}
	return strconv.Quote(text)
}
