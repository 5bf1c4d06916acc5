package casework

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// Jobs do one thing with many cases, in the background. It is safe for concurrent use.
type Jobs struct {
	store       *store.Store
	guard       *authz.Guard
	now         func() time.Time
	log         *slog.Logger
	hold        bool
	cases       *Cases
	labels      *Labels
	submissions *Submissions

	process string
	created chan struct{} // wakes Run
	worked  func()
}

// NewJob is a job to create.
type NewJob struct {
	Action store.JobAction
	Cases  []int64          // their ids
	Filter store.CaseFilter // selects the cases, if none are named
	AtMost int64            // refuse the job if the filter selects more; 0: up to store.MostJobCases
}

// CreateJob starts a job. The cases are those that it selects now, also if others match later. Whether the caller may
// do the thing is decided for each case.
func (s *Jobs) CreateJob(ctx context.Context, p access.Principal, in NewJob, once authz.Once) (store.Job, error) {
	if err := s.guard.Permit(ctx, p, access.CreateJob); err != nil {
		return store.Job{}, err
	}
	if err := s.check(in); err != nil {
		return store.Job{}, err
	}
	selected, err := s.selected(ctx, p, in)
	if err != nil {
		return store.Job{}, err
	}
	j := store.Job{
		ID: id.New("job"), Tenant: p.Tenant, Owner: p.Owner(), Actor: p.Actor, Role: p.Role,
		Further: p.Further, Clearance: p.Clearance,
		Action: in.Action, State: store.JobRunning, Cases: int64(len(selected)), CreatedAt: s.now(),
	}
	if len(selected) == 0 {
		j.State, j.EndedAt = store.JobDone, j.CreatedAt
	}
	err = s.guard.Once(ctx, p, once, func() error {
		return s.guard.Update(ctx, authz.NewMandate(p, access.CreateJob), func(tx *store.Tx) error {
			if err := tx.CreateJob(ctx, j, selected); err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, j)
		})
	})
	if err != nil {
		return store.Job{}, err
	}
	s.wake()
	return j, nil
}

// check checks the action of a job.
func (s *Jobs) check(in NewJob) error {
	a := in.Action
	var wrong []fault.Field
	missing := func(path string, is bool) {
		if is {
			wrong = append(wrong, fault.Field{Path: path, Message: "is missing"})
		}
	}
	switch a.Kind {
	case store.JobAssign:
		missing("/action/assignee", a.Assignee == 0)
	case store.JobLabel, store.JobUnlabel:
		missing("/action/label", a.Label == "")
	case store.JobTransition:
		missing("/action/transition", a.Transition == "")
		if !input.Word(a.Transition) {
			wrong = append(wrong, fault.Field{Path: "/action/transition", Message: "is not the key of a transition"})
		}
		if len(a.Data) > maxJobData {
			wrong = append(wrong, fault.Field{Path: "/action/data", Message: "is longer than 100,000 bytes"})
		}
	case store.JobUnassign:
	default:
		wrong = append(wrong, fault.Field{
			Path: "/action/kind", Message: "is not assign, unassign, label, unlabel or transition",
		})
	}
	if len(in.Cases) > store.MostJobCases {
		wrong = append(wrong, fault.Field{
			Path: "/cases", Message: "has more than " + strconv.Itoa(store.MostJobCases) + " cases",
		})
	}
	if len(wrong) > 0 {
		return fault.In("job.invalid", "The job was not started: see fields.", wrong...)
	}
	return nil
}

