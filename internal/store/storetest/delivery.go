package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// aSettlement settles one delivered and one dead message, and parks a lane, at seq.
func aSettlement(tenant int64, endpoint string, epoch, seq int64) store.Settlement {
	delivered := anAttempt(tenant, endpoint, seq+1, 0)
	delivered.Delivered, delivered.Status, delivered.Class = true, 200, ""
	return store.Settlement{Tenant: tenant, Endpoint: endpoint, Cursor: "cur_" + endpoint, Epoch: epoch, Position: seq,
		Attempts: []store.Attempt{delivered, anAttempt(tenant, endpoint, seq+2, 1)},
		Park:     []store.ParkedMessage{aParked("case/1", seq+3)},
		Dead:     []store.DeadMessage{aDead(seq+2, 1)},
	}
}

func anAttempt(tenant int64, endpoint string, seq int64, part int) store.Attempt {
	return store.Attempt{Tenant: tenant,
		Endpoint:   endpoint,
		Cursor:     "cur_" + endpoint,
		Place:      aPlace(seq, part),
		Subject:    "case/1",
		Trigger:    "case_created",
		Number:     2,
		At:         start,
		Duration:   1500 * time.Microsecond,
		Address:    "192.0.2.1:443",
		Class:      "timeout",
		Request:    `{"a":"ü"}`,
		Response:   `{"body":"\u0000"}`,
		BodySHA256: "00ff"}
}

func aPlace(seq int64, part int) store.Place {
	return store.Place{Seq: seq, Part: part, Message: fmt.Sprintf("msg_%d_%d", seq, part)}
}

func aParked(lane string, seq int64) store.ParkedMessage {
	return store.ParkedMessage{
		Lane:     lane,
		Seq:      seq,
		Part:     1,
		Message:  aPlace(seq, 1).Message,
		Subject:  "case/1",
		Trigger:  "case_created",
		Tries:    3,
		Failures: 2,
		Due:      start,
		Reason:   "timeout",
	}
}

func aDead(seq int64, part int) store.DeadMessage {
	return store.DeadMessage{
		Place: aPlace(seq, part), Subject: "case/1", Trigger: "case_created", At: start, Reason: "given up",
	}
}

// settle saves settlements, and returns the endpoints whose lease was lost.
func (f *fixture) settle(all ...store.Settlement) (lost []string) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		lost, err = tx.Settle(f.t.Context(), all)
		return err
	})
	return lost
}

// served creates an endpoint with a lease, and returns its id and epoch.
func (f *fixture) served(n int) (endpoint string, epoch int64) {
	f.t.Helper()
	e := anEndpoint(f.tenant, n)
	f.create(e)
	leases := f.claim("node", time.Hour)
	at := slices.IndexFunc(leases, func(l store.Lease) bool { return l.Endpoint == e.ID })
	if at < 0 {
		f.t.Fatalf("%s is not among %v", e.ID, leases)
	}
	return e.ID, leases[at].Epoch
}

func (f *fixture) attempts(endpoint string) []store.Attempt {
	f.t.Helper()
	all := must[[]store.Attempt](f)(f.store.Attempts(f.t.Context(), f.tenant, endpoint, 1<<62, 99))
	for i := range all {
		all[i].ID = 0
	}
	return all
}

func (f *fixture) parked(endpoint string) []store.ParkedMessage {
	f.t.Helper()
	all := must[[]store.ParkedMessage](f)(f.store.Parked(f.t.Context(), f.tenant, "cur_"+endpoint))
	slices.SortFunc(all, func(a, b store.ParkedMessage) int { return strings.Compare(a.Lane, b.Lane) })
	return all
}

func (f *fixture) dead(endpoint string) []store.DeadMessage {
	f.t.Helper()
	return must[[]store.DeadMessage](f)(f.store.DeadMessages(f.t.Context(), f.tenant, endpoint, 99))
}

func (f *fixture) position(endpoint string) int64 {
	f.t.Helper()
	return must[store.Cursor](f)(f.store.Cursor(f.t.Context(), f.tenant, endpoint)).Position
}

