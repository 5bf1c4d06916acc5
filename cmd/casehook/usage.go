package main

import (
	"fmt"
	"regexp"
	"strings"
)

// rewordings replace the messages of the command line's parser.
var rewordings = []struct {
	its  *regexp.Regexp
	ours func(parts []string) string
}{
	{regexp.MustCompile(`(?s)^--[a-z0-9-]+: (.*) \(from envar (\w+)=.*\)$`), func(parts []string) string {
		return parts[2] + ": " + parts[1]
	}},
	{regexp.MustCompile(`^(\S+) must be one of (".*") but got "(.*)"$`), func(parts []string) string {
		return fmt.Sprintf("%s: %q is not known; write %s", parts[1], parts[3], alternatives(parts[2]))
	}},
	{regexp.MustCompile(`expected duration but got ("[^"]*"): .*`), func(parts []string) string {
		return parts[1] + " is not a length of time; write 90s, 10m or 24h"
	}},
	{regexp.MustCompile(`expected "<key>=<value>" but got ("[^"]*")`), func(parts []string) string {
		return parts[1] + " is not a pair; write NAME=VALUE"
	}},
	{regexp.MustCompile(`expected a valid \d+ bit u?int but got ("[^"]*")`), func(parts []string) string {
		return parts[1] + " is not a whole number"
	}},
	{regexp.MustCompile(`slog: level string ("[^"]*"): unknown name`), func(parts []string) string {
		return parts[1] + " is not known; write debug, info, warn or error"
	}},
	{regexp.MustCompile(`bool value must be .* but got ("[^"]*")`), func(parts []string) string {
		return parts[1] + " is neither true nor false"
	}},
	{regexp.MustCompile(`missing value, expecting ".*"|expected \S+ value but got "EOL" \(<EOL>\)`),
		func([]string) string {
			return "needs a value"
		}},
	{regexp.MustCompile(`^(?:expected "|missing positional arguments )(<[^"]*)"?$`), func(parts []string) string {
		return "missing: " + parts[1]
	}},
	{regexp.MustCompile(`^expected one of (".*)$`), func(parts []string) string {
		return "name a command: " + strings.ReplaceAll(parts[1], `"`, "")
	}},
}

// usage explains an error in the command line.
func usage(err error) string {
	text := explain(err)
	for _, r := range rewordings {
		if at := r.its.FindStringSubmatchIndex(text); at != nil {
			text = text[:at[0]] + r.ours(r.its.FindStringSubmatch(text)) + text[at[1]:]
		}
	}
	return text
}

// alternatives lists quoted values for people. It leaves out the empty one, which means that the
// option is not set.
func alternatives(quoted string) string {
	var all []string
	for value := range strings.SplitSeq(quoted, ",") {
		if value = strings.Trim(value, `" `); value != "" {
			all = append(all, value)
		}
	}
	last := len(all) - 1
	if last < 1 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:last], ", ") + " or " + all[last]
}
