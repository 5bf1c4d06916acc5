package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/yaml"
)

// Answer is the answer of a callback. The zero value accepts the case unchanged.
type Answer struct {
	Data          map[string]any // replaces all case data; numbers are json.Number
	HasData       bool           // tells empty data, which empties the case, from none
	Errors        []string
	Warnings      []string
	OverrideState string // empty: none
	// Classification is the one that the case takes; empty: it keeps its own.
	Classification string
	// Message takes the place of the general message of a refusal; empty: none.
	Message string

	ConfirmationHeader, ConfirmationBody string // of a submission that is saved, in Markdown

	More More // that is done with the case

	Ignored []string // the first of its unknown keys, sorted and shortened
}

// The bounds of [Answer.Ignored].
const (
	maxIgnored    = 10
	maxIgnoredKey = 64 // bytes
)

// DecodeAnswer reads the body of the answer to a question. An empty body accepts. Unknown keys are ignored; null, an
// empty list and an empty state count as absent, and so does a null field of data. A byte order mark is skipped.
// Anything else that does not have the documented shape is an error, which does not quote the body: so are a key
// that differs from a known one in letter case alone, and in QuickCase's dialect CCD's state, since they are probably
// mistakes.
func DecodeAnswer(d casetype.Dialect, q casetype.Question, body []byte) (Answer, error) {
	body = bytes.Trim(yaml.WithoutBOM(body), " \t\r\n")
	if len(body) == 0 || string(body) == "null" {
		return Answer{}, nil
	}
	object, err := casetype.DecodeSent(body)
	if err != nil {
		return Answer{}, malformed(err)
	}
	known := AnswerKeys(d, q)
	if err := misspelt(object, known); err != nil {
		return Answer{}, err
	}
	var read answerBody
	if err := read.fill(object, known); err != nil {
		return Answer{}, err
	}
	answer := Answer{
		Data: read.Data, HasData: read.Data != nil,
		Errors: read.Errors, Warnings: read.Warnings, OverrideState: read.OverrideState + read.State,
		Message:            read.Message,
		ConfirmationHeader: read.ConfirmationHeader, ConfirmationBody: read.ConfirmationBody,
		Ignored: unknownKeys(object, known),
	}
	if read.More != nil {
		answer.More = *read.More
	}
	if answer.HasData { // CCD ignores a classification without data
		answer.Classification = read.SecurityClassification
	}
	return answer, nil
}

// AnswerKeys lists the keys that the answer to a question may have.
func AnswerKeys(d casetype.Dialect, q casetype.Question) []string {
	switch {
	case q == casetype.Submitted:
		return []string{"confirmation_header", "confirmation_body"}
	case q == casetype.AboutToSubmit && d == casetype.CCD:
		return []string{
			"data", "errors", "warnings", "state", "security_classification", "error_message_override", "casehook",
		}
	case d == casetype.CCD:
		return []string{"data", "errors", "warnings", "error_message_override"}
	case q == casetype.AboutToSubmit:
		return []string{"data", "errors", "warnings", "override_state", "casehook"}
	}
	return []string{"data", "errors", "warnings"}
}

// EncodeAnswer writes the documented members of an answer in a dialect.
func EncodeAnswer(d casetype.Dialect, a Answer) []byte {
	body := answerBody{
		Data: a.Data, Errors: a.Errors, Warnings: a.Warnings, OverrideState: a.OverrideState,
		SecurityClassification: a.Classification, Message: a.Message,
		ConfirmationHeader: a.ConfirmationHeader, ConfirmationBody: a.ConfirmationBody,
	}
	if !a.More.IsZero() {
		body.More = &a.More
	}
	if d == casetype.CCD {
		body.State, body.OverrideState = a.OverrideState, ""
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic("wire: an answer that was decoded: " + err.Error()) // it has the types of JSON alone
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// unknownKeys lists the unknown keys of an answer for [Answer.Ignored], without those that are null.
func unknownKeys(object map[string]any, known []string) (unknown []string) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if object[key] == nil || slices.Contains(known, key) {
			continue
		}
		if unknown = append(unknown, shortened(key)); len(unknown) == maxIgnored {
			break
		}
	}
	return unknown
}

// shortened returns the start of a key, in whole characters.
func shortened(key string) string {
	if len(key) <= maxIgnoredKey {
		return key
	}
	end := maxIgnoredKey
	for !utf8.RuneStart(key[end]) {
		end--
	}
	return key[:end]
}

// NearestKey returns the known key of an answer that an unknown one was probably meant to be, or "".
func NearestKey(unknown string, known []string) string { return spelling.Nearest(unknown, known) }

