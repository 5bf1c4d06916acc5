package demo

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/casehook/casehook/webhook"
)

// arrival is one webhook request that the sample receiver got.
type arrival struct {
	ID        string // the webhook-id
	Trigger   string
	Case      int64
	Version   int64
	Attempt   int
	Signature error // nil: it is right
	Refused   bool  // the receiver answered 503, so that it is tried again
}

// receiver is the sample receiver: it verifies, records and accepts the messages that arrive.
type receiver struct {
	arrivals chan arrival

	mu       sync.Mutex
	verifier *webhook.Verifier
	refuse   int // how many of the next requests it refuses
}

// waiting bounds the arrivals that the story has not handled yet.
const waiting = 1000

func newReceiver() *receiver {
	return &receiver{arrivals: make(chan arrival, waiting), verifier: new(webhook.Verifier)} // which trusts no secret
}

func (r *receiver) trust(secret string) error {
	verifier, err := webhook.NewVerifier(secret)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.verifier = verifier
	return nil
}

// refuseNext makes the receiver refuse the next n requests.
func (r *receiver) refuseNext(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = n
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	verifier, refused := r.verifier, r.refuse > 0
	if refused {
		r.refuse--
	}
	r.mu.Unlock()
	a := arrival{Signature: verifier.Verify(req.Header, body), Refused: refused}
	if e, err := webhook.Decode(req.Header, body); err == nil {
		a.ID, a.Trigger, a.Version, a.Attempt = e.ID, e.Trigger, e.Sequence, e.Attempt
		a.Case, _ = strconv.ParseInt(strings.TrimPrefix(e.Subject, "case/"), 10, 64)
	}
	r.arrivals <- a
	switch {
	case a.Signature != nil:
		w.WriteHeader(http.StatusUnauthorized)
	case refused:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
