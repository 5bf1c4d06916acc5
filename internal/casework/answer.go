package casework

import (
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/wire"
)

// apply judges a callback's answer, and makes it part of what will be saved. Told
// is the highest classification of what the callback was shown.
func (pl *plan) apply(a wire.Answer, told casetype.Classification, ignoreWarnings bool) error {
	if err := pl.verdict(a, told, ignoreWarnings); err != nil {
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
func (pl *plan) verdict(a wire.Answer, told casetype.Classification, ignoreWarnings bool) error {
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
	refusal.Errors, refusal.Warnings = pl.words(a.Errors, told), pl.words(a.Warnings, told)
	return refusal
}

// words gives what the callback says as the initiator may read it: of a callback
// that was shown more than they see, only how much it said.
func (pl *plan) words(all []string, told casetype.Classification) []string {
	if pl.p.Clearance.Sees(told) || len(all) == 0 {
		return all
	}
	withheld := make([]string, len(all))
	for i := range withheld {
		withheld[i] = "withheld: the callback was shown more than you are cleared for"
	}
	return withheld
}

// replace puts the callback's data in the place of all that it was shown. What
// it is not cleared for stays.
func (pl *plan) replace(data map[string]any) error {
	sent := pl.typ.Shown(pl.after.Data, pl.clearance())
	wrong := pl.unshown(data)
	pl.after.Data = casetype.Merge(data, pl.typ.Hidden(pl.after.Data, pl.clearance()))
	if wrong = pl.tellable(append(wrong, pl.invalid()...)); len(wrong) > 0 {
		return fault.In("callback.data_invalid",
			"The callback of "+pl.typ.Key+"/"+pl.tr.Key+" answered with data that does not fit the case type. Nothing was saved; the callback needs repair.",
			wrong...)
	}
	guard := pl.tr.AboutToSubmit.Guard
	if guard == nil {
		return nil
	}
	if dropped := casetype.Dropped(sent, data); len(dropped) > guard.MaxDropped {
		count := len(dropped)
		dropped = slices.DeleteFunc(dropped, func(name string) bool { return !pl.typ.Shows(name, pl.p.Clearance) })
		return fault.New(fault.Unprocessable, "callback.guard",
			"The callback of %s/%s emptied %d fields (%s), and its guard allows %d. Nothing was saved.",
			pl.typ.Key, pl.tr.Key, count, strings.Join(dropped, ", "), guard.MaxDropped)
	}
	return nil
}

// unshown lists the fields that the callback answers with and is not cleared for.
// To it they are unknown.
func (pl *plan) unshown(data map[string]any) []fault.Field {
	var wrong []fault.Field
	for name := range pl.typ.Hidden(data, pl.clearance()) {
		if slices.Contains(pl.typ.FieldNames(), name) { // the others, validation finds
			wrong = append(wrong, fault.Field{Path: "/data/" + name, Message: "is not a field of " + pl.typ.Key + " that the callback is cleared for"})
		}
	}
	return wrong
}
