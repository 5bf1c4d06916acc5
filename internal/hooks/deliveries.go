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

// Telling is a message, and whom it was or is to be told.
type Telling struct {
	Entry   *event.Entry
	Message string
	Trigger string
	To      []Delivery // by endpoint
}

// Delivery is what became of a message for one endpoint.
type Delivery struct {
	Endpoint string
	Name     string // empty where the endpoint is deleted, or has none
	Status   DeliveryStatus
	Tries    store.Tries
	Due      time.Time // of the next try, while it is parked
	Reason   string    // why it is parked, or was given up
}

// DeliveryStatus says how a message stands with an endpoint.
type DeliveryStatus string

// The statuses.
const (
	DeliveryDone    DeliveryStatus = "delivered"
	DeliveryWaiting DeliveryStatus = "waiting" // for its turn
	DeliveryParked  DeliveryStatus = "parked"  // it failed, and is tried again
	DeliveryDead    DeliveryStatus = "dead"    // it was given up
	DeliveryDropped DeliveryStatus = "dropped" // it was given up, and somebody put it aside
	DeliveryEnded   DeliveryStatus = "ended"   // it failed, and is not tried again: its endpoint is deleted, or wants it no more
)

// CaseDeliveries lists who was told what about a case, by its entries with ids
// below before, the newest first. Next is the before to go on with, or 0.
func (s *Messages) CaseDeliveries(
	ctx context.Context, p access.Principal, id, before int64, limit int,
) (all []Telling, next int64, err error) {
	if err := s.guard.PermitCase(ctx, p, access.ListCaseDeliveries, id); err != nil {
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
) (all []Telling, next int64, err error) {
	if err := s.guard.Permit(ctx, p, access.ListContactDeliveries); err != nil {
		return nil, 0, err
	}
	if _, err := s.store.Contact(ctx, p.Tenant, id); err != nil {
		return nil, 0, err
	}
	return s.deliveries(ctx, p, event.ContactSubject(id), before, limit)
}

// book is what is known of the messages on a page.
type book struct {
	sight    *sight
	subject  string
	tellings []Telling
	parts    []int // each message's place in its entry
	known    map[string]endpoint.Endpoint
	audience map[string]*filter.Audience // of each
	tries    map[store.Pair]store.Tries
	buried   map[store.Pair]store.Buried
	standing map[string]store.Standing
	derived  Derived // of the entry that is looked at
}

// Derived is what one entry tells, by clearance.
type Derived struct {
	entry *event.Entry
	by    map[casetype.Classification]derivation
}

type derivation struct {
	messages []wire.Message
	Judged   *filter.Entry
}

// At derives an entry's messages for a clearance, once while it is looked at.
func (d *Derived) At(e *event.Entry, clearance casetype.Classification) derivation {
	if d.entry != e {
		d.entry, d.by = e, map[casetype.Classification]derivation{}
	}
	made, ok := d.by[clearance]
	if !ok {
		made = derivation{wire.Messages(e, "", clearance), filter.NewEntry(e, clearance)}
		d.by[clearance] = made
	}
	return made
}

// mostPairs bounds the messages of a page times the endpoints that may have been
// told them. A page of one entry may go beyond it.
const mostPairs = 10_000

func (s *Messages) deliveries(
	ctx context.Context, p access.Principal, subject string, before int64, limit int,
) ([]Telling, int64, error) {
	found, err := s.store.Entries(ctx, p.Tenant, subject, input.Newest(before), input.Page(limit))
	entries := found.Items
	if err != nil || len(entries) == 0 {
		return nil, 0, err
	}
	sees, err := s.sight(ctx, p)
	if err != nil {
		return nil, 0, err
	}
	b := &book{sight: sees, subject: subject, known: map[string]endpoint.Endpoint{}, audience: map[string]*filter.Audience{}}
	ends := make([]int, len(entries)) // of each entry's messages
	for i, e := range entries {
		b.enter(e)
		ends[i] = len(b.tellings)
	}
	if err := b.subscribers(ctx); err != nil {
		return nil, 0, err
	}
	kept := 1
	for kept < len(entries) && ends[kept]*len(b.known) <= mostPairs {
		kept++
	}
	b.tellings, b.parts = b.tellings[:ends[kept-1]], b.parts[:ends[kept-1]]
	if err := b.look(ctx); err != nil {
		return nil, 0, err
	}
	for i := range b.tellings {
		if err := ctx.Err(); err != nil {
			return nil, 0, fault.Wrap(err, fault.Unavailable, "request.cancelled", "The request was given up before it was carried out.")
		}
		b.tell(&b.tellings[i], b.parts[i])
	}
	if kept == len(entries) && !found.More {
		return b.tellings, 0, nil
	}
	return b.tellings, entries[kept-1].ID, nil
}

// enter adds an entry's messages, as far as the caller sees them.
func (b *book) enter(e *event.Entry) {
	if !b.sight.reader.Reads(e) { // the case was of another type then
		return
	}
	for part, m := range wire.Messages(e, "", b.sight.p.Clearance) {
		if !m.Untold {
			b.tellings = append(b.tellings, Telling{Entry: e, Message: m.ID, Trigger: m.Trigger})
			b.parts = append(b.parts, part)
		}
	}
}

// subscribers reads which endpoints listen to what the messages tell.
func (b *book) subscribers(ctx context.Context) error {
	triggers := map[string]bool{}
	for _, t := range b.tellings {
		triggers[t.Trigger] = true
	}
	for trigger := range triggers {
		subscribed, err := b.sight.service.store.Subscribers(ctx, b.sight.p.Tenant, trigger)
		if err != nil {
			return err
		}
		for _, e := range subscribed {
			b.known[e.ID] = e
		}
	}
	return nil
}

// look reads what there is about the messages.
func (b *book) look(ctx context.Context) (err error) {
	messages := make([]string, len(b.tellings))
	for i, t := range b.tellings {
		messages[i] = t.Message
	}
	if b.tries, err = b.sight.service.store.Tries(ctx, b.sight.p.Tenant, messages); err != nil {
		return err
	}
	if err := b.meet(ctx); err != nil {
		return err
	}
	ids := slices.Sorted(maps.Keys(b.known))
	if b.buried, err = b.sight.service.store.Buried(ctx, b.sight.p.Tenant, ids, messages); err != nil {
		return err
	}
	b.standing, err = b.sight.service.store.Standings(ctx, b.sight.p.Tenant, ids, append(messages, b.subject, ""))
	return err
}

// meet gets to know who has been told something, and forgets whom the caller does
// not see. Of a deleted endpoint nobody knows what it was told at most.
func (b *book) meet(ctx context.Context) error {
	for pair := range b.tries {
		if _, known := b.known[pair.Endpoint]; known {
			continue
		}
		e, err := b.sight.service.store.Endpoint(ctx, b.sight.p.Tenant, pair.Endpoint)
		if errors.Is(err, fault.NotFound) {
			e, err = endpoint.Endpoint{ID: pair.Endpoint, Reached: "RESTRICTED"}, nil
		}
		if err != nil {
			return err
		}
		b.known[e.ID] = e
	}
	for id, e := range b.known {
		if !b.sight.p.Clearance.Sees(e.Reached) {
			delete(b.known, id)
			continue
		}
		owner, err := b.sight.service.guard.OwnersReader(ctx, e)
		if err != nil {
			return err
		}
		a := filter.ForEndpoint(e, owner)
		b.audience[id] = &a
	}
	return nil
}

// tell fills in whom a message was, or is to be, told.
func (b *book) tell(t *Telling, part int) {
	for _, id := range slices.Sorted(maps.Keys(b.known)) {
		e := b.known[id]
		pair := store.Pair{Endpoint: id, Message: t.Message}
		d := Delivery{Endpoint: id, Name: e.Name, Tries: b.tries[pair]}
		buried, wasBuried := b.buried[pair]
		head, parked := b.head(id, t)
		switch {
		case d.Tries.Delivered || buried.State == "delivered":
			d.Status = DeliveryDone
		case buried.State == "retrying":
			d.Status, d.Reason = DeliveryWaiting, buried.Reason
		case wasBuried:
			d.Status, d.Reason = DeliveryStatus(buried.State), buried.Reason
		case parked && head.Message == t.Message:
			d.Status, d.Due, d.Reason = DeliveryParked, head.Due, head.Reason
		case b.owed(e, t, part, head, parked):
			d.Status = DeliveryWaiting
		case d.Tries.Count > 0:
			d.Status = DeliveryEnded
		default:
			continue
		}
		t.To = append(t.To, d)
	}
}

// head is the parked message that this one is, or waits behind.
func (b *book) head(endpoint string, t *Telling) (p store.Parked, parked bool) {
	for _, lane := range []string{t.Message, b.subject, ""} {
		if p, parked = b.standing[endpoint].Lanes[lane]; parked {
			return p, true
		}
	}
	return p, false
}

// owed reports whether an endpoint, as it is set up now, is still to be told.
func (b *book) owed(e endpoint.Endpoint, t *Telling, part int, head store.Parked, parked bool) bool {
	s, served := b.standing[e.ID]
	ahead := t.Entry.Seq == 0 || t.Entry.Seq > s.Position
	behind := parked && head.Lane == b.subject && (head.Seq < t.Entry.Seq || head.Seq == t.Entry.Seq && head.Part < part)
	if !served || !ahead && !behind {
		return false
	}
	a := b.audience[e.ID]
	d := b.derived.At(t.Entry, a.Clearance)
	if part >= len(d.messages) || !a.Subscribes(t.Entry, &d.messages[part]) {
		return false
	}
	passes, err := a.Passes(d.Judged.Message(&d.messages[part]))
	return passes || err != nil // that it can't be computed is found out when it is its turn
}
