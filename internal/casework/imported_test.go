package casework_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/ccd"
	"github.com/casehook/casehook/internal/sheets"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

var definitionsIn = flag.String("definitions", "",
	"a folder with a folder for each published definition, whose events are submitted too")

// shapes are the counts of four published definitions, and of one that has what they lack.
var shapes = map[string]ccd.Counts{
	"Scan": {Fields: 257, States: 53, Events: 68, Pages: 56, Roles: 35, Creations: 11, FromAny: 13, FromList: 9,
		FromOne: 35, Stay: 13, ToOne: 55, AboutToSubmit: 24},
	"Caveat": {Fields: 89, States: 17, Events: 111, Pages: 89, Roles: 12, Creations: 5, FromAny: 11, FromList: 1,
		FromOne: 94, Stay: 11, ToOne: 100, AboutToStart: 28, AboutToSubmit: 44, Submitted: 8, MidEvents: 3},
	"Admin": {Fields: 54, States: 2, Events: 14, Pages: 24, Roles: 1, Creations: 2, FromAny: 12, Stay: 12, ToOne: 2,
		AboutToStart: 6, AboutToSubmit: 14, MidEvents: 12},
	"Plain": {Fields: 39, States: 6, Events: 12, Pages: 18, Roles: 6, Creations: 2, FromAny: 4, FromOne: 6, Stay: 4, ToOne: 8},
	"Leads": {Fields: 30, States: 4, Events: 9, Pages: 9, Roles: 3, Creations: 1, FromAny: 2, FromList: 3, FromOne: 3, Stay: 2,
		ToOne: 3, ToConditional: 4, AboutToStart: 9, AboutToSubmit: 9, Submitted: 9, MidEvents: 9},
}

// madeUpTypes are the types of the fields of made-up definitions, each with its parameter.
var madeUpTypes = [][2]string{
	{"Text"}, {"YesOrNo"}, {"FixedList", "Colours"}, {"Collection", "Part"}, {"Date"}, {"Document"}, {"MultiSelectList", "Colours"},
	{"DynamicList"}, {"DateTime"}, {"Number"}, {"MoneyGBP"}, {"Email"}, {"PhoneUK"}, {"Postcode"}, {"AddressUK"}, {"Part"},
	{"TextArea"}, {"FixedRadioList", "Colours"}, {"Collection", "Text"}, {"OrganisationPolicy"}, {"CaseLink"}, {"TTL"},
	{"DynamicMultiSelectList"}, {"Collection", "Document"}, {"RichTextArea"}, {"TextCaseReference"}, {"DynamicRadioList"},
}

type row = map[string]any

// madeUp returns the sheets of a definition with one case type, which has the counts.
func madeUp(id string, c ccd.Counts) map[string][]row {
	all := map[string][]row{
		"CaseType": {{"ID": id, "Name": id, "JurisdictionID": "TOWN"}},
		"ComplexTypes": {
			{"ID": "Part", "ListElementCode": "name of it", "FieldType": "Text"},
			{"ID": "Part", "ListElementCode": "sizes", "FieldType": "Collection", "FieldTypeParameter": "Size"},
			{"ID": "Size", "ListElementCode": "width", "FieldType": "Number", "Max": 100},
			{"ID": "Size", "ListElementCode": "colour", "FieldType": "FixedList", "FieldTypeParameter": "Colours"},
		},
		"FixedLists": {
			{"ID": "Colours", "ListElementCode": "red", "ListElement": "Red"},
			{"ID": "Colours", "ListElementCode": "blue 2", "ListElement": "Blue"},
		},
	}
	add := func(sheet string, r row) {
		r["CaseTypeID"] = id
		all[sheet] = append(all[sheet], r)
	}
	for i := range c.Roles {
		add("AuthorisationCaseType", row{"AccessProfile": fmt.Sprintf("town-officer-%d", i), "CRUD": "CRU"})
	}
	for i := range c.States {
		add("State", row{"ID": fmt.Sprintf("State%d", i), "Name": "A state", "DisplayOrder": i + 1})
	}
	for i := range c.Fields {
		of := madeUpTypes[i%len(madeUpTypes)]
		field := fmt.Sprintf("field%d", i)
		add("CaseField", row{"ID": field, "Label": "A field", "FieldType": of[0], "FieldTypeParameter": of[1]})
		add("AuthorisationCaseField", row{"CaseFieldID": field, "AccessProfile": "town-officer-0", "CRUD": "CRU"})
	}
	for i := range c.Events {
		add("CaseEvent", madeUpEvent(i, c))
		add("AuthorisationCaseEvent", row{
			"CaseEventID": fmt.Sprintf("event%d", i), "AccessProfile": "town-officer-0", "CRUD": "CRU",
		})
	}
	for i := range c.Pages {
		page := row{
			"CaseEventID": fmt.Sprintf("event%d", i%c.Events), "CaseFieldID": fmt.Sprintf("field%d", i%c.Fields),
			"DisplayContext": "OPTIONAL", "PageID": fmt.Sprintf("page.%d", i/c.Events),
			"PageDisplayOrder":      i/c.Events + 1,
			"PageFieldDisplayOrder": 1,
		}
		if i < c.MidEvents {
			page["CallBackURLMidEvent"] = "${CCD_DEF_TOWN_URL}/mid"
		}
		add("CaseEventToFields", page)
	}
	return all
}

