package casetype

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/weburl"
)

// VariablePrefix begins the names of all variables that URLs may begin with.
const VariablePrefix = "CASEHOOK_VAR_"

// beginning is a variable at the beginning of a URL, and what ends what it stands for:
// a path, a query, or nothing, so that what follows is no part of its host.
var beginning = regexp.MustCompile(`^\$\{(` + VariablePrefix + `[A-Z0-9_]+)\}([/?]|$)`)

// ExpandURL replaces the ${CASEHOOK_VAR_...} that a URL begins with by what lookup
// gives for its name: a scheme, a host, and the beginning of a path. It fails, with a
// *fault.Error of kind Upstream that quotes no value, when the variable is not there
// or what comes out can't be called.
func ExpandURL(raw string, lookup func(name string) (string, bool)) (string, error) {
	if message := misplaced(raw); message != "" {
		return "", fault.New(fault.Upstream, "callback.url_invalid", "The callback's URL %s.", message)
	}
	match := beginning.FindStringSubmatch(raw)
	if match == nil {
		canonical, err := weburl.Canonical(raw)
		if err != nil {
			return "", fault.New(fault.Upstream, "callback.url_invalid", "The callback's URL %s.", err)
		}
		return canonical, nil
	}
	value, ok := lookup(match[1])
	if !ok {
		return "", fault.New(fault.Upstream, "callback.variable_unset",
			"The callback's URL needs ${%s}, which the server's environment does not set, or which the operator has "+
				"not granted to this tenant.", match[1])
	}
	begins, err := weburl.Canonical(value)
	if err != nil || strings.Contains(begins, "?") {
		return "", fault.New(fault.Upstream, "callback.url_invalid",
			"${%s} is not the beginning of a URL, such as https://callbacks.example.com/prefix; the operator has to "+
				"set it so.", match[1])
	}
	expanded, err := weburl.Canonical(strings.TrimSuffix(begins, "/") + raw[len(match[0])-len(match[2]):])
	if err != nil {
		return "", fault.New(fault.Upstream, "callback.url_invalid",
			"The callback's URL, its variable expanded, %s.", err)
	}
	return expanded, nil
}

// checkCallbackURL judges a URL as it is written, standing something harmless in for
// its variable.
func checkCallbackURL(raw string) string {
	if message := misplaced(raw); message != "" {
		return message
	}
	if match := beginning.FindStringSubmatch(raw); match != nil {
		raw = standIn + raw[len(match[0])-len(match[2]):]
	}
	if _, err := weburl.Canonical(raw); err != nil {
		return err.Error()
	}
	return ""
}

// standIn takes the place of a variable while what follows it is judged.
const standIn = "http://host/path"

// misplaced says what is wrong with the variables of a URL.
func misplaced(raw string) string {
	if match := beginning.FindString(raw); match != "" {
		raw = raw[len(match):]
		if path, _, _ := strings.Cut(raw, "?"); climbs(path) {
			return "leaves the path that its variable stands for"
		}
	}
	if strings.Contains(raw, "${") {
		return "has a ${...} that is not ${" + VariablePrefix + "...} at its very beginning, before a / or ?; a " +
			"variable stands for scheme, host and the beginning of the path alone"
	}
	return ""
}

// maxDecodings is how often a path is decoded: more than any server on its way does.
const maxDecodings = 5

// climbs reports whether some server could read a segment of the path as . or ..,
// however the segment is encoded: the separators may be, too, some servers take a
// backslash for one, and some cut parameters off behind a semicolon. A path that
// can't be decoded, or not to its end, is taken for one that does.
func climbs(path string) bool {
	for range maxDecodings {
		for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
			name, _, _ := strings.Cut(segment, ";")
			if name = strings.TrimSpace(name); name == "." || name == ".." {
				return true
			}
		}
		plain, err := url.PathUnescape(path)
		if err != nil {
			return true
		}
		if plain == path {
			return false
		}
		path = plain
	}
	return true
}

// canonicalURL returns the canonical form of a callback's URL, its variable left as
// it is, or the URL itself where there is none.
func canonicalURL(raw string) string {
	match := beginning.FindStringSubmatch(raw)
	if match == nil {
		return weburl.Stored(raw)
	}
	variable, rest := raw[:len(match[0])-len(match[2])], raw[len(match[0])-len(match[2]):]
	canonical, err := weburl.Canonical(standIn + rest)
	if err != nil {
		return raw
	}
	return variable + strings.TrimPrefix(canonical, standIn)
}
