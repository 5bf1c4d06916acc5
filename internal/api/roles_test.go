package api_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

// token creates a token, and returns the header Authorization for it.
func (w *world) token(body string) string {
	w.t.Helper()
	return "Bearer " + w.post("/v1/tokens", body).is(201, "").text("token")
}

// TestPermissionsOfRoles calls every operation of the OpenAPI document as every role. The golden file is the table of
// permissions; only administrators may carry out a new operation until it is listed.
func TestPermissionsOfRoles(t *testing.T) {
	t.Parallel()
	w := start(t)
	bearers := map[access.Role]string{}
	for _, role := range access.Roles() {
		bearers[role] = w.token(fmt.Sprintf(`{"name": "a %s", "role": %q}`, role, role))
	}
	var table bytes.Buffer
	var listed []access.Operation
	for _, d := range w.operations() {
		if !d.inTenant() {
			continue
		}
		listed = append(listed, access.Operation(d.id))
		fmt.Fprintf(&table, "%-24s", d.id)
		for _, role := range access.Roles() {
			g := w.do(d.method, d.concrete(), nil, "Authorization", bearers[role])
			denied := g.status == 403 && g.text("code") == "access.denied"
			if denied == role.Permits(access.Operation(d.id)) {
				t.Errorf("%s as %s: %d %s", d.id, role, g.status, g.body)
			}
			if denied {
				fmt.Fprintf(&table, " %-10s", "-")
			} else {
				fmt.Fprintf(&table, " %-10s", role)
			}
		}
		fmt.Fprintln(&table)
	}
	slices.Sort(listed)
	if known := access.Operations(); !slices.Equal(known, listed) {
		t.Errorf("listed for roles: %v\nin the API: %v", known, listed)
	}
	golden(t, "roles.txt", table.Bytes())
	if n := len(w.get("/v1/audit?limit=200").items()); n < 20 {
		t.Errorf("the audit has %d records of what was denied", n)
	}
}

func TestATokenIsNeverAboveItsMaker(t *testing.T) {
	t.Parallel()
	w := start(t)
	low := w.token(`{"name": "low", "role": "admin", "clearance": "PRIVATE"}`)
	w.post("/v1/tokens", `{"name": "x", "clearance": "RESTRICTED"}`, "Authorization", low).is(422, "token.unusable")
	made := w.post("/v1/tokens", `{"name": "x"}`, "Authorization", low).is(201, "")
	if made.text("clearance") != "PRIVATE" || made.text("role") != "admin" {
		t.Errorf("it is %s", made.body)
	}
	manager := w.token(`{"name": "m", "role": "manager"}`)
	w.post("/v1/tokens", `{"name": "x"}`, "Authorization", manager).is(403, "access.denied")
}

// No caller revokes a token or user with more rights than their own, and no tenant loses its last administrator; if it
// has none, the operator makes one.
func TestNobodyRevokesThoseAboveOrTheLast(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		me, _, _ := access.ParseBearer(w.bearer)
		low := w.token(`{"name": "low", "role": "admin", "clearance": "PUBLIC"}`)
		above := w.post("/v1/tokens", `{"name": "m", "role": "manager", "clearance": "PRIVATE"}`).is(201, "").
			header.Get("Location")
		same := w.post("/v1/tokens", `{"name": "m", "role": "manager", "clearance": "PUBLIC"}`).is(201, "").
			header.Get("Location")
		ended := w.post("/v1/tokens", `{"name": "soon", "expires_at": "2991-01-01T00:00:00Z"}`).is(201, "").
			header.Get("Location")
		for _, path := range []string{above, "/v1/tokens/" + me, ended} {
			w.do("DELETE", path, nil, "Authorization", low).is(403, "access.denied")
		}
		w.do("DELETE", same, nil, "Authorization", low).is(204, "")
		w.do("DELETE", ended, nil).is(204, "")
		w.do("DELETE", "/v1/tokens/"+me, nil).is(409, "access.last_administrator")

		ada := w.post("/v1/users",
			`{"email": "ada@example.org", "name": "Ada", "role": "admin", "clearance": "RESTRICTED"}`).is(201, "").
			header.Get("Location")
		w.do("DELETE", "/v1/tokens/"+me, nil).is(409, "access.last_administrator") // nobody can sign in as Ada
		w.do("PATCH", ada, `{"password": "`+password+`"}`).is(200, "")
		cookie := w.signIn("ada@example.org")
		w.do("DELETE", "/v1/tokens/"+me, nil).is(204, "")
		for _, change := range []string{`{"role": "manager"}`, `{"clearance": "PRIVATE"}`, `{"disabled": true}`,
			`{"password": ""}`} {
			w.do("PATCH", ada, change, "Authorization", "", "Cookie", cookie).is(409, "access.last_administrator")
		}
		w.do("PATCH", ada, `{"name": "Ada King"}`, "Authorization", "", "Cookie", cookie).is(200, "")

		w.bearer = w.post("/v1/tenants/default/administrators", "").is(201, "").text("token")
		w.do("PATCH", ada, `{"disabled": true}`).is(200, "")
		if last := w.get("/v1/audit?limit=2").is(200, "").
			items()[1].(map[string]any); last["action"] != "token.created" {
			t.Errorf("the audit says %v", last)
		}
	})
}

func (w *world) storyOfTheAudit() {
	t := w.t
	viewer := w.token(`{"name": "the viewer", "role": "viewer"}`)
	w.get("/v1/audit", "Authorization", viewer).is(403, "access.denied")
	first := w.get("/v1/audit?limit=1").is(200, "")
	denied := first.items()[0].(map[string]any)
	hasMembers(t, "the newest record", denied, members{"action": "access.denied"})
	hasMembers(t, "the newest record is by", denied["by"], members{"name": "the viewer", "address": "127.0.0.1"})
	hasMembers(t, "the newest record's detail", denied["detail"], members{"operation": "list-audit"})
	file := w.get("/v1/audit/export?action=access.denied").is(200, "")
	if !bytes.Contains(file.body, []byte("the viewer")) {
		t.Errorf("the export lacks the newest record: %s", file.body)
	}
	rest := w.get("/v1/audit?limit=200&cursor="+first.text("next")).is(200, "")
	for _, action := range []string{
		"token.created", "token.revoked", "endpoint.created", "endpoint.updated", "endpoint.deleted", "endpoint.secret_added", "endpoint.skipped", "endpoint.secret_removed", "trigger.targets_set",
		"case_type.put", "callback.secret_rotated", "callback.secret_removed",
		"callback.credentials_set", "callback.credentials_removed",
	} {
		if !bytes.Contains(rest.body, []byte(`"`+action+`"`)) {
			t.Errorf("the audit lacks %s: %s", action, rest.body)
		}
	}
	for _, secret := range []string{"chk_", "whsec_", "https://"} {
		if strings.Contains(string(rest.body), secret) {
			t.Errorf("the audit has %s: %s", secret, rest.body)
		}
	}
}

// inTenant reports whether the operation is carried out for somebody of a tenant.
func (d operation) inTenant() bool {
	schemes, _ := d.op["security"].([]any)
	return slices.ContainsFunc(schemes, func(s any) bool { return s.(map[string]any)["bearer"] != nil })
}
