package webhook_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/casehook/casehook/webhook"
)

// A receiver that needs only its secret.
func ExampleHandler() {
	verifier, err := webhook.NewVerifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		log.Fatal(err)
	}
	receiver := webhook.Handler(verifier, func(_ context.Context, e *webhook.Event) error {
		switch p := e.Payload.(type) {
		case webhook.CaseStateChanged:
			fmt.Printf("%s went from %s to %s\n", p.Name, p.Previous, p.Current)
		case webhook.ClaimEvent:
			fmt.Printf("%s: %s by %s\n", p.Claim.Reference, p.Name, p.PerformedBy.Name)
		}
		return nil
	})

	// http.Handle("POST /hook", receiver) would serve it. A test calls it like this:
	body := `{"trigger": "case_state_changed", "case_name": "Acme Corp", "previous_state_key": "in_review",
		"current_state_key": "approved"}`
	request := httptest.NewRequest(http.MethodPost, "/hook", strings.NewReader(body))
	if err := webhook.Sign(request.Header, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1", time.Now(),
		[]byte(body)); err != nil {
		log.Fatal(err)
	}
	answer := httptest.NewRecorder()
	receiver.ServeHTTP(answer, request)
	fmt.Println(answer.Code)
	// Output:
	// Acme Corp went from in_review to approved
	// 204
}

// A callback that refuses long leave, and computes a field otherwise.
func ExampleCallback() {
	verifier, err := webhook.NewVerifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		log.Fatal(err)
	}
	callback := webhook.Callback(verifier, func(_ context.Context, q *webhook.AboutToSubmit) (webhook.Answer, error) {
		var leave struct{ Days int }
		if err := q.Details.Data(&leave); err != nil {
			return webhook.Answer{}, err
		}
		if leave.Days > 25 {
			return webhook.Refuse(fmt.Sprintf("%d days are too many; the limit is 25.", leave.Days)), nil
		}
		return q.Amend(map[string]any{"left": 25 - leave.Days})
	})
	for _, days := range []int{30, 20} {
		body := fmt.Sprintf(`{"case_details": {"id": "42", "case_data": {"employee": "Ada", "days": %d}}}`, days)
		request := httptest.NewRequest(http.MethodPost, "/callback", strings.NewReader(body))
		if err := webhook.Sign(request.Header, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1", time.Now(),
			[]byte(body)); err != nil {
			log.Fatal(err)
		}
		answer := httptest.NewRecorder()
		callback.ServeHTTP(answer, request)
		fmt.Println(answer.Body)
	}
	// Output:
	// {"errors":["30 days are too many; the limit is 25."]}
	// {"data":{"days":20,"employee":"Ada","left":5}}
}

// A program with handlers of its own needs only Verify. While a secret is rotated it trusts both.
func ExampleVerifier_Verify() {
	verifier, err := webhook.NewVerifier("whsec_bmV3ZXIga2V5IG9mIDI0IGJ5dGVzLi4=",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		log.Fatal(err)
	}
	body, header := []byte(`{"trigger": "case_created"}`), http.Header{}
	if err := webhook.Sign(header, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_1", time.Now(), body); err != nil {
		log.Fatal(err)
	}
	fmt.Println(verifier.Verify(header, body))
	fmt.Println(verifier.Verify(header, append(body, ' ')))
	// Output:
	// <nil>
	// webhook: no signature is valid
}
