// Package wiretest holds received messages, and the questions to callbacks, against
// the catalogue: every receiver in the tests calls [Check] with all that it gets, so
// that nothing is ever sent that is not documented.
package wiretest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casehook/casehook/internal/wire"
)

// Check fails the test when a received request is not what the catalogue says:
// its headers and its body. It may be called from any goroutine that ends before
// the test does.
func Check(t testing.TB, header http.Header, body []byte) {
	t.Helper()
	if err := Valid(header, body); err != nil {
		t.Errorf("a message is not as the catalogue says: %v\nheaders: %v\nbody: %s", err, header, body)
	}
}

// Handler goes around a receiver: it checks all that arrives there.
func Handler(t testing.TB, receiver http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil { // else it was cut off
			Check(t, r.Header, body)
		}
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failingReader{err}))
		receiver.ServeHTTP(w, r)
	})
}

// failingReader is a reader that fails as another did; without an error it is empty.
type failingReader struct{ err error }

func (f failingReader) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

// Valid says what Check objects to.
func Valid(header http.Header, body []byte) error {
	trigger := wire.TriggerOf(body)
	if trigger == "" {
		return fmt.Errorf("it names no trigger: %.200s", body)
	}
	return errors.Join(validHeader(trigger, header), ValidBody(trigger, body))
}

// ValidBody says what is wrong with the body of a trigger's message.
func ValidBody(trigger string, body []byte) error {
	return validate("triggers/"+trigger, wire.Schema(trigger), body)
}

// validate says what a schema objects to in a body. Its name is its own.
func validate(name string, raw json.RawMessage, body []byte) error {
	schema, err := compiled(name, raw)
	if err != nil {
		return err
	}
	names := json.NewDecoder(bytes.NewReader(body))
	names.UseNumber() // some are beyond float64
	if err := namesOnce(names); err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// validHeader wants all headers that are documented, and of those that could be
// taken for ours no others.
func validHeader(trigger string, header http.Header) error {
	var wrong []error
	docs := wire.Headers(trigger, "1.0.0", "1.0.0")
	for _, doc := range docs {
		values := valuesOf(header, doc.Name)
		if (doc.Name == "X-atfinity-event" || doc.Name == "Event-Name") && len(values) == 1 && values[0] != trigger {
			wrong = append(wrong, fmt.Errorf("the header %s is %s, the body says %s", doc.Name, values[0], trigger))
		}
	}
	return errors.Join(append(wrong, documented(docs, header))...)
}

// ours are the beginnings of the names of headers that could be taken for ours.
var ours = []string{"webhook-", "x-atfinity-", "event-name", "casehook-"}

// documented wants all headers of docs, and no others of ours.
func documented(docs []wire.HeaderDoc, header http.Header) error {
	documented := map[string]bool{}
	var wrong []error
	for _, doc := range docs {
		documented[strings.ToLower(doc.Name)] = true
		if values := valuesOf(header, doc.Name); len(values) > 1 || len(values) == 0 && !doc.Optional {
			wrong = append(wrong, fmt.Errorf("it has %d headers %s", len(values), doc.Name))
		}
	}
	for name := range header {
		lower := strings.ToLower(name)
		isOurs := slices.ContainsFunc(ours, func(begin string) bool { return strings.HasPrefix(lower, begin) })
		if isOurs && !documented[lower] {
			wrong = append(wrong, fmt.Errorf("the header %s is not documented", name))
		}
	}
	return errors.Join(wrong...)
}

// valuesOf returns a header's values, however it is spelt in the map.
func valuesOf(header http.Header, name string) (values []string) {
	for key, some := range header {
		if strings.EqualFold(key, name) {
			values = append(values, some...)
		}
	}
	return values
}

// schemas are compiled once in a process, when they are first needed.
var schemas sync.Map // by name: func() (*jsonschema.Schema, error)

func compiled(name string, raw json.RawMessage) (*jsonschema.Schema, error) {
	compile, _ := schemas.LoadOrStore(name, sync.OnceValues(func() (*jsonschema.Schema, error) {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("the schema of %q: %w", name, err)
		}
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		c.AssertFormat()
		at := "https://casehook.test/" + name
		if err := c.AddResource(at, document); err != nil {
			return nil, err
		}
		return c.Compile(at)
	}))
	return compile.(func() (*jsonschema.Schema, error))()
}

// namesOnce refuses an object, at any depth, that has a name twice: readers would
// differ on what it means.
func namesOnce(d *json.Decoder) error {
	var open []map[string]bool // by depth; nil: a list
	name := false              // the next token is a name
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case json.Delim:
			switch token {
			case '{':
				open = append(open, map[string]bool{})
			case '[':
				open = append(open, nil)
			default:
				open = open[:len(open)-1]
			}
			name = len(open) > 0 && open[len(open)-1] != nil
			continue
		case string:
			if name {
				if open[len(open)-1][token] {
					return fmt.Errorf("the name %q is there twice", token)
				}
				open[len(open)-1][token], name = true, false
				continue
			}
		}
		name = len(open) > 0 && open[len(open)-1] != nil
	}
}
