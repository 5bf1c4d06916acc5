package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

var (
	anyTime   = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d[0-9:.]*(?:Z|[+-]\d\d:\d\d)`)
	exactTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
)

// wrongTimes lists the times in a text that are not in UTC with three digits of a second.
func wrongTimes(text string) (wrong []string) {
	for _, found := range anyTime.FindAllString(text, -1) {
		if !exactTime.MatchString(found) {
			wrong = append(wrong, found)
		}
	}
	return wrong
}

// TestEveryTimeInEveryAnswerHasThreeDigits checks the times in all answers of the story: JSON, problems, events of
// streams, and headers. Descriptions are exempt: they show times that clients may send.
func TestEveryTimeInEveryAnswerHasThreeDigits(t *testing.T) {
	t.Parallel()
	w := start(t)
	found := map[string]bool{}
	w.observe = func(g answer) {
		contentType := g.header.Get("Content-Type")
		text := fmt.Sprint(g.header)
		if strings.Contains(contentType, "json") && !strings.Contains(contentType, "openapi") ||
			strings.HasPrefix(contentType, "text/event-stream") {
			text += string(g.body)
		}
		if wrong := wrongTimes(text); len(wrong) > 0 {
			t.Errorf("%s answers with the times %q", g.op, wrong)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		method, _, _ := strings.Cut(g.op, " ")
		found[method] = found[method] || anyTime.MatchString(text)
	}
	w.story()
	w.storyOfASession()
	w.storyOfSessions()
	w.storyOfOwnTokens()
	for _, method := range []string{"GET", "POST", "PUT", "PATCH"} {
		if !found[method] {
			t.Errorf("no answer to a %s has a time", method)
		}
	}
}

func TestTimesAreReadWithAnyNumberOfDigitsAndWrittenWithThree(t *testing.T) {
	t.Parallel()
	w := start(t)
	for sent, want := range map[string]string{
		"2991-01-01T00:00:00+01:00": "2990-12-31T23:00:00.000Z", "2991-01-01T00:00:00.1Z": "2991-01-01T00:00:00.100Z",
		"2991-01-01T00:00:00.123456Z": "2991-01-01T00:00:00.123Z", "2991-01-01T00:00:00.999999999Z": "2991-01-01T00:00:00.999Z",
	} {
		if made := w.post("/v1/tokens", `{"name": "crm", "expires_at": "`+sent+`"}`).
			is(201, ""); made.text("expires_at") != want {
			t.Errorf("%s comes back as %s", sent, made.text("expires_at"))
		}
	}
	if made := w.post("/v1/tokens", `{"name": "crm"}`).is(201, ""); made.json()["expires_at"] != nil ||
		made.json()["last_used_at"] != nil {
		t.Errorf("without an end it is %s", made.body)
	}
}

// Lists are ordered by stored times: several cases of one millisecond keep their order, and each is on exactly one
// page.
func TestPagesLoseNothingOfWhatIsCreatedInOneMillisecond(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	made := map[string]bool{}
	for range 30 {
		made[w.write("note")] = true
	}
	last := ""
	for cursor, pages := "", 0; pages == 0 || cursor != ""; pages++ {
		page := w.get("/v1/cases?limit=1"+cursor).is(200, "")
		for _, item := range page.items() {
			c := item.(map[string]any)
			if at := c["created_at"].(string); last != "" && at > last {
				t.Errorf("%s comes after %s", at, last)
			} else {
				last = at
			}
			delete(made, c["id"].(json.Number).String())
		}
		if cursor = ""; page.json()["next"] != nil {
			cursor = "&cursor=" + page.text("next")
		}
	}
	if len(made) > 0 {
		t.Errorf("%d cases are on no page", len(made))
	}
}

// A period that ends just after the shown time of a message includes the message, whatever digits are not shown.
func TestAPeriodThatEndsAfterAShownTimeHasWhatIsShownWithIt(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.putTypes()
	endpoint := w.post("/v1/endpoints", `{"url": "https://crm.example.com", "triggers": ["case_created"]}`).is(201, "").
		header.Get("Location")
	for range 10 {
		w.open(`{"client": "Ann"}`)
	}
	for _, m := range w.messages(casetype.Restricted) {
		period := fmt.Sprintf(`{"subject": %q, "since": %q, "until": %q}`, m.Subject,
			m.Timestamp.Format(time.RFC3339Nano), m.Timestamp.Add(time.Microsecond).Format(time.RFC3339Nano))
		if replay := w.post(endpoint+"/replays", period).is(201, ""); replay.text("left") == "0" {
			t.Errorf("%s has nothing of %s", period, m.Trigger)
		}
	}
}
