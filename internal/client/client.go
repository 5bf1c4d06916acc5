// Package client calls Casehook's API: requests with a token, answers in JSON, problems as
// *fault.Error. The command line, apply and the demo use it; it knows only what the API's
// documentation says. It repeats a request that only reads if the server is away for a moment. It
// does not repeat one that changes something, since it may have been carried out.
//
// A request that only reads is tried again when the server is away for a moment; one that changes
// something is not, since it may have been carried out.
package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// Client calls one server. Its fields must not change once it is in use.
type Client struct {
	Server string // its URL
	Token  string
	// TokenFrom is the setting of the token, for error messages; empty: there is none.
	TokenFrom string
	// Timeout is for one answer, all tries included; zero: 30 s.
	Timeout time.Duration
	// Transport sends the requests; nil: one that all clients share.
	Transport http.RoundTripper
}

// Request is one request.
type Request struct {
	Method, Path string // the path with its query
	Body         any    // []byte is sent as it is, nil is no body, anything else is sent as JSON
	ContentType  string // of a []byte
	Header       http.Header
}

// Answer is a response of any status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

var shared http.RoundTripper = http.DefaultTransport.(*http.Transport).Clone()

const maxAnswer = 16 << 20 // bytes

// Get reads the resource at a path into the value that into points to.
func (c *Client) Get(ctx context.Context, path string, into any) error {
	return c.Call(ctx, Request{Method: http.MethodGet, Path: path}, into)
}

// Post sends a body, unless it is nil, to a path, and reads the answer as Call does.
func (c *Client) Post(ctx context.Context, path string, body, into any) error {
	return c.Call(ctx, Request{Method: http.MethodPost, Path: path, Body: body}, into)
}

// Patch changes the resource at a path as the body says, and reads the answer as Call does.
func (c *Client) Patch(ctx context.Context, path string, body, into any) error {
	return c.Call(ctx, Request{Method: http.MethodPatch, Path: path, Body: body}, into)
}

// Delete deletes the resource at a path.
func (c *Client) Delete(ctx context.Context, path string) error {
	return c.Call(ctx, Request{Method: http.MethodDelete, Path: path}, nil)
}

// Call makes a request that has to succeed, and decodes its answer into the value that into points to; nil
// discards it. Problems become faults of their kinds.
func (c *Client) Call(ctx context.Context, q Request, into any) error {
	a, err := c.Do(ctx, q)
	switch {
	case err != nil:
		return err
	case a.Status/100 != 2:
		return c.problem(a)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fault.Wrap(err, fault.Upstream, "client.answer",
			"%s sent an answer that is not JSON. It may not be a Casehook server; name another with --server.",
			c.Server)
	}
	return nil
}

// Do makes a request, and returns its answer whatever the status. An error means that there was no answer.
func (c *Client) Do(ctx context.Context, q Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(c.Timeout, 30*time.Second))
	defer cancel()
	for try := 0; ; try++ {
		a, err := c.once(ctx, q)
		wait, again := pause(q, a, err, try)
		if !again || ctx.Err() != nil {
			return a, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return a, err
		}
	}
}

// The waits before another try, and the longest wait that a server can ask for.
var pauses = [...]time.Duration{100 * time.Millisecond, 400 * time.Millisecond, 1500 * time.Millisecond}

const maxPause = 5 * time.Second

// pause reports whether to try again, and after how long.
func pause(q Request, a Answer, err error, try int) (time.Duration, bool) {
	if q.Method != http.MethodGet || try >= len(pauses) {
		return 0, false
	}
	switch a.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil {
			return min(time.Duration(seconds)*time.Second, maxPause), true
		}
		return pauses[try], true
	}
	return pauses[try], err != nil && !errors.Is(err, fault.Invalid)
}

func (c *Client) once(ctx context.Context, q Request) (Answer, error) {
	response, err := c.send(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Answer{}, fault.Wrap(err, fault.Upstream, "client.unreachable", "The answer of %s broke off.", c.Server)
	}
	return Answer{response.StatusCode, response.Header, body}, nil
}

