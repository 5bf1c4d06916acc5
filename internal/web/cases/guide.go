package cases

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// subject is what a form is about: a transition of a case, or one that creates a case.
type subject struct {
	typ  *casetype.Type
	tr   casetype.Transition
	view casework.View // zero: it creates a case
}

func (s subject) creates() bool { return s.view.ID == 0 }

// newType returns the key of the type of the case to create; empty: it is about a case.
func (s subject) newType() string {
	if s.creates() {
		return s.typ.Key
	}
	return ""
}

// isGuided reports whether the form of a transition begins with a start: there is something to put in or to ask first,
// or it has pages.
func isGuided(tr casetype.Transition) bool {
	return len(tr.AboutToStart)+len(tr.Defaults)+len(tr.Nullify)+len(tr.Pages) > 0
}

// formState is what a guided form holds. It travels in the form from page to page.
type formState struct {
	Token    string          `json:"token"`             // of the start
	Revision int64           `json:"revision"`          // of the case at the start; 0: there is none
	Page     string          `json:"page"`              // its key; empty: the answers, or all fields
	Data     json.RawMessage `json:"data"`              // of the fields that it changes; null empties one
	Entered  []string        `json:"entered,omitempty"` // those that a person has set since the start, and no callback
}

// guide leads somebody through a form that begins with a start, page by page if the transition has pages. Nothing is
// kept on the server: each request brings the state along, and the use cases check it.
type guide struct {
	h     handler
	r     *ui.Request
	of    subject
	state formState
	set   map[string]any // the data of the state

	settable []field // that the reader may set
	visible  []field // that the reader sees
	pages    pageReader
	shown    []formPage // of pages, those whose conditions are true
	form     guidedForm
	faults   map[string]string // by the paths of fields
}

// guided answers a request of a guided form.
func (h handler) guided(ctx context.Context, r *ui.Request, of subject) (ui.View, error) {
	g := &guide{h: h, r: r, set: map[string]any{}}
	g.lead(of)
	saved, err := g.step(ctx)
	switch {
	case err != nil:
		return ui.View{}, err
	case saved != nil:
		return ui.Redirect(savedPath(*saved)), nil
	}
	return g.view()
}

// lead sets what the form is about.
func (g *guide) lead(of subject) {
	g.of, g.settable = of, settable(of.typ, of.tr, g.r.Principal)
	g.visible = fieldsOf(of.typ, g.r.Principal.Sight())
	g.pages = newPageReader(of, g.r.Principal.Sight(), g.visible, g.settable)
	g.look()
}

// savedPath returns the address of a case that was just saved.
func savedPath(v casework.View) string {
	return casePath(v.ID) + "?saved=" + strconv.FormatInt(v.Version, 10)
}

// step does what the request asks for. It returns the case once it is saved.
func (g *guide) step(ctx context.Context) (*casework.View, error) {
	if sent := g.r.Form("state"); sent != "" {
		if err := g.open(sent); err != nil {
			return nil, err
		}
	}
	g.look()
	if g.state.Token == "" {
		return nil, g.begin(ctx)
	}
	action, key, _ := strings.Cut(g.r.Form("go"), ":")
	page, isPage := g.page(g.state.Page)
	switch {
	case action == "page":
		g.state.Page = key
	case action == "back":
		g.enter(page.Items)
		g.turn(-1)
	case action == "update":
		g.enter(page.Items)
	case isPage:
		return nil, g.leave(ctx, page)
	case g.state.Page == "":
		if len(g.of.tr.Pages) == 0 {
			g.enter(g.all())
		}
		return g.submit(ctx)
	default: // the page is no longer there
		g.turn(1)
	}
	g.look()
	return nil, nil
}

// open reads the state of the form.
func (g *guide) open(sent string) error {
	err := json.Unmarshal([]byte(sent), &g.state)
	if err == nil && len(g.state.Data) > 0 {
		g.set, err = casetype.DecodeSent(g.state.Data)
	}
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "request.invalid", "The form can't be read. Send it again from its page.")
	}
	return nil
}

// look finds the pages anew, as the data are now.
func (g *guide) look() {
	g.pages.data = casetype.Merge(g.of.view.Data, g.set)
	g.shown = g.pages.pages()
}

// page finds a page that is shown.
func (g *guide) page(key string) (formPage, bool) {
	i := slices.IndexFunc(g.shown, func(p formPage) bool { return p.Page.Key == key })
	if i < 0 {
		return formPage{}, false
	}
	return g.shown[i], true
}

