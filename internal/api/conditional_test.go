package api_test

import (
	"io"
	"net/http"
	"testing"
)

// If-Match is a list of tags, not a text: a list with the present revision lets a change pass, however it is written
// and whatever else it has.
func TestIfMatchIsParsed(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/loan", loan, "Content-Type", "application/yaml").is(201, "")
	path := w.open(`{"client": "Ann"}`)
	contact := w.post("/v1/contacts", `{"first_name": "Ada", "last_name": "Lovelace"}`).is(201, "").
		header.Get("Location")
	for _, c := range []struct {
		header string
		status int
		code   string
	}{
		{`"r1"`, 200, ""},
		{` "r1"	`, 200, ""},
		{`W/"r1"`, 200, ""}, // as a proxy that compresses makes it
		{`*`, 200, ""},
		{`"r7", "r1"`, 200, ""},
		{`"r7",W/"r1"`, 200, ""},
		{`"of-another,server" , ,"r1"`, 200, ""},
		{`"r7"`, 409, "version_conflict"},
		{`W/"r7"`, 409, "version_conflict"},
		{`"r7", "r8"`, 409, "version_conflict"},
		{`"1"`, 409, "version_conflict"},
		{`""`, 409, "version_conflict"},
		{`"R1"`, 409, "version_conflict"},
		{`"r01"`, 409, "version_conflict"},
		{`"r99999999999999999999"`, 409, "version_conflict"},
		{`r1`, 400, ""},
		{`1`, 400, ""},
		{`w/"r1"`, 400, ""},
		{`"r1`, 400, ""},
		{`"r1" "r2"`, 400, ""},
		{`"r1", *`, 400, ""},
		{`*, "r1"`, 400, ""},
		{`,`, 400, ""},
		{` `, 400, ""}, // a client that lost its tag meant none
		{"\"\xe9\"", 409, "version_conflict"},
	} {
		for _, of := range []struct{ kind, path, body string }{{"case", path, `{"data": {}}`},
			{"contact", contact, `{}`}} {
			code := c.code
			if c.status == 409 {
				code = of.kind + "." + code
			} else if c.status == 400 {
				code = "request.if_match"
			}
			t.Run(of.kind+" "+c.header, func(t *testing.T) {
				w.do("PATCH", of.path, of.body, "If-Match", c.header).is(c.status, code)
			})
		}
	}
}

// A list may come in several lines of the header.
func TestIfMatchInSeveralLines(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.do("PUT", "/v1/case-types/loan", loan, "Content-Type", "application/yaml").is(201, "")
	r := w.request(request{method: "PATCH", path: w.open(`{"client": "Ann"}`), body: `{"data": {}}`})
	r.Header["If-Match"] = []string{`"r7"`, `"r1"`}
	response, err := w.server.Client().Do(r)
	must(t, err)
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", response.StatusCode, body)
	}
}
