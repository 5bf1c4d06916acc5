package hooks

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/web/ui"
)

// problemRow is a problem in the list.
type problemRow struct {
	Problem hooks.Problem
	Name    string // of the endpoint
	Failure failure
	Href    string // of the newest attempt that failed so
	List    string // of all of them
}

// listProblems shows the failures, grouped by endpoint and kind.
func (h handler) listProblems(ctx context.Context, r *ui.Request) (ui.View, error) {
	all, err := h.services.Messages.Problems(ctx, r.Principal)
	if err != nil {
		return ui.View{}, err
	}
	var going, over []problemRow
	for _, p := range all {
		query := url.Values{"endpoint": {p.Endpoint.ID}, "outcome": {"failed"}}
		if p.Class != "" {
			query.Set("class", p.Class)
		}
		if p.Status != 0 {
			query.Set("status", strconv.Itoa(p.Status))
		}
		row := problemRow{
			Problem: p, Name: nameOf(p.Endpoint), Failure: failureOf(p.Status, p.Class),
			Href: "/messages/" + h.ids.Seal(r.Principal.Tenant, p.Last), List: withQuery("/messages", query),
		}
		if p.Ongoing() {
			going = append(going, row)
		} else {
			over = append(over, row)
		}
	}
	return ui.View{
		Title: "Problems", Section: "/problems", Body: problemsPage(going, over, time.Now()),
		Call: "GET /v1/problems",
	}, nil
}

func sentenceOf(going []problemRow) string {
	if len(going) == 0 {
		return "No problem goes on: each endpoint has accepted a message since its last failure."
	}
	return ui.Count(len(going), "problem") + " without an accepted message since."
}
