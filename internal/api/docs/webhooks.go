package docs

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/wire"
)

// answersOfReceivers has the meanings of a receiver's answers, by status.
var answersOfReceivers = map[string]string{
	"2XX": "The message is delivered, and is not sent again. No other status is a success; the body of the " +
		"answer does not matter.",
	"410": "The receiver does not want messages any more: its endpoint is disabled at once. Messages that it has " +
		"not received wait.",
	"429": "Too many requests: the message is sent again, after Retry-After within bounds.",
	"503": "The receiver is not available: the message is sent again, after Retry-After within bounds.",
	"default": "Anything else is a failure, redirects and a missing answer included: the message is sent again by " +
		"the endpoint's retry schedule, and given up after the last retry.",
}

// trigger is a trigger of the registry, with its description and examples.
type trigger struct {
	Name, Description string
	Headers           []wire.HeaderDoc
	Schema            json.RawMessage
	Examples          []wire.Example
}

// triggers lists the triggers of all formats.
func triggers(v Versions) []trigger {
	var all []trigger
	for _, f := range wire.Formats() {
		for _, t := range f.Triggers {
			all = append(all, trigger{
				Name: t.Name, Description: t.Description, Headers: wire.Headers(t.Name, v.Atfinity, v.Casehook),
				Schema: wire.Schema(t.Name), Examples: wire.Examples(t.Name, v.Atfinity),
			})
		}
	}
	return all
}

// describeWebhooks adds to the document the messages to receivers and the questions to
// callbacks.
func describeWebhooks(o *huma.OpenAPI, v Versions) {
	o.Webhooks = map[string]*huma.PathItem{}
	for _, t := range triggers(v) {
		o.Webhooks[t.Name] = &huma.PathItem{Post: t.operation()}
	}
	for _, asked := range wire.Questions(v.Casehook) {
		o.Webhooks[asked.Name] = &huma.PathItem{Post: question(asked)}
	}
}

func (t trigger) operation() *huma.Operation {
	op := &huma.Operation{
		OperationID: "webhook-" + t.Name,
		Summary:     t.Name,
		Description: t.Description,
		Tags:        []string{"triggers"},
		Parameters:  parametersOf(t.Headers),
		Responses:   map[string]*huma.Response{},
		Security:    []map[string][]string{},
	}
	examples := map[string]*huma.Example{}
	for _, m := range t.Examples {
		examples[m.Fact] = &huma.Example{Value: json.RawMessage(m.Body)}
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		mediaType(t.Headers): {Schema: rest.Embedded(t.Schema), Examples: examples},
	}}
	for status, meaning := range answersOfReceivers {
		op.Responses[status] = &huma.Response{Description: meaning}
	}
	return op
}

// mediaType returns the form of a body, without its parameters.
func mediaType(headers []wire.HeaderDoc) string {
	i := slices.IndexFunc(headers, func(h wire.HeaderDoc) bool { return h.Name == "Content-Type" })
	form, _, _ := strings.Cut(headers[i].Example, ";") // all requests have it
	return form
}

// docsWebhook is a trigger in the documentation.
type docsWebhook struct {
	Name, Description string
	Headers           []docsField
	Example, Schema   string // in lines
}

func docsWebhooks(all []trigger) []docsWebhook {
	shown := make([]docsWebhook, len(all))
	for i, t := range all {
		shown[i] = docsWebhook{
			Name: t.Name, Description: t.Description, Headers: docsHeaders(t.Headers),
			Example: inLines(t.Examples[0].Body), Schema: inLines(t.Schema),
		}
	}
	return shown
}

func inLines(v []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, v, "", "  "); err != nil {
		return string(v)
	}
	return b.String()
}