// all returns the fields of a form without pages.
func (g *guide) all() (items []pageItem) {
	for _, f := range g.settable {
		items = append(items, pageItem{ID: "item-" + f.Path, Field: f})
	}
	return items
}

// begin starts the transition, unless a link elsewhere led here and callbacks would be asked: then a button has to be
// pressed first.
func (g *guide) begin(ctx context.Context) error {
	if g.form.Waits = len(g.of.tr.AboutToStart) > 0 && g.r.Elsewhere(); g.form.Waits {
		return nil
	}
	return g.start(ctx)
}

// start starts the transition. Entries of before stay.
func (g *guide) start(ctx context.Context) error {
	entered := map[string]any{}
	for _, name := range g.state.Entered {
		entered[name] = g.pages.data[name]
	}
	started, err := g.h.services.Submissions.Start(ctx, g.r.Principal, casework.Start{
		CaseID: g.of.view.ID, Type: g.of.newType(), Transition: g.of.tr.Key, IgnoreWarning: g.ignores(),
	})
	if err != nil {
		g.state.Token = ""
		return g.fail(err)
	}
	g.set, g.state = map[string]any{}, formState{Revision: started.Ref.Revision}
	if g.state.Token, err = g.r.Seal(rest.StartToken, started.Ref); err != nil {
		return err
	}
	g.take(g.of.view.Data, started.Case.Data, func(string) bool { return true })
	for name, value := range entered {
		g.put(name, value)
		g.state.Entered = append(g.state.Entered, name)
	}
	g.look()
	if len(g.shown) > 0 && len(entered) == 0 {
		g.state.Page = g.shown[0].Page.Key
	}
	return nil
}

func (g *guide) ignores() bool { return g.r.Form("ignore_warning") == "true" }

// put sets a field of the form. A value that the case has is no change.
func (g *guide) put(name string, value any) {
	if casetype.Equal(value, g.of.view.Data[name]) {
		delete(g.set, name)
	} else {
		g.set[name] = value
	}
}

// take takes over the data that a callback, or the start, has made of the form's. Fields that are gone are emptied if
// the reader may set them.
func (g *guide) take(form, made map[string]any, takes func(name string) bool) {
	for name, value := range made {
		if !casetype.Equal(form[name], value) && takes(name) {
			g.put(name, value)
			g.forget(name)
		}
	}
	for _, f := range g.settable {
		if form[f.Name] != nil && made[f.Name] == nil {
			g.put(f.Name, nil)
			g.forget(f.Name)
		}
	}
}

// forget notes that a field does not have what a person entered.
func (g *guide) forget(name string) {
	g.state.Entered = slices.DeleteFunc(g.state.Entered, func(one string) bool { return one == name })
}

// enter takes over what was entered.
func (g *guide) enter(items []pageItem) {
	for _, item := range items {
		f := item.Field
		if item.IsRaw || f.ReadOnly {
			continue
		}
		present := g.pages.data[f.Name]
		if value := f.enter(g.r.HTTP.PostForm, present); !casetype.Equal(value, present) {
			g.put(f.Name, value)
			g.forget(f.Name)
			g.state.Entered = append(g.state.Entered, f.Name)
		}
	}
}

// turn goes to the next page, or with -1 to the one before. Behind the last page are the answers.
func (g *guide) turn(by int) {
	place := slices.IndexFunc(g.of.tr.Pages, func(p casetype.Page) bool { return p.Key == g.state.Page })
	if place < 0 {
		place = len(g.of.tr.Pages)
	}
	next := ""
	for _, p := range g.shown {
		switch {
		case by > 0 && p.Place > place:
			g.state.Page = p.Page.Key
			return
		case by < 0 && p.Place < place:
			next = p.Page.Key
		}
	}
	if by > 0 || next != "" {
		g.state.Page = next
	}
}

// leave checks a page, and goes to the next one.
func (g *guide) leave(ctx context.Context, page formPage) error {
	g.enter(page.Items)
	g.look()
	now, still := g.page(page.Page.Key)
	if g.form.More = still && now.asksMore(page); g.form.More {
		return nil
	}
	if incomplete := g.incomplete(now); incomplete != nil {
		return g.fail(incomplete)
	}
	g.dropHidden()
	if err := g.check(ctx, page); err != nil {
		return g.fail(err)
	}
	g.look()
	g.turn(1)
	return nil
}

