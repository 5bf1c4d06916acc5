//go:build unix

package blob_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/blob/blobtest"
	"github.com/casehook/casehook/internal/bucket/s3test"
	"github.com/casehook/casehook/internal/fault"
)

func TestS3(t *testing.T) {
	server := s3test.Start(t)
	blobtest.Run(t, func(t *testing.T) blob.Store { return blob.NewS3(server.Open(t)) })

	t.Run("objects of others are neither listed nor reached", func(t *testing.T) {
		b := server.Open(t)
		s := blob.NewS3(b)
		for _, name := range []string{"README", "folder/blob_0123456789abcdef0123456789abcdef"} {
			if err := b.Put(t.Context(), name, strings.NewReader("theirs")); err != nil {
				t.Fatal(err)
			}
			if err := s.Delete(t.Context(), name); !errors.Is(err, fault.Invalid) {
				t.Errorf("deleting %s: %v", name, err)
			}
		}
		err := s.List(t.Context(), func(key string, _ time.Time) error { t.Errorf("lists %s", key); return nil })
		if err != nil {
			t.Error(err)
		}
	})
}
