package ccd

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/sheets"
)

// pageRow is a row that puts a field or a member of one on a page.
type pageRow struct {
	row   sheets.Row
	path  string // of the field or the member, with dots
	page  string // the id of the page
	field sheets.Row
}

var (
	lostOfPageFields = map[string]string{
		"DisplayContextParameter":  looks,
		"PageColumnNumber":         looks,
		"CaseEventFieldHint":       "hints of fields on pages are not imported",
		"ShowSummaryChangeOption":  looks,
		"ShowSummaryContentOption": looks,
		"RetainHiddenValue":        "says what forms do with hidden values, and is not imported",
	}
	lostOfPageMembers = map[string]string{
		"DisplayContextParameter": looks,
		"EventHintText":           lostOfPageFields["CaseEventFieldHint"],
		"RetainHiddenValue":       lostOfPageFields["RetainHiddenValue"],
	}
)

// pageRows returns the rows on the forms of all events, in the order in which they are shown.
func (t *typeImporter) pageRows(events map[string]bool) map[string][]pageRow {
	all := map[string][]pageRow{}
	members := t.memberRows()
	rows := t.im.of(sheets.EventFields, t.id)
	inOrder(rows, "PageFieldDisplayOrder", "CaseFieldID")
	for _, row := range rows {
		event, field := row.ID("CaseEventID"), row.ID("CaseFieldID")
		switch {
		case !events[event]:
			t.im.note(row.At("CaseEventID"), "CaseEventToFields.CaseEventID: there is no %s in %s; the row is ignored",
				event, t.id)
			continue
		case t.fields[field].Sheet == "":
			t.im.note(row.At("CaseFieldID"), "CaseEventToFields.CaseFieldID: there is no %s in %s; the row is ignored",
				field, t.id)
			continue
		}
		t.im.noteColumns(row, lostOfPageFields)
		t.notePublished(row, field)
		page := cmp.Or(row.ID("PageID"), defaultPage)
		all[event] = append(all[event], pageRow{row, field, page, t.fields[field]})
		for _, m := range members[event+"\x00"+field] {
			path := field + "." + m.ID("ListElementCode")
			if _, ok := t.path(strings.Split(path, "."), true); !ok {
				t.im.note(m.At("ListElementCode"), "EventToComplexTypes.ListElementCode: there is no %s in %s; the "+
					"row is ignored", path, t.id)
				continue
			}
			t.im.noteColumns(m, lostOfPageMembers)
			t.notePublished(m, path)
			all[event] = append(all[event], pageRow{m, path, page, t.fields[field]})
		}
	}
	return all
}

// defaultPage is the id of the page of fields that name none.
const defaultPage = "1"

func (t *typeImporter) notePublished(row sheets.Row, path string) {
	if row.Has("PublishAs") {
		t.im.note(row.At("PublishAs"), "%s.PublishAs: %s is published under its own name, not as %s",
			row.Sheet, path, row.ID("PublishAs"))
	}
}

// memberRows returns the rows about members, by event and field, in the order in which they are shown.
func (t *typeImporter) memberRows() map[string][]sheets.Row {
	all := map[string][]sheets.Row{}
	for _, row := range t.im.rows[sheets.EventMembers] {
		if of := row.ID("CaseTypeID"); of == "" || of == t.id {
			key := row.ID("CaseEventID") + "\x00" + row.ID("CaseFieldID")
			if !row.Has("FieldDisplayOrder") && row.Has("PageFieldDisplayOrder") {
				row = row.With("FieldDisplayOrder", row.ID("PageFieldDisplayOrder"))
			}
			all[key] = append(all[key], row)
		}
	}
	for _, rows := range all {
		inOrder(rows, "FieldDisplayOrder", "ListElementCode")
	}
	return all
}

// page is a page while it is made.
type page struct {
	id     string
	order  float64
	rows   []sheets.Row // of the sheet CaseEventToFields
	fields []any
}

