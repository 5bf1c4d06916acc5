package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/casehook/casehook/internal/fault"
)

// AttachmentPlace says where the contents of attachments and of documents of fields are: disk, database, or the address
// of a bucket.
type AttachmentPlace struct {
	Place  string
	Target string // they are being moved there; empty: they are not being moved
	Former string // they were moved from there, and not all is deleted there; empty: nothing is left
}

// Content is what a row says of its content.
type Content struct {
	Blob   string // its key
	Size   int64  // bytes
	SHA256 string // in hexadecimal digits
}

var (
	placeFind  = define(`select place, target, former from attachment_place where one = 1`)
	placeClaim = define(`insert into attachment_place (one, place, target, former) values (1, $1, '', '')
		on conflict (one) do nothing`)
	// A move that begins waits for transactions that have read this.
	placeFence = define(`select l.place from attachment_place l where l.one = 1 and l.place = $1 and l.target = ''
		{{share}}`)
	placeMove = define(`update attachment_place set place = $1, target = $2, former = $3
		where one = 1 and place = $4 and target = $5 and former = $6`)

	contentList = define(`select blob, size, sha256 from attachments where blob > $1
		union all select blob, size, sha256 from field_documents where blob > $1
		order by blob limit $2`)
	contentSum = define(`select cast(coalesce(sum(n), 0) as bigint), cast(coalesce(sum(bytes), 0) as bigint) from (
			select count(*) as n, sum(size) as bytes from attachments
			union all select count(*), sum(size) from field_documents where blob > '') as sums`)
)

// AttachmentPlace returns where the contents are. It fails with fault.NotFound if that was never recorded.
func (r reader) AttachmentPlace(ctx context.Context) (AttachmentPlace, error) {
	rows, err := r.q.query(ctx, placeFind)
	return one(rows, err, func(rows *sql.Rows) (p AttachmentPlace, err error) {
		err = rows.Scan(&p.Place, &p.Target, &p.Former)
		return p, err
	}, notFound("store.attachment_place", "It is not recorded where attachments are."))
}

// ClaimAttachmentPlace records where the contents are, unless that is recorded, and returns what is.
func (s *Store) ClaimAttachmentPlace(ctx context.Context, place string) (AttachmentPlace, error) {
	p, err := s.AttachmentPlace(ctx)
	if !errors.Is(err, fault.NotFound) {
		return p, err
	}
	err = s.Update(ctx, func(tx *Tx) error {
		_, err := tx.q.exec(ctx, placeClaim, place)
		return err
	})
	if err != nil {
		return AttachmentPlace{}, err
	}
	return s.AttachmentPlace(ctx)
}

// MoveAttachmentPlace replaces what is recorded about the place. It fails with fault.Conflict if somebody else has done
// so.
func (s *Store) MoveAttachmentPlace(ctx context.Context, from, to AttachmentPlace) error {
	return s.Update(ctx, func(tx *Tx) error {
		n, err := tx.q.exec(ctx, placeMove, to.Place, to.Target, to.Former, from.Place, from.Target, from.Former)
		if err == nil && n == 0 {
			err = fault.New(fault.Conflict, "attachments.moved",
				"Somebody else is moving the attachments too. Run one command at a time.")
		}
		return err
	})
}

// Contents lists the contents that rows of all tenants refer to, by their keys.
func (r reader) Contents(ctx context.Context, after string, limit int) ([]Content, error) {
	rows, err := r.q.query(ctx, contentList, after, limit)
	return collect(rows, err, func(rows *sql.Rows) (c Content, err error) {
		err = rows.Scan(&c.Blob, &c.Size, &c.SHA256)
		return c, err
	})
}

// CountContents counts the contents that rows of all tenants refer to, and their bytes.
func (r reader) CountContents(ctx context.Context) (count, bytes int64, err error) {
	rows, err := r.q.query(ctx, contentSum)
	sums, err := one(rows, err, func(rows *sql.Rows) (s [2]int64, err error) {
		err = rows.Scan(&s[0], &s[1])
		return s, err
	}, unanswered("store.contents"))
	return sums[0], sums[1], err
}

// KeepAttachmentsIn says where this process keeps contents. From then on transactions fail that save a row with a
// content, unless contents are there and are not being moved: a server that does not notice that they are being moved
// can't lose any. It is called before the store is used by several goroutines.
func (s *Store) KeepAttachmentsIn(place string) { s.attachments = place }

// requirePlace returns an error unless contents are where this process keeps them.
func (tx *Tx) requirePlace(ctx context.Context) error {
	if tx.attachments == "" {
		return nil
	}
	rows, err := tx.q.query(ctx, placeFence, tx.attachments)
	found, err := collect(rows, err, scanValue[string])
	if err == nil && len(found) == 0 {
		err = fault.New(fault.Unavailable, "attachments.moving",
			"The attachments of this installation are being moved, so that none can be added. Try again later.")
	}
	return err
}

// LiveNodes counts the servers that deliver with this database: with SQLite none, since the lock of the data folder
// keeps others away.
func (s *Store) LiveNodes(ctx context.Context) (int64, error) {
	if s.dialect == sqlite {
		return 0, nil
	}
	rows, err := s.q.query(ctx, nodeCount)
	return one(rows, err, scanValue[int64], unanswered("store.leases"))
}
