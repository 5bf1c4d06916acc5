package store

import (
	"context"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
)

// OpenQuestion is a question to a callback that waits for a worker to answer it.
type OpenQuestion struct {
	ID        int64
	Tenant    int64
	Queue     string
	Listener  access.Owner // whose machine is asked; empty: any worker of the queue
	CaseType  string       // the key of the case type whose callback it is
	OtherType string       // the key of the case's other type, in a switch; empty: there is none
	Level     int          // of the classification of what the callback may be told
	Callback  string       // for messages: "kyc/submit"
	Path      string       // where a listener's machine is asked; empty: as it likes
	Header    map[string]string
	Body      []byte
	Deadline  time.Time

	ClaimedUntil time.Time // zero: nobody has claimed it
	Answered     bool
	Closed       bool          // its asker waits no more
	Answer       *PulledAnswer // nil: there is none, or the asker has it
	Answerer     *event.Actor  // likewise
}

// PulledAnswer is a worker's answer to a question.
type PulledAnswer struct {
	Status int               `json:"status"`
	Header map[string]string `json:"header,omitempty"`
	Body   []byte            `json:"body,omitempty"`
}

// QuestionClaim says which open question a worker may have.
type QuestionClaim struct {
	Tenant   int64
	Queue    string
	Listener access.Owner  // empty: questions of the queue that are for any worker
	Level    int           // the highest that the worker sees
	Without  []string      // case types that the worker does not see
	Lease    time.Duration // at most; half of the time left is the limit, too
}

var openQuestionColumns = columns[OpenQuestion]{
	intColumn("id", func(q *OpenQuestion) *int64 { return &q.ID }),
	intColumn("tenant", func(q *OpenQuestion) *int64 { return &q.Tenant }),
	textColumn("queue", func(q *OpenQuestion) *string { return &q.Queue }),
	textColumn("listener", func(q *OpenQuestion) *access.Owner { return &q.Listener }),
	textColumn("case_type", func(q *OpenQuestion) *string { return &q.CaseType }),
	textColumn("other_type", func(q *OpenQuestion) *string { return &q.OtherType }),
	intColumn("level", func(q *OpenQuestion) *int { return &q.Level }),
	textColumn("callback", func(q *OpenQuestion) *string { return &q.Callback }),
	textColumn("path", func(q *OpenQuestion) *string { return &q.Path }),
	jsonColumn("header", func(q *OpenQuestion) *map[string]string { return &q.Header }),
	rawColumn("body", func(q *OpenQuestion) *[]byte { return &q.Body }),
	timeColumn("deadline", func(q *OpenQuestion) *time.Time { return &q.Deadline }),
	timeColumn("claimed_until", func(q *OpenQuestion) *time.Time { return &q.ClaimedUntil }),
	boolColumn("answered", func(q *OpenQuestion) *bool { return &q.Answered }),
	boolColumn("closed", func(q *OpenQuestion) *bool { return &q.Closed }),
	optionalColumn("answer", func(q *OpenQuestion) **PulledAnswer { return &q.Answer }),
	optionalColumn("answerer", func(q *OpenQuestion) **event.Actor { return &q.Answerer }),
}

// openQuestionInserted are the columns of a new open question, besides its deadline.
var openQuestionInserted = openQuestionColumns.only("tenant", "queue", "listener", "case_type", "other_type", "level",
	"callback", "path", "header", "body")

// openQuestionOutcome are the columns that its asker waits for.
var openQuestionOutcome = openQuestionColumns.only("claimed_until", "answered", "answer", "answerer")

// claimable selects the questions that a worker may claim.
const claimable = `tenant = $1 and queue = $2 and listener = $3 and level <= $4
	and case_type not in (select r.key from rows($5: key text) as r)
	and other_type not in (select r.key from rows($5: key text) as r)
	and not answered and not closed and deadline > {{now}} and claimed_until < {{now}}`

var (
	openQuestionAdd = define(`insert into open_questions (deadline, ` + openQuestionInserted.names() + `)
		values ({{now}} + $1, ` + openQuestionInserted.parameters(2) + `) returning id`)
	openQuestionWaits = define(`select id from open_questions where ` + claimable + ` order by id limit 1`)
	openQuestionClaim = define(`update open_questions
		set claimed_until = {{now}} + case when (deadline - {{now}}) / 2 < cast($6 as bigint)
			then (deadline - {{now}}) / 2 else cast($6 as bigint) end
		where id in (select id from open_questions where ` + claimable + ` order by id limit 1 {{lock}})
		returning ` + openQuestionColumns.names())
	openQuestionGet = define(`select ` + openQuestionColumns.names() + ` from open_questions
		where tenant = $1 and id = $2`)
	openQuestionLook   = define(`select ` + openQuestionOutcome.names() + ` from open_questions where id = $1`)
	openQuestionAnswer = define(`update open_questions set answered = true, answer = $3, answerer = $4
		where tenant = $1 and id = $2 and not answered and not closed and deadline > {{now}}`)
	openQuestionAbandon = define(`update open_questions set closed = true, header = '', body = ''
		where id = $1 and not answered`)
	openQuestionSettle = define(`update open_questions
		set closed = true, header = '', body = '', answer = '', answerer = '' where id = $1`)
	openQuestionsPurge = define(`delete from open_questions where id in
		(select id from open_questions where deadline < {{now}} - 60000000 order by deadline limit $1 {{lock}})`)
)

