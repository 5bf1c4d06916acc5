//go:build unix

package e2e_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

// The walk of the README and of the pages that continue it is run as it stands. The blocks "```sh server",
// "```sh receiver" and "```sh listener" run in terminals of their own, and "```sh walk" in one more, block after block.
// "```json shows" and "```text shows" are what the block before has to print, "```text receives" and "```text prints"
// what the receiver and the listener have to print next. In them … stands for anything, and white space does not count.
//
// Three things differ from what a person does: go is a stand-in that runs binaries built once; the ports that
// "```sh ports" names, with which each terminal begins, are free ones; and values that end in "..." are filled in from
// what was printed before.

// walkPages are the README and the pages that continue its walk, in their order.
var walkPages = []string{"README.md", "docs/walk.md", "docs/receiving.md", "docs/developing.md"}

// limit bounds one step.
const limit = 60 * time.Second

// block is a fenced block of a page with a role.
type block struct {
	role  string // the word behind the language
	text  string
	place string // page:line
}

// blocksOf returns the blocks of pages, by their paths in this checkout.
func blocksOf(t *testing.T, pages ...string) []block {
	t.Helper()
	var blocks []block
	for _, page := range pages {
		source, err := os.ReadFile(filepath.Join("..", page))
		if err != nil {
			t.Fatal(err)
		}
		var open *block
		for i, line := range strings.Split(string(source), "\n") {
			fence, isFence := strings.CutPrefix(line, "```")
			switch {
			case isFence && open == nil:
				language, role, _ := strings.Cut(fence, " ")
				if role == "" {
					role = language
				}
				open = &block{role: role, place: fmt.Sprintf("%s:%d", page, i+1)}
			case isFence:
				blocks = append(blocks, *open)
				open = nil
			case open != nil:
				open.text += line + "\n"
			}
		}
	}
	return blocks
}

// terminal is an interactive shell.
type terminal struct {
	t     *testing.T
	name  string
	stdin *os.File

	mu      sync.Mutex
	out     bytes.Buffer
	read    int           // bytes of out that were compared
	changed chan struct{} // closed when there is more, or the shell ended
	ended   bool
}

func openTerminal(t *testing.T, name, dir string, env []string) *terminal {
	t.Helper()
	term := &terminal{t: t, name: name, changed: make(chan struct{})}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	term.stdin = write
	cmd := exec.Command("sh", "-eu")
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, env, read, term, term
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		cmd.Wait()
		term.note(func() { term.ended = true })
	}()
	t.Cleanup(func() {
		write.Close()
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		<-done
		if t.Failed() {
			t.Logf("the %s's terminal:\n%s", name, term.out.String())
		}
	})
	return term
}

func (term *terminal) note(change func()) {
	term.mu.Lock()
	defer term.mu.Unlock()
	change()
	close(term.changed)
	term.changed = make(chan struct{})
}

func (term *terminal) Write(b []byte) (int, error) {
	term.note(func() { term.out.Write(b) })
	return len(b), nil
}

// await waits for a match in the output behind the last one, and returns the output up to its end.
func (term *terminal) await(place, what string, pattern *regexp.Regexp) string {
	term.t.Helper()
	late := time.After(limit)
	for {
		term.mu.Lock()
		text := term.out.String()[term.read:]
		if found := pattern.FindStringIndex(text); found != nil {
			term.read += found[1]
			term.mu.Unlock()
			return text[:found[1]]
		}
		changed, ended := term.changed, term.ended
		term.mu.Unlock()
		if ended {
			term.t.Fatalf("%s: the %s's terminal ended before it printed %s", place, term.name, what)
		}
		select {
		case <-changed:
		case <-late:
			term.t.Fatalf("%s: the %s's terminal does not print %s", place, term.name, what)
		}
	}
}

func (term *terminal) enter(text string) {
	term.t.Helper()
	if _, err := term.stdin.WriteString(text); err != nil {
		term.t.Fatal(err)
	}
}

// run enters a block and returns what it printed, once it has ended.
func (term *terminal) run(b block) string {
	term.t.Helper()
	mark := "--- end of " + b.place
	term.enter(b.text + "\necho '" + mark + "'\n")
	printed := term.await(b.place, "the end of the block", regexp.MustCompile(regexp.QuoteMeta(mark)))
	return strings.TrimSuffix(printed, mark)
}

// walk is a run of the pages.
type walk struct {
	t                       *testing.T
	dir                     string // the working folder
	open                    func(name string) *terminal
	server, listener, shell *terminal
	receivers               []*terminal         // the blocks are about the last one
	values                  map[string][]string // printed, and not yet copied
	last                    string              // what the last block printed
	ports                   string              // what each terminal begins with
}