var deliveryTests = map[string]func(*fixture){
	"a settlement is saved whole": func(f *fixture) {
		first, epoch := f.served(1)
		second, epoch2 := f.served(2)
		a, b := aSettlement(f.tenant, first, epoch, 5), aSettlement(f.tenant, second, epoch2, 7)
		f.equal(f.settle(a, b), []string(nil))
		for endpoint, s := range map[string]store.Settlement{first: a, second: b} {
			want := slices.Clone(s.Attempts)
			slices.Reverse(want)
			f.equal(f.attempts(endpoint), want)
			f.equal(f.parked(endpoint), s.Park)
			f.equal(f.dead(endpoint), s.Dead)
			f.equal(f.position(endpoint), s.Position)
		}
		f.equal(f.settle(), []string(nil))
	},
	"when the lease has passed on only the attempts are saved, and others lose nothing": func(f *fixture) {
		first, epoch := f.served(1)
		second, epoch2 := f.served(2)
		lost := aSettlement(f.tenant, first, epoch-1, 5)
		lost.Unpark = []string{"case/9"}
		f.equal(f.settle(lost, aSettlement(f.tenant, second, epoch2, 7), aSettlement(f.tenant, "ep_none", 1, 3)), []string{first, "ep_none"})
		f.equal(len(f.attempts(first)), 2)
		f.equal(len(f.attempts("ep_none")), 2)
		f.equal(f.parked(first), []store.ParkedMessage(nil))
		f.equal(f.dead(first), []store.DeadMessage(nil))
		f.equal(f.position(first), int64(0))
		f.equal(f.position(second), int64(7))
	},
	"what is settled again is saved once": func(f *fixture) {
		e, epoch := f.served(1)
		s := aSettlement(f.tenant, e, epoch, 5)
		f.settle(s)
		again := s
		again.Again = true
		other := s.Attempts[0]
		other.Number++
		again.Attempts = append(slices.Clone(s.Attempts), other)
		f.settle(again)
		f.equal(len(f.attempts(e)), len(s.Attempts)+1)
		f.equal(f.parked(e), s.Park)
		f.equal(f.dead(e), s.Dead)
		f.settle(again)
		f.equal(len(f.attempts(e)), len(s.Attempts)+1)
	},
	"a position never goes back": func(f *fixture) {
		e, epoch := f.served(1)
		for _, position := range []int64{5, 3, 5, 9, 0} {
			f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: position})
		}
		f.equal(f.position(e), int64(9))
	},
	"a lane has one parked message, the last that was written, until it is unparked": func(f *fixture) {
		e, epoch := f.served(1)
		step := func(park []store.ParkedMessage, unpark ...string) {
			f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Park: park, Unpark: unpark})
		}
		step([]store.ParkedMessage{aParked("case/1", 3), aParked("case/2", 4)})
		again := aParked("case/1", 8)
		again.Due = start.Add(time.Hour)
		step([]store.ParkedMessage{again, aParked("case/3", 9)}, "case/2", "case/none")
		f.equal(f.parked(e), []store.ParkedMessage{again, aParked("case/3", 9)})
		step(nil, "case/1", "case/3")
		f.equal(f.parked(e), []store.ParkedMessage(nil))
	},
	"a message is dead once": func(f *fixture) {
		e, epoch := f.served(1)
		for _, reason := range []string{"first", "second"} {
			d := aDead(3, 1)
			d.Reason = reason
			f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch,
				Dead: []store.DeadMessage{d, aDead(2, 0)}})
		}
		f.equal(len(f.dead(e)), 2)
		f.equal(f.dead(e)[1].Reason, "first")
		dead := must[[]store.DeadMessage](f)
		f.equal(dead(f.store.DeadMessages(f.t.Context(), f.tenant, e, 1)), []store.DeadMessage{aDead(2, 0)})
		f.equal(dead(f.store.DeadMessages(f.t.Context(), f.other, e, 9)), []store.DeadMessage(nil))
	},
	"a message that several cursors give up at once is dead once": func(f *fixture) {
		e, epoch := f.served(1)
		live := store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 2,
			Dead: []store.DeadMessage{aDead(3, 1), aDead(4, 0), aDead(3, 1)}}
		all := []store.Settlement{live}
		for _, id := range []string{"rpl_1", "rpl_2"} {
			s := replayed(f.replay(aReplay(f.tenant, e, id, 0, 9)), epoch, 2)
			s.Dead = []store.DeadMessage{aDead(3, 1)}
			s.Dead[0].Reason = id
			all = append(all, s)
		}
		f.settle(all...)
		last := all[2].Dead[0]
		f.equal(f.dead(e), []store.DeadMessage{last, aDead(4, 0)})
		f.equal(f.position(e), int64(2))
		for _, r := range all[1:] {
			f.equal(f.replayed(store.Replay{ID: r.Cursor, Endpoint: e}).Dead, int64(1))
		}
		for cursor, want := range map[string]int{"cur_" + e: 2, "rpl_2": 1} {
			f.equal(len(must[[]store.Place](f)(f.store.Settled(f.t.Context(), f.tenant, store.Cursor{ID: cursor, Position: 2}))), want)
		}
	},
	"what is delivered or dead above a cursor is known": func(f *fixture) {
		e, epoch := f.served(1)
		f.settle(aSettlement(f.tenant, e, epoch, 5), aSettlement(f.tenant, "ep_none", 1, 5))
		settled := func(position int64) []store.Place {
			all := must[[]store.Place](f)(f.store.Settled(f.t.Context(), f.tenant, store.Cursor{ID: "cur_" + e, Position: position}))
			slices.SortFunc(all, func(a, b store.Place) int { return int(a.Seq - b.Seq) })
			return all
		}
		f.equal(settled(5), []store.Place{aPlace(6, 0), aPlace(7, 1)}) // the message of seq 7 failed once, and is dead
		f.equal(settled(6), []store.Place{aPlace(7, 1)})
		f.equal(settled(7), []store.Place(nil))
	},
	"attempts are listed newest first, page by page, for their tenant": func(f *fixture) {
		e, epoch := f.served(1)
		s := store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch}
		for seq := range int64(5) {
			s.Attempts = append(s.Attempts, anAttempt(f.tenant, e, seq, 0))
		}
		f.settle(s)
		page := must[[]store.Attempt](f)
		first := page(f.store.Attempts(f.t.Context(), f.tenant, e, 1<<62, 3))
		rest := page(f.store.Attempts(f.t.Context(), f.tenant, e, first[2].ID, 3))
		var seqs []int64
		for _, a := range append(first, rest...) {
			seqs = append(seqs, a.Seq)
		}
		f.equal(seqs, []int64{4, 3, 2, 1, 0})
		f.equal(page(f.store.Attempts(f.t.Context(), f.other, e, 1<<62, 3)), []store.Attempt(nil))
	},
	"a text that can't be kept does not spoil the batch": func(f *fixture) {
		e, epoch := f.served(1)
		s := aSettlement(f.tenant, e, epoch, 5)
		for i, text := range append([]string{"a\x00b", "\xff\xfe"}, strange...) {
			a := anAttempt(f.tenant, e, int64(i), 0)
			a.Response, a.Class, a.Address = text, text, text
			s.Attempts = append(s.Attempts, a)
		}
		s.Park[0].Reason, s.Dead[0].Reason = "a\x00b", "\xff\x00"
		f.settle(s)
		f.equal(f.position(e), int64(5))
		got := f.attempts(e)
		f.equal(got[0].Response, strange[len(strange)-1])
		f.equal(got[len(strange)].Response, "\uFFFD\uFFFD")
		f.equal(got[len(strange)+1].Response, "a\uFFFDb")
	},
	"thousands are settled at once": func(f *fixture) {
		e, epoch := f.served(1)
		s := store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Position: 5000}
		for seq := range int64(5000) {
			s.Attempts = append(s.Attempts, anAttempt(f.tenant, e, seq, 0))
			s.Park = append(s.Park, aParked(fmt.Sprint("case/", seq), seq))
		}
		f.settle(s)
		f.equal(len(f.parked(e)), 5000)
	},
}