// pages makes the pages of a form.
func (t *typeImporter) pages(fields []pageRow) (all []any, err error) {
	var pages []*page
	for _, f := range fields {
		i := slices.IndexFunc(pages, func(p *page) bool { return p.id == f.page })
		if i < 0 {
			i = len(pages)
			pages = append(pages, &page{id: f.page, order: order(f.row, "PageDisplayOrder")})
		}
		p := pages[i]
		if f.row.Sheet == sheets.EventFields {
			p.rows = append(p.rows, f.row)
			p.order = min(p.order, order(f.row, "PageDisplayOrder"))
		}
		if one := t.pageField(f); one != nil {
			p.fields = append(p.fields, one)
		}
	}
	slices.SortFunc(pages, func(a, b *page) int {
		return cmp.Or(cmp.Compare(a.order, b.order), compareIDs(a.id, b.id))
	})
	keys := map[string]bool{}
	for _, p := range pages {
		made, err := t.page(p, keys)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	t.counts.Pages += len(pages)
	return all, nil
}

// page makes a page, whose name, condition and callback are in the row of any of its fields.
func (t *typeImporter) page(p *page, keys map[string]bool) (tree, error) {
	key := pageKey(p.id)
	for keys[key] {
		key += "_"
	}
	if keys[key] = true; key != p.id {
		t.im.note(p.rows[0].At("PageID"), "CaseEventToFields.PageID: %q can't be the key of a page, and becomes %q",
			p.id, key)
	}
	first := func(column string) sheets.Row {
		found := p.rows[0]
		for _, row := range p.rows {
			switch {
			case !row.Has(column):
			case !found.Has(column):
				found = row
			case row.Text(column) != found.Text(column):
				t.im.note(row.At(column), "CaseEventToFields.%s: a page has several; that of its first field counts",
					column)
			}
		}
		return found
	}
	made := tree{}.with("key", key).with("name", oneLine(t.im, first("PageLabel"), "PageLabel")).
		with("show_if", t.showIf(first("PageShowCondition"), "PageShowCondition")).
		with("fields", p.fields)
	ask, err := t.im.callback(first("CallBackURLMidEvent"), "CallBackURLMidEvent", "RetriesTimeoutURLMidEvent")
	if err != nil || ask == nil {
		return made, err
	}
	t.counts.MidEvents++
	return append(made, member{"mid_event", ask}), nil
}

var notInKeys = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

// pageKey returns the key of a page with an id.
func pageKey(id string) string {
	key := notInKeys.ReplaceAllString(id, "_")
	return key[:min(len(key), 70)]
}

// showIf returns a condition of a page or a field, which consoles evaluate.
func (t *typeImporter) showIf(row sheets.Row, column string) string {
	text := strings.TrimSpace(row.Text(column))
	if text == "" {
		return ""
	}
	if problem := pageProblem(text); problem != "" {
		t.im.note(row.At(column), "%s.%s: consoles can't evaluate %.200s: it %s", row.Sheet, column, text, problem)
	}
	return text
}

// uses maps the words of CCD to those of pages.
var uses = map[string]string{"MANDATORY": "mandatory", "OPTIONAL": "", "READONLY": "readonly", "COMPLEX": "complex",
	"HIDDEN": "hidden", "": ""}

// pageField makes the entry of a field, of a member or of a label on a page, or none of what can't be shown.
func (t *typeImporter) pageField(f pageRow) any {
	at, _ := t.path(strings.Split(f.path, "."), true)
	use, ok := uses[strings.ToUpper(f.row.ID("DisplayContext"))]
	if !ok {
		t.im.note(f.row.At("DisplayContext"), "%s.DisplayContext: %.40q is not known, and counts as OPTIONAL",
			f.row.Sheet, f.row.ID("DisplayContext"))
	}
	column := "CaseEventFieldLabel"
	if f.row.Sheet == sheets.EventMembers {
		column = "EventElementLabel"
	}
	label := f.row.Text(column)
	show := t.showIf(f.row, "FieldShowCondition")
	if show == "" && f.row.Sheet == sheets.EventMembers && at.row.Sheet == sheets.ComplexTypes {
		show = t.showIf(at.row, "FieldShowCondition")
	}
	if t.im.sort(at) != noDataSort {
		return tree{{"name", f.path}}.with("use", use).with("label", label).with("show_if", show)
	}
	if !strings.EqualFold(at.name, "Label") {
		t.im.note(f.row.Place(), "%s: viewers, launchers and other widgets on pages are left out", f.row.Sheet)
		return nil
	}
	if label == "" {
		label = at.row.Text("Label") + at.row.Text("ElementLabel")
	}
	if label == "" {
		return nil
	}
	return tree{{"label", label}}.with("show_if", show)
}
