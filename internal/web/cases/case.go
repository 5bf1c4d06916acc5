package cases

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// casePage is the page of one case.
type casePage struct {
	Case        casework.View
	Color       string
	StateName   string
	Final       bool
	Transitions []transitionButton
	Form        submissionForm
	Shown       []formField // the values of fields that the form has not
	Comment     string      // that could not be saved
	CommentFail string
	Documents   []cases.Attachment
	Offered     []casetype.Document
	Proofs      []proofRow
	Timeline    timeline
	May         may
	Comments    bool // the reader may comment
	Uploads     bool
	Users       []event.Person
	Labels      []cases.Label
	Now         time.Time
	Saved       bool // a form was just saved

	Confirmation casework.Confirmation // of the submission that was just saved, in Markdown
}

// transitionButton is a transition, ready to be chosen.
type transitionButton struct {
	Key, Title string
	Reason     string // why it can't be taken as the case is; empty: it can
	Form       bool   // it has fields, and so a page of its own
	Open       bool   // it can be chosen: now, or with data that its page asks for
}

// proofRow is a proof of a case type, and the files that the case has of it.
type proofRow struct {
	casetype.Proof
	Files []cases.Attachment
}

// submissionForm is a form of a transition, an edit included.
type submissionForm struct {
	Action   string
	Key      string // of the transition
	Title    string // of the button
	Asks     string // the callback that will be asked; empty: none
	Revision int64
	Fields   []formField
	Faults   []ui.Fault
	Refused  *refusal
}

// refusal is a callback's answer that refused a submission.
type refusal struct {
	By       string // the sentence that says who refused
	Errors   []string
	Warnings []string // which can be ignored, if there are no errors
}

