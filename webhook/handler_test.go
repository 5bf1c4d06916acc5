package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/webhook"
)

const created = `{"trigger":"case_created","case_id":42,"case_name":"Acme Corp","case_version":1}`

// ask sends a signed request to h, and returns its answer.
func ask(t *testing.T, h http.Handler, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	if err := webhook.Sign(r.Header, secret, "msg_1", now, []byte(body)); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("webhook-attempt", "2")
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTheStatusFollowsTheFunctionsError(t *testing.T) {
	private := errors.New("private: the database is away")
	for name, c := range map[string]struct {
		err        error
		status     int
		retryAfter string
	}{
		"taken":                 {nil, http.StatusNoContent, ""},
		"failed":                {private, http.StatusInternalServerError, ""},
		"unsubscribed":          {fmt.Errorf("%w: %w", webhook.ErrUnsubscribe, private), http.StatusGone, ""},
		"rejected":              {fmt.Errorf("%w: %w", webhook.ErrRejected, private), http.StatusUnprocessableEntity, ""},
		"later":                 {fmt.Errorf("x: %w", webhook.RetryAfter(90*time.Second, private)), http.StatusServiceUnavailable, "90"},
		"later, without reason": {webhook.RetryAfter(time.Millisecond, nil), http.StatusServiceUnavailable, "1"},
	} {
		var noted error
		h := webhook.Handler(verifier(t, secret), func(_ context.Context, e *webhook.Event) error {
			if p, ok := e.Payload.(webhook.CaseCreated); !ok || p.Name != "Acme Corp" {
				t.Errorf("%s: the payload is %#v", name, e.Payload)
			}
			if e.ID != "msg_1" || e.Attempt != 2 {
				t.Errorf("%s: %+v", name, e)
			}
			return c.err
		}, webhook.OnError(func(_ *http.Request, err error) { noted = err }))
		w := ask(t, h, created)
		if w.Code != c.status || w.Header().Get("Retry-After") != c.retryAfter {
			t.Errorf("%s: %d %v, want %d", name, w.Code, w.Header(), c.status)
		}
		if strings.Contains(w.Body.String(), "private") {
			t.Errorf("%s: the answer shows the error: %s", name, w.Body)
		}
		if !errors.Is(noted, c.err) {
			t.Errorf("%s: OnError got %v", name, noted)
		}
	}
}

func TestForeignRequestsAreRefusedUnseen(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		change func(*http.Request)
		status int
		want   error
	}{
		"another body":     {created, func(r *http.Request) { r.Header.Set("webhook-id", "msg_2") }, http.StatusUnauthorized, webhook.ErrSignature},
		"no signature":     {created, func(r *http.Request) { r.Header.Del("webhook-signature") }, http.StatusUnauthorized, webhook.ErrHeaders},
		"too old":          {created, func(r *http.Request) { r.Header.Set("webhook-timestamp", "1") }, http.StatusUnauthorized, webhook.ErrTimestamp},
		"too large":        {created + strings.Repeat(" ", 1000), func(*http.Request) {}, http.StatusRequestEntityTooLarge, webhook.ErrTooLarge},
		"no JSON":          {"private", func(*http.Request) {}, http.StatusBadRequest, webhook.ErrBody},
		"another method":   {created, func(r *http.Request) { r.Method = http.MethodGet }, http.StatusMethodNotAllowed, nil},
		"not sent to end":  {created, func(r *http.Request) { r.Body = corruptBody{} }, http.StatusBadRequest, webhook.ErrBody},
		"no webhook at al": {`{"case_details":{}}`, func(*http.Request) {}, http.StatusBadRequest, webhook.ErrBody},
	} {
		var noted error
		options := []webhook.Option{
			webhook.Limit(int64(len(created))), webhook.OnError(func(_ *http.Request, err error) { noted = err }),
		}
		for kind, h := range map[string]http.Handler{
			"webhook": webhook.Handler(verifier(t, secret), func(context.Context, *webhook.Event) error {
				t.Errorf("%s was passed to handle", name)
				return nil
			}, options...),
			"callback": webhook.Callback(verifier(t, secret), func(context.Context, *webhook.AboutToSubmit) (webhook.Answer, error) {
				t.Errorf("%s was passed to handle", name)
				return webhook.Accept(), nil
			}, options...),
		} {
			w := ask(t, h, c.body, c.change)
			if w.Code != c.status || !errors.Is(noted, c.want) || strings.Contains(w.Body.String(), "private") {
				t.Errorf("%s, %s: %d %s, %v", kind, name, w.Code, w.Body, noted)
			}
		}
	}
}

type corruptBody struct{}

func (corruptBody) Read([]byte) (int, error) { return 0, errors.New("private: reset") }
func (corruptBody) Close() error             { return nil }

