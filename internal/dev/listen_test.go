package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
)

// streaming is a server whose stream breaks off repeatedly.
type streaming struct {
	messages int  // how many there are
	cut      int  // the number of events after which a stream ends
	badly    bool // in the middle of an event

	mu    sync.Mutex
	query []string
}

func (s *streaming) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.query = append(s.query, r.URL.RawQuery)
	s.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer chk_1.x" {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"code":"token.invalid","detail":"No."}`)
		return
	}
	from, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	fmt.Fprintf(w, "retry: 2000\nid: %d\n\n", from)
	for i := from + 1; i <= min(from+s.cut, s.messages); i++ {
		fmt.Fprintf(w,
			"id: %d\nevent: case_changed\ndata: "+
				"{\"id\":\"msg_%d\",\"trigger\":\"case_changed\",\"subject\":\"case/%d\",\"sequence\":%d,"+
				"\"timestamp\":\"2026-03-14T15:09:26.120Z\",\"source\":\"api\",\"headers\":{\"X-atfinity-event\":\"case_changed\",\"Content-Type\":\"application/json; charset=UTF-8\"},"+
				"\"body\":{\"case_name\":\"Zo\u00eb <&>\",\"n\":%d.00},\"error\":null}\n\n", i, i, i%3, i, i)
	}
	if from >= s.messages {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return
	}
	if s.badly {
		fmt.Fprintf(w, "id: 999\ndata: {\"id\":\"msg_")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

// local is a receiver in development.
type local struct {
	t        *testing.T
	status   func(id string, attempt int) int
	verifier *standardwebhooks.Webhook

	mu  sync.Mutex
	got []string // ids with attempts
	ids []string // the ones that it accepted
}

func (l *local) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		l.t.Error(err)
	}
	if err := l.verifier.Verify(body, r.Header); err != nil {
		l.t.Error(err)
	}
	id := r.Header.Get("webhook-id")
	attempt, _ := strconv.Atoi(r.Header.Get("webhook-attempt"))
	if want := `{"case_name":"Zoë <&>","n":` + strings.TrimPrefix(id, "msg_") + `.00}`; string(body) != want {
		l.t.Errorf("the body is %s, want %s", body, want)
	}
	status := 204
	if l.status != nil {
		status = l.status(id, attempt)
	}
	l.mu.Lock()
	l.got = append(l.got, fmt.Sprintf("%s/%d", id, attempt))
	if status == 204 {
		l.ids = append(l.ids, id)
	}
	l.mu.Unlock()
	w.WriteHeader(status)
}

func newLocal(t *testing.T, l ListenOptions) (*local, ListenOptions) {
	t.Helper()
	l.Key = bytes.Repeat([]byte{7}, 32)
	verifier, err := standardwebhooks.NewWebhook(outbound.FormatKey(l.Key))
	if err != nil {
		t.Fatal(err)
	}
	receiver := &local{t: t, verifier: verifier}
	server := httptest.NewServer(receiver)
	t.Cleanup(server.Close)
	l.Forward = server.URL
	return receiver, l
}

// lines cancels a Listen after a number of lines.
type lines struct {
	bytes.Buffer
	left int
	end  func()
}

func (l *lines) Write(b []byte) (int, error) {
	if l.left -= bytes.Count(b, []byte("\n")); l.left <= 0 {
		l.end()
	}
	return l.Buffer.Write(b)
}

// listened runs Listen until it has printed a number of lines.
func listened(t *testing.T, s *streaming, l ListenOptions, most int) (out, notes string) {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var noted bytes.Buffer
	printed := &lines{left: most, end: cancel}
	l.Out, l.Notes = printed, &noted
	if err := Listen(ctx, &client.Client{Server: server.URL, Token: "chk_1.x"}, l); err != nil || printed.left > 0 {
		t.Errorf("%v; %d lines are missing", err, printed.left)
	}
	return printed.String(), noted.String()
}

