package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// trouble tracks a fault that keeps the database from saving changes until the operator repairs it: a disk that is
// full or fails. It is logged when it begins and when it ends, however many changes fail in between.
type trouble struct {
	log *slog.Logger

	mu     sync.Mutex
	now    error // the current fault, or nil
	logged time.Time
}

// troubleEvery is how often at most a recurring fault is logged. On a disk that is almost full it recurs, since small
// changes succeed in between.
const troubleEvery = time.Minute

// note updates the current fault after a transaction.
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

// Trouble returns an error if the last change failed because of a fault that the operator has to repair. It first
// tries a change of its own, so that it notices a repair even when nothing else writes.
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
