package dev

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
)

// DryRunOptions is a submission to try out.
type DryRunOptions struct {
	Output
	Case          int64 // 0: it creates a case of Type
	Type          string
	Transition    string // empty: the plain edit, or the only creation
	Data          json.RawMessage
	IgnoreWarning bool
	Callback      string // a URL to ask in place of the transition's callback; empty: that one
	Secret        string // signs the question to that URL; empty: a random one
}

// dryRunBody is the request.
type dryRunBody struct {
	Case          int64           `json:"case,omitempty"`
	Type          string          `json:"type,omitempty"`
	Transition    string          `json:"transition,omitempty"`
	Data          json.RawMessage `json:"data,omitempty"`
	IgnoreWarning bool            `json:"ignore_warning,omitempty"`
	Callback      string          `json:"callback,omitempty"`
	Secret        string          `json:"secret,omitempty"`
}

// dryRun is what would come of a submission.
type dryRun struct {
	Allowed  bool          `json:"allowed"`
	State    string        `json:"state"`
	Code     string        `json:"code"`
	Detail   string        `json:"detail"`
	Errors   []string      `json:"errors"`
	Warnings []string      `json:"warnings"`
	Fields   []fault.Field `json:"fields"`
	Changes  []fieldChange `json:"changes"`
	More     int           `json:"more_changes"`
	Skipped  bool          `json:"callback_skipped"`
	Asked    *askedDry     `json:"asked"`
	Earlier  []askedDry    `json:"asked_earlier"`
	NotAsked []struct {
		URL     string `json:"url"`
		Failure string `json:"failure"`
	} `json:"not_asked"`
}

// askedDry is a question that was asked, and what came of it.
type askedDry struct {
	URL        string        `json:"url"`
	Verdict    string        `json:"verdict"`
	Attempts   int           `json:"attempts"`
	DurationMS int64         `json:"duration_ms"`
	Listener   bool          `json:"listener"`
	Changes    []fieldChange `json:"changes"`
	More       int           `json:"more_changes"`
}

// fieldChange is a field before and after.
type fieldChange struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
	Long   bool            `json:"long,omitempty"`
}

// DryRun has the server try out a submission, prints the verdict and the differences, and reports whether it would be
// saved.
func DryRun(ctx context.Context, c *client.Client, o DryRunOptions) (allowed bool, err error) {
	var raw json.RawMessage
	err = c.Post(ctx, "/v1/dry-runs", dryRunBody{
		Case: o.Case, Type: o.Type, Transition: o.Transition, Data: o.Data, IgnoreWarning: o.IgnoreWarning,
		Callback: o.Callback, Secret: o.Secret,
	}, &raw)
	var refusal *fault.Error
	switch {
	case errors.As(err, &refusal) && ofSubmission(refusal):
		return false, o.refused(refusal)
	case err != nil:
		return false, err
	}
	var result dryRun
	if err := json.Unmarshal(raw, &result); err != nil {
		return false, err
	}
	if o.JSON {
		return result.Allowed, o.object(raw)
	}
	o.show(result)
	return result.Allowed, nil
}

// ofSubmission reports whether an error is what a submission would be answered with, before a callback is asked.
func ofSubmission(refusal *fault.Error) bool {
	switch refusal.Kind {
	case fault.Unprocessable, fault.Conflict:
		return refusal.Code != "dry_run.invalid"
	}
	return false
}

// refused prints a refusal before a callback was asked.
func (o DryRunOptions) refused(e *fault.Error) error {
	if o.JSON {
		return o.object(struct {
			Allowed  bool          `json:"allowed"`
			Code     string        `json:"code"`
			Detail   string        `json:"detail"`
			Errors   []string      `json:"errors"`
			Warnings []string      `json:"warnings"`
			Fields   []fault.Field `json:"fields"`
		}{
			false, e.Code, e.Detail, append([]string{}, e.Errors...), append([]string{}, e.Warnings...),
			append([]fault.Field{}, e.Fields...),
		})
	}
	o.line("It would be refused, before a callback is asked (%s): %s", e.Code, e.Detail)
	o.messages(e.Errors, e.Warnings)
	o.faults(e.Fields)
	return nil
}

// show prints the verdict and the differences.
func (o DryRunOptions) show(d dryRun) {
	switch {
	case d.Allowed:
		o.line("It would be saved, in the state %s.", d.State)
	default:
		o.line("It would be refused (%s): %s", d.Code, d.Detail)
	}
	o.messages(d.Errors, d.Warnings)
	o.faults(d.Fields)
	o.diff("  ", d.Changes, d.More)
	for _, q := range d.Earlier {
		o.asked(q)
	}
	for _, c := range d.NotAsked {
		why := "its condition is not true"
		if c.Failure != "" {
			why = "its condition can't be evaluated"
		}
		o.line("Not asked was %s: %s.", c.URL, why)
	}
	switch {
	case d.Asked != nil:
		o.asked(*d.Asked)
	case d.Skipped:
		o.line("The callback was not asked: the case type says dry_run: skip.")
	case d.Allowed && len(d.NotAsked) == 0:
		o.line("No callback was asked: the transition has none.")
	}
}

// messages prints what callbacks and rules say.
func (o Output) messages(errors, warnings []string) {
	for _, text := range errors {
		o.line("  error: %s", text)
	}
	for _, text := range warnings {
		o.line("  warning: %s", text)
	}
}

// asked prints a question, and what it changed.
func (o DryRunOptions) asked(q askedDry) {
	who := q.URL
	if q.Listener {
		who = "your listener, in place of " + q.URL
	}
	o.line("Asked was %s: %s, %d ms, attempts: %d", who, q.Verdict, q.DurationMS, q.Attempts)
	if len(q.Changes) > 0 {
		o.line("  It changed what was submitted:")
		o.diff("  ", q.Changes, q.More)
	}
}

// faults prints the places that do not fit.
func (o Output) faults(all []fault.Field) {
	for _, f := range all {
		o.line("  %s %s", f.Path, f.Message)
	}
}

// diff prints changes, a line for each: the field, and its value before and after.
func (o Output) diff(indent string, changes []fieldChange, more int) {
	for _, c := range changes {
		if c.Long {
			o.line("%s%s: changed; its value is too long to show", indent, c.Path)
			continue
		}
		o.line("%s%s: %s -> %s", indent, c.Path, shownValue(c.Before), shownValue(c.After))
	}
	if more > 0 {
		o.line("%sand %s more", indent, thousands(int64(more)))
	}
}

// shownValue returns a value of a diff for people.
func shownValue(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return "none"
	}
	return string(raw)
}
