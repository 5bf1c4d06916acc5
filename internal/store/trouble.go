package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// trouble is a fault that keeps the database from saving changes until somebody repairs it: a full disk, or one that
// fails. It is logged when it begins and when it ends, however many changes fail in between.
type trouble struct {
	log *slog.Logger

	mu     sync.Mutex
	now    error // nil: there is none
	logged time.Time
}

// troubleEvery is how often recurring trouble is logged: on a disk that is almost full, small changes succeed in
// between.
const troubleEvery = time.Minute

// note updates the trouble after the outcome of a transaction.
func (t *trouble) note(err error) {
	lasting := isTrouble(err)
	if err != nil && !lasting {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case lasting && t.now == nil && time.Since(t.logged) > troubleEvery:
		t.logged = time.Now()
		t.log.Error("the database takes no changes: "+fault.As(err).Detail, "code", fault.As(err).Code, "error",
			errors.Unwrap(fault.As(err)))
	case !lasting && t.now != nil:
		t.log.Debug("the database takes changes again")
	}
	t.now = nil
	if lasting {
		t.now = err
	}
}

func (t *trouble) current() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

func isTrouble(err error) bool {
	switch fault.As(err).Code {
	case codeFull, codeDisk:
		return err != nil
	}
	return false
}

var probe = define(`update installation set value = value where name = $1`)

// Trouble returns why the database saves no changes, if the last one failed for a reason that somebody has to repair.
// It tries a change of its own first, so that it notices the end of the trouble when nothing else writes.
func (s *Store) Trouble(ctx context.Context) error {
	if s.trouble.current() == nil {
		return nil
	}
	err := s.Update(ctx, func(tx *Tx) error {
		_, err := tx.q.exec(ctx, probe, keyCheck)
		return err
	})
	if isTrouble(err) {
		return err
	}
	return s.trouble.current()
}
