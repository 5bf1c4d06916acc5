package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/casehook/casehook/internal/backup"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

const (
	attachmentsName = "attachments"       // in the data directory
	restoringName   = "restoring"         // in the data directory: what is restored, until it is whole
	replacedName    = "before-restore-%s" // in the data directory: what a restored backup replaced
)

// Restoration says what to restore.
type Restoration struct {
	From     backup.Place
	ID       string // of the backup; empty: the newest one
	Replace  bool   // an existing database is replaced, and kept
	Progress func(backup.Progress)
}

// Restored tells what was restored.
type Restored struct {
	Manifest backup.Manifest
	Replaced string // where the replaced database is: a folder, or a schema of PostgreSQL; empty: there was none
	Key      string // the file to which the key was written; empty: it was there
}

// Restore puts a backup in place of an installation's database and attachments, or where there is none. It reads and
// checks the whole backup first; until the end, nothing is replaced. No server may use the database.
func Restore(ctx context.Context, c Config, r Restoration) (Restored, error) {
	c = c.withDefaults()
	key, err := BackupKey(c)
	if err != nil {
		return Restored{}, err
	}
	manifest, err := backup.Find(ctx, r.From, key, r.ID)
	if err != nil {
		return Restored{}, err
	}
	one := restoration{
		Restoration: backup.Restoration{Place: r.From, Key: key, Manifest: manifest, Progress: r.Progress},
		config:      c,
		replace:     r.Replace,
	}
	if c.Database != "" {
		return one.database(ctx)
	}
	return one.folder(ctx)
}

// restoration restores one backup.
type restoration struct {
	backup.Restoration
	config  Config
	replace bool
}

// folder restores into the data directory.
func (r restoration) folder(ctx context.Context) (done Restored, err error) {
	dir := r.config.Data
	lock, err := lockData(dir)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if r.config.needsDatabase() == nil && !r.replace {
		return done, errOccupied("The data directory " + dir)
	}
	fresh := filepath.Join(dir, restoringName)
	if err := os.RemoveAll(fresh); err != nil { // of an interrupted restoration
		return done, fmt.Errorf("removing an unfinished restoration: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return done, fmt.Errorf("making the folder of the restoration: %w", err)
	}
	if err := r.load(ctx, store.Options{Path: filepath.Join(fresh, fileName)}, nil); err != nil {
		return done, errors.Join(err, os.RemoveAll(fresh))
	}
	done.Manifest = r.Manifest
	if done.Replaced, err = setAside(dir); err != nil {
		return done, err
	}
	if err := syncFile(filepath.Join(fresh, fileName)); err != nil {
		return done, err
	}
	for _, name := range []string{attachmentsName, fileName, fileName + "-closed"} {
		err := os.Rename(filepath.Join(fresh, name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return done, fmt.Errorf("moving %s to its place: %w", name, err)
		}
	}
	path := filepath.Join(dir, keyName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		done.Key = path
		if err := writeKey(path, r.Key); err != nil {
			return done, err
		}
	}
	if err := syncDir(dir); err != nil {
		return done, err
	}
	return done, os.RemoveAll(fresh) // until then, no server starts
}

// syncFile makes a file durable that was written without haste.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// setAside moves what a data directory has into a folder of its own, and returns its name; empty: it had nothing.
func setAside(dir string) (string, error) {
	aside := filepath.Join(dir, fmt.Sprintf(replacedName, time.Now().UTC().Format("20060102T150405Z")))
	moved := false
	for _, name := range []string{
		fileName, fileName + "-wal", fileName + "-shm", fileName + "-closed", attachmentsName,
	} {
		path := filepath.Join(dir, name)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.MkdirAll(aside, 0o700); err != nil {
			return "", fmt.Errorf("setting the database aside: %w", err)
		}
		if err := os.Rename(path, filepath.Join(aside, name)); err != nil {
			return "", fmt.Errorf("setting the database aside: %w", err)
		}
		moved = true
	}
	if !moved {
		return "", nil
	}
	return aside, nil
}

// database restores into PostgreSQL.
func (r restoration) database(ctx context.Context) (done Restored, err error) {
	o := r.config.storeOptions()
	occupied, err := store.Occupied(ctx, o)
	if err == nil && occupied && !r.replace {
		err = errOccupied("The database")
	}
	if err != nil {
		return done, err
	}
	done.Manifest = r.Manifest
	err = r.load(ctx, o, func(l *store.Loader) (err error) {
		done.Replaced, err = l.Publish(ctx)
		return err
	})
	return done, err
}

func errOccupied(where string) error {
	return fault.New(fault.Conflict, "restore.occupied",
		"%s has cases already. Restore beside it, into another --data or --database, or replace it with --replace: it "+
			"is set aside then, and can be put back.", where)
}

// load makes a database of the backup, checks it as a server does that starts, and publishes it. On failure nothing
// of it is left.
func (r restoration) load(ctx context.Context, o store.Options, publish func(*store.Loader) error) (err error) {
	o.Key, o.Log = r.Key, r.config.Log
	l, err := store.NewLoader(ctx, o, r.Manifest.Schema)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.Discard(ctx))
			return
		}
		err = l.Close()
	}()
	if err := r.LoadTables(ctx, l); err != nil {
		return err
	}
	if err := r.open(ctx, l); err != nil {
		return err
	}
	if publish == nil {
		return nil
	}
	return publish(l)
}

// open opens the loaded database as a server does, which brings it up to date, and loads the attachments.
func (r restoration) open(ctx context.Context, l *store.Loader) (err error) {
	o, err := l.Options()
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	s := &Server{config: r.config, store: st}
	s.opened.add(st)
	defer func() { err = errors.Join(err, s.opened.Close()) }()
	place, err := r.config.place()
	if err != nil {
		return err
	}
	if _, err := st.ClaimAttachmentPlace(ctx, place); err != nil {
		return err
	}
	if r.config.Database == "" {
		s.config.Data = filepath.Dir(o.Path) // where contents on disk are until they are moved to their place
	}
	into, err := s.openPlace(ctx, place, true)
	if err != nil {
		return err
	}
	return r.LoadAttachments(ctx, into)
}
