package ccd

import (
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/sheets"
)

// ids are the columns that hold ids, types and words: a variable in them needs a value.
var ids = strings.Fields("ID CaseTypeID CaseEventID CaseFieldID CaseStateID ListElementCode FieldType " +
	"FieldTypeParameter AccessProfile AccessProfiles RoleName JurisdictionID CRUD PageID PreConditionState(s) " +
	"PostConditionState SecurityClassification DisplayContext")

// labels are the columns with texts for people. In them ${name} stands for a field.
var labels = strings.Fields("Name Description Label HintText ElementLabel ListElement PageLabel EventElementLabel " +
	"EventHintText CaseEventFieldLabel CaseEventFieldHint TitleDisplay EndButtonLabel")

// resolve replaces variables of a row by their defaults, except for those in labels and in URLs, and refuses ids with
// others.
func (im *importer) resolve(row sheets.Row) (sheets.Row, error) {
	for _, column := range row.Columns() {
		text := row.Text(column)
		isURL := strings.Contains(strings.ToLower(column), "url") && !strings.HasPrefix(column, "Retries")
		if !strings.Contains(text, "${") || isURL || slices.Contains(labels, column) {
			continue
		}
		unset := ""
		resolved := sheets.EachVariable(text, func(v sheets.Variable) string {
			if v.HasDefault {
				return v.Default
			}
			unset = v.Name
			return "${" + v.Name + "}"
		})
		if unset != "" && slices.Contains(ids, column) {
			return row, sheets.Faultf(row.At(column), "has the variable ${%.80s}: give it a value, -D %.80[1]s=...",
				unset)
		}
		row = row.With(column, resolved)
	}
	return row, nil
}

// prefix is that of the variables that the tools of HMCTS fill in.
const prefix = "CCD_DEF_"

// url returns the URL of a callback with the variables of Casehook.
func (im *importer) url(row sheets.Row, column string) string {
	return sheets.EachVariable(row.ID(column), func(v sheets.Variable) string {
		name := strings.ToUpper(v.Name)
		name = "CASEHOOK_VAR_" + strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
				return r
			}
			return '_'
		}, strings.TrimPrefix(name, prefix))
		known, again := im.variables[v.Name]
		if again && known.Default != "" && v.HasDefault && v.Default != known.Default {
			im.note(row.At(column), "the variable ${%s} has several defaults", v.Name)
		}
		if !again || known.Default == "" {
			im.variables[v.Name] = Variable{v.Name, name, v.Default}
		}
		return "${" + name + "}"
	})
}
