package store

import (
	"context"
	"math"
	"time"

	"github.com/casehook/casehook/internal/casetype"
)

// ShadowDifference is an answer of a callback's shadow that differs from that of the callback.
type ShadowDifference struct {
	ID         int64
	Tenant     int64
	At         time.Time // when the shadow was asked
	Case       int64     // 0: a creation
	Type       string    // the key of the case type whose callback it is
	OtherType  string    // the key of the case's other type, in a switch; empty: there is none
	Transition string    // the name of the callback: a transition, @switch or @delete
	Question   string    // the point at which it was asked
	Page       string    // the key of the page that was left; empty: it is not about a page
	Callback   string    // the key of the callback; empty: it has none
	URL        string    // of the shadow, as configured, without its query
	URLClass   string    // who sees the URL; empty: PUBLIC
	WebhookID  string    // that the callback was asked with
	ShadowID   string    // that the shadow was asked with
	Status     int       // of the shadow's answer; 0: there was none
	Live       string    // the verdict of the callback
	Verdict    string    // that of the shadow
	Failure    string    // why the shadow has no usable answer; empty: it has one
	Duration   time.Duration
	Changes    KeptChanges             // from the callback's answer to the shadow's
	Class      casetype.Classification // who sees messages
	CaseClass  casetype.Classification // who sees the difference
}

var shadowColumns = columns[ShadowDifference]{
	intColumn("id", func(d *ShadowDifference) *int64 { return &d.ID }),
	intColumn("tenant", func(d *ShadowDifference) *int64 { return &d.Tenant }),
	timeColumn("at", func(d *ShadowDifference) *time.Time { return &d.At }),
	intColumn("case_id", func(d *ShadowDifference) *int64 { return &d.Case }),
	textColumn("case_type", func(d *ShadowDifference) *string { return &d.Type }),
	textColumn("other_type", func(d *ShadowDifference) *string { return &d.OtherType }),
	textColumn("transition", func(d *ShadowDifference) *string { return &d.Transition }),
	textColumn("question", func(d *ShadowDifference) *string { return &d.Question }),
	textColumn("page", func(d *ShadowDifference) *string { return &d.Page }),
	textColumn("callback", func(d *ShadowDifference) *string { return &d.Callback }),
	textColumn("url", func(d *ShadowDifference) *string { return &d.URL }),
	textColumn("url_class", func(d *ShadowDifference) *string { return &d.URLClass }),
	textColumn("webhook_id", func(d *ShadowDifference) *string { return &d.WebhookID }),
	textColumn("shadow_id", func(d *ShadowDifference) *string { return &d.ShadowID }),
	intColumn("status", func(d *ShadowDifference) *int { return &d.Status }),
	textColumn("live", func(d *ShadowDifference) *string { return &d.Live }),
	textColumn("verdict", func(d *ShadowDifference) *string { return &d.Verdict }),
	textColumn("failure", func(d *ShadowDifference) *string { return &d.Failure }),
	durationColumn("duration", func(d *ShadowDifference) *time.Duration { return &d.Duration }),
	jsonColumn("changes", func(d *ShadowDifference) *KeptChanges { return &d.Changes }),
	textColumn("class", func(d *ShadowDifference) *casetype.Classification { return &d.Class }),
	textColumn("case_class", func(d *ShadowDifference) *casetype.Classification { return &d.CaseClass }),
}

// MostShadowDifferences is how many are kept of each callback of a transition.
const MostShadowDifferences = 100

var (
	shadowInserted = shadowColumns.without("id")

	shadowAdd = define(`insert into shadow_differences (` + shadowInserted.names() + `)
		values (` + shadowInserted.parameters(1) + `)`)
	shadowCut = define(`delete from shadow_differences where id in
		(select id from shadow_differences
			where tenant = $1 and case_type = $2 and transition = $3 and question = $4 and page = $5 and callback = $6
			order by id desc limit 10 offset 100)`)
	shadowList = define(`select ` + shadowColumns.names() + ` from shadow_differences
		where tenant = $1 and case_type = $2 and transition = $3 and id < $4 order by id desc limit $5`)
	shadowPurge = define(`delete from shadow_differences where id in
		(select id from shadow_differences where at < $1 order by at limit $2)`)
)

// AddShadowDifference keeps a difference, and removes those of the callback that are too many.
func (tx *Tx) AddShadowDifference(ctx context.Context, d ShadowDifference) error {
	if _, err := shadowInserted.exec(ctx, tx.q, shadowAdd, &d); err != nil {
		return err
	}
	_, err := tx.q.exec(ctx, shadowCut, d.Tenant, d.Type, d.Transition, d.Question, d.Page, d.Callback)
	return err
}

// ShadowFilter selects the differences of a transition's callbacks.
type ShadowFilter struct {
	Type, Transition string
	Before           int64 // ids; 0: begin at the newest
	Limit            int
}

// ShadowDifferences returns differences, the newest first.
func (r reader) ShadowDifferences(ctx context.Context, tenant int64, f ShadowFilter) ([]ShadowDifference, error) {
	if f.Before == 0 {
		f.Before = math.MaxInt64
	}
	rows, err := r.q.query(ctx, shadowList, tenant, f.Type, f.Transition, f.Before, f.Limit)
	return collect(rows, err, shadowColumns.scan())
}

// PurgeShadowDifferences removes a portion of those from before a time. More reports whether others may be left.
func (tx *Tx) PurgeShadowDifferences(ctx context.Context, before time.Time) (more bool, err error) {
	n, err := tx.q.exec(ctx, shadowPurge, micros(before), purgeBatch)
	return n == purgeBatch, err
}