// claim claims leases for an owner, and returns the endpoints that it holds.
func (f *fixture) claim(owner string, ttl time.Duration) (held []store.Lease) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		held, err = tx.Claim(f.t.Context(), owner, ttl)
		return err
	})
	return held
}

func (f *fixture) claimIDs(owner string, ttl time.Duration) (ids []string) {
	f.t.Helper()
	for _, l := range f.claim(owner, ttl) {
		ids = append(ids, l.Endpoint)
	}
	return ids
}

var leaseTests = map[string]func(*fixture){
	"one that is alone claims everything, and renewing keeps the epoch": func(f *fixture) {
		e := anEndpoint(f.tenant, 1)
		f.create(e, anEndpoint(f.other, 2))
		first := f.claim("a", store.MaxLease)
		f.equal(first[0], store.Lease{Endpoint: e.ID, Tenant: f.tenant, Epoch: 1, Revision: 1, Status: "active"})
		f.equal(f.claim("a", store.MaxLease), first)
		f.create(anEndpoint(f.tenant, 3))
		f.equal(len(f.claim("a", store.MaxLease)), 3)
		e.Status = endpoint.Paused
		f.update(func(tx *store.Tx) error { _, err := tx.UpdateEndpoint(f.t.Context(), e); return err })
		changed := f.claim("a", store.MaxLease)[0]
		f.equal([]any{changed.Epoch, changed.Revision, changed.Status}, []any{int64(1), int64(2), "paused"})
	},
	"where there can be no other node a new owner takes all at once": func(f *fixture) {
		if f.store.Nodes() {
			f.create(anEndpoint(f.tenant, 1))
			f.equal(len(f.claim("a", store.MaxLease)), 1)
			f.equal(len(f.claim("b", store.MaxLease)), 0)
			return
		}
		f.create(anEndpoint(f.tenant, 1))
		f.equal(f.claim("a", store.MaxLease)[0].Epoch, int64(1))
		f.equal(f.claim("b", store.MaxLease)[0].Epoch, int64(2))
	},
	"a sign of life that a wrong clock gave lasts no longer than any other": func(f *fixture) {
		if !f.store.Nodes() {
			return
		}
		f.create(anEndpoint(f.tenant, 1))
		f.equal(f.claim("a", time.Hour)[0].Epoch, int64(1)) // as after the clock is set back
		f.equal(f.claim("b", store.MaxLease)[0].Epoch, int64(2))
		f.equal(len(f.claim("a", store.MaxLease)), 0)
	},
	"nodes share, take over what has expired, and give back": func(f *fixture) {
		if !f.store.Nodes() {
			return // the test above is this engine's
		}
		var all []string
		for n := range 5 {
			e := anEndpoint(f.tenant, n)
			f.create(e)
			all = append(all, e.ID)
		}
		f.equal(f.claimIDs("a", store.MaxLease), all)
		f.equal(f.claimIDs("b", store.MaxLease), []string(nil))
		var surplus []string
		for _, l := range f.claim("a", store.MaxLease) {
			if l.Surplus {
				surplus = append(surplus, l.Endpoint)
			}
		}
		f.equal(surplus, all[3:])                                                         // three are its share
		f.update(func(tx *store.Tx) error { return tx.Release(f.t.Context(), "b", all) }) // not its own
		f.equal(f.claimIDs("b", store.MaxLease), []string(nil))
		f.update(func(tx *store.Tx) error { return tx.Release(f.t.Context(), "a", surplus) })
		held := f.claim("b", store.MaxLease)
		f.equal(len(held), 2)
		f.equal(held[0].Epoch, int64(2)) // raised by the takeover
		f.equal(f.claimIDs("a", store.MaxLease), all[:3])

		f.claim("a", -time.Second) // its lease and its sign of life run out, by the database's clock
		held = f.claim("b", store.MaxLease)
		f.equal(len(held), 5)
		epochs := map[string]int64{}
		for _, l := range held {
			epochs[l.Endpoint] = l.Epoch
		}
		f.equal(epochs[all[0]], int64(2))
		zombie := aSettlement(f.tenant, all[0], 1, 50)
		f.equal(f.settle(zombie), []string{all[0]})
		f.equal(f.position(all[0]), int64(0))

		f.update(func(tx *store.Tx) error { return tx.Leave(f.t.Context(), "b") })
		f.equal(f.claimIDs("a", store.MaxLease), all)
	},
	"renewing waits for no settling": func(f *fixture) {
		if !f.store.Nodes() {
			return // SQLite has one writer
		}
		e, epoch := f.served(1)
		f.update(func(tx *store.Tx) error {
			_, err := tx.Settle(f.t.Context(), []store.Settlement{aSettlement(f.tenant, e, epoch, 5)})
			ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
			defer cancel()
			renew := f.store.Update(ctx, func(tx *store.Tx) error { _, err := tx.Claim(ctx, "node", time.Hour); return err })
			return errors.Join(err, renew)
		})
	},
	"deleting an endpoint ends its lease": func(f *fixture) {
		e, epoch := f.served(1)
		f.update(func(tx *store.Tx) error { return tx.DeleteEndpoint(f.t.Context(), f.tenant, e) })
		f.equal(f.claimIDs("node", store.MaxLease), []string(nil))
		f.equal(f.settle(aSettlement(f.tenant, e, epoch, 5)), []string{e})
		_, err := f.store.Cursor(f.t.Context(), f.tenant, e)
		f.wantFault(err, fault.NotFound, "endpoint.not_found")
	},
}
