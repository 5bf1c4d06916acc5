package delivery

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/outbound"
)

// recordedTexts are texts that JSON escapes, and some that it does not.
var recordedTexts = []string{
	"", "<", ">", "&", "\x7f", "plain ~", `"quoted" \`, "<a&b>", "tab\tline\nnul\x00 \x7f", "Zürich \u2028", "not \xff UTF-8", strings.Repeat("é", 600),
}

func TestARecordOfARequestIsWhatJSONMakesOfIt(t *testing.T) {
	for _, text := range recordedTexts {
		for _, q := range []outbound.Request{
			{URL: text},
			{URL: text, Header: []outbound.Header{{Name: "X-" + text, Value: text}, {Name: "B", Value: "2"}}},
			{URL: text, Private: []outbound.Header{{Name: "A", Value: text}, {Name: text, Value: text}}},
			{Header: []outbound.Header{{Name: "A", Value: text}}, Private: []outbound.Header{{Name: text}}},
		} {
			headers := [][2]string{}
			for _, h := range q.Header {
				headers = append(headers, [2]string{h.Name, printable(h.Value, 1000)})
			}
			for _, h := range q.Private {
				headers = append(headers, [2]string{h.Name, redacted})
			}
			want := encoded(t, struct {
				Headers [][2]string `json:"headers"`
				URL     string      `json:"url"`
			}{headers, q.URL})
			if got := requestRecord(q); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
}

func TestARecordOfAnAnswerIsWhatJSONMakesOfIt(t *testing.T) {
	for _, text := range recordedTexts {
		header := http.Header{"X-Z": {text, "2"}, "Set-Cookie": {text}, "Date": {"now"}, text: nil}
		for want, r := range map[string]outbound.Result{
			"{}":                 {},
			`{"truncated":true}`: {Truncated: true},
			`{"headers":{}}`:     {Status: 204},
			encoded(t, map[string]any{"error": printable(text, 500)}): {Err: errors.New(text)},
			encoded(t, map[string]any{
				"body": "b" + text, "error": "lost", "truncated": true, "headers": map[string]string{
					"X-Z": printable(text+", 2", 1000), "Set-Cookie": redacted, "Date": "now", text: "",
				},
			}): {
				Status: 200, Header: header, Truncated: true, Err: errors.New("lost"),
				Body: []byte("b" + strings.ToValidUTF8(text, "")),
			},
		} {
			if text == "not \xff UTF-8" && r.Body != nil {
				continue // below
			}
			if got := responseRecord(r); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	}
	if got := responseRecord(outbound.Result{Body: []byte("\xff\xfe")}); got != `{"body_base64":"//4="}` {
		t.Errorf("bytes that are no text: %s", got)
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
