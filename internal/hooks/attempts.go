package hooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// AttemptQuery selects attempts, also by what was sent and answered.
type AttemptQuery struct {
	store.AttemptFilter
	Contains string // a part of the body that was sent, or of the answer, whatever its case; empty: anything
}

// AttemptPage is a page of attempts, the newest first.
type AttemptPage struct {
	Items []store.Attempt
	Next  int64 // the Before of the next page; 0: there is none

	// SearchedTo is when the oldest attempt began whose contents were searched; zero: none were.
	SearchedTo time.Time
}

// Attempts returns attempts at one endpoint, newest first. A page may have fewer attempts than its limit. Attempts
// outlive the endpoint.
func (s *Messages) Attempts(ctx context.Context, p access.Principal, q AttemptQuery) (page AttemptPage, err error) {
	if err := s.guard.Permit(ctx, p, access.ListAttempts); err != nil {
		return page, err
	}
	if !input.Word(q.Endpoint) {
		return page, endpointMissing()
	}
	e, err := findEndpoint(ctx, s.store, p, q.Endpoint)
	switch {
	case errors.Is(err, fault.NotFound):
		e.Reached = casetype.Restricted // the deleted endpoint may have reached so far
	case err != nil:
		return page, err
	}
	if !p.Clearance.Sees(e.Reached) { // an answer may quote a message
		return page, err
	}
	page, readErr := s.find(ctx, p, q)
	if readErr != nil || len(page.Items) > 0 || page.Next > 0 || !page.SearchedTo.IsZero() {
		return page, readErr
	}
	return page, err
}

// FindAttempts is Attempts for all endpoints.
func (s *Messages) FindAttempts(ctx context.Context, p access.Principal, q AttemptQuery) (page AttemptPage, err error) {
	if err := s.guard.Permit(ctx, p, access.FindAttempts); err != nil {
		return page, err
	}
	if !input.Word(q.Endpoint) {
		return page, nil // no endpoint has such an id
	}
	return s.find(ctx, p, q)
}

func (s *Messages) find(ctx context.Context, p access.Principal, q AttemptQuery) (page AttemptPage, err error) {
	if q.Contains != "" {
		return s.searchContents(ctx, p, q)
	}
	page.Items, page.Next, err = s.attempts(ctx, p, q.AttemptFilter)
	return page, err
}

// maxRounds bounds how often a page is filled up if the caller sees few of the items.
const maxRounds = 5

