package endpoint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
)

func TestAnEndpointAcceptsActorsOfItsSources(t *testing.T) {
	person := event.Actor{Source: event.UI, Name: "Ada", UserID: 7}
	own := event.Actor{Source: event.API, Name: "crm", TokenID: "tok_own"}
	other := event.Actor{Source: event.API, Name: "import", TokenID: "tok_other"}
	casehook := event.Actor{Source: event.System}
	for _, test := range []struct {
		name      string
		sources   []string
		ignoreOwn bool
		want      [4]bool // person, own, other, Casehook
	}{
		{"by default of all", nil, false, [4]bool{true, true, true, true}},
		{"of people's activity", []string{"ui"}, false, [4]bool{true, false, false, true}},
		{"of programs' activity", []string{"api"}, false, [4]bool{false, true, true, true}},
		{"not of its own", nil, true, [4]bool{true, false, true, true}},
		{"of other programs'", []string{"api"}, true, [4]bool{false, false, true, true}},
	} {
		e := endpoint.Endpoint{Sources: test.sources, IgnoreOwn: test.ignoreOwn, Token: "tok_own"}
		got := [4]bool{e.AcceptsActor(person), e.AcceptsActor(own), e.AcceptsActor(other), e.AcceptsActor(casehook)}
		if got != test.want {
			t.Errorf("%s: it accepts %v, want %v", test.name, got, test.want)
		}
	}
}

func TestBothSourcesAreStoredAsNil(t *testing.T) {
	e := endpoint.Endpoint{Triggers: []string{"b", "a", "b"}, Sources: []string{"ui", "api", "ui"}}
	e.Normalise()
	if diff := cmp.Diff(endpoint.Endpoint{Triggers: []string{"a", "b"}}, e); diff != "" {
		t.Error(diff)
	}
}

// Empty settings are stored as nil, so that endpoints with the same settings are equal.
func TestEmptySettingsAreStoredAsNil(t *testing.T) {
	empty := endpoint.Endpoint{
		Triggers: []string{"a"}, Headers: []endpoint.Header{}, Metadata: map[string]string{},
		Auth: endpoint.Auth{Scopes: []string{}},
	}
	empty.Normalise()
	if diff := cmp.Diff(endpoint.Endpoint{Triggers: []string{"a"}}, empty); diff != "" {
		t.Error(diff)
	}
	full := endpoint.Endpoint{
		Triggers: []string{"a"}, Headers: []endpoint.Header{{Name: "X-A", Value: "1"}},
		Metadata: map[string]string{"a": "1"}, Auth: endpoint.Auth{Scopes: []string{"read"}},
	}
	kept := full.Clone()
	kept.Normalise()
	if diff := cmp.Diff(full, kept); diff != "" {
		t.Error(diff)
	}
}

func TestCheckRefusesUnknownSources(t *testing.T) {
	e := endpoint.Endpoint{
		URL: "https://example.com", Triggers: []string{"x"}, Sources: []string{"ui", "mail"}, IgnoreOwn: true,
	}
	var paths []string
	for _, f := range e.Check([]string{"x"}) {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"/sources/1", "/ignore_own"}, paths); diff != "" {
		t.Error(diff)
	}
}
