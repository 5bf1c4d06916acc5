package wire_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/wire"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

func TestExamplesOfQuestionsAndAnswersAreAsTheirSchemasSay(t *testing.T) {
	for _, d := range []casetype.Dialect{casetype.QuickCase, casetype.CCD} {
		for _, q := range []casetype.Question{
			casetype.AboutToStart, casetype.MidEvent, casetype.AboutToSubmit, casetype.Submitted,
		} {
			t.Run(wire.QuestionOf(d, q, "1.0.0").Name, func(t *testing.T) { checkExamples(t, d, q) })
		}
	}
}

func checkExamples(t *testing.T, d casetype.Dialect, q casetype.Question) {
	question := wire.QuestionOf(d, q, "1.0.0")
	header := http.Header{}
	for _, doc := range question.Headers {
		if doc.Name == "" || doc.Description == "" || doc.Example == "" {
			t.Errorf("the header %q lacks a description or an example", doc.Name)
		}
		header.Set(doc.Name, doc.Example)
	}
	ofMessages := map[string]string{}
	for _, doc := range wire.Headers("case_created", "1.0.0", "1.0.0") {
		ofMessages[doc.Name] = doc.Description
	}
	for _, doc := range question.Headers { // headers that both have are the same, except for the id
		if of, both := ofMessages[doc.Name]; both && (of == doc.Description) == (doc.Name == "webhook-id") {
			t.Errorf("the header %s is described as %q, and of messages as %q", doc.Name, doc.Description, of)
		}
	}
	for _, h := range wire.QuestionHeader("approve", "kyc", q) {
		if header.Get(h.Name) != h.Value {
			t.Errorf("the header %s is sent, but not described", h.Name)
		}
	}
	for _, example := range question.Examples {
		if err := wiretest.ValidQuestion(header, example.Body); err != nil || example.Doc == "" {
			t.Errorf("%s: %v\n%s", example.Name, err, example.Body)
		}
	}
	for _, example := range question.Answers {
		if err := wiretest.ValidAnswer(question, example.Body); err != nil || example.Doc == "" {
			t.Errorf("%s: %v\n%s", example.Name, err, example.Body)
		}
		if _, err := wire.DecodeAnswer(d, q, example.Body); err != nil {
			t.Errorf("%s: %v", example.Name, err)
		}
	}
}

// The saved case is older than the submission, and no case is changed before its creation.
func TestExamplesOfQuestionsAreInOrder(t *testing.T) {
	type times struct {
		Created  time.Time `json:"created_date"`
		Modified time.Time `json:"last_modified"`
	}
	for _, example := range wire.AboutToSubmit("1.0.0").Examples {
		var body struct {
			Before *times `json:"case_details_before"`
			Now    times  `json:"case_details"`
		}
		if err := json.Unmarshal(example.Body, &body); err != nil {
			t.Fatal(err)
		}
		if before := body.Before; before == nil {
			if !body.Now.Created.Equal(body.Now.Modified) {
				t.Errorf("%s: it is created at %s and saved at %s", example.Name, body.Now.Created, body.Now.Modified)
			}
		} else if !before.Created.Before(before.Modified) || !before.Modified.Before(body.Now.Modified) ||
			!before.Created.Equal(body.Now.Created) {
			t.Errorf("%s: the times are %+v, and then %+v", example.Name, before, body.Now)
		}
	}
}

// The schema has to accept the questions of the vectors.
func TestQuestionsAreAsTheSchemaSays(t *testing.T) {
	files, err := filepath.Glob("testdata/about_to_submit_*.golden")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := wiretest.ValidQuestionBody(body); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// The schema of a question is closed: it refuses members that are missing, unknown, or of another type.
func TestBrokenQuestionsAreNoticed(t *testing.T) {
	for _, example := range wire.AboutToSubmit("1.0.0").Examples {
		var body map[string]any
		if err := json.Unmarshal(example.Body, &body); err != nil {
			t.Fatal(err)
		}
		noticed := func(what string) {
			t.Helper()
			broken, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			if wiretest.ValidQuestionBody(broken) == nil {
				t.Errorf("%s: %s, and the schema accepts it: %s", example.Name, what, broken)
			}
		}
		for _, object := range []map[string]any{body, body["case_details"].(map[string]any)} {
			for name, was := range object {
				delete(object, name)
				noticed("without " + name)
				for _, other := range []any{true, []any{}, "other", map[string]any{"x": 1}} {
					if _, text := was.(string); text && other == "other" && name != "created_date" &&
						name != "last_modified" && name != "security_classification" {
						continue // a key like any other
					}
					object[name] = other
					noticed("with another " + name)
				}
				object[name] = was
			}
			object["more"] = "x"
			noticed("with more")
			delete(object, "more")
		}
	}
}

// The schema accepts exactly the answers that are accepted.
func TestAnswersAreReadAsTheSchemaSays(t *testing.T) {
	key := rapid.OneOf(
		rapid.SampledFrom([]string{"data", "errors", "warnings", "override_state", "state", "more"}),
		rapid.StringMatching(`[dD][aA][tT][aA]|[eE][rR][rR][oO][rR][sS]|[sSſ][tT][aA][tT][eE]|override_[sSſ]tate|warning[sS]`),
	)
	text := rapid.SampledFrom([]string{"", "escalated"})
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Map(text, func(s string) any { return s }),
		rapid.SampledFrom([]any{1.5, true, []any{1.0}, []any{nil}}),
		rapid.Map(rapid.SliceOf(text), func(s []string) any { return s }),
		rapid.SampledFrom([]any{map[string]any{}, map[string]any{"a": nil, "state": "x", "Errors": 1.0}}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var answer any = rapid.MapOfN(key, value, 0, 3).Draw(t, "answer")
		if rapid.IntRange(0, 9).Draw(t, "something else") == 0 {
			answer = rapid.SampledFrom([]any{[]any{}, "x", 1.0, true}).Draw(t, "value")
		}
		body, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		_, refused := wire.DecodeAnswer("", casetype.AboutToSubmit, body)
		if invalid := wiretest.ValidAnswer(wire.AboutToSubmit("1.0.0"), body); (refused == nil) != (invalid == nil) {
			t.Fatalf("%s: refused: %v; by the schema: %v", body, refused, invalid)
		}
	})
}
