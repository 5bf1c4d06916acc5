package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hostile"
	"github.com/casehook/casehook/internal/store"
)

// misbehaved is the endpoint of a hostile receiver.
type misbehaved struct {
	hostile.Receiver
	server   *hostile.Server
	endpoint endpoint.Endpoint
}

// invite creates an endpoint for each of some hostile receivers. Those that can tell requests apart are hostile only
// to requests about the case. Slow is the timeout of receivers that only a timeout ends.
func (b *bench) invite(
	t *testing.T, caseID int64, slow time.Duration, who func(hostile.Receiver) bool,
) (all []misbehaved) {
	for _, r := range hostile.Receivers() {
		if !who(r) {
			continue
		}
		server := r.Start(t, fmt.Sprintf("case/%d", caseID))
		p := endpoint.Policy{Timeout: time.Minute, Concurrency: 4, Retries: []time.Duration{time.Hour}}
		if r.Slow {
			p.Timeout = slow
		}
		all = append(all, misbehaved{r, server, b.listen(server.URL, p)})
	}
	return all
}

// attempts returns the attempts of an endpoint, by subject.
func (b *bench) attempts(e endpoint.Endpoint) map[string][]store.Attempt {
	b.Helper()
	all, err := b.store.Attempts(b.Context(), b.tenant, e.ID, 1<<62, 1000)
	if err != nil {
		b.Fatal(err)
	}
	bySubject := map[string][]store.Attempt{}
	for _, a := range all {
		bySubject[a.Subject] = append(bySubject[a.Subject], a)
	}
	return bySubject
}

// A receiver that stalls the messages of one case delays only these, and neither its other cases nor other endpoints.
func TestHostileReceiversHoldUpNobodyElse(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		t := b.TB.(*testing.T)
		healthy := b.receiver(ok)
		h := b.listen(healthy.url, endpoint.Policy{})
		const victim, others = 1, 4
		// nothing ends by the timeout here
		all := b.invite(t, victim, time.Minute, func(r hostile.Receiver) bool { return r.Slow || r.Long })
		for version := int64(1); version <= 2; version++ {
			for c := int64(victim); c <= victim+others; c++ {
				b.comment(c, version)
			}
		}
		last := map[int64]int64{}
		for range 2 * (1 + others) {
			a := b.next(healthy)
			if a.version != last[a.caseID]+1 {
				b.Errorf("case %d: version %d came after %d", a.caseID, a.version, last[a.caseID])
			}
			last[a.caseID] = a.version
		}
		b.served(h)
		for _, m := range all {
			if m.Blunt {
				continue
			}
			b.eventually(m.Name+" has the other cases' messages", func() bool {
				n := 0
				for subject, attempts := range b.attempts(m.endpoint) {
					if subject != "case/1" {
						n += len(attempts)
					}
				}
				return n == 2*others
			})
			attempts := b.attempts(m.endpoint)
			for subject, tried := range attempts {
				for _, a := range tried {
					if subject != "case/1" && (!a.Delivered || a.Number != 1) {
						b.Errorf("%s: %s of %s was attempted with status %d, class %q", m.Name, a.Message, subject,
							a.Status, a.Class)
					}
				}
			}
			if n := len(attempts["case/1"]); m.Slow && n != 0 {
				b.Errorf("%s: it ended, %d times, though nothing ends it", m.Name, n)
			}
		}
		for _, m := range all {
			m.server.Close() // requests under way need not wait for their timeout
		}
	})
}

func TestHostileReceiversAreRecordedAsWhatTheyAre(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		t := b.TB.(*testing.T)
		all := b.invite(t, 1, time.Second, func(hostile.Receiver) bool { return true })
		b.comment(1, 1)
		for _, m := range all {
			b.eventually(m.Name+" is attempted", func() bool { return len(b.attempts(m.endpoint)["case/1"]) > 0 })
			a := b.attempts(m.endpoint)["case/1"][0]
			status, class, delivered := m.Status, m.Class, m.Status/100 == 2
			if m.Slow && a.Status == 0 {
				// on a busy machine the deadline may come before the head of the answer
				status, delivered = 0, false
			}
			if delivered {
				class = "" // it was accepted, whatever happened to the body
			}
			unconnected := m.Class == "connect" || m.Class == "tls" || strings.Contains(m.Name, "TLS handshake")
			again := a.Number != 1 && !unconnected // a probe comes before the message is due
			type result struct {
				Class            string
				Status           int
				Delivered, Again bool
			}
			want := result{class, status, delivered, false}
			if diff := gocmp.Diff(want, result{a.Class, a.Status, a.Delivered, again}); diff != "" {
				b.Errorf("%s (-want +got):\n%s", m.Name, diff)
			}
			if len(a.Response) > 200<<10 || len(a.Request) > 4<<10 {
				b.Errorf("%s: the attempt keeps %d bytes of the answer, %d of the request", m.Name, len(a.Response),
					len(a.Request))
			}
			b.eventually(m.Name+" is waiting or served", func() bool {
				c, parked := b.saved(m.endpoint)
				if c.Position < 1 { // entries about failing endpoints follow
					return false
				}
				if delivered {
					return len(parked) == 0
				}
				if len(parked) != 1 || parked[0].Lane != "case/1" || parked[0].Failures != 1 {
					return false
				}
				return unconnected || parked[0].Due.After(time.Now().Add(time.Minute))
			})
		}
	})
}