// Every message arrives once and in the order of its subject, however often the stream ends, cleanly or not.
func TestListeningResumesWhereItEnded(t *testing.T) {
	for _, badly := range []bool{false, true} {
		receiver, l := newLocal(t,
			ListenOptions{Triggers: []string{"case_*"}, Sources: []string{"api"}, After: "beginning", Retry: true})
		var once sync.Once
		receiver.status = func(id string, attempt int) (status int) {
			status = 204
			if id == "msg_1" {
				once.Do(func() { status = 503 }) // those behind it wait
			}
			return status
		}
		s := &streaming{messages: 12, cut: 5, badly: badly}
		_, notes := listened(t, s, l, 15) // with the head, the date, and one retry
		slices.Sort(receiver.ids)
		if len(receiver.ids) != 12 || len(slices.Compact(receiver.ids)) != 12 {
			t.Errorf("badly %v: accepted were %v; %s", badly, receiver.ids, notes)
		}
		newest := map[int]int{}
		for _, got := range receiver.got {
			n, _ := strconv.Atoi(strings.TrimPrefix(strings.Split(got, "/")[0], "msg_"))
			if n < newest[n%3] {
				t.Errorf("out of order: %v", receiver.got)
			}
			newest[n%3] = n
		}
		if s.query[0] != "after=beginning&sources=api&triggers=case_%2A" {
			t.Errorf("asked for %s", s.query[0])
		}
		if (strings.Contains(notes, "broke off")) != badly {
			t.Errorf("badly %v: %s", badly, notes)
		}
	}
}

// versions returns the printed versions, line by line.
func versions(out string) (all []string) {
	for _, found := range regexp.MustCompile(` v([0-9]+)\b`).FindAllStringSubmatch(out, -1) {
		all = append(all, found[1])
	}
	return all
}

func TestListeningIsInTheOrderOfTheJournal(t *testing.T) {
	const messages = 60
	var want []string
	for i := range messages {
		want = append(want, strconv.Itoa(i+1))
	}
	out, _ := listened(t, &streaming{messages: messages, cut: messages}, ListenOptions{}, messages+2)
	if got := versions(out); !slices.Equal(got, want) {
		t.Errorf("printed: %v", got)
	}
	receiver, l := newLocal(t, ListenOptions{})
	out, _ = listened(t, &streaming{messages: messages, cut: messages}, l, messages+2)
	if got := versions(out); !slices.Equal(got, want) {
		t.Errorf("forwarded, printed: %v", got)
	}
	if came := strings.NewReplacer("msg_", "", "/1", "").Replace(strings.Join(receiver.got,
		" ")); came != strings.Join(want, " ") {
		t.Errorf("forwarded: %s", came)
	}
}

// A message that is being retried delays messages of its own subject only.
func TestARetriedMessageDelaysNoOtherSubject(t *testing.T) {
	receiver, l := newLocal(t, ListenOptions{Retry: true})
	receiver.status = func(id string, attempt int) int {
		if id == "msg_1" && attempt == 1 {
			return 503
		}
		return 204
	}
	out, _ := listened(t, &streaming{messages: 9, cut: 9}, l, 12)
	want := []string{"1", "2", "3", "5", "6", "8", "9", "1", "4", "7"} // of three subjects
	if got := versions(out); !slices.Equal(got, want) {
		t.Errorf("printed: %v, want %v", got, want)
	}
}

func TestARefusalByTheServerEndsListening(t *testing.T) {
	server := httptest.NewServer(&streaming{})
	defer server.Close()
	err := Listen(t.Context(), &client.Client{Server: server.URL, Token: "chk_wrong"},
		ListenOptions{Output: Output{Out: io.Discard}})
	if !errors.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
	err = Listen(t.Context(), &client.Client{Server: "http://127.0.0.1:1", Token: "chk_1.x"},
		ListenOptions{Output: Output{Out: io.Discard}})
	if !errors.Is(err, fault.Upstream) || !strings.Contains(err.Error(), "Is the server running?") {
		t.Error(err)
	}
}

func TestMessagesArePrinted(t *testing.T) {
	out, _ := listened(t, &streaming{messages: 1, cut: 5}, ListenOptions{}, 3)
	if !strings.HasSuffix(out, "  case_changed            case/1                     v1\n") ||
		!strings.HasPrefix(out, "TIME      TRIGGER ") ||
		strings.Count(out, "\n2026-03-1") != 1 { // the day, if it is not today
		t.Errorf("%q", out)
	}
	receiver, l := newLocal(t, ListenOptions{})
	receiver.status = func(string, int) int { return 418 }
	l.JSON = true
	out, notes := listened(t, &streaming{messages: 1, cut: 5}, l, 1)
	if !strings.Contains(out, `"timestamp":"2026-03-14T15:09:26.120Z"`) { // with the digits that it arrived with
		t.Error(out)
	}
	type forwarded struct{ Status, Attempt int }
	type line struct {
		ID        string
		Body      json.RawMessage
		Forwarded forwarded
	}
	var got line
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	want := line{"msg_1", json.RawMessage(`{"case_name":"Zoë <&>","n":1.00}`), forwarded{418, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(notes, "1 messages arrived; the receiver did not accept 1 of them") {
		t.Error(notes)
	}
}
