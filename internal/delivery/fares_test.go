package delivery_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

var operational = []string{"endpoint.disabled", "endpoint.failing", "endpoint.recovered"}

// operator is a receiver of messages about other endpoints.
type operator struct {
	server   *httptest.Server
	received chan operationalMessage
}

type operationalMessage struct {
	Trigger    string    `json:"trigger"`
	EndpointID string    `json:"endpoint_id"`
	URL        string    `json:"url"`
	Since      time.Time `json:"since"`
	Reason     string    `json:"reason"`
	OccurredAt time.Time `json:"occurred_at"`
	subject    string
}

func (b *bench) operator(clearance casetype.Classification) *operator {
	o := &operator{received: make(chan operationalMessage, 100)}
	o.server = httptest.NewServer(wiretest.Handler(b, http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		m := operationalMessage{subject: q.Header.Get("webhook-subject")}
		if err := json.Unmarshal(body, &m); err != nil {
			b.Errorf("body %q: %v", body, err)
		}
		o.received <- m
	})))
	b.Cleanup(o.server.Close)
	e := b.listening(o.server.URL, endpoint.Policy{})
	e.Triggers, e.Clearance = operational, clearance
	b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, id.New("cur")) })
	return o
}

func (b *bench) receives(o *operator) operationalMessage {
	b.Helper()
	select {
	case m := <-o.received:
		return m
	case <-b.progress.Late():
		b.Fatal("no message arrived")
		return operationalMessage{}
	}
}

// restart starts the engine anew, with another time until endpoints are disabled.
func (b *bench) restart(end time.Duration) {
	b.stop()
	b.end = end
	b.start()
}

// factsAbout lists the facts about an endpoint, oldest first.
func (b *bench) factsAbout(e endpoint.Endpoint) (facts []string) {
	b.Helper()
	entries, err := b.store.History(b.Context(), b.tenant, event.EndpointSubject(e.ID), 1<<62, 100)
	if err != nil {
		b.Fatal(err)
	}
	for _, entry := range slices.Backward(entries.Items) {
		facts = append(facts, entry.Facts[0].Name)
	}
	return facts
}

func (b *bench) loaded(e endpoint.Endpoint) endpoint.Endpoint {
	b.Helper()
	got, err := b.store.Endpoint(b.Context(), b.tenant, e.ID)
	if err != nil {
		b.Fatal(err)
	}
	return got
}

// enable sets an endpoint to active again, as a person does.
func (b *bench) enable(e endpoint.Endpoint) {
	b.Helper()
	e = b.loaded(e)
	e.Status = endpoint.Active
	b.update(func(tx *store.Tx) error {
		if _, err := tx.UpdateEndpoint(b.Context(), e); err != nil {
			return err
		}
		return tx.Recount(b.Context(), e.Tenant, e.ID)
	})
}

func TestAnEndpointThatFailsForLongIsDisabledAndLosesNothing(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		var down atomic.Bool
		down.Store(true)
		r := b.receiver(func(arrival) int {
			if down.Load() {
				return 503
			}
			return 200
		})
		e := b.listen(r.url+"/hooks?key=secret",
			endpoint.Policy{Retries: every(20*time.Millisecond, 30), Concurrency: 4})
		all, some := b.operator(casetype.Restricted), b.operator(casetype.Private)
		for c := int64(1); c <= 20; c++ {
			b.comment(c, 1)
		}
		failing := b.receives(all)
		b.restart(500 * time.Millisecond) // the failure is not reported again, and its time goes on
		disabled := b.receives(all)
		b.eventually("it is disabled", func() bool { return b.loaded(e).Status == endpoint.Disabled })
		want := operationalMessage{
			Trigger:    "endpoint.failing",
			EndpointID: e.ID,
			URL:        r.url + "/hooks",
			Since:      failing.Since,
			Reason:     "503 Service Unavailable",
			OccurredAt: failing.OccurredAt,
			subject:    "endpoint/" + e.ID,
		}
		if diff := gocmp.Diff(want, failing, gocmp.AllowUnexported(want)); diff != "" {
			b.Errorf("failing: %s", diff)
		}
		want.Trigger, want.OccurredAt = "endpoint.disabled", disabled.OccurredAt
		if diff := gocmp.Diff(want, disabled, gocmp.AllowUnexported(want)); diff != "" {
			b.Errorf("disabled: %s", diff)
		}
		b.comment(1, 2) // while it is disabled
		down.Store(false)
		b.enable(e)
		b.served(e)
		if back := b.receives(all); back.Trigger != "endpoint.recovered" || !back.Since.Equal(failing.Since) {
			b.Errorf("then it receives %+v", back)
		}
		dead, err := b.store.DeadMessages(b.Context(), b.tenant, e.ID, 100)
		if err != nil || len(dead) > 0 {
			b.Errorf("%d messages were given up (%v)", len(dead), err)
		}
		if diff := gocmp.Diff([]string{"endpoint.failing", "endpoint.disabled", "endpoint.recovered"},
			b.factsAbout(e)); diff != "" {
			b.Error(diff)
		}
		if n := len(some.received); n > 0 {
			b.Errorf("a receiver that does not see the endpoint got %d messages about it", n)
		}
		if h := b.loaded(e).Health; !h.Since.IsZero() || h.Reported || h.Breaker != endpoint.Closed {
			b.Errorf("its health is %+v", h)
		}
	})
}