// attempts returns the attempts that the caller may see: at endpoints that never reached above the caller's
// clearance, and about subjects that the caller sees now.
func (s *Messages) attempts(
	ctx context.Context, p access.Principal, f store.AttemptFilter,
) (shown []store.Attempt, next int64, err error) {
	if !wellFormed(f) {
		return nil, 0, nil
	}
	sees, err := s.visibility(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	f.Among, f.Limit = sees.endpoints, input.Page(f.Limit)
	if f.Subject != "" {
		if visible, err := sees.subject(ctx, f.Subject); err != nil || !visible {
			return nil, 0, err
		}
	}
	for limit := f.Limit; ; {
		f.Limit = limit - len(shown)
		found, more, err := s.store.FindAttempts(ctx, p.Tenant, f)
		if err != nil {
			return nil, 0, err
		}
		for _, a := range found {
			visible, err := sees.attempt(ctx, a)
			if err != nil {
				return nil, 0, err
			}
			if visible {
				shown = append(shown, a)
			}
		}
		f.Before = more
		if sees.rounds++; more == 0 || len(shown) == limit || sees.rounds == maxRounds || len(found) < f.Limit {
			return shown, more, nil
		}
	}
}

// visibility decides which deliveries a caller sees.
type visibility struct {
	service   *Messages
	p         access.Principal
	endpoints []string // in the scope that never reached above the clearance; nil: all
	reader    access.Reader
	subjects  map[string]bool // the decisions so far
	rounds    int
}

func (s *Messages) visibility(ctx context.Context, p access.Principal) (*visibility, error) {
	v, err := s.subjectVisibility(ctx, p)
	if err != nil || p.Clearance.Sees(casetype.Restricted) && p.Role != access.Receiver {
		return v, err
	}
	v.endpoints = []string{}
	for after := ""; ; {
		all, err := endpointsAfter(ctx, s.store, p, after, input.MaxPage)
		if err != nil {
			return nil, err
		}
		for _, e := range all.Items {
			if after = e.ID; p.Clearance.Sees(e.Reached) && seesEndpoint(p, e) {
				v.endpoints = append(v.endpoints, e.ID)
			}
		}
		if !all.More {
			return v, nil
		}
	}
}

// subjectVisibility returns a visibility that does not limit the endpoints. A receiver sees the subjects that the maker
// of the link sees.
func (s *Messages) subjectVisibility(ctx context.Context, p access.Principal) (*visibility, error) {
	reader, err := s.guard.Reader(ctx, p)
	return &visibility{service: s, p: p.Unscoped(), reader: reader, subjects: map[string]bool{}}, err
}

// attempt reports whether the caller sees an attempt: its subject, and the type that the case had when the attempt's
// entry was made.
func (v *visibility) attempt(ctx context.Context, a store.Attempt) (bool, error) {
	visible, err := v.subject(ctx, a.Subject)
	if err != nil || !visible || len(v.reader.Without) == 0 {
		return visible, err
	}
	found, err := v.service.store.TenantRange(ctx, a.Tenant, a.Seq-1, a.Seq, 1)
	return err == nil && (len(found.Entries) == 0 || v.reader.Reads(found.Entries[0])), err
}

// subject reports whether the caller sees the subject of an attempt. A caller who sees the last entry of a deleted
// case sees its attempts.
func (v *visibility) subject(ctx context.Context, subject string) (visible bool, err error) {
	kind, id, _ := strings.Cut(subject, "/")
	if v.p.Clearance.Sees(casetype.Restricted) && len(v.reader.Without) == 0 || kind == "contact" {
		return true, nil
	}
	visible, known := v.subjects[subject]
	if known {
		return visible, nil
	}
	if kind == "case" {
		visible, err = v.ofCase(ctx, id)
	} else {
		e, findErr := findEndpoint(ctx, v.service.store, v.p, id)
		visible, err = findErr == nil && v.p.Clearance.Sees(e.Reached), ignore(findErr, fault.NotFound)
	}
	v.subjects[subject] = visible
	return visible, err
}

func (v *visibility) ofCase(ctx context.Context, text string) (bool, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return false, nil // no case has such an id
	}
	c, err := v.service.store.Case(ctx, v.p.Tenant, id)
	if err == nil {
		return v.p.Clearance.Sees(c.Classification) && v.reader.ReadsCase(c.Type, c.State), nil
	}
	if !errors.Is(err, fault.NotFound) {
		return false, err
	}
	last, err := v.service.store.History(ctx, v.p.Tenant, event.CaseSubject(id), input.Newest(0), 1)
	if err != nil || len(last.Items) == 0 {
		return false, err
	}
	_, visible := last.Items[0].As(v.p.Clearance.SeesClass)
	return visible && v.reader.Reads(last.Items[0]), nil
}

// ignore returns nil for an error of a kind, and any other error unchanged.
func ignore(err error, kind fault.Kind) error {
	if errors.Is(err, kind) {
		return nil
	}
	return err
}

// BodyState tells whether the body that is shown is the one that was sent.
type BodyState string

// The states.
const (
	BodySame    BodyState = "same"
	BodyDiffers BodyState = "differs" // its entry is read differently today
	BodyGone    BodyState = "gone"    // its entry has been removed
)

// SentAttempt is an attempt with the body that it sent. Bodies are not kept, but derived from the journal again.
type SentAttempt struct {
	store.Attempt
	Body  []byte // nil when gone
	State BodyState
}

// AttemptDetail is an attempt with its message's history.
type AttemptDetail struct {
	SentAttempt
	Endpoint endpoint.Endpoint // without an ID where it is deleted
	Entry    *event.Entry      // as the caller sees it; nil: it has been removed
	Delivery Delivery          // of the message to the endpoint; the zero value: the entry has been removed
}

// Attempt returns an attempt with its body.
func (s *Messages) Attempt(ctx context.Context, p access.Principal, id int64) (SentAttempt, error) {
	d, _, err := s.attempt(ctx, p, id)
	d.sentOnly(p)
	return d.SentAttempt, err
}