// madeUpEvent returns an event: those that create cases first, then those from any state, from some, and from one.
func madeUpEvent(i int, c ccd.Counts) row {
	state := func(n int) string { return fmt.Sprintf("State%d", n%c.States) }
	r := row{"ID": fmt.Sprintf("event%d", i), "Name": "An event", "DisplayOrder": i + 1, "PostConditionState": state(i)}
	switch {
	case i < c.Creations:
	case i < c.Creations+c.FromAny:
		r["PreConditionState(s)"] = "*"
	case i < c.Creations+c.FromAny+c.FromList:
		r["PreConditionState(s)"] = state(i) + ";" + state(i+1)
	default:
		r["PreConditionState(s)"] = state(i)
	}
	switch last := c.Events - 1 - i; {
	case last < c.Stay:
		r["PostConditionState"] = "*"
	case last < c.Stay+c.ToConditional:
		r["PostConditionState"] = state(i) + `(field0="text"):1;` + state(i+1)
	}
	for column, n := range map[string]int{
		"AboutToStart": c.AboutToStart, "AboutToSubmit": c.AboutToSubmit, "Submitted": c.Submitted,
	} {
		if i < n {
			r["CallBackURL"+column+"Event"] = "http://${CCD_DEF_TOWN_HOST}/" + column
		}
	}
	return r
}

// sheetsOf returns the files of sheets.
func sheetsOf(t *testing.T, all map[string][]row) (files []sheets.File) {
	t.Helper()
	for sheet, rows := range all {
		content, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, sheets.File{Path: sheet + ".json", Below: sheet + ".json", Content: content})
	}
	return files
}

// importedOf imports a definition.
func importedOf(t *testing.T, files []sheets.File) *ccd.Import {
	t.Helper()
	d, err := sheets.Read(files, sheets.Options{})
	if err != nil {
		t.Fatal(err)
	}
	im, err := ccd.From(d, ccd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return im
}

// town answers callbacks: with the data that it was shown, and a confirmation.
func town(t *testing.T) (url string) {
	t.Helper()
	server := httptest.NewServer(wiretest.Callback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Details struct {
				Data json.RawMessage `json:"case_data"`
			} `json:"case_details"`
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &asked)
		}
		if err != nil {
			t.Error(err)
		}
		if casetype.Question(r.Header.Get("Casehook-Question")) == casetype.Submitted {
			io.WriteString(w, `{"confirmation_header": "# Done", "confirmation_body": "Print it."}`)
			return
		}
		fmt.Fprintf(w, `{"data": %s}`, asked.Details.Data)
	})))
	t.Cleanup(server.Close)
	return server.URL
}

