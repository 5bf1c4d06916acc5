package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// AttemptFilter selects attempts. Zero values do not narrow the selection.
type AttemptFilter struct {
	Endpoint, Subject, Message string
	Trigger, Class             string
	Outcome                    Outcome
	Status                     int       // of the answer
	Since, Until               time.Time // when they began: from Since on, before Until
	Among                      []string  // endpoints; nil: all
	Before                     int64     // ids; 0: begin at the newest
	Limit                      int
}

// Outcome says how an attempt ended.
type Outcome int

// The outcomes.
const (
	AnyOutcome Outcome = iota
	Delivered
	Failed
)

// One search looks at no more attempts than this, and then returns where to continue, however few it has found.
const (
	lookBatch  = 2000
	lookRounds = 10
)

// settledLate is how long after its beginning an attempt may be saved. Attempts wait while the database is
// unavailable, but few can wait for longer than this.
const settledLate = time.Hour

// attemptSelected is 1 for an attempt that the filter selects, else 0. Its parameters are those of attemptArguments.
const attemptSelected = `case when tenant = $1
			and ($6 = '' or trigger_name = $6)
			and ($7 = '' or class = $7)
			and ($8 = 0 or $8 = 1 and delivered or $8 = 2 and not delivered)
			and at >= cast($9 as bigint)
			and (cast($10 as bigint) = 0 or at < $10)
			and ($11 = '' or endpoint = $11)
			and ($12 = '' or subject = $12)
			and ($13 = '' or message = $13)
			and ($16 = 0 or status = $16)
			and ($14 = 0 or endpoint in (select r.id from rows($15: id text) as r))
			then 1 else 0 end`

// attemptsLooked reads a part of an index of attempts, the newest first.
func attemptsLooked(along string) string {
	return `(select id, tenant, endpoint, subject, message, trigger_name, class, status, delivered, at
			from attempts
			where ` + along + ` id < $3 and id >= $4
			order by id desc limit $5) as looked`
}

// attemptSeek reads attempts along an index, the newest first, each with whether the filter selects it.
func attemptSeek(along string) *statement {
	return define(`select id, ` + attemptSelected + ` from ` + attemptsLooked(along) + ` order by id desc`)
}

// countAlong counts attempts along an index by their class and status: those that the filter selects, and all.
func countAlong(along string) *statement {
	return define(`select class, status, sum(` + attemptSelected + `), count(*)
		from ` + attemptsLooked(along) + `
		group by class, status`)
}

// The indexes along which attempts are found. A partial index is used where the condition has its own.
const (
	alongMessage  = `tenant = $1 and message = $2 and`
	alongSubject  = `tenant = $1 and subject = $2 and`
	alongEndpoint = `tenant = $1 and endpoint = $2 and`
	alongClass    = `tenant = $1 and class = $2 and class <> '' and`
	alongFailed   = `tenant = $1 and not delivered and $2 = '' and`
	alongID       = `$2 = '' and`
)

var (
	attemptsByMessage  = attemptSeek(alongMessage)
	attemptsBySubject  = attemptSeek(alongSubject)
	attemptsByEndpoint = attemptSeek(alongEndpoint)
	attemptsByClass    = attemptSeek(alongClass)
	attemptsFailed     = attemptSeek(alongFailed)
	attemptsByID       = attemptSeek(alongID)

	countsByMessage  = countAlong(alongMessage)
	countsBySubject  = countAlong(alongSubject)
	countsByEndpoint = countAlong(alongEndpoint)
	countsFailed     = countAlong(alongFailed)
	countsByID       = countAlong(alongID)

	attemptsAmong = define(`select ` + attemptColumns.names() + ` from attempts
		where id in (select r.id from rows($1: id bigint) as r)
		order by id desc`)
	attemptGet  = define(`select ` + attemptColumns.names() + ` from attempts where tenant = $1 and id = $2`)
	attemptHead = define(`select coalesce(max(id), 0) from attempts`)
	attemptAt   = define(`select id, at from attempts where id >= $1 order by id limit 1`)
)

