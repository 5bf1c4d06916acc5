package storetest

import (
	"fmt"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func aJob(f *fixture, tenant int64, n int) store.Job {
	return store.Job{
		ID: fmt.Sprintf("job_%s_%d", f.t.Name()[len(f.t.Name())-4:], n), Tenant: tenant, Owner: "user/1",
		Actor: event.Actor{Source: event.UI, Name: "Ada", UserID: 1},
		Role:  access.Caseworker, Further: "clerk", Clearance: casetype.Private,
		Action: store.JobAction{Kind: store.JobTransition, Transition: "close", Data: []byte(`{"a":"<&>"}`)},
		State:  store.JobRunning, Cases: 3, CreatedAt: start,
	}
}

// take takes a job, and fails the test unless it is the one with this id; empty: there is none.
func (f *fixture) take(by string, alone bool, id string) (j store.Job) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		var found bool
		j, found, err = tx.TakeJob(f.t.Context(), by, alone)
		f.equal(found, id != "")
		return err
	})
	f.equal(j.ID, id)
	return j
}

// record records results, and returns the job and whether the process has it.
func (f *fixture) record(j store.Job, by string, results ...store.JobCase) (now store.Job, mine bool) {
	f.t.Helper()
	f.update(func(tx *store.Tx) (err error) {
		now, mine, err = tx.RecordJob(f.t.Context(), j, by, results)
		return err
	})
	return now, mine
}

