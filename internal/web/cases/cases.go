// Package cases has the console's pages about cases: the list, the queues, a case with its form and its timeline, and
// the creation of one; and the
// questions that callbacks were asked.
package cases

import (
	"strconv"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

type handler struct {
	services casework.Services
	messages *hooks.Messages
	users    *people.Users
	guard    *authz.Guard

	questionIDs rest.SealedIDs
}

// Services are the use cases that the pages need.
type Services struct {
	Casework casework.Services
	Messages *hooks.Messages
	Users    *people.Users
	Guard    *authz.Guard
}

// Register registers the pages.
func Register(s *ui.Site, services Services) {
	h := handler{
		services: services.Casework, messages: services.Messages, users: services.Users, guard: services.Guard,
		questionIDs: s.SealedIDs("qst_"),
	}
	s.Page("GET /cases", access.ListCases, h.list)
	s.Page("GET /jobs", access.ListJobs, h.jobs)
	s.Page("GET /jobs/new", access.CreateJob, h.newJob)
	s.Page("POST /jobs", access.CreateJob, h.createJob)
	s.Page("GET /jobs/{id}", access.GetJob, h.showJob)
	s.Page("POST /jobs/{id}/cancel", access.CancelJob, h.cancelJob)
	s.Page("GET /queues", access.CountCases, h.queues)
	s.Page("GET /queues/next", access.ListCases, h.next)
	s.Page("GET /labels", access.ListLabels, h.labels)
	s.Page("POST /labels", access.CreateLabel, h.createLabel)
	s.Page("POST /labels/{slug}", access.EditLabel, h.editLabel)
	s.Page("POST /labels/{slug}/delete", access.DeleteLabel, h.deleteLabel)
	s.Page("GET /contacts", access.ListContacts, h.contacts)
	s.Page("GET /contacts/new", access.CreateContact, h.newContact)
	s.Page("POST /contacts/new", access.CreateContact, h.createContact)
	s.Page("GET /contacts/{id}", access.GetContact, h.showContact)
	s.Page("POST /contacts/{id}", access.UpdateContact, h.updateContact)
	s.Page("GET /types", access.ListCaseTypes, h.types)
	s.Page("GET /types/new", access.PutCaseType, h.newType)
	s.Page("POST /types/new", access.PutCaseType, h.putType)
	s.Page("GET /types/{key}", access.GetCaseType, h.showType)
	s.Page("GET /types/{key}/forms", access.GetCaseType, h.previewForms)
	s.Page("POST /types/{key}/retire", access.RetireCaseType, h.retireType)
	s.Page("POST /types/{key}/restore", access.RestoreCaseType, h.restoreType)
	s.Page("GET /questions", access.ListQuestions, h.questions)
	s.Page("GET /questions/{id}", access.GetQuestion, h.question)
	s.Page("GET /callbacks", access.ListQuestions, h.callbacks)
	s.Page("GET /dry-run", access.DryRunTransition, h.showDryRun)
	s.Page("POST /dry-run", access.DryRunTransition, h.dryRun)
	s.Page("POST /documents", access.UploadProof, h.newDocument)
	s.Page("GET /documents/{document}", access.DownloadProof, h.document)
	s.Page("GET /cases/new", access.CreateCase, h.newCase)
	s.Page("POST /cases/new", access.CreateCase, h.create)
	s.Page("GET /cases/{id}", access.GetCase, h.show)
	s.Page("POST /cases/{id}", access.EditCase, h.edit)
	s.Page("GET /cases/{id}/transitions/{transition}", access.GetCase, h.showTransition)
	s.Page("POST /cases/{id}/transitions/{transition}", access.SubmitTransition, h.transition)
	s.Page("POST /cases/{id}/presence", access.SetPresence, h.presence)
	s.Page("POST /cases/{id}/presence/end", access.DeletePresence, h.endPresence)
	s.Page("POST /cases/{id}/comments", access.AddComment, h.comment)
	s.Page("POST /cases/{id}/assignee", access.AssignCase, h.assign)
	s.Page("POST /cases/{id}/labels", access.AddLabel, h.label)
	s.Page("POST /cases/{id}/documents", access.GenerateDocument, h.generate)
}

// casePath returns the address of a case.
func casePath(id int64) string { return "/cases/" + strconv.FormatInt(id, 10) }