// FindAttempts returns attempts, the newest first, and the Before of the next call; 0: there are no more. It may
// return fewer than Limit although there are more.
func (r reader) FindAttempts(
	ctx context.Context, tenant int64, f AttemptFilter,
) (found []Attempt, next int64, err error) {
	span := idRange{before: f.Before, since: f.Since, until: f.Until, head: attemptHead, at: attemptAt}
	low, high, err := r.idsWithin(ctx, span)
	if err != nil {
		return nil, 0, err
	}
	ids, next, err := seekRounds(f.Limit, high, func(high int64) ([]candidate, error) {
		return r.seekAttempts(ctx, tenant, f, low, high)
	})
	if err != nil || len(ids) == 0 {
		return nil, next, err
	}
	list, err := encodeRows(ids)
	if err != nil {
		return nil, 0, err
	}
	rows, err := r.q.query(ctx, attemptsAmong, list)
	p, err := collectPage(rows, err, f.Limit, sized(attemptColumns, func(a *Attempt) (Attempt, int, error) {
		return *a, len(a.Request) + len(a.Response), nil
	}))
	if p.More {
		next = p.Items[len(p.Items)-1].ID
	}
	return p.Items, next, err
}

// candidate is a row that a search has read.
type candidate struct {
	id     int64
	wanted bool
}

// seekRounds searches the rows with ids below high, the newest first, for limit ones that are wanted. It returns their
// ids as rows of a parameter, and the id below which the search goes on; 0: there are no more. Seek reads the next
// batch.
func seekRounds(
	limit int, high int64, seek func(high int64) ([]candidate, error),
) (ids [][]any, next int64, err error) {
	for range lookRounds {
		looked, err := seek(high)
		if err != nil {
			return nil, 0, err
		}
		for _, l := range looked {
			if high = l.id; l.wanted {
				ids = append(ids, []any{l.id})
			}
			if len(ids) == limit {
				break
			}
		}
		if next = high; len(looked) < lookBatch && len(ids) < limit {
			next = 0
		}
		if next == 0 || len(ids) == limit {
			break
		}
	}
	return ids, next, nil
}

func (r reader) seekAttempts(ctx context.Context, tenant int64, f AttemptFilter, low, high int64) ([]candidate, error) {
	along, key := attemptsByID, ""
	switch {
	case f.Message != "":
		along, key = attemptsByMessage, f.Message
	case f.Subject != "":
		along, key = attemptsBySubject, f.Subject
	case f.Endpoint != "":
		along, key = attemptsByEndpoint, f.Endpoint
	case f.Class != "":
		along, key = attemptsByClass, f.Class
	case f.failed():
		along = attemptsFailed
	}
	arguments, err := attemptArguments(tenant, f, attemptsRead{key, high, low, lookBatch})
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, along, arguments...)
	return collect(rows, err, scanCandidate)
}

// failed reports whether the filter selects failed attempts alone.
func (f AttemptFilter) failed() bool {
	const accepted, behind = 200, 300
	return f.Outcome == Failed || f.Status != 0 && (f.Status < accepted || f.Status >= behind)
}

// attemptsRead selects the attempts that a statement looks at, along an index.
type attemptsRead struct {
	key       string // in the index
	high, low int64  // ids: below high, and from low on
	number    int    // the newest ones
}

// attemptArguments returns the arguments of a statement that looks at attempts.
func attemptArguments(tenant int64, f AttemptFilter, q attemptsRead) ([]any, error) {
	var among [][]any
	for _, id := range f.Among {
		among = append(among, []any{id})
	}
	list, err := encodeRows(among)
	only := 0
	if f.Among != nil {
		only = 1
	}
	return []any{
		tenant, q.key, q.high, q.low, q.number, f.Trigger, f.Class, int(f.Outcome), micros(f.Since), micros(f.Until),
		f.Endpoint, f.Subject, f.Message, only, list, f.Status,
	}, err
}

