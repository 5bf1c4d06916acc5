package backup

import (
	"context"
	"path"
	"slices"
	"time"
)

// Pruned tells what Prune removed.
type Pruned struct {
	Backups int
	Chunks  int
	Bytes   int64
}

const (
	// forgotten is how old the mark of a running backup may be. Older ones were left behind by a process that died.
	forgotten = 24 * time.Hour
	// batch is how many chunks are removed before Prune looks for a running backup again.
	batch = 100
)

// Prune removes the backups that were made before a time, but never the newest one, and all chunks that no backup
// needs. It removes no chunk while a backup is being made, or if it can't read a manifest.
func Prune(ctx context.Context, p Place, key []byte, before time.Time) (done Pruned, err error) {
	s, err := newSealer(key)
	if err != nil {
		return done, err
	}
	var found []Item
	for item, err := range p.List(ctx, chunks) { // before the manifests, so that none is newer than they are
		if err != nil {
			return done, err
		}
		found = append(found, item)
	}
	all, err := List(ctx, p)
	if err != nil || len(all) == 0 {
		return done, err
	}
	last := len(all) - 1
	kept := slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return e.At.Before(before) && e != all[last] })
	needed, err := s.needed(ctx, p, kept)
	if err != nil {
		return done, err
	}
	for _, e := range all {
		if slices.Contains(kept, e) {
			continue
		}
		if err := p.Delete(ctx, manifests+e.ID); err != nil {
			return done, err
		}
		done.Backups++
	}
	for part := range slices.Chunk(found, batch) {
		if busy, err := busy(ctx, p); busy || err != nil {
			return done, err
		}
		for _, item := range part {
			if needed[path.Base(item.Name)] {
				continue
			}
			if err := p.Delete(ctx, item.Name); err != nil {
				return done, err
			}
			done.Chunks++
			done.Bytes += item.Size
		}
	}
	return done, nil
}

// needed returns the chunks that backups need.
func (s *sealer) needed(ctx context.Context, p Place, backups []Entry) (map[string]bool, error) {
	needed := map[string]bool{}
	for _, e := range backups {
		m, err := s.manifest(ctx, p, e.ID)
		if err != nil {
			return nil, err
		}
		for _, t := range m.Tables {
			for _, name := range t.Chunks {
				needed[name] = true
			}
		}
		fresh := false // a list of files that was seen has no new pieces
		for _, name := range m.Files.Chunks {
			fresh = fresh || !needed[name]
			needed[name] = true
		}
		if !fresh {
			continue
		}
		for f, err := range s.files(ctx, p, m.Files) {
			if err != nil {
				return nil, err
			}
			for _, name := range f.pieces() {
				needed[name] = true
			}
		}
	}
	return needed, nil
}

// busy reports whether a backup is being made.
func busy(ctx context.Context, p Place) (bool, error) {
	for item, err := range p.List(ctx, running) {
		if err != nil {
			return false, err
		}
		if at, err := time.Parse(idFormat, path.Base(item.Name)); err == nil && time.Since(at) < forgotten {
			return true, nil
		}
	}
	return false, nil
}
