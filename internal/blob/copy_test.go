package blob_test

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
)

func TestCopyLeavesAGoodCopyOrNone(t *testing.T) {
	const content = "content"
	good := blob.Info{Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content))}
	for _, test := range []struct {
		name     string
		from, to string // what the stores have; empty: nothing
		copied   bool
		code     string
	}{
		{"it is copied", content, "", true, ""},
		{"it is there already", content, content, false, ""},
		{"it is there, and no longer at its old place", "", content, false, ""},
		{"what is there is damaged", content, "contenT", true, ""},
		{"what is there is cut", content, "cont", true, ""},
		{"it is nowhere", "", "", false, "blob.not_found"},
		{"it is damaged", "contenT", "", false, "blob.damaged"},
		{"it is cut", "cont", "", false, "blob.damaged"},
		{"it has grown", content + "s", "", false, "blob.damaged"},
	} {
		t.Run(test.name, func(t *testing.T) {
			from, to, key := newDisk(t, t.TempDir()), newDisk(t, t.TempDir()), id.New("blob")
			for store, has := range map[*blob.Disk]string{from: test.from, to: test.to} {
				if has == "" {
					continue
				}
				if _, err := store.Put(t.Context(), key, strings.NewReader(has), 100); err != nil {
					t.Fatal(err)
				}
			}
			copied, err := blob.Copy(t.Context(), from, to, key, good)
			if copied != test.copied {
				t.Errorf("copied: %v", copied)
			}
			if code := fault.As(err).Code; err != nil && code != test.code || err == nil && test.code != "" {
				t.Errorf("%v, want the code %q", err, test.code)
			}
			left := 0
			if err := to.List(t.Context(), func(string, time.Time) error { left++; return nil }); err != nil {
				t.Fatal(err)
			}
			if want := test.code == ""; (left == 1) != want {
				t.Errorf("%d contents are left", left)
			}
		})
	}
}

func TestASharedDiskKeepsUnfinishedFilesOfOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "shared")
	one, err := blob.NewSharedDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	key, cut := id.New("blob"), errors.New("cut")
	_, err = one.Put(t.Context(), key, readerFunc(func([]byte) (int, error) {
		// Another process starts while this one writes, and takes the key.
		two, err := blob.NewSharedDisk(dir)
		if err != nil {
			return 0, errors.Join(cut, err)
		}
		if len(files(t, dir)) != 1 {
			return 0, errors.Join(cut, errors.New("the unfinished file is gone"))
		}
		_, err = two.Put(t.Context(), key, strings.NewReader("the other's"), 100)
		return 0, cmp.Or(err, io.EOF)
	}), 100)
	if !errors.Is(err, fault.Conflict) {
		t.Errorf("%v, want a conflict", err)
	}
	if found := files(t, dir); len(found) != 1 {
		t.Errorf("left: %v", found)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
