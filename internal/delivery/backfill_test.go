package delivery_test

import (
	"slices"
	"testing"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// An endpoint subscribes to a further trigger. A replay sends it the earlier messages of that trigger, and repeats no
// others.
func TestATriggerThatWasAddedLaterIsBackfilled(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		r := b.receiver(ok)
		e := b.listening(r.url, endpoint.Policy{})
		e.Triggers = []string{"case_finished"}
		b.update(func(tx *store.Tx) error { return tx.CreateEndpoint(b.Context(), e, "cur_1") })
		for version := range int64(3) {
			b.comment(1, version+1)
		}
		b.served(e)
		e.Triggers = []string{"case_comment", "case_finished"}
		b.update(func(tx *store.Tx) (err error) { e, err = tx.UpdateEndpoint(b.Context(), e); return err })
		b.comment(1, 4)
		if a := b.next(r); a.version != 4 {
			t.Fatalf("it received version %d, from before it subscribed", a.version)
		}
		b.served(e)
		replay := b.done(b.again(e,
			store.Replay{Kind: store.ReplayRange, Triggers: []string{"case_comment"}, Until: 3}))
		var versions []int64
		for range 3 {
			versions = append(versions, b.next(r).version)
		}
		if !slices.Equal(versions, []int64{1, 2, 3}) || replay.Delivered != 3 {
			t.Errorf("it received %v; %+v", versions, replay)
		}
		none := b.done(b.again(e, store.Replay{Kind: store.ReplayRange, Triggers: []string{"case_finished"}}))
		if none.Delivered != 0 || len(r.arrived) != 0 {
			t.Errorf("it received more: %+v", none)
		}
	})
}
