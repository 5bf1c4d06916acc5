package hooks

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
)

// NewTest is the body that tests an endpoint.
type NewTest struct {
	Trigger string  `json:"trigger" minLength:"1" maxLength:"100" doc:"The trigger whose sample is sent, whether the endpoint subscribes to it or not." example:"case_created"`
	Secret  *string `json:"secret_id,omitempty" maxLength:"100" doc:"The secret that signs the sample alone; absent: all that are in force do. Accepted, it shows that the receiver knows this secret, if it checks signatures." example:"sec_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
}

// TestResult is the result of a test.
type TestResult struct {
	Message    string     `json:"message" doc:"The webhook-id of the sample." example:"msg_Zm9vYmFyYmF6cXV4Zm9vYmFy"`
	Trigger    string     `json:"trigger" doc:"Its trigger." example:"case_created"`
	Delivered  bool       `json:"delivered" doc:"The receiver accepted it." example:"true"`
	Reason     string     `json:"reason" doc:"The result in short." example:"200 OK"`
	At         rest.Time  `json:"at" doc:"When it began."`
	DurationMS int64      `json:"duration_ms" doc:"Its duration." example:"38"`
	Address    string     `json:"address" doc:"The address dialled, or refused, if it is public, or stands in the URL; empty: it is neither, or it did not come to that." example:"192.0.2.7:443"`
	Status     *int       `json:"status" doc:"The HTTP status; null: there was no answer." example:"200"`
	Failure    *string    `json:"failure" doc:"The class of the failure; null: there was an answer." example:"timeout"`
	Secret     *string    `json:"secret_id" doc:"The secret that signed it alone; null: all that are in force." example:"sec_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Request    rest.Value `json:"request" doc:"The headers sent, without signatures and credentials."`
	Response   rest.Value `json:"response" doc:"The headers and the beginning of the body of the answer."`
}

// testHandler has the operation that tests endpoints.
type testHandler struct {
	service hooks.Services
	tester  *delivery.Tester
}

func (h testHandler) register(k *rest.Kernel) {
	rest.HandleBody(k, rest.Operation{
		ID: access.TestEndpoint, Pattern: "POST /v1/endpoints/{id}/test", Tag: "endpoints",
		Summary: "Send a sample",
		Description: "Sends a made-up message of any trigger once, with the signatures and guards of all messages, " +
			"and with the header webhook-test: true. It is no attempt, is sent to paused endpoints too, and delays " +
			"nothing.",
		Problems: []int{http.StatusNotFound, http.StatusConflict, http.StatusTooManyRequests},
	}, func(ctx context.Context, in *toEndpoint, body NewTest) (*rest.PostAnswer[TestResult], error) {
		return rest.Create[TestResult](ctx, in.IdempotencyHeader, func(t hooks.TestResult) (store.Answer, error) {
			return rest.Answer(http.StatusOK, showTestResult(t))
		}, func(o authz.Once) (hooks.TestResult, error) {
			test := hooks.Test{Endpoint: in.ID, Trigger: body.Trigger, Send: h.tester.Send}
			rest.Set(&test.Secret, body.Secret)
			return h.service.Messages.TestEndpoint(ctx, rest.PrincipalOf(ctx), test, o)
		})
	})
}

func showTestResult(t hooks.TestResult) TestResult {
	return TestResult{
		Message:    t.Message,
		Trigger:    t.Trigger,
		Delivered:  t.Delivered,
		Reason:     t.Reason,
		At:         rest.Time(t.At),
		DurationMS: t.Duration.Milliseconds(),
		Address:    t.Address,
		Status:     rest.OrNull(t.Status),
		Failure:    rest.OrNull(t.Class),
		Secret:     rest.OrNull(t.Secret),
		Request:    rest.Value(t.Request),
		Response:   rest.Value(t.Response),
	}
}
