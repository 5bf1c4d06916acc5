package docs

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/callback"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/wire"
)

// answersOfCallbacks returns the meanings of a callback's answers, by status.
func answersOfCallbacks() map[string]string {
	again := "The callback failed. It is asked again, under the same webhook-id, after " +
		spans(casetype.DefaultRetries()) +
		" or what the case type says, and not before what Retry-After says, as long as the budget for all " +
		"attempts lasts."
	return map[string]string{
		"200": fmt.Sprintf("The answer, of at most %d MiB. An empty body accepts the case as it was shown.",
			callback.MaxAnswer>>20),
		"204": "The case is accepted as it was shown.",
		"408": again, "425": again, "429": again, "5XX": again,
		"default": fmt.Sprintf("Any other status, redirects too, a body of another shape, and no answer at all are "+
			"failures of the "+
			"callback. Nothing is saved, and the client gets 504 for a timeout, else 502, unless the case type's "+
			"failure_policy is ignore: that waives failures, but never an answer with errors, whatever its status. "+
			"Timeouts and lost connections are asked again as 5XX are. One attempt may take %s, all of them together "+
			"%s, where the case type says nothing else (at most %s and %s).",
			time.Duration(casetype.DefaultTimeout), time.Duration(casetype.DefaultBudget),
			time.Duration(casetype.MaxTimeout), time.Duration(casetype.MaxBudget)),
	}
}

func spans(all []casetype.Duration) string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = time.Duration(d).String()
	}
	return strings.Join(texts, " and ")
}

// question describes a question to callbacks as an operation.
func question(q wire.Question) *huma.Operation {
	op := &huma.Operation{
		OperationID: "webhook-" + q.Name,
		Summary:     q.Name,
		Description: q.Description,
		Tags:        []string{"case types"},
		Parameters:  parametersOf(q.Headers),
		Responses:   map[string]*huma.Response{},
		Security:    []map[string][]string{},
	}
	op.RequestBody = &huma.RequestBody{Required: true, Content: contentOf(q.Schema, q.Examples)}
	for status, meaning := range answersOfCallbacks() {
		op.Responses[status] = &huma.Response{Description: meaning}
	}
	op.Responses["200"].Content = contentOf(q.Answer, q.Answers)
	return op
}

// parametersOf describes the headers of a request to a receiver.
func parametersOf(headers []wire.HeaderDoc) (all []*huma.Param) {
	for _, h := range headers {
		if h.Name == "Content-Type" { // described with the body
			continue
		}
		all = append(all, &huma.Param{
			Name: h.Name, In: "header", Description: h.Description, Required: !h.Optional,
			Schema: &huma.Schema{Type: huma.TypeString}, Example: h.Example,
		})
	}
	return all
}

func contentOf(schema json.RawMessage, samples []wire.NamedBody) map[string]*huma.MediaType {
	examples := map[string]*huma.Example{}
	for _, s := range samples {
		examples[s.Name] = &huma.Example{Summary: s.Doc, Value: s.Body}
	}
	return map[string]*huma.MediaType{"application/json": {Schema: rest.Embedded(schema), Examples: examples}}
}

// docsQuestion is a question to callbacks in the documentation.
type docsQuestion struct {
	docsWebhook
	Answers      []docsAnswer
	AnswerSchema string // in lines
	Statuses     []docsBody
}

func statusesOf(op *huma.Operation) []docsBody {
	shown := docsOf(op)
	return append(shown.Successes, shown.Errors...)
}

// docsAnswer is an example of an answer.
type docsAnswer struct{ Doc, Body string }

func docsQuestionOf(q wire.Question) docsQuestion {
	shown := docsQuestion{
		docsWebhook: docsWebhook{
			Name: q.Name, Description: q.Description, Headers: docsHeaders(q.Headers),
			Example: inLines(q.Examples[0].Body), Schema: inLines(q.Schema),
		},
		AnswerSchema: inLines(q.Answer),
		Statuses:     statusesOf(question(q)),
	}
	for _, a := range q.Answers {
		shown.Answers = append(shown.Answers, docsAnswer{a.Doc, inLines(a.Body)})
	}
	return shown
}

func docsHeaders(headers []wire.HeaderDoc) (all []docsField) {
	for _, h := range headers {
		all = append(all, docsField{
			Name: h.Name, Description: h.Description, Example: h.Example, Required: !h.Optional,
			Type: docsType{Before: "string"},
		})
	}
	return all
}