var (
	callbackHost = regexp.MustCompile(`(url: ["']?)(?:https?://)?[^/"'\s]+`)
	variable     = regexp.MustCompile(`\$\{[A-Z0-9_]+\}`)
)

// submitEach submits each event of the case types of a definition once, and returns how many there are.
func (w *world) submitEach(im *ccd.Import) (events int) {
	w.t.Helper()
	stub := town(w.t.(*testing.T))
	for _, ct := range im.Types {
		yaml := callbackHost.ReplaceAllString(string(ct.YAML), "${1}"+stub)
		yaml = variable.ReplaceAllString(yaml, "x")
		put, err := w.types.PutCaseType(w.t.Context(), w.p, ct.Key, ct.Key+".yaml", []byte(yaml))
		if err != nil {
			w.t.Errorf("%s is refused: %v", ct.Key, err)
			continue
		}
		for _, tr := range put.Type.Transitions {
			events++
			if err := w.submitEvent(put.Type, tr); err != nil {
				w.t.Errorf("%s, %s: %v", ct.Key, tr.Key, err)
			}
		}
	}
	return events
}

// submitEvent starts an event, checks its pages, and submits it with a value of each field on them.
func (w *world) submitEvent(ct *casetype.Type, tr casetype.Transition) error {
	start := casework.Start{Type: ct.Key, Transition: tr.Key, IgnoreWarning: true}
	if !tr.Creates() {
		at, err := w.caseIn(ct, tr.From[0])
		if err != nil {
			return err
		}
		start.Type, start.CaseID = "", at
	}
	begun, err := w.submissions.Start(w.t.Context(), w.p, start)
	if err != nil {
		return fmt.Errorf("the start: %w", err)
	}
	values := newValues(ct)
	data := begun.Case.Data
	for _, page := range tr.Pages {
		for _, field := range page.Fields {
			if value, has := values.of(field.Name); has {
				data = casetype.Merge(data, map[string]any{field.Name: value})
			}
		}
		checked, err := w.submissions.CheckPage(w.t.Context(), w.p, casework.FilledPage{
			Type: start.Type, CaseID: start.CaseID, Transition: tr.Key, Page: page.Key, Data: data,
		})
		if err != nil {
			return fmt.Errorf("the page %s: %w", page.Key, err)
		}
		data = checked.Data
	}
	saved, err := w.submissions.Submit(w.t.Context(), w.p, casework.Submission{
		Type: start.Type, CaseID: start.CaseID, Transition: tr.Key, Data: data, Start: &begun.Ref,
	}, authz.Once{})
	if err != nil {
		return err
	}
	if only := tr.To.Only(); only != "" && only != casetype.Every && saved.State != only {
		return fmt.Errorf("the case is in the state %q", saved.State)
	}
	if (saved.Confirmation != nil) != (tr.Submitted != nil) {
		return fmt.Errorf("the confirmation is %v", saved.Confirmation)
	}
	for name := range data {
		if _, has := saved.Data[name]; !has && data[name] != nil {
			return fmt.Errorf("the field %s was not saved", name)
		}
	}
	return nil
}

// caseIn saves an empty case in a state, as if events had led it there.
func (w *world) caseIn(ct *casetype.Type, state string) (int64, error) {
	if state == casetype.Every {
		state = ct.States[0].Key
	}
	id, err := w.store.Next(w.t.Context(), w.p.Tenant, "test")
	if err != nil {
		return 0, err
	}
	c := cases.Case{
		ID: id, Tenant: w.p.Tenant, Type: ct.Key, TypeVersion: 1, Classification: ct.Definition.Classification,
		Reference: fmt.Sprint("T-", id), Name: "A case", State: state, Data: map[string]any{}, Version: 1, Revision: 1,
		CreatedAt: w.now(), ModifiedAt: w.now(), StateSince: w.now(),
	}
	return id, w.store.Update(w.t.Context(), func(tx *store.Tx) error { return tx.InsertCase(w.t.Context(), c, ct) })
}

// values makes values of fields by their schemas.
type values struct{ fields map[string]any }

