package wire

import (
	"errors"

	"github.com/casehook/casehook/internal/event"
)

// Operational is the format of the endpoint.* triggers, which report the health of endpoints. An endpoint
// gets no messages about itself.
var Operational = define(Format{
	Name:        "operational",
	Description: "The health of endpoints.",
	header: func(string, string) []Header {
		return append(make([]Header, 0, 3), Header{"Content-Type", "application/json; charset=UTF-8"})
	},
	identify: []string{"trigger", "endpoint_id", "occurred_at"},
	Triggers: []Trigger{
		{
			"endpoint.failing",
			"An endpoint accepts no messages: it is down and they wait, or it refuses them all.",
			endpointBody{}, endpointRule(event.EndpointFailing),
		},
		{
			"endpoint.disabled",
			"An endpoint was disabled, because it failed for too long or answered 410 Gone; its messages wait.",
			endpointBody{}, endpointRule(event.EndpointDisabled),
		},
		{
			"endpoint.recovered", "An endpoint that was reported as failing is reachable, or accepts messages, again.",
			endpointBody{}, endpointRule(event.EndpointRecovered),
		},
	},
})

// endpointBody is the body of all operational triggers.
type endpointBody struct {
	Trigger    string    `json:"trigger" value:"trigger" doc:"The name of the trigger."`
	EndpointID string    `json:"endpoint_id" doc:"The id of the endpoint."`
	URL        string    `json:"url" doc:"Its URL, without the parts that may hold credentials."`
	Since      Timestamp `json:"since" doc:"When it began to fail, or to refuse everything."`
	Reason     string    `json:"reason" doc:"Why, for people."`
	OccurredAt Timestamp `json:"occurred_at" doc:"When this happened."`
}

func endpointRule(fact event.Kind[event.NoDetails]) []rule {
	sample := func() *event.Entry { return sampleOfEndpoint(fact.New(event.NoDetails{})) }
	return []rule{{fact: fact.Name,
		sample: sample, body: func(m *Message, e *event.Entry, _ event.Fact) ([]byte, error) {
			p := e.Snapshot.Endpoint
			if p == nil {
				return nil, errors.New("the journal entry holds no endpoint, which the body is made of")
			}
			return encode(endpointBody{
				Trigger: m.Trigger, EndpointID: p.ID, URL: p.URL, Since: Timestamp(p.Since), Reason: p.Reason,
				OccurredAt: Timestamp(e.At),
			})
		}}}
}
