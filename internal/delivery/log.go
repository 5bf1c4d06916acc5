package delivery

import (
	"log/slog"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// diary is what the operator's log says of one endpoint: that it takes nothing, that
// it is back, and which messages were given up. However often any of it happens, the
// log has a line of each a minute.
type diary struct {
	log     *slog.Logger
	url     string
	failing bool // as the log said last
	quiet   time.Time

	dead   int // messages that were given up, and of which the log says nothing yet
	last   store.Dead
	silent time.Time
}

// diaryEvery is how often the log says the same of an endpoint.
const diaryEvery = time.Minute

func newDiary(log *slog.Logger, e endpoint.Endpoint) diary {
	return diary{log: log, url: e.ShownURL(), failing: takesNothing(e)}
}

// takesNothing reports whether people have to be told of an endpoint.
func takesNothing(e endpoint.Endpoint) bool {
	condition := e.Condition()
	return condition == endpoint.Failing || condition == endpoint.Refusing
}

// fares says how the endpoint does.
func (d *diary) fares(e endpoint.Endpoint, now time.Time) {
	switch failing := takesNothing(e); {
	case failing && !d.failing && !now.Before(d.quiet):
		d.failing, d.quiet = true, now.Add(diaryEvery)
		consequence := "its messages wait, and it is probed until it is back"
		if e.Condition() == endpoint.Refusing {
			consequence = "it answers and refuses all, so that messages are given up after their last retry"
		}
		d.log.Warn("the endpoint takes nothing: "+consequence, "url", d.url, "reason", e.Health.Reason, "failing_since", e.Health.Since)
	case !failing && d.failing:
		d.failing = false
		d.log.Info("the endpoint takes messages again", "url", d.url)
	}
	d.flush(now)
}

// gaveUp notes messages that are dead.
func (d *diary) gaveUp(dead []store.Dead) {
	if d.dead += len(dead); len(dead) > 0 {
		d.last = dead[len(dead)-1]
	}
}

// flush says which messages were given up.
func (d *diary) flush(now time.Time) {
	if d.dead == 0 || now.Before(d.silent) {
		return
	}
	d.log.Warn("messages were given up; GET /v1/endpoints/{id}/dead lists them, and a POST to .../dead/retry tries them again", "url", d.url,
		"count", d.dead, "last", d.last.Message, "trigger", d.last.Trigger, "subject", d.last.Subject, "reason", d.last.Reason)
	d.dead, d.silent = 0, now.Add(diaryEvery)
}
