package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/fault"
)

// CallbackCase is a case as an AboutToSubmit callback is shown it.
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

// EncodeAboutToSubmit writes the question that an AboutToSubmit callback is
// asked: the case as it is persisted, nil on creation, and as it would be saved.
// Fields are in the order of their names.
func EncodeAboutToSubmit(before *CallbackCase, after CallbackCase) ([]byte, error) {
	var question struct {
		Before *caseDetails `json:"case_details_before"`
		Now    caseDetails  `json:"case_details"`
	}
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

// caseDetails has the published names in the published order.
type caseDetails struct {
	ID                     string            `json:"id"`
	CaseTypeID             string            `json:"case_type_id"`
	CreatedDate            timestamp         `json:"created_date"`
	LastModified           timestamp         `json:"last_modified"`
	State                  string            `json:"state"`
	SecurityClassification string            `json:"security_classification"`
	CaseData               map[string]any    `json:"case_data"`
	DataClassification     map[string]string `json:"data_classification"`
}

func (c CallbackCase) details() (caseDetails, error) {
	d := caseDetails{
		ID: strconv.FormatInt(c.ID, 10), CaseTypeID: c.Type,
		CreatedDate: timestamp(c.CreatedAt), LastModified: timestamp(c.ModifiedAt),
		State: c.State, SecurityClassification: c.Classification,
		CaseData: map[string]any{}, DataClassification: map[string]string{},
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

// Answer is what an AboutToSubmit callback says. The zero value accepts the case
// as it was shown.
type Answer struct {
	Data          map[string]any // replaces all case data; numbers are json.Number
	HasData       bool           // tells empty data, which empties the case, from none
	Errors        []string
	Warnings      []string
	OverrideState string // empty: none
}

// DecodeAnswer reads the body of a callback's answer. An empty body accepts.
// Unknown keys are ignored; null, an empty list and an empty state are as
// absent, and so is a field of data that is null. A byte order mark is skipped.
// Anything else that is not of the documented shape is an error, which does not
// quote the body: so is a key that differs from a known one in letter case alone,
// and CCD's state, since whoever wrote them meant something by them.
func DecodeAnswer(body []byte) (Answer, error) {
	body = bytes.Trim(casetype.WithoutMark(body), " \t\r\n")
	if len(body) == 0 || string(body) == "null" {
		return Answer{}, nil
	}
	object, err := casetype.Decode(body)
	if err != nil {
		return Answer{}, malformed(err)
	}
	if err := misspelt(object); err != nil {
		return Answer{}, err
	}
	var a Answer
	if a.Data, a.HasData, err = answerData(object["data"]); err != nil {
		return Answer{}, err
	}
	if a.Errors, err = answerList("errors", object["errors"]); err != nil {
		return Answer{}, err
	}
	if a.Warnings, err = answerList("warnings", object["warnings"]); err != nil {
		return Answer{}, err
	}
	switch state := object["override_state"].(type) {
	case nil:
	case string:
		a.OverrideState = state
	default:
		return Answer{}, errors.New("override_state is not a string")
	}
	return a, nil
}

// answerKeys are the keys of an answer.
var answerKeys = []string{"data", "errors", "warnings", "override_state"}

// misspelt finds a key that is almost one of an answer's.
func misspelt(object map[string]any) error {
	for key, value := range object {
		if strings.EqualFold(key, "state") && value != nil {
			return errors.New("it has state, which is CCD's; a state that takes the place of the target is override_state")
		}
		for _, known := range answerKeys {
			if strings.EqualFold(key, known) && key != known {
				return fmt.Errorf("a key differs from %s in letter case", known)
			}
		}
	}
	return nil
}

// CarriesErrors reports whether a body, be it an answer or not, says errors. One
// that can't be read does if it speaks of any.
func CarriesErrors(body []byte) bool {
	object, err := casetype.Decode(bytes.Trim(casetype.WithoutMark(body), " \t\r\n"))
	if err != nil {
		return bytes.Contains(bytes.ToLower(body), []byte(`"errors"`))
	}
	for key, value := range object {
		if list, isList := value.([]any); strings.EqualFold(key, "errors") && value != nil && (!isList || len(list) > 0) {
			return true
		}
	}
	return false
}

// malformed says why the body can't be read, without the names of its fields.
func malformed(err error) error {
	f := fault.As(err)
	if len(f.Fields) == 0 {
		return errors.New("it can't be read as JSON")
	}
	if f.Fields[0].Path == "" {
		return errors.New("the body " + f.Fields[0].Message)
	}
	return errors.New("something in the body " + f.Fields[0].Message)
}

func answerData(value any) (data map[string]any, has bool, err error) {
	switch value := value.(type) {
	case nil:
		return nil, false, nil
	case map[string]any:
		for name, field := range value {
			if field == nil {
				delete(value, name)
			}
		}
		return value, true, nil
	}
	return nil, false, errors.New("data is not an object")
}

func answerList(key string, value any) ([]string, error) {
	if value == nil {
		return nil, nil
	}
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
