package cases

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// newPage is the page on which a case is created.
type newPage struct {
	Types     []definitions.TypeSummary // to choose from; none: the type is chosen
	Type      *casetype.Type
	Creations []casetype.Transition
	Form      submissionForm
	Guided    *guidedForm // nil: the form is a plain one
}

// newCase shows the types of cases, or the form of one. If there is only one, it is chosen.
func (h handler) newCase(ctx context.Context, r *ui.Request) (ui.View, error) {
	key := r.Query("type")
	if key == "" {
		all, err := h.services.CaseTypes.CaseTypes(ctx, r.Principal)
		if err != nil {
			return ui.View{}, err
		}
		var types []definitions.TypeSummary
		for _, t := range all {
			if t.RetiredAt.IsZero() {
				types = append(types, t)
			}
		}
		if len(types) != 1 {
			body := chooseType(newPage{Types: types})
			return ui.View{Title: "New case", Section: "/cases", Body: body, Call: "GET /v1/case-types"}, nil
		}
		key = types[0].Key
	}
	return h.newForm(ctx, r, key, r.Query("transition"), sent{})
}

// newForm shows the form that creates a case.
func (h handler) newForm(ctx context.Context, r *ui.Request, key, transition string, s sent) (ui.View, error) {
	found, err := h.services.CaseTypes.CaseType(ctx, r.Principal, key, 0)
	if err != nil {
		return ui.View{}, err
	}
	page := newPage{Type: found.Type, Creations: offered(found.Type)}
	tr, err := creation(found.Type, transition)
	if err != nil {
		return ui.View{}, err
	}
	if isGuided(tr) {
		return h.guided(ctx, r, subject{typ: found.Type, tr: tr})
	}
	page.Form = submissionForm{
		Action: "/cases/new", Key: "new " + key + " " + tr.Key, Title: stateName(tr.Name, "Create"),
		Asks: asks(tr.AboutToSubmit),
	}
	fields := settable(found.Type, tr, r.Principal)
	faults := map[string]string{}
	if s.err != nil {
		if err := page.Form.refuse(s.err, fields, faults); err != nil {
			return ui.View{}, err
		}
	}
	page.Form.Fields = shownFields(fields, found.Type.Complete(map[string]any{}, nil), s.data, faults)
	view := ui.View{
		Title: "New " + found.Type.Name, Section: "/cases", Body: newTemplate(page, tr.Key),
		Call: "POST /v1/case-types/" + key + "/cases",
	}
	if s.err != nil {
		view.Status = http.StatusUnprocessableEntity
	}
	return view, nil
}

// offered lists the transitions that create a case and are offered for one with the default values.
func offered(t *casetype.Type) []casetype.Transition {
	conditions := t.Evaluation(casetype.Input{Data: t.Complete(map[string]any{}, nil)}, nil)
	return slices.DeleteFunc(t.Creations(),
		func(tr casetype.Transition) bool { return !conditions.Offers(tr.Key) })
}

// creation returns the transition that creates a case: the one with the key, or the first that is offered, if any is.
func creation(t *casetype.Type, key string) (casetype.Transition, error) {
	for _, tr := range append(offered(t), t.Creations()...) {
		if key == "" || tr.Key == key {
			return tr, nil
		}
	}
	return casetype.Transition{}, fault.New(fault.NotFound, "transition.not_found",
		"The case type %q has no transition %q that creates a case.", t.Key, key)
}

// create creates a case from the form.
func (h handler) create(ctx context.Context, r *ui.Request) (ui.View, error) {
	key, transition := r.Form("type"), r.Form("transition")
	found, err := h.services.CaseTypes.CaseType(ctx, r.Principal, key, 0)
	if err != nil {
		return ui.View{}, err
	}
	tr, err := creation(found.Type, transition)
	if err != nil {
		return ui.View{}, err
	}
	if isGuided(tr) {
		return h.guided(ctx, r, subject{typ: found.Type, tr: tr})
	}
	data := changes(settable(found.Type, tr, r.Principal), r.HTTP.PostForm, map[string]any{})
	in := casework.Submission{
		Type: key, Transition: tr.Key, Data: data, IgnoreWarning: r.Form("ignore_warning") == "true",
	}
	if name := strings.TrimSpace(r.Form("case-name")); name != "" {
		in.Name = &name
	}
	made, err := h.services.Submissions.Submit(ctx, r.Principal, in, authz.Once{})
	if err != nil {
		return h.newForm(ctx, r, key, tr.Key, sent{data, err})
	}
	return ui.Redirect(savedPath(made)), nil
}
