package casework

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// answersLast is how long a stored answer is repeated.
const answersLast = 24 * time.Hour

const maxOnceKey = 255 // bytes

// once runs an operation unless it was carried out before; then it returns
// *Replayed. While a request is under way, others of this process with its key
// wait for what becomes of it, and ask nothing. When the operation fails it looks
// again: another process may have been faster, and its commit the reason of the
// failure; then this request is told what that one was told.
func (s *Service) once(ctx context.Context, p access.Principal, o Once, do func() error) error {
	if o.Key == "" {
		return do()
	}
	if len(o.Key) > maxOnceKey || !printable(o.Key) {
		return fault.New(fault.Invalid, "idempotency.key_invalid",
			"An idempotency key is 1 to %d printable ASCII characters. A UUID is a good one.", maxOnceKey)
	}
	name := o.name(p)
	if err := s.keys.take(ctx, name, o.request(p), s.KeyWait); err != nil {
		return err
	}
	defer s.keys.drop(name)
	if err := s.stillMay(ctx, s.store, mandateOf(p, o.Operation)); err != nil { // it may have waited
		return err
	}
	if err := s.replay(ctx, p, o); err != nil {
		return err
	}
	err := do()
	if err == nil {
		return nil
	}
	s.release(ctx, name)
	if before := s.replay(ctx, p, o); before != nil {
		return before
	}
	return err
}

// replay returns *Replayed when there is an answer, a fault when it is to
// another request, and nil when there is none yet.
func (s *Service) replay(ctx context.Context, p access.Principal, o Once) error {
	answer, found, err := s.store.Answered(ctx, o.name(p), s.now().Add(-answersLast))
	switch {
	case err != nil:
		return err
	case !found:
		return nil
	case answer.Request != o.request(p):
		return keyReused()
	case answer.Status == 0:
		return nil
	}
	return &Replayed{Answer: answer}
}

// keep stores the answer in the operation's own transaction. It fails, and the
// transaction with it, when another request with the same key came first.
func (s *Service) keep(ctx context.Context, tx *store.Tx, p access.Principal, o Once, result any) error {
	if o.Key == "" {
		return nil
	}
	answer, err := o.Render(result)
	if err != nil {
		return err
	}
	answer.Request = o.request(p)
	now := s.now()
	first, err := tx.StoreAnswer(ctx, o.name(p), s.process, answer, now, now.Add(-answersLast))
	if err == nil && !first {
		err = keyInProgress()
	}
	return err
}

func (o Once) name(p access.Principal) store.OnceKey {
	who := p.Actor.TokenID
	if p.Actor.UserID != 0 {
		who = "user/" + strconv.FormatInt(p.Actor.UserID, 10)
	}
	return store.OnceKey{Tenant: p.Tenant, Token: who, Operation: string(o.Operation), Key: o.Key}
}

// request is the hash as it is kept: an answer is not repeated to a caller whose
// clearance has changed since.
func (o Once) request(p access.Principal) string { return o.Request + "@" + string(p.Clearance) }

// with makes more of what the request said part of its hash.
func (o Once) with(more string) Once {
	sum := sha256.Sum256([]byte(o.Request + "\n" + more))
	o.Request = hex.EncodeToString(sum[:])
	return o
}
