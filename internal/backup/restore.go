package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Restoration reads one backup.
type Restoration struct {
	Place    Place
	Key      []byte
	Manifest Manifest
	Progress func(Progress) // nil: nobody is told
}

// Check reads the whole backup, and returns an error if a part of it is missing or damaged.
func (r Restoration) Check(ctx context.Context) error {
	err := r.tables(ctx, func(_ Table, rows iter.Seq2[[]any, error]) (n int64, err error) {
		for _, err := range rows {
			if err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
	if err != nil {
		return err
	}
	return r.attachments(ctx, func(_ string, content io.Reader) error {
		_, err := io.Copy(io.Discard, content)
		return err
	})
}

// LoadTables fills a new database.
func (r Restoration) LoadTables(ctx context.Context, l *store.Loader) error {
	err := r.tables(ctx, func(t Table, rows iter.Seq2[[]any, error]) (int64, error) {
		return l.Load(ctx, store.Table{Name: t.Name, Columns: t.Columns}, rows)
	})
	if err != nil {
		return err
	}
	return l.Finish(ctx, r.Manifest.Engine, r.Manifest.Sequences)
}

// largestFile bounds one attachment, in bytes. The server that took it may have had any limit.
const largestFile = 1 << 50

// LoadAttachments fills a store of contents. Contents that it has already are left as they are: they never change.
func (r Restoration) LoadAttachments(ctx context.Context, into blob.Store) error {
	return r.attachments(ctx, func(key string, content io.Reader) error {
		_, err := into.Put(ctx, key, content, largestFile)
		if errors.Is(err, fault.Conflict) {
			_, err = io.Copy(io.Discard, content)
		}
		return err
	})
}

// tables calls load with the rows of each table. Load returns how many there were.
func (r Restoration) tables(ctx context.Context, load func(Table, iter.Seq2[[]any, error]) (int64, error)) error {
	s, err := newSealer(r.Key)
	if err != nil {
		return err
	}
	var done int64
	for _, t := range r.Manifest.Tables {
		n, err := load(t, s.rows(ctx, r.Place, t.Chunks, func(bytes int) {
			done += int64(bytes)
			r.progress(StepTables, done, r.Manifest.Bytes-r.Manifest.Files.Bytes)
		}))
		if err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		if n != t.Rows {
			return errDamaged("the table "+t.Name, fmt.Errorf("it has %d rows instead of %d", n, t.Rows))
		}
	}
	return nil
}

// attachments calls load with the content of each attachment.
func (r Restoration) attachments(ctx context.Context, load func(key string, content io.Reader) error) error {
	s, err := newSealer(r.Key)
	if err != nil {
		return err
	}
	var count int64
	for f, err := range s.files(ctx, r.Place, r.Manifest.Files) {
		if err != nil {
			return fmt.Errorf("the list of attachments: %w", err)
		}
		content := &pieces{ctx: ctx, sealer: s, place: r.Place, names: f.pieces(), left: f.size}
		if err := load(f.key, content); err != nil {
			return fmt.Errorf("attachment %s: %w", f.key, err)
		}
		count++
		r.progress(StepAttachments, count, r.Manifest.Files.Count)
	}
	if count != r.Manifest.Files.Count {
		return errDamaged("the list of attachments",
			fmt.Errorf("it has %d instead of %d", count, r.Manifest.Files.Count))
	}
	return nil
}

func (r Restoration) progress(step Step, done, total int64) {
	if r.Progress != nil {
		r.Progress(Progress{step, done, total})
	}
}

// pieces reads the content of an attachment.
type pieces struct {
	ctx    context.Context
	sealer *sealer
	place  Place
	names  []string
	left   int64 // bytes
	now    []byte
}

// Read fails if a piece is missing or damaged, or if all together have another size.
func (p *pieces) Read(b []byte) (int, error) {
	for len(p.now) == 0 {
		if len(p.names) == 0 {
			if p.left != 0 {
				return 0, errDamaged("an attachment", fmt.Errorf("%d bytes of it are missing", p.left))
			}
			return 0, io.EOF
		}
		content, err := p.sealer.chunk(p.ctx, p.place, p.names[0])
		if err != nil {
			return 0, err
		}
		p.now, p.names, p.left = content, p.names[1:], p.left-int64(len(content))
	}
	n := copy(b, p.now)
	p.now = p.now[n:]
	return n, nil
}
