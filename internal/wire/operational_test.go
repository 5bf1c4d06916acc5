package wire_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// endpointEntry returns a journal entry about an endpoint's health.
func endpointEntry(fact event.Fact) *event.Entry {
	at := time.Date(2026, 3, 14, 15, 9, 26, 535897000, time.UTC)
	return &event.Entry{
		ID:      1001,
		Seq:     900,
		Tenant:  1,
		Subject: event.EndpointSubject("ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"),
		Version: 3,
		At:      at,
		Actor:   event.Actor{Source: event.System, Name: "Casehook"},
		Facts:   []event.Fact{fact},
		Snapshot: event.Snapshot{Endpoint: &event.Endpoint{
			ID: "ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f", URL: "https://crm.example.com/hooks?x=1&y=<2>",
			Since: at.Add(-time.Hour).In(time.FixedZone("", 3600)), Reason: "503 Service Unavailable", Class: "PRIVATE",
		}},
	}
}

func TestOperationalTriggersMatchTheirVectors(t *testing.T) {
	for name, fact := range map[string]event.Fact{
		"endpoint_failing":   event.EndpointFailing.New(event.NoDetails{}),
		"endpoint_disabled":  event.EndpointDisabled.New(event.NoDetails{}),
		"endpoint_recovered": event.EndpointRecovered.New(event.NoDetails{}),
	} {
		golden(t, name, request(t, only(t, endpointEntry(fact))))
	}
}

func TestMessagesAboutAnEndpointAreHiddenBelowItsClearance(t *testing.T) {
	e := endpointEntry(event.EndpointFailing.New(event.NoDetails{}))
	for clearance, hidden := range map[casetype.Classification]bool{
		casetype.Public: true, casetype.Private: false, casetype.Restricted: false,
	} {
		m := vendorMessages(e, "0.1.0", clearance)
		if len(m) != 1 || m[0].Hidden != hidden || hidden != (m[0].Body == nil) {
			t.Errorf("%s: %+v", clearance, m)
		}
	}
}

func TestAnOperationalBodyNeedsAnEndpoint(t *testing.T) {
	e := endpointEntry(event.EndpointFailing.New(event.NoDetails{}))
	e.Snapshot.Endpoint = nil
	if m := only(t, e); m.Err == nil || m.Body != nil || m.Trigger != "endpoint.failing" {
		t.Errorf("%+v", m)
	}
}