func TestTwoEndpointsThatListenToEachOtherAndFailComeToAnEnd(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		b.comment(2, 1)
		b.served(b.listen(b.receiver(ok).url, endpoint.Policy{})) // the engine runs
		b.restart(300 * time.Millisecond)
		var both []endpoint.Endpoint
		for range 2 {
			e := b.listening("http://127.0.0.1:1/", endpoint.Policy{Retries: every(20*time.Millisecond, 30)})
			e.Triggers = append([]string{"case_comment"}, operational...)
			b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, id.New("cur")) })
			both = append(both, e)
		}
		b.comment(1, 1)
		for _, e := range both {
			b.eventually("it is disabled", func() bool { return b.loaded(e).Status == endpoint.Disabled })
		}
		for _, e := range both { // now they fail only at the messages about each other
			e = b.loaded(e)
			e.Triggers = operational
			b.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(b.Context(), e); return err })
			b.enable(e)
		}
		for _, e := range both {
			b.eventually("it is disabled again", func() bool { return b.loaded(e).Status == endpoint.Disabled })
			if diff := gocmp.Diff([]string{"endpoint.failing", "endpoint.disabled"}, b.factsAbout(e)); diff != "" {
				b.Error(diff)
			}
		}
	})
}

func TestFailuresOfOperationalMessagesAloneAreNotReported(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusGone)
		}))
		b.Cleanup(gone.Close)
		one := b.listen(gone.URL, endpoint.Policy{})
		deaf := b.listening(gone.URL, endpoint.Policy{})
		deaf.Triggers = operational
		b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), deaf, id.New("cur")) })
		o := b.operator(casetype.Restricted)
		b.comment(1, 1)
		got := b.receives(o)
		want := got
		want.EndpointID, want.Trigger, want.Reason = one.ID, "endpoint.disabled", "410 Gone"
		if diff := gocmp.Diff(want, got, gocmp.AllowUnexported(want)); diff != "" {
			b.Errorf("it receives (-want +got):\n%s", diff)
		}
		b.eventually("it is disabled", func() bool { return b.loaded(deaf).Status == endpoint.Disabled })
		if facts := b.factsAbout(deaf); len(facts) > 0 {
			b.Errorf("the facts are %v", facts)
		}
	})
}

func TestAnEndpointThatMovedWhileItWasGoneIsNotDisabled(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		entered, leave := make(chan struct{}), make(chan struct{})
		var once sync.Once
		old := b.receiver(func(arrival) int { once.Do(func() { close(entered) }); <-leave; return 410 })
		moved := b.receiver(ok)
		e := b.listen(old.url, endpoint.Policy{Concurrency: 1})
		b.comment(1, 1)
		<-entered
		e.URL = moved.url
		b.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(b.Context(), e); return err })
		close(leave)
		if a := b.next(moved); a.version != 1 {
			b.Errorf("version %d arrives", a.version)
		}
		b.served(e)
		if got := b.loaded(e); got.Status != endpoint.Active || len(b.factsAbout(e)) > 0 {
			b.Errorf("it is %s, with the facts %v", got.Status, b.factsAbout(e))
		}
	})
}
