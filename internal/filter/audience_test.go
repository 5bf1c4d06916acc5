package filter_test

import (
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// Each rule that decides whether an endpoint gets a message is tested alone.
func TestAnEndpointGetsMessagesByItsSettings(t *testing.T) {
	const self, own = "ep_self", "tok_own"
	program := func(token string) event.Actor { return event.Actor{Source: event.API, TokenID: token} }
	for _, test := range []struct {
		name       string
		endpoint   func(*endpoint.Endpoint)
		owner      access.Reader
		entry      func(*event.Entry)
		message    func(*wire.Message)
		subscribes bool
		passes     bool
		fails      bool // the filter can't be computed
	}{
		{name: "what it subscribes to", subscribes: true, passes: true},
		{name: "another trigger", endpoint: func(e *endpoint.Endpoint) { e.Triggers = []string{"contact.created"} }},
		{name: "no triggers", endpoint: func(e *endpoint.Endpoint) { e.Triggers = nil }},
		{name: "a source of its own", endpoint: func(e *endpoint.Endpoint) { e.Sources = []string{"ui"} }, subscribes: true, passes: true},
		{name: "another source", endpoint: func(e *endpoint.Endpoint) { e.Sources = []string{"api"} }},
		{name: "what Casehook did", endpoint: func(e *endpoint.Endpoint) { e.Sources = []string{"api"} },
			entry: func(e *event.Entry) { e.Actor = event.Actor{Source: event.System} }, subscribes: true, passes: true},
		{name: "what its own token did", endpoint: func(e *endpoint.Endpoint) { e.IgnoreOwn, e.Token = true, own },
			entry: func(e *event.Entry) { e.Actor = program(own) }},
		{name: "what its own token did, and it asked for that", endpoint: func(e *endpoint.Endpoint) { e.Token = own },
			entry: func(e *event.Entry) { e.Actor = program(own) }, subscribes: true, passes: true},
		{name: "what another token did", endpoint: func(e *endpoint.Endpoint) { e.IgnoreOwn, e.Token = true, own },
			entry: func(e *event.Entry) { e.Actor = program("tok_other") }, subscribes: true, passes: true},
		{name: "about itself", entry: func(e *event.Entry) { e.Subject = event.EndpointSubject(self) }},
		{name: "about another endpoint", entry: func(e *event.Entry) { e.Subject = event.EndpointSubject("ep_other") }, subscribes: true, passes: true},
		{name: "above its clearance", message: func(m *wire.Message) { m.Hidden = true }},
		{name: "of a type that its owner may not read", owner: access.Reader{Without: []string{"kyc"}}},
		{name: "of a type that its owner may read", owner: access.Reader{Without: []string{"other"}}, subscribes: true, passes: true},
		{name: "what the filter passes", endpoint: func(e *endpoint.Endpoint) { e.Filter = `case.data.amount > 1000` }, subscribes: true, passes: true},
		{name: "what the filter keeps out", endpoint: func(e *endpoint.Endpoint) { e.Filter = `case.data.amount > 2000` }, subscribes: true},
		{name: "a filter that can't be computed", endpoint: func(e *endpoint.Endpoint) { e.Filter = `case.data.none > 2000` }, subscribes: true, fails: true},
		{name: "a filter that can't be used", endpoint: func(e *endpoint.Endpoint) { e.Filter = `case.stat == "x"` }, subscribes: true, fails: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := endpoint.Endpoint{
				ID: self, Tenant: 1, Triggers: []string{"case_changed"}, Clearance: casetype.Restricted,
			}
			entry := aCase()
			if test.endpoint != nil {
				test.endpoint(&e)
			}
			if test.entry != nil {
				test.entry(entry)
			}
			test.owner.Clearance = casetype.Private
			a := filter.ForEndpoint(e, test.owner)
			if a.Clearance != casetype.Private || a.Tenant != 1 {
				t.Errorf("the audience is of tenant %d with the clearance %s", a.Tenant, a.Clearance)
			}
			m := wire.Messages(entry, "1.0.0", a.Clearance)[0]
			if test.message != nil {
				test.message(&m)
			}
			if got := a.Subscribes(entry, &m); got != test.subscribes {
				t.Fatalf("it subscribes to the message: %v, want %v", got, test.subscribes)
			}
			if !test.subscribes {
				return
			}
			passes, err := a.Passes(filter.NewEntry(entry, a.Clearance).Message(&m))
			if passes != test.passes || (err != nil) != test.fails {
				t.Errorf("the message passes: %v, %v; want %v", passes, err, test.passes)
			}
			if bare := e.Filter == "" || a.Fault != nil; a.Filters() == bare {
				t.Errorf("Filters is %v", a.Filters())
			}
		})
	}
}

