package cases

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/web/ui"
)

// guidedForm is a guided form as it is shown: a page of it, the answers, or all fields where there are no pages.
type guidedForm struct {
	Form    submissionForm
	State   string // as JSON
	Version string // of the state: what a browser keeps of a page is of one
	Waits   bool   // it was not started: somebody has to press a button first
	Began   bool   // it was started
	Status  int

	Type, Transition string // of the case to create
	Leave            string // the address that gives the form up

	Number, Count int      // of the page; 0: there are no pages
	Name          string   // of the page
	Steps         []string // the names of all pages
	Items         []shownItem
	Depends       bool // some of the page is shown under a condition
	More          bool // the page asks for more than before
	First         bool // there is no page before
	Checks        bool // it shows the answers
	Answers       []answerGroup
}

// shownItem is what a page shows: a field with its value, or a text in Markdown.
type shownItem struct {
	ID    string
	Field formField
	Text  string
	IsRaw bool
}

// answerGroup has the answers of a page.
type answerGroup struct {
	Page, Title string // the key of the page; empty: they are on none
	Rows        []answerRow
}

// answerRow is a field that changes.
type answerRow struct {
	diffLine
	ID, Fault string
}

// maxSteps bounds the steps that are listed by name.
const maxSteps = 7

// checkStep is the name of the last step.
const checkStep = "Check your answers"

// view returns the page with the form.
func (g *guide) view() (ui.View, error) {
	f, tr := &g.form, g.of.tr
	f.Began, f.Transition, f.Type = g.state.Token != "", tr.Key, g.of.newType()
	f.Form.Key, f.Form.Title, f.Form.Asks = tr.Key, stateName(tr.Name, tr.Key), asks(tr.AboutToSubmit)
	f.Form.Action, f.Leave = casePath(g.of.view.ID)+"/transitions/"+tr.Key, casePath(g.of.view.ID)
	if g.of.creates() {
		f.Form.Action, f.Leave = "/cases/new", "/cases"
	}
	out := ui.View{Title: f.Form.Title, Section: "/cases", Status: f.Status, Call: g.call()}
	if f.Began {
		g.fill()
	}
	if f.Count > 0 {
		out.Title = f.Name + " (" + f.position() + ") · " + out.Title
	}
	if err := g.seal(); err != nil {
		return ui.View{}, err
	}
	if g.of.creates() {
		page := newPage{Type: g.of.typ, Creations: offered(g.of.typ), Guided: f}
		out.Body = newTemplate(page, tr.Key)
		return out, nil
	}
	page := transitionPage{Case: g.of.view, Guided: f}
	page.Form.Title = f.Form.Title
	page.lead(tr)
	out.Title += " · " + g.of.view.Reference
	out.Body = transitionPageTemplate(page)
	return out, nil
}

// call names the operation of the API that the form's button carries out.
func (g *guide) call() string {
	about := "case=" + strconv.FormatInt(g.of.view.ID, 10)
	submit := "POST /v1" + casePath(g.of.view.ID) + "/transitions/" + g.of.tr.Key
	if g.of.creates() {
		about, submit = "type="+g.of.typ.Key, "POST /v1/case-types/"+g.of.typ.Key+"/cases"
	}
	switch _, isPage := g.page(g.state.Page); {
	case g.state.Token == "":
		return "GET /v1/starts?" + about + "&transition=" + g.of.tr.Key
	case isPage:
		return "POST /v1/page-checks"
	}
	return submit
}

// fill fills in what a started form shows.
func (g *guide) fill() {
	f := &g.form
	if len(g.of.tr.Pages) == 0 {
		f.Items = g.show(g.all())
		return
	}
	f.Count = len(g.shown) + 1
	for i, p := range g.shown {
		f.Steps = append(f.Steps, p.title())
		if p.Page.Key == g.state.Page {
			f.Number, f.Name, f.First, f.Depends = i+1, p.title(), i == 0, p.depends()
			f.Items, f.Form.Asks = g.show(p.Items), asks(p.Page.MidEvent)
		}
	}
	f.Steps = append(f.Steps, checkStep)
	if f.Number == 0 {
		f.Number, f.Name, f.Checks, f.First, g.state.Page = f.Count, checkStep, true, len(g.shown) == 0, ""
		f.Answers = g.answers()
	}
	if f.Count > maxSteps {
		f.Steps = nil
	}
}