// selected returns the ids of the cases of a new job: in the order in which they are named, or the oldest first.
func (s *Jobs) selected(ctx context.Context, p access.Principal, in NewJob) ([]int64, error) {
	if in.Cases != nil {
		var ids []int64
		named := map[int64]bool{}
		for _, id := range in.Cases {
			if !named[id] {
				ids = append(ids, id)
			}
			named[id] = true
		}
		return ids, nil
	}
	some, err := s.cases.restrict(ctx, p, &in.Filter)
	if err != nil || !some {
		return nil, err
	}
	ids, complete, err := s.store.CaseIDs(ctx, p.Tenant, in.Filter)
	switch {
	case err != nil:
		return nil, err
	case !complete:
		return nil, fault.New(fault.Unprocessable, "job.too_many_cases",
			"More than %d cases would have to be looked at. Select fewer, by times for example.", store.MostJobCases)
	case in.AtMost > 0 && int64(len(ids)) > in.AtMost:
		return nil, fault.New(fault.Conflict, "job.more_cases",
			"%d cases are selected, which is more than at_most. Nothing was done; look at them again.", len(ids))
	}
	slices.Reverse(ids)
	return ids, nil
}

// Job returns a job of the caller.
func (s *Jobs) Job(ctx context.Context, p access.Principal, jobID string) (store.Job, error) {
	if err := s.guard.Permit(ctx, p, access.GetJob); err != nil {
		return store.Job{}, err
	}
	return s.job(ctx, p, jobID)
}

func (s *Jobs) job(ctx context.Context, p access.Principal, jobID string) (store.Job, error) {
	if !input.Word(jobID) {
		jobID = ""
	}
	return s.store.Job(ctx, p.Tenant, jobID, p.Owner())
}

// Jobs lists the jobs of the caller, the newest first, behind one of them.
func (s *Jobs) Jobs(ctx context.Context, p access.Principal, after string, limit int) (store.Page[store.Job], error) {
	if err := s.guard.Permit(ctx, p, access.ListJobs); err != nil {
		return store.Page[store.Job]{}, err
	}
	return s.store.Jobs(ctx, p.Tenant, p.Owner(), after, input.Page(limit))
}

// JobCases lists cases of a job of the caller, with what came of them. A case that the caller no longer sees has no
// reference.
func (s *Jobs) JobCases(
	ctx context.Context, p access.Principal, f store.JobCaseFilter,
) (page store.Page[store.JobCase], err error) {
	if err := s.guard.Permit(ctx, p, access.ListJobCases); err != nil {
		return page, err
	}
	j, err := s.job(ctx, p, f.Job)
	if err != nil {
		return page, err
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return page, err
	}
	then := access.Principal{Role: j.Role, Further: j.Further, Clearance: j.Clearance}.Sight()
	f.Limit = input.Page(f.Limit)
	page, err = s.store.JobCases(ctx, p.Tenant, f)
	for i := range page.Items {
		c := &page.Items[i]
		gone := c.Type == ""
		hidden := !gone && !reader.Clearance.Sees(c.Classification) || !reader.ReadsCase(c.Type, c.State)
		if hidden {
			c.Reference = ""
		}
		if hidden || !p.Sight().Includes(then) { // a refusal may tell of what they saw then
			c.JobFault = store.JobFault{Code: c.Code}
		}
	}
	return page, err
}

// CancelJob ends a job of the caller behind the case that it is at. A job that has ended stays as it is.
func (s *Jobs) CancelJob(ctx context.Context, p access.Principal, jobID string) (j store.Job, err error) {
	if err := s.guard.Permit(ctx, p, access.CancelJob); err != nil {
		return store.Job{}, err
	}
	if j, err = s.job(ctx, p, jobID); err != nil {
		return j, err
	}
	err = s.guard.Update(ctx, authz.NewMandate(p, access.CancelJob), func(tx *store.Tx) error {
		if err := tx.CancelJob(ctx, p.Tenant, j.ID, j.Owner); err != nil {
			return err
		}
		j, err = tx.Job(ctx, p.Tenant, j.ID, j.Owner)
		return err
	})
	return j, err
}

const (
	atOnce     = 4                   // jobs that a process works on
	jobPortion = 20                  // cases between two records of results, at most
	recordJobs = 2 * time.Second     // likewise
	lookForJob = 5 * time.Second     // how often for those of nodes that died
	keepJobs   = 30 * 24 * time.Hour // after their end

	maxJobData = 100_000 // bytes
)

