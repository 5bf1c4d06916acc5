package backup

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

var key = bytes.Repeat([]byte{7}, 32)

// installation is a database with a table of many rows, and attachments on a disk.
type installation struct {
	t     *testing.T
	path  string
	blobs *blob.Disk
}

func newInstallation(t *testing.T, rows int) *installation {
	t.Helper()
	dir := t.TempDir()
	i := &installation{t: t, path: filepath.Join(dir, "casehook.db")}
	s, err := store.Open(t.Context(), store.Options{Path: i.path, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if i.blobs, err = blob.NewDisk(filepath.Join(dir, "attachments")); err != nil {
		t.Fatal(err)
	}
	i.exec(`insert into tenants (id, key, name, created_at) values (1, 'default', 'Default', 1)`)
	i.exec(`with recursive n (n) as (select 1 union all select n + 1 from n where n < $1)
		insert into journal (tenant, subject, version, at, actor, facts, snapshot, callback)
		select 1, 'case/' || n, 1, n, '{}', '[]', hex(randomblob(500)), '' from n`, rows)
	return i
}

func (i *installation) exec(text string, args ...any) {
	i.t.Helper()
	db, err := sql.Open("sqlite", i.path)
	if err != nil {
		i.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(i.t.Context(), text, args...); err != nil {
		i.t.Fatal(err)
	}
}

// attach adds an attachment with a content.
func (i *installation) attach(n int, content []byte) string {
	i.t.Helper()
	name := fmt.Sprintf("blob_%032x", n)
	if _, err := i.blobs.Put(i.t.Context(), name, bytes.NewReader(content), 1<<30); err != nil {
		i.t.Fatal(err)
	}
	i.exec(`insert into attachments (id, tenant, case_id, sort, key, filename, media_type, blob, size, sha256, version,
		actor, at, clearance) values ($1, 1, 1, 'proof', 'k', 'f', 'm', $1, $2, '', 1, '{}', 1, 'PUBLIC')`,
		name, len(content))
	return name
}

func (i *installation) backup(p Place) Result {
	i.t.Helper()
	result, err := Make(i.t.Context(), Source{
		Store: store.Options{Path: i.path}, Contents: from(i.blobs), Key: key, Version: "test",
	}, p)
	if err != nil {
		i.t.Fatal(err)
	}
	return result
}

func openFolder(t *testing.T) (string, Place) {
	t.Helper()
	dir := t.TempDir()
	p, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, p
}

func check(ctx context.Context, p Place, id string) error {
	m, err := Find(ctx, p, key, id)
	if err != nil {
		return err
	}
	return Restoration{Place: p, Key: key, Manifest: m}.Check(ctx)
}

// A second backup writes only what is new, even if rows in the middle have changed, and does not read attachments again
// that the first one has.
func TestABackupCostsWhatIsNew(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, 20_000)
	kept := i.attach(1, bytes.Repeat([]byte("proof"), 2<<20))
	_, p := openFolder(t)
	first := i.backup(p)
	if first.Chunks < 15 {
		t.Fatalf("%d chunks are too few to show anything", first.Chunks)
	}
	i.exec(`update journal set snapshot = 'changed' where id = 10000`)
	i.exec(`insert into journal (tenant, subject, version, at, actor, facts, snapshot, callback)
		values (1, 'case/1', 2, 2, '{}', '[]', 'new', '')`)
	if err := i.blobs.Delete(t.Context(), kept); err != nil { // if it were read again, the backup would fail
		t.Fatal(err)
	}
	i.attach(2, []byte("another"))
	second := i.backup(p)
	// Of the journal the chunk with the changed row, perhaps the one behind it, and the last; of the other tables one
	// each; one attachment; the list of attachments.
	if second.Chunks > 7 {
		t.Errorf("the second backup wrote %d chunks of %d", second.Chunks, first.Chunks)
	}
	for _, m := range []Manifest{first.Manifest, second.Manifest} {
		if err := check(t.Context(), p, m.ID()); err != nil {
			t.Error(err)
		}
	}
	if again := i.backup(p); again.Chunks != 0 {
		t.Errorf("a backup of the same wrote %d chunks", again.Chunks)
	}
}

// A part of a backup that is missing, exchanged, cut or altered is noticed before anything is replaced.
func TestADamagedBackupIsNoticed(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, 3000)
	i.attach(1, []byte("proof"))
	dir, p := openFolder(t)
	id := i.backup(p).Manifest.ID()
	files := map[string][]byte{}
	for item, err := range p.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		content, err := p.Get(t.Context(), item.Name)
		if err != nil {
			t.Fatal(err)
		}
		files[item.Name] = content
	}
	if len(files) < 6 {
		t.Fatalf("%d files are too few to show anything", len(files))
	}
	other := slices.Sorted(maps.Keys(files))
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		for how, damage := range map[string][]byte{
			"cut":        content[:len(content)-1],
			"empty":      {},
			"altered":    append(slices.Clone(content[:len(content)-1]), content[len(content)-1]^1),
			"exchanged":  files[other[(slices.Index(other, name)+1)%len(other)]],
			"is missing": nil,
		} {
			if damage == nil {
				os.Remove(path)
			} else if err := os.WriteFile(path, damage, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := check(t.Context(), p, id); err == nil {
				t.Errorf("%s %s, and the backup is whole", name, how)
			}
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := check(t.Context(), p, id); err != nil {
		t.Error(err)
	}
	if _, err := Find(t.Context(), p, bytes.Repeat([]byte{8}, 32), ""); !errors.Is(err, fault.Invalid) {
		t.Errorf("with another key: %v", err)
	}
}

// Nothing of what is backed up can be read in the place.
func TestABackupIsSealed(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, 10)
	i.attach(1, []byte("a proof that nobody reads"))
	i.exec(`update journal set snapshot = 'a snapshot that nobody reads'`)
	dir, p := openFolder(t)
	i.backup(p)
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range []string{"nobody reads", "casehook", "journal", "default"} {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s contains %q", path, text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Prune removes old backups and what they alone needed, never the newest one, and no chunk while a backup is made.
func TestPruneKeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, 2000)
	i.attach(1, []byte("kept"))
	_, p := openFolder(t)
	old := i.backup(p).Manifest
	i.exec(`update journal set snapshot = 'x' || id`)
	newest := i.backup(p).Manifest

	busy := running + time.Now().UTC().Format(idFormat)
	if err := p.Put(t.Context(), busy, nil); err != nil {
		t.Fatal(err)
	}
	done, err := Prune(t.Context(), p, key, newest.At)
	if err != nil || done.Backups != 1 || done.Chunks != 0 {
		t.Errorf("while a backup is made: %+v, %v", done, err)
	}
	if err := p.Delete(t.Context(), busy); err != nil {
		t.Fatal(err)
	}
	done, err = Prune(t.Context(), p, key, newest.At.Add(time.Hour))
	if err != nil || done.Backups != 0 || done.Chunks == 0 {
		t.Errorf("afterwards: %+v, %v", done, err)
	}
	if err := check(t.Context(), p, newest.ID()); err != nil {
		t.Error(err)
	}
	if err := check(t.Context(), p, old.ID()); !errors.Is(err, fault.NotFound) {
		t.Errorf("the old backup: %v", err)
	}
	if done, err := Prune(t.Context(), p, bytes.Repeat([]byte{8}, 32), newest.At); err == nil || done != (Pruned{}) {
		t.Errorf("with another key: %+v, %v", done, err)
	}
}

// An attachment that is deleted while the backup is made is in none that is made after it; it does not end the backup.
func TestAnAttachmentThatIsDeletedMeanwhileIsLeftOut(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, 1)
	gone := i.attach(1, []byte("gone"))
	i.attach(2, []byte("stays"))
	_, p := openFolder(t)
	deleting := contentsFunc(func(ctx context.Context, key string) (io.ReadCloser, int64, error) {
		if key == gone {
			i.exec(`delete from attachments where blob = $1`, gone)
			return nil, 0, fault.New(fault.NotFound, "blob.not_found", "It is gone.")
		}
		return i.blobs.Open(ctx, key)
	})
	made, err := Make(t.Context(), Source{Store: store.Options{Path: i.path}, Contents: from(deleting), Key: key}, p)
	if err != nil || made.Manifest.Files.Count != 1 {
		t.Errorf("%d attachments: %v", made.Manifest.Files.Count, err)
	}
}