// AttemptCount counts the attempts with one outcome.
type AttemptCount struct {
	Class  string // of failures without an answer; empty: there was an answer
	Status int    // of the answer; 0: there was none
	Count  int64
}

// CountAttempts counts the attempts that a filter selects by their class and status, the most frequent first. It
// looks at a number of attempts, the newest ones; complete reports whether these were all.
func (r reader) CountAttempts(
	ctx context.Context, tenant int64, f AttemptFilter, number int,
) (counts []AttemptCount, complete bool, err error) {
	span := idRange{before: f.Before, since: f.Since, until: f.Until, head: attemptHead, at: attemptAt}
	low, high, err := r.idsWithin(ctx, span)
	if err != nil {
		return nil, false, err
	}
	along, key := countsByID, ""
	switch {
	case f.Message != "":
		along, key = countsByMessage, f.Message
	case f.Subject != "":
		along, key = countsBySubject, f.Subject
	case f.Endpoint != "":
		along, key = countsByEndpoint, f.Endpoint
	case f.failed():
		along = countsFailed
	}
	arguments, err := attemptArguments(tenant, f, attemptsRead{key, high, low, number})
	if err != nil {
		return nil, false, err
	}
	looked := 0
	rows, err := r.q.query(ctx, along, arguments...)
	counts, err = collect(rows, err, func(rows *sql.Rows) (c AttemptCount, err error) {
		all := 0
		err = rows.Scan(&c.Class, &c.Status, &c.Count, &all)
		looked += all
		return c, err
	})
	counts = slices.DeleteFunc(counts, func(c AttemptCount) bool { return c.Count == 0 })
	slices.SortFunc(counts, func(a, b AttemptCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Class, b.Class), a.Status-b.Status)
	})
	return counts, looked < number, err
}

// idRange selects rows by when they began. Head and at are the statements that read the last id, and the first row from
// an id on.
type idRange struct {
	before       int64 // ids; 0: all
	since, until time.Time
	head, at     *statement
}

// idsWithin returns the ids of the rows of a time: from low, and below high. Ids grow with the time at which rows were
// saved.
func (r reader) idsWithin(ctx context.Context, span idRange) (low, high int64, err error) {
	rows, err := r.q.query(ctx, span.head)
	head, err := one(rows, err, scanValue[int64], unanswered("store.attempts"))
	if err != nil {
		return 0, 0, err
	}
	high = head + 1
	if span.before > 0 {
		high = min(high, span.before)
	}
	if !span.since.IsZero() {
		if low, err = r.idAfter(ctx, span.at, span.since.Add(-settledLate), head); err != nil {
			return 0, 0, err
		}
	}
	if !span.until.IsZero() {
		until, err := r.idAfter(ctx, span.at, span.until.Add(settledLate), head)
		if err != nil {
			return 0, 0, err
		}
		high = min(high, until)
	}
	return low, high, nil
}

// idAfter finds the first row that began at a time or later.
func (r reader) idAfter(ctx context.Context, from *statement, at time.Time, head int64) (int64, error) {
	low, high := int64(1), head+1
	for low < high {
		middle := low + (high-low)/2
		rows, err := r.q.query(ctx, from, middle)
		found, err := collect(rows, err, scanMoment)
		switch {
		case err != nil:
			return 0, err
		case len(found) == 0 || !found[0].at.Before(at):
			high = middle
		default:
			low = found[0].seq + 1
		}
	}
	return low, nil
}

// Attempt finds one attempt.
func (r reader) Attempt(ctx context.Context, tenant, id int64) (Attempt, error) {
	rows, err := r.q.query(ctx, attemptGet, tenant, id)
	return one(rows, err, attemptColumns.scan(), notFound("attempt.not_found",
		"There is no attempt with this id, or it has been removed. GET /v1/attempts lists those that are kept."))
}
