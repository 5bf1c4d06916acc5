package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Disk is a Store in a directory of its own. One process at a time may use it, unless it is shared.
//
// Contents are files in 256 subdirectories, named by the end of the key, which is random; its beginning is a time.
// They are written in the subdirectory tmp and moved to their place when they are safely on the disk.
type Disk struct {
	dir    string
	shared bool
	mu     sync.Mutex // locked from the check whether a key is taken until it is
}

const tmpDir = "tmp"

// NewDisk opens the store in dir, and creates dir if necessary. It removes unfinished files of the
// last process.
func NewDisk(dir string) (*Disk, error) {
	tmp := filepath.Join(dir, tmpDir)
	if err := os.RemoveAll(tmp); err != nil {
		return nil, fmt.Errorf("blob: removing unfinished files: %w", err)
	}
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &Disk{dir: dir}, nil
}

// unfinishedAge is the age from which a file in tmp of a shared directory belongs to no upload.
const unfinishedAge = 24 * time.Hour

// NewSharedDisk opens the store in a directory that several processes use at once, perhaps on several machines. Its
// file system has to have hard links, by which of several that put the same key one wins. It removes unfinished files
// of a day ago.
func NewSharedDisk(dir string) (*Disk, error) {
	tmp := filepath.Join(dir, tmpDir)
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	unfinished, err := os.ReadDir(tmp)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	for _, file := range unfinished {
		if info, err := file.Info(); err == nil && time.Since(info.ModTime()) > unfinishedAge {
			os.Remove(filepath.Join(tmp, file.Name())) // or the next start does
		}
	}
	return &Disk{dir: dir, shared: true}, nil
}

// ReadDisk opens the store in dir to read it beside the process that uses it.
func ReadDisk(dir string) *Disk { return &Disk{dir: dir} }

// Put implements [Store].
func (d *Disk) Put(ctx context.Context, key string, r io.Reader, limit int64) (Info, error) {
	if err := CheckKey(key); err != nil {
		return Info{}, err
	}
	tmp, err := os.CreateTemp(filepath.Join(d.dir, tmpDir), "put-*") // mode 0600
	if err != nil {
		return Info{}, failed(err, "making a file")
	}
	defer os.Remove(tmp.Name()) // does nothing once the file has moved
	info, err := copyHashed(tmp, reader{ctx, r}, limit)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return Info{}, failed(err, "writing "+key)
	}
	if err := d.publish(tmp.Name(), key); err != nil {
		return Info{}, err
	}
	return info, nil
}

// publish moves a finished file to its place, and makes the move durable.
func (d *Disk) publish(tmp, key string) error {
	path := d.path(key)
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := os.Lstat(path); err == nil {
		return fault.New(fault.Conflict, "blob.exists", "The file %s exists already.", key)
	}
	err := os.Mkdir(filepath.Dir(path), 0o700)
	switch {
	case err == nil:
		err = syncDir(d.dir)
	case errors.Is(err, fs.ErrExist):
		err = nil
	}
	if err != nil {
		return failed(err, "publishing "+key)
	}
	if err := d.move(tmp, path); errors.Is(err, fs.ErrExist) {
		return fault.New(fault.Conflict, "blob.exists", "The file %s exists already.", key)
	} else if err != nil {
		return failed(err, "publishing "+key)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		os.Remove(path)
		return failed(err, "publishing "+key)
	}
	return nil
}

// move moves a finished file to its place. In a shared directory it fails if another process has put the key.
func (d *Disk) move(tmp, path string) error {
	if d.shared {
		return os.Link(tmp, path) // Put removes the first name
	}
	return os.Rename(tmp, path)
}

// failed wraps an error. If the disk is full, the detail gives advice.
func failed(err error, doing string) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return fault.Wrap(err, fault.Unavailable, "blob.full",
				"The disk that holds the attachments is full. Nothing was saved; free some space there, and try again.")
		}
	}
	return fmt.Errorf("blob: %s: %w", doing, err)
}

// Open implements [Store].
func (d *Disk) Open(_ context.Context, key string) (io.ReadCloser, int64, error) {
	if err := CheckKey(key); err != nil {
		return nil, 0, err
	}
	f, err := os.Open(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, fault.Wrap(err, fault.NotFound, "blob.not_found", "There is no file %s.", key)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("blob: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("blob: %w", err)
	}
	return f, info.Size(), nil
}

// Delete implements [Store].
func (d *Disk) Delete(_ context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := os.Remove(d.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob: %w", err)
	}
	return nil
}

// List implements [Store].
func (d *Disk) List(ctx context.Context, each func(key string, modified time.Time) error) error {
	shards, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	for _, shard := range shards {
		if shard.Name() == tmpDir || !shard.IsDir() {
			continue
		}
		if err := d.listShard(ctx, shard.Name(), each); err != nil {
			return err
		}
	}
	return nil
}

func (d *Disk) listShard(ctx context.Context, shard string, each func(key string, modified time.Time) error) error {
	files, err := os.ReadDir(filepath.Join(d.dir, shard))
	if err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		key := file.Name()
		if CheckKey(key) != nil || shardOf(key) != shard {
			continue // not one of our files
		}
		info, err := file.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return fmt.Errorf("blob: %w", err)
		}
		if err := each(key, info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

func (d *Disk) path(key string) string { return filepath.Join(d.dir, shardOf(key), key) }

// shardOf returns the last two hexadecimal digits of a valid key.
func shardOf(key string) string { return key[len(key)-2:] }

// copyHashed copies r to w until it ends or exceeds limit bytes.
func copyHashed(w io.Writer, r io.Reader, limit int64) (Info, error) {
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, hash), io.LimitReader(r, limit))
	if err != nil {
		return Info{}, err
	}
	if n == limit {
		switch _, err := io.ReadFull(r, make([]byte, 1)); err {
		case io.EOF:
		case nil:
			return Info{}, fault.New(fault.TooLarge, "blob.too_large",
				"The file is larger than the limit of %d bytes. Send a smaller one.", limit)
		default:
			return Info{}, err
		}
	}
	return Info{Size: n, SHA256: [32]byte(hash.Sum(nil))}, nil
}

// reader fails when ctx has ended.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}

// syncDir makes changes of a directory's entries durable. Windows has no such call and needs none.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
