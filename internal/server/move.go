package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/store"
)

// AttachmentMove is a move of the contents of attachments to another place.
type AttachmentMove struct {
	To       string             // disk, database, or the address of a bucket
	Keep     bool               // nothing is deleted at the old place
	Progress func(MoveProgress) // is called at the beginning and after each content; nil: it is not
}

// MoveProgress tells how far a move is.
type MoveProgress struct {
	Contents, AllContents int64
	Bytes, AllBytes       int64
	Present               int64 // of Contents, those that the new place had already
}

// MoveReport is the outcome of a move.
type MoveReport struct {
	From, To string // equal: they were there already
	Progress MoveProgress
	Deleted  int64 // contents at the old place
}

const (
	movePage     = 500 // contents whose rows are read at once
	moveAtOnce   = 4   // contents that are copied at once
	mostReported = 10  // broken contents that an error names
)

// MoveAttachments copies the contents of attachments to another place, records that they are there, and deletes them at
// the old one. No server may run. It can be cut off at any point and repeated: from its first step on no server starts,
// until all is copied and has been read back.
func MoveAttachments(ctx context.Context, c Config, m AttachmentMove) (report MoveReport, err error) {
	to, err := readPlace("to", m.To)
	if err != nil {
		return report, err
	}
	s := &Server{config: c.withDefaults(), metrics: observe.New(c.Version)}
	if err := s.config.needsDatabase(); err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, s.opened.Close()) }()
	if _, err = s.openStore(ctx); err != nil {
		return report, err
	}
	if m.Progress == nil {
		m.Progress = func(MoveProgress) {}
	}
	move := &move{server: s, store: s.store, options: m, report: MoveReport{To: to}}
	err = move.run(ctx)
	return move.report, err
}

// move is a move under way.
type move struct {
	server   *Server
	store    *store.Store
	options  AttachmentMove
	recorded store.AttachmentPlace

	mu     sync.Mutex // guards the rest
	report MoveReport
	broken []string // contents that are missing or damaged at the old place
}

func (m *move) run(ctx context.Context) (err error) {
	to := m.report.To
	if m.recorded, err = m.server.recordedPlace(ctx, m.server.config.usualPlace()); err != nil {
		return err
	}
	m.report.From = m.recorded.Place
	if m.recorded.Target != "" && m.recorded.Target != to && m.recorded.Place != to {
		return fault.New(fault.Conflict, "config.attachments_moving",
			"A move to %s is not finished. Finish it with --to '%s', or go back with --to '%s' first.",
			m.recorded.Target, m.recorded.Target, m.recorded.Place)
	}
	if err := m.alone(ctx); err != nil {
		return err
	}
	if m.recorded.Place == to && m.recorded.Target != "" { // back: what was copied is deleted again
		if err := m.record(ctx, store.AttachmentPlace{Place: to, Former: m.recorded.Target}); err != nil {
			return err
		}
	}
	if m.recorded.Former != to {
		if err := m.empty(ctx); err != nil {
			return err
		}
	}
	if m.recorded.Place == to {
		return nil
	}
	return m.carryOut(ctx)
}

// carryOut copies all contents, switches, and deletes them at the old place.
func (m *move) carryOut(ctx context.Context) error {
	from, err := m.server.openPlace(ctx, m.recorded.Place, false)
	if err != nil {
		return err
	}
	to, err := m.server.openPlace(ctx, m.report.To, true)
	if err != nil {
		return err
	}
	if err := m.record(ctx, store.AttachmentPlace{Place: m.recorded.Place, Target: m.report.To}); err != nil {
		return err
	}
	if err := m.copyAll(ctx, from, to); err != nil {
		return err
	}
	if err := m.alone(ctx); err != nil {
		return err
	}
	if err := m.record(ctx, store.AttachmentPlace{Place: m.report.To, Former: m.recorded.Place}); err != nil {
		return err
	}
	return m.empty(ctx)
}

// record records a change of the place.
func (m *move) record(ctx context.Context, to store.AttachmentPlace) error {
	if to == m.recorded {
		return nil
	}
	err := m.store.MoveAttachmentPlace(ctx, m.recorded, to)
	if err == nil {
		m.recorded = to
	}
	return err
}

