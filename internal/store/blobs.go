package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// A content is a head, which is part 0 and holds its size, and parts from 1. The
// head is empty until the last part is there: then the content is not there either.
var (
	blobPart   = define(`insert into blobs (key, part, at, content) values ($1, $2, $3, $4)`)
	blobFinish = define(`update blobs set content = $2 where key = $1 and part = 0`)
	blobRead   = define(`select content from blobs where key = $1 and part = $2`)
	blobDrop   = define(`delete from blobs where key = $1`)
	blobList   = define(`select key, at from blobs where part = 0 and key > $1 order by key limit $2`)
)

const (
	blobChunk = 256 << 10 // bytes of one part
	blobPage  = 500       // keys read at once
)

// Blobs keeps the contents of attachments in the database, for nodes that share no disk. It implements the store of
// package blob.
type Blobs struct{ s *Store }

// Blobs returns the contents that are kept in the database.
func (s *Store) Blobs() *Blobs { return &Blobs{s} }

// BlobInfo describes a content that Put has saved.
type BlobInfo = struct {
	Size   int64 // bytes
	SHA256 [32]byte
}

var blobKey = regexp.MustCompile(`^[a-z]+_[0-9a-f]{32}$`)

func checkBlobKey(key string) error {
	if !blobKey.MatchString(key) {
		return fault.New(fault.Invalid, "blob.key_invalid", "%q is not the key of a file.", key)
	}
	return nil
}

// Put reads r to its end and keeps it under a new key, a part at a time: no
// transaction is open while it waits for r.
func (b *Blobs) Put(ctx context.Context, key string, r io.Reader, limit int64) (BlobInfo, error) {
	if err := checkBlobKey(key); err != nil {
		return BlobInfo{}, err
	}
	var info BlobInfo
	hash, buffer := sha256.New(), make([]byte, blobChunk)
	for part, last := int64(1), false; !last; part++ {
		n, err := io.ReadFull(r, buffer)
		if last = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF); last {
			err = nil
		}
		info.Size += int64(n)
		if err == nil && info.Size > limit {
			err = fault.New(fault.TooLarge, "blob.too_large",
				"The file is larger than the limit of %d bytes. Send a smaller one.", limit)
		}
		hash.Write(buffer[:n])
		if err == nil {
			err = b.save(ctx, blobPortion{key, part, buffer[:n], last, info.Size})
		}
		if err != nil {
			return BlobInfo{}, b.abandon(ctx, key, part, fmt.Errorf("store: writing %s: %w", key, err))
		}
	}
	info.SHA256 = [32]byte(hash.Sum(nil))
	return info, nil
}

// blobPortion is a part of a content that is being written.
type blobPortion struct {
	key     string
	part    int64 // from 1
	content []byte
	last    bool
	size    int64 // bytes of all parts up to this one
}

// save writes one part. The first one claims the key, and the last one completes the content.
func (b *Blobs) save(ctx context.Context, p blobPortion) error {
	at := micros(time.Now())
	return b.s.Update(ctx, func(tx *Tx) error {
		if p.part == 1 {
			if _, err := tx.q.exec(ctx, blobPart, p.key, 0, at, []byte{}); isDuplicate(err) {
				return fault.Wrap(err, fault.Conflict, "blob.exists", "The file %s exists already.", p.key)
			} else if err != nil {
				return err
			}
		}
		if len(p.content) > 0 {
			if _, err := tx.q.exec(ctx, blobPart, p.key, p.part, at, p.content); err != nil {
				return err
			}
		}
		if !p.last {
			return nil
		}
		n, err := tx.q.exec(ctx, blobFinish, p.key, binary.BigEndian.AppendUint64(nil, uint64(p.size)))
		if err == nil && n == 0 {
			err = blobMissing(p.key)
		}
		return err
	})
}

// abandon removes the parts that a failed Put wrote before this one. Parts that it can't remove are collected later
// as leftovers.
func (b *Blobs) abandon(ctx context.Context, key string, part int64, cause error) error {
	if part == 1 {
		return cause
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(cause, b.Delete(limited, key))
}

// Open returns the content and its size in bytes.
func (b *Blobs) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := checkBlobKey(key); err != nil {
		return nil, 0, err
	}
	head, err := b.part(ctx, key, 0)
	if err != nil {
		return nil, 0, err
	}
	if len(head) != 8 {
		return nil, 0, blobMissing(key)
	}
	size := int64(binary.BigEndian.Uint64(head))
	return &blobReader{b: b, ctx: ctx, key: key, left: size}, size, nil
}

func (b *Blobs) part(ctx context.Context, key string, part int64) ([]byte, error) {
	rows, err := b.s.q.query(ctx, blobRead, key, part)
	return one(rows, err, scanValue[[]byte], func() error { return blobMissing(key) })
}

func blobMissing(key string) error {
	return fault.New(fault.NotFound, "blob.not_found", "There is no file %s.", key)
}

// Delete removes a content. It is no error if there is none.
func (b *Blobs) Delete(ctx context.Context, key string) error {
	if err := checkBlobKey(key); err != nil {
		return err
	}
	return b.s.Update(ctx, func(tx *Tx) error {
		_, err := tx.q.exec(ctx, blobDrop, key)
		return err
	})
}

// List calls each with every key and the time it was put, also of contents that
// were never completed, until each fails. Each may delete the key.
func (b *Blobs) List(ctx context.Context, each func(key string, modified time.Time) error) error {
	type item struct {
		key string
		at  int64
	}
	for after := ""; ; {
		rows, err := b.s.q.query(ctx, blobList, after, blobPage)
		page, err := collect(rows, err, func(rows *sql.Rows) (i item, err error) {
			err = rows.Scan(&i.key, &i.at)
			return i, err
		})
		if err != nil {
			return err
		}
		for _, i := range page {
			if err := each(i.key, fromMicros(i.at)); err != nil {
				return err
			}
			after = i.key
		}
		if len(page) < blobPage {
			return nil
		}
	}
}

// blobReader reads a content, one part at a time.
type blobReader struct {
	b    *Blobs
	ctx  context.Context
	key  string
	read int64 // parts
	left int64 // bytes of parts not yet read
	now  bytes.Reader
}

// Read fails with io.ErrUnexpectedEOF when the content is deleted meanwhile.
func (r *blobReader) Read(p []byte) (int, error) {
	if r.now.Len() == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		content, err := r.b.part(r.ctx, r.key, r.read+1)
		if errors.Is(err, fault.NotFound) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
		r.read++
		r.left -= int64(len(content))
		r.now.Reset(content)
	}
	return r.now.Read(p)
}

// Close does nothing: between two reads nothing is held.
func (r *blobReader) Close() error { return nil }
