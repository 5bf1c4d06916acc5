package store_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/blob/blobtest"
	"github.com/casehook/casehook/internal/fault"
)

// The test measures the heap of the process, so it runs alone.
func TestContentsInTheDatabase(t *testing.T) {
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			blobtest.Run(t, func(t *testing.T) blob.Store { return open(t, options(t)).Blobs() })
		})
	}
}

// An unfinished upload can't be read. It is listed, so that the remains of a crash are found.
func TestAnUnfinishedContentIsListedAndNotOpened(t *testing.T) {
	t.Parallel()
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			blobs := open(t, options(t)).Blobs()
			const key, doomed = "blob_00000000000000000000000000000001", "blob_00000000000000000000000000000002"
			look := func() (int, error) {
				if _, _, err := blobs.Open(t.Context(), key); !errors.Is(err, fault.NotFound) {
					t.Errorf("Open = %v in the middle of the upload", err)
				}
				var keys []string
				err := blobs.List(t.Context(), func(key string, _ time.Time) error {
					keys = append(keys,
						key)
					return nil
				})
				if err != nil || len(keys) != 1 || keys[0] != key {
					t.Errorf("List = %v, %v in the middle of the upload", keys, err)
				}
				return 0, io.EOF
			}
			content := bytes.Repeat([]byte("x"), 1<<20)
			_, err := blobs.Put(t.Context(), key,
				io.MultiReader(bytes.NewReader(content), readerFunc(look), bytes.NewReader(content)), 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			// A content that is deleted during its upload leaves nothing.
			_, err = blobs.Put(t.Context(),
				doomed, io.MultiReader(bytes.NewReader(content), readerFunc(func() (int, error) {
					if err := blobs.Delete(t.Context(), doomed); err != nil {
						t.Error(err)
					}
					return 0, io.EOF
				}), bytes.NewReader(content)), 1<<30)
			if got := fault.As(err); err == nil || got.Code != "blob.not_found" {
				t.Errorf("Put = %v", err)
			}
			if err := blobs.List(t.Context(), func(found string, _ time.Time) error {
				if found != key {
					t.Errorf("%s is left", found)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

type readerFunc func() (int, error)

func (f readerFunc) Read([]byte) (int, error) { return f() }
