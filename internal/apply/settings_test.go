package apply

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
)

func variables(all map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { value, set := all[name]; return value, set }
}

const sesame = "whsec_c2VzYW1lc2VzYW1lc2VzYW1lc2VzYW1l"

const full = `
endpoints:
  - name: crm
    url: https://crm.example.com
    triggers: [case_created]
    description: Keeps the CRM up to date.
    metadata: { team: billing }
    clearance: PRIVATE
    headers:
      X-Plain: kept as it is
      X-Api-Key: { env: CRM_KEY }
    auth:
      type: oauth2
      token_url: https://login.example.com/token
      client_id: casehook
      client_secret: { file: crm.secret }
      scopes: [hooks:write]
    secret: { env: CRM_SECRET }
    atfinity_version: 2.4.1
`

func TestSecretsAreReadFromVariablesAndFiles(t *testing.T) {
	plan, err := Read("setup/c.yaml", []byte(full), files(map[string]string{"setup/crm.secret": "from a file\n"}),
		variables(map[string]string{"CRM_KEY": "from a variable", "CRM_SECRET": sesame}))
	if err != nil {
		t.Fatal(err)
	}
	want := endpoint.Endpoint{
		Name: "crm", URL: "https://crm.example.com/", Triggers: []string{"case_created"},
		Policy:      endpoint.Policy{}.WithDefaults(),
		Options:     endpoint.Options{AtfinityVersion: "2.4.1"},
		Description: "Keeps the CRM up to date.", Metadata: map[string]string{"team": "billing"}, Clearance: "PRIVATE",
		Headers: []endpoint.Header{
			{Name: "X-Api-Key", Value: "from a variable"}, {Name: "X-Plain", Value: "kept as it is"},
		},
		Auth: endpoint.Auth{
			Kind: endpoint.OAuth2Auth, TokenURL: "https://login.example.com/token", ClientID: "casehook",
			ClientSecret: "from a file", Scopes: []string{"hooks:write"},
		},
	}
	if diff := cmp.Diff([]endpoint.Endpoint{want}, plan.Endpoints); diff != "" {
		t.Error(diff)
	}
	if plan.Secrets["crm"] != sesame {
		t.Errorf("its secret is %q", plan.Secrets["crm"])
	}
}

func TestWrongSettingsAreListedByLine(t *testing.T) {
	for change, want := range map[string]string{
		"{ env: CRM_KEY }/{ env: NONE }":        "c.yaml:11: endpoint crm: /headers/X-Api-Key: the variable NONE is not set",
		"{ file: crm.secret }/{ file: none }":   "c.yaml:16: endpoint crm: /auth/client_secret: can't be read",
		"{ env: CRM_KEY }/{ env: A, file: b }":  "neither a text, nor",
		"{ env: CRM_KEY }/[a]":                  "neither a text, nor",
		"PRIVATE/SECRET":                        "/clearance: is not one of",
		"X-Plain/Webhook-Id":                    "/headers/Webhook-Id: is a header that Casehook sets itself",
		"oauth2/digest":                         "/auth/type: is not one of",
		"client_id: casehook/tokenn: x":         "tokenn",
		"2.4.1/two four":                        "/atfinity_version: is not at most 64",
		"https:@@login.example.com/http:@@x.io": "/auth/token_url: ",
		"{ env: CRM_SECRET }/{ env: CRM_KEY }":  "c.yaml:18: endpoint crm: /secret: is not a secret (the variable CRM_KEY): a signing key begins with whsec_",
	} {
		from, to, _ := strings.Cut(change, "/")
		source := strings.Replace(full, strings.ReplaceAll(from, "@", "/"), strings.ReplaceAll(to, "@", "/"), 1)
		_, err := Read("c.yaml", []byte(source), files(map[string]string{"crm.secret": "x"}),
			variables(map[string]string{"CRM_KEY": "x", "CRM_SECRET": sesame}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v lacks %q", change, err, want)
		}
	}
}

func TestShownSettingsAreComparedAndOthersRemoved(t *testing.T) {
	text := func(s string) *string { return &s }
	e := endpoint.Endpoint{Metadata: map[string]string{"a": "1"},
		Headers: []endpoint.Header{{Name: "X-A", Value: "secret"}},
		Auth:    endpoint.Auth{Kind: endpoint.BearerAuth, Token: "secret"},
		TLS:     endpoint.TLS{Certificate: "c", Key: "k"}}
	there := remoteSettings{Options: endpoint.Options{}.WithDefaults(), Metadata: map[string]*string{"a": text("1")},
		Headers: map[string]*string{"x-a": text(endpoint.Hidden)}, Clearance: "PRIVATE",
		Auth: remoteAuth{"bearer", endpoint.Auth{Token: endpoint.Hidden}},
		TLS:  endpoint.TLS{Certificate: "c", Key: endpoint.Hidden}}
	have, want := remote{remoteSettings: there}, remote{remoteSettings: wantedSettings(e)}
	if lines := want.changes(have); len(lines) > 0 ||
		!slices.Equal(want.hidden(there), []string{"/headers/X-A", "/auth/token", "/tls/key"}) {
		t.Errorf("%v differ, %v is hidden", lines, want.hidden(there))
	}
	for name, change := range map[string]func(*endpoint.Endpoint){
		"/description: \"\" -> x":                                    func(e *endpoint.Endpoint) { e.Description = "x" },
		"/metadata/a: 1 -> 2":                                        func(e *endpoint.Endpoint) { e.Metadata = map[string]string{"a": "2"} },
		"/headers/x-a: removed: (hidden)":                            func(e *endpoint.Endpoint) { e.Headers = nil },
		"/clearance: PRIVATE -> PUBLIC":                              func(e *endpoint.Endpoint) { e.Clearance = "PUBLIC" },
		"/auth/token: removed: (hidden)\n/auth/type: bearer -> none": func(e *endpoint.Endpoint) { e.Auth = endpoint.Auth{} },
		"/tls/certificate: c -> d":                                   func(e *endpoint.Endpoint) { e.TLS.Certificate = "d" },
	} {
		other := e.Clone()
		change(&other)
		if got := strings.Join(remote{remoteSettings: wantedSettings(other)}.changes(have), "\n"); got != name {
			t.Errorf("%q differs; want %q", got, name)
		}
	}
	bare := wantedSettings(endpoint.Endpoint{})
	bare.removing(there)
	if value, named := bare.Metadata["a"]; !named || value != nil || len(bare.Headers) != 1 ||
		bare.Headers["x-a"] != nil {
		t.Errorf("%+v leaves settings on the server", bare)
	}
}
