package wire

import (
	"errors"
	"time"

	"github.com/casehook/casehook/internal/event"
)

// Operational is the format of the endpoint.* triggers, by which one endpoint
// hears how the others fare. An endpoint is not told about itself.
var Operational = define(Format{
	Name:        "operational",
	Description: "What happens to endpoints.",
	header: func(string, string) []Header {
		return append(make([]Header, 0, 3), Header{"Content-Type", "application/json; charset=UTF-8"})
	},
	Triggers: []Trigger{
		{"endpoint.failing", "An endpoint has stopped taking messages; they wait.", tellEndpoint(event.EndpointFailing.Name)},
		{"endpoint.disabled", "An endpoint was disabled, because it failed for too long or answered 410 Gone; its messages wait.", tellEndpoint(event.EndpointDisabled.Name)},
		{"endpoint.recovered", "An endpoint that was said to be failing takes messages again.", tellEndpoint(event.EndpointRecovered.Name)},
	},
})

// endpointBody is the body of all operational triggers.
type endpointBody struct {
	Trigger    string    `json:"trigger"`
	EndpointID string    `json:"endpoint_id"`
	URL        string    `json:"url"`
	Since      time.Time `json:"since"`
	Reason     string    `json:"reason"`
	OccurredAt time.Time `json:"occurred_at"`
}

func tellEndpoint(fact string) []telling {
	return []telling{{fact: fact, body: func(trigger string, e *event.Entry, _ event.Fact) ([]byte, error) {
		p := e.Snapshot.Endpoint
		if p == nil {
			return nil, errors.New("the journal entry holds no endpoint, which the body is made of")
		}
		return encode(endpointBody{
			Trigger: trigger, EndpointID: p.ID, URL: p.URL, Since: p.Since.UTC(), Reason: p.Reason, OccurredAt: e.At.UTC(),
		})
	}}}
}
