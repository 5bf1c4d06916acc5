package delivery_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
)

// filtered adds an endpoint with a filter.
func (b *bench) filtered(url, filter string, clearance casetype.Classification) endpoint.Endpoint {
	b.Helper()
	e := b.listening(url, endpoint.Policy{})
	e.Filter, e.Clearance = filter, clearance
	b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, id.New("cur")) })
	return e
}

// worth appends a version of a case with these data; the amount is PRIVATE.
func (b *bench) worth(caseID, version int64, data string) {
	b.Helper()
	e := b.commented(caseID, version)
	e.Snapshot.Case.Data, e.Snapshot.Case.Classes = json.RawMessage(data), map[string]string{"amount": "PRIVATE"}
	b.update(func(tx *store.Tx) error { _, err := tx.Append(b.Context(), e); return err })
}

func (b *bench) dead(e endpoint.Endpoint) []store.DeadMessage {
	b.Helper()
	all, err := b.store.DeadMessages(b.Context(), b.tenant, e.ID, 100)
	if err != nil {
		b.Fatal(err)
	}
	return all
}

// A filter decides which messages an endpoint is sent. If it can't be computed for a message, the message is dead at
// once, without a try, and the reason quotes nothing.
func TestAFilterDecidesWhatIsSent(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		r := b.receiver(func(arrival) int { return 204 })
		e := b.filtered(r.url, `case.data.amount > 1000 && message.trigger == "case_comment"`, casetype.Private)
		b.worth(1, 1, `{"amount": 5}`)
		b.worth(1, 2, `{"amount": 2000}`)
		b.worth(1, 3, `{}`)
		b.worth(1, 4, `{"amount": "hunter2"}`)
		b.worth(1, 5, `{"amount": 3000}`)
		for _, version := range []int64{2, 5} {
			if a := b.next(r); a.version != version || a.attempt != 1 {
				b.Errorf("version %d arrived at the attempt %d, want version %d", a.version, a.attempt, version)
			}
		}
		b.served(e)
		dead := b.dead(e)
		if len(dead) != 2 || len(r.arrived) != 0 {
			b.Fatalf("%d are dead, %d more arrived", len(dead), len(r.arrived))
		}
		for _, d := range dead {
			if !strings.HasPrefix(d.Reason, "the filter could not be computed: no such ") ||
				strings.Contains(d.Reason, "hunter2") {
				b.Errorf("dead because %q", d.Reason)
			}
		}
	})
}

// A filter sees only data that its endpoint sees.
func TestAFilterSeesNothingAboveItsEndpoint(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		below := b.receiver(func(arrival) int { return 204 })
		above := b.receiver(func(arrival) int { return 204 })
		blind := b.filtered(below.url, `has(case.data.amount)`, casetype.Public)
		b.filtered(above.url, `has(case.data.amount)`, casetype.Private)
		b.worth(1, 1, `{"amount": 5}`)
		if a := b.next(above); a.version != 1 {
			b.Errorf("version %d arrived", a.version)
		}
		b.served(blind)
		if len(below.arrived) != 0 || len(b.dead(blind)) != 0 {
			b.Error("the filter saw data that its endpoint does not see")
		}
	})
}

// The current filter is evaluated when a message is sent, also for messages that waited behind a failed one.
func TestWaitingMessagesFollowTheCurrentFilter(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		broken := true
		r := b.receiver(func(a arrival) int {
			if a.version == 1 && broken {
				broken = false // requests of one case come one after the other
				return 409
			}
			return 204
		})
		e := b.listening(r.url, endpoint.Policy{Retries: []time.Duration{3 * time.Second}})
		b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, id.New("cur")) })
		for version := range int64(4) {
			b.worth(1, version+1, `{}`)
		}
		b.next(r)
		b.eventually("its lane is parked", func() bool { _, parked := b.saved(e); return len(parked) == 1 })
		e.Filter = `message.sequence != 2 && (message.sequence != 3 || case.data.missing == 1)`
		b.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(b.Context(), e); return err })
		for _, version := range []int64{1, 4} {
			if a := b.next(r); a.version != version {
				b.Errorf("version %d arrived, want %d", a.version, version)
			}
		}
		b.served(e)
		dead := b.dead(e)
		if len(dead) != 1 || !strings.Contains(dead[0].Reason, "no such key: missing") {
			b.Errorf("dead are %+v", dead)
		}
		attempts, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 10)
		if err != nil || len(attempts) != 3 {
			b.Errorf("there were %d attempts, %v", len(attempts), err)
		}
	})
}
