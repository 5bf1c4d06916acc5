package wire

import (
	"time"

	"github.com/casehook/casehook/internal/event"
)

// Parts of samples; all persons and things are invented.
var (
	sampleTime      = time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)
	samplePerson    = event.Person{UserID: 2642, Name: "John Smith"}
	sampleActor     = event.Actor{Source: event.UI, UserID: samplePerson.UserID, Name: samplePerson.Name}
	sampleLabel     = event.Label{Slug: "urgent"}
	sampleDocuments = event.Documents{Keys: []string{"contract"}, IDs: []string{"doc_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"}}
	sampleProofs    = event.Proofs{Keys: []string{"passport"}, IDs: []string{"prf_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"}}
)

// sampleEntry makes an entry about a case.
func sampleEntry(c *event.Case, fact event.Fact) *event.Entry {
	return &event.Entry{
		Subject: event.CaseSubject(c.ID), Version: c.Version, At: sampleTime, Actor: sampleActor,
		Facts: []event.Fact{fact}, Snapshot: event.Snapshot{Case: c},
	}
}

// sampleOfCase makes an entry about a case that is in this state.
func sampleOfCase(fact event.Fact, state string) *event.Entry {
	c := &event.Case{
		ID: 4539148803436467, Reference: "KYC-000042", Name: "Acme Corp", Version: 7,
		URL: "https://cases.example.com/cases/4539148803436467", Color: "amber",
		OutcomeInstance: 17, ProcessKey: "kyc_process", Type: "kyc", TypeVersion: 1, Kind: "case",
		State: state, Classification: "PUBLIC", Data: []byte(`{"client":"Acme Corp","country":"CH","risk_score":12}`),
		OpenedAt: sampleTime.AddDate(0, 0, -12), CreatedAt: sampleTime.AddDate(0, 0, -12),
		LastActivityAt: sampleTime, LastActivityBy: sampleActor.UserID, ModifiedAt: sampleTime,
	}
	if fact.Name == event.CaseCreated.Name {
		c.Version, c.OpenedAt, c.CreatedAt = 1, sampleTime, sampleTime
	}
	if color := map[string]string{"approved": "green", "declined": "red"}[state]; color != "" {
		c.Color, c.Final, c.ClosedAt = color, true, sampleTime
	}
	return sampleEntry(c, fact)
}

// sampleOfClaim makes an entry about a claim in its state after the fact.
func sampleOfClaim(fact event.Fact) *event.Entry {
	c := &event.Case{
		ID:             6011514433546201,
		Reference:      "MTR-000042",
		Name:           "Ada Meier: glass",
		Version:        7,
		URL:            "https://cases.example.com/cases/6011514433546201",
		Type:           "motor_claim",
		TypeVersion:    1,
		Kind:           "claim",
		State:          "in_review",
		Classification: "PUBLIC",
		Data: []byte(`{"claimant":{"id":4556737586899855,` +
			`"first_name":"Ada","last_name":"Meier","email":"ada.meier@example.com","role":"claimant"},` +
			`"estimated_claim_cost":84000,"external_claim_ref":"EXT-7781",` +
			`"incident_description":"A stone broke the windscreen.",` +
			`"incident_occurred_at":"2026-03-01T17:40:00.000Z",` +
			`"incident_type":"glass","policy_no":"POL-99120","reported_at":"2026-03-02T08:10:00.000Z"}`),
		Labels:         []string{sampleLabel.Slug},
		OpenedAt:       sampleTime.AddDate(0, 0, -12),
		CreatedAt:      sampleTime.AddDate(0, 0, -12),
		LastActivityAt: sampleTime,
		LastActivityBy: sampleActor.UserID,
		ModifiedAt:     sampleTime,
	}
	switch fact.Name {
	case event.CaseCreated.Name:
		c.Version, c.Labels, c.OpenedAt, c.CreatedAt = 1, nil, sampleTime, sampleTime
	case event.CaseClosed.Name:
		c.State, c.Final, c.ClosedAt, c.StatusChangedBy = "settled", true, sampleTime, sampleActor.UserID
	case event.CaseReopened.Name:
		c.OpenedAt, c.StatusChangedBy = sampleTime, sampleActor.UserID
	case event.CaseLabelRemoved.Name:
		c.Labels = nil
	case event.CaseAssigned.Name:
		c.Assignee, c.AssignedAt = &samplePerson, sampleTime
	}
	return sampleEntry(c, fact)
}

// sampleOfContact makes an entry about a new contact.
func sampleOfContact() *event.Entry {
	c := &event.Contact{
		ID: 4556737586899855, Version: 1, CreatedAt: sampleTime, ModifiedAt: sampleTime,
		ContactDetails: event.ContactDetails{
			Title:        "Dr",
			FirstName:    "Ada",
			LastName:     "Meier",
			Email:        "ada.meier@example.com",
			MobilePhone:  "+41 79 555 01 42",
			Preferred:    "email",
			AddressLine1: "Example Street 12",
			City:         "Zurich",
			Postcode:     "8001",
			CountryCode:  "CH",
		},
	}
	return &event.Entry{
		Subject: event.ContactSubject(c.ID), Version: c.Version, At: sampleTime, Actor: sampleActor,
		Facts: []event.Fact{event.ContactCreated.New(event.NoDetails{})}, Snapshot: event.Snapshot{Contact: c},
	}
}

// sampleOfEndpoint makes an entry about an endpoint that has been failing.
func sampleOfEndpoint(fact event.Fact) *event.Entry {
	e := &event.Endpoint{
		ID: "ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f", URL: "https://crm.example.com/hooks",
		Since: sampleTime.Add(-time.Hour), Reason: "503 Service Unavailable",
	}
	return &event.Entry{
		Subject: event.EndpointSubject(e.ID), Version: 7, At: sampleTime,
		Actor: event.Actor{Source: event.System, Name: "Casehook"},
		Facts: []event.Fact{fact}, Snapshot: event.Snapshot{Endpoint: e},
	}
}
