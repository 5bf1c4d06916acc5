package backup

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Source is an installation.
type Source struct {
	Store store.Options // of its database
	// Contents opens the contents of attachments in a place other than the database, as [store.Dump] names it.
	Contents func(place string) (Contents, io.Closer, error)
	Key      []byte
	Version  string // of Casehook
	// Progress is told what has been copied; nil: nobody is.
	Progress func(Progress)
}

// Contents are those of attachments, as [blob.Store] has them.
type Contents interface {
	Open(ctx context.Context, key string) (io.ReadCloser, int64, error)
}

// Step is a part of a backup.
type Step string

// The steps, in order.
const (
	StepTables      Step = "tables"
	StepAttachments Step = "attachments"
)

// Progress tells how far a backup or a restoration has come.
type Progress struct {
	Step  Step
	Done  int64 // bytes of tables, or attachments
	Total int64 // of them in all, about; 0: unknown
}

// Result tells what a backup cost.
type Result struct {
	Manifest Manifest
	Chunks   int   // that were written
	Written  int64 // bytes of them
}

// attempts is how often a backup is begun again because an attachment was deleted, or the place was pruned meanwhile.
const attempts = 3

// errMoved is the cause of an attempt that is worth another.
var errMoved = errors.New("it changed while the backup was made")

// Make makes a backup. Servers may use the installation meanwhile, and the place may have other backups.
func Make(ctx context.Context, from Source, to Place) (Result, error) {
	s, err := newSealer(from.Key)
	if err != nil {
		return Result{}, err
	}
	marker := running + time.Now().UTC().Format(idFormat)
	if err := to.Put(ctx, marker, nil); err != nil {
		return Result{}, err
	}
	defer func() { _ = to.Delete(context.WithoutCancel(ctx), marker) }() // an old marker is ignored
	for n := 1; ; n++ {
		b := &backup{Source: from, to: to, sealer: s, there: map[string]bool{}, used: map[string]bool{}}
		result, err := b.make(ctx)
		if err == nil || n == attempts || !errors.Is(err, errMoved) {
			return result, err
		}
	}
}

// backup is a backup that is being made.
type backup struct {
	Source
	sealer   *sealer
	to       Place
	previous Manifest // of the backup before; zero: there is none that can be read
	files    []string // keys of attachments in the tables
	puts     *errgroup.Group

	mu     sync.Mutex
	there  map[string]bool // chunks that the place has, or will have once puts is done
	used   map[string]bool // chunks that this backup needs
	result Result
}

func (b *backup) make(ctx context.Context) (Result, error) {
	if err := b.look(ctx); err != nil {
		return Result{}, err
	}
	group, writing := errgroup.WithContext(ctx)
	group.SetLimit(4) // a place far away takes longer for one chunk than it takes to make the next
	b.puts = group
	m, err := b.read(writing)
	if failed := group.Wait(); failed != nil {
		err = failed
	}
	if err == nil {
		err = b.finish(ctx, m)
	}
	return b.result, err
}

// look finds out what the place has.
func (b *backup) look(ctx context.Context) error {
	var err error
	if b.there, err = chunksAt(ctx, b.to); err != nil {
		return err
	}
	all, err := List(ctx, b.to)
	if err != nil || len(all) == 0 {
		return err
	}
	if b.previous, err = b.sealer.manifest(ctx, b.to, all[len(all)-1].ID); errors.Is(err, fault.Unavailable) {
		return err
	}
	return nil // without it, all attachments are read
}

// chunksAt returns the names of the chunks at a place.
func chunksAt(ctx context.Context, p Place) (map[string]bool, error) {
	there := map[string]bool{}
	for item, err := range p.List(ctx, chunks) {
		if err != nil {
			return nil, err
		}
		there[path.Base(item.Name)] = true
	}
	return there, nil
}