// Run works on jobs until ctx ends.
func (s *Jobs) Run(ctx context.Context) {
	if s.hold {
		return // they wait for a server that is not held
	}
	var running sync.WaitGroup
	free := make(chan struct{}, atOnce)
	for ctx.Err() == nil {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		j, found, err := s.take(ctx)
		if found {
			running.Go(func() {
				defer func() { <-free }()
				s.work(ctx, j)
			})
			continue
		}
		<-free
		if err != nil && ctx.Err() == nil {
			s.log.Warn("jobs can't be read; trying again", "error", err)
		}
		wait := time.NewTimer(lookForJob)
		select {
		case <-ctx.Done():
		case <-s.created:
		case <-wait.C:
		}
		wait.Stop()
	}
	running.Wait()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordJobs)
	defer cancel()
	err := s.store.Update(limited, func(tx *store.Tx) error { return tx.ReleaseJobs(limited, s.process) })
	if err != nil {
		s.log.Warn("jobs can't be left to other nodes; they go on within a minute", "error", err)
	}
}

func (s *Jobs) take(ctx context.Context) (j store.Job, found bool, err error) {
	err = s.store.Update(ctx, func(tx *store.Tx) (err error) {
		j, found, err = tx.TakeJob(ctx, s.process, !s.store.Nodes())
		return err
	})
	return j, found, err
}

// work carries out a job until it ends, ctx does, or the database fails; then it is taken again.
func (s *Jobs) work(ctx context.Context, j store.Job) {
	defer s.wake() // the tenant's next job may begin
	for j.State == store.JobRunning && ctx.Err() == nil {
		next, err := s.store.NextJobCases(ctx, j, jobPortion)
		var results []store.JobCase
		if err == nil {
			results, err = s.portion(ctx, j, next)
		}
		if len(results) > 0 || len(next) == 0 && err == nil {
			var recorded error
			if j, recorded = s.record(ctx, j, results); recorded != nil {
				s.log.Warn("a job's results can't be saved; it goes on within a minute", "job", j.ID, "error", recorded)
				return
			}
		}
		if err == nil {
			continue
		}
		if e := fault.As(err); e.Kind == fault.Unauthenticated {
			s.stop(ctx, j, "Its owner may do nothing any more.")
		} else if ctx.Err() == nil {
			s.log.Warn("a job is interrupted; it goes on within a minute", "job", j.ID, "error", err)
		}
		return
	}
}

func (s *Jobs) wake() {
	select {
	case s.created <- struct{}{}:
	default:
	}
}

// record saves results, and returns the job as it is then.
func (s *Jobs) record(ctx context.Context, j store.Job, results []store.JobCase) (now store.Job, err error) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookForJob)
	defer cancel()
	err = s.store.Update(limited, func(tx *store.Tx) error {
		var mine bool
		now, mine, err = tx.RecordJob(limited, j, s.process, results)
		if err == nil && !mine {
			err = errors.New("another node has taken it")
		}
		return err
	})
	if err != nil {
		return j, err
	}
	s.worked()
	return now, nil
}

func (s *Jobs) stop(ctx context.Context, j store.Job, reason string) {
	err := s.store.Update(ctx, func(tx *store.Tx) error { return tx.StopJob(ctx, j, s.process, reason) })
	if err != nil {
		s.log.Warn("a job can't be stopped; trying again within a minute", "job", j.ID, "error", err)
	}
	s.worked()
}

