package casetype

import (
	"slices"
	"strings"
)

// Highest returns the highest classification among the fields.
func (t *Type) Highest() Classification { return t.highest }

// ClassifiedFields returns the fields that are classified above PUBLIC, with their
// classifications; nil when there are none.
func (t *Type) ClassifiedFields() map[string]string { return t.classifiedFields }

// Unseen lists the fields that the clearance does not see.
func (t *Type) Unseen(clearance Classification) []string {
	if !t.highest.Limited() {
		return t.unseen[clearance.Level()]
	}
	return slices.DeleteFunc(slices.Clone(t.fields), func(name string) bool { return t.Shows(name, clearance) })
}

// Shows reports whether the clearance sees a field. No clearance sees an unknown field.
func (t *Type) Shows(field string, clearance Classification) bool {
	class, known := t.classes[field]
	return known && clearance.Sees(class)
}

// Shown returns the part of the data that the clearance sees: the same map if it sees everything.
func (t *Type) Shown(data map[string]any, clearance Classification) map[string]any {
	if clearance.Sees(t.highest) {
		return data
	}
	shown := make(map[string]any, len(data))
	for name, value := range data {
		if t.Shows(name, clearance) {
			shown[name] = value
		}
	}
	return shown
}

// Hidden returns the rest of the data, which the clearance does not see.
func (t *Type) Hidden(data map[string]any, clearance Classification) map[string]any {
	if clearance.Sees(t.highest) {
		return nil
	}
	hidden := map[string]any{}
	for name, value := range data {
		if !t.Shows(name, clearance) {
			hidden[name] = value
		}
	}
	return hidden
}

// HighestIn returns the highest classification among the fields that data has, or PUBLIC.
func (t *Type) HighestIn(data map[string]any) Classification {
	highest := Public
	for name := range data {
		highest = Higher(highest, t.Classification(name))
	}
	return highest
}

// NameClassification returns the classification of a name that the template makes.
func (t *Type) NameClassification() Classification { return t.nameClass }

// DocumentClassification returns the classification of a document that was made of the fields that the
// clearance sees.
func (t *Type) DocumentClassification(d Document, clearance Classification) Classification {
	highest := Public
	for _, field := range t.placeholders(d.Template) {
		class := t.Classification(field)
		if field == "case.name" {
			class = t.nameClass
		}
		if clearance.Sees(class) {
			highest = Higher(highest, class)
		}
	}
	return highest
}

// placeholders lists the placeholders of a template: fields, and case.name.
func (t *Type) placeholders(template string) []string {
	parts, err := parseTemplate(template)
	if err != nil {
		return t.fields // impossible: Parse has checked the template
	}
	var names []string
	for _, p := range parts {
		switch field, _, _ := strings.Cut(p.placeholder, "."); {
		case p.placeholder == "case.name":
			names = append(names, p.placeholder)
		case field != "" && field != "case":
			names = append(names, field)
		}
	}
	return names
}

// shownFields lists the names of the fields that the clearance sees.
func (t *Type) shownFields(clearance Classification) []string {
	return slices.DeleteFunc(slices.Clone(t.fields), func(name string) bool { return !t.Shows(name, clearance) })
}

func (t *Type) indexClasses() {
	t.highest = Public
	for name, class := range t.classes {
		t.highest = Higher(t.highest, class)
		if class != Public {
			if t.classifiedFields == nil {
				t.classifiedFields = map[string]string{}
			}
			t.classifiedFields[name] = string(class)
		}
	}
	for level := range t.unseen {
		t.unseen[level] = slices.DeleteFunc(slices.Clone(t.fields),
			func(name string) bool { return t.classes[name].rank() <= level })
	}
	t.nameClass = Public
	for _, field := range t.placeholders(t.NameTemplate) {
		t.nameClass = Higher(t.nameClass, t.Classification(field))
	}
}
