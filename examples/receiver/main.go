// Receiver is a small receiver of webhooks, and a callback that may refuse a
// change before it is saved.
//
//	WEBHOOK_SECRET=whsec_... CALLBACK_SECRET=whsec_... go run ./examples/receiver
//
// It accepts webhooks at /, and serves the callback of examples/leave.yaml at /callback.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/casehook/casehook/webhook"
)

func main() {
	address := flag.String("listen", "127.0.0.1:9900", "where to listen")
	flag.Parse()
	log.SetFlags(0)
	webhooks := &receiver{seen: map[string]bool{}, newest: map[string]int64{}}
	http.Handle("POST /{$}", webhook.Handler(verifier("WEBHOOK_SECRET"), webhooks.receive, refused))
	if os.Getenv("CALLBACK_SECRET") != "" {
		http.Handle("POST /callback", webhook.Callback(verifier("CALLBACK_SECRET"), answer, refused))
	}
	log.Printf("listening on http://%s", *address)
	log.Fatal(http.ListenAndServe(*address, nil))
}

// verifier returns a Verifier of the secret in a variable.
func verifier(variable string) *webhook.Verifier {
	v, err := webhook.NewVerifier(os.Getenv(variable))
	if err != nil {
		log.Fatalf("%s: %v", variable, err)
	}
	return v
}

var refused = webhook.OnError(func(_ *http.Request, err error) { log.Printf("refused: %v", err) })

// receiver remembers the webhooks that it has received. A real one keeps this in its
// database, in the transaction in which it acts on a webhook.
type receiver struct {
	mu     sync.Mutex
	seen   map[string]bool  // webhook-ids
	newest map[string]int64 // versions, by subject
}

func (r *receiver) receive(_ context.Context, e *webhook.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.seen[e.ID]:
		log.Printf("%s of version %d again; nothing to do", e.Trigger, e.Sequence)
	case e.Sequence < r.newest[e.Subject]:
		log.Printf("%s of version %d is older than the newest", e.Trigger, e.Sequence)
	default:
		log.Printf("%s: %s, version %d", e.Trigger, name(e), e.Sequence)
		r.newest[e.Subject] = e.Sequence
	}
	r.seen[e.ID] = true
	return nil // answers 204: it has been received
}

// name returns the name of the subject of an event.
func name(e *webhook.Event) string {
	if c, ok := e.Case(); ok {
		return c.Name
	}
	switch p := e.Payload.(type) {
	case webhook.ClaimEvent:
		return p.Claim.Title
	case webhook.ContactEvent:
		return p.Contact.FirstName + " " + p.Contact.LastName + p.Contact.BusinessName
	}
	return e.Subject
}

// answer refuses leave of more than 25 days, and accepts everything else.
func answer(_ context.Context, q *webhook.AboutToSubmit) (webhook.Answer, error) {
	var leave struct {
		Days int `json:"days"`
	}
	if err := q.Details.Data(&leave); err != nil {
		return webhook.Answer{}, err
	}
	if leave.Days > 25 {
		return webhook.Refuse(fmt.Sprintf("%d days are too many; the limit is 25.", leave.Days)), nil
	}
	return webhook.Accept(), nil
}
