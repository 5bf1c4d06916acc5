package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Question is a question that a callback was asked, and what came of it.
type Question struct {
	ID         int64
	Tenant     int64
	At         time.Time // when it was asked first
	Case       int64     // 0: the creation of a case, which was refused
	Version    int64     // of the case that the change led to; 0: nothing was saved
	Type       string    // the key of the case type whose callback it is
	OtherType  string    // the key of the case's other type, in a switch; empty: there is none
	Transition string    // the name of the callback: a transition, @switch or @delete
	URL        string    // as configured, without its query
	URLClass   string    // who sees the URL; empty: PUBLIC
	WebhookID  string
	Attempts   int
	Duration   time.Duration // of all attempts, and of the waits between them
	Status     int           // of the last attempt; 0: there was no answer
	Verdict    string
	Code       string // of the problem that the submission was answered with; empty: it was accepted
	Failure    string // why the callback failed; it quotes nothing of the answer
	Override   string // the state that it put in place of the target
	BodySHA256 string // of the body that was sent, in hexadecimal
	Answer     KeptAnswer
	Changes    KeptChanges
	Class      casetype.Classification // who sees the hash and the answer
	CaseClass  casetype.Classification // who sees the question: that of the case, or what the condition of asking reads
	Actor      event.Actor             // who submitted
	Question   string                  // the point at which it was asked: about_to_submit
	Page       string                  // the key of the page that was left; empty: it is not about a page
	Callback   string                  // the key of the callback; empty: it has none
}

// KeptAnswer is the part of a callback's answer that is kept.
type KeptAnswer struct {
	Body      string `json:"body,omitempty"`
	Base64    []byte `json:"body_base64,omitempty"` // of a body that is no text
	Truncated bool   `json:"truncated,omitempty"`   // the body was longer
	Withheld  bool   `json:"withheld,omitempty"`    // it came from an address that is not public, and is not kept
}

// KeptChanges are the first of the changes that the answer made to the submitted case.
type KeptChanges struct {
	Changes []KeptChange `json:"changes,omitempty"`
	More    int          `json:"more,omitempty"` // further ones
}

// KeptChange is one change. Long values are left out.
type KeptChange struct {
	event.Change
	Long bool `json:"long,omitempty"`
}

// QuestionFilter selects questions. Zero values do not narrow the selection.
type QuestionFilter struct {
	Case                           int64
	Type, Transition, URL, Verdict string
	Question, Page, Callback       string
	Since, Until                   time.Time // when they were asked: from Since on, before Until
	Before                         int64     // ids; 0: begin at the newest
	Limit                          int
}

var questionColumns = columns[Question]{
	intColumn("id", func(q *Question) *int64 { return &q.ID }),
	intColumn("tenant", func(q *Question) *int64 { return &q.Tenant }),
	timeColumn("at", func(q *Question) *time.Time { return &q.At }),
	intColumn("case_id", func(q *Question) *int64 { return &q.Case }),
	intColumn("version", func(q *Question) *int64 { return &q.Version }),
	textColumn("case_type", func(q *Question) *string { return &q.Type }),
	textColumn("other_type", func(q *Question) *string { return &q.OtherType }),
	textColumn("transition", func(q *Question) *string { return &q.Transition }),
	textColumn("url", func(q *Question) *string { return &q.URL }),
	textColumn("url_class", func(q *Question) *string { return &q.URLClass }),
	textColumn("webhook_id", func(q *Question) *string { return &q.WebhookID }),
	intColumn("attempts", func(q *Question) *int { return &q.Attempts }),
	durationColumn("duration", func(q *Question) *time.Duration { return &q.Duration }),
	intColumn("status", func(q *Question) *int { return &q.Status }),
	textColumn("verdict", func(q *Question) *string { return &q.Verdict }),
	textColumn("code", func(q *Question) *string { return &q.Code }),
	textColumn("failure", func(q *Question) *string { return &q.Failure }),
	textColumn("override", func(q *Question) *string { return &q.Override }),
	textColumn("body_sha256", func(q *Question) *string { return &q.BodySHA256 }),
	jsonColumn("answer", func(q *Question) *KeptAnswer { return &q.Answer }),
	jsonColumn("changes", func(q *Question) *KeptChanges { return &q.Changes }),
	textColumn("class", func(q *Question) *casetype.Classification { return &q.Class }),
	textColumn("case_class", func(q *Question) *casetype.Classification { return &q.CaseClass }),
	jsonColumn("actor", func(q *Question) *event.Actor { return &q.Actor }),
	textColumn("question", func(q *Question) *string { return &q.Question }),
	textColumn("page", func(q *Question) *string { return &q.Page }),
	textColumn("callback", func(q *Question) *string { return &q.Callback }),
}

// questionInserted are the columns of a new question. The database counts its id.
var questionInserted = questionColumns.without("id")

