package people

import (
	"context"
	"net/url"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// auditPage is a page of the audit.
type auditPage struct {
	Records []auditRow
	Next    string
	Chips   []ui.Chip

	Outcome, Since, Until string       // as they are chosen
	Others                []chosenText // the rest of what is chosen
	chosen                authz.RecordQuery
	query                 url.Values
}

// chosenText is a parameter of the address that narrows the audit.
type chosenText struct{ Name, Value string }

type auditRow struct {
	At                                      time.Time
	Action, Subject, By, Key, Address, Rest string
	Refused                                 bool
}

// auditFilters are the parameters that narrow the audit.
var auditFilters = []string{"action", "by", "subject", "outcome", "since", "until"}

func (h handler) audit(ctx context.Context, r *ui.Request) (ui.View, error) {
	q, err := auditQuery(r)
	if err != nil {
		return ui.View{}, err
	}
	if err := r.Position("console audit", &q.Before); err != nil {
		return ui.View{}, err
	}
	found, next, err := h.guard.Records(ctx, r.Principal, q)
	if err != nil {
		return ui.View{}, err
	}
	page := auditPage{
		chosen: q, Outcome: r.Query("outcome"), Since: r.Query("since"), Until: r.Query("until"),
		query: r.HTTP.URL.Query(),
	}
	page.choose()
	for _, record := range found {
		page.Records = append(page.Records, auditRowOf(r.Principal, record))
	}
	if next > 0 {
		if page.Next, err = r.Cursor("console audit", next); err != nil {
			return ui.View{}, err
		}
	}
	return ui.View{Title: "Audit", Section: "/audit", Body: auditTemplate(page), Call: "GET /v1/audit"}, nil
}

// auditQuery reads what the address narrows the audit to. Its days are those of UTC, the last one included.
func auditQuery(r *ui.Request) (q authz.RecordQuery, err error) {
	q = authz.RecordQuery{
		Action: access.Action(r.Query("action")), Subject: r.Query("subject"), By: access.Owner(r.Query("by")),
		Limit: usersPerPage,
	}
	if outcome := authz.Outcome(r.Query("outcome")); outcome == authz.OutcomeDone || outcome == authz.OutcomeRefused {
		q.Outcome = outcome
	}
	for name, to := range map[string]*time.Time{"since": &q.Since, "until": &q.Until} {
		text := r.Query(name)
		if text == "" {
			continue
		}
		if *to, err = time.Parse(time.DateOnly, text); err != nil {
			return q, fault.New(fault.Invalid, "request.invalid", "%s is a day, such as 2026-01-31.", name)
		}
	}
	if !q.Until.IsZero() {
		q.Until = q.Until.AddDate(0, 0, 1)
	}
	return q, nil
}

// choose sets the chips, and what the form of days keeps.
func (p *auditPage) choose() {
	for _, name := range auditFilters {
		value := p.query.Get(name)
		if value == "" {
			continue
		}
		p.Chips = append(p.Chips, ui.Chip{Name: name, Value: value, Without: ui.Without("/audit", p.query, name)})
		if name != "since" && name != "until" {
			p.Others = append(p.Others, chosenText{name, value})
		}
	}
}

// with returns the address of the audit narrowed further.
func (p auditPage) with(name, value string) string { return ui.With("/audit", p.query, name, value) }

// export returns where the records that are selected are a file.
func (p auditPage) export(format string) string {
	rest := url.Values{"format": {format}}
	for name, value := range map[string]string{
		"action": string(p.chosen.Action), "subject": p.chosen.Subject, "by": string(p.chosen.By),
		"outcome": string(p.chosen.Outcome), "since": inURL(p.chosen.Since), "until": inURL(p.chosen.Until),
	} {
		if value != "" {
			rest.Set(name, value)
		}
	}
	return "/v1/audit/export?" + rest.Encode()
}

// inURL returns a time as parameters have it; empty: it is zero.
func inURL(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339)
}

// all returns the address of the audit with any outcome.
func (p auditPage) all() string { return ui.Without("/audit", p.query, "outcome") }

func auditRowOf(p access.Principal, record access.Record) auditRow {
	by := p.Redact(record.Actor)
	row := auditRow{
		At: record.At, Action: string(record.Action), Subject: record.Subject, By: by.Title(), Key: string(record.By),
		Address: by.Address, Rest: string(record.Detail), Refused: record.Action.Refused(),
	}
	if row.Rest == "{}" {
		row.Rest = ""
	}
	return row
}
