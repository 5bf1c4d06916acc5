package certificates

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"sync"
)

// orders is a transport that adds the URL of an order to the answer to its finalization, which package acme needs and
// RFC 8555 (section 7.4) does not promise: some authorities leave it out.
type orders struct {
	next http.RoundTripper

	mu   sync.Mutex
	urls map[string]string // of orders, by their finalization
}

const (
	maxOrders = 100     // that are remembered
	maxOrder  = 1 << 20 // bytes
)

// RoundTrip implements http.RoundTripper.
func (o *orders) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := o.next.RoundTrip(r)
	if err != nil || r.Method != http.MethodPost {
		return answer, err
	}
	order := answer.Header.Get("Location")
	o.mu.Lock()
	known := o.urls[r.URL.String()]
	o.mu.Unlock()
	switch {
	case known != "" && order == "":
		answer.Header.Set("Location", known)
	case answer.StatusCode == http.StatusCreated && order != "":
		err = o.remember(order, answer)
	}
	return answer, err
}

// remember records the finalization of a new order. The answer keeps its body.
func (o *orders) remember(order string, answer *http.Response) error {
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxOrder))
	if err != nil {
		return err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var created struct {
		Finalize string `json:"finalize"`
	}
	if json.Unmarshal(body, &created) != nil || created.Finalize == "" {
		return nil // another kind of answer
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.urls) >= maxOrders {
		clear(o.urls)
	}
	o.urls[created.Finalize] = order
	return nil
}