// read copies the tables, and then the attachments that they refer to.
func (b *backup) read(ctx context.Context) (m Manifest, err error) {
	dump, err := store.OpenDump(ctx, b.Store)
	if err != nil {
		return m, err
	}
	m = Manifest{
		Version: manifestVersion, At: time.Now().UTC().Truncate(time.Millisecond), Casehook: b.Version,
		Engine: dump.Engine, Schema: dump.Schema, Sequences: dump.Sequences,
	}
	for _, t := range dump.Tables {
		copied, n, err := b.table(ctx, dump, t, m.Bytes)
		if err != nil {
			return m, errors.Join(err, dump.Close())
		}
		m.Tables = append(m.Tables, copied)
		m.Bytes += n
	}
	contents, closer, err := b.contents(dump)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	m.Files, err = b.attachments(ctx, contents)
	m.Bytes += m.Files.Bytes
	return m, err
}

// contents returns the contents of attachments. Those that are in the database are read in the dump; otherwise it is
// closed, since attachments take long and need no transaction.
func (b *backup) contents(dump *store.Dump) (Contents, io.Closer, error) {
	if dump.Attachments == InDatabase || dump.Attachments == "" && dump.Engine == store.Postgres {
		return dump.Blobs(), dump, nil
	}
	if err := dump.Close(); err != nil {
		return nil, nil, err
	}
	return b.Contents(dump.Attachments)
}

// InDatabase is the place of attachments whose contents are in the database.
const InDatabase = "database"

// table copies the rows of a table, and returns how many bytes they have.
func (b *backup) table(ctx context.Context, dump *store.Dump, t store.Table, before int64) (Table, int64, error) {
	copied := Table{Name: t.Name, Columns: t.Columns}
	var size int64
	cut := cutter{full: func(chunk []byte) error {
		size += int64(len(chunk))
		b.progress(StepTables, before+size, b.previous.Bytes-b.previous.Files.Bytes)
		name, err := b.put(ctx, chunk)
		copied.Chunks = append(copied.Chunks, name)
		return err
	}}
	file := slices.IndexFunc(t.Columns, func(c store.Column) bool { return c.Name == "blob" })
	err := dump.Rows(ctx, t, func(row []any) error {
		copied.Rows++
		if file >= 0 {
			if key, _ := row[file].(string); key != "" {
				b.files = append(b.files, key)
			}
		}
		return cut.add(row)
	})
	if err == nil {
		err = cut.flush()
	}
	return copied, size, err
}

// put writes a chunk, unless the place has it, and returns its name.
func (b *backup) put(ctx context.Context, content []byte) (string, error) {
	name := b.sealer.chunkName(content)
	b.mu.Lock()
	known := b.there[name]
	b.there[name], b.used[name] = true, true
	b.mu.Unlock()
	if known {
		return name, ctx.Err()
	}
	object := chunkPath(name)
	sealed := b.sealer.seal(content, object)
	b.puts.Go(func() error {
		err := b.to.Put(ctx, object, sealed)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.result.Chunks++
		b.result.Written += int64(len(sealed))
		return err
	})
	return name, ctx.Err()
}

func (b *backup) progress(step Step, done, total int64) {
	if b.Progress != nil {
		b.Progress(Progress{step, done, max(total, 0)})
	}
}

// attachments copies the contents of the attachments that the tables refer to, and that the backup before lacks.
func (b *backup) attachments(ctx context.Context, from Contents) (f Files, err error) {
	slices.Sort(b.files)
	b.files = slices.Compact(b.files)
	cut := cutter{full: func(chunk []byte) error {
		name, err := b.put(ctx, chunk)
		f.Chunks = append(f.Chunks, name)
		return err
	}}
	next, stop := iter.Pull2(b.sealer.files(ctx, b.to, b.previous.Files))
	defer stop()
	known, err, more := next()
	for _, key := range b.files {
		for more && err == nil && known.key < key {
			known, err, more = next()
		}
		if err != nil {
			return f, err
		}
		one := known
		if !more || known.key != key || !b.has(known) {
			if one, err = b.attachment(ctx, from, key); err != nil {
				return f, err
			}
		}
		f.Count++
		f.Bytes += one.size
		b.progress(StepAttachments, f.Count, int64(len(b.files)))
		if err := cut.add(one.row()); err != nil {
			return f, err
		}
	}
	return f, cut.flush()
}

