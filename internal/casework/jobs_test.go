package casework_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testworld"
)

// person returns a user of the tenant who is signed in.
func (w *world) person(name string) access.Principal {
	return access.Principal{
		Tenant: w.p.Tenant, Role: access.Caseworker, Clearance: casetype.Restricted,
		Actor: event.Actor{Source: event.UI, Name: name, UserID: w.user(w.p, name), Address: "192.0.2.7"},
	}
}

func (w *world) job(p access.Principal, in casework.NewJob) store.Job {
	w.t.Helper()
	j, err := w.jobs.CreateJob(w.t.Context(), p, in, authz.Once{})
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// run works on jobs until one is no longer in the state running, or ctx ends.
func (w *world) run(ctx context.Context, node *services, p access.Principal, id string) (j store.Job) {
	w.t.Helper()
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		node.jobs.Run(ctx)
	}()
	for under := true; under; {
		next := w.worked.Next()
		var err error
		if j, err = w.jobs.Job(w.t.Context(), p, id); err != nil {
			w.t.Fatal(err)
		}
		if under = j.State == store.JobRunning; !under {
			break
		}
		select {
		case <-next:
		case <-done:
			under = false
		case <-w.worked.Late():
			w.t.Fatalf("waited in vain for the end of %+v", j)
		}
	}
	stop()
	<-done
	j, err := w.jobs.Job(w.t.Context(), p, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

func (w *world) results(p access.Principal, id string) (all []store.JobCase) {
	w.t.Helper()
	page, err := w.jobs.JobCases(w.t.Context(), p, store.JobCaseFilter{Job: id, After: -1, Limit: 200})
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Items
}

func wantJob(t *testing.T, j store.Job, state store.JobState, done, failed int64) {
	t.Helper()
	if got, want := []any{j.State, j.Done, j.Failed}, []any{state, done, failed}; !slices.Equal(got, want) {
		t.Errorf("the job is %v, want %v: %+v", got, want, j)
	}
}

func TestAJobDoesOneThingWithManyCases(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		w.label(w.p, "urgent")
		ada := w.person("Ada")
		w.callbacks.on("loan", respond(200, `{"errors":["not today"]}`))
		draft, declined := w.open("loan"), w.open("loan")
		w.submit(casework.Submission{CaseID: declined.ID, Transition: "decline"})

		for _, action := range []store.JobAction{
			{Kind: store.JobAssign, Assignee: ada.Actor.UserID}, {Kind: store.JobLabel, Label: "urgent"},
		} {
			j := w.run(t.Context(), &w.services, ada, w.job(ada, casework.NewJob{Action: action}).ID)
			wantJob(t, j, store.JobDone, 2, 0)
		}
		if c := w.load(draft.ID); c.Assignee.UserID != ada.Actor.UserID || len(c.Labels) != 1 {
			t.Errorf("the case is %+v", c.Case)
		}

		move := casework.NewJob{
			Action: store.JobAction{Kind: store.JobTransition, Transition: "submit", Data: []byte(`{"amount":20}`)},
			Cases:  []int64{declined.ID, draft.ID, 12345, draft.ID},
		}
		j := w.run(t.Context(), &w.services, ada, w.job(ada, move).ID)
		wantJob(t, j, store.JobDone, 0, 3)
		codes := map[int64]string{}
		var order []int64
		for _, c := range w.results(ada, j.ID) {
			codes[c.CaseID] = c.Code
			order = append(order, c.CaseID)
			if c.CaseID == draft.ID && !(slices.Equal(c.Errors, []string{"not today"}) && c.Reference == draft.Reference) {
				t.Errorf("the draft: %+v", c)
			}
		}
		if want := []int64{declined.ID, draft.ID, 12345}; !slices.Equal(order, want) {
			t.Errorf("the job goes through %v, want %v", order, want)
		}
		for id, want := range map[int64]string{
			draft.ID: "callback.errors", declined.ID: "case.transition_not_allowed", 12345: "case.not_found",
		} {
			if codes[id] != want {
				t.Errorf("case %d: %q, want %q", id, codes[id], want)
			}
		}
		w.callbacks.on("loan", respond(200, `{}`))
		j = w.run(t.Context(), &w.services, ada, w.job(ada, casework.NewJob{
			Action: move.Action, Filter: store.CaseFilter{State: "draft"}, AtMost: 1,
		}).ID)
		wantJob(t, j, store.JobDone, 1, 0)
		history := w.history(draft.ID)
		by := history[len(history)-1].Actor.Name
		if after := w.load(draft.ID); after.State != "review" || by != "Ada" {
			t.Errorf("the case is in %s by %s", after.State, by)
		}
	})
}