// portion does the job with some of its cases. It ends early with an error, or after recordJobs without one.
func (s *Jobs) portion(ctx context.Context, j store.Job, next []store.JobCase) (results []store.JobCase, err error) {
	begun := time.Now()
	for _, c := range next {
		if ctx.Err() != nil || len(results) > 0 && time.Since(begun) > recordJobs {
			return results, nil
		}
		p, err := s.principal(ctx, j)
		if err != nil {
			return results, err
		}
		c.Result = store.JobCaseDone
		if err := s.do(ctx, p, j, c); err != nil {
			e := fault.As(err)
			if slices.Contains(interrupting, e.Kind) || ctx.Err() != nil {
				return results, err
			}
			c.Result, c.JobFault = store.JobCaseFailed, jobFault(e)
		}
		results = append(results, c)
	}
	return results, nil
}

// interrupting are the kinds of failures that are not about one case.
var interrupting = []fault.Kind{fault.Internal, fault.Unauthenticated, fault.Unavailable}

// The bounds of what is kept of a failure.
const (
	mostFaults  = 20  // of each list
	longestText = 500 // bytes
)

func jobFault(e *fault.Error) store.JobFault {
	first := func(texts []string) (kept []string) {
		for _, text := range texts[:min(len(texts), mostFaults)] {
			kept = append(kept, shortened(text))
		}
		return kept
	}
	kept := store.JobFault{Code: e.Code, Detail: shortened(e.Detail)}
	kept.Errors, kept.Warnings = first(e.Errors), first(e.Warnings)
	for _, f := range e.Fields[:min(len(e.Fields), mostFaults)] {
		kept.Fields = append(kept.Fields, fault.Field{Path: shortened(f.Path), Message: shortened(f.Message)})
	}
	return kept
}

// shortened returns the beginning of a text that is too long to be kept.
func shortened(text string) string {
	if len(text) <= longestText {
		return text
	}
	return strings.ToValidUTF8(text[:longestText], "") + "…"
}

// principal returns whom the job is for, with their present rights.
func (s *Jobs) principal(ctx context.Context, j store.Job) (access.Principal, error) {
	return s.guard.Again(ctx, access.Principal{
		Tenant: j.Tenant, Actor: j.Actor, Role: j.Role, Further: j.Further, Clearance: j.Clearance,
	})
}

// do does the job with one case. It does no harm to do it again.
func (s *Jobs) do(ctx context.Context, p access.Principal, j store.Job, c store.JobCase) (err error) {
	a := j.Action
	assignment := Assignment{CaseID: c.CaseID, UserID: a.Assignee, IgnoreWarning: a.IgnoreWarnings}
	label := CaseLabel{CaseID: c.CaseID, Slug: a.Label, IgnoreWarning: a.IgnoreWarnings}
	switch a.Kind {
	case store.JobAssign:
		_, err = s.cases.Assign(ctx, p, assignment)
	case store.JobUnassign:
		assignment.UserID = 0
		_, err = s.cases.Assign(ctx, p, assignment)
	case store.JobLabel:
		_, err = s.labels.AddLabel(ctx, p, label)
	case store.JobUnlabel:
		_, err = s.labels.RemoveLabel(ctx, p, label)
	case store.JobTransition:
		in := Submission{CaseID: c.CaseID, Transition: a.Transition, IgnoreWarning: a.IgnoreWarnings}
		if len(a.Data) > 0 {
			if in.Data, err = casetype.Decode(a.Data); err != nil {
				return err
			}
		}
		once := authz.Once{
			Operation: access.SubmitTransition, Key: j.ID + "/" + strconv.FormatInt(c.Place, 10), Request: j.ID,
			Render: func(any) (store.Answer, error) { return store.Answer{Status: 200}, nil },
		}
		_, err = s.submissions.Submit(ctx, p, in, once)
		if repeat := (*authz.RepeatError)(nil); errors.As(err, &repeat) {
			err = nil // it was carried out, and not recorded
		}
	}
	return err
}

// Clean removes jobs that have ended long ago.
func (s *Jobs) Clean(ctx context.Context) error {
	for more := true; more; {
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			more, err = tx.PurgeJob(ctx, s.now().Add(-keepJobs))
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
