package access

import (
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

func TestAScopeSelectsItsEndpointsAlone(t *testing.T) {
	acme := map[string]string{"customer": "acme", "empty": ""}
	for name, c := range map[string]struct {
		scope    Scope
		id       string
		metadata map[string]string
		want     bool
	}{
		"the endpoint":                   {Scope{Endpoint: "ep_1"}, "ep_1", nil, true},
		"another":                        {Scope{Endpoint: "ep_1"}, "ep_2", acme, false},
		"another, with the value":        {Scope{Endpoint: "ep_1", Key: "customer", Value: "acme"}, "ep_2", acme, false},
		"the value":                      {Scope{Key: "customer", Value: "acme"}, "ep_2", acme, true},
		"another value":                  {Scope{Key: "customer", Value: "Acme"}, "ep_2", acme, false},
		"an empty value":                 {Scope{Key: "empty"}, "ep_2", acme, true},
		"an empty value that is missing": {Scope{Key: "none"}, "ep_2", acme, false},
		"nothing":                        {Scope{Role: Admin}, "ep_2", map[string]string{"": ""}, false},
		"no endpoint":                    {Scope{}, "", nil, false},
	} {
		p := Principal{Role: Receiver, Scope: c.scope}
		if got := p.InScope(c.id, c.metadata); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if p.Role = Viewer; !p.InScope(c.id, c.metadata) {
			t.Errorf("%s is out of the scope of somebody who has none", name)
		}
	}
}

func TestAReceiverIsBelowAllRoles(t *testing.T) {
	for _, o := range Operations() {
		if Receiver.Permits(o) && !Manager.Permits(o) {
			t.Errorf("a receiver may %s, and a manager may not", o)
		}
	}
	for _, r := range append(Roles(), Operator, "") {
		if Receiver.Includes(r) || r.Includes(Receiver) {
			t.Errorf("%s and a receiver include each other", r)
		}
	}
	if Receiver.Permits("unknown") || Receiver.Among([]string{"viewer"}) {
		t.Error("a receiver may do what is not theirs")
	}
	p := Principal{Tenant: 1, Role: Receiver, Clearance: casetype.Public, Scope: Scope{Endpoint: "ep_1", Role: Admin}}
	p, ok := p.Authorize(ListEndpoints)
	if !ok || !p.Authorized(ListEndpoints) || p.Authorized(GetEndpoint) {
		t.Error("a receiver may not list endpoints")
	}
	maker := p.Unscoped()
	if maker.Role != Admin || maker.Scope != (Scope{}) || maker.Authorized(ListEndpoints) {
		t.Errorf("the maker of the link is %+v", maker)
	}
	if p.Scope.Endpoint = "ep_2"; p.Authorized(ListEndpoints) {
		t.Error("a permission holds in another scope")
	}
	if same := (Principal{Role: Viewer}).Unscoped(); same != (Principal{Role: Viewer}) {
		t.Errorf("somebody else becomes %+v", same)
	}
}
