package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/delivery/machine"
	"github.com/casehook/casehook/internal/store"
)

// requests are the replays and repair requests of an endpoint.
type requests struct {
	running []string                       // replays
	replays []store.Replay                 // running ones that the worker does not know yet
	saved   map[string]machine.CursorState // of the replays
	named   map[string][]string            // ids of the messages that the replays name
	repairs []store.RepairRequest          // of parked messages

	revision int64 // of the endpoint, from after all of them were read; 0: there are none
}

// readRequests reads the replays and repair requests of an endpoint. The parameter wait is the longest wait of its
// schedule.
func readRequests(
	ctx context.Context, st *store.Store, l store.Lease, known map[string]bool, longest time.Duration,
) (requests, error) {
	r := requests{saved: map[string]machine.CursorState{}, named: map[string][]string{}}
	running, err := st.RunningReplays(ctx, l.Tenant, l.Endpoint)
	if err != nil {
		return r, err
	}
	for _, replay := range running {
		r.running = append(r.running, replay.ID)
		if known[replay.ID] {
			continue
		}
		cursor := store.Cursor{ID: replay.ID, Position: replay.Position}
		if r.saved[replay.ID], err = readSaved(ctx, st, cursor, l.Tenant, longest); err != nil {
			return r, err
		}
		if replay.Messages > 0 {
			named, err := st.ReplayMessages(ctx, replay.ID)
			if err != nil {
				return r, err
			}
			r.named[replay.ID] = messageIDs(named)
		}
		r.replays = append(r.replays, replay)
	}
	if r.repairs, err = st.RepairRequests(ctx, l.Tenant, l.Endpoint); err != nil || len(r.replays)+len(r.repairs) == 0 {
		return r, err
	}
	now, err := st.Endpoint(ctx, l.Tenant, l.Endpoint)
	r.revision = now.Revision
	return r, err
}

// readSaved reads the saved state of a cursor.
func readSaved(
	ctx context.Context, st *store.Store, c store.Cursor, tenant int64, longest time.Duration,
) (s machine.CursorState, err error) {
	parked, err := st.Parked(ctx, tenant, c.ID)
	if err != nil {
		return s, err
	}
	now := time.Now()
	s.Position = c.Position
	s.Parked = convert(parked, func(p store.ParkedMessage) machine.ParkedMessage {
		p.Due = dueAt(p.Due, now, longest)
		return machine.ParkedMessage(p)
	})
	settled, err := st.Settled(ctx, tenant, c)
	s.Settled = messageIDs(settled)
	return s, err
}

// messageIDs returns the ids of messages. The result is never nil.
func messageIDs(places []store.Place) []string {
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.Message
	}
	return ids
}

// dueAt returns when a saved lane is due, by the monotonic clock: the wall clock may have been wrong when the lane was
// saved, and may be set while the lane waits. No lane waits longer than the longest wait of its endpoint's schedule.
func dueAt(saved, now time.Time, longest time.Duration) time.Time {
	return now.Add(min(saved.Sub(now), longest))
}

// checkRequests reads replays and repair requests if there may be new ones, and drops replays that have ended. There is
// one read at a time, since two might start a replay twice; a request that arrives meanwhile is read afterwards.
func (w *worker) checkRequests(ctx context.Context) {
	w.mu.Lock()
	asked, over := w.requested && !w.checking, w.over
	w.requested, w.over = w.requested && w.checking, map[string]bool{}
	w.mu.Unlock()
	if len(over) > 0 {
		w.replays = slices.DeleteFunc(w.replays, func(c *cursor) bool { return over[c.id] })
		w.rotate()
	}
	w.forgetStopped()
	if !asked {
		return
	}
	known := map[string]bool{}
	for _, c := range w.replays {
		known[c.id] = true
	}
	w.checking = true
	w.reading++
	go func() {
		r, err := readRequests(ctx, w.store, w.lease, known, w.policy.LongestWait())
		if err != nil && ctx.Err() == nil {
			w.log.Error("requests about the endpoint can't be read; trying again", "error", err)
			sleep(ctx, readAgain)
			w.noteRequest()
		}
		w.inbox <- func() {
			w.checking = false
			w.reading--
			if err == nil {
				w.apply(r)
			}
		}
	}()
}

// apply starts new replays, stops cancelled ones, and passes on requests about parked messages.
// Requests for a newer revision of the endpoint are left to the next worker: the endpoint may have another owner now,
// who may read less.
func (w *worker) apply(r requests) {
	if r.revision > w.endpoint.Revision {
		w.stop(errReload)
		return
	}
	for _, c := range w.replays {
		if !slices.Contains(r.running, c.id) {
			c.machine.Stop()
			signal(w.signals.stopped)
		}
	}
	for _, replay := range r.replays {
		if slices.ContainsFunc(w.replays, func(c *cursor) bool { return c.id == replay.ID }) {
			continue
		}
		bounds := machine.Range{
			Until:    replay.Until,
			Subject:  replay.Subject,
			Triggers: replay.Triggers,
			Messages: r.named[replay.ID],
		}
		restored := machine.NewReplay(w.gate, bounds, r.saved[replay.ID])
		w.replays = append(w.replays,
			&cursor{worker: w, id: replay.ID, replay: replay, flushed: time.Now(), machine: restored})
	}
	w.rotate()
	for c := range w.cursors {
		for _, wish := range r.repairs {
			if wish.Cursor == c.id {
				c.machine.RequestRepair(machine.RepairRequest{Message: wish.Message, Drop: wish.Drop})
			}
		}
	}
}

// forgetStopped drops stopped replays once the results of their requests have arrived.
func (w *worker) forgetStopped() {
	before := len(w.replays)
	w.replays = slices.DeleteFunc(w.replays, func(c *cursor) bool {
		stopped := c.machine.Stopped() && !c.reading
		if stopped {
			c.handOver(true)
		}
		return stopped
	})
	if len(w.replays) < before {
		w.rotate()
	}
}

// rotate passes the current replays to the rotation.
func (w *worker) rotate() {
	replays := make([]*machine.Cursor, len(w.replays))
	for i, c := range w.replays {
		replays[i] = c.machine
	}
	w.rotation.SetReplays(replays)
}
