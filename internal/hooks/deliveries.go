package hooks

import (
	"context"
	"errors"
	"maps"
	"slices"
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

// MessageDeliveries is a message with its deliveries.
type MessageDeliveries struct {
	Entry   *event.Entry
	Message string
	Trigger string
	To      []Delivery // by endpoint
}

// Delivery is the delivery of a message to one endpoint.
type Delivery struct {
	Endpoint string
	Name     string // empty where the endpoint is deleted, or has none
	Status   DeliveryStatus
	Tries    store.Tries
	Due      time.Time // of the next try, while it is parked
	Reason   string    // why it is parked, or was given up
}

// DeliveryStatus is the status of a delivery.
type DeliveryStatus string

// The statuses.
const (
	DeliveryDone    DeliveryStatus = "delivered"
	DeliveryWaiting DeliveryStatus = "waiting" // for its turn
	DeliveryParked  DeliveryStatus = "parked"  // it failed, and is tried again
	DeliveryDead    DeliveryStatus = "dead"    // it was given up
	DeliveryDropped DeliveryStatus = "dropped" // it was given up, and then dropped on request

	// DeliveryEnded means that it failed and is not tried again, since its endpoint is deleted or no longer
	// subscribes to it.
	DeliveryEnded DeliveryStatus = "ended"
)

// CaseDeliveries lists the deliveries of messages about a case, by its entries with ids below before, the newest
// first. Next is the before of the next page, or 0.
func (s *Messages) CaseDeliveries(
	ctx context.Context, p access.Principal, id, before int64, limit int,
) (all []MessageDeliveries, next int64, err error) {
	p, err = s.guard.PermitCase(ctx, p, access.ListCaseDeliveries, id)
	if err != nil {
		return nil, 0, err
	}
	if err := s.cases.KnownCase(ctx, p, id); err != nil {
		return nil, 0, err
	}
	return s.deliveries(ctx, p, event.CaseSubject(id), before, limit)
}

// ContactDeliveries is CaseDeliveries for a contact.
func (s *Messages) ContactDeliveries(
	ctx context.Context, p access.Principal, id, before int64, limit int,
) (all []MessageDeliveries, next int64, err error) {
	if err := s.guard.Permit(ctx, p, access.ListContactDeliveries); err != nil {
		return nil, 0, err
	}
	if _, err := s.store.Contact(ctx, p.Tenant, id); err != nil {
		return nil, 0, err
	}
	return s.deliveries(ctx, p, event.ContactSubject(id), before, limit)
}

// deliveryPage is a page of a list of deliveries, with the data that determines their statuses.
type deliveryPage struct {
	visibility *visibility
	subject    string
	messages   []MessageDeliveries
	parts      []int // each message's position in its entry
	known      map[string]endpoint.Endpoint
	audience   map[string]*filter.Audience // of each
	tries      map[store.Pair]store.Tries
	givenUp    map[store.Pair]store.DeadStatus
	progress   map[string]store.Progress
	derivation Derivation
}

// Derivation derives the messages of one entry at a time, once for each clearance. The zero value is ready for use.
type Derivation struct {
	entry *event.Entry
	by    map[casetype.Classification]derivedMessages
}

type derivedMessages struct {
	messages []wire.Message
	Entry    *filter.Entry
}

// Of returns an entry's messages for a clearance. It forgets those of the entry before.
func (d *Derivation) Of(e *event.Entry, clearance casetype.Classification) derivedMessages {
	if d.entry != e {
		d.entry, d.by = e, map[casetype.Classification]derivedMessages{}
	}
	made, ok := d.by[clearance]
	if !ok {
		made = derivedMessages{wire.Messages(e, "", clearance), filter.NewEntry(e, clearance)}
		d.by[clearance] = made
	}
	return made
}

// maxPairs bounds the messages of a page times the endpoints that may have received them. A page of one entry may
// exceed it.
const maxPairs = 10_000

func (s *Messages) deliveries(
	ctx context.Context, p access.Principal, subject string, before int64, limit int,
) ([]MessageDeliveries, int64, error) {
	found, err := s.store.Entries(ctx, p.Tenant, subject, input.Newest(before), input.Page(limit))
	entries := found.Items
	if err != nil || len(entries) == 0 {
		return nil, 0, err
	}
	sees, err := s.visibility(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	b := newDeliveryPage(sees, subject)
	ends := make([]int, len(entries)) // of each entry's messages
	for i, e := range entries {
		b.add(e)
		ends[i] = len(b.messages)
	}
	if err := b.subscribers(ctx); err != nil {
		return nil, 0, err
	}
	kept := 1
	for kept < len(entries) && ends[kept]*len(b.known) <= maxPairs {
		kept++
	}
	b.messages, b.parts = b.messages[:ends[kept-1]], b.parts[:ends[kept-1]]
	if err := b.load(ctx); err != nil {
		return nil, 0, err
	}
	for i := range b.messages {
		if err := ctx.Err(); err != nil {
			return nil, 0, fault.Cancelled(err)
		}
		b.resolve(&b.messages[i], b.parts[i])
	}
	asked := slices.DeleteFunc(b.messages, func(m MessageDeliveries) bool {
		return len(m.To) == 0 && wire.IsOptional(m.Trigger) // the messages of other formats report the same
	})
	if kept == len(entries) && !found.More {
		return asked, 0, nil
	}
	return asked, entries[kept-1].ID, nil
}

func newDeliveryPage(sees *visibility, subject string) *deliveryPage {
	return &deliveryPage{
		visibility: sees,
		subject:    subject,
		known:      map[string]endpoint.Endpoint{},
		audience:   map[string]*filter.Audience{},
	}
}

// delivery returns the delivery of an attempt's message to its endpoint. The zero value means that the caller does
// not see it.
func (s *Messages) delivery(
	ctx context.Context, sees *visibility, e *event.Entry, a store.Attempt,
) (Delivery, error) {
	b := newDeliveryPage(sees, e.Subject)
	b.add(e)
	at := slices.IndexFunc(b.messages, func(m MessageDeliveries) bool { return m.Message == a.Message })
	if at < 0 {
		return Delivery{}, nil
	}
	b.messages, b.parts = b.messages[at:at+1], b.parts[at:at+1]
	if err := b.load(ctx); err != nil {
		return Delivery{}, err
	}
	b.resolve(&b.messages[0], b.parts[0])
	for _, d := range b.messages[0].To {
		if d.Endpoint == a.Endpoint {
			return d, nil
		}
	}
	return Delivery{}, nil
}

// add adds an entry's messages, as far as the caller sees them.
func (b *deliveryPage) add(e *event.Entry) {
	if !b.visibility.reader.Reads(e) { // the case was of another type then
		return
	}
	for part, m := range wire.Messages(e, "", b.visibility.p.Clearance) {
		if !m.Hidden {
			b.messages = append(b.messages, MessageDeliveries{Entry: e, Message: m.ID, Trigger: m.Trigger})
			b.parts = append(b.parts, part)
		}
	}
}

// subscribers loads the endpoints that listen to the triggers of the messages.
func (b *deliveryPage) subscribers(ctx context.Context) error {
	triggers := map[string]bool{}
	for _, t := range b.messages {
		triggers[t.Trigger] = true
	}
	for trigger := range triggers {
		subscribed, err := b.visibility.service.store.Subscribers(ctx, b.visibility.p.Tenant, trigger)
		if err != nil {
			return err
		}
		for _, e := range subscribed {
			b.known[e.ID] = e
		}
	}
	return nil
}

// load loads the tries, the endpoints and the queues of the messages.
func (b *deliveryPage) load(ctx context.Context) (err error) {
	messages := make([]string, len(b.messages))
	for i, t := range b.messages {
		messages[i] = t.Message
	}
	if b.tries, err = b.visibility.service.store.Tries(ctx, b.visibility.p.Tenant, messages); err != nil {
		return err
	}
	if err := b.loadEndpoints(ctx); err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(b.known))
	st, tenant := b.visibility.service.store, b.visibility.p.Tenant
	if b.givenUp, err = st.DeadStatuses(ctx, tenant, ids, messages); err != nil {
		return err
	}
	b.progress, err = st.Progress(ctx, tenant, ids, append(messages, b.subject, ""))
	return err
}

// loadEndpoints adds the endpoints with tries on this page, and removes those that the caller does not see. A
// deleted endpoint may have reached up to RESTRICTED.
func (b *deliveryPage) loadEndpoints(ctx context.Context) error {
	for pair := range b.tries {
		if _, known := b.known[pair.Endpoint]; known {
			continue
		}
		e, err := b.visibility.service.store.Endpoint(ctx, b.visibility.p.Tenant, pair.Endpoint)
		if errors.Is(err, fault.NotFound) {
			e, err = endpoint.Endpoint{ID: pair.Endpoint, Reached: casetype.Restricted}, nil
		}
		if err != nil {
			return err
		}
		b.known[e.ID] = e
	}
	for id, e := range b.known {
		if !b.visibility.p.Clearance.Sees(e.Reached) {
			delete(b.known, id)
			continue
		}
		owner, err := b.visibility.service.guard.OwnersReader(ctx, e)
		if err != nil {
			return err
		}
		a := filter.ForEndpoint(e, owner)
		b.audience[id] = &a
	}
	return nil
}

// resolve adds the deliveries of a message.
func (b *deliveryPage) resolve(t *MessageDeliveries, part int) {
	for _, id := range slices.Sorted(maps.Keys(b.known)) {
		e := b.known[id]
		pair := store.Pair{Endpoint: id, Message: t.Message}
		d := Delivery{Endpoint: id, Name: e.Name, Tries: b.tries[pair]}
		givenUp, wasGivenUp := b.givenUp[pair]
		head, parked := b.head(id, t)
		switch {
		case d.Tries.Delivered || givenUp.State == "delivered":
			d.Status = DeliveryDone
		case givenUp.State == "retrying":
			d.Status, d.Reason = DeliveryWaiting, givenUp.Reason
		case wasGivenUp:
			d.Status, d.Reason = DeliveryStatus(givenUp.State), givenUp.Reason
		case parked && head.Message == t.Message:
			d.Status, d.Due, d.Reason = DeliveryParked, head.Due, head.Reason
		case b.waits(e, t, part, head, parked):
			d.Status = DeliveryWaiting
		case d.Tries.Count > 0:
			d.Status = DeliveryEnded
		default:
			continue
		}
		t.To = append(t.To, d)
	}
}

// head returns the first message of the parked lane that a message is in, which may be the message itself.
func (b *deliveryPage) head(endpoint string, t *MessageDeliveries) (p store.ParkedMessage, parked bool) {
	for _, lane := range []string{t.Message, b.subject, ""} {
		if p, parked = b.progress[endpoint].Lanes[lane]; parked {
			return p, true
		}
	}
	return p, false
}

// waits reports whether a message is still to be delivered, under the endpoint's present settings.
func (b *deliveryPage) waits(
	e endpoint.Endpoint, t *MessageDeliveries, part int, head store.ParkedMessage, parked bool,
) bool {
	s, served := b.progress[e.ID]
	ahead := t.Entry.Seq == 0 || t.Entry.Seq > s.Position
	behind := parked && head.Lane == b.subject &&
		(head.Seq < t.Entry.Seq || head.Seq == t.Entry.Seq && head.Part < part)
	if !served || !ahead && !behind {
		return false
	}
	a := b.audience[e.ID]
	d := b.derivation.Of(t.Entry, a.Clearance)
	if part >= len(d.messages) || !a.Subscribes(t.Entry, &d.messages[part]) {
		return false
	}
	passes, err := a.Passes(d.Entry.Message(&d.messages[part]))
	return passes || err != nil // a filter that fails is reported when it is the message's turn
}