func (h handler) caseID(r *ui.Request) (int64, error) {
	id, err := strconv.ParseInt(r.Path("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, fault.New(fault.NotFound, "case.not_found", "There is no case %q. Its id is a number.", r.Path("id"))
	}
	return id, nil
}

func (h handler) show(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	view, err := h.services.Cases.Case(ctx, r.Principal, id)
	if err != nil {
		return ui.View{}, err
	}
	return h.casePage(ctx, r, view, sent{})
}

// confirmation returns the answer of a callback about the submission that was just saved. The address has its version.
func (h handler) confirmation(ctx context.Context, r *ui.Request, id int64) (casework.Confirmation, error) {
	version, err := strconv.ParseInt(r.Query("saved"), 10, 64)
	if err != nil {
		return casework.Confirmation{}, nil
	}
	all, err := h.services.Cases.Confirmations(ctx, r.Principal, id, version, version)
	return all[version], err
}

// sent is what a request sent that could not be saved, and why.
type sent struct {
	data map[string]any
	err  error
}

// casePage renders the page of a case. Its form shows what was sent, if that could not be saved.
func (h handler) casePage(ctx context.Context, r *ui.Request, view casework.View, s sent) (ui.View, error) {
	page, err := h.readPage(ctx, r, view)
	if err != nil {
		return ui.View{}, err
	}
	out := ui.View{
		Title: view.Reference + " " + view.Name, Section: "/cases",
		Call: "GET /v1/cases/" + strconv.FormatInt(view.ID, 10),
	}
	if page.Form, err = editForm(view, r.Principal, s); err != nil {
		return ui.View{}, err
	}
	if s.err != nil {
		out.Status = http.StatusUnprocessableEntity
	}
	if page.Confirmation, err = h.confirmation(ctx, r, view.ID); err != nil {
		return ui.View{}, err
	}
	page.Saved = r.Query("saved") != ""
	out.Body = caseTemplate(page)
	return out, nil
}

// readPage reads all of a case's page but its form.
func (h handler) readPage(ctx context.Context, r *ui.Request, view casework.View) (page casePage, err error) {
	p := r.Principal
	state, _ := view.Definition.State(view.State)
	page = casePage{
		Case: view, Color: view.EffectiveColor(view.Definition), StateName: stateName(state.Name, view.State),
		Final: state.Final, Transitions: transitionsOf(view), May: mayOf(p), Now: h.guard.Now(),
		Comments: p.Role.Permits(access.AddComment), Uploads: p.Role.Permits(access.UploadProof),
	}
	if p.Role.Permits(access.GenerateDocument) {
		page.Offered = view.Definition.Documents
	}
	page.Documents, err = h.services.Files.Attachments(ctx, p, store.AttachmentFilter{
		CaseID: view.ID, Kind: cases.Document, Limit: maxFiles,
	})
	if err != nil {
		return page, err
	}
	if page.Proofs, err = h.proofs(ctx, p, view); err != nil {
		return page, err
	}
	if page.May.assign {
		if page.Users, _, err = h.users.Colleagues(ctx, p, 0, maxKnown); err != nil {
			return page, err
		}
	}
	if page.Labels, err = h.services.Labels.Labels(ctx, p); err != nil {
		return page, err
	}
	page.Shown = shownFields(fieldsOf(view.Definition, p.Sight()), view.Data, nil, nil)
	page.Timeline, err = h.timeline(ctx, r, view)
	return page, err
}

// maxFiles bounds the files that a page shows.
const maxFiles = 100

func (h handler) proofs(ctx context.Context, p access.Principal, view casework.View) (rows []proofRow, err error) {
	files, err := h.services.Files.Attachments(ctx, p, store.AttachmentFilter{
		CaseID: view.ID, Kind: cases.Proof, Limit: maxFiles,
	})
	for _, proof := range view.Definition.Proofs {
		row := proofRow{Proof: proof}
		for _, f := range files {
			if f.Key == proof.Key {
				row.Files = append(row.Files, f)
			}
		}
		rows = append(rows, row)
	}
	return rows, err
}

// transitionsOf returns the transitions that a case's reader may choose from, in the order of the definition.
func transitionsOf(view casework.View) (all []transitionButton) {
	for _, tr := range view.Definition.Transitions {
		if tr.Key == view.Definition.Edit && !isGuided(tr) || len(tr.From) == 0 {
			continue
		}
		b := transitionButton{
			Key: tr.Key, Title: stateName(tr.Name, tr.Key),
			Form: tr.Fields == nil || len(tr.Fields) > 0 || isGuided(tr),
		}
		if slices.Contains(view.Transitions, tr.Key) {
			b.Open = true
			all = append(all, b)
			continue
		}
		for _, blocked := range view.Blocked {
			if blocked.Key == tr.Key {
				b.Reason, b.Open = blocked.Reason, b.Form && len(blocked.Fields) > 0
				all = append(all, b)
			}
		}
	}
	return all
}

// formOf returns the form of a transition, with what was sent and could not be saved.
func formOf(view casework.View, p access.Principal, tr casetype.Transition, s sent) (submissionForm, error) {
	form := submissionForm{
		Action: casePath(view.ID) + "/transitions/" + tr.Key, Key: tr.Key, Title: stateName(tr.Name, tr.Key),
		Revision: view.Revision, Asks: asks(tr.AboutToSubmit),
	}
	faults := map[string]string{}
	fields := settable(view.Definition, tr, p)
	if s.err != nil {
		if err := form.refuse(s.err, fields, faults); err != nil {
			return form, err
		}
	}
	form.Fields = shownFields(fields, view.Data, s.data, faults)
	return form, nil
}

// editForm returns the form that edits a case; without fields if its reader may not, or if it has a page of its own.
func editForm(view casework.View, p access.Principal, s sent) (submissionForm, error) {
	tr, ok := view.Definition.Transition(view.Definition.Edit)
	if !ok || isGuided(tr) || !slices.Contains(view.Transitions, tr.Key) {
		return submissionForm{}, nil
	}
	form, err := formOf(view, p, tr, s)
	form.Action, form.Title = casePath(view.ID), "Save"
	return form, err
}

// settable returns the fields that somebody may set by a transition, and sees.
func settable(t *casetype.Type, tr casetype.Transition, p access.Principal) (fields []field) {
	for _, f := range fieldsOf(t, p.Sight()) {
		listed := tr.Fields == nil || slices.Contains(tr.Fields, f.Name)
		if listed && p.Among(t.Access.Setters(f.Name, tr.Creates())) {
			f.Required = f.Required || slices.Contains(tr.Required, f.Name)
			fields = append(fields, f)
		}
	}
	return fields
}

// asks names callbacks.
func asks(callbacks casetype.CallbackList) string {
	var all []string
	for _, c := range callbacks {
		all = append(all, shortURL(c.URL))
	}
	return strings.Join(all, ", ")
}

// shortURL leaves out the variable or the host that a URL begins with.
func shortURL(url string) string {
	if _, path, ok := strings.Cut(url, "}/"); ok {
		return "/" + path
	}
	if _, rest, ok := strings.Cut(url, "://"); ok {
		if _, path, ok := strings.Cut(rest, "/"); ok {
			return "/" + path
		}
	}
	return url
}

// refuse puts the error of a submission into its form. It returns the errors that are no matter of the form.
func (f *submissionForm) refuse(err error, fields []field, faults map[string]string) error {
	e := fault.As(err)
	if len(e.Errors) > 0 || len(e.Warnings) > 0 {
		f.Refused = &refusal{By: e.Detail, Errors: e.Errors, Warnings: e.Warnings}
		return nil
	}
	all, err := ui.FaultsOf(err, func(path string) (id, title string) {
		path = strings.TrimPrefix(path, "/")
		return path, titleOf(fields, path)
	})
	for _, one := range all {
		if one.Field != "" {
			faults[one.Field] = one.Message
		}
	}
	f.Faults = all
	return err
}

// titleOf names the field at a path, with the fields that it is in.
func titleOf(fields []field, path string) string {
	for _, f := range fields {
		if path == f.Path {
			return f.Title
		}
		if strings.HasPrefix(path, f.Path+"/") {
			parts := f.Parts
			if f.Item != nil {
				rest := strings.TrimPrefix(path, f.Path+"/")
				number, _, _ := strings.Cut(rest, "/")
				n, _ := strconv.Atoi(number)
				item := f.item(n)
				if parts = item.Parts; len(parts) == 0 {
					return f.Title + ", " + strconv.Itoa(n+1)
				}
			}
			return f.Title + ": " + titleOf(parts, path)
		}
	}
	return path[strings.LastIndex(path, "/")+1:]
}

// edit saves the form of a case.
func (h handler) edit(ctx context.Context, r *ui.Request) (ui.View, error) {
	id, err := h.caseID(r)
	if err != nil {
		return ui.View{}, err
	}
	view, err := h.services.Cases.Case(ctx, r.Principal, id)
	if err != nil {
		return ui.View{}, err
	}
	tr, ok := view.Definition.Transition(view.Definition.Edit)
	if !ok {
		return ui.View{}, fault.New(fault.Conflict, "transition.no_edit", "Cases of this type can't be edited.")
	}
	in, data := h.submission(r, view, tr)
	in.Edit, in.Transition = true, ""
	saved, err := h.services.Submissions.Submit(ctx, r.Principal, in, authz.Once{})
	if err != nil {
		return h.again(ctx, r, view, sent{data, err})
	}
	return ui.Redirect(savedPath(saved)), nil
}

// submission reads the form of a transition. The data is what it changes.
func (h handler) submission(
	r *ui.Request, view casework.View, tr casetype.Transition,
) (casework.Submission, map[string]any) {
	fields := settable(view.Definition, tr, r.Principal)
	data := changes(fields, r.HTTP.PostForm, view.Data)
	in := casework.Submission{
		CaseID: view.ID, Transition: tr.Key, Data: data, IgnoreWarning: r.Form("ignore_warning") == "true",
	}
	if revision, err := strconv.ParseInt(r.Form("revision"), 10, 64); err == nil {
		in.IfRevision = casework.Revisions{revision}
	}
	return in, data
}

// again shows the page of a case with what could not be saved. If somebody else was faster, it shows the case as it
// is now.
func (h handler) again(ctx context.Context, r *ui.Request, view casework.View, s sent) (ui.View, error) {
	if fault.As(s.err).Code == "case.version_conflict" {
		var err error
		if view, err = h.services.Cases.Case(ctx, r.Principal, view.ID); err != nil {
			return ui.View{}, err
		}
		s.err = overtaken()
	}
	return h.casePage(ctx, r, view, s)
}

func overtaken() error {
	return fault.New(fault.Conflict, "case.version_conflict",
		"Somebody changed the case while you worked on it. Your entries are below, marked, beside what is saved now. "+
			"Look through them, and save again.")
}
