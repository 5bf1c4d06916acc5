package ccd

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/sheets"
)

// typeImporter makes one case type.
type typeImporter struct {
	im      *importer
	schemas schemas
	id      string
	row     sheets.Row // of the sheet CaseType
	fields  map[string]sheets.Row
	states  []sheets.Row
	known   map[string]bool // states
	added   []string        // states that events name and the sheet State does not have
	roles   map[string]bool
	counts  Counts
}

// The columns that are not imported, with the reason.
var (
	lostOfTypes = map[string]string{
		"Description":                 "descriptions of case types are not imported",
		"RetriesTimeoutURLPrintEvent": "there are no links to print, and so nothing is tried again",
		"RetriesGetCaseUrl":           "no callback is asked when a case is read, and so nothing is tried again",
	}
	lostOfFields = map[string]string{
		"DefaultHidden": "says how forms look, and is not imported",
		"Searchable":    "says which fields are searched, and is not imported",
		"CategoryID":    "says in which folder a document is, and is not imported",
	}
	lostOfMembers = map[string]string{
		"DefaultHidden":           lostOfFields["DefaultHidden"],
		"Searchable":              lostOfFields["Searchable"],
		"CategoryID":              lostOfFields["CategoryID"],
		"FieldShowCondition":      "stays on the pages that list the member, and is left out elsewhere",
		"DisplayContextParameter": "says how forms look, and is not imported",
		"RetainHiddenValue":       "says what forms do with hidden values, and is not imported",
	}
	lostOfRoles = map[string]string{
		"Name":        "names of case roles are not imported",
		"Description": "descriptions of case roles are not imported",
	}
	lostOfRoleMaps = map[string]string{
		"Authorisation":        "the row counts without it",
		"CaseAccessCategories": "the row counts for the cases of all categories",
	}
	lostOfStates = map[string]string{
		"Description":  "descriptions of states are not imported",
		"TitleDisplay": "titles of cases by their state are not imported",
	}
)

