package storetest

import (
	"slices"
	"time"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// attempted saves one attempt a minute. Every third is delivered; they alternate between two endpoints, and every fifth
// is another tenant's.
func (f *fixture) attempted(n int) (endpoints [2]string) {
	f.t.Helper()
	var epochs [2]int64
	endpoints[0], epochs[0] = f.served(1)
	endpoints[1], epochs[1] = f.served(2)
	for i := range n {
		e := i % 2
		a := anAttempt(f.tenant, endpoints[e], int64(i), 0)
		a.At, a.Subject, a.Trigger = start.Add(time.Duration(i)*time.Minute),
			[]string{"case/1", "case/2", "contact/3"}[i%3], []string{"case_created", "case_changed"}[i/2%2]
		if a.Delivered = i%3 == 0; a.Delivered {
			a.Status, a.Class = 200, ""
		}
		tenant := f.tenant
		if i%5 == 4 {
			tenant = f.other
		}
		f.settle(store.Settlement{
			Tenant: tenant, Endpoint: endpoints[e], Cursor: "cur_" + endpoints[e], Epoch: epochs[e],
			Attempts: []store.Attempt{a},
		})
	}
	return endpoints
}

var attemptTests = map[string]func(*fixture){
	"the failures of the newest attempts are summed up by their kinds": func(f *fixture) {
		e, epoch := f.served(1)
		other, otherEpoch := f.served(2)
		s := store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch}
		for i, change := range []func(*store.Attempt){
			func(a *store.Attempt) { a.Class = "dns" }, // older than the newest five
			func(a *store.Attempt) {},
			func(a *store.Attempt) { a.Class, a.Status = "", 503 },
			func(a *store.Attempt) { a.Class, a.Status, a.Delivered = "", 200, true },
			func(a *store.Attempt) { a.Class, a.Status = "", 422 },
			func(a *store.Attempt) {},
		} {
			a := anAttempt(f.tenant, e, int64(i), 0)
			a.At = start.Add(time.Duration(i) * time.Second)
			change(&a)
			s.Attempts = append(s.Attempts, a)
		}
		f.settle(s, store.Settlement{Tenant: f.tenant, Endpoint: other, Cursor: "cur_" + other, Epoch: otherEpoch,
			Attempts: []store.Attempt{anAttempt(f.tenant, other, 9, 0)}})
		got := must[[]store.Problem](f)(f.store.Problems(f.t.Context(), f.tenant, e, 5))
		for i := range got {
			newest, err := f.store.Attempt(f.t.Context(), f.tenant, got[i].Last)
			if err != nil || !newest.At.Equal(got[i].LastAt) {
				f.t.Errorf("the newest attempt of %d is %d, %v", i, got[i].Last, err)
			}
			got[i].Last = 0
		}
		f.equal(got, []store.Problem{
			{Class: "timeout", Count: 2, FirstAt: start.Add(time.Second), LastAt: start.Add(5 * time.Second)},
			{Status: 422, Count: 1, FirstAt: start.Add(4 * time.Second), LastAt: start.Add(4 * time.Second)},
			{Status: 503, Count: 1, FirstAt: start.Add(2 * time.Second), LastAt: start.Add(2 * time.Second)},
		})
		f.equal(must[[]store.Problem](f)(f.store.Problems(f.t.Context(), f.other, e, 5)), []store.Problem(nil))
	},
	"attempts are counted by their outcomes, among the newest ones": func(f *fixture) {
		e, epoch := f.served(1)
		s := store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch}
		for i := range 10 {
			a := anAttempt(f.tenant, e, int64(i), 0)
			a.Trigger, a.At = "case_created", start.Add(time.Duration(i)*3*time.Hour)
			switch i % 5 {
			case 0:
				a.Class, a.Status = "", 503
			case 1:
				a.Class, a.Status, a.Delivered = "", 200, true
			case 2:
				a.Class, a.Status, a.Trigger = "dns", 0, "case_changed"
			}
			s.Attempts = append(s.Attempts, a) // three and four: timeouts
		}
		f.settle(s)
		f.settle(store.Settlement{Tenant: f.other, Endpoint: e, Attempts: []store.Attempt{anAttempt(f.other, e, 1, 0)}})
		kinds := []store.AttemptCount{{Class: "timeout"}, {Status: 503}, {Class: "dns"}}
		for name, c := range map[string]struct {
			filter   store.AttemptFilter
			number   int
			want     [3]int64 // of the kinds
			complete bool
		}{
			"all":          {store.AttemptFilter{}, 9, [3]int64{4, 2, 2}, true},
			"the newest":   {store.AttemptFilter{}, 8, [3]int64{4, 2, 2}, false},
			"the latest":   {store.AttemptFilter{}, 3, [3]int64{2, 0, 1}, false},
			"an endpoint":  {store.AttemptFilter{Endpoint: e}, 11, [3]int64{4, 2, 2}, true},
			"its newest":   {store.AttemptFilter{Endpoint: e}, 5, [3]int64{2, 1, 1}, false},
			"a trigger":    {store.AttemptFilter{Trigger: "case_changed"}, 9, [3]int64{0, 0, 2}, true},
			"since":        {store.AttemptFilter{Since: start.Add(24 * time.Hour)}, 9, [3]int64{2, 0, 0}, true},
			"a message":    {store.AttemptFilter{Message: s.Attempts[2].Message}, 9, [3]int64{0, 0, 1}, true},
			"a subject":    {store.AttemptFilter{Subject: "case/none"}, 9, [3]int64{}, true},
			"among none":   {store.AttemptFilter{Among: []string{}}, 9, [3]int64{}, true},
			"among others": {store.AttemptFilter{Among: []string{"ep_x", e}}, 9, [3]int64{4, 2, 2}, true},
		} {
			c.filter.Outcome = store.Failed
			got, complete, err := f.store.CountAttempts(f.t.Context(), f.tenant, c.filter, c.number)
			var counts [3]int64
			for _, one := range got {
				n := one.Count
				one.Count = 0
				counts[slices.Index(kinds, one)] = n
			}
			if err != nil || complete != c.complete || counts != c.want {
				f.t.Errorf("%s: %+v, complete %v, %v; want %v", name, got, complete, err, c.want)
			}
		}
	},
	"delivered attempts are counted, too": func(f *fixture) {
		endpoints := f.attempted(30) // of which 24 are the tenant's, and every third is delivered
		for name, c := range map[string]struct {
			filter store.AttemptFilter
			want   int64
		}{
			"all":           {store.AttemptFilter{Outcome: store.Delivered}, 8},
			"at one":        {store.AttemptFilter{Outcome: store.Delivered, Endpoint: endpoints[0]}, 4},
			"since":         {store.AttemptFilter{Outcome: store.Delivered, Since: start.Add(20 * time.Minute)}, 2},
			"of any status": {store.AttemptFilter{Status: 200}, 8},
			"of another":    {store.AttemptFilter{Status: 200, Outcome: store.Failed}, 0},
		} {
			got, complete, err := f.store.CountAttempts(f.t.Context(), f.tenant, c.filter, 99)
			var sum int64
			for _, one := range got {
				sum += one.Count
			}
			if sum != c.want || !complete || err != nil {
				f.t.Errorf("%s: %+v, %v, %v", name, got, complete, err)
			}
		}
	},
	"attempts are found by whatever is known of them": func(f *fixture) {
		const n = 60
		endpoints := f.attempted(n)
		for name, c := range map[string]struct {
			filter store.AttemptFilter
			wanted func(i int) bool
		}{
			"all":       {store.AttemptFilter{}, func(int) bool { return true }},
			"endpoint":  {store.AttemptFilter{Endpoint: endpoints[1]}, func(i int) bool { return i%2 == 1 }},
			"subject":   {store.AttemptFilter{Subject: "case/2"}, func(i int) bool { return i%3 == 1 }},
			"message":   {store.AttemptFilter{Message: "msg_7_0"}, func(i int) bool { return i == 7 }},
			"trigger":   {store.AttemptFilter{Trigger: "case_changed"}, func(i int) bool { return i/2%2 == 1 }},
			"delivered": {store.AttemptFilter{Outcome: store.Delivered}, func(i int) bool { return i%3 == 0 }},
			"failed":    {store.AttemptFilter{Outcome: store.Failed, Endpoint: endpoints[0]}, func(i int) bool { return i%3 != 0 && i%2 == 0 }},
			"class":     {store.AttemptFilter{Class: "timeout"}, func(i int) bool { return i%3 != 0 }},
			"503":       {store.AttemptFilter{Status: 503}, func(int) bool { return false }},
			"every":     {store.AttemptFilter{Outcome: store.Failed}, func(i int) bool { return i%3 != 0 }},
			"status":    {store.AttemptFilter{Status: 200}, func(i int) bool { return i%3 == 0 }},
			"since":     {store.AttemptFilter{Since: start.Add(30 * time.Minute)}, func(i int) bool { return i >= 30 }},
			"until":     {store.AttemptFilter{Until: start.Add(30 * time.Minute)}, func(i int) bool { return i < 30 }},
			"among":     {store.AttemptFilter{Among: endpoints[:1]}, func(i int) bool { return i%2 == 0 }},
			"none":      {store.AttemptFilter{Among: []string{}}, func(int) bool { return false }},
			"together": {store.AttemptFilter{Endpoint: endpoints[0], Subject: "case/1", Trigger: "case_created", Outcome: store.Delivered,
				Since: start.Add(time.Minute), Until: start.Add(50 * time.Minute)}, func(i int) bool { return i%6 == 0 && i/2%2 == 0 && i > 0 && i < 50 }},
		} {
			var want, got []int64
			for i := n - 1; i >= 0; i-- {
				if i%5 != 4 && c.wanted(i) {
					want = append(want, int64(i))
				}
			}
			for c.filter.Limit = 7; ; {
				found, next, err := f.store.FindAttempts(f.t.Context(), f.tenant, c.filter)
				if err != nil {
					f.t.Fatal(err)
				}
				for _, a := range found {
					got = append(got, a.Seq)
				}
				if c.filter.Before = next; next == 0 {
					break
				}
			}
			if !slices.Equal(got, want) {
				f.t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	},
	"what was saved late is found by when it began": func(f *fixture) {
		e, epoch := f.served(1)
		for _, minute := range []int{100, 50, 160} { // the database was away for fifty minutes
			a := anAttempt(f.tenant, e, int64(minute), 0)
			a.At = start.Add(time.Duration(minute) * time.Minute)
			f.settle(store.Settlement{Tenant: f.tenant, Endpoint: e, Cursor: "cur_" + e, Epoch: epoch, Attempts: []store.Attempt{a}})
		}
		for _, c := range []struct{ since, until, want int }{{50, 51, 50}, {99, 101, 100}, {160, 999, 160}} {
			found, _, err := f.store.FindAttempts(f.t.Context(), f.tenant, store.AttemptFilter{
				Since: start.Add(time.Duration(c.since) * time.Minute), Until: start.Add(time.Duration(c.until) * time.Minute), Limit: 9})
			if err != nil || len(found) != 1 || found[0].Seq != int64(c.want) {
				f.t.Errorf("of %d: %v %v", c.want, found, err)
			}
		}
	},
	"an attempt is its tenant's": func(f *fixture) {
		endpoints := f.attempted(3)
		all, _, err := f.store.FindAttempts(f.t.Context(), f.tenant, store.AttemptFilter{Endpoint: endpoints[0], Limit: 1})
		if err != nil || len(all) != 1 {
			f.t.Fatal(all, err)
		}
		f.equal(must[store.Attempt](f)(f.store.Attempt(f.t.Context(), f.tenant, all[0].ID)), all[0])
		_, err = f.store.Attempt(f.t.Context(), f.other, all[0].ID)
		f.wantFault(err, fault.NotFound, "attempt.not_found")
	},
}
