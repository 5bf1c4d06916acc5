package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/wire"
)

// callbackCase is the case of the published example.
func callbackCase(data map[string]any) wire.CallbackCase {
	created := time.Date(2024, 5, 1, 12, 0, 0, 0, time.FixedZone("CEST", 2*60*60))
	classes := map[string]string{}
	for name := range data {
		classes[name] = "PUBLIC"
	}
	return wire.CallbackCase{
		ID: 4539148803436467, Type: "kyc", State: "in_review", Classification: "PRIVATE",
		CreatedAt: created, ModifiedAt: created.Add(36*time.Hour + 123456*time.Microsecond),
		Data: data, Classifications: classes,
	}
}

func TestTheQuestionIsWrittenAsPublished(t *testing.T) {
	before := callbackCase(map[string]any{"case_field1": "value_before"})
	progression := callbackCase(map[string]any{"case_field2": "value2", "case_field1": "value_now"})
	progression.State = "approved"
	progression.Classifications["case_field2"] = "RESTRICTED"
	creation := callbackCase(map[string]any{"case_field1": "value_now"})
	creation.ModifiedAt = creation.CreatedAt
	counted := creation
	counted.ID = 42
	for name, c := range map[string]struct {
		before *wire.CallbackCase
		after  wire.CallbackCase
	}{
		"about_to_submit_progression": {&before, progression},
		"about_to_submit_creation":    {nil, creation},
		"about_to_submit_counted":     {nil, counted},
		"about_to_submit_empty":       {nil, callbackCase(nil)},
		"about_to_submit_values": {nil, callbackCase(map[string]any{
			"html": "<a href=\"x\">Müller & Söhne</a>\u2028", "amount": json.Number("12345678901234567890.10"), "whole": json.Number("7"),
			"yes": true, "list": []any{"a", json.Number("1e2"), map[string]any{"z": "1", "a": []any{}}},
		})},
	} {
		got, err := wire.EncodeQuestion(submission(c.before, c.after))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, got)
	}
}

func TestAFieldWithoutClassificationIsNotShown(t *testing.T) {
	c := callbackCase(map[string]any{"secret": "x"})
	delete(c.Classifications, "secret")
	if body, err := wire.EncodeQuestion(submission(nil, c)); err == nil {
		t.Errorf("encoded:\n%s", body)
	}
	if body, err := wire.EncodeQuestion(submission(&c, callbackCase(nil))); err == nil {
		t.Errorf("encoded:\n%s", body)
	}
}

func TestAnswersAreReadAsPublished(t *testing.T) {
	for body, want := range map[string]wire.Answer{
		"":                                  {},
		" \r\n\t":                           {},
		"null":                              {},
		" null\n":                           {},
		"{}":                                {},
		`{"unknown":[{"deep":1}],"x":1}`:    {Ignored: []string{"unknown", "x"}},
		`{"errors":[],"gone":null}`:         {}, // null counts as absent
		"\ufeff{}":                          {}, // as some editors begin a file
		"\ufeff \n":                         {},
		"\ufeff" + `{"errors":["a"]}`:       {Errors: []string{"a"}},
		`{"state":null}`:                    {},
		`{"data":{"Errors":1,"state":"x"}}`: {HasData: true, Data: map[string]any{"Errors": json.Number("1"), "state": "x"}}, // fields
		`{"data":null,"errors":null,"warnings":null,"override_state":null}`: {},
		`{"errors":[],"warnings":[],"override_state":""}`:                   {},
		`{"data":{}}`: {Data: map[string]any{}, HasData: true},
		`{"data":{"a":"1","gone":null,"n":1.50,"o":{"kept":null}}}`: {HasData: true, Data: map[string]any{
			"a": "1", "n": json.Number("1.50"), "o": map[string]any{"kept": nil}}},
		`{"errors":["Error 1","Error 2"],"warnings":["Warning 1"]}`: {Errors: []string{"Error 1", "Error 2"}, Warnings: []string{"Warning 1"}},
		`{"override_state":"escalated"}`:                            {OverrideState: "escalated"},
		`{"data":{"case_field1":"","case_field2":""},"errors":["Error 1"],"warnings":["Warning 1"],"override_state":""}`: {
			HasData: true, Data: map[string]any{"case_field1": "", "case_field2": ""}, Errors: []string{"Error 1"}, Warnings: []string{"Warning 1"}},
	} {
		got, err := wire.DecodeAnswer("", casetype.AboutToSubmit, []byte(body))
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", body, diff)
		}
	}
}