// show returns what a page shows, with the values of the form.
func (g *guide) show(items []pageItem) (all []shownItem) {
	linked := map[string]bool{}
	for _, item := range items {
		shown := shownItem{ID: item.ID, Text: item.Text, IsRaw: item.IsRaw}
		if !item.IsRaw {
			shown.Field = item.Field.show(g.pages.data[item.Field.Name])
			shown.Field.place(g.faults)
			g.wrong(item.Field, linked)
		}
		all = append(all, shown)
	}
	g.unlink(linked)
	return all
}

// wrong returns the faults of a field, and notes their paths.
func (g *guide) wrong(f field, noted map[string]bool) (messages []string) {
	for path, message := range g.faults {
		if path == f.Path || strings.HasPrefix(path, f.Path+"/") {
			noted[path] = true
			messages = append(messages, message)
		}
	}
	slices.Sort(messages)
	return messages
}

// unlink names the fields of those faults that can't be linked to them, since they are not on the page.
func (g *guide) unlink(linked map[string]bool) {
	for i, one := range g.form.Form.Faults {
		if one.Field != "" && !linked[one.Field] {
			g.form.Form.Faults[i] = ui.Fault{Message: one.Title + " " + one.Message}
		}
	}
}

// answers returns what the form changes, by pages.
func (g *guide) answers() (groups []answerGroup) {
	seen, linked := map[string]bool{}, map[string]bool{}
	add := func(group answerGroup, fields []field) {
		for _, f := range fields {
			if !seen[f.Name] {
				seen[f.Name] = true
				group.Rows = append(group.Rows, g.answer(f, linked)...)
			}
		}
		if len(group.Rows) > 0 {
			groups = append(groups, group)
		}
	}
	for _, p := range g.shown {
		var fields []field
		for _, item := range p.Items {
			if !item.IsRaw && !item.Field.ReadOnly {
				fields = append(fields, item.Field)
			}
		}
		add(answerGroup{Page: p.Page.Key, Title: p.title()}, fields)
	}
	changed := slices.DeleteFunc(slices.Clone(g.visible), func(f field) bool {
		_, changes := g.set[f.Name]
		return !changes
	})
	add(answerGroup{Title: "Set for you"}, changed)
	g.unlink(linked)
	return groups
}

// answer returns the rows of a field that changes, or that is wrong.
func (g *guide) answer(f field, linked map[string]bool) (rows []answerRow) {
	if after, changes := g.set[f.Name]; changes {
		for _, line := range f.compare(f.Title, g.of.view.Data[f.Name], after) {
			rows = append(rows, answerRow{diffLine: line})
		}
	}
	wrong := g.wrong(f, linked)
	if len(wrong) > 0 && len(rows) == 0 {
		rows = []answerRow{{diffLine: diffLine{Title: f.Title}}}
	}
	if len(rows) > 0 {
		rows[0].ID, rows[0].Fault = f.Path, strings.Join(wrong, " ")
	}
	return rows
}

// seal writes the state into the form.
func (g *guide) seal() (err error) {
	if g.state.Data, err = casetype.Encode(g.set); err != nil {
		return err
	}
	state, err := json.Marshal(g.state)
	if err != nil {
		return err
	}
	kept := g.state
	kept.Token, kept.Entered = "", nil // a new start has another token
	version, err := json.Marshal(kept)
	sum := sha256.Sum256(version)
	g.form.State, g.form.Version = string(state), hex.EncodeToString(sum[:8])
	return err
}

// position says which of the steps it is.
func (f guidedForm) position() string { return strconv.Itoa(f.Number) + " of " + strconv.Itoa(f.Count) }

// continues is the title of the button that goes on.
func (f guidedForm) continues() string {
	if f.Count > 0 && !f.Checks {
		return "Continue"
	}
	return f.Form.Title
}

// keeps returns the attributes by which scripts keep a draft of the form, and show and hide what depends on it.
func (f guidedForm) keeps() templ.Attributes {
	drafts := strings.TrimSpace("guided " + f.Type + " " + f.Transition)
	all := templ.Attributes{"data-drafts": drafts}
	if f.Began && !f.Checks {
		all["data-draft"], all["data-revision"] = drafts+" "+strconv.Itoa(f.Number), f.Version
	}
	if f.Depends {
		all["data-depends"] = ""
	}
	return all
}

// place returns the attributes of an answer that faults link to.
func (r answerRow) place() templ.Attributes {
	all := templ.Attributes{}
	if r.ID != "" {
		all["id"] = r.ID
	}
	if r.Fault != "" {
		all["data-invalid"], all["tabindex"] = "", "-1"
	}
	return all
}
