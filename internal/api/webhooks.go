package api

import (
	"bytes"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/wire"
)

// answersOfReceivers says what a receiver's answers mean.
var answersOfReceivers = map[string]string{
	"2XX":     "The message is delivered; it is not sent again. Only these are success, and the answer's body does not matter.",
	"410":     "The receiver wants nothing any more: its endpoint is disabled at once. What it has not got waits.",
	"429":     "Too much at once: the message is sent again, after what Retry-After says within bounds.",
	"503":     "The receiver is away: the message is sent again, after what Retry-After says within bounds.",
	"default": "Whatever else comes, redirects and no answer at all included, is a failure: the message is sent again by the endpoint's retry schedule, and given up after its last retry.",
}

// webhooks describes what receivers are sent, and callbacks are asked.
func (a *API) webhooks() {
	all := map[string]*huma.PathItem{}
	for _, t := range a.catalogue() {
		all[t.Name] = &huma.PathItem{Post: a.webhook(t)}
	}
	asked := wire.AboutToSubmit(a.config.Version)
	all[asked.Name] = &huma.PathItem{Post: question(asked)}
	a.kernel.OpenAPI().Webhooks = all
}

func (a *API) webhook(t Trigger) *huma.Operation {
	op := &huma.Operation{
		OperationID: "webhook-" + t.Name, Summary: t.Name, Description: t.Description, Tags: []string{"triggers"},
		Responses: map[string]*huma.Response{}, Security: []map[string][]string{},
	}
	op.Parameters = parametersOf(wire.Headers(t.Name, a.config.AtfinityVersion, a.config.Version))
	examples := map[string]*huma.Example{}
	for _, m := range wire.Examples(t.Name, a.config.AtfinityVersion) {
		examples[m.Fact] = &huma.Example{Value: json.RawMessage(m.Body)}
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: rest.Embedded(t.Schema), Examples: examples},
	}}
	for status, meaning := range answersOfReceivers {
		op.Responses[status] = &huma.Response{Description: meaning}
	}
	return op
}

// docsWebhook is a trigger, as the documentation shows it.
type docsWebhook struct {
	Name, Description string
	Headers           []docsField
	Example, Schema   string // in lines
}

func docsWebhooks(all []Trigger) []docsWebhook {
	shown := make([]docsWebhook, len(all))
	for i, t := range all {
		shown[i] = docsWebhook{Name: t.Name, Description: t.Description, Example: inLines(t.Example), Schema: inLines(t.Schema)}
		for _, h := range t.Headers {
			shown[i].Headers = append(shown[i].Headers, docsHeaders([]wire.HeaderDoc{wire.HeaderDoc(h)})...)
		}
	}
	return shown
}

func inLines(v rest.Value) string {
	var b bytes.Buffer
	if err := json.Indent(&b, v, "", "  "); err != nil {
		return string(v)
	}
	return b.String()
}
