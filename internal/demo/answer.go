package demo

import (
	"bytes"
	"encoding/json"

	"github.com/casehook/casehook/internal/client"
)

// call is one request to the API.
type call = client.Request

// answer is the API's answer to a call.
type answer client.Answer

// caseResult is a case, or the problem that was returned instead.
type caseResult struct {
	ID        int64          `json:"id"`
	Reference string         `json:"reference"`
	Name      string         `json:"name"`
	State     string         `json:"state"`
	Version   int64          `json:"version"`
	Data      map[string]any `json:"data"`
	Code      string         `json:"code"`
	Errors    []string       `json:"errors"`
	Warnings  []string       `json:"warnings"`
	Fields    []struct{ Path, Message string }
}

// caseResult decodes the answer. Missing members stay empty.
func (a answer) caseResult() (k caseResult) {
	if decode(a.Body, &k) != nil {
		return caseResult{}
	}
	return k
}

// decode decodes JSON, and keeps numbers as they are written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}
