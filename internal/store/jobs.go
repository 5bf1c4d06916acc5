package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// Job does one thing with many cases, one after the other, for a user or a token.
type Job struct {
	ID     string
	Tenant int64
	Owner  access.Owner
	// The rights at the request. The job never has more.
	Actor     event.Actor
	Role      access.Role
	Further   access.FurtherRoles
	Clearance casetype.Classification

	Action              JobAction
	State               JobState
	Reason              string // why it was stopped
	Cases, Done, Failed int64
	Next                int64 // the place of the first case that it has not come to
	CreatedAt, EndedAt  time.Time
}

// JobAction is what a job does with each case.
type JobAction struct {
	Kind           JobKind         `json:"kind"`
	Assignee       int64           `json:"assignee,omitempty"`
	Label          string          `json:"label,omitempty"` // its slug
	Transition     string          `json:"transition,omitempty"`
	Data           json.RawMessage `json:"data,omitempty"`
	IgnoreWarnings bool            `json:"ignore_warnings,omitempty"`
}

// JobKind is a kind of action.
type JobKind string

// The kinds of actions.
const (
	JobAssign     JobKind = "assign"
	JobUnassign   JobKind = "unassign"
	JobLabel      JobKind = "label"
	JobUnlabel    JobKind = "unlabel"
	JobTransition JobKind = "transition"
)

// JobState is the state of a job.
type JobState string

// The states of jobs.
const (
	JobRunning   JobState = "running"
	JobDone      JobState = "done" // it has come to all cases
	JobCancelled JobState = "cancelled"
	JobStopped   JobState = "stopped" // since its owner lost their rights
)

// JobCase is a case of a job, and what came of it.
type JobCase struct {
	Place, CaseID int64
	Result        JobResult
	JobFault      // of a failure

	// The case as it is now; empty: it is gone.
	Reference, Type, State string
	Classification         casetype.Classification
}

// JobFault is why nothing was done with a case.
type JobFault struct {
	Code     string        `json:"code,omitempty"`
	Detail   string        `json:"detail,omitempty"`
	Errors   []string      `json:"errors,omitempty"` // a callback's
	Warnings []string      `json:"warnings,omitempty"`
	Fields   []fault.Field `json:"fields,omitempty"`
}

// JobResult is what came of a case.
type JobResult string

// The results of a job with a case.
const (
	JobCaseWaits  JobResult = "waiting"
	JobCaseDone   JobResult = "done"
	JobCaseFailed JobResult = "failed"
)

var jobColumns = columns[Job]{
	textColumn("id", func(j *Job) *string { return &j.ID }),
	intColumn("tenant", func(j *Job) *int64 { return &j.Tenant }),
	textColumn("owner", func(j *Job) *access.Owner { return &j.Owner }),
	jsonColumn("actor", func(j *Job) *event.Actor { return &j.Actor }),
	textColumn("role", func(j *Job) *access.Role { return &j.Role }),
	textColumn("further_roles", func(j *Job) *access.FurtherRoles { return &j.Further }),
	textColumn("clearance", func(j *Job) *casetype.Classification { return &j.Clearance }),
	jsonColumn("action", func(j *Job) *JobAction { return &j.Action }),
	textColumn("state", func(j *Job) *JobState { return &j.State }),
	textColumn("reason", func(j *Job) *string { return &j.Reason }),
	intColumn("cases", func(j *Job) *int64 { return &j.Cases }),
	intColumn("done", func(j *Job) *int64 { return &j.Done }),
	intColumn("failed", func(j *Job) *int64 { return &j.Failed }),
	intColumn("next", func(j *Job) *int64 { return &j.Next }),
	timeColumn("created_at", func(j *Job) *time.Time { return &j.CreatedAt }),
	timeColumn("ended_at", func(j *Job) *time.Time { return &j.EndedAt }),
}

var jobCaseColumns = columns[JobCase]{
	intColumn("place", func(c *JobCase) *int64 { return &c.Place }),
	intColumn("case_id", func(c *JobCase) *int64 { return &c.CaseID }),
	textColumn("result", func(c *JobCase) *JobResult { return &c.Result }),
	jsonColumn("fault", func(c *JobCase) *JobFault { return &c.JobFault }),
	textColumn("reference", func(c *JobCase) *string { return &c.Reference }).from("coalesce(c.reference, '')"),
	textColumn("type", func(c *JobCase) *string { return &c.Type }).from("coalesce(c.type, '')"),
	textColumn("state", func(c *JobCase) *string { return &c.State }).from("coalesce(c.state, '')"),
	textColumn("classification", func(c *JobCase) *casetype.Classification { return &c.Classification }).
		from("coalesce(c.classification, '')"),
}

