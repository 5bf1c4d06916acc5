package casework

import (
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/wire"
)

// apply judges a callback's answer, and makes it part of what will be saved.
func (pl *plan) apply(a wire.Answer, ignoreWarnings bool) error {
	if err := pl.verdict(a, ignoreWarnings); err != nil {
		return err
	}
	if a.HasData {
		if err := pl.replace(a.Data); err != nil {
			return err
		}
	}
	if a.OverrideState != "" {
		if _, ok := pl.typ.State(a.OverrideState); !ok {
			return fault.New(fault.Unprocessable, "callback.state_unknown",
				"The callback of %s/%s diverted the case to a state that its type does not have. Nothing was saved; the callback needs repair.",
				pl.typ.Key, pl.tr.Key)
		}
		pl.after.State = a.OverrideState
	}
	pl.rename()
	return nil
}

// verdict turns errors, and warnings that are not ignored, into a refusal.
func (pl *plan) verdict(a wire.Answer, ignoreWarnings bool) error {
	var refusal *fault.Error
	switch {
	case len(a.Errors) > 0:
		refusal = fault.New(fault.Unprocessable, "callback.errors",
			"The callback of %s/%s refused the submission. Nothing was saved.", pl.typ.Key, pl.tr.Key)
	case len(a.Warnings) > 0 && !ignoreWarnings:
		refusal = fault.New(fault.Unprocessable, "callback.warnings",
			"The callback of %s/%s warned. Nothing was saved; submit again with ignore_warning: true to go on all the same.",
			pl.typ.Key, pl.tr.Key)
	default:
		return nil
	}
	refusal.Errors, refusal.Warnings = a.Errors, a.Warnings
	return refusal
}

// replace puts the callback's data in the place of all that there was.
func (pl *plan) replace(data map[string]any) error {
	sent := pl.after.Data
	pl.after.Data = data
	if wrong := pl.invalid(); len(wrong) > 0 {
		return fault.In("callback.data_invalid",
			"The callback of "+pl.typ.Key+"/"+pl.tr.Key+" answered with data that does not fit the case type. Nothing was saved; the callback needs repair.",
			wrong...)
	}
	guard := pl.tr.AboutToSubmit.Guard
	if guard == nil {
		return nil
	}
	if dropped := casetype.Dropped(sent, data); len(dropped) > guard.MaxDropped {
		return fault.New(fault.Unprocessable, "callback.guard",
			"The callback of %s/%s emptied %d fields (%s), and its guard allows %d. Nothing was saved.",
			pl.typ.Key, pl.tr.Key, len(dropped), strings.Join(dropped, ", "), guard.MaxDropped)
	}
	return nil
}