// incomplete returns an error that lists the mandatory fields of a page without a value; nil: it is complete.
func (g *guide) incomplete(page formPage) error {
	var missing []fault.Field
	for _, item := range page.Items {
		missing = append(missing, item.Field.lacking(g.pages.data[item.Field.Name])...)
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.In("case.data_invalid", "The data does not fit the case type.", missing...)
}

// check checks the data so far, and asks the callback of a page.
func (g *guide) check(ctx context.Context, page formPage) error {
	sent := g.upTo(page)
	checked, err := g.h.services.Submissions.CheckPage(ctx, g.r.Principal, casework.FilledPage{
		CaseID: g.of.view.ID, Type: g.of.newType(), Transition: g.of.tr.Key, Page: page.Page.Key, Data: sent,
		IgnoreWarning: g.ignores(),
	})
	if err != nil || len(page.Page.MidEvent) == 0 {
		return err
	}
	g.take(casetype.Merge(g.of.view.Data, sent), checked.Data, func(name string) bool { return g.pages.settable[name] })
	return nil
}

// upTo returns the data without what was entered on later pages alone.
func (g *guide) upTo(page formPage) map[string]any {
	later := map[string]bool{}
	for _, p := range g.shown {
		for _, item := range p.Items {
			if p.Place > page.Place {
				later[item.Field.Name] = true
			}
		}
	}
	for _, p := range g.shown {
		for _, item := range p.Items {
			if p.Place <= page.Place {
				delete(later, item.Field.Name)
			}
		}
	}
	data := maps.Clone(g.set)
	for _, name := range g.state.Entered {
		if later[name] {
			delete(data, name)
		}
	}
	return data
}

// dropHidden drops what was entered into fields that are hidden now. That may hide more.
func (g *guide) dropHidden() {
	for again := true; again; {
		again = false
		shown := map[string]bool{}
		for _, p := range g.shown {
			for _, item := range p.Items {
				shown[item.Field.Name] = true
			}
		}
		for _, name := range slices.Clone(g.state.Entered) {
			if !shown[name] {
				delete(g.set, name)
				g.forget(name)
				again = true
			}
		}
		g.look()
	}
}

// submit submits the transition. If the case has changed since the start, it is started again.
func (g *guide) submit(ctx context.Context) (*casework.View, error) {
	g.look()
	if len(g.of.tr.Pages) > 0 {
		g.dropHidden()
	}
	for _, p := range g.shown { // an answer on a later page may show an earlier one
		if incomplete := g.incomplete(p); incomplete != nil {
			g.state.Page = p.Page.Key
			return nil, g.fail(incomplete)
		}
	}
	in := casework.Submission{
		CaseID: g.of.view.ID, Type: g.of.newType(), Transition: g.of.tr.Key, Data: g.set, IgnoreWarning: g.ignores(),
		Start: &casework.StartRef{},
	}
	if !g.of.creates() {
		in.IfRevision = casework.Revisions{g.state.Revision}
	}
	err := g.r.Open(rest.StartToken, g.state.Token, in.Start)
	if err != nil {
		return nil, g.restart(ctx, casework.StartMissing())
	}
	saved, err := g.h.services.Submissions.Submit(ctx, g.r.Principal, in, authz.Once{})
	switch {
	case err == nil:
		return &saved, nil
	case fault.As(err).Code == "case.version_conflict":
		return nil, g.restart(ctx, overtaken())
	case fault.As(err).Code == "start.not_found":
		return nil, g.restart(ctx, err)
	}
	return nil, g.fail(err)
}

// restart starts the transition again, and tells why.
func (g *guide) restart(ctx context.Context, why error) error {
	if !g.of.creates() {
		view, err := g.h.services.Cases.Case(ctx, g.r.Principal, g.of.view.ID)
		if err != nil {
			return err
		}
		g.lead(subject{view.Definition, g.of.tr, view})
	}
	if err := g.start(ctx); err != nil || g.state.Token == "" {
		return err
	}
	return g.fail(why)
}

// fail shows why the form can't go on. It returns an error that is none of the form's.
func (g *guide) fail(err error) error {
	if errors.Is(err, fault.Forbidden) || errors.Is(err, fault.NotFound) && fault.As(err).Code != "start.not_found" {
		return err
	}
	g.form.Status, g.faults = http.StatusUnprocessableEntity, map[string]string{}
	var fields []field // as pages call them
	for _, p := range g.shown {
		for _, item := range p.Items {
			fields = append(fields, item.Field)
		}
	}
	return g.form.Form.refuse(err, append(fields, g.visible...), g.faults)
}
