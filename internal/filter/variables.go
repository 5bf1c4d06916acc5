package filter

import (
	"time"

	"cel.dev/cel-go/common/types/ref"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/expression"
)

// variables returns the variables of filters.
func variables() []expression.Variable {
	return []expression.Variable{
		{Name: "message", Type: messageObject.Type()},
		{Name: "case", Type: caseObject.Type()},
		{Name: "contact", Type: contactObject.Type()},
	}
}

func objects() []*expression.Object {
	return []*expression.Object{messageObject, caseObject, contactObject, personObject, linkObject}
}

// messageObject is a *Message.
var messageObject = &expression.Object{Name: "message", Fields: map[string]expression.Field{
	"trigger": ofMessage(expression.Text, func(m *Message) any { return m.wire.Trigger }),
	"body": {Type: expression.Map, Get: func(v any) (any, bool) {
		body := v.(*Message).decoded()
		return body, body != nil
	}},
	"subject":     ofMessage(expression.Text, func(m *Message) any { return m.entry.view.Subject }),
	"sequence":    ofMessage(expression.Int, func(m *Message) any { return m.entry.view.Version }),
	"source":      ofMessage(expression.Text, func(m *Message) any { return string(m.entry.view.Actor.Source) }),
	"occurred_at": ofMessage(expression.Time, func(m *Message) any { return m.entry.view.At }),
	"changed":     ofMessage(expression.Texts, func(m *Message) any { return m.changed() }),
}}

func ofMessage(t expression.Type, get func(*Message) any) expression.Field {
	return expression.Field{Type: t, Get: func(v any) (any, bool) { return get(v.(*Message)), true }}
}

// caseObject is an *Entry; all of it is absent where the entry is not about a case.
var caseObject = &expression.Object{Name: "case", Fields: map[string]expression.Field{
	"id":             ofCase(expression.Int, func(c *event.Case) any { return c.ID }),
	"reference":      ofCase(expression.Text, func(c *event.Case) any { return c.Reference }),
	"name":           ofCase(expression.Text, func(c *event.Case) any { return c.Name }),
	"version":        ofCase(expression.Int, func(c *event.Case) any { return c.Version }),
	"type":           ofCase(expression.Text, func(c *event.Case) any { return c.Type }),
	"type_version":   ofCase(expression.Int, func(c *event.Case) any { return c.TypeVersion }),
	"kind":           ofCase(expression.Text, func(c *event.Case) any { return c.Kind }),
	"state":          ofCase(expression.Text, func(c *event.Case) any { return c.State }),
	"final":          ofCase(expression.Bool, func(c *event.Case) any { return c.Final }),
	"status":         ofCase(expression.Text, func(c *event.Case) any { return c.Status() }),
	"color":          ofCase(expression.Text, func(c *event.Case) any { return c.Color }),
	"process_key":    ofCase(expression.Text, func(c *event.Case) any { return c.ProcessKey }),
	"classification": ofCase(expression.Text, func(c *event.Case) any { return c.Classification }),
	"labels":         ofCase(expression.Texts, func(c *event.Case) any { return append([]string{}, c.Labels...) }),
	"contacts": ofCase(expression.ListOf(linkObject.Type()),
		func(c *event.Case) any { return links(c.Contacts) }),
	"assignee":         ofCase(personObject.Type(), func(c *event.Case) any { return person(c.Assignee) }),
	"assigned_at":      ofCase(expression.Time, func(c *event.Case) any { return moment(c.AssignedAt) }),
	"opened_at":        ofCase(expression.Time, func(c *event.Case) any { return moment(c.OpenedAt) }),
	"closed_at":        ofCase(expression.Time, func(c *event.Case) any { return moment(c.ClosedAt) }),
	"created_at":       ofCase(expression.Time, func(c *event.Case) any { return moment(c.CreatedAt) }),
	"modified_at":      ofCase(expression.Time, func(c *event.Case) any { return moment(c.ModifiedAt) }),
	"last_activity_at": ofCase(expression.Time, func(c *event.Case) any { return moment(c.LastActivityAt) }),
	"data": {Type: expression.Map, Get: func(v any) (any, bool) {
		data := v.(*Entry).caseData()
		return data, data != nil
	}},
}}

// ofCase returns a field of the case; it is absent if get returns nil.
func ofCase(t expression.Type, get func(*event.Case) any) expression.Field {
	return expression.Field{Type: t, Get: func(v any) (value any, ok bool) {
		if c := v.(*Entry).view.Snapshot.Case; c != nil {
			value = get(c)
		}
		return value, value != nil
	}}
}

// contactObject is an *Entry; all of it is absent where the entry is not about a
// contact.
var contactObject = &expression.Object{Name: "contact", Fields: map[string]expression.Field{
	"id":                       ofContact(expression.Int, func(c *event.Contact) any { return c.ID }),
	"version":                  ofContact(expression.Int, func(c *event.Contact) any { return c.Version }),
	"is_business":              ofContact(expression.Bool, func(c *event.Contact) any { return c.IsBusiness }),
	"business_name":            ofContact(expression.Text, func(c *event.Contact) any { return c.BusinessName }),
	"first_name":               ofContact(expression.Text, func(c *event.Contact) any { return c.FirstName }),
	"last_name":                ofContact(expression.Text, func(c *event.Contact) any { return c.LastName }),
	"email":                    ofContact(expression.Text, func(c *event.Contact) any { return c.Email }),
	"preferred_contact_method": ofContact(expression.Text, func(c *event.Contact) any { return c.Preferred }),
	"city":                     ofContact(expression.Text, func(c *event.Contact) any { return c.City }),
	"state":                    ofContact(expression.Text, func(c *event.Contact) any { return c.StateOrCounty }),
	"postcode":                 ofContact(expression.Text, func(c *event.Contact) any { return c.Postcode }),
	"country_code":             ofContact(expression.Text, func(c *event.Contact) any { return c.CountryCode }),
}}

func ofContact(t expression.Type, get func(*event.Contact) any) expression.Field {
	return expression.Field{Type: t, Get: func(v any) (any, bool) {
		if c := v.(*Entry).view.Snapshot.Contact; c != nil {
			return get(c), true
		}
		return nil, false
	}}
}

// personObject is an *event.Person.
var personObject = &expression.Object{Name: "person", Fields: map[string]expression.Field{
	"user_id": {Type: expression.Int, Get: func(v any) (any, bool) { return v.(*event.Person).UserID, true }},
	"name":    {Type: expression.Text, Get: func(v any) (any, bool) { return v.(*event.Person).Name, true }},
}}

func person(p *event.Person) any {
	if p == nil {
		return nil
	}
	return personObject.Of(p)
}

// linkObject is an event.CaseContact.
var linkObject = &expression.Object{Name: "link", Fields: map[string]expression.Field{
	"contact_id": {Type: expression.Int, Get: func(v any) (any, bool) { return v.(event.CaseContact).ContactID, true }},
	"role":       {Type: expression.Text, Get: func(v any) (any, bool) { return v.(event.CaseContact).Role, true }},
}}

func links(all []event.CaseContact) []ref.Val {
	values := make([]ref.Val, len(all))
	for i, c := range all {
		values[i] = linkObject.Of(c)
	}
	return values
}

// moment returns a time for expressions, or nil for the zero time.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
