package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/casehook/casehook/internal/dev"
	"github.com/casehook/casehook/internal/spelling"
)

// configCmd shows the configuration of serve, which it takes in the same way.
type configCmd struct {
	JSON bool `name:"json" help:"Print one JSON object a line."`

	serveCmd
}

// Help is shown below the command's summary.
func (configCmd) Help() string {
	return `Each option of casehook serve is shown with its value and its origin: a flag, a variable, the file of
--config, or the default. Write the flags that serve has; the variables and the file are read as serve reads them.
Secrets are hidden, also inside URLs, so that the output can be shown to others. Variables that begin with CASEHOOK_
and are known to no command are reported, since they may be misspelt.

  casehook config
  casehook config --config /etc/casehook.yaml --json`
}

// setting is an option with its value and origin, as people may see it.
type setting struct {
	Option   string `json:"option,omitempty"`   // the flag, without --; empty: it is a variable alone
	Variable string `json:"variable,omitempty"` // its name
	Value    string `json:"value"`              // secrets are hidden
	From     string `json:"from"`               // flag, variable, file or default
}

// Run prints the settings.
func (c *configCmd) Run(s stdio, k *kong.Context) error {
	all := settingsOf(k, os.Environ())
	for _, name := range unknownVariables(k.Model.Node, os.Environ()) {
		fmt.Fprintf(s.err, "casehook: warning: %s\n", name)
	}
	if c.JSON {
		return printLines(s.out, all)
	}
	table := dev.Table{Columns: []string{"OPTION", "VALUE", "FROM"}}
	for _, o := range all {
		name, from := o.Variable, o.From
		if o.Option != "" {
			name = "--" + o.Option
		}
		if o.From == fromVariable && o.Option != "" {
			from += " " + o.Variable
		}
		table.Rows = append(table.Rows, []string{name, cmp.Or(o.Value, "-"), from})
	}
	return table.Print(s.out)
}

func printLines[T any](w io.Writer, all []T) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, v := range all {
		if err := e.Encode(v); err != nil {
			return err
		}
	}
	return nil
}

// The origins of a value.
const (
	fromFlag     = "flag"
	fromVariable = "variable"
	fromFile     = "file"
	fromDefault  = "default"
)

// variablesAlone are the variables of serve that have no flag, because they hold secrets or are for other programs too.
var variablesAlone = []string{
	"CASEHOOK_KEY", "CASEHOOK_METRICS_TOKEN", "CASEHOOK_OIDC_CLIENT_SECRET", "CASEHOOK_UI_GALLERY",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
	"OTEL_EXPORTER_OTLP_TRACES_HEADERS",
}

// callbackVariable begins the variables that the URLs of callbacks may name.
const callbackVariable = "CASEHOOK_VAR_"

// settingsOf lists the options of the selected command that the file may have, and the variables without an option that
// are set.
func settingsOf(k *kong.Context, environ []string) (all []setting) {
	named := byName(k.Selected().Flags)
	for _, flag := range k.Selected().Flags {
		if (named[flag.Name] == nil || !ofServe(flag)) && flag.Name != "config" {
			continue
		}
		o := setting{Option: flag.Name, From: originOf(k, flag), Value: shownValue(flag, k.FlagValue(flag))}
		for _, variable := range flag.Envs {
			o.Variable = variable
		}
		all = append(all, o)
	}
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if !slices.Contains(variablesAlone, name) && !strings.HasPrefix(name, callbackVariable) {
			continue
		}
		if shown := maskedURL(value); strings.Contains(name, "ENDPOINT") || strings.HasPrefix(name, callbackVariable) {
			value = shown
		} else {
			value = hidden
		}
		all = append(all, setting{Variable: name, Value: value, From: fromVariable})
	}
	return all
}

// ofServe reports whether a flag is an option of serve: these alone have variables.
func ofServe(flag *kong.Flag) bool { return len(flag.Envs) > 0 }

// originOf reports where the value of a flag is from.
func originOf(k *kong.Context, flag *kong.Flag) string {
	resolved := false
	for _, p := range k.Path {
		if p.Flag == flag && !p.Resolved {
			return fromFlag
		}
		resolved = resolved || p.Flag == flag
	}
	switch {
	case slices.ContainsFunc(flag.Envs, isSet):
		return fromVariable
	case resolved:
		return fromFile
	}
	return fromDefault
}

const hidden = "(hidden)"

// secretName are parts of the names of options and of parameters whose values are secrets.
var secretNames = []string{"password", "passwd", "secret", "token", "key", "credential", "signature"}

func namesSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretNames, func(part string) bool { return strings.Contains(name, part) })
}

// shownValue formats a value. It hides those of options whose names say that they are secrets, unless they name a file,
// and what may be secret in a URL.
func shownValue(flag *kong.Flag, value any) string {
	if namesSecret(flag.Name) && flag.Tag.Type != "path" {
		return hidden
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return maskedURL(fmt.Sprint(value))
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = maskedURL(fmt.Sprint(v.Index(i).Interface()))
	}
	return strings.Join(items, ",")
}

// maskedURL returns a text, and of one that is a URL no password, no fragment, and no values of parameters that may be
// secrets. A text that looks like a URL and can't be read is hidden, and so is one with parameters like password=.
func maskedURL(text string) string {
	if !strings.Contains(text, "://") && !strings.Contains(text, "@") {
		if before, _, pair := strings.Cut(text, "="); pair && (namesSecret(before) || namesSecret(text)) {
			return hidden // host=db password=...
		}
		return text
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Host == "" && u.User == nil && u.Scheme == "" {
		return hidden
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "hidden")
	} else if u.User != nil && strings.HasPrefix(strings.ToLower(u.Scheme), "http") {
		u.User = url.User("hidden") // a token, in most cases
	}
	query := u.Query()
	for name := range query {
		if namesSecret(name) && query.Get(name) != "" {
			query.Set(name, "hidden")
		}
	}
	if u.RawQuery != "" {
		u.RawQuery = query.Encode()
	}
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

// unknownVariables lists the variables that begin with CASEHOOK_ and that no command knows, with the names that were
// probably meant. Their values are not shown.
func unknownVariables(root *kong.Node, environ []string) (wrong []string) {
	known := slices.Clone(variablesAlone)
	_ = kong.Visit(root, func(n kong.Visitable, next kong.Next) error {
		if flag, is := n.(*kong.Flag); is {
			known = append(known, flag.Envs...)
		}
		return next(nil)
	})
	slices.Sort(known)
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "CASEHOOK_") && !strings.HasPrefix(name, callbackVariable) &&
			!strings.HasPrefix(name, "CASEHOOK_TEST_") && !slices.Contains(known, name) {
			wrong = append(wrong, name+" is set, and is no variable of Casehook's"+spelling.DidYouMean(name, known))
		}
	}
	return wrong
}
