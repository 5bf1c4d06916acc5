package store

import (
	"context"
	"database/sql"
	"encoding/json"
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
	Transition string    // the name of the callback: a transition, or an operation such as @delete
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
	Answerer   *Answerer               // who answered in place of a URL; nil: nobody did

	Confirmation *KeptConfirmation // which Confirmations alone reads; nil: it confirms nothing
	// Submission is what was submitted, which QuestionSubmission alone reads; nil: it is not kept.
	Submission *KeptSubmission
}

// Answerer is who answered a question in place of a URL.
type Answerer struct {
	Actor    event.Actor `json:"actor"`
	Listener bool        `json:"listener,omitempty"` // the submitter's machine, which listened
}

// KeptConfirmation is what the answer about a saved submission confirms, in Markdown.
type KeptConfirmation struct {
	Header string `json:"header,omitempty"`
	Body   string `json:"body,omitempty"`
	Told   bool   `json:"told,omitempty"` // the submitter got it
}

// KeptSubmission is what a callback was asked about: the difference between the case as it was and as it would have
// been saved before any answer. With the journal it suffices to ask again.
type KeptSubmission struct {
	Follows  bool  `json:"follows,omitempty"` // another question of the same submission keeps it; nothing else is set
	TooLarge bool  `json:"too_large,omitempty"`
	Case     int64 `json:"case,omitempty"`    // its id; of a creation that which was drawn
	Version  int64 `json:"version,omitempty"` // of the case as it was; 0: a creation
	Revision int64 `json:"revision,omitempty"`

	TypeVersion int64                   `json:"type_version,omitempty"`
	StateSince  time.Time               `json:"state_since,omitzero"`
	State       string                  `json:"state,omitempty"` // the target
	Name        string                  `json:"name,omitempty"`
	NameSet     bool                    `json:"name_set,omitempty"`
	Class       casetype.Classification `json:"class,omitempty"` // of the case
	Set         json.RawMessage         `json:"set,omitempty"`   // the fields that differ
	Cleared     []string                `json:"cleared,omitempty"`

	IgnoreWarning bool `json:"ignore_warning,omitempty"`
	HeedWarnings  bool `json:"heed_warnings,omitempty"`
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
	optionalColumn("answerer", func(q *Question) **Answerer { return &q.Answerer }),
}

var questionSubmission = optionalColumn("submission", func(q *Question) **KeptSubmission { return &q.Submission })

var questionConfirmation = optionalColumn("confirmation",
	func(q *Question) **KeptConfirmation { return &q.Confirmation })

// questionInserted are the columns of a new question. The database counts its id.
var questionInserted = append(questionColumns.without("id"), questionSubmission, questionConfirmation)

// questionConfirmed are the columns of a question with its confirmation.
var questionConfirmed = append(questionColumns.without(), questionConfirmation)

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
	questionGet         = define(`select ` + questionColumns.names() + ` from questions where tenant = $1 and id = $2`)
	questionsOfVersions = define(`select ` + questionConfirmed.names() + ` from questions
		where tenant = $1 and case_id = $2 and version >= $3 and version <= $4 and question = 'submitted'
		order by id desc limit $5`)
	questionKept = define(`select submission from questions where tenant = $1 and id = $2`)
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

// QuestionSubmission returns what was submitted when a question was asked; nil: it was not kept.
func (r reader) QuestionSubmission(ctx context.Context, tenant, id int64) (*KeptSubmission, error) {
	rows, err := r.q.query(ctx, questionKept, tenant, id)
	q, err := one(rows, err, columns[Question]{questionSubmission}.scan(), notFound("question.not_found",
		"There is no question with this id, or it has been removed. GET /v1/questions lists those that are kept."))
	return q.Submission, err
}

// maxConfirmations bounds the questions that are read for one page of a history.
const maxConfirmations = 200

// Confirmations returns the last questions about submissions that led to versions of a case, asked once they were
// saved, with what their answers confirm; the newest first.
func (r reader) Confirmations(ctx context.Context, tenant, id, from, to int64) ([]Question, error) {
	rows, err := r.q.query(ctx, questionsOfVersions, tenant, id, from, to, maxConfirmations)
	return collect(rows, err, questionConfirmed.scan())
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
