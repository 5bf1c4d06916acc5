package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/internal/fault"
)

// roundTripper answers requests without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}
}

func to(f roundTripper) *client.Client {
	return &client.Client{Server: "http://casehook.example/", Token: "chk_1.x", Transport: f}
}

func TestRequestsAndAnswers(t *testing.T) {
	c := to(func(r *http.Request) (*http.Response, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		return answer(201,
			fmt.Sprintf("%q",
				r.Method+" "+r.URL.String()+" "+r.Header.Get("Authorization")+" "+r.Header.Get("Content-Type")+" "+
					r.Header.Get("Idempotency-Key")+" "+string(body))), nil
	})
	for want, q := range map[string]client.Request{
		"GET http://casehook.example/v1/x?a=b Bearer chk_1.x   ":                         {Method: "GET", Path: "/v1/x?a=b"},
		`POST http://casehook.example/v1/x Bearer chk_1.x application/json once {"a":1}`: {Method: "POST", Path: "/v1/x", Body: map[string]int{"a": 1}, Header: http.Header{"Idempotency-Key": {"once"}}},
		"PUT http://casehook.example/v1/x Bearer chk_1.x application/yaml  key: x":       {Method: "PUT", Path: "/v1/x", Body: []byte("key: x"), ContentType: "application/yaml"},
	} {
		var got string
		if err := c.Call(t.Context(), q, &got); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

func TestAProblemBecomesAFaultOfItsKind(t *testing.T) {
	for name, c := range map[string]struct {
		answer *http.Response
		kind   fault.Kind
		want   string
	}{
		"a problem": {answer(422, `{"code":"x.y","detail":"Say less.","errors":["e"],"fields":[{"path":"/a","message":"is long"}]}`), fault.Unprocessable, "x.y: Say less.; /a: is long"},
		"not found": {answer(404, `{"code":"case.not_found","detail":"None."}`), fault.NotFound, "case.not_found: None."},
		"no route":  {answer(404, `{"code":"route.not_found","detail":"Nothing."}`), fault.Invalid, "without a path"},
		"its TLS":   {answer(400, "Client sent an HTTP request to an HTTPS server.\n"), fault.Invalid, "speaks https, not http: write https://casehook.example/."},
		"a teapot":  {answer(418, `{"code":"x.y"}`), fault.Upstream, "x.y: The server answered 418"},
		"a page":    {answer(404, `<html>`), fault.Upstream, "answered 404 Not Found, and it does not look like"},
		"no JSON":   {answer(200, `<html>`), fault.Upstream, "sent an answer that is not JSON"},
		"elsewhere": {answer(301, ``, "Location", "https://other.example/v1/x"), fault.Upstream, "redirects to https://other.example/v1/x: name that server"},
	} {
		asked := 0
		err := to(func(*http.Request) (*http.Response, error) { asked++; return c.answer, nil }).Get(t.Context(),
			"/v1/x", new(any))
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || asked != 1 {
			t.Errorf("%s: %v after %d requests", name, err, asked)
		}
	}
}

func TestWithoutATokenOrAServerNothingIsSent(t *testing.T) {
	closed := roundTripper(func(*http.Request) (*http.Response, error) { t.Error("sent"); return nil, io.EOF })
	for want, c := range map[string]*client.Client{
		"set CASEHOOK_TOKEN":         {Server: "http://casehook.example", Transport: closed},
		"is not the URL of a server": {Server: "localhost:8080", Token: "chk_1.x", Transport: closed},
	} {
		if err := c.Call(t.Context(), client.Request{Method: "POST", Path: "/v1/x"},
			nil); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestAnHTTPServerCalledByHTTPSIsNamed(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	url := strings.Replace(server.URL, "http://", "https://", 1)
	err := (&client.Client{Server: url, Token: "chk_1.x"}).Get(t.Context(), "/v1/x", nil)
	if !errors.Is(err, fault.Invalid) ||
		!strings.Contains(err.Error(), "speaks http, not https: write "+server.URL+".") {
		t.Error(err)
	}
}

func TestATokenThatIsNotValidIsNamedByWhereItIsSet(t *testing.T) {
	c := to(func(*http.Request) (*http.Response, error) {
		return answer(401, `{"code":"token.invalid","detail":"Theirs."}`), nil
	})
	err := c.Get(t.Context(), "/v1/x", nil)
	c.TokenFrom = "CASEHOOK_TOKEN"
	named := c.Get(t.Context(), "/v1/x", nil)
	if fault.As(err).Detail != "Theirs." ||
		!strings.HasPrefix(fault.As(named).Detail, "CASEHOOK_TOKEN is not valid at http://casehook.example") {
		t.Errorf("%v; %v", err, named)
	}
}

// A request that only reads is repeated; one that changes something is not.
func TestOnlyRequestsThatReadAreRetried(t *testing.T) {
	away := func() (*http.Response, error) { return nil, errors.New("refused") }
	for name, c := range map[string]struct {
		method  string
		answers []func() (*http.Response, error)
		asked   int
		took    time.Duration
		ok      bool
	}{
		"away for a moment": {"GET", []func() (*http.Response, error){away, away}, 3, 500 * time.Millisecond, true},
		"away for good":     {"GET", []func() (*http.Response, error){away, away, away, away, away}, 4, 2 * time.Second, false},
		"asked to wait":     {"GET", []func() (*http.Response, error){func() (*http.Response, error) { return answer(503, `{"code":"x"}`, "Retry-After", "2"), nil }}, 2, 2 * time.Second, true},
		"to wait for long":  {"GET", []func() (*http.Response, error){func() (*http.Response, error) { return answer(429, `{"code":"x"}`, "Retry-After", "3600"), nil }}, 2, 5 * time.Second, true},
		"a POST":            {"POST", []func() (*http.Response, error){away}, 1, 0, false},
		"a POST too many":   {"POST", []func() (*http.Response, error){func() (*http.Response, error) { return answer(503, `{"code":"x"}`), nil }}, 1, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked, begun := 0, time.Now()
			err := to(func(*http.Request) (*http.Response, error) {
				asked++
				if asked > len(c.answers) {
					return answer(200, "{}"), nil
				}
				return c.answers[asked-1]()
			}).Call(t.Context(), client.Request{Method: c.method, Path: "/v1/x"}, nil)
			type call struct {
				OK       bool
				Requests int
				Took     time.Duration
			}
			got := call{err == nil, asked, time.Since(begun)}
			if diff := cmp.Diff(call{c.ok, c.asked, c.took}, got); diff != "" {
				t.Errorf("%s: %v: %s", name, err, diff)
			}
		})
	}
}

func TestEachReadsAllPages(t *testing.T) {
	c := to(func(r *http.Request) (*http.Response, error) {
		switch r.URL.RawQuery {
		case "limit=100&status=active":
			return answer(200, `{"items":[1,2],"next":"n"}`), nil
		case "cursor=n&limit=100&status=active":
			return answer(200, `{"items":[3],"next":null}`), nil
		}
		return answer(400, `{"code":"wrong","detail":"Wrong."}`), nil
	})
	var got []int
	for n, err := range client.Each[int](t.Context(), c, "/v1/x", map[string][]string{"status": {"active"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	if diff := cmp.Diff([]int{1, 2, 3}, got); diff != "" {
		t.Error(diff)
	}
	for _, err := range client.Each[int](t.Context(), c, "/v1/x", nil) {
		if !errors.Is(err, fault.Invalid) {
			t.Error(err)
		}
	}
}

func TestAStreamGivesItsEvents(t *testing.T) {
	var got []client.Event
	err := to(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Last-Event-ID") != "i0" || r.Header.Get("Accept") != "text/event-stream" {
			t.Errorf("%v", r.Header)
		}
		return answer(200,
			"retry: 2000\n\n: alive\nid: i1\n\nid: i2\nevent: case_created\ndata: {\"a\":\"b: "+
				"c\"}\n\nid:i3\r\ndata:1\r\ndata: 2\r\n\r\nid: i4\ndata: cut"), nil
	}).Stream(t.Context(), "/v1/stream", "i0", time.Minute, func(e client.Event) error {
		got = append(got,
			e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []client.Event{
		{ID: "i1", Data: []byte{}}, {ID: "i2", Type: "case_created", Data: []byte(`{"a":"b: c"}`)},
		{ID: "i3", Data: []byte("1\n2")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAStreamThatIsSilentIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read, write := io.Pipe()
		begun := time.Now()
		c := to(func(r *http.Request) (*http.Response, error) {
			go func() {
				fmt.Fprint(write, "retry: 2000\n\n")
				timer := time.NewTimer(50 * time.Second)
				<-timer.C
				fmt.Fprint(write, ": alive\n\n")
				<-r.Context().Done()
				write.CloseWithError(r.Context().Err())
			}()
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: read}, nil
		})
		err := c.Stream(t.Context(), "/v1/stream", "", time.Minute,
			func(client.Event) error { t.Error("an event"); return nil })
		if !errors.Is(err, fault.Upstream) || time.Since(begun) != 110*time.Second {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
	})
	stop := errors.New("stop")
	err := to(func(*http.Request) (*http.Response, error) {
		return answer(200, "id: 1\ndata: x\n\nid: 2\ndata: y\n\n"), nil
	}).
		Stream(t.Context(), "/v1/stream", "", time.Minute, func(client.Event) error { return stop })
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	err = to(func(*http.Request) (*http.Response, error) {
		return answer(404, `{"code":"endpoint.not_found","detail":"None."}`), nil
	}).
		Stream(t.Context(), "/v1/stream", "", time.Minute, nil)
	if !errors.Is(err, fault.NotFound) {
		t.Error(err)
	}
}
