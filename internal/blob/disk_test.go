package blob_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/blob/blobtest"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
)

func TestDisk(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store { return newDisk(t, t.TempDir()) })
}

func TestSharedDisk(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blob.Store {
		d, err := blob.NewSharedDisk(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return d
	})
}

func newDisk(t *testing.T, dir string) *blob.Disk {
	t.Helper()
	d, err := blob.NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// files lists all files under dir, and checks that only their owner can read them.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		if !e.IsDir() {
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDiskLeavesNoFileOfAFailedPut(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by", "us")
	d := newDisk(t, dir)
	failures := map[string]io.Reader{
		"over the limit": strings.NewReader("four"),
		"failing reader": io.MultiReader(strings.NewReader("a"), iotest.ErrReader(errors.New("cut"))),
	}
	for name, r := range failures {
		if _, err := d.Put(t.Context(), id.New("blob"), r, 3); err == nil {
			t.Errorf("%s: no error", name)
		}
		if found := files(t, dir); len(found) != 0 {
			t.Errorf("%s: left %v", name, found)
		}
	}
	if _, err := d.Put(t.Context(), id.New("blob"), strings.NewReader("abc"), 3); err != nil {
		t.Fatal(err)
	}
	if found := files(t, dir); len(found) != 1 {
		t.Errorf("one content is the files %v", found)
	}
}

func TestDiskRefusesKeysThatAreNotIDs(t *testing.T) {
	d := newDisk(t, t.TempDir())
	good := id.New("blob")
	for _, key := range []string{
		"", ".", "..", "../" + good, good + "/../x", "/etc/passwd", "tmp", "blob_", good[:len(good)-1],
		good + "0", strings.ToUpper(good), good + "\n", good + "\x00", "blob_" + strings.Repeat("/", 32), `..\` + good,
	} {
		_, putErr := d.Put(t.Context(), key, strings.NewReader("x"), 1)
		_, _, openErr := d.Open(t.Context(), key)
		for _, err := range []error{putErr, openErr, d.Delete(t.Context(), key)} {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("key %q: %v, want fault.Invalid", key, err)
			}
		}
	}
}

func TestDiskKeepsContentsAndDropsUnfinishedFilesWhenReopened(t *testing.T) {
	dir := t.TempDir()
	key := id.New("blob")
	if _, err := newDisk(t, dir).Put(t.Context(), key, strings.NewReader("kept"), 10); err != nil {
		t.Fatal(err)
	}
	unfinished := filepath.Join(dir, "tmp", "put-123")
	if err := os.WriteFile(unfinished, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDisk(t, dir)
	if _, err := os.Stat(unfinished); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the unfinished file: %v", err)
	}
	r, _, err := d.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || string(got) != "kept" {
		t.Errorf("content %q, %v", got, err)
	}
}

func TestDiskListsOnlyItsOwnFiles(t *testing.T) {
	dir := t.TempDir()
	d := newDisk(t, dir)
	for _, name := range []string{"README", "ab/notes.txt", "ab/" + strings.Repeat("0", 40)} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := d.List(t.Context(), func(key string, _ time.Time) error { t.Errorf("lists %s", key); return nil })
	if err != nil {
		t.Error(err)
	}
}

func TestNewDiskSaysWhenItCannot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := blob.NewDisk(file); err == nil {
		t.Error("a store in a file")
	}
}
