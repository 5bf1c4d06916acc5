package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"time"

	"github.com/casehook/casehook/internal/bucket"
	"github.com/casehook/casehook/internal/fault"
)

// S3 is a Store in a bucket, under a prefix of its own. Any number of processes may use it.
//
// Objects are called by their keys. A Put that fails leaves nothing that List shows; of one that was killed the
// provider may keep parts, as package bucket says.
type S3 struct{ bucket *bucket.Bucket }

// NewS3 returns the store in a bucket, and sends nothing.
func NewS3(b *bucket.Bucket) *S3 { return &S3{b} }

// Put implements [Store].
func (s *S3) Put(ctx context.Context, key string, r io.Reader, limit int64) (Info, error) {
	if err := CheckKey(key); err != nil {
		return Info{}, err
	}
	content := &measured{r: reader{ctx, r}, hash: sha256.New(), limit: limit}
	err := s.bucket.PutNew(ctx, key, content)
	if errors.Is(err, fault.Conflict) {
		err = fault.Wrap(err, fault.Conflict, "blob.exists", "The file %s exists already.", key)
	}
	if err != nil {
		return Info{}, err
	}
	return Info{Size: content.size, SHA256: [32]byte(content.hash.Sum(nil))}, nil
}

// Open implements [Store].
func (s *S3) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := CheckKey(key); err != nil {
		return nil, 0, err
	}
	r, size, err := s.bucket.Get(ctx, key)
	if errors.Is(err, fault.NotFound) {
		err = fault.Wrap(err, fault.NotFound, "blob.not_found", "There is no file %s.", key)
	}
	return r, size, err
}

// Delete implements [Store].
func (s *S3) Delete(ctx context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	return s.bucket.Delete(ctx, key)
}

// List implements [Store].
func (s *S3) List(ctx context.Context, each func(key string, modified time.Time) error) error {
	for item, err := range s.bucket.List(ctx, "") {
		if err != nil {
			return err
		}
		if CheckKey(item.Name) != nil {
			continue // not one of our objects
		}
		if err := each(item.Name, item.Modified); err != nil {
			return err
		}
	}
	return nil
}

// measured counts and hashes what is read, and fails beyond limit bytes.
type measured struct {
	r           io.Reader
	hash        hash.Hash
	size, limit int64
}

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.hash.Write(p[:n])
	if m.size += int64(n); m.size > m.limit {
		return 0, fault.New(fault.TooLarge, "blob.too_large",
			"The file is larger than the limit of %d bytes. Send a smaller one.", m.limit)
	}
	return n, err
}
