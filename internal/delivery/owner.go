package delivery

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/delivery/machine"
)

// owner returns the current rights of the endpoint's owner, once they are known. It returns false if ctx ends first.
func (w *worker) owner(ctx context.Context) (access.Reader, bool) {
	for ctx.Err() == nil {
		reader, err := w.store.Reader(ctx, w.lease.Tenant, access.Owner(w.endpoint.Owner))
		if err == nil {
			return reader, true
		}
		sleep(ctx, readAgain) // the lease loop logs the database's error
	}
	return access.Reader{}, false
}

// setOwner changes the rights of the endpoint's owner. If the clearance has changed, the worker stops, and the next one
// derives all messages anew.
func (w *worker) setOwner(reader access.Reader) {
	if reader.Clearance != w.sees {
		w.stop(errReload)
		return
	}
	w.gate.Owner(reader)
}

// withdraw returns a message that was not sent to its cursor. If the worker is stopping, or ok is false, the message
// stays owed. Otherwise the owner may no longer read it, and it is skipped.
func (w *worker) withdraw(c *cursor, msg *machine.Message, reader access.Reader, ok bool) {
	if ok {
		w.setOwner(reader)
	}
	if !ok || w.stopping() != nil {
		c.machine.Done(msg, machine.Outcome{Verdict: machine.NotAttempted}, time.Now())
		return
	}
	c.machine.Withhold(msg)
}
