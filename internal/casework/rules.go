package casework

import (
	"slices"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// compute sets the fields that rules compute. Its error comes after the faults of the submitted data, which may be its
// cause.
func (pl *plan) compute() error {
	data, set, err := pl.typ.Compute(pl.tr.Key, pl.input(), pl.p.Sight())
	if err == nil && len(set) > 0 {
		pl.after.Data, pl.computed = data, set
	}
	return err
}

// ofRules reports whether all faults are those of fields that rules have computed.
func (pl *plan) ofRules(wrong []fault.Field) bool {
	return len(pl.computed) > 0 && !slices.ContainsFunc(wrong, func(f fault.Field) bool {
		return !slices.Contains(pl.computed, topName(f.Path))
	})
}

// judge returns the refusal of the rules of a transition that the change does not pass.
func (pl *plan) judge(tr casetype.Transition) error {
	verdict, err := pl.typ.Judge(tr.Key, pl.input(), pl.p.Sight())
	if err != nil {
		return err
	}
	var refusal *fault.Error
	switch {
	case len(verdict.Errors) > 0:
		refusal = fault.New(fault.Unprocessable, "rule.refused",
			"Rules of the case type refuse the submission. Nothing was saved.")
	case len(verdict.Warnings) > 0 && !pl.in.IgnoreWarning:
		refusal = fault.New(fault.Unprocessable, "rule.warnings",
			"Rules of the case type warn. Nothing was saved; submit again with ignore_warning: true to accept that.")
	default:
		for _, warning := range verdict.Warnings {
			if !slices.Contains(pl.ignored, warning) { // rules are evaluated again after callbacks
				pl.ignored = append(pl.ignored, warning)
			}
		}
		return nil
	}
	refusal.Errors, refusal.Warnings, refusal.Fields = verdict.Errors, verdict.Warnings, verdict.Fields
	return refusal
}

// judgeAgain evaluates the rules for the data as callbacks have left them.
func (pl *plan) judgeAgain() error {
	if !pl.asked {
		return nil
	}
	return pl.judge(pl.tr)
}
