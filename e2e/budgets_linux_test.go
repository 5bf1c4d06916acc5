//go:build soak

package e2e_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/testclient"
)

var (
	budgetsTime = flag.Duration("budgets.time", 0,
		"how long costly requests are drawn at random; 0: each kind comes once")
	budgetsSeed = flag.Uint64("budgets.seed", 1, "of what is drawn")
)

// The budget of one request.
const (
	mostMemory = 64 << 20        // above the server's memory at rest
	mostCPU    = 6 * time.Second // of one core; a budget of steps is about one second
	atOnce     = 3               // requests
)

// costly is a request that tries to exhaust the server.
type costly struct {
	kind, method, path, contentType string
	body                            []byte
}

// server is a real process, with its memory at rest.
type server struct {
	t          *testing.T
	pid        int
	url, token string
	large      string // the path of a case with a long text
	rest       int
}

func startServer(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	out, err := os.OpenFile(filepath.Join(dir, "out"), os.O_CREATE|os.O_WRONLY, 0o600) // private, for the first token
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(filepath.Join(programs(t), "casehook"), "serve", "--listen", "127.0.0.1:0", "--data",
		filepath.Join(dir, "data"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	s := &server{t: t, pid: cmd.Process.Pid}
	for tick := time.NewTicker(10 * time.Millisecond); s.url == "" || s.token == ""; <-tick.C {
		text := readAll(out.Name())
		for found, pattern := range map[*string]*regexp.Regexp{&s.url: listening, &s.token: firstToken} {
			if m := pattern.FindStringSubmatch(text); m != nil {
				*found = m[1]
			}
		}
	}
	return s
}

func (s *server) send(c costly) (int, []byte) {
	request, err := http.NewRequestWithContext(s.t.Context(), c.method, s.url+c.path, bytes.NewReader(c.body))
	if err != nil {
		s.t.Error(err)
		return 0, nil
	}
	request.Header.Set("Authorization", "Bearer "+s.token)
	request.Header.Set("Content-Type", c.contentType)
	answer, err := testclient.Client.Do(request)
	if err != nil {
		s.t.Errorf("%s: the server is gone: %v", c.kind, err)
		return 0, nil
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if answer.StatusCode >= 500 {
		s.t.Errorf("%s: %d %.300s", c.kind, answer.StatusCode, body)
	}
	return answer.StatusCode, body
}

// status returns a line of the process's status, in bytes.
func (s *server) status(name string) int {
	_, line, _ := strings.Cut(readAll(fmt.Sprintf("/proc/%d/status", s.pid)), name+":")
	kilobytes, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return kilobytes << 10
}

// cpu returns the CPU time of the process. The kernel counts hundredths of a second.
func (s *server) cpu() time.Duration {
	_, stat, _ := strings.Cut(readAll(fmt.Sprintf("/proc/%d/stat", s.pid)), ") ")
	fields := strings.Fields(stat)
	var ticks int
	for _, field := range fields[11:13] { // utime, stime
		n, _ := strconv.Atoi(field)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// forgetPeak resets VmHWM to the memory of now.
func (s *server) forgetPeak() {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.pid), []byte("5"), 0); err != nil {
		s.t.Fatal(err)
	}
}

// prepare puts the case types, and waits until the server is at rest.
func (s *server) prepare() {
	for key, fields := range types() {
		s.send(costly{"a case type", "PUT", "/v1/case-types/" + key, "application/json",
			[]byte(definitionOf(key, fields))})
	}
	for range 200 {
		s.send(costly{"an ordinary case", "POST", "/v1/case-types/plain/cases", "application/json",
			[]byte(`{"data":{"s":"x"}}`)})
	}
	text, _ := json.Marshal(strings.Repeat("xy ऄ ש\u200d ", 20_000))
	_, answer := s.send(costly{"a case with a long text", "POST", "/v1/case-types/plain/cases", "application/json",
		[]byte(`{"data":{"s":` + string(text) + `}}`)})
	var made struct{ ID json.Number }
	if err := json.Unmarshal(answer, &made); err != nil {
		s.t.Fatal(err)
	}
	s.large = "/v1/cases/" + made.ID.String()
	s.rest = s.status("VmRSS")
}

// structure returns a random schema of a field.
func structure(random *rand.Rand, depth, width int) string {
	if depth == 0 {
		return `{"$ref":"#/$defs/node"}`
	}
	part := func() string { return structure(random, depth-1-random.IntN(2)*(depth-1)/2, width) }
	parts := func(open, closing string, each func(i int) string) string {
		var all []string
		for i := range 1 + random.IntN(width) {
			all = append(all, each(i))
		}
		return open + strings.Join(all, ",") + closing
	}
	list := func(i int) string { return part() }
	switch random.IntN(6) {
	case 0:
		return parts(`{"properties":{`, `}}`, func(i int) string { return fmt.Sprintf(`"p%d":%s`, i, part()) })
	case 1:
		return parts(`{"allOf":[`, `]}`, list)
	case 2:
		return parts(`{"anyOf":[`, `]}`, list)
	case 3:
		return `{"not":` + part() + `,"items":` + part() + `}`
	case 4:
		return `{"if":` + part() + `,"then":` + part() + `,"else":` + part() + `}`
	}
	return `{"additionalProperties":` + part() + `,"unevaluatedProperties":` + part() + `}`
}

func definitionOf(key, fields string) string {
	return `{"key":"` + key +
		`","states":[{"key":"s"}],"transitions":[{"key":"t","to":"s"},{"key":"e","from":["s"]}],"edit":"e",` +
		`"name_template":"{f}{f}{f}{f}{f}{f}{f}{f}","documents":[{"key":"d","template":"` +
		strings.Repeat("{s}", 1000) + `"},{"key":"e","template":"{s}"}],` +
		`"fields":{"type":"object","properties":{"f":` + fields + `,"s":{"type":"string"}},` +
		`"$defs":{"node":{"allOf":[{"properties":{"c":{"$ref":"#/$defs/node"}}},{"properties":{"c":{"$ref":"#/$defs/node"}}}]}}}}`
}

// types are the definitions that costly data is sent to.
func types() map[string]string {
	values, patterns := make([]string, 500), make([]string, 400)
	for i := range values {
		values[i] = strconv.Itoa(i)
	}
	for i := range patterns {
		patterns[i] = fmt.Sprintf(`{"pattern":"(x|y)*%d"}`, i)
	}
	return map[string]string{
		"plain": `{}`, "deep": `{"$ref":"#/$defs/node"}`,
		"enum":     `{"items":{"enum":[` + strings.Join(values, ",") + `]}}`,
		"patterns": `{"allOf":[` + strings.Join(patterns, ",") + `]}`,
		"unique":   `{"uniqueItems":true,"items":{"anyOf":[{"type":"string"},{"minimum":9}]}}`,
	}
}

// draw returns a request of each kind, of random size.
func (s *server) draw(random *rand.Rand) []costly {
	size := func(most int) int { return most/2 + random.IntN(most/2) }
	list := func(n int, one string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + "]"
	}
	create := func(kind, key, data string) costly {
		return costly{kind, "POST", "/v1/case-types/" + key + "/cases", "application/json",
			[]byte(`{"data":{"f":` + data + `}}`)}
	}
	define := func(kind, fields string) costly {
		return costly{kind, "PUT", "/v1/case-types/hostile", "application/json",
			[]byte(definitionOf("hostile", fields))}
	}
	depth := 20 + random.IntN(40)
	text, _ := json.Marshal(strings.Repeat("xy", size(400_000)))
	preconditions := func(kind, condition string) costly {
		var all []string
		for i := range min(4500, 900_000/(60+len(condition))) {
			all = append(all, fmt.Sprintf(`{"key":"t%d","to":"s","precondition":%q}`, i, condition))
		}
		return costly{kind, "PUT", "/v1/case-types/hostile", "application/json",
			[]byte(`{"key":"hostile","states":[{"key":"s"}],` +
				`"fields":{"type":"object","properties":{"f":{"type":"string"}}},"transitions":[` + strings.Join(all,
				",") +
				`]}`)}
	}
	nested := 10 + random.IntN(40)
	var names []string
	for i := range size(9000) {
		names = append(names, fmt.Sprintf(`"n%d":{"pattern":"a{900}%d"}`, i, i))
	}
	return []costly{
		create("numbers", "plain", list(size(500_000), "1")),
		create("empty lists", "plain", list(size(330_000), "[]")),
		create("empty objects", "plain", list(size(330_000), "{}")),
		create("a long text", "plain", string(text)),
		create("an enum", "enum", list(size(250_000), "7.0")),
		create("wrong values", "enum", list(size(250_000), "-7")),
		create("patterns", "patterns", string(text)),
		create("unique items", "unique", list(size(100_000), `"a"`)),
		create("doubling", "deep", strings.Repeat(`{"c":`, depth)+"{}"+strings.Repeat("}", depth)),
		define("many patterns", `{"properties":{`+strings.Join(names, ",")+`}}`),
		define("many references", `{"prefixItems":`+list(size(9000), `{"$ref":"#/$defs/node"}`)+`}`),
		preconditions("many preconditions", "data.f=='a'"+strings.Repeat("||data.f=='b'", size(300))),
		preconditions("unlike numbers", "1u+1u==2.0"+strings.Repeat("&&1u+1u==2.0", size(300))),
		preconditions("lists of lists", strings.Repeat("[", nested)+"1"+strings.Repeat("]", nested)+".size()>0"),
		preconditions("patterns of CEL",
			`data.f.matches("(a{90}b{90}){2}")`+strings.Repeat(`||data.f.matches("(a{90}b{90}){2}")`, size(90))),
		{"a structure drawn at random", "PUT", "/v1/case-types/hostile", "application/json",
			[]byte(definitionOf("hostile", structure(random, 8, 4)))},
		{"an endpoint's filter", "POST", "/v1/endpoints", "application/json",
			[]byte(`{"url":"https://crm.example.com","triggers":["case_created"],"filter":"` +
				strings.Repeat("1u+1u==2.0&&", size(300)) + `true"}`)},
		{"a filter that goes through all data", "GET", "/v1/filter-preview?triggers=case_created&filter=" +
			url.QueryEscape("[1,2,3,4,5,6,7,8].all(a,[1,2,3,4,5,6,7,8].all(b,has(case.data.s)&&case.data.s.matches('(x|y)*z')))"), "", nil},
		{"a document of much text", "POST", s.large + "/documents", "application/json", []byte(`{"key":"d"}`)},
		{"a document of several scripts", "POST", s.large + "/documents", "application/json", []byte(`{"key":"e"}`)},
		{"half a megabyte of nothing", "PUT", "/v1/case-types/hostile", "application/yaml",
			[]byte(strings.Repeat("- ", size(500_000)))},
	}
}

// peak is the highest cost that was measured.
type peak struct {
	memory, cpu     int64
	greedy, slowest string
}

// measure sends requests at once and holds what they take together against the
// budget of as many.
func (s *server) measure(p *peak, all []costly) {
	s.forgetPeak()
	rest := max(s.rest, s.status("VmRSS")) // the system gets freed memory back only after a while
	before := s.cpu()
	var done sync.WaitGroup
	kinds := make([]string, len(all))
	for i, c := range all {
		kinds[i] = c.kind
		done.Go(func() {
			status, _ := s.send(c)
			kinds[i] += " " + strconv.Itoa(status)
		})
	}
	done.Wait()
	kind := strings.Join(kinds, " + ")
	memory, cpu := int64(s.status("VmHWM")-rest), int64(s.cpu()-before)
	s.t.Logf("%s: %d MiB, %s", kind, memory>>20, time.Duration(cpu))
	if memory > p.memory {
		p.memory, p.greedy = memory, kind
	}
	if cpu > p.cpu {
		p.cpu, p.slowest = cpu, kind
	}
	if memory > int64(len(all)*mostMemory) || cpu > int64(len(all))*int64(mostCPU) {
		s.t.Errorf("%s took %d MiB and %s", kind, memory>>20, time.Duration(cpu))
	}
}

func TestNoRequestTakesMoreThanItsBudget(t *testing.T) {
	random := rand.New(rand.NewPCG(*budgetsSeed, 0))
	var one, several peak
	requests, rest := 0, 0
	for begin := time.Now(); requests == 0 || time.Since(begin) < *budgetsTime; {
		s := startServer(t) // so that no request reuses memory of another test
		s.prepare()
		rest = s.rest
		all := s.draw(random)
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for _, c := range all {
			s.measure(&one, []costly{c})
		}
		random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		s.measure(&several, all[:atOnce])
		requests += len(all) + atOnce
	}
	t.Logf("%d costly requests, %d MiB at rest: one took at most %d MiB more (%s) and %s (%s); %d at once %d MiB (%s)",
		requests, rest>>20,
		one.memory>>20, one.greedy, time.Duration(one.cpu), one.slowest, atOnce, several.memory>>20, several.greedy)
}
