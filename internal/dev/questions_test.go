package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
)

// asking is a server with one question, and without messages.
type asking struct {
	question question
	claimed  chan struct{}
	answers  chan string // that it got
	refuses  bool        // a second answer
}

func (s *asking) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/v1/questions/claim":
		select {
		case s.claimed <- struct{}{}:
			answer := json.NewEncoder(w)
			answer.SetEscapeHTML(false)
			answer.Encode(map[string]any{"question": s.question})
		case <-r.Context().Done():
		}
	case "/v1/questions/opn_1/answer":
		if s.refuses {
			w.WriteHeader(http.StatusConflict)
			io.WriteString(w, `{"code":"question.answered","detail":"Another one."}`)
		}
		s.answers <- string(body)
	default:
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

var callbackKey = bytes.Repeat([]byte{7}, 32)

func newAsking() *asking {
	at, body := time.Now(), []byte(`{"case_details":{"id":"4539","case_data":{"text":"<é>"}}}`)
	return &asking{claimed: make(chan struct{}, 1), answers: make(chan string, 1), question: question{
		ID: "opn_1", CaseType: "kyc", Callback: "kyc/submit", Path: "/kyc/submit?x=1", Deadline: at.Add(time.Minute),
		Body: body, Headers: map[string]string{
			"webhook-id": "msg_1", "webhook-attempt": "2", "webhook-timestamp": strconv.FormatInt(at.Unix(), 10),
			"webhook-signature": outbound.Sign(callbackKey, "msg_1", at, body), "Casehook-Transition": "submit",
		},
	}}
}

// asked listens until a question is answered, and returns the answer and what is printed.
func asked(t *testing.T, s *asking, callbacks string) (answer, out string) {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	printed := &lines{left: 1, end: cancel}
	err := Listen(ctx, &client.Client{Server: server.URL, Token: "chk_1.x"},
		ListenOptions{Output: Output{Out: printed}, Callbacks: callbacks})
	if err != nil || printed.left > 0 {
		t.Fatalf("%v; a line is missing", err)
	}
	return <-s.answers, printed.String()
}

func TestACallbackOnThisMachineGetsTheRequestOfTheServer(t *testing.T) {
	verifier, err := standardwebhooks.NewWebhook(outbound.FormatKey(callbackKey))
	if err != nil {
		t.Fatal(err)
	}
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := verifier.Verify(body, r.Header); err != nil {
			t.Error(err)
		}
		got := []string{r.RequestURI, r.Header.Get("webhook-attempt"), r.Header.Get("Casehook-Transition")}
		if diff := cmp.Diff([]string{"/kyc/submit?x=1", "2", "submit"}, got); diff != "" {
			t.Error(diff)
		}
		w.Header().Set("Client-Context", "e30=")
		io.WriteString(w, `{"data": {"amount": 1.50}}`)
	}))
	defer local.Close()
	answer, out := asked(t, newAsking(), local.URL)
	want := `{"status":200,"headers":{"Client-Context":"e30="},"body":{"data":{"amount":1.50}}}`
	if answer != want {
		t.Errorf("the answer is %s, want %s", answer, want)
	}
	for _, part := range []string{"kyc/submit", "case/4539", "200"} {
		if !strings.Contains(out, part) {
			t.Errorf("%q is not printed: %s", part, out)
		}
	}
}

func TestWhatIsAnsweredWithoutAUsableAnswer(t *testing.T) {
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "oops")
	}))
	defer local.Close()
	if answer, _ := asked(t, newAsking(), local.URL+"/mine"); answer != `{"status":418,"body":"oops"}` {
		t.Errorf("the answer is %s", answer)
	}
	if answer, out := asked(t, newAsking(), "http://127.0.0.1:1"); answer != `{"status":502}` ||
		!strings.Contains(out, "connect") {
		t.Errorf("the answer is %s; printed is %s", answer, out)
	}
	late := newAsking()
	late.refuses = true
	if _, out := asked(t, late, local.URL); !strings.Contains(out, "not used: Another one.") {
		t.Errorf("printed is %s", out)
	}
}

func TestAServerThatRefusesQuestionsEndsListening(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/questions/claim" {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"code":"access.denied","detail":"No."}`)
	}))
	defer server.Close()
	c := &client.Client{Server: server.URL, Token: "chk_1.x"}
	options := ListenOptions{Output: Output{Out: io.Discard}, Callbacks: "http://localhost:4000"}
	if err := Listen(t.Context(), c, options); fault.As(err).Code != "access.denied" {
		t.Error(err)
	}
	options.Callbacks = "localhost"
	if err := Listen(t.Context(), c, options); fault.As(err).Code != "dev.callbacks" {
		t.Error(err)
	}
}