// has reports whether the place has all pieces of a file; then this backup uses them.
func (b *backup) has(f file) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := f.pieces()
	if slices.ContainsFunc(all, func(name string) bool { return !b.there[name] }) {
		return false
	}
	for _, name := range all {
		b.used[name] = true
	}
	return true
}

// piece is the size of all pieces of an attachment but the last, in bytes.
const piece = 4 << 20

// attachment copies the content of one attachment.
func (b *backup) attachment(ctx context.Context, from Contents, key string) (file, error) {
	content, size, err := from.Open(ctx, key)
	if errors.Is(err, fault.NotFound) {
		return file{}, fmt.Errorf("attachment %s: %w", key, errors.Join(errMoved, err))
	}
	if err != nil {
		return file{}, err
	}
	defer content.Close()
	f := file{key: key, size: size}
	buffer := make([]byte, min(piece, max(size, 1)))
	for left := size; left > 0; {
		part := buffer[:min(left, int64(len(buffer)))]
		if _, err := io.ReadFull(content, part); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return f, fmt.Errorf("attachment %s: %w", key, errors.Join(errMoved, err))
		} else if err != nil {
			return f, err
		}
		left -= int64(len(part))
		name, err := b.put(ctx, part)
		if err != nil {
			return f, err
		}
		raw, _ := hex.DecodeString(name) // chunkName made it
		f.names = append(f.names, raw...)
	}
	return f, nil
}

// finish writes the manifest, and checks that everything it needs is there: the place may have been pruned meanwhile.
func (b *backup) finish(ctx context.Context, m Manifest) error {
	content, err := json.Marshal(m)
	if err != nil {
		return err
	}
	name := manifests + m.ID()
	if err := b.to.Put(ctx, name, b.sealer.seal(content, name)); err != nil {
		return err
	}
	there, err := chunksAt(ctx, b.to)
	if err != nil {
		return err
	}
	for chunk := range b.used {
		if !there[chunk] {
			return errors.Join(fmt.Errorf("chunk %s: %w", chunk, errMoved), b.to.Delete(ctx, name))
		}
	}
	b.result.Manifest = m
	return nil
}

// file is an attachment in a backup.
type file struct {
	key   string
	size  int64  // bytes
	names []byte // of its pieces, 32 bytes each
}

func (f file) row() []any { return []any{f.key, f.size, f.names} }

func (f file) pieces() []string {
	var all []string
	for name := range slices.Chunk(f.names, 32) {
		all = append(all, hex.EncodeToString(name))
	}
	return all
}

// files reads a list of files, in the order of their keys.
func (s *sealer) files(ctx context.Context, p Place, list Files) iter.Seq2[file, error] {
	return func(yield func(file, error) bool) {
		for row, err := range s.rows(ctx, p, list.Chunks, func(int) {}) {
			var f file
			if err == nil {
				f, err = fileOf(row)
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

func fileOf(row []any) (f file, err error) {
	if len(row) != 3 {
		return f, errRow
	}
	var ok [3]bool
	f.key, ok[0] = row[0].(string)
	f.size, ok[1] = row[1].(int64)
	f.names, ok[2] = row[2].([]byte)
	if ok != [3]bool{true, true, true} || len(f.names)%32 != 0 {
		return f, errRow
	}
	f.names = bytes.Clone(f.names)
	return f, blob.CheckKey(f.key)
}

// rows reads the rows of chunks, one after the other. It calls read with the bytes of each.
func (s *sealer) rows(ctx context.Context, p Place, names []string, read func(bytes int)) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for _, name := range names {
			content, err := s.chunk(ctx, p, name)
			if err != nil {
				yield(nil, err)
				return
			}
			for row, err := range decodeRows(content) {
				if !yield(row, err) || err != nil {
					return
				}
			}
			read(len(content))
		}
	}
}