const question = `{"case_details_before":null,"case_details":{"id":"4539148803436467","case_type_id":"leave","created_date":"2024-05-01T10:00:00Z",
	"last_modified":"2024-05-01T10:00:00Z","state":"asked","security_classification":"PRIVATE",
	"case_data":{"days":30,"budget":12345678901234567890.10,"employee":"Ada"},"data_classification":{"days":"PUBLIC","budget":"PUBLIC","employee":"PRIVATE"}}}`

func TestTheAnswersOfACallbackAreOfThePublishedShape(t *testing.T) {
	amended := func(q *webhook.AboutToSubmit) webhook.Answer {
		a, err := q.Amend(struct {
			Days int `json:"days"`
			Note any `json:"note"`
		}{20, nil})
		if err != nil {
			t.Error(err)
		}
		return a
	}
	for want, answer := range map[string]func(*webhook.AboutToSubmit) webhook.Answer{
		`{}`:                            func(*webhook.AboutToSubmit) webhook.Answer { return webhook.Accept() },
		`{"errors":["a","b"]}`:          func(*webhook.AboutToSubmit) webhook.Answer { return webhook.Refuse("a", "b") },
		`{"warnings":["a"]}`:            func(*webhook.AboutToSubmit) webhook.Answer { return webhook.Warn("a") },
		`{"override_state":"escalate"}`: func(*webhook.AboutToSubmit) webhook.Answer { return webhook.Divert("escalate") },
		`{"data":{}}`:                   func(*webhook.AboutToSubmit) webhook.Answer { return webhook.Answer{Data: map[string]any{}} },
		`{"data":{"budget":12345678901234567890.10,"days":20,"employee":"Ada","note":null}}`: amended,
		`{"data":{"a":1},"errors":["e"],"warnings":["w"],"override_state":"s"}`: func(*webhook.AboutToSubmit) webhook.Answer {
			return webhook.Answer{Data: map[string]any{"a": 1}, Errors: []string{"e"}, Warnings: []string{"w"}, OverrideState: "s"}
		},
	} {
		w := ask(t,
			webhook.Callback(verifier(t,
				secret), func(_ context.Context, q *webhook.AboutToSubmit) (webhook.Answer, error) {
				return answer(q), nil
			}), question)
		type response struct {
			Status     int
			Type, Body string
		}
		got := response{w.Code, w.Header().Get("Content-Type"), w.Body.String()}
		if diff := cmp.Diff(response{http.StatusOK, "application/json", want}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNullDataIsAmendedLikeEmptyData(t *testing.T) {
	q, err := webhook.DecodeAboutToSubmit(http.Header{}, []byte(`{"case_details":{"id":"1","case_data":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := q.Amend(map[string]any{"days": 20})
	if said, wrong := json.Marshal(a); err != nil || wrong != nil || string(said) != `{"data":{"days":20}}` {
		t.Errorf("%s, %v, %v", said, err, wrong)
	}
}

func TestAQuestionHasBothCasesAndTheirData(t *testing.T) {
	for _, v := range vectors(t, "about_to_submit") {
		v.header.Set("webhook-id", "msg_1")
		q, err := webhook.DecodeAboutToSubmit(v.header, v.body)
		if err != nil {
			t.Fatalf("%s: %v", v.name, err)
		}
		again, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(known(t, v.body), known(t, again), sameMoments); diff != "" {
			t.Errorf("%s: %s", v.name, diff)
		}
		var data map[string]any
		if err := q.Details.Data(&data); err != nil || len(data) != len(q.Details.Classifications) || q.ID != "msg_1" {
			t.Errorf("%s: %v, %v", v.name, data, err)
		}
		v.header.Set("dry-run", "true")
		if tried, err := webhook.DecodeAboutToSubmit(v.header, v.body); err != nil || !tried.DryRun || q.DryRun {
			t.Errorf("%s: dry runs are not told apart: %v", v.name, err)
		}
		if (q.Before != nil) != strings.Contains(v.name, "progression") {
			t.Errorf("%s: before is %+v", v.name, q.Before)
		}
	}
}

func TestTheErrorOfACallbackIsNotAVerdict(t *testing.T) {
	for name, judge := range map[string]func(*webhook.AboutToSubmit) (webhook.Answer, error){
		"an error":                     func(*webhook.AboutToSubmit) (webhook.Answer, error) { return webhook.Accept(), errors.New("private") },
		"data that can't be written":   func(*webhook.AboutToSubmit) (webhook.Answer, error) { return webhook.Answer{Data: func() {}}, nil },
		"amended with a list":          func(q *webhook.AboutToSubmit) (webhook.Answer, error) { return q.Amend([]int{1}) },
		"amended with what is no JSON": func(q *webhook.AboutToSubmit) (webhook.Answer, error) { return q.Amend(func() {}) },
	} {
		w := ask(t, webhook.Callback(verifier(t, secret),
			func(_ context.Context, q *webhook.AboutToSubmit) (webhook.Answer, error) { return judge(q) },
			webhook.OnError(func(*http.Request, error) {})), question)
		if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "private") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}