// copied has the form of the values that a person copies, by the text before the "...".
var copied = map[string]*regexp.Regexp{
	"chk_":   regexp.MustCompile(`chk_[0-9A-Za-z_.-]+`),
	"whsec_": regexp.MustCompile(`whsec_[0-9A-Za-z+/=]+`),
	"":       regexp.MustCompile(`"id":\s*(\d{16})\b`),
}

// printed records the values in an output.
func (w *walk) printed(out string) {
	for prefix, pattern := range copied {
		for _, found := range pattern.FindAllStringSubmatch(out, -1) {
			w.values[prefix] = append(w.values[prefix], found[len(found)-1])
		}
	}
	w.last = out
}

var placeholder = regexp.MustCompile(`(?m)^(export \w+=)(\w*)\.\.\.$`)

// fill replaces the words that end in "..." by values, in the order in which they were printed.
func (w *walk) fill(b block) block {
	b.text = placeholder.ReplaceAllStringFunc(b.text, func(line string) string {
		parts := placeholder.FindStringSubmatch(line)
		values := w.values[parts[2]]
		if len(values) == 0 {
			w.t.Fatalf("%s: nothing was printed that could be copied into %s", b.place, line)
		}
		if parts[2] != "chk_" { // which goes into several terminals
			w.values[parts[2]] = values[1:]
		}
		return parts[1] + "'" + values[0] + "'"
	})
	return b
}

// step runs a block or checks it.
func (w *walk) step(b block) {
	w.t.Helper()
	switch b.role {
	case "ports":
		w.ports += b.text
		if w.shell != nil {
			w.shell.enter(b.text)
			return
		}
		w.server, w.shell = w.open("server"), w.open("user")
	case "server":
		w.server.enter(b.text)
		w.server.await(b.place, "where it listens", regexp.MustCompile(`listens on http`))
		token, err := os.ReadFile(filepath.Join(w.dir, "casehook-data", "admin-token"))
		if err != nil {
			w.t.Fatal(err)
		}
		w.printed(string(token)) // a person reads it on the terminal; this is a pipe
	case "receiver":
		receiver := w.open("receiver")
		w.receivers = append(w.receivers, receiver)
		receiver.enter(w.fill(b).text)
		receiver.await(b.place, "where it listens", regexp.MustCompile(`listening on .*\n`))
	case "listener":
		w.listener = w.open("listener")
		w.listener.enter(w.fill(b).text)
		w.values["whsec_"] = nil // the next value to copy is the secret that this prints
		w.printed(w.listener.await(b.place, "what it listens to", regexp.MustCompile(`Listening to .*\n`)))
	case "prints":
		w.listener.await(b.place, "this:\n"+b.text, shape(b.text, `\s*`))
	case "walk":
		w.printed(w.shell.run(w.fill(b)))
	case "shows":
		if !shape(b.text, "").MatchString(squeeze(w.last)) {
			w.t.Errorf("%s: it shows\n%s\nand the command printed\n%s", b.place, b.text, w.last)
		}
	case "receives":
		w.receivers[len(w.receivers)-1].await(b.place, "this:\n"+b.text, shape(b.text, `\s*`))
	}
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// shape returns a pattern for a text in which … stands for anything. Between two of its characters there may be text
// that matches space.
func shape(text, space string) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString("(?s)")
	for _, r := range squeeze(text) {
		if r == '…' {
			pattern.WriteString(".*?")
			continue
		}
		pattern.WriteString(regexp.QuoteMeta(string(r)) + space)
	}
	return regexp.MustCompile(pattern.String())
}

func TestTheWalk(t *testing.T) {
	need(t, "sh", "curl", "sed")
	dir, bin := t.TempDir(), t.TempDir()
	ports := map[string]string{"127.0.0.1:8080": freeAddress(t), "127.0.0.1:9900": freeAddress(t),
		"127.0.0.1:9901": freeAddress(t)}
	copyExamples(t, dir)
	standIn(t, bin)
	env := append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "NO_PROXY=*")
	w := &walk{t: t, dir: dir, values: map[string][]string{}}
	w.open = func(name string) *terminal {
		term := openTerminal(t, name, dir, env)
		term.enter(w.ports)
		return term
	}
	ran, repeats := map[string]int{}, 0
	for _, b := range blocksOf(t, walkPages...) {
		for port, free := range ports {
			if slices.Contains([]string{"server", "receiver", "listener", "walk"}, b.role) &&
				strings.Contains(b.text, port) {
				t.Errorf("%s: %s is written out; use the variable, which a reader may set to another port", b.place,
					port)
			}
			b.text = strings.ReplaceAll(b.text, port, free)
		}
		w.step(b)
		if b.role == "walk" {
			page, _, _ := strings.Cut(b.place, ":")
			ran[page]++
		}
		if b.role == "receives" {
			repeats += strings.Count(b.text, "again")
		}
	}
	for _, page := range walkPages {
		if ran[page] < 3 {
			t.Errorf("%s has %d blocks of commands: their roles are missing", page, ran[page])
		}
	}
	for _, r := range w.receivers {
		if out := r.out.String(); strings.Contains(out, "refused") || strings.Count(out, "again") > repeats {
			t.Errorf("the receiver printed something unexpected:\n%s", out)
		}
	}
}