// answerBody is the body of an answer, whatever the question. Its fields define the keys and their types.
type answerBody struct {
	Data          map[string]any `json:"data,omitempty" doc:"Replaces all data of the case: fields that it omits, or has as null, are removed, and {} empties the case. It is validated, and may set any field of the case type."`
	Errors        []string       `json:"errors,omitempty" doc:"Refuse the change, and are shown to the user who submitted it."`
	Warnings      []string       `json:"warnings,omitempty" doc:"Refuse the change too, unless the user who submitted it ignores warnings, or the callback's URL has ignore-warning=true."`
	OverrideState string         `json:"override_state,omitempty" doc:"The state that the case goes to in place of the target; it has to be one of the case type's. Empty: none."`

	State                  string `json:"state,omitempty" doc:"The state that the case goes to in place of the target, in CCD's dialect."`
	SecurityClassification string `json:"security_classification,omitempty" doc:"The classification that the case takes, where the answer has data, in CCD's dialect."`
	Message                string `json:"error_message_override,omitempty" doc:"Takes the place of the general message of a refusal, in CCD's dialect."`
	ConfirmationHeader     string `json:"confirmation_header,omitempty" doc:"Markdown that the submitter is shown."`
	ConfirmationBody       string `json:"confirmation_body,omitempty" doc:"Markdown that the submitter is shown below it."`

	More *More `json:"casehook,omitempty" doc:"What else is done with the case, in the same commit, where a transition is submitted."`
}

// fill reads the known keys of an answer. A null leaves its field unchanged.
func (a *answerBody) fill(object map[string]any, known []string) (err error) {
	fields := reflect.ValueOf(a).Elem()
	for _, key := range known {
		value := object[key]
		if value == nil {
			continue
		}
		switch to := fields.Field(slices.Index(allAnswerKeys, key)).Addr().Interface().(type) {
		case *map[string]any:
			*to, err = answerData(key, value)
		case *[]string:
			*to, err = answerList(key, value)
		case **More:
			*to, err = answerMore(key, value)
		case *string:
			var ok bool
			if *to, ok = value.(string); !ok {
				err = errors.New(key + " is not a string")
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// allAnswerKeys are the keys of all answers, in the order of answerBody's fields.
var allAnswerKeys = func() (keys []string) {
	for f := range reflect.TypeFor[answerBody]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}()

// misspelt finds a key that differs from a known one in letter case alone.
func misspelt(object map[string]any, known []string) error {
	for key, value := range object {
		if strings.EqualFold(key, "state") && value != nil && slices.Contains(known, "override_state") {
			return errors.New("it has state, which is CCD's; " +
				"a state that takes the place of the target is override_state")
		}
		for _, name := range known {
			if strings.EqualFold(key, name) && key != name {
				return fmt.Errorf("a key differs from %s in letter case", name)
			}
		}
	}
	return nil
}

// CarriesErrors reports whether a body, even one that is not an answer, has errors. An unreadable one has if it
// contains the key.
func CarriesErrors(body []byte) bool {
	object, err := casetype.DecodeSent(bytes.Trim(yaml.WithoutBOM(body), " \t\r\n"))
	if err != nil {
		return bytes.Contains(bytes.ToLower(body), []byte(`"errors"`))
	}
	for key, value := range object {
		if list, isList := value.([]any); strings.EqualFold(key, "errors") && value != nil &&
			(!isList || len(list) > 0) {
			return true
		}
	}
	return false
}

// ErrUnreadable is wrapped by the error of an answer that is not one JSON object. Other errors name documented keys
// alone.
var ErrUnreadable = errors.New("it can't be read as JSON")

// answerError is the reason why an answer can't be read.
type answerError string

func (u answerError) Error() string { return string(u) }
func (answerError) Unwrap() error   { return ErrUnreadable }

// malformed returns the error of a body that can't be read, without the names of its fields.
func malformed(err error) error {
	f := fault.As(err)
	if len(f.Fields) == 0 {
		return ErrUnreadable
	}
	if f.Fields[0].Path == "" {
		return answerError("the body " + f.Fields[0].Message)
	}
	return answerError("something in the body " + f.Fields[0].Message)
}

func answerData(key string, value any) (map[string]any, error) {
	data, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New(key + " is not an object")
	}
	for name, field := range data {
		if field == nil {
			delete(data, name)
		}
	}
	return data, nil
}

func answerList(key string, value any) ([]string, error) {
	list, ok := value.([]any)
	if !ok {
		return nil, errors.New(key + " is not a list of strings")
	}
	var texts []string
	for _, item := range list {
		text, ok := item.(string)
		if !ok {
			return nil, errors.New(key + " is not a list of strings")
		}
		texts = append(texts, text)
	}
	return texts, nil
}
