package hooks_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/web/webtest"
)

var (
	portalURL = regexp.MustCompile(`http://[^<>"]*/portal#secret=chp_link_[0-9a-f]+\.[A-Za-z0-9_-]+`)
	revokes   = regexp.MustCompile(`/endpoints/[a-z0-9_]+/portal-links/link_[0-9a-f]+/revoke`)
)

// portal makes a portal link on the page of an endpoint, and returns its secret.
func (w *world) portal(endpoint string, form url.Values) (secret string) {
	w.t.Helper()
	page := w.manager.Post("/endpoints/"+endpoint+"/portal-links", form)
	want(w.t, page, 200, "It is shown this once.", "Copy the link", "Made by", "Mara")
	made := html.UnescapeString(portalURL.FindString(page.HTML))
	if _, secret, _ = strings.Cut(made, "#secret="); secret == "" {
		w.t.Fatalf("the page has no link: %s", page.Text())
	}
	if strings.Contains(w.manager.Get("/endpoints/"+endpoint).HTML, "chp_") {
		w.t.Error("the link is shown twice")
	}
	return secret
}

func TestAPortalLinkIsMadeOpenedAndRevoked(t *testing.T) {
	t.Parallel()
	w := start(t)
	want(t, w.manager.Get("/endpoints/"+w.good), 200, "None is in force.", "New link…", "24 hours", "this endpoint")
	secret := w.portal(w.good, url.Values{"hours": {"8"}})
	b := w.console.Browser()
	want(t, b.Get("/portal"), 200, "Webhook portal", "data-fragment", "Open")
	want(t, b.Post("/portal", url.Values{"secret": {secret + "x"}}), 401, "The link opens nothing")
	want(t, b.Get("/messages"), 200, "Sign in", "portal link")
	opened := b.Post("/portal", url.Values{"secret": {" " + w.console.URL + "/portal#secret=" + secret}}) // the whole link
	if want(t, opened, 200, "Nothing was sent yet", "Receiver of crm"); opened.Path != "/messages" {
		t.Errorf("it leads to %s", opened.Path)
	}
	want(t, b.Get("/portal"), 200, "Somebody is signed in in this browser")
	want(t, b.Get("/profile"), 200, "Receiver of crm", "receiver")
	second := w.console.Browser()
	want(t, second.Post("/portal", url.Values{"secret": {secret}}), 200, "Receiver of crm")

	page := w.manager.Get("/endpoints/" + w.good)
	revoke := revokes.FindString(page.HTML)
	want(t, w.manager.Post(revoke, nil), 200, "The portal link is revoked", "None is in force.")
	want(t, w.manager.Post(revoke, nil), 404)
	for _, session := range []*webtest.Browser{b, second} {
		if got := session.Get("/endpoints"); !strings.HasPrefix(got.Path, "/sign-in") {
			t.Errorf("a revoked link's session gets %s", got.Path)
		}
	}
	want(t, b.Post("/portal", url.Values{"secret": {secret}}), 401, "was revoked")
}

func TestAPortalLinkIsForAllWithTheSameMetadata(t *testing.T) {
	t.Parallel()
	w := start(t)
	customer := func(id, name string) {
		w.console.API(http.MethodPatch, "/v1/endpoints/"+id, map[string]any{
			"metadata": map[string]string{"customer": name},
		}, nil)
	}
	customer(w.good, hostile)
	customer(w.bad, hostile)
	secret := w.portal(w.good, url.Values{"key": {"customer"}})
	want(t, w.manager.Get("/endpoints/"+w.bad), 200, "all endpoints with customer")
	b := w.console.Browser()
	b.Post("/portal", url.Values{"secret": {secret}})
	want(t, b.Get("/endpoints"), 200, "crm", "billing")
	customer(w.bad, "another")
	if page := b.Get("/endpoints"); strings.Contains(page.Text(), "billing") || !strings.Contains(page.Text(), "crm") {
		t.Errorf("with another customer, the endpoints are %s", page.Text())
	}
	want(t, b.Get("/endpoints/"+w.bad), 404)
	want(t, w.manager.Get("/endpoints/"+w.bad), 200, "None is in force.")
	w.portal(w.bad, url.Values{})
	all := w.manager.Get("/portal-links")
	want(t, all, 200, "2 portal links", "all endpoints with customer", "billing")
	for _, revoke := range regexp.MustCompile(`/portal-links/link_[0-9a-f]+/revoke`).FindAllString(all.HTML, -1) {
		want(t, w.manager.Post(revoke, nil), 200, "The portal link is revoked")
	}
	want(t, w.manager.Get("/portal-links"), 200, "No portal link is in force")
	want(t, b.Get("/endpoints"), 200, "Sign in")
}

