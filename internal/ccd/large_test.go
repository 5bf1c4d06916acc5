package ccd_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/ccd"
)

// largeDefinition returns the sheets of a case type as large as the largest that are published: its complex types are
// six deep, through collections, and each event has pages with labels and conditions.
func largeDefinition(t *testing.T, fields, complexTypes, events int) map[string]string {
	t.Helper()
	type row = map[string]any
	all := map[string][]row{"CaseType": {{"ID": "Large", "Name": "Large", "JurisdictionID": "TOWN"}}}
	add := func(sheet string, r row) {
		r["CaseTypeID"] = "Large"
		all[sheet] = append(all[sheet], r)
	}
	kinds := []string{"Text", "YesOrNo", "Date", "Number", "MoneyGBP", "Document", "DynamicList", "DateTime"}
	for i := range complexTypes {
		of := fmt.Sprintf("Part%d", i)
		for j := range 7 {
			all["ComplexTypes"] = append(all["ComplexTypes"], row{
				"ID": of, "ListElementCode": fmt.Sprintf("member%d", j),
				"ElementLabel": "A member", "FieldType": kinds[(i+j)%len(kinds)]})
		}
		if i%6 != 0 {
			all["ComplexTypes"] = append(all["ComplexTypes"], row{
				"ID": of, "ListElementCode": "below", "FieldType": "Collection",
				"FieldTypeParameter": fmt.Sprintf("Part%d", i-1)})
		}
	}
	for i := range 300 {
		all["FixedLists"] = append(all["FixedLists"], row{"ID": fmt.Sprintf("List%d", i%60),
			"ListElementCode": fmt.Sprintf("code%d", i), "ListElement": "A choice"})
	}
	for i := range 38 {
		add("State", row{"ID": fmt.Sprintf("State%d", i), "Name": "A state"})
	}
	for i := range 40 {
		add("AuthorisationCaseType", row{"AccessProfile": fmt.Sprintf("officer-%d", i), "CRUD": "CRU"})
	}
	for i := range fields {
		field := row{"ID": fmt.Sprintf("field%d", i), "Label": "A field of the case", "FieldType": kinds[i%len(kinds)]}
		switch i % 5 {
		case 0:
			field["FieldType"], field["FieldTypeParameter"] = "Collection", fmt.Sprintf("Part%d", i%complexTypes)
		case 1:
			field["FieldType"] = fmt.Sprintf("Part%d", (i*7)%complexTypes)
		case 2:
			field["FieldType"], field["FieldTypeParameter"] = "FixedList", fmt.Sprintf("List%d", i%60)
		}
		add("CaseField", field)
		for j := range 4 {
			add("AuthorisationCaseField", row{
				"CaseFieldID": field["ID"], "AccessProfile": fmt.Sprintf("officer-%d", (i+j)%40),
				"CRUD": "CRU"})
		}
	}
	for i := range events {
		id := fmt.Sprintf("event%d", i)
		event := row{
			"ID": id, "Name": "An event", "DisplayOrder": i + 1, "PostConditionState": fmt.Sprintf("State%d", i%38),
			"CallBackURLAboutToSubmitEvent": "http://${CCD_DEF_TOWN_URL}/submit"}
		if i > 3 {
			event["PreConditionState(s)"] = fmt.Sprintf("State%d;State%d", (i+1)%38, (i+5)%38)
		}
		if i%11 == 5 {
			event["PostConditionState"] = `State1(field3="1"):1;State2(field3="2"):2;State3`
		}
		if i%3 == 0 {
			event["EventEnablingCondition"] = `field4!="x" AND field8="y"`
		}
		add("CaseEvent", event)
		for j := range 4 {
			add("AuthorisationCaseEvent", row{
				"CaseEventID": id, "AccessProfile": fmt.Sprintf("officer-%d", (i+j)%40), "CRUD": "CRU",
			})
		}
		for j := range 15 {
			add("CaseEventToFields", row{"CaseEventID": id, "CaseFieldID": fmt.Sprintf("field%d", (i*5+j)%fields),
				"DisplayContext": "OPTIONAL", "PageID": fmt.Sprint(j / 5), "PageDisplayOrder": j/5 + 1,
				"PageFieldDisplayOrder": j + 1, "FieldShowCondition": `field3="1" AND field4="2"`})
		}
	}
	content := map[string]string{}
	for sheet, rows := range all {
		raw, err := json.Marshal(rows)
		if err != nil {
			t.Fatal(err)
		}
		content[sheet] = string(raw)
	}
	return content
}

func TestTheLargestDefinitionsAreAccepted(t *testing.T) {
	im := imported(t, made(largeDefinition(t, 2300, 300, 600)), ccd.Options{})
	ct, err := casetype.Parse("Large.yaml", im.Types[0].YAML)
	if err != nil {
		t.Fatal(err)
	}
	if im.Types[0].Counts.Fields != 2300 || len(ct.Transitions) != 600 {
		t.Errorf("the type has %d fields and %d transitions", im.Types[0].Counts.Fields, len(ct.Transitions))
	}
	if _, err := casetype.Parse("Large.json", ct.JSON()); err != nil {
		t.Errorf("as it is stored: %v", err)
	}
	value := `"text"`
	for range 6 {
		value = `[{"value": {"member0": "", "below": ` + value + `}}]`
	}
	value = strings.Replace(value, `"below": "text"`, `"member1": ""`, 1)
	sent, err := casetype.DecodeSent([]byte(`{"field5": ` + value + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if wrong, err := ct.Validate(casetype.Budget(t.Context()), sent, ""); len(wrong) > 0 || err != nil {
		t.Errorf("its deepest value: %v, %v", wrong, err)
	}
}