func newValues(ct *casetype.Type) values {
	var v values
	if err := json.Unmarshal(ct.Definition.Fields, &v.fields); err != nil {
		panic(err) // the type has been parsed
	}
	return v
}

func (v values) of(field string) (any, bool) {
	properties, _ := v.fields["properties"].(map[string]any)
	schema, has := properties[field].(map[string]any)
	return v.value(schema, 0), has
}

// valuesOf are values of our types.
var valuesOf = map[string]string{
	"number_text": `"12.50"`, "yes_no": `"Yes"`, "money_gbp": `"4200"`, "date": `"2024-02-29"`,
	"date_time": `"2024-02-29T10:15:30"`, "email": `"a@example.org"`, "phone_uk": `"07123456789"`, "postcode": `"SW1H 9AJ"`,
	"text_case_reference":       `"4539148803436467"`,
	"dynamic_list":              `{"value": {"code": "a", "label": "A"}, "list_items": [{"code": "a", "label": "A"}]}`,
	"dynamic_multi_select_list": `{"value": [{"code": "a", "label": "A"}], "list_items": [{"code": "a", "label": "A"}]}`,
	"document": `{"document_url": "http://dm/documents/1", "document_binary_url": "http://dm/documents/1/binary",
		"document_filename": "a.pdf"}`,
}

// value returns a value that fits a schema. Where it has bounds of its own, that is an empty one, which all take.
func (v values) value(schema map[string]any, depth int) any {
	ours, _ := schema["x-casehook-type"].(string)
	for _, bound := range []string{"pattern", "minimum", "maximum", "minLength", "maxLength", "minItems"} {
		if schema[bound] != nil {
			return ""
		}
	}
	items, _ := schema["items"].(map[string]any)
	ref, _ := schema["$ref"].(string)
	defs, _ := v.fields["$defs"].(map[string]any)
	codes, _ := schema["enum"].([]any)
	switch {
	case depth > 12:
		return nil
	case ref != "":
		of, _ := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		return v.value(of, depth+1)
	case ours == "collection":
		return []any{map[string]any{"value": v.value(items, depth+1)}}
	case valuesOf[ours] != "":
		return object(`{"value": ` + valuesOf[ours] + `}`)["value"]
	case len(codes) > 0:
		return codes[0]
	case schema["type"] == "array":
		return []any{v.value(items, depth+1)}
	case schema["type"] == "object":
		members, _ := schema["properties"].(map[string]any)
		made := map[string]any{}
		for name, member := range members {
			member, _ := member.(map[string]any)
			made[name] = v.value(member, depth+1)
		}
		return made
	}
	return "text"
}

func TestEveryEventOfAnImportedDefinitionIsSubmitted(t *testing.T) {
	w := start(t)
	for _, id := range slices.Sorted(maps.Keys(shapes)) {
		im := importedOf(t, sheetsOf(t, madeUp(id, shapes[id])))
		if diff := cmp.Diff(shapes[id], im.Types[0].Counts); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		if events := w.submitEach(im); events != shapes[id].Events {
			t.Errorf("%s: %d events were submitted", id, events)
		}
	}
	if *definitionsIn == "" {
		return
	}
	folders, err := os.ReadDir(*definitionsIn)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			im := importedOf(t, filesIn(t, filepath.Join(*definitionsIn, folder.Name())))
			w := startAt(t, "")
			t.Logf("%d types, %d events were submitted", len(im.Types), w.submitEach(im))
		})
	}
}

// filesIn reads the files of a definition.
func filesIn(t *testing.T, folder string) (files []sheets.File) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		below, _ := filepath.Rel(folder, path)
		below = filepath.ToSlash(below)
		kind := filepath.Ext(path)
		if err != nil || entry.IsDir() || kind != ".json" && kind != ".xlsx" ||
			sheets.Excluded(below, []string{"*-nonprod.json", "UserProfile*"}) {
			return err
		}
		content, err := os.ReadFile(path)
		files = append(files, sheets.File{Path: below, Below: below, Content: content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
