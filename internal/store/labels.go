package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/fault"
)

var labelColumns = columns[cases.Label]{
	textColumn("slug", func(l *cases.Label) *string { return &l.Slug }),
	textColumn("name", func(l *cases.Label) *string { return &l.Name }),
	textColumn("color", func(l *cases.Label) *string { return &l.Color }),
	timeColumn("created_at", func(l *cases.Label) *time.Time { return &l.CreatedAt }),
}

var (
	labelSelect = `select ` + labelColumns.names() + ` from labels `
	labelGet    = define(labelSelect + `where tenant = $1 and slug = $2 and not deleted`)
	labelList   = define(labelSelect + `where tenant = $1 and not deleted order by slug`)
	labelInsert = define(`insert into labels (tenant, ` + labelColumns.names() + `)
		values ($1, ` + labelColumns.parameters(2) + `)
		on conflict (tenant, slug)
		do update set ` + labelColumns.without("slug").excluded() + `, deleted = false
		where labels.deleted`)
	labelUpdate = define(`update labels set name = $3, color = $4 where tenant = $1 and slug = $2 and not deleted`)
	labelDelete = define(`delete from labels where tenant = $1 and slug = $2 and not deleted
		and not exists (select 1 from case_labels l where l.tenant = $1 and l.slug = $2)`)
	labelHide    = define(`update labels set deleted = true where tenant = $1 and slug = $2 and not deleted`)
	labelCarried = define(`select l.case_id from case_labels l cross join cases c
		where l.tenant = $1 and l.slug = $2 and c.tenant = l.tenant and c.id = l.case_id
		and ($3 >= 2 or c.classification = 'PUBLIC') and ($3 >= 3 or c.classification <> 'RESTRICTED') and $3 >= 1
		and c.type not in (select r.key from rows($4: key text) as r)
		and c.type || '/' || c.state not in (select r.key from rows($4: key text) as r) limit 1`)

	caseLabelAdd = define(`insert into case_labels (tenant, case_id, slug)
		values ($1, $2, $3)
		on conflict do nothing`)
	caseLabelRemove = define(`delete from case_labels where tenant = $1 and case_id = $2 and slug = $3`)
	caseLabelsDrop  = define(`delete from case_labels where tenant = $1 and case_id = $2`)
	caseLabelsSet   = define(`update cases set labels = $3 where tenant = $1 and id = $2`)
)

// Label returns a label.
func (r reader) Label(ctx context.Context, tenant int64, slug string) (cases.Label, error) {
	rows, err := r.q.query(ctx, labelGet, tenant, slug)
	return one(rows, err, labelColumns.scan(), labelMissing(slug))
}

// Labels lists a tenant's labels by slug.
func (r reader) Labels(ctx context.Context, tenant int64) ([]cases.Label, error) {
	rows, err := r.q.query(ctx, labelList, tenant)
	return collect(rows, err, labelColumns.scan())
}

// CreateLabel adds a label. It returns a conflict if the slug exists. A deleted label with this slug is restored, and
// reappears on the cases that still carry it.
func (tx *Tx) CreateLabel(ctx context.Context, tenant int64, l cases.Label) error {
	n, err := labelColumns.exec(ctx, tx.q, labelInsert, &l, tenant)
	if err == nil && n == 0 {
		err = fault.New(fault.Conflict, "label.slug_taken",
			"A label with the slug %s exists already. Change that label, or choose another slug.", l.Slug)
	}
	return err
}

// UpdateLabel saves a label's name and colour.
func (tx *Tx) UpdateLabel(ctx context.Context, tenant int64, l cases.Label) error {
	n, err := tx.q.exec(ctx, labelUpdate, tenant, l.Slug, l.Name, l.Color)
	if err == nil && n == 0 {
		err = labelMissing(l.Slug)()
	}
	return err
}

// DeleteLabel removes a label. It returns a conflict if a case that the reader may see carries it. If only other cases
// carry it, the label is hidden instead, which looks the same to the reader.
func (tx *Tx) DeleteLabel(ctx context.Context, tenant int64, slug string, by access.Reader) error {
	if _, err := tx.Label(ctx, tenant, slug); err != nil {
		return err
	}
	without, err := keyRows(by.Without)
	if err != nil {
		return err
	}
	rows, err := tx.q.query(ctx, labelCarried, tenant, slug, by.Clearance.Level(), without)
	carriers, err := collect(rows, err, scanValue[int64])
	if err != nil {
		return err
	}
	if len(carriers) > 0 {
		return labelInUse(nil, slug)
	}
	for _, s := range []*statement{labelDelete, labelHide} {
		n, err := tx.q.exec(ctx, s, tenant, slug)
		if isReferenced(err) { // it was added just now
			return labelInUse(err, slug)
		}
		if err != nil || n > 0 {
			return err
		}
	}
	return labelMissing(slug)()
}

// AddLabel adds a label to a case, and saves the case's next version and last activity. If the case has the label,
// nothing changes.
func (tx *Tx) AddLabel(
	ctx context.Context, tenant, id int64, slug string, by cases.Activity,
) (c cases.Case, changed bool, err error) {
	if _, err := tx.Label(ctx, tenant, slug); err != nil {
		return c, false, err
	}
	n, err := tx.q.exec(ctx, caseLabelAdd, tenant, id, slug)
	if isReferenced(err) { // it was deleted just now
		return c, false, labelMissing(slug)()
	}
	if err != nil || n == 0 {
		return tx.unlabelled(ctx, tenant, id, err)
	}
	if c, err = tx.TouchCase(ctx, tenant, id, by); err != nil {
		return c, false, err
	}
	c.Labels = append(c.Labels, slug)
	slices.Sort(c.Labels)
	return c, true, tx.saveLabels(ctx, c)
}

// RemoveLabel removes a label from a case. If the case does not have the label, nothing changes.
func (tx *Tx) RemoveLabel(
	ctx context.Context, tenant, id int64, slug string, by cases.Activity,
) (c cases.Case, changed bool, err error) {
	n, err := tx.q.exec(ctx, caseLabelRemove, tenant, id, slug)
	if err != nil || n == 0 {
		return tx.unlabelled(ctx, tenant, id, err)
	}
	if c, err = tx.TouchCase(ctx, tenant, id, by); err != nil {
		return c, false, err
	}
	if c.Labels = slices.DeleteFunc(c.Labels, func(l string) bool { return l == slug }); len(c.Labels) == 0 {
		c.Labels = nil
	}
	return c, true, tx.saveLabels(ctx, c)
}

// unlabelled returns a case whose labels did not change.
func (tx *Tx) unlabelled(ctx context.Context, tenant, id int64, err error) (cases.Case, bool, error) {
	if err != nil {
		return cases.Case{}, false, err
	}
	c, err := tx.Case(ctx, tenant, id)
	return c, false, err
}

// saveLabels writes the list of labels in the case's row. The caller has touched the case, which locks its row and so
// serialises changes of its labels.
func (tx *Tx) saveLabels(ctx context.Context, c cases.Case) error {
	_, err := tx.q.exec(ctx, caseLabelsSet, c.Tenant, c.ID, strings.Join(c.Labels, " "))
	return err
}

func labelInUse(err error, slug string) error {
	return fault.Wrap(err, fault.Conflict, "label.in_use",
		"Cases carry the label %s. Remove it from them first; GET /v1/cases?label=%s lists them.", slug, slug)
}

func labelMissing(slug string) func() error {
	return notFound("label.not_found", "There is no label %q; GET /v1/labels lists the labels.", slug)
}