// purgedWithEach is how many questions that are over are removed with each that is added.
const purgedWithEach = 10

// AddOpenQuestion puts a question into a queue for a time, and returns its id.
func (s *Store) AddOpenQuestion(ctx context.Context, q OpenQuestion, lasts time.Duration) (id int64, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		if _, err := tx.q.exec(ctx, openQuestionsPurge, purgedWithEach); err != nil {
			return err
		}
		rows, err := openQuestionInserted.query(ctx, tx.q, openQuestionAdd, &q, lasts.Microseconds())
		id, err = one(rows, err, scanValue[int64], unanswered("question.open"))
		tx.wakes = append(tx.wakes, queueTopic(q.Tenant, q.Queue, q.Listener))
		return err
	})
	return id, err
}

// args encodes a claim.
func (c QuestionClaim) args() ([]any, error) {
	hidden := [][]any{}
	for _, key := range c.Without {
		hidden = append(hidden, []any{key})
	}
	list, err := encodeRows(hidden)
	return []any{c.Tenant, c.Queue, c.Listener, c.Level, list}, err
}

// QuestionWaits reports whether there is a question that a worker may claim.
func (r reader) QuestionWaits(ctx context.Context, c QuestionClaim) (bool, error) {
	args, err := c.args()
	if err != nil {
		return false, err
	}
	rows, err := r.q.query(ctx, openQuestionWaits, args...)
	ids, err := collect(rows, err, scanValue[int64])
	return len(ids) > 0, err
}

// ClaimQuestion leaves the oldest question that a worker may have to it, for a time; false: there is none.
func (tx *Tx) ClaimQuestion(ctx context.Context, c QuestionClaim) (q OpenQuestion, found bool, err error) {
	args, err := c.args()
	if err != nil {
		return q, false, err
	}
	rows, err := tx.q.query(ctx, openQuestionClaim, append(args, c.Lease.Microseconds())...)
	all, err := collect(rows, err, openQuestionColumns.scan())
	if err != nil || len(all) == 0 {
		return q, false, err
	}
	return all[0], true, nil
}

// OpenQuestion finds a question that is open, or was until a minute ago.
func (r reader) OpenQuestion(ctx context.Context, tenant, id int64) (OpenQuestion, error) {
	rows, err := r.q.query(ctx, openQuestionGet, tenant, id)
	return one(rows, err, openQuestionColumns.scan(), OpenQuestionMissing)
}

// OpenQuestionMissing returns the error of an open question that does not exist, or that the caller may not see.
func OpenQuestionMissing() error {
	return fault.New(fault.NotFound, "question.not_found",
		"There is no open question with this id. POST /v1/questions/claim returns those that wait.")
}

// AnswerQuestion answers an open question; false: it was answered before, or its asker waits no more.
func (tx *Tx) AnswerQuestion(ctx context.Context, q OpenQuestion) (bool, error) {
	values, err := openQuestionColumns.only("tenant", "id", "answer", "answerer").values(&q)
	if err != nil {
		return false, err
	}
	n, err := tx.q.exec(ctx, openQuestionAnswer, values...)
	tx.wakes = append(tx.wakes, answerTopic(q.ID))
	return n == 1, err
}

// QuestionOutcome returns what has come of an open question: its claim, its answer, and who answered.
func (r reader) QuestionOutcome(ctx context.Context, id int64) (OpenQuestion, error) {
	rows, err := r.q.query(ctx, openQuestionLook, id)
	return one(rows, err, openQuestionOutcome.scan(), unanswered("question.outcome"))
}

// CloseQuestion ends the wait for an answer, and returns what has come of the question by then. From now on it can't be
// answered.
func (s *Store) CloseQuestion(ctx context.Context, id int64) (q OpenQuestion, err error) {
	err = s.Update(ctx, func(tx *Tx) error {
		abandoned, err := tx.q.exec(ctx, openQuestionAbandon, id)
		if err != nil {
			return err
		}
		if q, err = tx.QuestionOutcome(ctx, id); err != nil || abandoned > 0 {
			return err
		}
		_, err = tx.q.exec(ctx, openQuestionSettle, id)
		return err
	})
	return q, err
}

// PurgeOpenQuestions removes a portion of the questions whose deadlines were over a minute ago. More reports whether
// others may be left.
func (tx *Tx) PurgeOpenQuestions(ctx context.Context) (more bool, err error) {
	n, err := tx.q.exec(ctx, openQuestionsPurge, purgeBatch)
	return n == purgeBatch, err
}

// AwaitQuestion returns a channel that is closed when a question is next put into a queue, here or on another node. The
// caller calls it before it looks, and done when it waits no more.
func (s *Store) AwaitQuestion(c QuestionClaim) (wake <-chan struct{}, done func()) {
	return s.topics.wait(queueTopic(c.Tenant, c.Queue, c.Listener))
}

// AwaitAnswer returns a channel that is closed when a question is answered, here or on another node.
func (s *Store) AwaitAnswer(id int64) (wake <-chan struct{}, done func()) {
	return s.topics.wait(answerTopic(id))
}

func queueTopic(tenant int64, queue string, listener access.Owner) string {
	return "queue " + strconv.FormatInt(tenant, 10) + " " + queue + " " + string(listener)
}

func answerTopic(id int64) string { return "answer " + strconv.FormatInt(id, 10) }
