package access_test

import (
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
)

// A permission is for one operation, one role and one clearance.
func TestAPermissionIsForOneOperationAndOneRole(t *testing.T) {
	t.Parallel()
	manager := access.Principal{Tenant: 1, Role: access.Manager, Clearance: casetype.Private}
	permitted, ok := manager.Authorize(access.GetCase)
	if !ok || !permitted.Authorized(access.GetCase) {
		t.Fatal("a manager may not read a case")
	}
	if manager.Authorized(access.GetCase) {
		t.Error("the principal itself became authorized, and not the copy alone")
	}
	for _, o := range append(access.Operations(), "", "unknown") {
		if o != access.GetCase && permitted.Authorized(o) {
			t.Errorf("the permission of %s is one of %s", access.GetCase, o)
		}
	}
	for name, change := range map[string]func(*access.Principal){
		"a lower role":      func(p *access.Principal) { p.Role = access.Viewer },
		"a higher role":     func(p *access.Principal) { p.Role = access.Admin },
		"no role":           func(p *access.Principal) { p.Role = "" },
		"another clearance": func(p *access.Principal) { p.Clearance = casetype.Public },
		"another tenant":    func(p *access.Principal) { p.Tenant = 2 },
	} {
		changed := permitted
		change(&changed)
		if changed.Authorized(access.GetCase) {
			t.Errorf("with %s, the permission still holds", name)
		}
	}
	next, ok := permitted.Authorize(access.ListCases)
	if !ok || !next.Authorized(access.ListCases) || next.Authorized(access.GetCase) {
		t.Error("a second permission does not replace the first")
	}
	refused, ok := permitted.Authorize(access.CreateUser)
	if ok || refused.Authorized(access.CreateUser) || refused.Authorized(access.GetCase) {
		t.Error("a manager who was refused has a permission")
	}
}

// A role includes itself and those below it. An unknown role includes none, and is included by none.
func TestARoleIncludesThoseBelowIt(t *testing.T) {
	t.Parallel()
	all := append(access.Roles(), access.Operator, "")
	for i, role := range all {
		for j, other := range all {
			if want := i <= j && j < len(access.Roles()); role.Includes(other) != want {
				t.Errorf("%q includes %q: %v", role, other, !want)
			}
		}
	}
}

// The operations that change nothing are those that viewers may carry out.
func TestViewersCarryOutOnlyOperationsThatRead(t *testing.T) {
	t.Parallel()
	for _, o := range access.Operations() {
		if o.Reads() != access.Viewer.Permits(o) {
			t.Errorf("%s reads: %v", o, o.Reads())
		}
	}
	for o, want := range map[access.Operation]bool{access.GetCase: true, access.EditCase: false, "unknown": false} {
		if o.Reads() != want {
			t.Errorf("%s reads: %v", o, o.Reads())
		}
	}
}

func TestAPrincipalIsNotAuthorizedUnchecked(t *testing.T) {
	t.Parallel()
	for _, role := range append(access.Roles(), access.Operator, "") {
		p := access.Principal{Role: role}
		for _, o := range append(access.Operations(), "") {
			if p.Authorized(o) {
				t.Errorf("%q is authorized to %q without a check", role, o)
			}
			if _, ok := p.Authorize(o); ok != role.Permits(o) {
				t.Errorf("%q is authorized to %q: %v", role, o, ok)
			}
		}
	}
}
