package api_test

import (
	"database/sql"
	"strings"
	"testing"
)

// storyOfRepairs is about an endpoint that has not kept up.
func (w *world) storyOfRepairs(path string) {
	t := w.t
	lag := w.get(path+"/lag").is(200, "")
	if lag.text("entries") != "0" || lag.json()["oldest"] != nil || lag.json()["estimated"] != false {
		t.Errorf("it is behind: %s", lag.body)
	}
	old := w.post("/v1/endpoints", `{"url": "https://old.example.com/", "triggers": ["case_created"], "start": "beginning"}`).is(201, "").header.Get("Location")
	if lag := w.get(old+"/lag").is(200, ""); lag.text("entries") == "0" || lag.json()["oldest"] == nil {
		t.Errorf("it began in the past, and is not behind: %s", lag.body)
	}
	w.do("DELETE", old, nil).is(204, "")
}

func TestAnEndpointMayBeginInThePast(t *testing.T) {
	w := start(t)
	w.putTypes()
	for range 3 {
		w.open(`{"client": "Ann"}`)
	}
	for from, want := range map[string]string{"": "0", `, "start": "now"`: "0", `, "start": "beginning"`: "3", `, "start": "2001-01-01T00:00:00Z"`: "3", `, "start": "2991-01-01T00:00:00+01:00"`: "0"} {
		made := w.post("/v1/endpoints", `{"url": "https://a.example", "triggers": ["case_created"]`+from+`}`).is(201, "")
		if got := w.get(made.header.Get("Location")+"/lag").is(200, "").text("entries"); got != want {
			t.Errorf("%s: it is %s entries behind, want %s", from, got, want)
		}
	}
	for _, wrong := range []string{"yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z"} {
		g := w.post("/v1/endpoints", `{"url": "https://a.example", "triggers": ["case_created"], "start": "`+wrong+`"}`).is(422, "request.body_invalid")
		if !strings.Contains(string(g.body), `"path":"/start"`) {
			t.Errorf("%s: %s", wrong, g.body)
		}
	}
}

// Whoever wants what has been removed is told what is left, and not given less.
func TestNothingBeginsBelowWhatIsKept(t *testing.T) {
	w := start(t)
	w.putTypes()
	for range 3 {
		w.open(`{"client": "Ann"}`)
	}
	w.remove(1)
	body := func(start string) string {
		return `{"url": "https://a.example", "triggers": ["case_created"], "start": "` + start + `"}`
	}
	g := w.post("/v1/endpoints", body("2001-01-01T00:00:00Z")).is(422, "journal.removed")
	if !strings.Contains(string(g.body), `"path":"/start"`) {
		t.Errorf("refused: %s", g.body)
	}
	for start, want := range map[string]string{"beginning": "2", "2991-01-01T00:00:00Z": "0"} {
		path := w.post("/v1/endpoints", body(start)).is(201, "").header.Get("Location")
		if got := w.get(path+"/lag").is(200, "").text("entries"); got != want {
			t.Errorf("%s: it is %s entries behind, want %s", start, got, want)
		}
	}
}

// remove removes the journal's entries up to a position, as retention does.
func (w *world) remove(upTo int) {
	w.t.Helper()
	db, err := sql.Open(w.driver, w.dsn)
	must(w.t, err)
	defer db.Close()
	_, err = db.ExecContext(w.t.Context(), "delete from journal where id <= $1", upTo)
	must(w.t, err)
}
