package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/yaml"
)

// BeforeResolve reads the configuration file, for the options that neither flags nor variables have
// set.
func (c *serveCmd) BeforeResolve(ctx *kong.Context) error {
	flags := ctx.Selected().Flags
	path := ""
	for _, flag := range flags {
		if flag.Name == "config" {
			path, _ = ctx.FlagValue(flag).(string)
		}
	}
	if path == "" {
		path = os.Getenv("CASEHOOK_CONFIG")
	}
	if path == "" {
		return nil
	}
	options, err := readOptions(path, flags)
	if err != nil {
		return err
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		value, found := options[flag.Name]
		if !found || slices.ContainsFunc(flag.Envs, isSet) {
			return nil, nil
		}
		return value, nil
	}))
	return nil
}

func isSet(variable string) bool {
	_, set := os.LookupEnv(variable)
	return set
}

// readOptions reads a file of options, and refuses unknown ones.
func readOptions(path string, flags []*kong.Flag) (map[string]any, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	document := yaml.Read(source, yaml.Options{})
	var wrong []error
	for _, f := range document.Faults {
		wrong = append(wrong, fmt.Errorf("%s:%d: %s: %s", path, f.Line, cmp.Or(f.Path, "/"), f.Message))
	}
	options, named, root := map[string]any{}, byName(flags), document.Root()
	if _, isObject := root.Value.(map[string]any); !isObject && root.Value != nil {
		return nil, fmt.Errorf("%s:%d: a file of options is a list of keys and values, such as listen: 127.0.0.1:8080",
			path, root.Position().Line)
	}
	for name, value := range root.Members() {
		flag, known := named[name]
		if !known {
			wrong = append(wrong, fmt.Errorf("%s:%d: there is no option %q%s; casehook serve --help lists them",
				path, value.Position().Line, name, spelling.DidYouMean(name, slices.Sorted(maps.Keys(named)))))
			continue
		}
		text, err := option(value)
		if err == nil && value.Value != nil { // an empty value counts as not set
			options[name], err = text, fits(flag, text)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: /%s: %w", path, value.Position().Line, name, err))
		}
	}
	return options, errors.Join(wrong...)
}

// byName returns the flags that may be in a configuration file.
func byName(flags []*kong.Flag) map[string]*kong.Flag {
	named := map[string]*kong.Flag{}
	for _, flag := range flags {
		if flag.Name != "config" && flag.Name != "help" {
			named[flag.Name] = flag
		}
	}
	return named
}

// fits checks whether a text is a valid value of the flag, so that all faults of the file are
// reported at once.
func fits(flag *kong.Flag, text string) error {
	if flag.Enum != "" && !flag.EnumMap()[text] {
		return fmt.Errorf("%q is not known; write %s", text, alternatives(flag.Enum))
	}
	target := reflect.New(flag.Target.Type()).Elem()
	scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text})
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, target); err != nil {
		return errors.New(usage(err))
	}
	return nil
}

// option returns a value as it would be written on the command line.
func option(value yaml.Node) (string, error) {
	if text, ok := value.Text(); ok || value.Value == nil {
		return text, nil
	}
	if _, isList := value.Value.([]any); !isList {
		return "", errors.New("is neither a plain value nor a list")
	}
	items := value.Items()
	texts := make([]string, len(items))
	for i, item := range items {
		text, ok := item.Text()
		if !ok {
			return "", errors.New("is a list of values that are not plain")
		}
		texts[i] = text
	}
	return strings.Join(texts, ","), nil
}
