package cases

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// bulkPage has what became of the selected cases.
type bulkPage struct {
	Title, Summary, Back string
	Results              []bulkOutcome
}

type bulkOutcome struct {
	ID        int64
	Reference string
	Failed    string // why nothing was done; empty: it was
}

// maxBulk bounds the cases of one request: those of a page.
const maxBulk = 100

// bulk does one thing with each of the selected cases. A case that fails stays as it is, and does not stop the others.
func (h handler) bulk(ctx context.Context, r *ui.Request) (ui.View, error) {
	selected := r.HTTP.PostForm["case"]
	if len(selected) > maxBulk {
		return ui.View{}, fault.New(fault.Invalid, "request.invalid", "Select %d cases at most.", maxBulk)
	}
	title, do, err := h.bulkAction(r)
	if err != nil {
		return ui.View{}, err
	}
	page := bulkPage{Title: title, Back: ui.Local(r.Form("back"))}
	done := 0
	for _, text := range selected {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			continue // the form has no such case
		}
		outcome := bulkOutcome{ID: id, Reference: text}
		if found, err := h.services.Cases.Case(ctx, r.Principal, id); err == nil {
			outcome.Reference = found.Reference
		}
		if err := do(ctx, r.Principal, id); err != nil {
			e := fault.As(err)
			if e.Kind == fault.Internal {
				return ui.View{}, err
			}
			outcome.Failed = e.Detail
		} else {
			done++
		}
		page.Results = append(page.Results, outcome)
	}
	page.Summary = ui.Count(done, "case") + " of " + ui.Number(len(page.Results)) + " done."
	return ui.View{Title: title, Section: "/cases", Body: bulkResult(page)}, nil
}

type bulkFunc func(ctx context.Context, p access.Principal, id int64) error

func (h handler) bulkAction(r *ui.Request) (title string, do bulkFunc, err error) {
	switch r.Form("action") {
	case "assign":
		to, err := strconv.ParseInt(r.Form("assignee"), 10, 64)
		if err != nil {
			return "Take from their assignees", func(ctx context.Context, p access.Principal, id int64) error {
				_, err := h.services.Cases.Unassign(ctx, p, id)
				return err
			}, nil
		}
		return "Assign", func(ctx context.Context, p access.Principal, id int64) error {
			_, err := h.services.Cases.Assign(ctx, p, id, to)
			return err
		}, nil
	case "label":
		slug := r.Form("label")
		return "Label " + slug, func(ctx context.Context, p access.Principal, id int64) error {
			_, err := h.services.Labels.AddLabel(ctx, p, id, slug)
			return err
		}, nil
	case "move":
		key := r.Form("transition")
		return "Move by " + key, func(ctx context.Context, p access.Principal, id int64) error {
			in := casework.Submission{CaseID: id, Transition: key}
			_, err := h.services.Submissions.Submit(ctx, p, in, authz.Once{})
			return err
		}, nil
	}
	return "", nil, fault.New(fault.Invalid, "request.invalid", "Choose what to do with the selected cases.")
}

// move is a transition that some of the listed cases can be moved by.
type move struct{ Key, Title string }

// sortedBy returns the address of the list in another order; the same order is turned round.
func (l listPage) sortedBy(sort string) string {
	query := url.Values{}
	for _, h := range l.Hidden {
		query.Set(h.Name, h.Value)
	}
	if l.Text != "" {
		query.Set("q", l.Text)
	}
	if l.Sort == sort {
		sort = sort[1:]
	}
	return ui.With("/cases", query, "sort", sort)
}

func ariaSort(current, sort string) string {
	switch current {
	case sort:
		return "descending"
	case sort[1:]:
		return "ascending"
	}
	return "none"
}

// addMoves adds the transitions of a row to those that the list offers.
func (l *listPage) addMoves(view casework.View) {
	for _, key := range view.Transitions {
		if tr, ok := view.Definition.Transition(key); ok && tr.To != "" &&
			!slices.ContainsFunc(l.Moves, func(m move) bool { return m.Key == key }) {
			l.Moves = append(l.Moves, move{key, stateName(tr.Name, key)})
		}
	}
}
