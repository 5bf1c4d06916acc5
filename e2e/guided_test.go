//go:build unix

package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/casehook/casehook/internal/wire/wiretest"
)

// permitServer starts the program with a case type, and a service that answers by the last part of the path.
func permitServer(t *testing.T, answers map[string]string, definition []byte) *console {
	t.Helper()
	service := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[strings.TrimPrefix(r.URL.Path, "/")]
		if answer == "" {
			answer = "{}"
		}
		if _, err := io.WriteString(w, answer); err != nil {
			t.Error(err)
		}
	})))
	t.Cleanup(service.Close)
	c := emptyServer(t, "CASEHOOK_VAR_PERMITS="+service.URL)
	c.api(http.MethodPut, "/v1/case-types/permit", string(definition))
	return c
}

// A person fills in the form of the example's permit, page by page, to the confirmation.
func TestAPermitIsAppliedForPageByPage(t *testing.T) {
	t.Parallel()
	definition, err := os.ReadFile("../examples/permit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(definition), "{ name: zone }", `{ name: zone, show_if: 'resident="*"' }`, 1)
	c := permitServer(t, map[string]string{
		"start": `{"data": {"months": 6}}`,
		"page": `{"data": {"resident": "Ada Lovelace", "zone": "R", "months": 3}, ` +
			`"warnings": ["The zone is nearly full."]}`,
		"submit": `{"override_state": "waiting"}`,
		"submitted": `{"confirmation_header": "# You are in the queue", ` +
			`"confirmation_body": "We write when **a place** is free.\n\n- Keep your papers\n- Bring the *plate*"}`,
	}, []byte(text))
	b := openBrowser(t, c.url)
	b.setUp(c.token)
	look := func(name string) {
		b.window(1280, "light")
		b.accessible(name + " at 1280, light")
		b.window(390, "dark")
		b.accessible(name + " at 390, dark")
		b.window(1280, "light")
	}
	b.open("/cases/new?type=permit")
	b.sees("New Parking permit", "asked when you press the button") // the address bar asks no callback
	look("the opening")
	b.press("Begin")
	b.sees("1 of 3", "Who parks")
	b.wait("no zone", `!document.getElementById("data/zone")`)
	b.press("Continue")
	b.sees("1 fault.", "is required.")
	look("a page with a fault")
	b.fill("data/resident", "Ada Lovelace")
	b.run(chromedp.Evaluate(`document.getElementById("data/resident").blur()`, nil))
	b.wait("the zone", `document.getElementById("data/zone")`)
	b.wait("what was entered", `document.getElementById("data/resident").value === "Ada Lovelace"`)
	b.choose("data/zone", "R")
	look("the first page")
	b.run(chromedp.Reload())
	b.sees("Your draft is back.")
	b.press("Continue")
	b.sees("The zone is nearly full.", "Continue anyway")
	look("a page with a warning")
	b.press("Continue anyway")
	b.sees("2 of 3", "What is parked")
	b.wait("what the callback put in", `document.getElementById("data/months").value === "3"`)
	b.fill("data/plate", "AB 12")
	b.press("Continue")
	b.sees("Check your answers", "Riverside", "AB 12")
	look("the answers")
	b.press("Change")
	b.sees("1 of 3")
	b.press("Continue")
	b.sees("Continue anyway")
	b.press("Continue anyway")
	b.sees("2 of 3")
	b.press("Continue")
	b.sees("Check your answers")
	b.press("Apply")
	b.sees("You are in the queue", "a place", "Waiting for a place")
	look("the confirmation")
	b.wait("no draft", `!Object.keys(localStorage).some((name) => name.startsWith("draft "))`)
}