func TestAReceiverRepairsInThePortal(t *testing.T) {
	t.Parallel()
	w := start(t)
	_, bad := w.create("A note")
	path := "/endpoints/" + w.bad
	w.until(path, "Resend all 1")
	b := w.console.Receiver(map[string]any{"endpoint": w.bad})
	list := b.Get("/messages")
	want(t, list, 200, "case_created", "422", "/messages/"+bad)
	message := b.Get("/messages/" + bad)
	want(t, message, 200, "A note", "The receiver refused the content.", "Resend", "Replay all failed since",
		"Body is what was sent", "Given up")
	for _, page := range []webtest.Page{list, message, b.Get("/problems"), b.Get(path), b.Get("/replays")} {
		for _, hidden := range []string{`href="/cases`, "Clearance", "Asked", "Drop", "Signed with", w.good, "crm"} {
			if strings.Contains(page.HTML, hidden) {
				t.Errorf("%s has %s", page.Path, hidden)
			}
		}
	}
	want(t, b.Get("/problems"), 200, "1 problem", "billing")
	want(t, b.Get(path), 200, "Resend all 1", "Dead", "Test send", "readonly")
	want(t, b.Post("/messages/"+bad+"/resend", nil), 200, "It is being sent again.")
	w.newest(w.bad, bad)
	want(t, b.Post(path+"/dead/retry", url.Values{"all": {"yes"}}), 200, "They are being sent again.")
	want(t, b.Get("/messages/"+bad+"/replay"), 200)
	want(t, b.Post("/messages/selected", url.Values{"attempt": {bad}}), 200, "1 message will be sent again")
	want(t, b.Post(path+"/replays", url.Values{"since": {""}}), 200, "The replay has started.")
	want(t, b.Get("/replays"), 200, "asked for by Receiver of billing")
	tested := b.Post(path+"/test", url.Values{
		"trigger": {"case_created"}, "sample": {"case_created"}, "body": {`{"forged": true}`},
	})
	if want(t, tested, 200, "422 Unprocessable Entity"); strings.Contains(tested.Text(), "with your body") {
		t.Error("a receiver has sent a body of their own")
	}
	for _, refused := range []string{
		path + "/pause", path + "/delete", path + "/secrets", path + "/filter", path + "/dead/drop",
		path + "/portal-links", "/messages/" + bad + "/drop", "/views",
	} {
		want(t, b.Post(refused, nil), 403)
	}
	for _, missing := range []string{"/endpoints/" + w.good, "/endpoints/ep_none"} {
		want(t, b.Get(missing), 404, "There is no endpoint")
		want(t, b.Post(missing+"/dead/retry", url.Values{"all": {"yes"}}), 404)
	}
	want(t, b.Post("/sign-out", nil), 200, "You are signed out.")
	want(t, b.Get(path), 200, "Sign in")
}

func TestAPortalLinkOpensItsTenantsPortalAlone(t *testing.T) {
	t.Parallel()
	w := start(t)
	secret := w.portal(w.good, url.Values{})
	other := w.console.Tenant("acme", "acme.example")
	stranger := other.Browser()
	want(t, stranger.Post("/portal", url.Values{"secret": {secret}}), 401, "The link opens nothing")
	admin := other.Person("eve@example.org", "admin", "RESTRICTED")
	want(t, admin.Post("/endpoints/"+w.good+"/portal-links", nil), 404)
	revoke := revokes.FindString(w.manager.Get("/endpoints/" + w.good).HTML)
	want(t, admin.Post(revoke, nil), 404)
	want(t, w.console.Browser().Post("/portal", url.Values{"secret": {secret}}), 200, "Receiver of crm")
}
