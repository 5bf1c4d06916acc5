package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"
)

// BeforeResolve reads the configuration file, for what neither flags nor
// variables have set.
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

// readOptions reads a file of options, and refuses those that there are not.
func readOptions(path string, flags []*kong.Flag) (map[string]any, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	var document yaml.Node
	if err := yaml.Load(source, &document); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	options := map[string]any{}
	if len(document.Content) == 0 {
		return options, nil
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: a file of options is a list of keys and values, such as listen: 127.0.0.1:8080", path, root.Line)
	}
	var wrong []error
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		if !known(key.Value, flags) {
			wrong = append(wrong, fmt.Errorf("%s:%d: there is no option %q; casehook serve --help lists them", path, key.Line, key.Value))
			continue
		}
		if _, twice := options[key.Value]; twice {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s is given twice", path, key.Line, key.Value))
			continue
		}
		if options[key.Value], err = option(value); err != nil {
			wrong = append(wrong, fmt.Errorf("%s:%d: %s: %w", path, value.Line, key.Value, err))
		}
	}
	return options, errors.Join(wrong...)
}

func known(name string, flags []*kong.Flag) bool {
	return name != "config" && name != "help" && slices.ContainsFunc(flags, func(f *kong.Flag) bool { return f.Name == name })
}

// option returns a value as it would stand on the command line.
func option(value *yaml.Node) (any, error) {
	switch value.Kind {
	case yaml.ScalarNode:
		return value.Value, nil
	case yaml.SequenceNode:
		items := make([]string, len(value.Content))
		for i, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, errors.New("is a list of something else than plain values")
			}
			items[i] = item.Value
		}
		return strings.Join(items, ","), nil
	}
	return nil, errors.New("is neither a plain value nor a list")
}