// An endpoint sees messages by its settings, but never above the clearance of its owner.
func TestAnAudienceSeesMessagesByItsEndpointsSettings(t *testing.T) {
	for payload, thin := range map[endpoint.Payload]bool{endpoint.Full: false, endpoint.Thin: true, "": false} {
		e := endpoint.Endpoint{Clearance: casetype.Restricted, Options: endpoint.Options{Payload: payload}}
		if got, want := filter.ViewOf(e), (wire.View{Clearance: casetype.Restricted, Thin: thin}); got != want {
			t.Errorf("%q: the endpoint sees %+v, want %+v", payload, got, want)
		}
		a := filter.ForEndpoint(e, access.Reader{Clearance: casetype.Private})
		if got, want := a.View(), (wire.View{Clearance: casetype.Private, Thin: thin}); got != want {
			t.Errorf("%q: with its owner, it sees %+v, want %+v", payload, got, want)
		}
	}
}

// A client gets messages that it selects and may read; of an endpoint's messages, those that both select.
func TestAClientGetsMessagesThatItSelectsAndMayRead(t *testing.T) {
	changed := map[string]bool{"case_changed": true}
	mine, others := access.Reader{Clearance: casetype.Private},
		access.Reader{Clearance: casetype.Private, Without: []string{"kyc"}}
	subscribed := endpoint.Endpoint{ID: "ep_1", Triggers: []string{"case_changed"}, Clearance: casetype.Public}
	deaf := endpoint.Endpoint{ID: "ep_1", Triggers: []string{"case_comment"}, Clearance: casetype.Public}
	for name, test := range map[string]struct {
		client   filter.Audience
		endpoint *endpoint.Endpoint
		want     bool
	}{
		"all of a trigger":             {filter.ForClient(1, mine, changed, nil), nil, true},
		"another trigger":              {filter.ForClient(1, mine, map[string]bool{"case_comment": true}, nil), nil, false},
		"people's activity":            {filter.ForClient(1, mine, changed, []string{"ui"}), nil, true},
		"programs' activity":           {filter.ForClient(1, mine, changed, []string{"api"}), nil, false},
		"a type that it may not read":  {filter.ForClient(1, others, changed, nil), nil, false},
		"an endpoint's":                {filter.ForClient(1, mine, changed, nil), &subscribed, true},
		"an endpoint's of a source":    {filter.ForClient(1, mine, changed, []string{"api"}), &subscribed, false},
		"an endpoint's, may not read":  {filter.ForClient(1, others, changed, nil), &subscribed, false},
		"one that is not subscribed":   {filter.ForClient(1, mine, changed, nil), &deaf, false},
		"an endpoint's, other trigger": {filter.ForClient(1, mine, map[string]bool{"case_comment": true}, nil), &subscribed, false},
	} {
		a, clearance := test.client, casetype.Private
		if test.endpoint != nil {
			a, clearance = filter.ForEndpoint(*test.endpoint, mine).ReadBy(test.client), casetype.Public
		}
		entry := aCase()
		m := wire.Messages(entry, "1.0.0", a.Clearance)[0]
		if got := a.Subscribes(entry, &m); got != test.want || a.Clearance != clearance {
			t.Errorf("%s: %v as %s, want %v", name, got, a.Clearance, test.want)
		}
	}
}
