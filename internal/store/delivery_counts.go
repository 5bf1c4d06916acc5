package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// DeliveryCount counts the attempts that began within a span of time.
type DeliveryCount struct {
	Start     time.Time
	Delivered int64
	Failed    int64
	Duration  time.Duration // of all attempts together
}

// countSpans are the spans by which attempts are counted, and how long the counts are kept.
var countSpans = []struct{ span, kept time.Duration }{
	{time.Minute, 6 * time.Hour},
	{time.Hour, 60 * 24 * time.Hour},
}

// countRow is a count with what it is about.
type countRow struct {
	DeliveryCount
	tenant   int64
	endpoint string
	span     time.Duration
}

// countKey identifies a countRow.
type countKey struct {
	tenant   int64
	endpoint string
	span     time.Duration
	start    int64 // microseconds
}

var countColumns = columns[countRow]{
	intColumn("tenant", func(r *countRow) *int64 { return &r.tenant }),
	textColumn("endpoint", func(r *countRow) *string { return &r.endpoint }),
	durationColumn("span", func(r *countRow) *time.Duration { return &r.span }),
	timeColumn("start", func(r *countRow) *time.Time { return &r.Start }),
	intColumn("delivered", func(r *countRow) *int64 { return &r.Delivered }),
	intColumn("failed", func(r *countRow) *int64 { return &r.Failed }),
	durationColumn("duration", func(r *countRow) *time.Duration { return &r.Duration }),
}

const countNames = `tenant, endpoint, class, span, start, writer, delivered, failed, duration`

var (
	countsAdd = define(`insert into delivery_counts (` + countNames + `)
		select ` + countNames + ` from (
			select r.tenant, r.endpoint, '' as class, r.span, r.start, {{writer}} as writer,
				r.delivered, r.failed, r.duration
			from ` + countColumns.rows("$1") + ` as r
			union all
			select r.tenant, '', coalesce(e.reached, 'RESTRICTED'), r.span, r.start, {{writer}},
				cast(sum(r.delivered) as bigint), cast(sum(r.failed) as bigint), cast(sum(r.duration) as bigint)
			from ` + countColumns.rows("$1") + ` as r
				left join endpoints e on e.id = r.endpoint and e.tenant = r.tenant
			group by r.tenant, coalesce(e.reached, 'RESTRICTED'), r.span, r.start
		) as counted where true
		on conflict (tenant, endpoint, class, span, start, writer)
		do update set delivered = delivery_counts.delivered + excluded.delivered,
			failed = delivery_counts.failed + excluded.failed,
			duration = delivery_counts.duration + excluded.duration`)
	countsGet = define(`select start, cast(sum(delivered) as bigint), cast(sum(failed) as bigint),
			cast(sum(duration) as bigint)
		from delivery_counts
		where tenant = $1 and endpoint = $2 and class in (select r.class from rows($3: class text) as r)
			and span = $4 and start >= $5 and start < $6
		group by start
		order by start`)
	countsPurge = define(`delete from delivery_counts
		where (tenant, endpoint, class, span, start, writer) in
			(select tenant, endpoint, class, span, start, writer from delivery_counts
				where span = $1 and start < $2 order by start limit $3)`)
)

// tally counts the attempts of a transaction.
type tally struct {
	counts  map[countKey]*countRow
	ordered []*countRow
}

// add counts an attempt at an endpoint of a tenant.
func (t *tally) add(tenant int64, endpoint string, a *Attempt) {
	for _, of := range countSpans {
		start := a.At.Truncate(of.span)
		key := countKey{tenant, endpoint, of.span, start.UnixMicro()}
		row := t.counts[key]
		if row == nil {
			row = &countRow{tenant: tenant, endpoint: endpoint, span: of.span}
			row.Start = start
			t.counts[key], t.ordered = row, append(t.ordered, row)
		}
		row.Add(a)
	}
}

// addCounts saves the counts of new attempts, with one statement for all of them.
func (tx *Tx) addCounts(ctx context.Context, t *tally) error {
	rows := countColumns.list(len(t.ordered), func(i int, r *countRow) { *r = *t.ordered[i] })
	return tx.writeRows(ctx, countsAdd, rows)
}

// Add counts an attempt.
func (c *DeliveryCount) Add(a *Attempt) {
	c.Duration += a.Duration
	if a.Delivered {
		c.Delivered++
	} else {
		c.Failed++
	}
}

// CountPeriod selects the counts whose spans start from Since until Until.
type CountPeriod struct {
	Span         time.Duration // a minute or an hour
	Since, Until time.Time
}

// EndpointCounts returns the counts of an endpoint. Spans without attempts are left out.
func (r reader) EndpointCounts(
	ctx context.Context, tenant int64, endpoint string, p CountPeriod,
) ([]DeliveryCount, error) {
	return r.deliveryCounts(ctx, tenant, endpoint, [][]any{{""}}, p)
}

// TotalCounts is EndpointCounts for the attempts at all endpoints that had reached one of the classifications.
func (r reader) TotalCounts(
	ctx context.Context, tenant int64, reached []casetype.Classification, p CountPeriod,
) ([]DeliveryCount, error) {
	rows := make([][]any, len(reached))
	for i, class := range reached {
		rows[i] = []any{string(class)}
	}
	return r.deliveryCounts(ctx, tenant, "", rows, p)
}

func (r reader) deliveryCounts(
	ctx context.Context, tenant int64, endpoint string, classes [][]any, p CountPeriod,
) ([]DeliveryCount, error) {
	list, err := encodeRows(classes)
	if err != nil {
		return nil, err
	}
	rows, err := r.q.query(ctx, countsGet,
		tenant, endpoint, list, p.Span.Microseconds(), micros(p.Since), micros(p.Until))
	return collect(rows, err, func(rows *sql.Rows) (c DeliveryCount, err error) {
		err = rows.Scan((*timeTarget)(&c.Start), &c.Delivered, &c.Failed, (*durationTarget)(&c.Duration))
		return c, err
	})
}

// PurgeCounts removes a portion of the counts that are older than they are kept: those of minutes for six hours, those
// of hours for 60 days. More reports whether others may be left.
func (tx *Tx) PurgeCounts(ctx context.Context, now time.Time) (more bool, err error) {
	for _, of := range countSpans {
		n, err := tx.q.exec(ctx, countsPurge, of.span.Microseconds(), micros(now.Add(-of.kept)), purgeBatch)
		if err != nil {
			return false, err
		}
		more = more || n == purgeBatch
	}
	return more, nil
}
