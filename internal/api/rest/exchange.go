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
	Principal access.Principal // whom the request comes from; the zero value where nobody is known
	Open      bool             // the operation needs no credential

	http.ResponseWriter

	operation   access.Operation // empty: none is carried out
	arrived     context.Context  // of the request before it had a session
	status      int              // 0: nothing has been answered yet
	code        string           // of the problem that it was answered with
	raw         []byte           // the body, where it was read as a whole
	key         []byte           // of fingerprints
	pretty      bool             // JSON is answered in lines
	reservation reservation      // of the answer, while it is sent
}

type exchangeKey struct{}

// ExchangeOf returns the exchange that a context is of; nil: none.
func ExchangeOf(ctx context.Context) *Exchange {
	x, _ := ctx.Value(exchangeKey{}).(*Exchange)
	return x
}

// PrincipalOf returns whom a request comes from. All of /v1 is authenticated.
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
	http.NewResponseController(x.ResponseWriter).SetWriteDeadline(time.Unix(1, 0)) // an error means that it is gone
}

// Unwrap is for http.ResponseController.
func (x *Exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// Address is the IP address that the request comes from.
func (x *Exchange) Address() string { return inbound.Address(x.Request) }

// Release frees the memory that is reserved for the answer. It is called when an
// answer that goes on has sent a part.
func (x *Exchange) Release() { x.reservation.end() }
