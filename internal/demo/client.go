package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// patience is how long the API may take for one answer.
const patience = time.Minute

// client speaks to the API.
type client struct{ url, token string }

// call is one request to the API.
type call struct {
	method, path string
	body         any    // []byte goes as it is, anything else as JSON
	contentType  string // of a []byte
}

// answer is what the API answered.
type answer struct {
	Status int
	Body   []byte
}

// kase is a case, or the problem that there is instead of one.
type kase struct {
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

// kase reads the answer; what is not in it stays empty.
func (a answer) kase() (k kase) {
	if decode(a.Body, &k) != nil {
		return kase{}
	}
	return k
}

func (c client) do(ctx context.Context, q call) (answer, error) {
	raw, isRaw := q.body.([]byte)
	if !isRaw && q.body != nil {
		var err error
		if raw, err = json.Marshal(q.body); err != nil {
			return answer{}, err
		}
		q.contentType = "application/json"
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, q.method, c.url+q.path, bytes.NewReader(raw))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if q.contentType != "" {
		req.Header.Set("Content-Type", q.contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, body}, err
}

// get makes a call that must succeed, and reads its answer.
func (c client) get(ctx context.Context, q call, into any) error {
	a, err := c.do(ctx, q)
	if err != nil {
		return err
	}
	if a.Status >= 300 {
		return fmt.Errorf("%s %s was answered with %d: %s", q.method, q.path, a.Status, a.Body)
	}
	return decode(a.Body, into)
}

// decode reads JSON and keeps numbers as they are written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}
