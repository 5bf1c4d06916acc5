package casetype

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

var (
	placeholder  = regexp.MustCompile(`\$\{[^{}]*\}?`)
	variableName = regexp.MustCompile(`^\$\{(CASEHOOK_VAR_[A-Z0-9_]+)\}$`)
)

// ExpandURL replaces each ${CASEHOOK_VAR_...} by what lookup gives for its name.
// It fails, with a *fault.Error of kind Upstream, when a variable is not set or
// what comes out can't be called.
func ExpandURL(raw string, lookup func(name string) (string, bool)) (string, error) {
	var missing []string
	expanded := placeholder.ReplaceAllStringFunc(raw, func(found string) string {
		if match := variableName.FindStringSubmatch(found); match != nil {
			if value, ok := lookup(match[1]); ok {
				return value
			}
		}
		missing = append(missing, found)
		return found
	})
	if len(missing) > 0 {
		return "", fault.New(fault.Upstream, "callback.variable_unset",
			"The callback's URL needs %s, which the server's environment does not set.", strings.Join(missing, ", "))
	}
	if message := checkURL(expanded); message != "" {
		return "", fault.New(fault.Upstream, "callback.url_invalid", "The callback's URL, its variables expanded, %s.", message)
	}
	return expanded, nil
}

// checkCallbackURL judges a URL as it is written, standing something harmless
// in for its variables.
func checkCallbackURL(raw string) string {
	for _, found := range placeholder.FindAllString(raw, -1) {
		if !variableName.MatchString(found) {
			return "has " + found + ", and only variables named ${CASEHOOK_VAR_...} are expanded"
		}
	}
	sample := raw
	if at := placeholder.FindStringIndex(raw); at != nil && at[0] == 0 {
		stand := "http://host"
		if strings.HasPrefix(raw[at[1]:], "://") {
			stand = "http"
		}
		sample = stand + raw[at[1]:]
	}
	return checkURL(placeholder.ReplaceAllLiteralString(sample, "1"))
}

func checkURL(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "does not begin with http:// or https://"
	case u.Hostname() == "":
		return "names no host"
	case u.User != nil:
		return "carries a user name or password, which would be shown; verify the signature instead"
	case u.Fragment != "":
		return "has a fragment, which is never sent"
	}
	return ""
}
