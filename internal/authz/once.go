package authz

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/store"
)

// AnswersLast is how long a stored answer is repeated.
const AnswersLast = 24 * time.Hour

const maxOnceKey = 255 // bytes

// Once runs an operation unless it was carried out before; then it returns a [RepeatError]. Further requests of this
// process with the same key wait until the first one ends. If the operation fails, Once looks for an answer again:
// another process may have committed first, and thereby caused the failure; then this request gets that answer.
func (g *Guard) Once(ctx context.Context, p access.Principal, o Once, do func() error) error {
	if o.Key == "" {
		return do()
	}
	if len(o.Key) > maxOnceKey || !input.Printable(o.Key) {
		return fault.New(fault.Invalid, "idempotency.key_invalid",
			"The idempotency key is not valid. Send 1 to %d printable ASCII characters, such as a UUID.", maxOnceKey)
	}
	name := o.name(p)
	if err := g.keys.acquire(ctx, name, o.request(p), g.keyWait); err != nil {
		return err
	}
	defer g.keys.drop(name)
	if err := g.stillMay(ctx, g.store, NewMandate(p, o.Operation)); err != nil { // acquire may have waited
		return err
	}
	if err := g.repeat(ctx, p, o); err != nil {
		return err
	}
	err := do()
	if err == nil {
		return nil
	}
	g.release(ctx, name)
	if before := g.repeat(ctx, p, o); before != nil {
		return before
	}
	return err
}

// repeat returns a RepeatError if there is an answer, a fault if the answer is to another request, and nil if there
// is none yet.
func (g *Guard) repeat(ctx context.Context, p access.Principal, o Once) error {
	answer, found, err := g.store.Answered(ctx, o.name(p), g.now().Add(-AnswersLast))
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
	return &RepeatError{Answer: answer}
}

// Answer renders the answer to an operation, which its commit stores; nil: the request has no key.
func (g *Guard) Answer(p access.Principal, o Once, result any) (*store.NewAnswer, error) {
	if o.Key == "" {
		return nil, nil
	}
	answer, err := o.Render(result)
	if err != nil {
		return nil, err
	}
	answer.Request = o.request(p)
	now := g.now()
	return &store.NewAnswer{
		OnceKey: o.name(p),
		Answer:  answer,
		By:      g.process,
		Now:     now,
		Since:   now.Add(-AnswersLast),
	}, nil
}

// Keep stores the answer in the operation's own transaction. It fails, and the transaction with it, if another
// request with the same key came first.
func (g *Guard) Keep(ctx context.Context, tx *store.Tx, p access.Principal, o Once, result any) error {
	answer, err := g.Answer(p, o, result)
	if err != nil || answer == nil {
		return err
	}
	first, err := tx.StoreAnswer(ctx, *answer)
	if err == nil && !first {
		err = KeyInProgress()
	}
	return err
}

// Amend replaces the stored answer to an operation, which says more since its commit.
func (g *Guard) Amend(ctx context.Context, p access.Principal, o Once, result any) error {
	answer, err := g.Answer(p, o, result)
	if err != nil || answer == nil {
		return err
	}
	return g.store.Update(ctx, func(tx *store.Tx) error { return tx.ReplaceAnswer(ctx, *answer) })
}

func (o Once) name(p access.Principal) store.OnceKey {
	who := p.Actor.TokenID
	if p.Actor.UserID != 0 {
		who = "user/" + strconv.FormatInt(p.Actor.UserID, 10)
	}
	return store.OnceKey{Tenant: p.Tenant, Token: who, Operation: string(o.Operation), Key: o.Key}
}

// request returns the hash as it is stored. It includes clearance and roles: an answer is not repeated to a caller
// whose sight has changed.
func (o Once) request(p access.Principal) string { return o.Request + "@" + string(p.Sight()) }

// With returns o with more of the request in its hash.
func (o Once) With(more string) Once {
	sum := sha256.Sum256([]byte(o.Request + "\n" + more))
	o.Request = hex.EncodeToString(sum[:])
	return o
}

// Once makes an operation happen once per key. The zero value has no key. Render makes the response from the
// operation's result (a View, a cases.Comment, a cases.Attachment, an endpoint.Endpoint ...); it is stored in the
// operation's own transaction and returned, to this caller and to repetitions of the request within 24 hours.
type Once struct {
	Operation access.Operation
	Key       string // the client's; at most 255 bytes
	Request   string // a hash of the whole request
	Render    func(result any) (store.Answer, error)
}

// RepeatError is the error that carries a stored answer: the operation was carried
// out before, by an earlier request with the same key.
type RepeatError struct{ Answer store.Answer }

func (r *RepeatError) Error() string { return "authz: carried out before" }