var (
	jobSelect = `select ` + jobColumns.names() + ` from jobs `
	jobGet    = define(jobSelect + `where tenant = $1 and id = $2 and owner = $3`)
	jobList   = define(jobSelect + `where tenant = $1 and owner = $2 and id < $3 order by id desc limit $4`)
	jobInsert = define(`insert into jobs (` + jobColumns.names() + `) values (` + jobColumns.parameters(1) + `)`)
	jobCount  = define(`select count(*) from jobs where tenant = $1 and owner = $2 and state = 'running'`)
	jobCancel = define(`update jobs set state = 'cancelled', ended_at = {{now}}
		where tenant = $1 and id = $2 and owner = $3 and state = 'running'`)
	jobCasesInsert = define(`insert into job_cases (job, place, case_id)
		select $1, r.place, r.case_id from rows($2: place bigint, case_id bigint) as r`)
	jobCasesList = define(`select ` + jobCaseColumns.of("j") + `
		from job_cases j left join cases c on c.tenant = $1 and c.id = j.case_id
		where j.job = $2 and j.place > $3 and ($4 = '' or j.result = $4)
		order by j.place limit $5`)

	// A process has a job for 30 seconds, and longer with each record of results. One tenant has one at a time.
	jobTake = define(`update jobs set taken_by = $1, taken_until = {{now}} + 30000000
		where id in (select id from jobs
			where state = 'running' and taken_by <> $1 and (taken_until < {{now}} or $2)
				and tenant not in (select tenant from jobs
					where state = 'running' and taken_by <> '' and taken_until >= {{now}} and (taken_by = $1 or not $2))
			order by id limit 1 {{lock}})
		returning ` + jobColumns.names())
	jobCasesNext = define(`select place, case_id from job_cases where job = $1 and place >= $2 order by place limit $3`)
	jobRecord    = define(`update jobs set done = done + $3, failed = failed + $4, next = $5,
			taken_until = {{now}} + 30000000,
			state = case when state = 'running' and cases <= $5 then 'done' else state end,
			ended_at = case when state = 'running' and cases <= $5 then {{now}} else ended_at end
		where id = $1 and taken_by = $2
		returning ` + jobColumns.names())
	jobCasesRecord = define(`update job_cases set result = r.result, fault = r.fault
		from rows($2: place bigint, result text, fault text) as r
		where job_cases.job = $1 and job_cases.place = r.place`)
	jobStop = define(`update jobs set state = 'stopped', reason = $3, ended_at = {{now}}
		where id = $1 and taken_by = $2 and state = 'running'`)
	jobsRelease = define(`update jobs set taken_by = '', taken_until = 0 where state = 'running' and taken_by = $1`)

	jobsEnded    = define(`select id from jobs where state <> 'running' and ended_at < $1 order by ended_at limit 1`)
	jobCasesDrop = define(`delete from job_cases where job = $1`)
	jobDrop      = define(`delete from jobs where id = $1`)
)

// The bounds of jobs.
const (
	MostJobCases = lookedAt // as facets look at
	mostJobs     = 10       // running, of one owner
)

// CaseIDs returns the ids of the cases that a filter selects, the newest first; false: there are cases beyond those
// that were looked at. The filter's order and place do not matter.
func (r reader) CaseIDs(ctx context.Context, tenant int64, f CaseFilter) (ids []int64, complete bool, err error) {
	shape, values, err := r.counted(ctx, tenant, f)
	if err != nil || values == nil {
		return nil, true, err
	}
	q := shape.query(shape.ids())
	rows, err := r.q.query(ctx, q.statement, q.args(values)...)
	looked := 0
	_, err = collect(rows, err, func(rows *sql.Rows) (none struct{}, err error) {
		var id int64
		var selected bool
		if err = rows.Scan(&id, &selected); selected {
			ids = append(ids, id)
		}
		looked++
		return none, err
	})
	return ids, looked <= lookedAt, err
}

// ids returns the statement that reads the ids of the first cases of the list's index.
func (s caseShape) ids() string {
	index, others := s.along()
	return `select c.id, case when ` + strings.Join(others, and) + ` then 1 else 0 end
		from ` + strings.Join(index, and) + ` order by ` + s.order() + ` limit :looked`
}

// CreateJob adds a job with its cases, unless too many of its owner run.
func (tx *Tx) CreateJob(ctx context.Context, j Job, cases []int64) error {
	rows, err := tx.q.query(ctx, jobCount, j.Tenant, j.Owner)
	n, err := one(rows, err, scanValue[int], unanswered("store.count"))
	if err != nil {
		return err
	}
	if n >= mostJobs {
		return fault.New(fault.Conflict, "job.too_many",
			"%d of your jobs are running, which is the most. Wait for one, or cancel it.", mostJobs)
	}
	if _, err := jobColumns.exec(ctx, tx.q, jobInsert, &j); err != nil {
		return err
	}
	items := make([][]any, len(cases))
	for i, id := range cases {
		items[i] = []any{i, id}
	}
	list, err := encodeRows(items)
	if err != nil {
		return err
	}
	_, err = tx.q.exec(ctx, jobCasesInsert, j.ID, list)
	return err
}

