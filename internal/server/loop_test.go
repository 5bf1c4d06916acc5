package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/testclient"
	"github.com/casehook/casehook/internal/wire/wiretest"
)

// integration is a receiver that calls the API back on each webhook: it adds a comment, of which it
// gets another webhook. It stops after a number of them.
type integration struct {
	t        *testing.T
	server   *Server
	id       string // of its token
	token    string
	versions chan int64 // of the case, as received
	most     int
}

func (i *integration) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var message struct {
		Case    int64 `json:"case_id"`
		Version int64 `json:"case_version"`
	}
	json.NewDecoder(r.Body).Decode(&message)
	if i.most--; i.most >= 0 { // requests of one case come one after the other
		i.comment(message.Case, i.token)
	}
	i.versions <- message.Version
}

func (i *integration) comment(caseID int64, token string) {
	call(i.t, i.server, fmt.Sprintf("POST /v1/cases/%d/comments", caseID), token, `{"text": "Seen."}`)
}

// call sends a request such as "GET /v1/cases", which has to succeed, and returns the members of
// its answer.
func call(t *testing.T, s *Server, operation, token, body string) (answer map[string]any) {
	method, path, _ := strings.Cut(operation, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Error(err)
		return nil
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := testclient.Client.Do(r)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer response.Body.Close()
	if json.NewDecoder(response.Body).Decode(&answer); response.StatusCode/100 != 2 {
		t.Errorf("%s %s: %d %v", method, path, response.StatusCode, answer)
	}
	return answer
}

func TestEachSettingEndsTheLoopOfAnIntegrationThatCallsBack(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		settings string
		byPerson bool // another person also works on the case; else another program does
		want     []int64
	}{
		{"without them it goes on", ``, true, []int64{1, 2, 3, 4, 5, 6, 7}},
		{"without them it goes on among programs too", `, "sources": ["api", "ui"], "ignore_own": false`, false, []int64{1, 2, 3, 4, 5, 6, 7}},
		{"people's activity only", `, "sources": ["ui"]`, true, []int64{1, 3, 5}},
		{"not its own", `, "ignore_own": true`, false, []int64{1, 3, 5}},
		{"not its own, with people about", `, "ignore_own": true`, true, []int64{1, 3, 5}},
		{"programs' activity, not its own", `, "sources": ["api"], "ignore_own": true`, false, []int64{1, 3, 5}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data"),
				Allow: []outbound.AllowedPrefix{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}}})
			i := &integration{t: t, server: s, versions: make(chan int64, 20), most: 6}
			receiver := httptest.NewServer(wiretest.Handler(t, i))
			t.Cleanup(receiver.Close)
			call(t, s, "PUT /v1/case-types/note", s.Token(),
				`{"key": "note", "fields": {"type": "object", "properties": {}},
					"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open"}]}`)
			own := call(t, s, "POST /v1/tokens", s.Token(), `{"name": "integration"}`)
			i.token = own["token"].(string)
			call(t, s, "POST /v1/endpoints", i.token,
				`{"url": "`+receiver.URL+`", "triggers": ["case_created", "case_comment"]`+test.settings+`}`)

			comment := i.begin(test.byPerson)
			got := []int64{i.received()}
			for len(got) < len(test.want) {
				if len(test.want) == 3 { // the loop has ended, and another client goes on
					comment()
				}
				got = append(got, i.received())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("it received the versions %v, want %v", got, test.want)
			}
		})
	}
}

// begin creates a case as somebody else, and returns how they comment on it.
func (i *integration) begin(byPerson bool) (comment func()) {
	i.t.Helper()
	admin, err := i.server.people.Tokens.Authenticate(i.t.Context(), i.server.Token(), "127.0.0.1")
	if err != nil {
		i.t.Fatal(err)
	}
	if !byPerson {
		made := call(i.t, i.server, "POST /v1/case-types/note/cases", i.server.Token(), `{}`)
		id := int64(made["id"].(float64))
		return func() { i.comment(id, i.server.Token()) }
	}
	person := access.Principal{Tenant: admin.Tenant, Role: admin.Role, Clearance: admin.Clearance,
		Actor: event.Actor{Source: event.UI, Name: "Ada", UserID: 7}}
	made, err := i.server.casework.Submissions.Submit(i.t.Context(), person, casework.Submission{Type: "note"},
		authz.Once{})
	if err != nil {
		i.t.Fatal(err)
	}
	return func() {
		if _, err := i.server.casework.Comments.AddComment(i.t.Context(), person,
			casework.NewComment{CaseID: made.ID, Text: "More."},
			authz.Once{}); err != nil {
			i.t.Error(err)
		}
	}
}

// received waits for the next message, and returns its version.
func (i *integration) received() int64 {
	i.t.Helper()
	select {
	case version := <-i.versions:
		return version
	case <-time.After(20 * time.Second):
		i.t.Fatal("it received nothing")
		return 0
	}
}
