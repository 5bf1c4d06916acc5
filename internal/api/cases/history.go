package cases

import (
	"context"
	"net/http"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// HistoryEntry is one commit in the history of a case or a contact.
type HistoryEntry struct {
	Version int64      `json:"version" doc:"The version after it." example:"7"`
	At      rest.Time  `json:"at" doc:"When."`
	By      rest.Actor `json:"by" doc:"The actor."`
	State   string     `json:"state,omitempty" doc:"The state the case was in after it; absent: it is about a contact." example:"in_review"`
	Facts   []Fact     `json:"facts" doc:"The facts that it made true, in their order."`
	Changes []Change   `json:"changes" doc:"The fields that it changed, and of a case the name and colour."`

	Summary     string `json:"summary,omitempty" doc:"What its author wrote about it." example:"Called the client"`
	Description string `json:"description,omitempty" doc:"More of that."`

	Confirmation *Confirmation `json:"confirmation,omitempty" doc:"The answer of the submitted callback, as long as its question is kept; absent: none was asked, or it was shown more than you are cleared for."`

	Callback *CallbackOutcome `json:"callback,omitempty" doc:"The outcome of the callback that was asked last; absent: none was asked."`

	EarlierCallbacks []CallbackOutcome `json:"earlier_callbacks,omitempty" doc:"The outcomes of the callbacks that were asked before it, in order; absent: there are none."`
}

// Fact is one thing that a commit made true.
type Fact struct {
	Name string      `json:"name" doc:"Its name." example:"case.state_changed"`
	Data rest.Object `json:"data,omitempty" doc:"More about it, by its name."`
}

// Change is one field before and after.
type Change struct {
	Path   string     `json:"path" doc:"Of a case: name, color, or data/ and the name of the field. Of a contact: the name of the field." example:"data/email"`
	Before rest.Value `json:"before" doc:"Its value before; null: it had none."`
	After  rest.Value `json:"after" doc:"Its value after; null: it has none."`
}

// CallbackOutcome is the outcome of a callback.
type CallbackOutcome struct {
	Key          string   `json:"key,omitempty" doc:"The key of the callback, where several are asked at one point." example:"screening"`
	URL          string   `json:"url" doc:"As configured, variables not expanded; empty: by a definition that you may not see." example:"${CASEHOOK_VAR_CALLBACKS}/kyc/submit"`
	WebhookID    string   `json:"webhook_id" doc:"The webhook-id that it was asked with."`
	Attempts     int      `json:"attempts" doc:"The number of requests to it." example:"1"`
	DurationMS   int64    `json:"duration_ms" doc:"The duration, waits between attempts included." example:"38"`
	Status       int      `json:"status,omitempty" doc:"The HTTP status of the last attempt; absent: there was no answer." example:"200"`
	Failure      string   `json:"failure,omitempty" doc:"Why it failed, where the case type ignores that."`
	Skipped      bool     `json:"skipped,omitempty" doc:"It was not asked: its condition was not true."`
	Listener     bool     `json:"listener,omitempty" doc:"The submitter's own machine answered in its place."`
	ReplacedData bool     `json:"replaced_data,omitempty" doc:"It answered with data, which replaced what was submitted."`
	Warnings     []string `json:"warnings,omitempty" doc:"Its warnings, which were ignored."`
	Override     string   `json:"override_state,omitempty" doc:"The state that it diverted the case to." example:"escalated"`
	IgnoredKeys  []string `json:"ignored_keys,omitempty" doc:"Keys of its answer that are not documented, and were ignored: the first 10, and 64 bytes of each."`
}

// entryPosition is the position of a commit in a history.
type entryPosition struct{ ID int64 }

// historyHandler has the operations on the histories of cases and contacts.
type historyHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h historyHandler) register() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetHistory, Pattern: "GET /v1/cases/{id}/history", Tag: "cases",
		Summary:     "Get a case's history",
		Description: "The case's commits with their actors, and the answers of its callbacks; the newest first.",
		Problems:    []int{http.StatusNotFound},
	}, h.getHistory)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetContactHistory, Pattern: "GET /v1/contacts/{id}/history", Tag: "contacts",
		Summary:     "Get a contact's history",
		Description: "The contact's commits with their actors; the newest first.",
		Problems:    []int{http.StatusNotFound},
	}, h.getContactHistory)
}

func (h historyHandler) getHistory(ctx context.Context, in *struct {
	rest.InCase
	rest.Paging
}) (*rest.PageAnswer[HistoryEntry], error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return h.pageOfHistory(ctx, "history/"+in.ID, in.Paging, id, h.historyOfCase)
}

// historyOfCase loads a page of a case's history.
func (h historyHandler) historyOfCase(
	ctx context.Context, p access.Principal, id, before int64, limit int,
) (page store.Page[shownEntry], err error) {
	found, err := h.service.Cases.History(ctx, p, id, before, limit)
	if err != nil || len(found.Items) == 0 {
		return page, err
	}
	newest, oldest := found.Items[0], found.Items[len(found.Items)-1]
	confirmations, err := h.service.Cases.Confirmations(ctx, p, id, oldest.Version, newest.Version)
	page.More = found.More
	for _, e := range found.Items {
		entry := shownEntry{entry: e}
		if c, confirmed := confirmations[e.Version]; confirmed {
			entry.confirmation = &c
		}
		page.Items = append(page.Items, entry)
	}
	return page, err
}