var jobTests = map[string]func(*fixture){
	"a job goes through its cases in order, and keeps what came of each": func(f *fixture) {
		ctx, j := f.t.Context(), aJob(f, f.tenant, 1)
		f.update(func(tx *store.Tx) error { return tx.CreateJob(ctx, j, []int64{30, 10, 20}) })
		f.equal(must[store.Job](f)(f.store.Job(ctx, f.tenant, j.ID, "user/1")), j)
		for _, owner := range []access.Owner{"user/2", ""} {
			_, err := f.store.Job(ctx, f.tenant, j.ID, owner)
			f.equal(fault.As(err).Code, "job.not_found")
		}
		_, err := f.store.Job(ctx, f.other, j.ID, "user/1")
		f.equal(fault.As(err).Code, "job.not_found")

		taken := f.take("one", false, j.ID)
		f.take("two", false, "")
		next := must[[]store.JobCase](f)(f.store.NextJobCases(ctx, taken, 2))
		f.equal(next, []store.JobCase{{Place: 0, CaseID: 30}, {Place: 1, CaseID: 10}})
		next[0].Result = store.JobCaseDone
		next[1].Result = store.JobCaseFailed
		next[1].JobFault = store.JobFault{
			Code: "case.invalid", Detail: "No.", Errors: []string{"<no>"}, Fields: []fault.Field{{Path: "/a", Message: "is bad"}},
		}
		_, mine := f.record(taken, "two", next...)
		f.equal(mine, false)
		taken, mine = f.record(taken, "one", next...)
		f.equal([]any{mine, taken.State, taken.Done, taken.Failed, taken.Next}, []any{true, store.JobRunning, int64(1), int64(1), int64(2)})
		page := must[store.Page[store.JobCase]](f)(f.store.JobCases(ctx, f.tenant, store.JobCaseFilter{Job: j.ID, Result: store.JobCaseFailed, After: -1, Limit: 9}))
		f.equal(page.Items, next[1:])
		page = must[store.Page[store.JobCase]](f)(f.store.JobCases(ctx, f.tenant, store.JobCaseFilter{Job: j.ID, Limit: 1}))
		f.equal([]any{page.Items, page.More}, []any{next[1:], true})
		taken, _ = f.record(taken, "one", store.JobCase{Place: 2, CaseID: 20, Result: store.JobCaseDone})
		f.equal([]any{taken.State, taken.Done, taken.EndedAt.IsZero()}, []any{store.JobDone, int64(2), false})
		f.take("two", true, "")
	},
	"a job of a process that has gone is taken by another, where it was": func(f *fixture) {
		ctx, j, second := f.t.Context(), aJob(f, f.tenant, 1), aJob(f, f.tenant, 2)
		for _, one := range []store.Job{j, second} {
			f.update(func(tx *store.Tx) error { return tx.CreateJob(ctx, one, []int64{1, 2, 3}) })
		}
		taken := f.take("one", false, j.ID)
		f.take("one", false, "") // the tenant has one job at a time
		taken, _ = f.record(taken, "one", store.JobCase{Place: 0, CaseID: 1, Result: store.JobCaseDone})
		again := f.take("two", true, j.ID) // it is alone, so the other is gone
		f.equal(again, taken)
		f.update(func(tx *store.Tx) error { return tx.ReleaseJobs(ctx, "two") })
		f.equal(f.take("three", false, j.ID).Next, int64(1))
	},
	"a job is cancelled or stopped, and removed later": func(f *fixture) {
		ctx, j, second := f.t.Context(), aJob(f, f.tenant, 1), aJob(f, f.other, 2)
		for _, one := range []store.Job{j, second} {
			f.update(func(tx *store.Tx) error { return tx.CreateJob(ctx, one, []int64{1, 2, 3}) })
		}
		taken, stopped := f.take("one", false, j.ID), f.take("one", false, second.ID)
		f.update(func(tx *store.Tx) error { return tx.CancelJob(ctx, f.tenant, j.ID, "user/2") })
		f.equal(must[store.Job](f)(f.store.Job(ctx, f.tenant, j.ID, "user/1")).State, store.JobRunning)
		f.update(func(tx *store.Tx) error { return tx.CancelJob(ctx, f.tenant, j.ID, "user/1") })
		now, mine := f.record(taken, "one", store.JobCase{Place: 0, CaseID: 1, Result: store.JobCaseDone})
		f.equal([]any{mine, now.State, now.Done}, []any{true, store.JobCancelled, int64(1)})
		f.update(func(tx *store.Tx) error { return tx.StopJob(ctx, stopped, "one", "Because.") })
		f.equal(must[store.Job](f)(f.store.Job(ctx, f.other, second.ID, "user/1")).Reason, "Because.")
		for range 2 {
			f.update(func(tx *store.Tx) error { _, err := tx.PurgeJob(ctx, now.EndedAt.AddDate(0, 0, 1)); return err })
		}
		f.equal(len(must[store.Page[store.Job]](f)(f.store.Jobs(ctx, f.tenant, "user/1", "", 9)).Items), 0)
	},
	"an owner has 10 jobs that run at most": func(f *fixture) {
		ctx := f.t.Context()
		for n := range 10 {
			f.update(func(tx *store.Tx) error { return tx.CreateJob(ctx, aJob(f, f.tenant, n), []int64{1}) })
		}
		f.refused(fault.Conflict, "job.too_many", func(tx *store.Tx) error {
			return tx.CreateJob(ctx, aJob(f, f.tenant, 10), []int64{1})
		})
		page := must[store.Page[store.Job]](f)(f.store.Jobs(ctx, f.tenant, "user/1", "", 4))
		f.equal([]any{len(page.Items), page.More}, []any{4, true})
		page = must[store.Page[store.Job]](f)(f.store.Jobs(ctx, f.tenant, "user/1", page.Items[3].ID, 9))
		f.equal([]any{len(page.Items), page.More}, []any{6, false})
	},
	"a filter selects the ids of cases": func(f *fixture) {
		ctx := f.t.Context()
		var ids []int64
		for i := range 3 {
			c := f.aCase(f.tenant, int64(i))
			f.insert(c)
			ids = append([]int64{c.ID}, ids...)
		}
		f.insert(f.aCase(f.other, 9))
		filter := store.CaseFilter{Clearance: casetype.Restricted}
		got, complete, err := f.store.CaseIDs(ctx, f.tenant, filter)
		f.equal([]any{got, complete, err}, []any{ids, true, error(nil)})
		filter.State = "none"
		got, _, _ = f.store.CaseIDs(ctx, f.tenant, filter)
		f.equal(got, []int64(nil))
		filter.State, filter.Clearance = "", ""
		got, _, _ = f.store.CaseIDs(ctx, f.tenant, filter)
		f.equal(got, []int64(nil))
	},
}
