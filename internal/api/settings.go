package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/endpoint"
)

// Texts are texts by name, as a change of them: null removes one, and what is not
// named stays.
type Texts map[string]*string

// Schema is that of an object of texts and nulls.
func (Texts) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: &huma.Schema{Type: huma.TypeString, Nullable: true}}
}

// Settings are what may be set of an endpoint at any time, in the same way; what
// is absent stays.
type Settings struct {
	Description *string `json:"description,omitempty" maxLength:"1000" doc:"What it is for, for people." example:"Keeps the CRM up to date."`
	Metadata    Texts   `json:"metadata,omitempty" maxProperties:"100" doc:"Texts by name for programs, which Casehook keeps and makes nothing of; null removes one, and what is not named stays. At most 50 of up to 500 characters, with names of up to 40." example:"{\"team\": \"billing\"}"`
	Headers     Texts   `json:"headers,omitempty" maxProperties:"40" doc:"Headers that go with each request, by name; null removes one, and what is not named stays. Values are kept sealed and never shown: (hidden), which is shown in their place, leaves one as it is. At most 20 of up to 2048 bytes of printable ASCII, 6 KiB altogether. What Casehook sets itself is refused." example:"{\"X-Api-Key\": \"s3cr3t\"}"`
}

// apply sets what is there.
func (s Settings) apply(e *endpoint.Endpoint) {
	set(&e.Description, s.Description)
	e.Metadata = endpoint.MergeMetadata(e.Metadata, s.Metadata)
	e.Headers = endpoint.MergeHeaders(e.Headers, s.Headers)
}

// maskedHeaders shows the names of headers.
func maskedHeaders(headers []endpoint.Header) map[string]string {
	shown := make(map[string]string, len(headers))
	for _, h := range headers {
		shown[h.Name] = endpoint.Hidden
	}
	return shown
}

// metadataOf is never null.
func metadataOf(e endpoint.Endpoint) map[string]string {
	if e.Metadata == nil {
		return map[string]string{}
	}
	return e.Metadata
}
