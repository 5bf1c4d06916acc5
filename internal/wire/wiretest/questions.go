package wiretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/wire"
)

// Callback goes around a callback: it checks all that is asked there.
func Callback(t testing.TB, callback http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil { // else it was cut off
			if err := ValidQuestion(r.Header, body); err != nil {
				t.Errorf("a question is not as the catalogue says: %v\nheaders: %v\nbody: %s", err, r.Header, body)
			}
		}
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failingReader{err}))
		callback.ServeHTTP(w, r)
	})
}

// ValidQuestion says what is wrong with a question.
func ValidQuestion(header http.Header, body []byte) error {
	d := casetype.QuickCase
	if bytes.Contains(body, []byte(`"event_id":`)) {
		d = casetype.CCD
	}
	question := wire.QuestionOf(d, casetype.Question(header.Get("Casehook-Question")), "1.0.0")
	return errors.Join(documented(question.Headers, header), validQuestionBody(question, body))
}

// ValidQuestionBody says what is wrong with the body of an AboutToSubmit question in QuickCase's dialect.
func ValidQuestionBody(body []byte) error {
	return validQuestionBody(wire.AboutToSubmit("1.0.0"), body)
}

// validQuestionBody says what is wrong with the body of a question. Every field in it has to be classified, which a
// schema can't say.
func validQuestionBody(question wire.Question, body []byte) error {
	if err := validate("questions/"+question.Name, question.Schema, body); err != nil {
		return err
	}
	type details struct {
		Data            map[string]json.RawMessage `json:"case_data"`
		Classifications map[string]string          `json:"data_classification"`
	}
	var asked struct {
		Before *details `json:"case_details_before"`
		Now    *details `json:"case_details"`
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return err
	}
	for part, details := range map[string]*details{"case_details_before": asked.Before, "case_details": asked.Now} {
		if details == nil {
			continue
		}
		fields, classified := slices.Sorted(maps.Keys(details.Data)), slices.Sorted(maps.Keys(details.Classifications))
		if !slices.Equal(fields, classified) {
			return fmt.Errorf("%s has the fields %v and classifies %v", part, fields, classified)
		}
	}
	return nil
}

// ValidAnswer says what is wrong with an answer to a question that is not empty.
func ValidAnswer(question wire.Question, body []byte) error {
	return validate("answers/"+question.Name, question.Answer, body)
}
