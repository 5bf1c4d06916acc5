package wire

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/casehook/casehook/internal/casetype"
)

// The headers of questions.
const (
	transitionHeader = "Casehook-Transition"
	caseTypeHeader   = "Casehook-Case-Type"
	questionHeader   = "Casehook-Question"
	userIDHeader     = "user-id"
	userRolesHeader  = "user-roles"
	pageHeader       = "Casehook-Page"
	callbackHeader   = "Casehook-Callback"
	dryRunHeader     = "dry-run"

	// ClientContextHeader is passed on from the client to callbacks, and back.
	ClientContextHeader = "Client-Context"
)

// PageHeader returns the header of a question about a page that is left.
func PageHeader(page string) Header { return Header{pageHeader, page} }

// CallbackHeader returns the header of a question to one of several callbacks: its key.
func CallbackHeader(key string) Header { return Header{callbackHeader, key} }

// DryRunHeader returns the header of questions about changes that will not be saved.
func DryRunHeader() Header { return Header{dryRunHeader, "true"} }

// UserHeaders returns the headers of questions in the dialect of CCD that name who submits.
func UserHeaders(id string, roles []string) []Header {
	return []Header{{userIDHeader, id}, {userRolesHeader, strings.Join(roles, ",")}}
}

// QuestionHeader returns the headers that only questions have. transition is the key of the transition or
// operation, caseType that of the case type whose callback is asked.
func QuestionHeader(transition, caseType string, q casetype.Question) []Header {
	return []Header{
		{"Content-Type", "application/json"}, {transitionHeader, transition}, {caseTypeHeader, caseType},
		{questionHeader, string(q)},
	}
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

// Questions documents the questions to callbacks, in both dialects. Version is the program's own.
func Questions(version string) (all []Question) {
	for _, d := range []casetype.Dialect{casetype.QuickCase, casetype.CCD} {
		for _, q := range []casetype.Question{
			casetype.AboutToStart, casetype.MidEvent, casetype.AboutToSubmit, casetype.Submitted,
		} {
			all = append(all, QuestionOf(d, q, version))
		}
	}
	return all
}

// AboutToSubmit documents the question before a change is saved, in QuickCase's dialect.
func AboutToSubmit(version string) Question {
	return QuestionOf(casetype.QuickCase, casetype.AboutToSubmit, version)
}

// occasions say when each question is asked, and what its answer does.
var occasions = map[casetype.Question]string{
	casetype.AboutToStart: "A transition is about to be started: somebody wants to fill in its form. The callback that " +
		"the transition names as its about_to_start is asked with the data that the form would show; " +
		"it may change them, refuse, or warn. Nothing is saved.",
	casetype.MidEvent: "A page of a transition's form was filled in. The callback that the page names as its " +
		"mid_event is asked with the stored data and those of the form over them; it may change them, " +
		"refuse, or warn. Nothing is saved.",
	casetype.AboutToSubmit: "A case is about to be created or changed. The callback of the transition, which the case " +
		"type names as its about_to_submit, is asked after the submission was checked and before " +
		"anything is saved; it may change the data, refuse, warn, or divert. So it is for switches of " +
		"type, deletions, assignees, labels and comments, where the case type has a callback for these; of " +
		"answers about all but a switch, errors and warnings alone count.",
	casetype.Submitted: "A submission is saved, and everybody can see it. The callback that the transition names as " +
		"its submitted is asked; its answer is shown to the submitter, and changes nothing. Nor does " +
		"its failure.",
}

// QuestionOf documents one question.
func QuestionOf(d casetype.Dialect, q casetype.Question, version string) Question {
	documented := Question{
		Name: string(q), Description: occasions[q], Headers: questionHeaders(version, q), Schema: questionSchema(d, q),
		Examples: questionExamples(d, q), Answer: answerSchema(d, q), Answers: answerExamples(d, q),
	}
	if d == casetype.CCD {
		documented.Headers = append(documented.Headers,
			HeaderDoc{
				Name: userIDHeader, Description: "The id of the user who submits, or that of the token.", Example: "17",
			},
			HeaderDoc{
				Name:        userRolesHeader,
				Description: "The roles of who submits, separated by commas: the user's, and those in the case type.",
				Example:     "caseworker,officer",
			})
		documented.Name = "ccd." + documented.Name
		documented.Description += " This is the dialect of CCD, for case types that say so."
	}
	return documented
}

// notAsked are headers of messages that questions don't have, or that they document themselves.
var notAsked = []string{"Content-Type", subjectHeader, sequenceHeader, "webhook-test"}

// optionalHeaders are headers that only some questions have.
var optionalHeaders = []HeaderDoc{
	{
		Name: pageHeader, Description: "The key of the page that is left; of mid_event alone.", Example: "1",
		Optional: true,
	},
	{
		Name:        callbackHeader,
		Description: "The key of the callback, where several are asked at the point; absent where it has none.",
		Example:     "screening", Optional: true,
	},
	{
		Name: ClientContextHeader,
		Description: "As the client sent it, with what callbacks of the same step answered merged over it: base64 " +
			"of a JSON object. Absent where the client sent none.",
		Example: "eyJ0YXNrIjoiNyJ9", Optional: true,
	},
	{
		Name: dryRunHeader,
		Description: "true: whatever the answer, nothing will be saved, because somebody tries the transition " +
			"out. Otherwise it is absent.",
		Example:  "true",
		Optional: true,
	},
}

func questionHeaders(version string, q casetype.Question) []HeaderDoc {
	values := QuestionHeader("approve", "kyc", q)
	all := []HeaderDoc{
		{Name: values[0].Name, Description: "The form of the body.", Example: values[0].Value},
		{
			Name: values[1].Name,
			Description: "The key of the transition that is asked about; for operations @switch, @delete, @assign, " +
				"@label and @comment.",
			Example: values[1].Value,
		},
		{Name: values[2].Name, Description: "The key of the case type whose callback it is.", Example: values[2].Value},
		{
			Name:        values[3].Name,
			Description: "The point at which it is asked: about_to_start, mid_event, about_to_submit or submitted.",
			Example:     values[3].Value,
		},
	}
	all = append(all, optionalHeaders...)
	all = append(all, agent(version))
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

func questionSchema(d casetype.Dialect, q casetype.Question) json.RawMessage {
	body := Asked{Dialect: d, Question: q}.body()
	s := schemaOf(reflect.TypeOf(body), "")
	s.Dialect, s.Title, s.Description = dialect, string(q), "The question."
	return mustEncode(s)
}

// answerSchema returns an open schema, since unknown keys are ignored. Null counts as absent.
func answerSchema(d casetype.Dialect, q casetype.Question) json.RawMessage {
	s, known := schemaOf(reflect.TypeFor[answerBody](), ""), AnswerKeys(d, q)
	s.Properties = slices.DeleteFunc(s.Properties, func(p property) bool { return !slices.Contains(known, p.name) })
	s.Dialect, s.Title = dialect, string(q)+" answer"
	s.Description = "The answer. Keys that are not listed are ignored, but for those that differ from a listed one " +
		"in letter case: these are probably mistakes, so they are failures."
	s.AdditionalProperties = nil
	for _, p := range s.Properties {
		p.schema.Type = []any{p.schema.Type, "null"}
	}
	var spellings []string
	for _, key := range known {
		spellings = append(spellings, anyCase(key))
	}
	s.PropertyNames = &schema{AnyOf: []*schema{
		{Enum: known}, {Not: &schema{Pattern: "^(" + strings.Join(spellings, "|") + ")$"}},
	}}
	if slices.Contains(known, "override_state") {
		s.Description += " So is state, which is CCD's."
		s.PatternProperties = properties{{"^" + anyCase("state") + "$", &schema{Type: "null"}}}
	}
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
func questionExamples(d casetype.Dialect, q casetype.Question) []NamedBody {
	sample := func(state string, data map[string]any, at time.Time) CallbackCase {
		classes := map[string]string{"client": "PUBLIC", "country": "PUBLIC", "risk_score": "PRIVATE"}
		for name := range classes {
			if _, has := data[name]; !has {
				delete(classes, name)
			}
		}
		return CallbackCase{
			ID: 4539148803436467, Type: "kyc", Jurisdiction: "BANK", CreatedAt: sampleTime.AddDate(0, 0, -12),
			ModifiedAt: at, StateSince: sampleTime.AddDate(0, 0, -2), State: state, Revision: 3,
			Classification: "PRIVATE", Data: data, Classifications: classes,
		}
	}
	begun := map[string]any{"client": "Acme Corp", "country": "CH"}
	before := sample("in_review", begun, sampleTime.AddDate(0, 0, -2))
	after := sample("approved",
		map[string]any{"client": "Acme Corp", "country": "CH", "risk_score": json.Number("12")}, sampleTime)
	created := sample("in_review", begun, sampleTime)
	created.CreatedAt, created.StateSince, created.Revision = created.ModifiedAt, created.ModifiedAt, 1
	ask := func(before *CallbackCase, now CallbackCase) json.RawMessage {
		body, err := EncodeQuestion(Asked{Dialect: d, Question: q, Transition: "approve", Before: before, Now: now})
		if err != nil {
			panic("wire: an example of a question: " + err.Error()) // its values are our own
		}
		return body
	}
	switch q {
	case casetype.AboutToStart, casetype.MidEvent:
		unsaved := CallbackCase{
			Type: "kyc", Jurisdiction: "BANK", Classification: "PRIVATE", Data: begun,
			Classifications: created.Classifications,
		}
		before.Data, before.Classifications = after.Data, after.Classifications
		return []NamedBody{
			{"transition", "The form of the transition approve, of a case.", ask(nil, before)},
			{"creation", "The form of a transition that creates a case.", ask(nil, unsaved)},
		}
	case casetype.Submitted:
		return []NamedBody{
			{"transition", "The transition approve was saved.", ask(&before, after)},
			{"creation", "A case was created.", ask(nil, created)},
		}
	}
	return []NamedBody{
		{"transition", "The transition approve was submitted, with a risk score.", ask(&before, after)},
		{"creation", "A case is about to be created.", ask(nil, created)},
	}
}

// answerExamples returns made-up answers.
func answerExamples(d casetype.Dialect, q casetype.Question) []NamedBody {
	if q == casetype.Submitted {
		return []NamedBody{
			{"silent", "There is nothing to say. An empty body means the same.", mustEncode(answerBody{})},
			{"confirmed", "The submitter is shown this.", mustEncode(answerBody{
				ConfirmationHeader: "# Approved", ConfirmationBody: "The account **opens** today."})},
		}
	}
	data := map[string]any{"client": "Acme Corp", "country": "CH", "risk_score": json.Number("55")}
	all := []NamedBody{
		{"accepted", "It goes on as it was shown. An empty body means the same.", mustEncode(answerBody{})},
		{"changed", "It goes on with this data.", mustEncode(answerBody{Data: data})},
		{"refused", "It ends here. The user reads both lists.", mustEncode(answerBody{
			Errors:   []string{"Clients resident in KP are not accepted."},
			Warnings: []string{"There is no passport number yet."}})},
		{"warned", "It ends here, unless the user ignores warnings.", mustEncode(answerBody{
			Warnings: []string{"There is no passport number yet."}})},
	}
	if q == casetype.AboutToSubmit {
		diverted := EncodeAnswer(d, Answer{Data: data, HasData: true, OverrideState: "escalated"})
		all = append(all, NamedBody{"diverted", "The case goes to another state.", diverted})
	}
	return all
}