// Job finds a job of an owner.
func (r reader) Job(ctx context.Context, tenant int64, id string, owner access.Owner) (Job, error) {
	rows, err := r.q.query(ctx, jobGet, tenant, id, owner)
	return one(rows, err, jobColumns.scan(), notFound("job.not_found",
		"There is no job with this id, or it is another user's. GET /v1/jobs lists yours."))
}

// Jobs lists the jobs of an owner, the newest first.
func (r reader) Jobs(
	ctx context.Context, tenant int64, owner access.Owner, before string, limit int,
) (Page[Job], error) {
	if before == "" {
		before = "k" // ids begin with job_
	}
	rows, err := r.q.query(ctx, jobList, tenant, owner, before, limit+1)
	return collectPage(rows, err, limit, sized(jobColumns, func(j *Job) (Job, int, error) {
		return *j, len(j.Action.Data), nil
	}))
}

// JobCaseFilter selects cases of a job.
type JobCaseFilter struct {
	Job    string
	Result JobResult // empty: any
	After  int64     // the place of the last case of the page before, or -1
	Limit  int
}

// JobCases lists cases of a job.
func (r reader) JobCases(ctx context.Context, tenant int64, f JobCaseFilter) (Page[JobCase], error) {
	rows, err := r.q.query(ctx, jobCasesList, tenant, f.Job, f.After, f.Result, f.Limit+1)
	return collectPage(rows, err, f.Limit, sized(jobCaseColumns, func(c *JobCase) (JobCase, int, error) {
		return *c, c.size(), nil
	}))
}

// size returns the size of the parts of a case's failure that may be large, in bytes.
func (c *JobCase) size() int {
	n := len(c.Detail)
	for _, text := range slices.Concat(c.Errors, c.Warnings) {
		n += len(text)
	}
	for _, f := range c.Fields {
		n += len(f.Path) + len(f.Message)
	}
	return n
}

// CancelJob stops a job that runs. A case that it is at is still finished.
func (tx *Tx) CancelJob(ctx context.Context, tenant int64, id string, owner access.Owner) error {
	_, err := tx.q.exec(ctx, jobCancel, tenant, id, owner)
	return err
}

// TakeJob leaves the oldest job that no live process has to a process, unless one works for its tenant; false: there is
// none. Alone means that no other process uses the database.
func (tx *Tx) TakeJob(ctx context.Context, by string, alone bool) (j Job, found bool, err error) {
	rows, err := tx.q.query(ctx, jobTake, by, alone)
	all, err := collect(rows, err, jobColumns.scan())
	if err != nil || len(all) == 0 {
		return Job{}, false, err
	}
	return all[0], true, nil
}

// NextJobCases returns the places and the ids of the next cases of a job.
func (r reader) NextJobCases(ctx context.Context, j Job, limit int) ([]JobCase, error) {
	rows, err := r.q.query(ctx, jobCasesNext, j.ID, j.Next, limit)
	return collect(rows, err, func(rows *sql.Rows) (c JobCase, err error) {
		return c, rows.Scan(&c.Place, &c.CaseID)
	})
}

// RecordJob saves what came of cases of a job, which are all up to the last of them, and returns the job as it is
// then; false: another process has it.
func (tx *Tx) RecordJob(ctx context.Context, j Job, by string, results []JobCase) (now Job, found bool, err error) {
	var done, failed int64
	items := make([][]any, len(results))
	next := j.Next
	for i, c := range results {
		if c.Result == JobCaseDone {
			done++
		} else {
			failed++
		}
		next = max(next, c.Place+1)
		text, err := encodeJSON(c.JobFault)
		if err != nil {
			return j, false, err
		}
		items[i] = []any{c.Place, string(c.Result), text}
	}
	rows, err := tx.q.query(ctx, jobRecord, j.ID, by, done, failed, next)
	all, err := collect(rows, err, jobColumns.scan())
	if err != nil || len(all) == 0 {
		return j, false, err
	}
	list, err := encodeRows(items)
	if err != nil {
		return j, false, err
	}
	_, err = tx.q.exec(ctx, jobCasesRecord, j.ID, list)
	return all[0], true, err
}

// StopJob ends a job before it has come to all cases.
func (tx *Tx) StopJob(ctx context.Context, j Job, by, reason string) error {
	_, err := tx.q.exec(ctx, jobStop, j.ID, by, reason)
	return err
}

// ReleaseJobs leaves the jobs of a process to others.
func (tx *Tx) ReleaseJobs(ctx context.Context, by string) error {
	_, err := tx.q.exec(ctx, jobsRelease, by)
	return err
}

// PurgeJob removes a job that ended before a time. More reports whether there may be others.
func (tx *Tx) PurgeJob(ctx context.Context, before time.Time) (more bool, err error) {
	rows, err := tx.q.query(ctx, jobsEnded, micros(before))
	ids, err := collect(rows, err, scanValue[string])
	if err != nil || len(ids) == 0 {
		return false, err
	}
	if _, err := tx.q.exec(ctx, jobCasesDrop, ids[0]); err != nil {
		return false, err
	}
	_, err = tx.q.exec(ctx, jobDrop, ids[0])
	return true, err
}
