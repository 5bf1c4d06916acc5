package cases

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// timeline is what happened to a case, the newest first.
type timeline struct {
	Events []timelineEvent
	Older  string // the address of the page behind
	Told   bool   // the reader may see who was told
}

// timelineEvent is one commit.
type timelineEvent struct {
	Version int64
	At      time.Time
	Who     string
	What    string // the rest of the sentence
	Comment string
	Note    event.Note
	Diff    []diffLine

	Confirmation casework.Confirmation // of a submission, in Markdown
	Asked        []askedLine
	Told         []toldLine
}

// askedLine is a callback that was asked before a commit.
type askedLine struct {
	URL, Verdict, Color, Note string
	Href                      string // of the question; empty: it has no page of its own
	Took                      time.Duration
}

// toldLine is a message, and those that it was for.
type toldLine struct {
	Trigger string
	To      []toldTo
}

type toldTo struct {
	Endpoint, Name, Status, Color string
	Bad                           bool // worth a line of its own
}

// eventsPerPage is the number of commits that a page of a timeline has.
const eventsPerPage = 20

// timeline reads the newest part of a case's timeline, or the part that the address names.
func (h handler) timeline(ctx context.Context, r *ui.Request, view casework.View) (t timeline, err error) {
	var before struct{ ID int64 }
	if err := r.Position("console timeline", &before); err != nil {
		return t, err
	}
	found, err := h.services.Cases.History(ctx, r.Principal, view.ID, before.ID, eventsPerPage)
	if err != nil {
		return t, err
	}
	comments, err := h.comments(ctx, r.Principal, view.ID, found.Items)
	if err != nil {
		return t, err
	}
	told := map[int64][]toldLine{}
	if t.Told = r.Principal.Role.Permits(access.ListCaseDeliveries); t.Told {
		if told, err = h.told(ctx, r.Principal, view.ID, before.ID); err != nil {
			return t, err
		}
	}
	confirmations := map[int64]casework.Confirmation{}
	if n := len(found.Items); n > 0 {
		confirmations, err = h.services.Cases.Confirmations(ctx, r.Principal, view.ID, found.Items[n-1].Version,
			found.Items[0].Version)
		if err != nil {
			return t, err
		}
	}
	words := newWording(view.Definition)
	for _, e := range found.Items {
		shown, err := showEvent(r.Principal, words, e)
		if err != nil {
			return t, err
		}
		for _, f := range e.Facts {
			if c, err := event.CaseCommented.Decode(f); err == nil {
				shown.Comment = comments[c.ID]
			}
		}
		shown.Told, shown.Confirmation = told[e.Version], confirmations[e.Version]
		t.Events = append(t.Events, shown)
	}
	since, until := spanOf(found, before.ID == 0)
	refused, err := h.refused(ctx, r.Principal, view, since, until)
	if err != nil {
		return t, err
	}
	t.Events = append(t.Events, refused...)
	slices.SortStableFunc(t.Events, func(a, b timelineEvent) int { return b.At.Compare(a.At) })
	if found.More && len(found.Items) > 0 {
		t.Older, err = r.Cursor("console timeline", struct{ ID int64 }{found.Items[len(found.Items)-1].ID})
	}
	return t, err
}

// spanOf returns the time that a part of a timeline covers: it begins with its last commit, or with the case, and ends
// with its first commit unless that is the newest.
func spanOf(found store.Page[*event.Entry], newest bool) (since, until time.Time) {
	if n := len(found.Items); n > 0 {
		if found.More {
			since = found.Items[n-1].At
		}
		if !newest {
			until = found.Items[0].At
		}
	}
	return since, until
}

// comments returns the texts of the comments that entries are about, by id.
func (h handler) comments(
	ctx context.Context, p access.Principal, id int64, entries []*event.Entry,
) (map[string]string, error) {
	texts := map[string]string{}
	oldest := ""
	for _, e := range entries { // the newest first
		for _, f := range e.Facts {
			if c, err := event.CaseCommented.Decode(f); err == nil {
				oldest = c.ID
			}
		}
	}
	if oldest == "" {
		return texts, nil
	}
	before := oldest[:len(oldest)-1] // which precedes it
	found, err := h.services.Comments.Comments(ctx, p, id, before, maxFiles)
	for _, c := range found.Items {
		texts[c.ID] = c.Text
		if c.Due != "" {
			texts[c.ID] += "\nDue on " + c.Due + "."
		}
	}
	return texts, err
}

