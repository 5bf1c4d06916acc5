package storetest

import (
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func aReplay(tenant int64, endpoint, id string, after, until int64) store.Replay {
	return store.Replay{ID: id,
		Tenant:      tenant,
		Endpoint:    endpoint,
		Kind:        store.ReplayRange,
		State:       store.ReplayRunning,
		After:       after,
		Until:       until,
		Position:    after,
		Triggers:    []string{"case_approved", "case_created"},
		Subject:     "case/1",
		RequestedBy: "Grace",
		CreatedAt:   start}
}

func (f *fixture) replay(r store.Replay, named ...store.Place) store.Replay {
	f.t.Helper()
	r.Messages = int64(len(named))
	f.update(func(tx *store.Tx) error { return tx.CreateReplay(f.t.Context(), r, named) })
	return r
}

func (f *fixture) replayed(r store.Replay) store.Replay {
	f.t.Helper()
	return must[store.Replay](f)(f.store.Replay(f.t.Context(), f.tenant, r.Endpoint, r.ID))
}

func (f *fixture) running(endpoint string) (ids []string) {
	f.t.Helper()
	for _, r := range must[[]store.Replay](f)(f.store.RunningReplays(f.t.Context(), f.tenant, endpoint)) {
		ids = append(ids, r.ID)
	}
	return ids
}

// replayed returns the settlement of messages that a replay delivered.
func replayed(r store.Replay, epoch, position int64, messages ...store.Place) store.Settlement {
	s := store.Settlement{
		Tenant: r.Tenant, Endpoint: r.Endpoint, Cursor: r.ID, Epoch: epoch, Replay: true, Position: position,
	}
	for _, p := range messages {
		a := anAttempt(r.Tenant, r.Endpoint, p.Seq, p.Part)
		a.Cursor, a.Delivered = r.ID, true
		s.Attempts = append(s.Attempts, a)
	}
	return s
}

var replayTests = map[string]func(*fixture){
	"a replay is read back as it was made, and wakes who delivers": func(f *fixture) {
		e, _ := f.served(1)
		changed := f.store.EndpointsChanged()
		before := f.claim("node", time.Hour)[0].Requests
		made := f.replay(aReplay(f.tenant, e, "rpl_1", 3, 9))
		f.equal(f.replayed(made), made)
		f.equal(f.claim("node", time.Hour)[0].Requests, before+1)
		select {
		case <-changed:
		default:
			f.t.Error("nobody in this process is woken by it")
		}
		bare := aReplay(f.tenant, e, "rpl_2", 0, 0)
		bare.Triggers, bare.Subject = nil, ""
		f.replay(bare)
		f.equal(f.replayed(bare), bare)
		list := must[[]store.Replay](f)
		f.equal(list(f.store.Replays(f.t.Context(), f.tenant, e, "rpl_g", 9)), []store.Replay{bare, made})
		f.equal(list(f.store.Replays(f.t.Context(), f.tenant, e, "rpl_2", 9)), []store.Replay{made})
		f.equal(list(f.store.Replays(f.t.Context(), f.tenant, e, "rpl_g", 1)), []store.Replay{bare})
		f.equal(f.running(e), []string{"rpl_1", "rpl_2"})
	},
	"a replay is its tenant's and its endpoint's alone": func(f *fixture) {
		e, _ := f.served(1)
		other, _ := f.served(2)
		r := f.replay(aReplay(f.tenant, e, "rpl_1", 3, 9))
		for _, of := range []store.Replay{{Tenant: f.other, Endpoint: e}, {Tenant: f.tenant, Endpoint: other}} {
			_, err := f.store.Replay(f.t.Context(), of.Tenant, of.Endpoint, r.ID)
			f.wantFault(err, fault.NotFound, "replay.not_found")
			f.refused(fault.NotFound, "replay.not_found", func(tx *store.Tx) error {
				return tx.CancelReplay(f.t.Context(), of.Tenant, of.Endpoint, r.ID, start)
			})
			f.equal(len(must[[]store.Replay](f)(f.store.Replays(f.t.Context(), of.Tenant, of.Endpoint, "rpl_g", 9))), 0)
			f.equal(len(must[[]store.Replay](f)(f.store.RunningReplays(f.t.Context(), of.Tenant, of.Endpoint))), 0)
		}
	},
	"a replay settles beside the live cursor, until it is done": func(f *fixture) {
		e, epoch := f.served(1)
		r := f.replay(aReplay(f.tenant, e, "rpl_1", 3, 9))
		s := replayed(r, epoch, 5, aPlace(4, 0), aPlace(7, 1))
		s.Dead, s.Park = []store.DeadMessage{aDead(5, 0)}, []store.ParkedMessage{aParked("case/1", 4)}
		f.settle(s, store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 2})
		f.equal(f.position(e), int64(2))
		got := f.replayed(r)
		f.equal([]int64{got.Position, got.Delivered, got.Dead}, []int64{5, 2, 1})
		f.equal(must[[]store.ParkedMessage](f)(f.store.Parked(f.t.Context(), f.tenant, r.ID)), s.Park)
		f.equal(must[[]store.Place](f)(f.store.Settled(f.t.Context(), f.tenant, store.Cursor{ID: r.ID, Position: 5})), []store.Place{aPlace(7, 1)})

		end := replayed(r, epoch, 9, aPlace(9, 0))
		end.Ended, end.Unpark = true, []string{"case/1"}
		f.settle(end)
		got = f.replayed(r)
		f.equal([]any{got.State, got.Position, got.Delivered, got.EndedAt.IsZero()}, []any{store.ReplayDone, int64(9), int64(3), false})
		f.equal(f.running(e), []string(nil))
		f.refused(fault.Conflict, "replay.ended", func(tx *store.Tx) error { return tx.CancelReplay(f.t.Context(), f.tenant, e, r.ID, start) })
		f.equal(f.position(e), int64(2))
	},
	"what a cancelled replay still settles is recorded, and nothing else": func(f *fixture) {
		e, epoch := f.served(1)
		r := f.replay(aReplay(f.tenant, e, "rpl_1", 3, 9))
		f.settle(replayed(r, epoch, 5, aPlace(4, 0)))
		f.update(func(tx *store.Tx) error {
			return tx.CancelReplay(f.t.Context(), f.tenant, e, r.ID, start.Add(time.Hour))
		})
		late := replayed(r, epoch, 9, aPlace(6, 0))
		late.Ended, late.Dead = true, []store.DeadMessage{aDead(7, 0)}
		late.Park = []store.ParkedMessage{aParked("case/1", 8)}
		f.equal(f.settle(late, store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 2}), []string(nil))
		got := f.replayed(r)
		f.equal([]any{got.State, got.Position, got.Delivered, got.EndedAt}, []any{store.ReplayCancelled, int64(5), int64(1), start.Add(time.Hour)})
		f.equal(len(f.attempts(e)), 2)
		f.equal(len(f.dead(e)), 0)
		f.equal(f.position(e), int64(2))
	},
	"a dead message that a replay delivers is dead no more, and stays settled": func(f *fixture) {
		e, epoch := f.served(1)
		live := store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch,
			Dead: []store.DeadMessage{aDead(5, 0), aDead(6, 0)}}
		f.settle(live)
		r := f.replay(aReplay(f.tenant, e, "rpl_1", 3, 9))
		again := replayed(r, epoch, 3, aPlace(5, 0))
		d := aDead(6, 0)
		d.Reason = "again"
		again.Dead = []store.DeadMessage{d}
		f.settle(again)
		f.equal(f.dead(e), []store.DeadMessage{d})
		for cursor, want := range map[string]int{"cur_" + e: 2, r.ID: 2} { // neither sends them again after a restart
			f.equal(len(must[[]store.Place](f)(f.store.Settled(f.t.Context(), f.tenant, store.Cursor{ID: cursor, Position: 3}))), want)
		}
	},
	"a replay of messages by name reads their entries": func(f *fixture) {
		e, _ := f.served(1)
		f.history(10)
		named := []store.Place{aPlace(3, 0), aPlace(3, 1), aPlace(7, 0), aPlace(2, 0)}
		r := f.replay(aReplay(f.tenant, e, "rpl_1", 0, 9), named...)
		f.equal(len(must[[]store.Place](f)(f.store.ReplayMessages(f.t.Context(), r.ID))), 4)
		read := func(after int64, limit int) []int64 {
			return seqs(f.entries(f.store.ReplayEntries(f.t.Context(), f.tenant, r.ID, after, limit)))
		}
		f.equal(read(0, 9), []int64{3, 7}) // 2 is another tenant's
		f.equal(read(3, 9), []int64{7})
		f.equal(read(2, 1), []int64{3})
		f.equal(read(0, 1), []int64{3}) // missing messages do not fill a batch
	},
	"a message is found by what became of it": func(f *fixture) {
		e, epoch := f.served(1)
		f.settle(aSettlement(f.tenant, e, epoch, 5))
		f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch,
			Dead: []store.DeadMessage{aDead(9, 1)}})
		for _, p := range []store.Place{aPlace(6, 0), aPlace(9, 1)} {
			f.equal(must[store.SentMessage](f)(f.store.SentMessage(f.t.Context(), f.tenant, e, p.Message)), store.SentMessage{Place: p, Subject: "case/1", Trigger: "case_created"})
			_, err := f.store.SentMessage(f.t.Context(), f.other, e, p.Message)
			f.wantFault(err, fault.NotFound, "message.not_found")
		}
		_, err := f.store.SentMessage(f.t.Context(), f.tenant, e, "msg_none")
		f.wantFault(err, fault.NotFound, "message.not_found")
	},
	"deleting an endpoint ends its replays": func(f *fixture) {
		e, epoch := f.served(1)
		r := f.replay(aReplay(f.tenant, e, "rpl_1", 3, 9), aPlace(4, 0))
		f.update(func(tx *store.Tx) error { return tx.DeleteEndpoint(f.t.Context(), f.tenant, e) })
		_, err := f.store.Replay(f.t.Context(), f.tenant, e, r.ID)
		f.wantFault(err, fault.NotFound, "replay.not_found")
		f.equal(f.settle(replayed(r, epoch, 5)), []string{e})
		f.equal(len(must[[]store.Place](f)(f.store.ReplayMessages(f.t.Context(), r.ID))), 0)
	},
}