// questionSeek reads questions along an index, the newest first, each with whether the filter selects it.
func questionSeek(along string) *statement {
	return define(`select id, case when tenant = $1
			and ($2 = 0 or case_id = $2)
			and ($6 = '' or case_type = $6)
			and ($7 = '' or transition = $7)
			and ($8 = '' or url = $8)
			and ($9 = '' or verdict = $9)
			and at >= cast($10 as bigint)
			and (cast($11 as bigint) = 0 or at < $11)
			and ($12 = '' or question = $12)
			and ($13 = '' or page = $13)
			and ($14 = '' or callback = $14)
			then 1 else 0 end
		from (select id, tenant, case_id, case_type, transition, url, verdict, at, question, page, callback
			from questions
			where ` + along + ` id < $3 and id >= $4
			order by id desc limit $5) as looked
		order by id desc`)
}

var (
	questionsByCase = questionSeek(`tenant = $1 and case_id = $2 and`)
	questionsByID   = questionSeek(`$2 = 0 and`)

	questionsAmong = define(`select ` + questionColumns.names() + ` from questions
		where id in (select r.id from rows($1: id bigint) as r)
		order by id desc`)
	questionGet  = define(`select ` + questionColumns.names() + ` from questions where tenant = $1 and id = $2`)
	questionHead = define(`select coalesce(max(id), 0) from questions`)
	questionAt   = define(`select id, at from questions where id >= $1 order by id limit 1`)

	questionAdd = define(`insert into questions (` + questionInserted.names() + `)
		values (` + questionInserted.parameters(1) + `)`)
	questionsPurge = define(`delete from questions where id in
		(select id from (select id, at from questions where id > 0 order by id limit $2) as oldest where at < $1)`)
)

// AddQuestions keeps questions.
func (tx *Tx) AddQuestions(ctx context.Context, all []Question) error {
	for i := range all {
		if _, err := questionInserted.exec(ctx, tx.q, questionAdd, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

// FindQuestions returns questions, the newest first, and the Before of the next call; 0: there are no more. It may
// return fewer than Limit although there are more.
func (r reader) FindQuestions(
	ctx context.Context, tenant int64, f QuestionFilter,
) (found []Question, next int64, err error) {
	span := idRange{before: f.Before, since: f.Since, until: f.Until, head: questionHead, at: questionAt}
	low, high, err := r.idsWithin(ctx, span)
	if err != nil {
		return nil, 0, err
	}
	ids, next, err := seekRounds(f.Limit, high, func(high int64) ([]candidate, error) {
		return r.seekQuestions(ctx, tenant, f, low, high)
	})
	if err != nil || len(ids) == 0 {
		return nil, next, err
	}
	list, err := encodeRows(ids)
	if err != nil {
		return nil, 0, err
	}
	rows, err := r.q.query(ctx, questionsAmong, list)
	p, err := collectPage(rows, err, f.Limit, sized(questionColumns, func(q *Question) (Question, int, error) {
		return *q, q.size(), nil
	}))
	if p.More {
		next = p.Items[len(p.Items)-1].ID
	}
	return p.Items, next, err
}

// size returns the size of the parts of a question that may be large, in bytes.
func (q *Question) size() int {
	n := len(q.Answer.Body) + len(q.Answer.Base64)
	for _, c := range q.Changes.Changes {
		n += len(c.Path) + len(c.Before) + len(c.After)
	}
	return n
}

func (r reader) seekQuestions(
	ctx context.Context, tenant int64, f QuestionFilter, low, high int64,
) ([]candidate, error) {
	along := questionsByID
	if f.Case != 0 {
		along = questionsByCase
	}
	rows, err := r.q.query(ctx, along, tenant, f.Case, high, low, lookBatch, f.Type, f.Transition, f.URL, f.Verdict,
		micros(f.Since), micros(f.Until), f.Question, f.Page, f.Callback)
	return collect(rows, err, scanCandidate)
}

// Question finds one question.
func (r reader) Question(ctx context.Context, tenant, id int64) (Question, error) {
	rows, err := r.q.query(ctx, questionGet, tenant, id)
	return one(rows, err, questionColumns.scan(), notFound("question.not_found",
		"There is no question with this id, or it has been removed. GET /v1/questions lists those that are kept."))
}

// PurgeQuestions removes a portion of the questions that were asked before a time. More reports whether others may be
// left.
func (tx *Tx) PurgeQuestions(ctx context.Context, before time.Time) (more bool, err error) {
	n, err := tx.q.exec(ctx, questionsPurge, micros(before), purgeBatch)
	return n == purgeBatch, err
}

func scanCandidate(rows *sql.Rows) (l candidate, err error) {
	var wanted int
	err = rows.Scan(&l.id, &wanted)
	l.wanted = wanted == 1
	return l, err
}
