package store

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
)

var viewColumns = columns[access.View]{
	textColumn("id", func(v *access.View) *string { return &v.ID }),
	textColumn("owner", func(v *access.View) *access.Owner { return &v.Owner }),
	textColumn("name", func(v *access.View) *string { return &v.Name }),
	textColumn("page", func(v *access.View) *string { return &v.Page }),
	textColumn("query", func(v *access.View) *string { return &v.Query }),
	boolColumn("shared", func(v *access.View) *bool { return &v.Shared }),
	timeColumn("created_at", func(v *access.View) *time.Time { return &v.CreatedAt }),
}

var (
	viewSelect = `select ` + viewColumns.names() + ` from views `
	viewList   = define(viewSelect + `where tenant = $1 and (owner = $2 or shared) order by id`)
	viewGet    = define(viewSelect + `where tenant = $1 and id = $2 and (owner = $3 or shared)`)
	viewCount  = define(`select count(*) from views where tenant = $1 and owner = $2`)
	viewInsert = define(`insert into views (tenant, ` + viewColumns.names() + `)
		values ($1, ` + viewColumns.parameters(2) + `)`)
	viewDelete = define(`delete from views where tenant = $1 and id = $2`)
)

// Views lists the views of an owner, and those that are shared, the oldest first.
func (r reader) Views(ctx context.Context, tenant int64, owner access.Owner) ([]access.View, error) {
	rows, err := r.q.query(ctx, viewList, tenant, owner)
	return collect(rows, err, viewColumns.scan())
}

// View returns a view that an owner sees.
func (r reader) View(ctx context.Context, tenant int64, id string, owner access.Owner) (access.View, error) {
	rows, err := r.q.query(ctx, viewGet, tenant, id, owner)
	return one(rows, err, viewColumns.scan(), viewMissing)
}

// maxViews is how many views one owner can have.
const maxViews = 100

// CreateView adds a view, unless its owner has too many.
func (tx *Tx) CreateView(ctx context.Context, tenant int64, v access.View) error {
	rows, err := tx.q.query(ctx, viewCount, tenant, v.Owner)
	n, err := one(rows, err, scanValue[int], unanswered("store.count"))
	if err != nil {
		return err
	}
	if n >= maxViews {
		return fault.New(fault.Conflict, "view.too_many",
			"You have %d views, which is the most. Delete one that you no longer need.", maxViews)
	}
	_, err = viewColumns.exec(ctx, tx.q, viewInsert, &v, tenant)
	return err
}

// DeleteView removes a view.
func (tx *Tx) DeleteView(ctx context.Context, tenant int64, id string) error {
	n, err := tx.q.exec(ctx, viewDelete, tenant, id)
	if err == nil && n == 0 {
		err = viewMissing()
	}
	return err
}

func viewMissing() error {
	return fault.New(fault.NotFound, "view.not_found",
		"There is no view with this id, or it is another user's. GET /v1/views lists those that you see.")
}
