package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/yaml"
)

// CallbackCase is a case in the form that an AboutToSubmit callback gets.
type CallbackCase struct {
	ID              int64
	Type            string // the case type's key
	CreatedAt       time.Time
	ModifiedAt      time.Time
	State           string
	Classification  string
	Data            map[string]any
	Classifications map[string]string // of every field in Data
}

// EncodeAboutToSubmit writes the question for an AboutToSubmit callback: the stored case, nil on creation,
// and the case as it would be saved. Fields are in the order of their names.
func EncodeAboutToSubmit(before *CallbackCase, after CallbackCase) ([]byte, error) {
	var question questionBody
	var err error
	if question.Now, err = after.details(); err != nil {
		return nil, err
	}
	if before != nil {
		details, err := before.details()
		if err != nil {
			return nil, err
		}
		question.Before = &details
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(question); err != nil {
		return nil, fmt.Errorf("encoding the question about case %d: %w", after.ID, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// questionBody is the body of a question.
type questionBody struct {
	Before *caseDetails `json:"case_details_before" doc:"The case as it is saved now; null on creation, and where the case as it is now is above the callback's clearance."`
	Now    caseDetails  `json:"case_details" doc:"The case as it would be saved, with merged data and the target state."`
}

// caseDetails has the published names in the published order.
type caseDetails struct {
	ID                     string          `json:"id" doc:"The case's id, which a new case has already."`
	CaseTypeID             string          `json:"case_type_id" doc:"The key of its case type."`
	CreatedDate            Timestamp       `json:"created_date" doc:"When it was created; on creation the time of the submission."`
	LastModified           Timestamp       `json:"last_modified" doc:"When its content last changed; in case_details the time of the submission."`
	State                  string          `json:"state" doc:"The key of its state."`
	SecurityClassification string          `json:"security_classification" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"Its classification."`
	CaseData               map[string]any  `json:"case_data" doc:"Its data by field, as far as the callback's clearance sees it."`
	DataClassification     classifications `json:"data_classification" doc:"The classification of every field in case_data."`
}

// classifications maps names of fields to their classifications.
type classifications map[string]string

func (classifications) jsonSchema(string) *schema {
	return &schema{Type: "object", AdditionalProperties: &schema{
		Type: "string", Enum: []string{"PUBLIC", "PRIVATE", "RESTRICTED"},
	}}
}

func (c CallbackCase) details() (caseDetails, error) {
	d := caseDetails{
		ID: strconv.FormatInt(c.ID, 10), CaseTypeID: c.Type,
		CreatedDate: Timestamp(c.CreatedAt), LastModified: Timestamp(c.ModifiedAt),
		State: c.State, SecurityClassification: c.Classification,
		CaseData: map[string]any{}, DataClassification: classifications{},
	}
	for name, value := range c.Data {
		class, ok := c.Classifications[name]
		if !ok {
			return caseDetails{}, fmt.Errorf("case %d: the field %q has no classification", c.ID, name)
		}
		d.CaseData[name], d.DataClassification[name] = value, class
	}
	return d, nil
}

// Answer is the answer of an AboutToSubmit callback. The zero value accepts the case unchanged.
type Answer struct {
	Data          map[string]any // replaces all case data; numbers are json.Number
	HasData       bool           // tells empty data, which empties the case, from none
	Errors        []string
	Warnings      []string
	OverrideState string   // empty: none
	Ignored       []string // the first of its unknown keys, sorted and shortened
}

// The bounds of [Answer.Ignored].
const (
	maxIgnored    = 10
	maxIgnoredKey = 64 // bytes
)

// DecodeAnswer reads the body of a callback's answer. An empty body accepts. Unknown keys are ignored; null, an
// empty list and an empty state count as absent, and so does a null field of data. A byte order mark is skipped.
// Anything else that does not have the documented shape is an error, which does not quote the body: so are a key
// that differs from a known one in letter case alone, and CCD's state, since they are probably mistakes.
func DecodeAnswer(body []byte) (Answer, error) {
	body = bytes.Trim(yaml.WithoutBOM(body), " \t\r\n")
	if len(body) == 0 || string(body) == "null" {
		return Answer{}, nil
	}
	object, err := casetype.DecodeSent(body)
	if err != nil {
		return Answer{}, malformed(err)
	}
	if err := misspelt(object); err != nil {
		return Answer{}, err
	}
	var read answerBody
	if err := read.fill(object); err != nil {
		return Answer{}, err
	}
	return Answer{
		Data: read.Data, HasData: read.Data != nil,
		Errors: read.Errors, Warnings: read.Warnings, OverrideState: read.OverrideState,
		Ignored: unknownKeys(object),
	}, nil
}

// EncodeAnswer writes the documented members of an answer.
func EncodeAnswer(a Answer) []byte {
	body := answerBody{Data: a.Data, Errors: a.Errors, Warnings: a.Warnings, OverrideState: a.OverrideState}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic("wire: an answer that was decoded: " + err.Error()) // it has the types of JSON alone
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// unknownKeys lists the unknown keys of an answer for [Answer.Ignored], without those that are null.
func unknownKeys(object map[string]any) (unknown []string) {
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if object[key] == nil || slices.Contains(answerKeys, key) {
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

// NearestKey returns the key of an answer that an unknown one was probably meant to be, or "".
func NearestKey(unknown string) string { return spelling.Nearest(unknown, answerKeys) }

// answerBody is the body of an answer. Its fields define the known keys and their types.
type answerBody struct {
	Data          map[string]any `json:"data,omitempty" doc:"Replaces all data of the case: fields that it omits, or has as null, are removed, and {} empties the case. It is validated, and may set any field of the case type."`
	Errors        []string       `json:"errors,omitempty" doc:"Refuse the change, and are shown to the user who submitted it."`
	Warnings      []string       `json:"warnings,omitempty" doc:"Refuse the change too, unless the user who submitted it ignores warnings, or the callback's URL has ignore-warning=true."`
	OverrideState string         `json:"override_state,omitempty" doc:"The state that the case goes to in place of the target; it has to be one of the case type's. Empty: none."`
}

// fill reads an answer's keys. A null leaves its field unchanged.
func (a *answerBody) fill(object map[string]any) (err error) {
	fields := reflect.ValueOf(a).Elem()
	for i, key := range answerKeys {
		value := object[key]
		if value == nil {
			continue
		}
		switch to := fields.Field(i).Addr().Interface().(type) {
		case *map[string]any:
			*to, err = answerData(key, value)
		case *[]string:
			*to, err = answerList(key, value)
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

// answerKeys are the keys of an answer, in the order of answerBody's fields.
var answerKeys = func() (keys []string) {
	for f := range reflect.TypeFor[answerBody]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		keys = append(keys, key)
	}
	return keys
}()

// misspelt finds a key that differs from one of an answer's in letter case alone.
func misspelt(object map[string]any) error {
	for key, value := range object {
		if strings.EqualFold(key, "state") && value != nil {
			return errors.New("it has state, which is CCD's; " +
				"a state that takes the place of the target is override_state")
		}
		for _, known := range answerKeys {
			if strings.EqualFold(key, known) && key != known {
				return fmt.Errorf("a key differs from %s in letter case", known)
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
