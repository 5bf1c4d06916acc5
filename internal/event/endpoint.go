package event

import (
	"strings"
	"time"
)

// The health of an endpoint. Messages about these facts never cause further ones.
var (
	EndpointFailing  = define[NoDetails](140, "endpoint.failing", "An endpoint has stopped taking messages.")
	EndpointDisabled = define[NoDetails](141, "endpoint.disabled",
		"An endpoint was disabled: it failed for too long, or answered 410 Gone.")
	EndpointRecovered = define[NoDetails](142, "endpoint.recovered", "An endpoint takes messages again.")
)

// Endpoint is an endpoint as its entry describes it.
type Endpoint struct {
	ID     string    `json:"id"`
	URL    string    `json:"url"` // without what may hold credentials
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`          // for people: "503 Service Unavailable"
	Class  string    `json:"class,omitempty"` // the endpoint's clearance: readers of a lower one do not see the endpoint
}

const endpointPrefix = "endpoint/"

// EndpointSubject names an endpoint as the subject of an entry.
func EndpointSubject(id string) string { return endpointPrefix + id }

// Operational reports whether a subject is an endpoint: messages about it are about delivery itself.
func Operational(subject string) bool { return strings.HasPrefix(subject, endpointPrefix) }