// told returns the deliveries of a case's messages, by version.
func (h handler) told(ctx context.Context, p access.Principal, id, before int64) (map[int64][]toldLine, error) {
	all := map[int64][]toldLine{}
	found, _, err := h.messages.CaseDeliveries(ctx, p, id, before, eventsPerPage)
	for _, m := range found {
		line := toldLine{Trigger: m.Trigger}
		for _, d := range m.To {
			line.To = append(line.To, showDelivery(d))
		}
		if len(line.To) > 0 {
			all[m.Entry.Version] = append(all[m.Entry.Version], line)
		}
	}
	return all, err
}

// deliveryColors are the colours of the statuses of deliveries.
var deliveryColors = map[hooks.DeliveryStatus]string{
	hooks.DeliveryDone: "green", hooks.DeliveryWaiting: "gray", hooks.DeliveryParked: "orange",
	hooks.DeliveryDead: "red", hooks.DeliveryDropped: "gray", hooks.DeliveryEnded: "red",
}

func showDelivery(d hooks.Delivery) toldTo {
	to := toldTo{
		Endpoint: d.Endpoint, Name: cmp.Or(d.Name, d.Endpoint), Color: deliveryColors[d.Status],
		Bad: d.Status != hooks.DeliveryDone && d.Status != hooks.DeliveryWaiting,
	}
	switch d.Status {
	case hooks.DeliveryDone:
		to.Status = strconv.Itoa(d.Tries.Status)
		if d.Tries.Count > 1 {
			to.Status += " at try " + strconv.Itoa(d.Tries.Count)
		}
	case hooks.DeliveryWaiting:
		to.Status = "waits for its turn"
	default:
		to.Status = string(d.Status)
		if d.Reason != "" {
			to.Status += ": " + d.Reason
		}
	}
	return to
}

