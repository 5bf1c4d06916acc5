package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"

	"github.com/casehook/casehook/internal/fault"
)

// Copy copies a content to another store, and reads it back. It reports false if the other store has it already. It
// fails with fault.NotFound, code blob.not_found, if from does not have it, and with code blob.damaged if what is in
// from is not what want says; then nothing is left in to. An unequal content in to is replaced.
func Copy(ctx context.Context, from, to Store, key string, want Info) (copied bool, err error) {
	found, err := measure(ctx, to, key)
	switch {
	case err == nil && found == want:
		return false, nil
	case err == nil:
		err = to.Delete(ctx, key)
	case errors.Is(err, fault.NotFound):
		err = nil
	}
	if err != nil {
		return false, err
	}
	if err := transfer(ctx, from, to, key, want); err != nil {
		return false, err
	}
	if found, err = measure(ctx, to, key); err == nil && found != want {
		err = damaged(key)
	}
	if errors.Is(err, errDamaged) {
		err = errors.Join(err, to.Delete(ctx, key))
	}
	return err == nil, err
}

// transfer copies a content that to does not have.
func transfer(ctx context.Context, from, to Store, key string, want Info) error {
	r, _, err := from.Open(ctx, key)
	if err != nil {
		return err
	}
	got, err := to.Put(ctx, key, r, want.Size)
	if errors.Is(err, fault.TooLarge) {
		err = damaged(key)
	}
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if got != want {
		return errors.Join(damaged(key), to.Delete(ctx, key))
	}
	return nil
}

// measure reads a content.
func measure(ctx context.Context, s Store, key string) (Info, error) {
	r, _, err := s.Open(ctx, key)
	if err != nil {
		return Info{}, err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, reader{ctx, r})
	if err := errors.Join(err, r.Close()); err != nil {
		return Info{}, err
	}
	return Info{Size: size, SHA256: [32]byte(hash.Sum(nil))}, nil
}

var errDamaged = errors.New("its size or hash is not what the database says")

func damaged(key string) error {
	return fault.Wrap(errDamaged, fault.Internal, "blob.damaged", "The file %s is damaged.", key)
}
