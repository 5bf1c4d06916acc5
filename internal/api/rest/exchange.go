package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/inbound"
)

// Exchange is one request and what is known about it while it is answered.
type Exchange struct {
	ID        string
	Request   *http.Request
	Principal access.Principal // the caller; zero: unknown
	Open      bool             // the operation needs no credential
	Asks      bool             // the operation asks another system: with a session, pages of this site alone may send it

	http.ResponseWriter

	operation   access.Operation // empty: none
	arrived     context.Context  // of the request before its session was loaded
	status      int              // 0: not answered yet
	code        string           // of the problem in the answer
	raw         []byte           // the body, if it was read as a whole
	key         []byte           // for fingerprints
	pretty      bool             // the answer's JSON is indented
	reservation reservation      // for the answer while it is sent
	endLarge    func()           // frees the memory of a large body; nil: the body is none
}

type exchangeKey struct{}

// ExchangeOf returns the exchange in a context; nil: none.
func ExchangeOf(ctx context.Context) *Exchange {
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}

// PrincipalOf returns the caller of a request. Every request below /v1 has one.
func PrincipalOf(ctx context.Context) access.Principal { return ExchangeOf(ctx).Principal }

// WriteHeader records the status.
func (x *Exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

// Write records the status 200 if no other was set.
func (x *Exchange) Write(b []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	return x.ResponseWriter.Write(b)
}

// cut closes the connection to a client that does not read its answer.
func (x *Exchange) cut() {
	http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Unix(1, 0)) // fails if the client is gone
}

// Unwrap returns the wrapped writer, for http.ResponseController.
func (x *Exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Address returns the IP address of the caller.
func (x *Exchange) Address() string { return inbound.Address(x.Request) }

// end frees the memory that is reserved for the request and its answer.
func (x *Exchange) end() {
	x.reservation.end()
	if x.endLarge != nil {
		x.endLarge()
	}
}

// Release frees the memory that is reserved for the answer. A streamed answer calls it after each part.
func (x *Exchange) Release() { x.reservation.end() }