// showEvent shows one commit.
func showEvent(p access.Principal, words *wording, e *event.Entry) (timelineEvent, error) {
	shown := timelineEvent{
		Version: e.Version, At: e.At, Who: p.Redact(e.Actor).Title(), Note: e.Snapshot.Note,
	}
	var parts []string
	for _, f := range e.Facts {
		diff, err := diffOf(words, e, f)
		if err != nil {
			return shown, err
		}
		shown.Diff = append(shown.Diff, diff...)
		part, err := phrase(p, words.typ, f, len(diff))
		if err != nil {
			return shown, err
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	switch shown.What = strings.Join(parts, ", "); {
	case shown.What == "" && shown.Note != (event.Note{}):
		shown.What = "wrote about it"
	case shown.What == "":
		shown.What = "changed what you may not see"
	}
	for c := e.Callback; c != nil; c = c.Earlier {
		shown.Asked = append(shown.Asked, showAsked(words.typ, c))
	}
	slices.Reverse(shown.Asked)
	return shown, nil
}

func showAsked(t *casetype.Type, c *event.Callback) askedLine {
	line := askedLine{
		URL: shortURL(c.URL), Verdict: "accepted", Color: "green", Took: time.Duration(c.DurationMS) * time.Millisecond,
	}
	if c.URL == "" {
		line.URL = "a callback"
	}
	switch {
	case c.Skipped:
		line.Verdict, line.Color = "not asked: its condition was not true", "gray"
		if c.Failure != "" {
			line.Verdict = c.Failure
		}
	case c.Failure != "":
		line.Verdict, line.Color, line.Note = "failed, which the case type ignores", "orange", c.Failure
	case len(c.Warnings) > 0:
		line.Verdict, line.Color, line.Note = "warned, continued anyway", "orange", strings.Join(c.Warnings, " ")
	case c.Override != "":
		state, _ := t.State(c.Override)
		line.Verdict = "diverted to " + stateName(state.Name, c.Override)
	case c.ReplacedData:
		line.Verdict = "accepted, with data of its own"
	}
	if c.Attempts > 1 {
		line.Note = strings.TrimSpace(line.Note + " It took " + ui.Count(c.Attempts, "try") + ".")
	}
	return line
}

// phrase says what a fact means, as a part of a sentence; nothing: another fact of the commit says it.
func phrase(p access.Principal, t *casetype.Type, f event.Fact, changed int) (string, error) {
	name := func(key string) string {
		state, _ := t.State(key)
		return stateName(state.Name, key)
	}
	switch {
	case event.CaseCreated.Is(f):
		return "created the case", nil
	case event.CaseChanged.Is(f):
		return "changed " + ui.Count(changed, "field"), nil
	case event.CaseStateChanged.Is(f):
		moved, err := event.CaseStateChanged.Decode(f)
		if moved.From == "" {
			return "in " + name(moved.To), err
		}
		return "moved it from " + name(moved.From) + " to " + name(moved.To), err
	case event.CaseCommented.Is(f):
		return "commented", nil
	case event.CaseAssigned.Is(f):
		who, err := event.CaseAssigned.Decode(f)
		return "assigned it to " + p.RedactPerson(who).Name, err
	case event.CaseUnassigned.Is(f):
		who, err := event.CaseUnassigned.Decode(f)
		return "took it from " + p.RedactPerson(who).Name, err
	case event.CaseLabelAdded.Is(f):
		l, err := event.CaseLabelAdded.Decode(f)
		return "added the label " + l.Slug, err
	case event.CaseLabelRemoved.Is(f):
		l, err := event.CaseLabelRemoved.Decode(f)
		return "removed the label " + l.Slug, err
	}
	return otherPhrase(t, f)
}

func otherPhrase(t *casetype.Type, f event.Fact) (string, error) {
	switch {
	case event.CaseDocumentsGenerated.Is(f):
		d, err := event.CaseDocumentsGenerated.Decode(f)
		return "generated " + documentNames(t, d.Keys), err
	case event.CaseProofsUploaded.Is(f):
		d, err := event.CaseProofsUploaded.Decode(f)
		return "uploaded " + proofNames(t, d.Keys), err
	case event.CaseContactLinked.Is(f):
		c, err := event.CaseContactLinked.Decode(f)
		return "linked a contact as " + c.Role, err
	case event.CaseContactUnlinked.Is(f):
		c, err := event.CaseContactUnlinked.Decode(f)
		return "unlinked the contact that was " + c.Role, err
	case event.CaseTypeSwitched.Is(f):
		s, err := event.CaseTypeSwitched.Decode(f)
		return "switched it to the type " + s.To, err
	case event.CaseMigrated.Is(f):
		m, err := event.CaseMigrated.Decode(f)
		return "moved it to version " + strconv.FormatInt(m.To, 10) + " of its type", err
	case event.CaseApproved.Is(f), event.CaseDeclined.Is(f), event.CaseFinished.Is(f), event.CaseClosed.Is(f):
		return "", nil // the change of its state says so
	}
	return strings.ReplaceAll(strings.TrimPrefix(f.Name, "case."), "_", " "), nil
}

func documentNames(t *casetype.Type, keys []string) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		d, _ := t.Document(key)
		names[i] = stateName(d.Name, key)
	}
	return strings.Join(names, ", ")
}

func proofNames(t *casetype.Type, keys []string) string {
	names := make([]string, len(keys))
	for i, key := range keys {
		d, _ := t.Proof(key)
		names[i] = stateName(d.Name, key)
	}
	return strings.Join(names, ", ")
}

// diffOf returns the fields that a fact changed.
func diffOf(words *wording, e *event.Entry, f event.Fact) (lines []diffLine, err error) {
	changed, err := changesOf(e, f)
	for _, c := range changed {
		lines = append(lines, words.changed(c.Path, decoded(c.Before), decoded(c.After))...)
	}
	return lines, err
}

// changesOf returns the changes of a fact. A creation changed all that is set after it.
func changesOf(e *event.Entry, f event.Fact) ([]event.Change, error) {
	switch {
	case event.CaseChanged.Is(f):
		data, err := event.CaseChanged.Decode(f)
		return data.Changes, err
	case event.CaseCreated.Is(f) && e.Snapshot.Case != nil:
		data, err := casetype.Decode(e.Snapshot.Case.Data)
		if err != nil {
			return nil, err
		}
		return cases.Changes(cases.Case{}, cases.Case{Data: data})
	}
	return nil, nil
}

// attachmentPath returns the address of a file.
func attachmentPath(a cases.Attachment, kind string) string {
	return "/v1/cases/" + strconv.FormatInt(a.CaseID, 10) + "/" + kind + "/" + a.ID
}
