package casework

import (
	"context"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/weburl"
)

// wanted reports whether a callback is asked about a change: whether it has no condition, or a true one. The condition
// sees what the callback would be shown. One that can't be computed is a failure of the callback, which its policy may
// waive. A callback that is not asked is recorded.
func (s *questioner) wanted(ctx context.Context, pl *plan, g guard) (bool, error) {
	after, visible := pl.after.As(g.clearance(), pl.typ)
	if g.When == "" || !visible { // the question fails, if the case is above its clearance
		return true, nil
	}
	in := casetype.Input{
		Data: after.Data, Before: pl.old().Shown(pl.before.Data, g.clearance()), State: pl.before.State,
		Name: after.Name,
	}
	asks, err := g.typ.Asks(g.at, in, pl.p.Sight())
	if asks {
		return true, nil
	}
	record := event.Callback{
		Key: g.at.Callback, URL: g.URL, Skipped: true, WhenClass: g.whenClass(), Earlier: pl.callback,
	}
	if g.class != casetype.Public {
		record.URLClass = string(g.class)
	}
	if err == nil {
		pl.callback = &record
		return false, nil
	}
	goesOn := g.FailurePolicy == casetype.Ignore
	s.logFailure(ctx, question{pl, g, record}, err, goesOn)
	if !goesOn {
		return false, err
	}
	record.Failure, pl.callback = "was not asked: its condition can't be evaluated", &record
	return false, nil
}

// whenClass returns who may know whether a conditional callback was asked; empty: all.
func (g guard) whenClass() string {
	if class := g.typ.WhenClass(g.at); class != casetype.Public {
		return string(class)
	}
	return ""
}

// NotAsked is a callback that was not asked.
type NotAsked struct {
	Key     string // empty: it has none
	URL     string // as configured, without its query; empty: by a definition that the reader may not see
	Failure string // why its condition can't be evaluated, which its policy ignores; empty: it is not true
}

// notAsked lists the callbacks of a change that were not asked, in order, as the caller may know.
func (pl *plan) notAsked() (all []NotAsked) {
	sees := pl.p.Sight().SeesClass
	for c := pl.callback; c != nil; c = c.Earlier {
		if !c.Skipped || !sees(c.WhenClass) {
			continue
		}
		one := NotAsked{Key: c.Key, URL: weburl.WithoutQuery(c.URL), Failure: c.Failure}
		if !sees(c.URLClass) {
			one.URL = ""
		}
		all = append([]NotAsked{one}, all...)
	}
	return all
}
