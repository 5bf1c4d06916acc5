package server

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/casehook/casehook/internal/backup"
	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/bucket"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Backup makes a backup of an installation. Its servers may be running.
func Backup(ctx context.Context, c Config, to backup.Place, progress func(backup.Progress)) (backup.Result, error) {
	c = c.withDefaults()
	source, err := c.source()
	if err != nil {
		return backup.Result{}, err
	}
	source.Progress = progress
	return backup.Make(ctx, source, to)
}

// source returns what a backup is made of.
func (c Config) source() (backup.Source, error) {
	source := backup.Source{Version: c.Version, Store: c.storeOptions()}
	if err := c.needsDatabase(); err != nil {
		return source, err
	}
	source.Contents = c.contents
	var err error
	source.Key, err = c.key()
	return source, err
}

// contents opens the contents of attachments to read them, beside a server that uses them.
func (c Config) contents(place string) (backup.Contents, io.Closer, error) {
	if cmp.Or(place, c.usualPlace()) == placeDisk {
		return blob.ReadDisk(filepath.Join(c.Data, attachmentsName)), io.NopCloser(nil), nil
	}
	b, err := c.openBucket(place)
	if err != nil {
		return nil, nil, err
	}
	return blob.NewS3(b), b, nil
}

func (c Config) openBucket(address string) (*bucket.Bucket, error) {
	parsed, err := bucket.Parse(address)
	if err != nil {
		return nil, err
	}
	return bucket.Open(parsed, c.Environment)
}

// storeOptions returns the options for the database, without its key.
func (c Config) storeOptions() store.Options {
	return store.Options{URL: c.Database, Path: filepath.Join(c.Data, fileName), Log: c.Log}
}

// BackupKey returns the key with which backups are sealed. It makes none.
func BackupKey(c Config) ([]byte, error) {
	c = c.withDefaults()
	if c.Key == "" && c.KeyFile == "" && c.Database == "" {
		if _, err := os.Stat(filepath.Join(c.Data, keyName)); errors.Is(err, fs.ErrNotExist) {
			return nil, invalid("key_missing",
				"Backups are sealed with the key of the installation, and %s has none. Name your copy of it with "+
					"--key-file: with SQLite it is the file %s of the data folder.", c.Data, keyName)
		}
	}
	return c.key()
}

// OpenPlace opens the place to which backups are written: a folder, which is made if it is missing, or a bucket
// (s3://...), with credentials from variables.
func OpenPlace(to string, getenv func(string) string) (backup.Place, io.Closer, error) {
	if !isBucket(to) {
		place, err := backup.OpenFolder(to)
		return place, io.NopCloser(nil), err
	}
	b, err := Config{Environment: getenv}.openBucket(to)
	if err != nil {
		return nil, nil, err
	}
	return backup.OpenBucket(b), b, nil
}

func isBucket(text string) bool { return strings.HasPrefix(text, "s3:") }

// OpenBackups opens what has backups: a folder or a bucket, or an archive, whose name ends in .tar.
func OpenBackups(from string, getenv func(string) string) (backup.Place, io.Closer, error) {
	if isBucket(from) {
		return OpenPlace(from, getenv)
	}
	if !strings.HasSuffix(from, archiveEnd) {
		if info, err := os.Stat(from); err != nil || !info.IsDir() {
			return nil, nil, fault.New(fault.Invalid, "backup.folder",
				"%s is no folder of backups. An archive of one backup has a name that ends in %s.", from, archiveEnd)
		}
		return OpenPlace(from, getenv)
	}
	file, err := os.Open(from)
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "backup.archive", "The archive %s can't be read.", from)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	place, err := backup.OpenArchive(file, info.Size(), from)
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return place, file, nil
}

// archiveEnd is the end of the name of a file that has one backup.
const archiveEnd = ".tar"
