package casetype

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/weburl"
)

// VariablePrefix starts the names of all variables in URLs.
const VariablePrefix = "CASEHOOK_VAR_"

// pulled matches the URLs of callbacks whose questions workers pull.
var pulled = regexp.MustCompile(`^pull:([A-Za-z0-9][A-Za-z0-9_-]{0,69})$`)

// PullQueue returns the queue of a URL such as "pull:checks", from which workers pull the questions; false: it is a URL
// that is called.
func PullQueue(url string) (queue string, ok bool) {
	match := pulled.FindStringSubmatch(url)
	if match == nil {
		return "", false
	}
	return match[1], true
}

// URLPath returns the path and the query of a callback's URL, without what its variable stands for.
func URLPath(raw string) string {
	if match := leadingVariable.FindStringSubmatch(raw); match != nil {
		return raw[len(match[0])-len(match[2]):]
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.RequestURI()
}

// pullPrefix begins URLs that are not called.
const pullPrefix = "pull:"

// leadingVariable matches a variable at the start of a URL or behind its scheme, up to a path, a query or the end, so
// that the rest is no part of its host.
var leadingVariable = regexp.MustCompile(`^(?:https?://)?\$\{(` + VariablePrefix + `[A-Z0-9_]+)\}([/?]|$)`)

// ExpandURL replaces the ${CASEHOOK_VAR_...} at the start of a URL by the value that lookup returns: a
// scheme, a host, and the start of a path; behind a scheme, the value has none. If the variable is missing or the result
// can't be called, it fails with a *fault.Error of kind Upstream that quotes no value.
//
// A queue's URL stays as it is.
func ExpandURL(raw string, lookup func(name string) (string, bool)) (string, error) {
	if _, ok := PullQueue(raw); ok {
		return raw, nil
	}
	if message := misplaced(raw); message != "" {
		return "", fault.New(fault.Upstream, "callback.url_invalid", "The callback's URL %s.", message)
	}
	match := leadingVariable.FindStringSubmatch(raw)
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
			"The callback's URL uses the variable ${%s}, which is not set in the server's environment or not "+
				"granted to this tenant. The operator has to set or grant it.", match[1])
	}
	scheme, _, _ := strings.Cut(raw, "${")
	example := "https://"
	if scheme != "" {
		example = ""
	}
	begins, err := weburl.Canonical(scheme + value)
	if err != nil || strings.Contains(begins, "?") || scheme != "" && strings.Contains(value, "://") {
		return "", fault.New(fault.Upstream, "callback.url_invalid",
			"The variable ${%s} does not hold the beginning of a URL, such as %scallbacks.example.com/prefix. "+
				"The operator has to correct it.", match[1], example)
	}
	expanded, err := weburl.Canonical(strings.TrimSuffix(begins, "/") + raw[len(match[0])-len(match[2]):])
	if err != nil {
		return "", fault.New(fault.Upstream, "callback.url_invalid",
			"The callback's URL, its variable expanded, %s.", err)
	}
	return expanded, nil
}

// checkCallbackURL checks a URL with a harmless value in place of its variable.
func checkCallbackURL(raw string) string {
	if strings.HasPrefix(raw, pullPrefix) {
		if _, ok := PullQueue(raw); !ok {
			return "names no queue: pull: is followed by a key, such as pull:checks"
		}
		return ""
	}
	if message := misplaced(raw); message != "" {
		return message
	}
	if match := leadingVariable.FindStringSubmatch(raw); match != nil {
		raw = standIn + raw[len(match[0])-len(match[2]):]
	}
	if _, err := weburl.Canonical(raw); err != nil {
		return err.Error()
	}
	return ""
}

// standIn takes the place of a variable while the rest of the URL is checked.
const standIn = "http://host/path"

// misplaced explains what is wrong with the variables of a URL.
func misplaced(raw string) string {
	if match := leadingVariable.FindString(raw); match != "" {
		raw = raw[len(match):]
		if path, _, _ := strings.Cut(raw, "?"); climbs(path) {
			return "leaves the path that its variable stands for"
		}
	}
	if strings.Contains(raw, "${") {
		return "has a ${...} that is not ${" + VariablePrefix + "...} at its very beginning or behind http://, before " +
			"a / or ?; a variable stands for scheme, host and the beginning of the path alone"
	}
	return ""
}

// maxDecodings is how often a path is decoded: more often than any chain of servers does.
const maxDecodings = 5

// climbs reports whether some server could read a segment of the path as . or .., however the segment is
// encoded: the separators may be encoded, too, some servers accept a backslash for one, and some cut
// parameters off behind a semicolon. A path that can't be fully decoded counts as one that does.
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

// canonicalURL returns the canonical form of a callback's URL, with its variable unchanged, or the URL
// itself if it has no such form.
func canonicalURL(raw string) string {
	if strings.HasPrefix(raw, pullPrefix) {
		return raw
	}
	match := leadingVariable.FindStringSubmatch(raw)
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
