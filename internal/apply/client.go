package apply

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/casehook/casehook/internal/fault"
)

// client talks to the API.
type client struct {
	Options
	http *http.Client
}

// Call makes one request with a JSON body, or none, and reads the JSON answer.
func Call(ctx context.Context, o Options, method, path string, body, into any) error {
	c := &client{Options: o, http: o.client()}
	if body == nil {
		return c.do(ctx, method, path, "", nil, into)
	}
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.do(ctx, method, path, "application/json", raw, into)
}

const maxAnswer = 16 << 20 // bytes

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, "", nil, into)
}

// do sends a request and reads its answer. A problem becomes a fault; one of kind
// NotFound, Unauthenticated or Unprocessable tells itself apart.
func (c *client) do(ctx context.Context, method, path, contentType string, body []byte, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.Server, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "apply.server", "%q is not the URL of a server.", c.Server)
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return fault.Wrap(err, fault.Upstream, "apply.unreachable", "%s can't be reached. Is the server running? --server names another.", c.Server)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fault.Wrap(err, fault.Upstream, "apply.unreachable", "The answer of %s broke off.", c.Server)
	}
	if response.StatusCode/100 != 2 {
		return problem(response, answer)
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fault.Wrap(err, fault.Upstream, "apply.answer", "%s does not answer as Casehook does.", c.Server)
	}
	return nil
}

// kinds are those that are told apart; any other status is Upstream.
var kinds = map[int]fault.Kind{
	http.StatusNotFound: fault.NotFound, http.StatusUnauthorized: fault.Unauthenticated,
	http.StatusUnprocessableEntity: fault.Unprocessable, http.StatusConflict: fault.Conflict,
}

func problem(response *http.Response, answer []byte) error {
	var p struct {
		Code   string        `json:"code"`
		Detail string        `json:"detail"`
		Fields []fault.Field `json:"fields"`
	}
	json.Unmarshal(answer, &p) // what is no problem has no code
	if p.Code == "" {
		return fault.New(fault.Upstream, "apply.answer", "The server answered %s, and not as Casehook does.", response.Status)
	}
	kind, known := kinds[response.StatusCode]
	if !known {
		kind = fault.Upstream
	}
	e := fault.New(kind, p.Code, "%s", cmp.Or(p.Detail, fmt.Sprintf("The server answered %s.", response.Status)))
	e.Fields = p.Fields
	return e
}
