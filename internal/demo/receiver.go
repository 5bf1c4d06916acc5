package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// arrival is one webhook request, as the sample receiver saw it.
type arrival struct {
	ID        string // the webhook-id
	Trigger   string
	Case      int64
	Version   int64
	Attempt   int
	Signature error // nil: it is right
	Refused   bool  // the receiver answered 503, to be asked again
}

// receiver is the sample receiver: it verifies, notes and takes what arrives.
type receiver struct {
	arrivals chan arrival

	mu     sync.Mutex
	secret string
	refuse int // so many requests from now are refused
}

// waiting is how many arrivals the story may be behind.
const waiting = 1000

func newReceiver() *receiver { return &receiver{arrivals: make(chan arrival, waiting)} }

func (r *receiver) trust(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = secret
}

// stumble makes the receiver refuse the next n requests.
func (r *receiver) stumble(n int) {
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
	secret := r.secret
	refused := r.refuse > 0
	if refused {
		r.refuse--
	}
	r.mu.Unlock()
	a := arrival{ID: req.Header.Get("webhook-id"), Signature: verify(secret, req.Header, body, time.Now()), Refused: refused}
	a.Attempt, _ = strconv.Atoi(req.Header.Get("webhook-attempt"))
	var told struct {
		Trigger string `json:"trigger"`
		Case    int64  `json:"case_id"`
		Version int64  `json:"case_version"`
	}
	if json.Unmarshal(body, &told) == nil {
		a.Trigger, a.Case, a.Version = told.Trigger, told.Case, told.Version
	}
	if event := req.Header.Get("Event-Name"); event != "" { // a claim's: the body has no version
		a.Trigger = event
		a.Case, _ = strconv.ParseInt(strings.TrimPrefix(req.Header.Get("webhook-subject"), "case/"), 10, 64)
		a.Version, _ = strconv.ParseInt(req.Header.Get("webhook-sequence"), 10, 64)
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
