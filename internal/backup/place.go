package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Place is where backups are kept: objects under names such as chunks/3f/3f9a. An object is written as a whole.
type Place interface {
	// Put writes an object, and replaces one of the same name. It is durable when Put returns.
	Put(ctx context.Context, name string, content []byte) error
	// Get fails with fault.NotFound if there is no such object.
	Get(ctx context.Context, name string) ([]byte, error)
	// List returns the objects whose names begin with prefix, which ends with a slash.
	List(ctx context.Context, prefix string) iter.Seq2[Item, error]
	// Delete removes an object. A missing one is no error.
	Delete(ctx context.Context, name string) error
	// String names the place in messages, without secrets.
	String() string
}

// Item is an object in a list.
type Item struct {
	Name     string
	Size     int64 // bytes
	Modified time.Time
}

// folder is a place on a disk.
type folder struct{ dir string }

// OpenFolder opens a place in a folder, which is made, for its owner alone, if it is missing.
func OpenFolder(dir string) (Place, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "backup.folder", "The folder %s can't be made: %v.", dir, err)
	}
	return folder{dir}, nil
}

func (f folder) String() string { return f.dir }

func (f folder) path(name string) string { return filepath.Join(f.dir, filepath.FromSlash(name)) }

// Put writes a file beside the place, and moves it there when it is safely on the disk.
func (f folder) Put(_ context.Context, name string, content []byte) error {
	path := f.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return failed(err, f.dir)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".put-*") // mode 0600
	if err != nil {
		return failed(err, f.dir)
	}
	defer os.Remove(tmp.Name()) // does nothing once the file has moved
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	return failed(err, f.dir)
}

func failed(err error, place string) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(err, fault.Unavailable, "backup.place", "The backups at %s can't be written or read.", place)
}

func (f folder) Get(_ context.Context, name string) ([]byte, error) {
	content, err := os.ReadFile(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(name, f.dir)
	}
	return content, failed(err, f.dir)
}

func missing(name, place string) error {
	return fault.New(fault.NotFound, "backup.missing", "The backups at %s lack %s.", place, name)
}

func (f folder) List(ctx context.Context, prefix string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		err := filepath.WalkDir(f.path(prefix), func(path string, entry fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".put-") {
				return err
			}
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile
			}
			if err != nil {
				return err
			}
			name, err := filepath.Rel(f.dir, path)
			if err == nil && !yield(Item{filepath.ToSlash(name), info.Size(), info.ModTime()}, nil) {
				err = fs.SkipAll
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			yield(Item{}, failed(err, f.dir))
		}
	}
}

func (f folder) Delete(_ context.Context, name string) error {
	if err := os.Remove(f.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return failed(err, f.dir)
	}
	return nil
}

// syncDir makes changes of a directory's entries durable, where the system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("opening %s: %w", dir, err)
	}
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return errors.Join(err, d.Close())
	}
	return d.Close()
}