func (c *Client) send(ctx context.Context, q Request) (*http.Response, error) {
	if c.Token == "" {
		return nil, fault.New(fault.Invalid, "client.token", "There is no token for %s: set CASEHOOK_TOKEN.", c.Server)
	}
	body, isRaw := q.Body.([]byte)
	if q.Body != nil && !isRaw {
		var err error
		if body, err = json.Marshal(q.Body); err != nil {
			return nil, err
		}
		q.ContentType = "application/json"
	}
	r, err := http.NewRequestWithContext(ctx, q.Method, strings.TrimRight(c.Server, "/")+q.Path, bytes.NewReader(body))
	if err != nil || r.URL.Scheme != "http" && r.URL.Scheme != "https" {
		return nil, fault.Wrap(err, fault.Invalid, "client.server",
			"%q is not the URL of a server, such as http://127.0.0.1:8080.", c.Server)
	}
	for name, values := range q.Header {
		r.Header[name] = values
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	if q.ContentType != "" {
		r.Header.Set("Content-Type", q.ContentType)
	}
	// A redirected POST would become a GET, and the token would go elsewhere.
	direct := &http.Client{
		Transport:     cmp.Or(c.Transport, shared),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := direct.Do(r)
	if err != nil {
		return nil, c.unreachable(err)
	}
	return response, nil
}

// unreachable explains why there is no answer. It leaves the request out, because people do not
// know its path.
func (c *Client) unreachable(err error) error {
	var asked *url.Error
	if errors.As(err, &asked) {
		err = asked.Err
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return fault.New(fault.Invalid, "client.scheme", "%s speaks http, not https: write http://%s.",
			c.Server, strings.TrimPrefix(c.Server, "https://"))
	}
	return fault.Wrap(err, fault.Upstream, "client.unreachable",
		"%s can't be reached. Is the server running? --server names another.", c.Server)
}

// speaksTLS is the answer of a Go server that expects https to a request by http.
const speaksTLS = "Client sent an HTTP request to an HTTPS server."

// kinds are the kinds of problems by their status; any other is Upstream.
var kinds = map[int]fault.Kind{
	http.StatusBadRequest: fault.Invalid, http.StatusUnauthorized: fault.Unauthenticated,
	http.StatusForbidden: fault.Forbidden,
	http.StatusNotFound:  fault.NotFound, http.StatusConflict: fault.Conflict, http.StatusGone: fault.Gone,
	http.StatusRequestEntityTooLarge: fault.TooLarge, http.StatusUnsupportedMediaType: fault.UnsupportedMedia,
	http.StatusUnprocessableEntity: fault.Unprocessable, http.StatusTooManyRequests: fault.TooMany,
	http.StatusServiceUnavailable: fault.Unavailable, http.StatusGatewayTimeout: fault.UpstreamTimeout,
}

// problem returns the error of an unsuccessful answer.
func (c *Client) problem(a Answer) error {
	if to := a.Header.Get("Location"); a.Status/100 == 3 && to != "" {
		return fault.New(fault.Upstream, "client.redirect",
			"%s redirects to %s: name that server with --server or CASEHOOK_SERVER.", c.Server, to)
	}
	var p struct {
		Code     string        `json:"code"`
		Detail   string        `json:"detail"`
		Errors   []string      `json:"errors"`
		Warnings []string      `json:"warnings"`
		Fields   []fault.Field `json:"fields"`
	}
	json.Unmarshal(a.Body, &p) // an answer that is no problem document has no code
	status := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	switch {
	case strings.HasPrefix(string(a.Body), speaksTLS):
		return fault.New(fault.Invalid, "client.scheme", "%s speaks https, not http: write https://%s.",
			c.Server, strings.TrimPrefix(c.Server, "http://"))
	case p.Code == "route.not_found":
		return fault.New(fault.Invalid, "client.path", "%s does not know the requested path. "+
			"Give the server's URL (--server, CASEHOOK_SERVER) without a path, except for one that a proxy adds. "+
			"If the URL is right, the server is older than this command.", c.Server)
	case p.Code == "token.invalid" && c.TokenFrom != "":
		p.Detail = fmt.Sprintf("%s is not valid at %s: it is unknown there, revoked or expired.", c.TokenFrom, c.Server)
	case p.Code == "":
		return fault.New(fault.Upstream, "client.answer",
			"%s answered %s, and it does not look like a Casehook server.", c.Server, status)
	}
	kind, known := kinds[a.Status]
	if !known {
		kind = fault.Upstream
	}
	e := fault.New(kind, p.Code, "%s", cmp.Or(p.Detail, fmt.Sprintf("The server answered %s.", status)))
	e.Errors, e.Warnings, e.Fields = p.Errors, p.Warnings, p.Fields
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil {
		e.RetryAfter = time.Duration(seconds) * time.Second
	}
	return e
}