func TestTheFirstUnknownKeysOfAnAnswerAreListed(t *testing.T) {
	long, most := strings.Repeat("a", 63)+"é", strings.Repeat("a", 64)
	body := `{"` + long + `":1,"` + most + `":1`
	for i := range 20 {
		body += fmt.Sprintf(`,"k%02d":1`, i)
	}
	got, err := wire.DecodeAnswer("", casetype.AboutToSubmit, []byte(body+"}"))
	want := []string{most, long[:63], "k00", "k01", "k02", "k03", "k04", "k05", "k06", "k07"}
	if diff := cmp.Diff(want, got.Ignored); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestOtherShapesAreRefusedWithoutQuotingThem(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                                 "the body is not a JSON object",
		`"private"`:                          "is not a JSON object",
		`7`:                                  "is not a JSON object",
		`true`:                               "is not a JSON object",
		`<html>private</html>`:               "is not JSON",
		`{"data":{"private":"priva`:          "is not JSON",
		`{} {"private":1}`:                   "is not JSON",
		`{"a":1,}`:                           "is not JSON",
		"{\"data\":{\"x\":\"\xff\"}}":        "UTF-8",
		"\xff\xfe{\x00}\x00":                 "UTF-8",
		`{"data":{"x":"\ud800"}}`:            "the body holds half of a surrogate pair",
		`{"data":{"x":"\u0000"}}`:            "U+0000",
		`{"data":"private"}`:                 "data is not an object",
		`{"data":[{"private":1}]}`:           "data is not an object",
		`{"errors":"private"}`:               "errors is not a list of strings",
		`{"errors":["a",1]}`:                 "errors is not a list of strings",
		`{"errors":[null]}`:                  "errors is not a list of strings",
		`{"errors":{"private":"a"}}`:         "errors is not a list of strings",
		`{"warnings":["a",["b"]]}`:           "warnings is not a list of strings",
		`{"warnings":false}`:                 "warnings is not a list of strings",
		`{"override_state":1}`:               "override_state is not a string",
		`{"Errors":["private"]}`:             "differs from errors in letter case",
		`{"errors":[],"ERRORS":["private"]}`: "differs from errors in letter case",
		`{"Warnings":null}`:                  "differs from warnings in letter case",
		`{"DATA":{"private":1}}`:             "differs from data in letter case",
		`{"Override_State":"private"}`:       "differs from override_state in letter case",
		`{"state":"private"}`:                "it has state, which is CCD's",
		`{"State":""}`:                       "it has state, which is CCD's",
		`{"override_state":["x"]}`:           "override_state is not a string",
		`{"errors":["x"],"errors":[]}`:       "given twice",
		`{"data":{"private":1,"private":2}}`: "something in the body is given twice",
		`{"data":{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`: "nested deeper",
		`{"data":{"x":1e99999}}`:   "power",
		strings.Repeat("[", 20000): "is not JSON",
	} {
		got, err := wire.DecodeAnswer("", casetype.AboutToSubmit, []byte(body))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "private") {
			t.Errorf("%.60s: %v, want %q", body, err, want)
		}
		if diff := cmp.Diff(wire.Answer{}, got); diff != "" {
			t.Errorf("%.60s: an error and an answer:\n%s", body, diff)
		}
	}
}

// Encoding and decoding a decoded answer does not change it.
func FuzzDecodeAnswer(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", `{"data":{"a":[1,{"b":null}]},"errors":["x"],"warnings":[],"override_state":"s"}`,
		`{"data":{"a":1,"a":2}}`, `[`, `{"errors":[null]}`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := wire.DecodeAnswer("", casetype.AboutToSubmit, body)
		if err != nil {
			return
		}
		object := map[string]any{
			"errors": answer.Errors, "warnings": answer.Warnings, "override_state": answer.OverrideState,
		}
		if answer.HasData {
			object["data"] = answer.Data
		}
		again, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		second, err := wire.DecodeAnswer("", casetype.AboutToSubmit, again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if diff := cmp.Diff(answer, second); diff != "" {
			t.Errorf("%s:\n%s", again, diff)
		}
	})
}

// A body with errors must not be ignored as a failure, even if it is otherwise invalid.
func TestAnswersThatCarryErrorsAreKnown(t *testing.T) {
	for body, want := range map[string]bool{
		"": false, "{}": false, `{"errors":[]}`: false, `{"errors":null}`: false, `{"data":{"errors":["x"]}}`: false, `<p>errors</p>`: false,
		`{"errors":["x"]}`: true, `{"Errors":["x"]}`: true, `{"errors":"x"}`: true, `{"errors":[1]}`: true, "\ufeff" + `{"errors":["x"]}`: true,
		`{"errors":["x`: true, `{"errors":["x"],}`: true, `{"errors":["x"],"errors":[]}`: true,
	} {
		if got := wire.CarriesErrors([]byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
}

// submission is a question about a submission, in QuickCase's dialect.
func submission(before *wire.CallbackCase, now wire.CallbackCase) wire.Asked {
	return wire.Asked{Question: casetype.AboutToSubmit, Before: before, Now: now}
}
