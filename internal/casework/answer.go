package casework

import (
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/wire"
)

// apply applies an answer without errors to the change.
func (pl *plan) apply(g guard, a wire.Answer) error {
	if a.HasData {
		if err := pl.replace(g, a.Data); err != nil {
			return err
		}
	}
	if g.at.Question != casetype.AboutToSubmit {
		return nil
	}
	if err := pl.reclassify(g, a.Classification); err != nil {
		return err
	}
	if a.OverrideState != "" {
		if _, ok := pl.typ.State(a.OverrideState); !ok {
			return fault.New(fault.Unprocessable, "callback.state_unknown",
				"The callback of %s diverted the case to a state that its type does not have. Nothing was saved; the "+
					"callback needs repair.",
				g.name())
		}
		pl.after.State = a.OverrideState
	}
	pl.rename()
	return nil
}

// reclassify sets the classification that an answer has for the case.
func (pl *plan) reclassify(g guard, to string) error {
	class := casetype.Classification(to)
	switch {
	case to == "":
		return nil
	case !slices.Contains(casetype.Classifications(), class):
		return fault.New(fault.Unprocessable, "callback.classification_unknown",
			"The callback of %s classified the case as something else than PUBLIC, PRIVATE or RESTRICTED. Nothing was "+
				"saved; the callback needs repair.", g.name())
	case !g.clearance().Sees(class) || !pl.p.Sight().Sees(class):
		return fault.New(fault.Unprocessable, "callback.classification_above",
			"The callback of %s classified the case above its own clearance or yours. Nothing was saved.", g.name())
	}
	pl.after.Classification = class
	return nil
}

// verdict turns errors, and warnings that are not ignored, into a refusal. Highest is
// the highest classification of the data that the callback was shown.
func (pl *plan) verdict(g guard, a wire.Answer, highest casetype.Classification, ignoreWarnings bool) error {
	var refusal *fault.Error
	switch {
	case len(a.Errors) > 0:
		refusal = fault.New(fault.Unprocessable, "callback.errors",
			"The callback of %s refused the %s. Nothing was saved.", g.name(), g.about())
	case len(a.Warnings) > 0 && !ignoreWarnings:
		refusal = fault.New(fault.Unprocessable, "callback.warnings",
			"The callback of %s answered with warnings. Nothing was saved; submit again with ignore_warning: true "+
				"to accept them.", g.name())
	default:
		pl.ignored = append(pl.ignored, pl.words(g, a.Warnings, highest)...)
		return nil
	}
	if a.Message != "" {
		refusal.Detail = pl.words(g, []string{a.Message}, highest)[0]
	}
	refusal.Errors, refusal.Warnings = pl.words(g, a.Errors, highest), pl.words(g, a.Warnings, highest)
	return refusal
}

// about names the step that a question is about.
func (g guard) about() string {
	switch g.at.Question {
	case casetype.AboutToStart:
		return "start"
	case casetype.MidEvent:
		return "page"
	}
	if strings.HasPrefix(g.at.Name, "@") {
		return "change"
	}
	return "submission"
}

// words returns the callback's messages to the initiator, or only their number if the initiator may not see the data
// that the callback was shown.
func (pl *plan) words(g guard, all []string, highest casetype.Classification) []string {
	if g.Messages != casetype.Cleared || pl.p.Sight().Sees(highest) || len(all) == 0 {
		return all
	}
	withheld := make([]string, len(all))
	for i := range withheld {
		withheld[i] = "withheld: the callback was shown more than you are cleared for"
	}
	return withheld
}

// replace replaces the data that the callback was shown by the data of its answer. Fields above its clearance stay.
func (pl *plan) replace(g guard, data map[string]any) error {
	sent := pl.typ.Shown(pl.after.Data, g.clearance())
	wrong, before := pl.unshown(g, data), pl.after.Data
	pl.after.Data = casetype.Merge(data, pl.typ.Hidden(before, g.clearance()))
	invalid, err := pl.complete(before, true, sent, pl.old().Shown(pl.before.Data, g.clearance()))
	if err != nil {
		return err
	}
	if wrong = pl.readable(append(wrong, invalid...)); len(wrong) > 0 {
		return fault.In("callback.data_invalid",
			"The callback of "+g.name()+
				" answered with data that does not fit the case type. Nothing was saved; the callback needs repair.",
			wrong...)
	}
	if g.Guard == nil {
		return nil
	}
	if dropped := casetype.Dropped(sent, data); len(dropped) > g.Guard.MaxDropped {
		count := len(dropped)
		dropped = slices.DeleteFunc(dropped, func(name string) bool { return !pl.typ.Shows(name, pl.p.Sight()) })
		return fault.New(fault.Unprocessable, "callback.guard",
			"The callback of %s emptied %d fields (%s), and its guard allows %d. Nothing was saved; repair the "+
				"callback, or raise its guard's max_dropped.",
			g.name(), count, strings.Join(dropped, ", "), g.Guard.MaxDropped)
	}
	return nil
}

// unshown lists the fields of an answer that are above the callback's clearance. To the callback they are unknown.
func (pl *plan) unshown(g guard, data map[string]any) []fault.Field {
	var wrong []fault.Field
	for name := range pl.typ.Hidden(data, g.clearance()) {
		if slices.Contains(pl.typ.FieldNames(), name) { // validation finds the others
			wrong = append(wrong,
				fault.Field{
					Path:    "/data/" + name,
					Message: "is not a field of " + pl.typ.Key + " that the callback is cleared for",
				})
		}
	}
	return wrong
}
