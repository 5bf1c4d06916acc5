package backup

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"

	"github.com/casehook/casehook/internal/bucket"
	"github.com/casehook/casehook/internal/fault"
)

// objects is a place in a bucket.
type objects struct{ bucket *bucket.Bucket }

// OpenBucket returns the place in a bucket.
func OpenBucket(b *bucket.Bucket) Place { return objects{b} }

func (o objects) String() string { return o.bucket.Address().String() }

func (o objects) Put(ctx context.Context, name string, content []byte) error {
	return o.bucket.Put(ctx, name, bytes.NewReader(content))
}

func (o objects) Get(ctx context.Context, name string) (content []byte, err error) {
	r, _, err := o.bucket.Get(ctx, name)
	if errors.Is(err, fault.NotFound) {
		return nil, missing(name, o.String())
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return io.ReadAll(io.LimitReader(r, largestObject))
}

func (o objects) List(ctx context.Context, prefix string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for item, err := range o.bucket.List(ctx, prefix) {
			if !yield(Item(item), err) {
				return
			}
		}
	}
}

func (o objects) Delete(ctx context.Context, name string) error { return o.bucket.Delete(ctx, name) }