// AttemptDetail returns an attempt with its message's history.
func (s *Messages) AttemptDetail(ctx context.Context, p access.Principal, id int64) (AttemptDetail, error) {
	d, sees, err := s.attempt(ctx, p, id)
	if err != nil || d.Entry == nil {
		d.sentOnly(p)
		return d, err
	}
	d.Delivery, err = s.delivery(ctx, sees, d.Entry, d.Attempt)
	d.Entry, _ = d.Entry.As(p.Clearance.SeesClass)
	d.sentOnly(p)
	return d, err
}

// attempt returns an attempt that the caller sees, with its endpoint and its entry, which is not reduced to what the
// caller sees.
func (s *Messages) attempt(
	ctx context.Context, p access.Principal, id int64,
) (d AttemptDetail, sees *visibility, err error) {
	if err := s.guard.Permit(ctx, p, access.GetAttempt); err != nil {
		return d, nil, err
	}
	if d.Attempt, err = s.store.Attempt(ctx, p.Tenant, id); err != nil {
		return d, nil, err
	}
	if d.Endpoint, err = s.attempted(ctx, p, d.Attempt.Endpoint); err != nil {
		return d, nil, err
	}
	if sees, err = s.visibility(ctx, p); err != nil {
		return d, nil, err
	}
	visible, err := sees.attempt(ctx, d.Attempt)
	outside := d.Endpoint.ID == "" && p.Role == access.Receiver
	if err != nil || !visible || outside || !p.Clearance.Sees(d.Endpoint.Reached) {
		return AttemptDetail{}, nil, orMissing(err)
	}
	found, err := s.store.TenantRange(ctx, p.Tenant, d.Seq-1, d.Seq, 1)
	if err != nil {
		return d, nil, err
	}
	if len(found.Entries) > 0 {
		d.Entry = found.Entries[0]
	}
	d.derive(viewedMessages{})
	return d, sees, nil
}

// attempted returns the endpoint of an attempt. A deleted one has no ID, and may have reached up to RESTRICTED.
func (s *Messages) attempted(ctx context.Context, p access.Principal, id string) (endpoint.Endpoint, error) {
	e, err := findEndpoint(ctx, s.store, p, id)
	if errors.Is(err, fault.NotFound) {
		return endpoint.Endpoint{Clearance: p.Clearance, Reached: casetype.Restricted}, nil
	}
	return e, err
}

func orMissing(err error) error {
	if err != nil {
		return err
	}
	return fault.New(fault.NotFound, "attempt.not_found",
		"There is no attempt with this id, or it has been removed. GET /v1/attempts lists those that are kept.")
}

// derive makes the body of an attempt again. It takes the view in which the body has the attempt's hash: the
// endpoint's view at that time, which is the present one in most cases.
func (d *AttemptDetail) derive(made viewedMessages) {
	d.State = BodyGone
	if d.Entry == nil {
		return
	}
	views, now := wire.ViewsUpTo(d.Endpoint.Reached), filter.ViewOf(d.Endpoint)
	now.Optional = true // as views have it
	if at := slices.Index(views, now); at > 0 {
		views[0], views[at] = views[at], views[0]
	}
	for _, view := range views {
		for _, m := range made.of(d.Entry, view) {
			if m.ID != d.Message || m.Hidden || m.Err != nil {
				continue
			}
			if sum := sha256.Sum256(m.Body); hex.EncodeToString(sum[:]) == d.BodySHA256 {
				d.Body, d.State = m.Body, BodySame
				return
			}
			if d.Body == nil {
				d.Body, d.State = m.Body, BodyDiffers
			}
		}
	}
}

// viewedMessages holds the messages that were derived of entries, in several views.
type viewedMessages map[entryView][]wire.Message

type entryView struct {
	entry *event.Entry
	view  wire.View
}

func (v viewedMessages) of(e *event.Entry, view wire.View) []wire.Message {
	key := entryView{e, view}
	all, made := v[key]
	if !made {
		all = view.Messages(e, "")
		v[key] = all
	}
	return all
}

var subjectPattern = regexp.MustCompile(`^[a-z]{1,20}/[A-Za-z0-9_]{1,100}$`) // of entries
