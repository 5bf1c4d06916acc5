package wire

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The headers of questions.
const (
	transitionHeader = "Casehook-Transition"
	caseTypeHeader   = "Casehook-Case-Type"
	dryRunHeader     = "dry-run"
)

// DryRunHeader returns the header of questions about changes that will not be saved.
func DryRunHeader() Header { return Header{dryRunHeader, "true"} }

// QuestionHeader returns the headers that only questions have. transition is the key of the transition or
// operation, caseType that of the case type whose callback is asked.
func QuestionHeader(transition, caseType string) []Header {
	return []Header{{"Content-Type", "application/json"}, {transitionHeader, transition}, {caseTypeHeader, caseType}}
}

// Question documents the questions to callbacks, and their answers.
type Question struct {
	Name        string
	Description string
	Headers     []HeaderDoc
	Schema      json.RawMessage // of its bodies, draft 2020-12
	Examples    []NamedBody
	Answer      json.RawMessage // the JSON Schema of answers that are not empty
	Answers     []NamedBody
}

// NamedBody is a made-up body with a name.
type NamedBody struct {
	Name string // a key: "creation"
	Doc  string
	Body json.RawMessage
}

// AboutToSubmit documents the question before a change is saved. Version is the program's own.
func AboutToSubmit(version string) Question {
	return Question{
		Name: "about_to_submit",
		Description: "A case is about to be created or changed. The callback of the transition, which the case type " +
			"names as its " +
			"about_to_submit, is asked after the submission was checked and before anything is saved; it may change " +
			"the data, refuse, warn, or divert. " +
			"So it is for switches of type and for deletions, where the case type has a callback for these; of an " +
			"answer about a deletion, errors and warnings alone count.",
		Headers:  questionHeaders(version),
		Schema:   questionSchema(),
		Examples: questionExamples(),
		Answer:   answerSchema(),
		Answers:  answerExamples(),
	}
}

// notAsked are headers of messages that questions don't have, or that they document themselves.
var notAsked = []string{"Content-Type", subjectHeader, sequenceHeader, "webhook-test"}

func questionHeaders(version string) []HeaderDoc {
	values := QuestionHeader("approve", "kyc")
	all := []HeaderDoc{
		{Name: values[0].Name, Description: "The form of the body.", Example: values[0].Value},
		{
			Name: values[1].Name,
			Description: "The key of the transition that is asked about; @switch for a switch of type, @delete for a " +
				"deletion.",
			Example: values[1].Value,
		},
		{Name: values[2].Name, Description: "The key of the case type whose callback it is.", Example: values[2].Value},
		{
			Name: dryRunHeader,
			Description: "true: whatever the answer, nothing will be saved, because somebody tries the transition " +
				"out. Otherwise it is absent.",
			Example:  "true",
			Optional: true,
		},
		agent(version),
	}
	for _, h := range common {
		if slices.Contains(notAsked, h.Name) {
			continue
		}
		if h.Name == "webhook-id" {
			h.Description = "The question's id: the same on every attempt. A callback that has " +
				"answered it before may answer the same again."
		}
		all = append(all, h)
	}
	return all
}

func questionSchema() json.RawMessage {
	s := schemaOf(reflect.TypeFor[questionBody](), "")
	s.Dialect, s.Title, s.Description = dialect, "about_to_submit", "The question."
	return mustEncode(s)
}

// answerSchema returns an open schema, since unknown keys are ignored. Null counts as absent.
func answerSchema() json.RawMessage {
	s := schemaOf(reflect.TypeFor[answerBody](), "")
	s.Dialect, s.Title = dialect, "about_to_submit answer"
	s.Description = "The answer. Keys that are not listed are ignored, but for those that differ from a listed one " +
		"in letter case, and for state: " +
		"these are probably mistakes, so they are failures."
	s.AdditionalProperties = nil
	for _, p := range s.Properties {
		p.schema.Type = []any{p.schema.Type, "null"}
	}
	var spellings []string
	for _, key := range answerKeys {
		spellings = append(spellings, anyCase(key))
	}
	s.PropertyNames = &schema{AnyOf: []*schema{
		{Enum: answerKeys}, {Not: &schema{Pattern: "^(" + strings.Join(spellings, "|") + ")$"}},
	}}
	s.PatternProperties = properties{{"^" + anyCase("state") + "$", &schema{Type: "null"}}}
	return mustEncode(s)
}

// anyCase returns a regular expression that matches a word in any letter case, as strings.EqualFold does.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		b.WriteByte('[')
		b.WriteRune(r)
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			b.WriteRune(other)
		}
		b.WriteByte(']')
	}
	return b.String()
}

// questionExamples returns questions about a made-up case.
func questionExamples() []NamedBody {
	sample := func(state string, data map[string]any, at time.Time) CallbackCase {
		classes := map[string]string{"client": "PUBLIC", "country": "PUBLIC", "risk_score": "PRIVATE"}
		for name := range classes {
			if _, has := data[name]; !has {
				delete(classes, name)
			}
		}
		return CallbackCase{
			ID: 4539148803436467, Type: "kyc", CreatedAt: sampleTime.AddDate(0, 0, -12), ModifiedAt: at, State: state,
			Classification: "PRIVATE", Data: data, Classifications: classes,
		}
	}
	begun := map[string]any{"client": "Acme Corp", "country": "CH"}
	before := sample("in_review", begun, sampleTime.AddDate(0, 0, -2))
	after := sample("approved",
		map[string]any{"client": "Acme Corp", "country": "CH", "risk_score": json.Number("12")}, sampleTime)
	created := sample("in_review", begun, sampleTime)
	created.CreatedAt = created.ModifiedAt
	return []NamedBody{
		{"transition", "The transition approve was submitted, with a risk score.", mustAsk(&before, after)},
		{"creation", "A case is about to be created.", mustAsk(nil, created)},
	}
}

// answerExamples returns made-up answers.
func answerExamples() []NamedBody {
	data := map[string]any{"client": "Acme Corp", "country": "CH", "risk_score": json.Number("55")}
	return []NamedBody{
		{"accepted", "The case is saved as it was shown. An empty body means the same.", mustEncode(answerBody{})},
		{"changed", "The case is saved with this data.", mustEncode(answerBody{Data: data})},
		{"refused", "Nothing is saved. The user who submitted reads both lists.", mustEncode(answerBody{
			Errors:   []string{"Clients resident in KP are not accepted."},
			Warnings: []string{"There is no passport number yet."}})},
		{"warned", "Nothing is saved, unless the user who submitted ignores warnings.", mustEncode(answerBody{
			Warnings: []string{"There is no passport number yet."}})},
		{"diverted", "The case goes to another state.", mustEncode(answerBody{Data: data, OverrideState: "escalated"})},
	}
}

func mustAsk(before *CallbackCase, after CallbackCase) json.RawMessage {
	body, err := EncodeAboutToSubmit(before, after)
	if err != nil {
		panic("wire: an example of a question: " + err.Error()) // its values are our own
	}
	return body
}