func TestAJobThatCantBeDoneIsRefused(t *testing.T) {
	w := start(t)
	w.put(w.p, loan("loan", ""))
	w.open("loan")
	w.open("loan")
	for _, k := range []struct {
		p    access.Principal
		in   casework.NewJob
		kind fault.Kind
		code string
	}{
		{w.p, casework.NewJob{}, fault.Unprocessable, "job.invalid"},
		{w.p, casework.NewJob{Action: store.JobAction{Kind: store.JobAssign}}, fault.Unprocessable, "job.invalid"},
		{w.p, casework.NewJob{Action: store.JobAction{Kind: store.JobTransition}}, fault.Unprocessable, "job.invalid"},
		{w.p, casework.NewJob{Action: store.JobAction{Kind: store.JobUnassign}, AtMost: 1}, fault.Conflict, "job.more_cases"},
		{w.as(access.Viewer), casework.NewJob{Action: store.JobAction{Kind: store.JobUnassign}}, fault.Forbidden, "access.denied"},
	} {
		_, err := w.jobs.CreateJob(t.Context(), k.p, k.in, authz.Once{})
		testworld.WantFault(t, err, k.kind, k.code)
	}
	j := w.job(w.p, casework.NewJob{Action: store.JobAction{Kind: store.JobUnassign}})
	_, err := w.jobs.Job(t.Context(), w.as(access.Admin), j.ID)
	testworld.WantFault(t, err, fault.NotFound, "job.not_found")
	_, err = w.jobs.CancelJob(t.Context(), w.as(access.Manager), j.ID)
	testworld.WantFault(t, err, fault.NotFound, "job.not_found")
	if j, err = w.jobs.CancelJob(t.Context(), w.p, j.ID); err != nil || j.State != store.JobCancelled {
		t.Errorf("%+v, %v", j, err)
	}
}

// A process that ends amid a job leaves it to the next, which repeats nothing.
func TestAJobGoesOnAfterARestart(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		ada := w.person("Ada")
		var all []casework.View
		for range 5 {
			all = append(all, w.open("loan"))
		}
		ctx, stop := context.WithCancel(t.Context())
		asked := 0
		w.callbacks.on("loan", func(rw http.ResponseWriter, r *http.Request) {
			if asked++; asked == 3 {
				stop()
			}
			respond(200, `{}`)(rw, r)
		})
		in := casework.NewJob{
			Action: store.JobAction{Kind: store.JobTransition, Transition: "submit", Data: []byte(`{"amount":20}`)},
		}
		j := w.run(ctx, &w.services, ada, w.job(ada, in).ID)
		if j.State != store.JobRunning || j.Done < 2 || j.Done > 3 {
			t.Errorf("after the end: %+v", j)
		}
		j = w.run(t.Context(), w.node(), ada, j.ID)
		wantJob(t, j, store.JobDone, 5, 0)
		for _, v := range all {
			if c := w.load(v.ID); c.State != "review" || c.Version != v.Version+1 {
				t.Errorf("case %d is in %s, version %d", c.ID, c.State, c.Version)
			}
		}
	})
}

// A job has the rights that its owner has when it comes to a case, and at most those of the request.
func TestAJobHasThePresentRightsOfItsOwner(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		ada := w.person("Ada")
		c := w.open("loan")
		public := casetype.Public
		in := casework.NewJob{Action: store.JobAction{Kind: store.JobUnassign}, Cases: []int64{c.ID}}
		j := w.job(ada, in)
		w.change(ada, people.UserChange{Clearance: &public})
		j = w.run(t.Context(), &w.services, ada, j.ID)
		if all := w.results(ada, j.ID); j.Failed != 1 || all[0].Code != "case.not_found" || all[0].Reference == "" {
			t.Errorf("%+v, %+v", j, all)
		}
		viewer := access.Viewer
		w.change(ada, people.UserChange{Role: &viewer})
		j = w.run(t.Context(), &w.services, ada, w.job(ada, in).ID)
		if all := w.results(ada, j.ID); j.Failed != 1 || all[0].Code != "access.denied" {
			t.Errorf("%+v, %+v", j, all)
		}
		yes := true
		j = w.job(ada, in)
		w.change(ada, people.UserChange{Disabled: &yes})
		if j = w.run(t.Context(), &w.services, ada, j.ID); j.Reason == "" {
			t.Errorf("%+v", j)
		}
		wantJob(t, j, store.JobStopped, 0, 0)
	})
}

func (w *world) change(p access.Principal, c people.UserChange) {
	w.t.Helper()
	if _, err := w.users.UpdateUser(w.t.Context(), w.p, p.Actor.UserID, c); err != nil {
		w.t.Fatal(err)
	}
}
