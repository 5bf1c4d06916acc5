package delivery

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/delivery/machine"
)

// owner waits until the present rights of the endpoint's owner are known; false: ctx has ended.
func (w *worker) owner(ctx context.Context) (access.Reader, bool) {
	for ctx.Err() == nil {
		reader, err := w.store.Reader(ctx, w.lease.Tenant, access.Owner(w.endpoint.Owner))
		if err == nil {
			return reader, true
		}
		sleep(ctx, readAgain) // those who look after leases say what is wrong with the database
	}
	return access.Reader{}, false
}

// setOwner changes the rights of the endpoint's owner. If bodies would show more or less, the worker ends, and the
// next one makes them again.
func (w *worker) setOwner(reader access.Reader) {
	if reader.Clearance != w.sees {
		w.stop(errReload)
		return
	}
	w.gate.Owner(reader)
}

// withdraw puts back a message that was not sent, because its body has to be made again or the owner may not read it;
// ok false: the worker ends.
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
