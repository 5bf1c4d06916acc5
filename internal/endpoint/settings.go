package endpoint

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/weburl"
)

// Header is a header line of an endpoint's own. It goes with each of its
// requests; its value is a secret.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Hidden is shown in the place of a header's value.
const Hidden = "(hidden)"

// The bounds of descriptions and metadata, in characters, and of headers, in bytes.
const (
	MaxDescription   = 1000
	MaxMetadata      = 50 // members
	MaxMetadataName  = 40
	MaxMetadataValue = 500
	MaxHeaders       = 20
	MaxHeaderName    = 100
	MaxHeaderValue   = 2048
	MaxHeaderBytes   = 6 << 10 // of all: many servers refuse requests with a head above 8 KiB
)

// reservedNames are names that a header may not have, in lower case: those that frame the request, route it, or
// identify its sender.
var reservedNames = []string{
	"host", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", "te",
	"trailer", "upgrade",
	"expect", "accept-encoding", "user-agent", "event-name", "traceparent", "tracestate", "baggage", "cookie", "date",
	"idempotency-key", "x-idempotency-key", // net/http repeats a POST that has these
	"forwarded", "via",
}

var reservedPrefixes = []string{"webhook-", "x-atfinity-", "x-casehook-", "proxy-", "sec-", "x-forwarded-", ":"}

// Reserved reports whether an endpoint may not set a header of this name.
func Reserved(name string) bool {
	name = strings.ToLower(name)
	return slices.Contains(reservedNames, name) ||
		slices.ContainsFunc(reservedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// MergeHeaders sets headers by their names, whatever their letter case: nil removes one, Hidden leaves it as it is,
// and headers that are not named stay.
func MergeHeaders(headers []Header, change map[string]*string) []Header {
	had, named := map[string]string{}, map[string]bool{}
	for name := range change {
		named[strings.ToLower(name)] = true
	}
	var merged []Header
	for _, h := range headers {
		had[strings.ToLower(h.Name)] = h.Value
		if !named[strings.ToLower(h.Name)] {
			merged = append(merged, h)
		}
	}
	for name, value := range change {
		if value == nil {
			continue
		}
		h := Header{name, *value}
		if before, there := had[strings.ToLower(name)]; there && h.Value == Hidden {
			h.Value = before
		}
		merged = append(merged, h)
	}
	return merged
}

// MergeMetadata sets members by their names; nil removes one, and members that are not named stay.
func MergeMetadata(metadata map[string]string, change map[string]*string) map[string]string {
	merged := map[string]string{}
	maps.Copy(merged, metadata)
	for name, value := range change {
		if value == nil {
			delete(merged, name)
		} else {
			merged[name] = *value
		}
	}
	return merged
}

// Point changes the endpoint's URL. For another host, secrets have to be set again, so that a user who may change an
// endpoint can't have them sent to a host of their own.
func (e *Endpoint) Point(to string) {
	if origin(e.URL) != origin(to) {
		e.Headers = slices.Clone(e.Headers)
		for i := range e.Headers {
			e.Headers[i].Value = Hidden
		}
		e.Auth = e.Auth.Masked()
	}
	e.URL = weburl.Stored(to)
}

// origin returns the part of a URL that identifies the receiver.
func origin(raw string) string {
	u, err := weburl.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Clone copies an endpoint, so that changing the copy changes nothing else.
func (e Endpoint) Clone() Endpoint {
	e.Triggers, e.Sources = slices.Clone(e.Triggers), slices.Clone(e.Sources)
	e.Policy.Retries = slices.Clone(e.Policy.Retries)
	e.Auth.Scopes = slices.Clone(e.Auth.Scopes)
	e.Secrets = slices.Clone(e.Secrets)
	e.Metadata, e.Headers, e.Later = maps.Clone(e.Metadata), slices.Clone(e.Headers), maps.Clone(e.Later)
	return e
}

// Same reports whether two normalised endpoints have the same settings.
func (e Endpoint) Same(other Endpoint) bool {
	e.Revision, e.CreatedAt, e.UpdatedAt = other.Revision, other.CreatedAt, other.UpdatedAt
	return reflect.DeepEqual(e, other)
}

func (e Endpoint) checkSettings() []fault.Field {
	var faults []fault.Field
	add := func(path, message string) {
		if message != "" {
			faults = append(faults, fault.Field{Path: path, Message: message})
		}
	}
	add("/description", textProblem(e.Description, MaxDescription, "\n\t"))
	if len(e.Metadata) > MaxMetadata {
		add("/metadata", "has more than "+strconv.Itoa(MaxMetadata)+" members")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Metadata)) {
		path := "/metadata/" + pointerEscape.Replace(name)
		if name == "" {
			add(path, "has no name")
		} else if problem := textProblem(name, MaxMetadataName, ""); problem != "" {
			add(path, "has a name that "+problem)
		}
		add(path, textProblem(e.Metadata[name], MaxMetadataValue, ""))
	}
	faults = append(faults, e.checkAuth()...)
	faults = append(faults, e.checkTLS()...)
	return append(faults, e.checkHeaders()...)
}

func (e Endpoint) checkHeaders() []fault.Field {
	var faults []fault.Field
	add := func(path, message string) { faults = append(faults, fault.Field{Path: path, Message: message}) }
	if len(e.Headers) > MaxHeaders {
		add("/headers", "has more than "+strconv.Itoa(MaxHeaders)+" members")
	}
	size, seen := 0, map[string]bool{}
	for _, h := range e.Headers {
		if e.Auth.Kind != NoAuth && strings.EqualFold(h.Name, "Authorization") {
			add("/headers/"+pointerEscape.Replace(h.Name), "is set by auth; remove one of the two")
		} else if message := headerProblem(h); message != "" {
			add("/headers/"+pointerEscape.Replace(h.Name), message)
		} else if seen[strings.ToLower(h.Name)] {
			add("/headers/"+pointerEscape.Replace(h.Name), "is given twice: the case of its letters does not count")
		}
		seen[strings.ToLower(h.Name)] = true
		size += len(h.Name) + len(h.Value) + len(": \r\n")
	}
	if size > MaxHeaderBytes {
		add("/headers", fmt.Sprintf("has more than %d bytes altogether", MaxHeaderBytes))
	}
	return faults
}

func headerProblem(h Header) string {
	switch {
	case h.Name == "" || strings.ContainsFunc(h.Name, notInToken):
		return "is not the name of a header: letters, digits and !#$%&'*+-.^_`|~ are"
	case len(h.Name) > MaxHeaderName:
		return fmt.Sprintf("has a name longer than %d bytes", MaxHeaderName)
	case Reserved(h.Name):
		return "is a header that Casehook sets itself"
	case h.Value == Hidden:
		return "is the mask that answers show, not a value; send the value, which does not follow an endpoint to " +
			"another host"
	case len(h.Value) > MaxHeaderValue:
		return fmt.Sprintf("is longer than %d bytes", MaxHeaderValue)
	case strings.ContainsFunc(h.Value, func(r rune) bool { return r < ' ' || r > '~' }) ||
		strings.TrimSpace(h.Value) != h.Value:
		return "is not printable ASCII, without spaces at either end"
	}
	return ""
}

func notInToken(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// textProblem returns why s is not a text of up to max characters, without control characters other than the allowed
// ones, or "".
func textProblem(s string, max int, allowed string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case utf8.RuneCountInString(s) > max:
		return fmt.Sprintf("is longer than %d characters", max)
	case strings.ContainsFunc(s,
		func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(allowed, r) }):
		return "holds a control character"
	}
	return ""
}

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1")
