package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxBody is the default limit of a body, in bytes.
const MaxBody = 4 << 20

// Event is one webhook.
type Event struct {
	ID      string // the webhook-id: unique to the message, and the same on every attempt
	Trigger string // case_created, claim.closed, ..., from the body

	// Payload is the decoded body, as one of the types of this package: for case_created a CaseCreated, for claim.* a
	// ClaimEvent, for com.casehook.* a CloudEvent, and so on. It is nil for a trigger that this version of the package
	// does not know; use Body then.
	Payload any
	Body    json.RawMessage // as it arrived

	// These come from headers that are not signed.
	Subject  string    // case/4539148803436467
	Sequence int64     // the subject's version: it grows by one with every change
	Attempt  int       // 1, 2, ...
	SentAt   time.Time // when this attempt was signed; this one is signed too
}

// payloads makes a payload of the body, by trigger.
var payloads = map[string]func(body []byte) (any, error){
	"case_created":           payload[CaseCreated],
	"case_changed":           payload[CaseChanged],
	"case_state_changed":     payload[CaseStateChanged],
	"case_approved":          payload[CaseApproved],
	"case_declined":          payload[CaseDeclined],
	"case_finished":          payload[CaseFinished],
	"case_comment":           payload[CaseComment],
	"case_documents_updated": payload[CaseDocumentsUpdated],
	"case_proofs_updated":    payload[CaseProofsUpdated],

	"claim.created":       payload[ClaimEvent],
	"claim.closed":        payload[ClaimEvent],
	"claim.reopened":      payload[ClaimEvent],
	"claim.label_added":   payload[ClaimEvent],
	"claim.label_removed": payload[ClaimEvent],
	"claim.label.added":   payload[ClaimEvent],
	"claim.label.removed": payload[ClaimEvent],
	"claim.assigned":      payload[ClaimEvent],
	"claim.unassigned":    payload[ClaimEvent],
	"claim.switched_type": payload[ClaimEvent],
	"claim.deleted":       payload[ClaimEvent],

	"contact.created": payload[ContactEvent],

	"endpoint.failing":   payload[EndpointEvent],
	"endpoint.disabled":  payload[EndpointEvent],
	"endpoint.recovered": payload[EndpointEvent],
}

func payload[T any](body []byte) (any, error) {
	var p T
	err := json.Unmarshal(body, &p)
	return p, err
}

// Parse reads a webhook's request, verifies it and decodes it. The body may have
// MaxBody bytes. The errors are those of Verify and Decode, and ErrTooLarge.
func (v *Verifier) Parse(r *http.Request) (*Event, error) {
	body, err := v.read(r, MaxBody)
	if err != nil {
		return nil, err
	}
	return Decode(r.Header, body)
}

// read returns the body of a request, verified.
func (v *Verifier) read(r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, limit)
	case err != nil:
		return nil, fmt.Errorf("%w: reading it: %w", ErrBody, err)
	}
	return body, v.Verify(r.Header, body)
}

// Decode makes an Event of a request that was verified. The error is ErrBody.
func Decode(header http.Header, body []byte) (*Event, error) {
	var named struct {
		Trigger string `json:"trigger"`
		Event   string `json:"event_name"` // of claims and contacts
		Type    string `json:"type"`       // of CloudEvents
	}
	if err := json.Unmarshal(body, &named); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBody, err)
	}
	e := &Event{ID: header.Get(headerID), Trigger: named.Trigger, Body: body, Subject: header.Get("webhook-subject")}
	if e.Trigger == "" {
		e.Trigger = named.Event
	}
	if e.Trigger == "" && strings.HasPrefix(named.Type, cloudPrefix) {
		e.Trigger = named.Type
	}
	if e.Trigger == "" {
		return nil, fmt.Errorf("%w: it names no trigger", ErrBody)
	}
	e.Attempt, _ = strconv.Atoi(header.Get("webhook-attempt")) // 0, where there is none
	e.Sequence, _ = strconv.ParseInt(header.Get("webhook-sequence"), 10, 64)
	if at, err := strconv.ParseInt(header.Get(headerTimestamp), 10, 64); err == nil {
		e.SentAt = time.Unix(at, 0).UTC()
	}
	decode, known := payloadOf(e.Trigger)
	if !known {
		return e, nil
	}
	var err error
	if e.Payload, err = decode(body); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrBody, e.Trigger, err)
	}
	return e, nil
}

// Case returns the case of a case_* trigger; ok is false for other triggers.
func (e *Event) Case() (c Case, ok bool) {
	of, ok := e.Payload.(interface{ about() Case })
	if !ok {
		return Case{}, false
	}
	return of.about(), true
}