// historyOfContact loads a page of a contact's history.
func (h historyHandler) historyOfContact(
	ctx context.Context, p access.Principal, id, before int64, limit int,
) (page store.Page[shownEntry], err error) {
	found, err := h.service.Contacts.ContactHistory(ctx, p, id, before, limit)
	page.More = found.More
	for _, e := range found.Items {
		page.Items = append(page.Items, shownEntry{entry: e})
	}
	return page, err
}

// shownEntry is an entry of a history, and what confirmed it; nil: nothing.
type shownEntry struct {
	entry        *event.Entry
	confirmation *casework.Confirmation
}

func (h historyHandler) getContactHistory(ctx context.Context, in *struct {
	rest.InContact
	rest.Paging
}) (*rest.PageAnswer[HistoryEntry], error) {
	id, err := in.ContactID()
	if err != nil {
		return nil, err
	}
	return h.pageOfHistory(ctx, "contact-history/"+in.ID, in.Paging, id, h.historyOfContact)
}

type historyFunc func(ctx context.Context, p access.Principal, id, before int64, limit int) (store.Page[shownEntry],
	error)

func (h historyHandler) pageOfHistory(ctx context.Context, name string, in rest.Paging, id int64,
	load historyFunc) (*rest.PageAnswer[HistoryEntry], error) {
	var before entryPosition
	if err := h.kernel.Open(name, in.Cursor, &before); err != nil {
		return nil, err
	}
	found, err := load(ctx, rest.PrincipalOf(ctx), id, before.ID, in.Limit)
	if err != nil {
		return nil, err
	}
	show := func(e shownEntry) (HistoryEntry, error) {
		out, err := showEntry(rest.PrincipalOf(ctx), e.entry)
		out.Confirmation = showConfirmation(e.confirmation)
		return out, err
	}
	return rest.NewFalliblePager(h.kernel, name, show,
		func(e shownEntry) entryPosition { return entryPosition{e.entry.ID} }).PageOf(found)
}

func showEntry(p access.Principal, e *event.Entry) (HistoryEntry, error) {
	out := HistoryEntry{Version: e.Version, At: rest.Time(e.At), By: rest.ShowActor(p, e.Actor), Facts: []Fact{},
		Changes: []Change{}, Summary: e.Snapshot.Note.Summary, Description: e.Snapshot.Note.Description}
	if e.Snapshot.Case != nil {
		out.State = e.Snapshot.Case.State
	}
	if e.Callback != nil {
		out.Callback = showOutcome(e.Callback)
		for c := e.Callback.Earlier; c != nil; c = c.Earlier {
			out.EarlierCallbacks = append(out.EarlierCallbacks, *showOutcome(c))
		}
		slices.Reverse(out.EarlierCallbacks)
	}
	for _, f := range e.Facts {
		changes, err := changesOf(e, f)
		if err != nil {
			return out, err
		}
		for _, c := range changes {
			out.Changes = append(out.Changes,
				Change{Path: c.Path, Before: rest.Value(c.Before), After: rest.Value(c.After)})
		}
		fact, err := showFact(p, f)
		if err != nil {
			return out, err
		}
		out.Facts = append(out.Facts, fact)
	}
	return out, nil
}

func showOutcome(c *event.Callback) *CallbackOutcome {
	return &CallbackOutcome{
		Key:          c.Key,
		URL:          c.URL,
		WebhookID:    c.WebhookID,
		Attempts:     c.Attempts,
		DurationMS:   c.DurationMS,
		Status:       c.Status,
		Failure:      c.Failure,
		Skipped:      c.Skipped,
		Listener:     c.Listener,
		ReplacedData: c.ReplacedData,
		Warnings:     c.Warnings,
		Override:     c.Override,
		IgnoredKeys:  c.IgnoredKeys,
	}
}

// showFact returns a fact as the caller may see it. Changes are shown apart from facts.
func showFact(p access.Principal, f event.Fact) (Fact, error) {
	switch {
	case event.CaseChanged.Is(f), event.ContactUpdated.Is(f), string(f.Data) == "{}":
		return Fact{Name: f.Name}, nil
	case event.CaseAssigned.Is(f):
		who, err := event.CaseAssigned.Decode(f)
		f = event.CaseAssigned.New(p.RedactPerson(who))
		return Fact{f.Name, rest.Object(f.Data)}, err
	case event.CaseUnassigned.Is(f):
		who, err := event.CaseUnassigned.Decode(f)
		f = event.CaseUnassigned.New(p.RedactPerson(who))
		return Fact{f.Name, rest.Object(f.Data)}, err
	}
	return Fact{f.Name, rest.Object(f.Data)}, nil
}

// changesOf returns the fields that a fact changed. A creation changed all fields that
// are set after it.
func changesOf(e *event.Entry, f event.Fact) ([]event.Change, error) {
	switch {
	case event.CaseChanged.Is(f):
		data, err := event.CaseChanged.Decode(f)
		return data.Changes, err
	case event.ContactUpdated.Is(f):
		data, err := event.ContactUpdated.Decode(f)
		return data.Changes, err
	case event.ContactCreated.Is(f) && e.Snapshot.Contact != nil:
		return cases.ContactChanges(event.ContactDetails{}, e.Snapshot.Contact.ContactDetails), nil
	case event.CaseCreated.Is(f) && e.Snapshot.Case != nil:
		data, err := casetype.Decode(e.Snapshot.Case.Data)
		if err != nil {
			return nil, err
		}
		creation, err := event.CaseCreated.Decode(f)
		if err != nil {
			return nil, err
		}
		return cases.Changes(cases.Case{}, cases.Case{Name: e.Snapshot.Case.Name, Color: creation.Color, Data: data})
	}
	return nil, nil
}
