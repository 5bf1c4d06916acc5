package backup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// archive is a place in one file, a tar archive, which is written from its beginning to its end and has one backup.
type archive struct {
	mu      sync.Mutex
	out     *tar.Writer
	written map[string]Item
}

// Archive is a place that is written to w. Close completes it.
type Archive interface {
	Place
	io.Closer
}

// NewArchive returns a place that is written to w as a tar archive.
func NewArchive(w io.Writer) Archive {
	return &archive{out: tar.NewWriter(w), written: map[string]Item{}}
}

func (a *archive) String() string { return "the archive" }

func (a *archive) Put(_ context.Context, name string, content []byte) error {
	if strings.HasPrefix(name, running) {
		return nil // an archive is pruned by nobody
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	item := Item{name, int64(len(content)), time.Now()}
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: item.Size, Mode: 0o600, ModTime: item.Modified.Truncate(time.Second),
	}
	err := a.out.WriteHeader(header)
	if err == nil {
		_, err = a.out.Write(content)
	}
	a.written[name] = item
	return failed(err, a.String())
}

func (a *archive) Get(_ context.Context, name string) ([]byte, error) {
	return nil, missing(name, a.String())
}

func (a *archive) List(_ context.Context, prefix string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		a.mu.Lock()
		defer a.mu.Unlock()
		for name, item := range a.written {
			if strings.HasPrefix(name, prefix) && !yield(item, nil) {
				return
			}
		}
	}
}

func (a *archive) Delete(_ context.Context, name string) error {
	if strings.HasPrefix(name, running) {
		return nil
	}
	return errors.New("backup: an archive has no room for changes")
}

func (a *archive) Close() error { return failed(a.out.Close(), a.String()) }

// opened is an archive that is read.
type opened struct {
	file  io.ReaderAt
	name  string
	parts map[string]part
}

type part struct {
	Item
	at int64
}

// OpenArchive opens an archive of a size in bytes. It reads the headers alone.
func OpenArchive(file io.ReaderAt, size int64, name string) (Place, error) {
	o := &opened{file: file, name: name, parts: map[string]part{}}
	section := io.NewSectionReader(file, 0, size)
	for in := tar.NewReader(section); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return o, nil
		}
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "backup.archive",
				"%s is no whole archive of a backup: %v.", name, err)
		}
		at, err := section.Seek(0, io.SeekCurrent) // where the content begins
		if err != nil {
			return nil, failed(err, name)
		}
		o.parts[header.Name] = part{Item{header.Name, header.Size, header.ModTime}, at}
	}
}

func (o *opened) String() string { return o.name }

func (o *opened) Get(_ context.Context, name string) ([]byte, error) {
	p, ok := o.parts[name]
	if !ok {
		return nil, missing(name, o.name)
	}
	if p.Size > largestObject {
		return nil, errDamaged(name, fmt.Errorf("it has %d bytes", p.Size))
	}
	content := make([]byte, p.Size)
	_, err := o.file.ReadAt(content, p.at)
	return content, failed(err, o.name)
}

func (o *opened) List(_ context.Context, prefix string) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for name, p := range o.parts {
			if strings.HasPrefix(name, prefix) && !yield(p.Item, nil) {
				return
			}
		}
	}
}

func (o *opened) Put(context.Context, string, []byte) error { return errReadOnly }

func (o *opened) Delete(context.Context, string) error { return errReadOnly }

var errReadOnly = errors.New("backup: an archive is only read")
