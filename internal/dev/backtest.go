package dev

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
)

// BacktestOptions selects submissions of the past, and what is asked about them.
type BacktestOptions struct {
	Output
	Progress   io.Writer // receives the progress after each request
	Type       string
	Transition string
	Callback   string // a URL; empty: Definition
	Secret     string // signs the questions to that URL; empty: a random one
	Definition string // the source of a definition
	Rule       string // the source of a rule
	Since      string // a time as the API reads it; empty: all that are kept
	Until      string
}

// backtestBody is a request.
type backtestBody struct {
	Type       string `json:"type"`
	Transition string `json:"transition"`
	Callback   string `json:"callback,omitempty"`
	Secret     string `json:"secret,omitempty"`
	Definition string `json:"definition,omitempty"`
	Rule       string `json:"rule,omitempty"`
	Since      string `json:"since,omitempty"`
	Until      string `json:"until,omitempty"`
	Cursor     string `json:"cursor,omitempty"`
}

// backtestReport is the answer to a request, and the sum of several.
type backtestReport struct {
	Asked       int64            `json:"asked"`
	WouldRefuse int64            `json:"would_refuse"`
	WouldChange int64            `json:"would_change"`
	Disagree    int64            `json:"disagree"`
	Failed      int64            `json:"failed"`
	LeftOut     int64            `json:"left_out"`
	Items       []backtestedCase `json:"items,omitempty"`
	Next        string           `json:"next,omitempty"`
}

// backtestedCase is what would come of one submission.
type backtestedCase struct {
	Question    string        `json:"question"`
	At          time.Time     `json:"at"`
	CaseID      *int64        `json:"case_id"`
	Version     *int64        `json:"version"`
	LiveCode    string        `json:"live_code"`
	LeftOut     string        `json:"left_out"`
	Allowed     bool          `json:"allowed"`
	Failed      bool          `json:"failed"`
	Code        string        `json:"code"`
	Detail      string        `json:"detail"`
	Errors      []string      `json:"errors"`
	Warnings    []string      `json:"warnings"`
	Changes     []fieldChange `json:"changes"`
	More        int           `json:"more_changes"`
	Disagrees   bool          `json:"disagrees"`
	Against     []fieldChange `json:"against"`
	MoreAgainst int           `json:"more_against"`
}

// backtestTimeout is the time for one request, which asks many callbacks.
const backtestTimeout = 2 * time.Minute

// Backtest asks about the submissions of the past, one request after the other. It prints each that ends otherwise than
// it was submitted, and the sum, and reports whether none would be refused, fail, or disagree with what came of it.
func Backtest(ctx context.Context, c *client.Client, o BacktestOptions) (agrees bool, err error) {
	patient := *c
	patient.Timeout = backtestTimeout
	if o.Type, err = typeWith(ctx, c, o); err != nil {
		return false, err
	}
	body := backtestBody{
		Type: o.Type, Transition: o.Transition, Callback: o.Callback, Secret: o.Secret, Definition: o.Definition,
		Rule: o.Rule, Since: o.Since, Until: o.Until,
	}
	var sum backtestReport
	for {
		var page backtestReport
		if err := patient.Post(ctx, "/v1/backtests", body, &page); err != nil {
			return false, err
		}
		sum.add(page)
		for _, item := range page.Items {
			if err := o.item(item); err != nil {
				return false, err
			}
		}
		if page.Next == "" {
			break
		}
		fmt.Fprintf(o.Progress, "%s asked about\n", thousands(sum.Asked))
		body.Cursor = page.Next
	}
	agrees = sum.WouldRefuse+sum.Disagree+sum.Failed == 0
	if o.JSON {
		return agrees, o.object(map[string]backtestReport{"sum": sum})
	}
	o.line("%s asked about: would refuse %s, change %s, disagree with the live one on %s%s%s", thousands(sum.Asked),
		thousands(sum.WouldRefuse), thousands(sum.WouldChange), thousands(sum.Disagree),
		ifAny(sum.Failed, "; no answer about %s"), ifAny(sum.LeftOut, "; left out %s"))
	return agrees, nil
}

// maxTypes bounds the case types among which the one with a transition is looked for.
const maxTypes = 500

// typeWith returns the key of the case type: of the options, or the only one that has the transition.
func typeWith(ctx context.Context, c *client.Client, o BacktestOptions) (string, error) {
	if o.Type != "" {
		return o.Type, nil
	}
	var with []string
	seen := 0
	for t, err := range client.Each[struct{ Key string }](ctx, c, "/v1/case-types", client.AnyLimit()) {
		if err != nil {
			return "", err
		}
		var stored struct {
			Definition struct {
				Transitions []struct{ Key string } `json:"transitions"`
			} `json:"definition"`
		}
		if err := c.Get(ctx, "/v1/case-types/"+url.PathEscape(t.Key), &stored); err != nil {
			return "", err
		}
		if slices.Contains(stored.Definition.Transitions, struct{ Key string }{o.Transition}) {
			with = append(with, t.Key)
		}
		if seen++; seen == maxTypes {
			break
		}
	}
	switch len(with) {
	case 1:
		return with[0], nil
	case 0:
		return "", fault.New(fault.NotFound, "dev.transition_unknown", "No case type has a transition %q.",
			o.Transition)
	}
	return "", fault.New(fault.Invalid, "dev.type_unclear",
		"Several case types have a transition %q: name one with --type: %s.", o.Transition, strings.Join(with, ", "))
}

// ifAny returns a part of a sentence with a number; of none, nothing.
func ifAny(n int64, format string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(format, thousands(n))
}

// add adds the numbers of an answer.
func (r *backtestReport) add(page backtestReport) {
	r.Asked += page.Asked
	r.WouldRefuse += page.WouldRefuse
	r.WouldChange += page.WouldChange
	r.Disagree += page.Disagree
	r.Failed += page.Failed
	r.LeftOut += page.LeftOut
}

// item prints one submission.
func (o BacktestOptions) item(b backtestedCase) error {
	if o.JSON {
		return o.object(b)
	}
	subject := "a creation"
	if b.CaseID != nil {
		subject = "case " + strconv.FormatInt(*b.CaseID, 10)
	}
	o.line("%s, submitted %s, %s: %s", subject, b.At.Local().Format(time.DateTime), b.then(), b.verdict())
	for _, text := range b.Errors {
		o.line("  error: %s", text)
	}
	for _, text := range b.Warnings {
		o.line("  warning: %s", text)
	}
	o.diff("  ", b.Changes, b.More)
	if len(b.Against) > 0 {
		o.line("  against what was saved:")
		o.diff("    ", b.Against, b.MoreAgainst)
	}
	return nil
}

// then says what came of it.
func (b backtestedCase) then() string {
	if b.LiveCode != "" {
		return "then refused (" + b.LiveCode + ")"
	}
	return "then saved"
}

// verdict says what would come of it.
func (b backtestedCase) verdict() string {
	verdict := "would be saved"
	switch {
	case b.LeftOut != "":
		return "left out (" + b.LeftOut + ")"
	case b.Failed:
		return "no answer: " + b.Detail
	case !b.Allowed:
		verdict = "would be refused (" + cmp.Or(b.Code, "?") + ")"
	}
	if b.Disagrees {
		verdict += ", which disagrees"
	}
	return verdict
}