// from returns the function that opens contents.
func from(c Contents) func(string) (Contents, io.Closer, error) {
	return func(string) (Contents, io.Closer, error) { return c, io.NopCloser(nil), nil }
}

type contentsFunc func(ctx context.Context, key string) (io.ReadCloser, int64, error)

func (f contentsFunc) Open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	return f(ctx, key)
}

// An archive is one backup, which can be read wherever it is.
func TestAnArchiveIsAPlace(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, 2000)
	i.attach(1, bytes.Repeat([]byte("x"), 5<<20))
	var file bytes.Buffer
	a := NewArchive(&file)
	m := i.backup(a).Manifest
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	opened, err := OpenArchive(bytes.NewReader(file.Bytes()), int64(file.Len()), "test.tar")
	if err != nil {
		t.Fatal(err)
	}
	if err := check(t.Context(), opened, m.ID()); err != nil {
		t.Error(err)
	}
	for _, cut := range []int{1, 600, file.Len() / 2} {
		if o, err := OpenArchive(bytes.NewReader(file.Bytes()[:cut]), int64(cut), "cut.tar"); err == nil {
			if err := check(t.Context(), o, ""); err == nil {
				t.Errorf("an archive of %d of %d bytes is whole", cut, file.Len())
			}
		} else if !strings.Contains(err.Error(), "no whole archive") {
			t.Errorf("%d bytes: %v", cut, err)
		}
	}
}