// typeKey matches the keys of case types, which are the names of their files too.
var typeKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,69}$`)

// caseType makes the case type of a row of the sheet CaseType.
func (im *importer) caseType(row sheets.Row) (CaseType, error) {
	t := typeImporter{im: im, schemas: schemas{im, map[string]string{}, map[string]tree{}}, id: row.ID("ID"), row: row,
		fields: map[string]sheets.Row{}, known: map[string]bool{}, roles: map[string]bool{}}
	if !typeKey.MatchString(t.id) {
		return CaseType{}, sheets.Faultf(row.At("ID"), "is %.80q, which can't be the key of a case type: letters, "+
			"digits, _ and -, at most 70", t.id)
	}
	t.states = im.of(sheets.State, t.id)
	inOrder(t.states, "DisplayOrder", "ID")
	for _, state := range t.states {
		t.known[state.ID("ID")] = true
		im.noteColumns(state, lostOfStates)
	}
	fields := t.allFields()
	access := t.access()
	transitions, err := t.transitions()
	if err != nil {
		return CaseType{}, err
	}
	t.noteType()
	made := tree{}.with("key", t.id).with("name", oneLine(im, row, "Name")).
		with("dialect", "ccd").with("jurisdiction", row.ID("JurisdictionID")).
		with("security_classification", t.classification(row)).
		with("blank", "allow").with("callback_secret", "type").with("document_urls", documentURLs(fields)).
		with("roles", t.allRoles()).with("role_map", t.roleMap()).
		with("fields", fields).with("access", access).
		with("states", t.allStates()).with("transitions", transitions)
	written, err := made.yaml()
	if err != nil {
		return CaseType{}, sheets.Faultf(row.Place(), "the case type can't be written: %v", err)
	}
	t.counts.States, t.counts.Roles = len(t.states)+len(t.added), len(t.roles)
	return CaseType{t.id, written, t.counts}, nil
}

// documentURLs allows documents of any server, such as the document store that the services of a definition have; nil: no
// field is a document.
func documentURLs(fields tree) []string {
	if !hasDocuments(fields) {
		return nil
	}
	return []string{"http://", "https://"}
}

func hasDocuments(in tree) bool {
	return slices.ContainsFunc(in, func(m member) bool {
		sub, _ := m.value.(tree)
		return m.key == "x-casehook-type" && m.value == "document" || hasDocuments(sub)
	})
}

// noteType notes what is left out of the row of the case type.
func (t *typeImporter) noteType() {
	t.im.noteColumns(t.row, lostOfTypes)
	for column, reason := range map[string]string{
		"PrintableDocumentsUrl": "there are no links to print",
		"CallbackGetCaseUrl":    "no callback is asked when a case is read",
	} {
		if t.row.Has(column) {
			t.im.note(t.row.At(column), "CaseType.%s: of %s is left out: %s", column, t.id, reason)
		}
	}
	t.noteRoles()
}

// maxName bounds a name, in characters.
const maxName = 200

// oneLine returns a name for people as one line.
func oneLine(im *importer, row sheets.Row, column string) string {
	name := strings.Join(strings.Fields(row.Text(column)), " ")
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > maxName {
		im.note(row.At(column), "%s.%s: names are cut behind %d characters", row.Sheet, column, maxName)
		name = strings.TrimSpace(string(runes[:maxName-1])) + "…"
	}
	return name
}

var classifications = []string{"PUBLIC", "PRIVATE", "RESTRICTED"}

// classification returns that of a row, or "" if it is public.
func (t *typeImporter) classification(row sheets.Row) string {
	written := strings.ToUpper(row.ID("SecurityClassification"))
	if written == "" || written == classifications[0] {
		return ""
	}
	if !slices.Contains(classifications, written) {
		t.im.note(row.At("SecurityClassification"), "%s.SecurityClassification: %q is none, and counts as RESTRICTED",
			row.Sheet, row.ID("SecurityClassification"))
		return classifications[2]
	}
	return written
}

// higher returns the higher of two classifications.
func higher(a, b string) string {
	if slices.Index(classifications, b) > slices.Index(classifications, a) {
		return b
	}
	return a
}

// allFields returns the fields, as a JSON Schema.
func (t *typeImporter) allFields() tree {
	rows := t.im.of(sheets.CaseField, t.id)
	inOrder(rows, "", "ID")
	properties := tree{}
	for _, row := range rows {
		t.fields[row.ID("ID")] = row
		t.im.noteColumns(row, lostOfFields)
	}
	for _, row := range rows {
		t.counts.Fields++
		schema := t.schemas.of(typeOf(row))
		if schema == nil {
			continue
		}
		schema = t.schemas.described(schema, row, "Label", fieldType{})
		if c := t.fieldClassification(row); c != "" {
			schema = append(schema, member{"x-classification", c})
		}
		properties = append(properties, member{row.ID("ID"), schema})
	}
	made := append(typed("object"), member{"properties", properties})
	definitions := tree{}
	for _, name := range sortedKeys(t.schemas.defs) {
		definitions = append(definitions, member{name, t.schemas.defs[name]})
	}
	for id := range t.schemas.names {
		for _, row := range t.im.complex[id] {
			t.im.noteColumns(row, lostOfMembers)
		}
	}
	if len(definitions) > 0 {
		made = append(made, member{"$defs", definitions})
	}
	return made
}

// fieldClassification returns the highest classification of a field and its members.
func (t *typeImporter) fieldClassification(row sheets.Row) string {
	own := t.classification(row)
	seen := map[string]bool{}
	highest := own
	var visit func(f fieldType)
	visit = func(f fieldType) {
		id := f.name
		if t.im.sort(f) == collectionSort {
			id = f.parameter
		}
		if seen[id] || !t.im.isComplex(id) {
			return
		}
		seen[id] = true
		of := t.im.members(id)
		for _, name := range of.names {
			m := of.types[name]
			if m.row.Sheet == sheets.ComplexTypes {
				if c := t.classification(m.row); higher(own, c) != own {
					highest = higher(highest, c)
					t.im.note(m.row.At("SecurityClassification"), "ComplexTypes.SecurityClassification: a field has "+
						"one classification, the highest of its members")
				}
			}
			visit(m)
		}
	}
	visit(typeOf(row))
	return highest
}

// path finds the field and the member to which a path with dots leads, through complex types. The paths of pages lead
// through collections too, to the members of their items.
func (t *typeImporter) path(parts []string, collections bool) (fieldType, bool) {
	row, ok := t.fields[parts[0]]
	if !ok {
		return fieldType{}, false
	}
	at := typeOf(row)
	for rest := parts[1:]; len(rest) > 0; rest = rest[1:] {
		id := at.name
		if collections && t.im.sort(at) == collectionSort {
			id = cmp.Or(builtInCollections[at.name], at.parameter)
		}
		if !t.im.isComplex(id) {
			return fieldType{}, false
		}
		if at, ok = t.im.members(id).types[rest[0]]; !ok {
			return fieldType{}, false
		}
	}
	return at, true
}

// kind returns the kind of values to which a path leads, for conditions of the engine.
func (t *typeImporter) kind(parts []string) valueKind {
	at, ok := t.path(parts, false)
	if !ok {
		return noValue
	}
	switch t.im.sort(at) {
	case textSort, moneySort, dateSort, yesNoSort, listSort:
		return textValue
	case numberSort:
		return numberValue
	case noDataSort:
		return noValue
	}
	return otherValue
}

// allStates lists the states.
func (t *typeImporter) allStates() (all []any) {
	all = []any{}
	for _, row := range t.states {
		all = append(all, tree{}.with("key", row.ID("ID")).with("name", oneLine(t.im, row, "Name")))
	}
	for _, id := range t.added {
		all = append(all, tree{{"key", id}})
	}
	return all
}