// alone returns an error if a server runs, which would go on writing to the old place.
func (m *move) alone(ctx context.Context) error {
	nodes, err := m.store.LiveNodes(ctx)
	if err == nil && nodes > 0 {
		err = fault.New(fault.Conflict, "config.attachments_in_use",
			"Servers that use this database run: %d. Stop all of them, and repeat the command.", nodes)
	}
	return err
}

// copyAll copies the contents that rows refer to.
func (m *move) copyAll(ctx context.Context, from, to blob.Store) (err error) {
	progress := &m.report.Progress
	if progress.AllContents, progress.AllBytes, err = m.store.CountContents(ctx); err != nil {
		return err
	}
	m.options.Progress(*progress)
	for after, more := "", true; more; {
		page, err := m.store.Contents(ctx, after, movePage)
		if err != nil {
			return err
		}
		group, limited := errgroup.WithContext(ctx)
		group.SetLimit(moveAtOnce)
		for _, content := range page {
			if content.Blob == after {
				continue // two rows have it
			}
			after = content.Blob
			group.Go(func() error { return m.copy(limited, from, to, content) })
		}
		if err := group.Wait(); err != nil {
			return fmt.Errorf("copying attachments; repeat the command to go on where it stopped: %w", err)
		}
		more = len(page) == movePage
	}
	return m.brokenError()
}

// copy copies one content.
func (m *move) copy(ctx context.Context, from, to blob.Store, content store.Content) error {
	want := blob.Info{Size: content.Size}
	hash, err := hex.DecodeString(content.SHA256)
	copied := false
	if err == nil && len(hash) == len(want.SHA256) {
		want.SHA256 = [32]byte(hash)
		copied, err = blob.Copy(ctx, from, to, content.Blob, want)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch code := fault.As(err).Code; {
	case err != nil && (code == "blob.not_found" || code == "blob.damaged"):
		m.broken = append(m.broken, content.Blob)
		return nil
	case err != nil:
		return err
	case !copied:
		m.report.Progress.Present++
	}
	m.report.Progress.Contents++
	m.report.Progress.Bytes += content.Size
	m.options.Progress(m.report.Progress)
	return nil
}

// brokenError returns an error that names contents which could not be copied.
func (m *move) brokenError() error {
	if len(m.broken) == 0 {
		return nil
	}
	some := m.broken[:min(len(m.broken), mostReported)]
	return fault.New(fault.Unprocessable, "config.attachments_broken",
		"%d contents are missing or damaged in %s (%s). All others are copied. Restore these from a backup, and "+
			"repeat the command. Or go back with --to '%s', start the server, and delete the attachments.",
		len(m.broken), m.recorded.Place, strings.Join(some, ", "), m.recorded.Place)
}

// empty deletes the contents at the former place, if there is one: all that List shows, since leftovers are of no use
// there. If the former place and the present one are the same under two names, it deletes nothing.
func (m *move) empty(ctx context.Context) error {
	if m.recorded.Former == "" {
		return nil
	}
	if !m.options.Keep {
		if err := m.deleteFormer(ctx); err != nil {
			return fmt.Errorf("deleting attachments in %s, from where they were moved; servers may run meanwhile with "+
				"--attachments '%s'; the same command deletes the rest: %w", m.recorded.Former, m.recorded.Place, err)
		}
	}
	return m.record(ctx, store.AttachmentPlace{Place: m.recorded.Place})
}

func (m *move) deleteFormer(ctx context.Context) error {
	former, err := m.server.openPlace(ctx, m.recorded.Former, false)
	if err != nil {
		return err
	}
	present, err := m.server.openPlace(ctx, m.recorded.Place, false)
	if err != nil {
		return err
	}
	if same, err := samePlace(ctx, former, present); err != nil || same {
		return err
	}
	return former.List(ctx, func(key string, _ time.Time) error {
		err := former.Delete(ctx, key)
		if err == nil {
			m.report.Deleted++
		}
		return err
	})
}

// samePlace reports whether what is put into one store is in the other.
func samePlace(ctx context.Context, one, other blob.Store) (bool, error) {
	key := id.New("blob")
	if _, err := one.Put(ctx, key, strings.NewReader("probe"), 10); err != nil {
		return false, err
	}
	r, _, err := other.Open(ctx, key)
	same := err == nil
	switch {
	case same:
		err = r.Close()
	case errors.Is(err, fault.NotFound):
		err = nil
	}
	return same, errors.Join(err, one.Delete(ctx, key))
}
