package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// OwedQuestion is a submitted callback that is to be asked, since the submission is saved. It is written with the
// change, and removed once the callback was asked.
type OwedQuestion struct {
	Tenant        int64
	Case          int64
	Version       int64 // of the case that the change led to
	BeforeVersion int64 // the version before; 0: the change created the case
	Transition    string
	WebhookID     string
	Cases         OwedCases
	Takes         int // how many processes have had it

	// The submitter, with the rights of then.
	Actor     event.Actor
	Role      access.Role
	Further   access.FurtherRoles
	Clearance casetype.Classification

	Context string // Client-Context, as the submission left it

	For    time.Duration // how long the process that saves the change has it
	Holder string        // that process
}

// OwedCases is what the journal does not tell of a case, before the change and after it.
type OwedCases struct {
	Before OwedCase `json:"before"`
	After  OwedCase `json:"after"`
}

// OwedCase is what the journal does not tell of a case.
type OwedCase struct {
	Revision   int64     `json:"revision"`
	StateSince time.Time `json:"state_since"`
}

// owedColumns are all but the time for which a process has a question.
var owedColumns = columns[OwedQuestion]{
	intColumn("tenant", func(q *OwedQuestion) *int64 { return &q.Tenant }),
	intColumn("case_id", func(q *OwedQuestion) *int64 { return &q.Case }),
	intColumn("version", func(q *OwedQuestion) *int64 { return &q.Version }),
	intColumn("before_version", func(q *OwedQuestion) *int64 { return &q.BeforeVersion }),
	textColumn("transition", func(q *OwedQuestion) *string { return &q.Transition }),
	textColumn("webhook_id", func(q *OwedQuestion) *string { return &q.WebhookID }),
	jsonColumn("cases", func(q *OwedQuestion) *OwedCases { return &q.Cases }),
	intColumn("takes", func(q *OwedQuestion) *int { return &q.Takes }),
	jsonColumn("actor", func(q *OwedQuestion) *event.Actor { return &q.Actor }),
	textColumn("role", func(q *OwedQuestion) *access.Role { return &q.Role }),
	textColumn("further_roles", func(q *OwedQuestion) *access.FurtherRoles { return &q.Further }),
	textColumn("clearance", func(q *OwedQuestion) *casetype.Classification { return &q.Clearance }),
	textColumn("context", func(q *OwedQuestion) *string { return &q.Context }),
	textColumn("taken_by", func(q *OwedQuestion) *string { return &q.Holder }),
}

// owedParameters is the number of parameters of a new owed question: its columns, and for how long it is taken.
var owedParameters = len(owedColumns) + 1

var (
	owedAdd = define(`insert into owed_questions (taken_until, ` + owedColumns.names() + `)
		values ({{now}} + $1, ` + owedColumns.parameters(2) + `)`)
	owedAsked = define(`delete from owed_questions
		where tenant = $1 and case_id = $2 and version = $3 and webhook_id = $4`)
	owedTake = define(`update owed_questions set taken_by = $1, taken_until = {{now}} + $2, takes = takes + 1
		where id in (select id from owed_questions where taken_until < {{now}} or $3 and taken_by <> $1
			order by taken_until limit 1 {{lock}})
		returning ` + owedColumns.names())
)

// args encodes a new owed question for owedAdd.
func (q *OwedQuestion) args() ([]any, error) { return owedColumns.values(q, q.For.Microseconds()) }

// AddOwed writes that a question is owed.
func (tx *Tx) AddOwed(ctx context.Context, q OwedQuestion) error {
	_, err := owedColumns.exec(ctx, tx.q, owedAdd, &q, q.For.Microseconds())
	return err
}

// Asked removes an owed question.
func (tx *Tx) Asked(ctx context.Context, q OwedQuestion) error {
	_, err := tx.q.exec(ctx, owedAsked, q.Tenant, q.Case, q.Version, q.WebhookID)
	return err
}

// TakeOwed leaves a question that no process has any more to one, for a time; false: there is none. Alone means that no
// other process uses the database.
func (tx *Tx) TakeOwed(
	ctx context.Context, by string, long time.Duration, alone bool,
) (q OwedQuestion, found bool, err error) {
	rows, err := tx.q.query(ctx, owedTake, by, long.Microseconds(), alone)
	all, err := collect(rows, err, owedColumns.scan())
	if err != nil || len(all) == 0 {
		return q, false, err
	}
	return all[0], true, nil
}
