package delivery

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// A clock that was wrong when a lane was parked, or is set while it waits, delays the lane by at most the longest wait
// of its endpoint's schedule.
func TestASteppedClockDelaysNoRetryForLong(t *testing.T) {
	now := time.Now()
	longest := endpoint.Policy{Retries: []time.Duration{20 * time.Hour, time.Second}}.LongestWait()
	for name, c := range map[string]struct{ saved, least, most time.Duration }{
		"due long ago":                            {-5 * time.Hour, -5 * time.Hour, -5 * time.Hour},
		"due soon":                                {time.Minute, time.Minute, time.Minute},
		"due after the longest wait":              {24 * time.Hour, 24 * time.Hour, 24 * time.Hour},
		"saved by a clock that was a day ahead":   {48 * time.Hour, 24 * time.Hour, 24 * time.Hour},
		"saved by a clock that was a year ahead":  {365 * 24 * time.Hour, 0, 24 * time.Hour},
		"saved by a clock that was a year behind": {-365 * 24 * time.Hour, -366 * 24 * time.Hour, 0},
	} {
		due := dueAt(now.Add(c.saved).Round(0), now, longest) // by the wall clock, as read from the database
		if wait := due.Sub(now); wait < c.least-time.Millisecond || wait > c.most+time.Millisecond {
			t.Errorf("%s: it waits %v", name, wait)
		}
		if due == due.Round(0) {
			t.Errorf("%s: it waits by the clock on the wall, which may be set meanwhile", name)
		}
	}
}

func TestLoadedLanesAreDueByTheMonotonicClock(t *testing.T) {
	t.Parallel()
	st, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "db"), Key: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	e := endpoint.Endpoint{
		ID: "ep_1", URL: "https://example.com", Triggers: []string{"case_created"}, Status: endpoint.Active,
		Secrets: nil, Revision: 1,
	}
	parked := store.ParkedMessage{
		Lane:     "case/1",
		Seq:      1,
		Message:  "msg_1",
		Tries:    1,
		Failures: 1,
		Due:      time.Now().Add(1000 * time.Hour),
		Reason:   "because",
	}
	err = st.Update(t.Context(), func(tx *store.Tx) (err error) {
		if e.Tenant, err = tx.CreateTenant(t.Context(), "acme", "Acme", time.Now()); err != nil {
			return err
		}
		if err := tx.CreateEndpoint(t.Context(), e, "cur_1"); err != nil {
			return err
		}
		leases, err := tx.Claim(t.Context(), "node", time.Minute)
		if err != nil {
			return err
		}
		_, err = tx.Settle(t.Context(), []store.Settlement{{
			Tenant: e.Tenant, Endpoint: e.ID, Cursor: "cur_1", Epoch: leases[0].Epoch, Position: 1,
			Park: []store.ParkedMessage{parked},
		}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := readSaved(t.Context(), st, store.Cursor{ID: "cur_1", Position: 1}, e.Tenant, 600*time.Millisecond)
	if err != nil || len(found.Parked) != 1 || time.Until(found.Parked[0].Due) > time.Second {
		t.Errorf("parked %+v, %v", found.Parked, err)
	}
}
