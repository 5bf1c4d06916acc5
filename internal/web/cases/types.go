package cases

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/casehook/casehook/examples"
	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/web/ui"
)

// typesPage lists the case types.
type typesPage struct {
	Types []definitions.TypeSummary
	Now   time.Time
	Puts  bool // the reader may put a definition
}

func (h handler) types(ctx context.Context, r *ui.Request) (ui.View, error) {
	all, err := h.services.CaseTypes.CaseTypes(ctx, r.Principal)
	page := typesPage{Types: all, Now: h.guard.Now(), Puts: r.Principal.Role.Permits(access.PutCaseType)}
	return ui.View{
		Title: "Case types", Section: "/types", Body: typesTemplate(page), Call: "GET /v1/case-types",
	}, err
}

// typePage shows a version of a case type.
type typePage struct {
	Version  definitions.TypeVersion
	Newest   int64
	Workflow workflow
	Fields   []fieldRow
	Source   string
	Diff     []diffedLine // to the version before
	Puts     bool
	Retires  bool

	reader casetype.Classification // the reader's clearance
}

// condition returns the precondition of a transition, unless it names a field that the reader does not see.
func (p typePage) condition(tr casetype.Transition) string {
	if !p.Version.Type.MayReveal(p.reader, tr.Precondition.Condition) {
		return ""
	}
	return tr.Precondition.Condition
}

// fieldRow is a field of a case type.
type fieldRow struct {
	field
	Name    string
	Indexed bool
}

// diffedLine is a line of the difference of two versions. Mark is + or -, or a blank.
type diffedLine struct{ Mark, Text string }

func (h handler) showType(ctx context.Context, r *ui.Request) (ui.View, error) {
	key := r.Path("key")
	shown, err := h.typeVersion(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	newest := shown
	if r.Query("version") != "" {
		if newest, err = h.services.CaseTypes.CaseType(ctx, r.Principal, key, 0); err != nil {
			return ui.View{}, err
		}
	}
	page := typePage{
		Version: shown, Newest: newest.Version, Workflow: draw(shown.Type), Source: source(shown.Type, r.Principal),
		Puts:    r.Principal.Role.Permits(access.PutCaseType),
		Retires: r.Principal.Role.Permits(access.RetireCaseType), reader: r.Principal.Sight(),
	}
	for _, f := range fieldsOf(shown.Type, r.Principal.Sight()) {
		page.Fields = append(page.Fields, fieldRow{
			f, f.Name, shown.Type.IsIndexed(f.Name, r.Principal.Sight()),
		})
	}
	if shown.Version > 1 {
		before, err := h.services.CaseTypes.CaseType(ctx, r.Principal, key, shown.Version-1)
		if err != nil && !errors.Is(err, fault.NotFound) {
			return ui.View{}, err
		}
		if err == nil {
			page.Diff = differences(source(before.Type, r.Principal), page.Source)
		}
	}
	return ui.View{
		Title: shown.Type.Name, Section: "/types", Body: typeTemplate(page), Call: "GET /v1/case-types/" + key,
	}, nil
}

// source returns a definition as its reader may see it.
func source(t *casetype.Type, p access.Principal) string {
	return jsonOf(readJSON(string(t.JSONFor(p.Sight()))))
}

// differences compares two versions line by line.
func differences(before, after string) (lines []diffedLine) {
	text := string(diff.Diff("before", []byte(before+"\n"), "after", []byte(after+"\n")))
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if i < 3 || line == "" { // which name the files
			continue
		}
		lines = append(lines, diffedLine{line[:1], line[1:]})
	}
	return lines
}

// uploadPage is the page on which a definition is put.
type uploadPage struct {
	Source   string
	Faults   []sourceFault
	Lines    []sourceLine // of a source with faults
	Secrets  map[string]string
	Warnings []fault.Field
	Saved    *definitions.TypeVersion
	Failed   string
}

// sourceFault is a fault of a definition, and its line.
type sourceFault struct {
	Line          int
	Path, Message string
}

// sourceLine is a line of a definition, with whether it has a fault.
type sourceLine struct {
	Number int
	Text   string
	Fault  bool
}

func uploadView(page uploadPage) ui.View {
	view := ui.View{
		Title: "Upload a case type", Section: "/types", Body: uploadTemplate(page), Call: "PUT /v1/case-types/{key}",
	}
	if len(page.Faults) > 0 || page.Failed != "" {
		view.Status = http.StatusUnprocessableEntity
	}
	return view
}

func (h handler) newType(ctx context.Context, r *ui.Request) (ui.View, error) {
	page := uploadPage{}
	switch {
	case r.Query("example") != "":
		text, err := examples.CaseTypes.ReadFile("kyc.yaml")
		if err != nil {
			return ui.View{}, err
		}
		page.Source = string(text)
	case r.Query("from") != "":
		found, err := h.services.CaseTypes.CaseType(ctx, r.Principal, r.Query("from"), 0)
		if err != nil {
			return ui.View{}, err
		}
		page.Source = source(found.Type, r.Principal)
	}
	return uploadView(page), nil
}

// putType puts a definition. If it has faults, they are shown at their lines, and nothing is saved.
func (h handler) putType(ctx context.Context, r *ui.Request) (ui.View, error) {
	page := uploadPage{Source: strings.ReplaceAll(r.Form("source"), "\r\n", "\n")}
	t, err := casetype.ParseContext(ctx, "", []byte(page.Source))
	var faults casetype.Faults
	if errors.As(err, &faults) {
		page.fail(faults)
		return uploadView(page), nil
	}
	if err != nil {
		return ui.View{}, err
	}
	put, err := h.services.CaseTypes.PutCaseType(ctx, r.Principal, t.Key, "", []byte(page.Source))
	if err != nil {
		all, err := ui.FaultsOf(err, func(path string) (id, title string) { return "", path })
		if err != nil {
			return ui.View{}, err
		}
		page.Failed = strings.TrimSpace(all[0].Title + " " + all[0].Message)
		return uploadView(page), nil
	}
	page.Saved, page.Secrets, page.Warnings = &put.TypeVersion, put.Secrets, put.Warnings
	return uploadView(page), nil
}

func (u *uploadPage) fail(faults casetype.Faults) {
	at := map[int]bool{}
	for _, f := range faults {
		at[f.Line] = true
		u.Faults = append(u.Faults, sourceFault{f.Line, cmp.Or(f.Path, "the definition"), f.Message})
	}
	for i, line := range strings.Split(strings.TrimSuffix(u.Source, "\n"), "\n") {
		u.Lines = append(u.Lines, sourceLine{i + 1, line, at[i+1]})
	}
}

func (h handler) retireType(ctx context.Context, r *ui.Request) (ui.View, error) {
	if _, err := h.services.CaseTypes.RetireCaseType(ctx, r.Principal, r.Path("key"), authz.Once{}); err != nil {
		return ui.View{}, err
	}
	path := "/types/" + r.Path("key")
	return r.RedirectUndo(path, ui.Undo{
		Note: "Retired: there are no new cases of it. Those that exist go on.", Path: path + "/restore",
	})
}

func (h handler) restoreType(ctx context.Context, r *ui.Request) (ui.View, error) {
	if _, err := h.services.CaseTypes.RestoreCaseType(ctx, r.Principal, r.Path("key"), authz.Once{}); err != nil {
		return ui.View{}, err
	}
	path := "/types/" + r.Path("key")
	return r.RedirectUndo(path, ui.Undo{Note: "Restored: there can be new cases of it.", Path: path + "/retire"})
}
