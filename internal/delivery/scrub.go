package delivery

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/outbound"
)

// The lengths, in bytes, of secrets that an answer is searched for: shorter texts may occur by chance.
const (
	shortestSecret = 6
	shortestCut    = 4 // of a secret that is cut off by the end of an answer
)

// secretsIn returns the secrets in a header: its value, and the parts of an Authorization header.
func secretsIn(h outbound.Header) []string {
	all := []string{h.Value}
	scheme, credential, found := strings.Cut(h.Value, " ")
	if !strings.EqualFold(h.Name, "Authorization") || !found {
		return all
	}
	all = append(all, credential)
	if plain, err := base64.StdEncoding.DecodeString(credential); scheme == "Basic" && err == nil {
		_, password, _ := strings.Cut(string(plain), ":")
		all = append(all, password)
	}
	return all
}

// formsOf returns the forms in which an answer may repeat a secret: as it is, and escaped for JSON, for a URL and for
// HTML.
func formsOf(secret string) []string {
	escaped, plain := secret, secret
	if text, err := json.Marshal(secret); err == nil {
		escaped = string(text[1 : len(text)-1])
		plain = strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(escaped)
	}
	query := url.QueryEscape(secret)
	all := []string{secret, escaped, plain, query, strings.ReplaceAll(query, "+", "%20"), html.EscapeString(secret)}
	for _, text := range []string{secret, escaped, plain} {
		all = append(all, strings.ReplaceAll(text, "/", `\/`))
	}
	return all
}

// scrubber removes secrets from text.
type scrubber struct {
	forms    []string // the longest first
	replacer *strings.Replacer
}

// scrubberOf returns a scrubber of the secrets in a request; nil: there are none.
func scrubberOf(q outbound.Request) *scrubber {
	var forms, pairs []string
	for _, h := range q.Private {
		for _, secret := range secretsIn(h) {
			if len(secret) >= shortestSecret {
				forms = append(forms, formsOf(secret)...)
			}
		}
	}
	if len(forms) == 0 {
		return nil
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	forms = slices.Compact(forms)
	for _, form := range forms {
		pairs = append(pairs, form, redacted)
	}
	return &scrubber{forms: forms, replacer: strings.NewReplacer(pairs...)}
}

// cut returns text that was truncated, without a truncated secret at its end.
func (s *scrubber) cut(text string) string {
	end := len(text)
	for at := max(0, end-len(s.forms[0])); at <= end-shortestCut; at++ {
		if slices.ContainsFunc(s.forms, func(form string) bool { return strings.HasPrefix(form, text[at:end]) }) {
			end, at = at, max(0, at-len(s.forms[0]))-1 // the remaining text may end within a secret, too
		}
	}
	return text[:end]
}

// withoutSecrets returns an answer without the secrets of the request.
func withoutSecrets(q outbound.Request, r outbound.Result) outbound.Result {
	scrub := scrubberOf(q)
	if scrub == nil {
		return r
	}
	body := string(r.Body)
	if r.Truncated || r.Err != nil {
		body = scrub.cut(body)
	}
	r.Body = []byte(scrub.replacer.Replace(body))
	header := make(http.Header, len(r.Header))
	for name, values := range r.Header {
		for _, value := range values {
			header[name] = append(header[name], scrub.replacer.Replace(value))
		}
	}
	r.Header = header
	return r
}
