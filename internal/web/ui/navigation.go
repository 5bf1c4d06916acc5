package ui

import (
	"net/url"

	"github.com/a-h/templ"

	"github.com/casehook/casehook/internal/access"
)

// section is a part of the navigation.
type section struct {
	Title string
	Items []item
}

// item leads to a page.
type item struct {
	Path, Title, Icon string
	Key               string // behind g
	needs             access.Operation
}

var navigation = []section{
	{"", []item{{"/", "Overview", "overview", "o", access.ListCases}}},
	{"Work", []item{
		{"/cases", "Cases", "case", "c", access.ListCases},
		{"/queues", "Queues", "queue", "q", access.CountCases},
		{"/jobs", "Jobs", "check", "j", access.ListJobs},
		{"/contacts", "Contacts", "contact", "n", access.ListContacts},
	}},
	{"Webhooks", []item{
		{"/messages", "Messages", "message", "m", access.FindAttempts},
		{"/endpoints", "Endpoints", "endpoint", "e", access.ListEndpoints},
		{"/problems", "Problems", "problem", "p", access.ListProblems},
		{"/replays", "Replays", "replay", "r", access.ListReplays},
		{"/catalogue", "Catalogue", "catalogue", "w", access.ListTriggers},
	}},
	{"Asked", []item{
		{"/callbacks", "Callbacks", "callback", "b", access.ListQuestions},
		{"/questions", "Questions", "question", "h", access.ListQuestions},
	}},
	{"Setup", []item{
		{"/types", "Case types", "type", "t", access.ListCaseTypes},
		{"/labels", "Labels", "label", "l", access.ListLabels},
		{"/people", "People", "people", "u", access.ListUsers},
		{"/tokens", "Tokens", "token", "k", access.ListTokens},
		{"/audit", "Audit", "audit", "a", access.ListAudit},
		{"/settings", "Settings", "settings", "s", access.ListAudit},
	}},
}

// loadsCounts makes a script ask for the counts of a page's views.
func loadsCounts(page, query string, load bool) templ.Attributes {
	if !load {
		return nil
	}
	values := url.Values{"page": {page}, "query": {query}}
	return templ.Attributes{
		"hx-get": "/views?" + values.Encode(), "hx-trigger": "load", "hx-swap": "outerHTML",
	}
}

// sections returns the navigation's items that a principal may use.
func sections(p access.Principal) []section {
	var all []section
	for _, s := range navigation {
		shown := section{Title: s.Title}
		for _, i := range s.Items {
			if p.Role.Permits(i.needs) {
				shown.Items = append(shown.Items, i)
			}
		}
		if len(shown.Items) > 0 {
			all = append(all, shown)
		}
	}
	return all
}