// standIn makes a program named go in a folder of the PATH, which runs binaries that were built before.
func standIn(t *testing.T, bin string) {
	t.Helper()
	script := "#!/bin/sh\n[ \"$1\" = run ] || exit 2\nprogram=${2##*/}\nshift 2\nexec \"" + programs(t) +
		"/$program\" \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

// copyExamples copies the examples of the walk into its folder.
func copyExamples(t *testing.T, dir string) {
	t.Helper()
	for _, name := range []string{"examples/leave.yaml", "examples/claims/travel.yaml"} {
		source, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), source, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// freeAddress returns an address at which a program can listen later. Its port is below those that systems choose
// from, so that no other test is given it meanwhile.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000))))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port was found")
	return ""
}

func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("this test runs %s: install it", p)
		}
	}
}

func TestTheDocsNameEveryOptionOfTheServer(t *testing.T) {
	page, err := os.ReadFile("../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.Command(filepath.Join(programs(t), "casehook"), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	inTable := func(pattern string) []string {
		var found []string
		for _, row := range regexp.MustCompile("(?m)^\\| `--.*$").FindAllString(string(page), -1) {
			found = append(found, regexp.MustCompile(pattern).FindAllString(row, -1)...)
		}
		return found
	}
	for _, pattern := range []string{`--[a-z-]+`, `CASEHOOK_[A-Z_]+`} {
		want := map[string]bool{"CASEHOOK_KEY": true, "CASEHOOK_VAR_": true, "CASEHOOK_VAR_CALLBACKS": true,
			"--help": true}
		for _, name := range regexp.MustCompile(pattern).FindAllString(string(help), -1) {
			if !want[name] && !slices.Contains(inTable(pattern), name) {
				t.Errorf("docs/running.md does not explain %s", name)
			}
			want[name] = true
		}
		for _, name := range inTable(pattern) {
			if !want[name] {
				t.Errorf("docs/running.md explains %s, which is no option", name)
			}
		}
	}
}

func TestTheGoOfTheDocsIsThatOfTheExample(t *testing.T) {
	example, err := os.ReadFile("../examples/receiver/main.go")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, b := range blocksOf(t, "docs/receiving.md") {
		if b.role != "go" {
			continue
		}
		found = true
		if !strings.Contains(squeeze(string(example)), squeeze(b.text)) {
			t.Errorf("%s: examples/receiver/main.go does not have this code", b.place)
		}
	}
	if !found {
		t.Error("docs/receiving.md shows no Go")
	}
}

func TestTheOpensslOfTheDocsMakesOurSignature(t *testing.T) {
	need(t, "sh", "openssl", "base64", "od")
	const secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", `{"trigger":"case_created","case_name":"Zoë"}`
	dir, at := t.TempDir(), time.Unix(1_772_439_300, 0)
	if err := os.WriteFile(filepath.Join(dir, "body.json"), []byte(body), 0o644); err != nil {
		t.Fatal(err)
	}
	key, err := outbound.ParseKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	want := outbound.Sign(key, "msg_1", at, []byte(body))
	found := false
	for _, b := range blocksOf(t, "docs/receiving.md") {
		if b.role != "openssl" {
			continue
		}
		found = true
		cmd := exec.Command("sh", "-euc", b.text)
		cmd.Dir, cmd.Stderr = dir, os.Stderr
		cmd.Env = append(os.Environ(), "SECRET="+secret, "ID=msg_1", fmt.Sprint("TIMESTAMP=", at.Unix()))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if got := "v1," + strings.TrimSpace(string(out)); got != want {
			t.Errorf("%s: it prints %s, and the signature is %s", b.place, got, want)
		}
	}
	if !found {
		t.Error("docs/receiving.md shows no openssl")
	}
}
