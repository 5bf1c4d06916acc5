package api_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var (
	badShare = flag.Int("bad.share", 8, "one in so many of the wrong requests that can be listed is sent")
	badTime  = flag.Duration("bad.time", 3*time.Second, "how long bad input is drawn at random")
	badSeed  = flag.Uint64("bad.seed", 1, "what the random bad input is drawn from")
)

// TestRandomBadInputIsRefused repeats the story for a time. Before each request it sends some that are wrong in several
// places at once.
func TestRandomBadInputIsRefused(t *testing.T) {
	t.Parallel()
	until, stories, requests, taken := time.Now().Add(*badTime), 0, 0, 0
	random := rand.New(rand.NewPCG(*badSeed, 0))
	for ; stories == 0 || time.Now().Before(until) && !t.Failed(); stories++ {
		s := newMutator(start(t))
		s.everyRequest = true
		s.mutate = func(o target) {
			for range 3 {
				s.try(o, o.random(random))
			}
		}
		s.world.around = s.step
		s.world.story()
		requests, taken = requests+s.sent, taken+s.accepted
	}
	t.Logf("seed %d: %d stories with %d wrong requests, %d of them were not wrong after all", *badSeed, stories,
		requests, taken)
}

// random draws a request with up to four things wrong in it.
func (o target) random(r *rand.Rand) mutant {
	m := mutant{what: "at random", request: o.request}
	parameters, _ := o.op["parameters"].([]any)
	for range r.IntN(2) {
		if len(parameters) == 0 {
			break
		}
		p := parameters[r.IntN(len(parameters))].(map[string]any)
		name, odd := p["name"].(string), oddText(r)
		switch p["in"] {
		case "path":
			m.request.path = target{o.mutator, o.operation, m.request}.inPath(name, odd)
		case "query":
			m.request.path = withQuery(m.request.path, name, odd)
		case "header":
			m.request.header = append(m.request.header[:len(m.request.header):len(m.request.header)], name, odd)
		}
	}
	object, isObject := o.text()
	if o.op["requestBody"] == nil || !isObject {
		return m
	}
	schema, compiled := o.bodySchema()
	body := put(object, []string{"nonsense"}, "")
	if fields := o.mutator.world.fields(schema, object, nil); len(fields) > 0 {
		for range 1 + r.IntN(3) {
			if changed, ok := (target{o.mutator, o.operation, o.with(body)}).text(); ok {
				body = put(changed, fields[r.IntN(len(fields))].path, badValue(r, 3))
			}
		}
	}
	if r.IntN(10) == 0 { // of a few, a piece is missing or comes twice
		at, to := r.IntN(len(body)), r.IntN(len(body))
		body = body[:at] + body[to:]
	}
	m.request = request{m.request.method, m.request.path, body, m.request.header}
	if value, err := jsonschema.UnmarshalJSON(strings.NewReader(body)); err == nil && compiled != nil &&
		!strings.Contains(body, "null") {
		m.wrong = compiled.Validate(value) != nil
	}
	return m
}

// oddText draws a text.
func oddText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(4) {
		switch r.IntN(4) {
		case 0:
			b.WriteRune(rune(r.IntN(0x11_0000)))
		case 1:
			b.WriteByte(byte(r.IntN(256)))
		default:
			b.WriteString(oddTexts[r.IntN(len(oddTexts))])
		}
	}
	return b.String()
}

// badValue draws a JSON value.
func badValue(r *rand.Rand, depth int) string {
	if depth > 0 {
		switch r.IntN(6) {
		case 0:
			return "[" + badValue(r, depth-1) + "," + badValue(r, depth-1) + "]"
		case 1:
			return fmt.Sprintf(`{"%c": %s, "a": %s}`, 'a'+rune(r.IntN(3)), badValue(r, depth-1), badValue(r, depth-1))
		case 2:
			return fmt.Sprintf("%d.%de%d", r.Int64(), r.IntN(1000), r.IntN(800)-400)
		case 3:
			return fmt.Sprintf(`"\u%04x%c"`, r.IntN(0x1_0000), rune(' '+r.IntN(90)))
		}
	}
	return badValues[r.IntN(len(badValues))]
}
