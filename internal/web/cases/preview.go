package cases

import (
	"cmp"
	"context"
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// previewPage shows the forms of a version of a case type. None of them can be sent.
type previewPage struct {
	Version definitions.TypeVersion
	Forms   []previewForm
}

// previewForm is the form of a transition, as people who work on cases see it.
type previewForm struct {
	submissionForm
	Name     string // of the transition
	From, To string
	Roles    string
	Edits    bool // it is the form on a case's own page
	Pages    []previewedPage
}

// previewedPage is a page of a form, with all that it may show.
type previewedPage struct {
	Title, ShowIf, Asks string
	Items               []shownItem
}

func (h handler) previewForms(ctx context.Context, r *ui.Request) (ui.View, error) {
	shown, err := h.typeVersion(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	page := previewPage{Version: shown}
	for _, tr := range shown.Type.Transitions {
		page.Forms = append(page.Forms, preview(shown.Type, tr, r.Principal))
	}
	return ui.View{
		Title: "Forms of " + shown.Type.Name, Section: "/types", Body: previewTemplate(page),
		Call: "GET /v1/case-types/" + shown.Type.Key,
	}, nil
}

// typeVersion reads the version of a case type that a page's address names. Without one, it is the newest.
func (h handler) typeVersion(ctx context.Context, r *ui.Request) (definitions.TypeVersion, error) {
	version := int64(0)
	if text := r.Query("version"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n <= 0 {
			return definitions.TypeVersion{}, fault.New(fault.Invalid, "request.invalid",
				"version is a number from 1 on.")
		}
		version = n
	}
	return h.services.CaseTypes.CaseType(ctx, r.Principal, r.Path("key"), version)
}

// preview returns the form of a transition: a new case's with the default values, and any other's empty.
func preview(t *casetype.Type, tr casetype.Transition, p access.Principal) previewForm {
	shown := previewForm{
		submissionForm: submissionForm{Key: tr.Key, Title: stateName(tr.Name, tr.Key), Asks: asks(tr.AboutToSubmit)},
		Name:           stateName(tr.Name, tr.Key),
		From:           fromStates(t, tr), To: toStates(t, tr), Roles: rolesOf(tr),
	}
	data := map[string]any{}
	switch {
	case tr.Creates():
		data, shown.Title = t.Complete(data, nil), cmp.Or(tr.Name, "Create")
	case tr.Key == t.Edit && !isGuided(tr):
		shown.Title, shown.Edits = "Save", true
	}
	data = t.Begin(tr, data)
	fields := settable(t, tr, p)
	if len(tr.Pages) > 0 {
		reader := newPageReader(subject{typ: t, tr: tr}, p.Sight(), fieldsOf(t, p.Sight()), fields)
		shown.Pages = previewPages(reader, data)
		return shown
	}
	for i, f := range fields {
		fields[i] = f.moved("data", tr.Key) // the ids of a page's elements differ
	}
	shown.Fields = shownFields(fields, data, nil, nil)
	return shown
}

// previewPages returns the pages of a form, whatever their conditions are.
func previewPages(r pageReader, data map[string]any) (all []previewedPage) {
	r.data, r.all = data, true
	for _, p := range r.pages() {
		page := previewedPage{Title: p.title(), Asks: asks(p.Page.MidEvent)}
		if r.of.typ.MayReveal(r.reader, p.Page.ShowIf) {
			page.ShowIf = p.Page.ShowIf
		}
		for _, item := range p.Items {
			shown := shownItem{Text: item.Text, IsRaw: item.IsRaw}
			if !item.IsRaw {
				shown.Field = item.Field.moved("data", r.of.tr.Key+"-"+p.Page.Key).show(data[item.Field.Name])
			}
			page.Items = append(page.Items, shown)
		}
		all = append(all, page)
	}
	return all
}
