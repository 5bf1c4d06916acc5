//go:build unix

package e2e_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/testclient"
)

// TestScripts runs testdata/*.txtar against the real binary. Besides what
// testscript offers, a script may say:
//
//	serve NAME FLAG...            start a server, and wait until it is ready; sets URL, and TOKEN on a first start
//	token                         set TOKEN to the token that the last command printed
//	stop NAME [SIGNAL]            stop a server; after TERM, the default, its exit status must be 0
//	http METHOD PATH STATUS [BODY or @FILE] [Header: value]...    one request; the answer is on stdout
//	attempted ENDPOINT RESULT     wait until an attempt has that failure or status
//	let VARIABLE KEY...           set a variable to a value in the last answer
//	s3 VARIABLE                   a server of S3 with a bucket, whose address it sets, and the credentials in AWS_...
//	killmove FLAG...              begin to move attachments, and kill the command once it copies
//	database VARIABLE             an empty PostgreSQL database; sets its URL
//	receiver NAME [DELAY]         a receiver that answers after a delay; sets NAME_URL
//	callback NAME FILE            a callback that answers with what the file holds then; sets NAME_URL
//	talker NAME TEXT              a receiver that sends a text after each answer; sets NAME_URL
//	trust NAME SECRET             the receiver verifies with it
//	subscribe NAME TRIGGER...     create an endpoint for the receiver
//	received NAME TRIGGER...      wait until the receiver has got exactly these messages, in this order
//	install DIR PROGRAM           install a program in Node there, from its folder in this repository
//	address VARIABLE              a free port on this machine
//	until FILE PATTERN            wait until the file matches
//	shows PATTERN PROGRAM ARG...  run a program again and again until its output matches
//	sent URL SECRET ID STATUS FILE    send a file as a webhook, signed
//	storm N                       begin to create and change cases, N at a time, until stopped or cut off
//	calm                          stop the storm
//	arrivals NAME N               wait until N requests have arrived
//	cut NAME SIGNAL RECEIVER DATABASE    KILL or STOP a server while it works; messages in flight may arrive again
//	proceed NAME                  continue a stopped server
//	takenover RECEIVER WITHIN     wait until the receiver gets messages again, within a time after the cut
//	fragile VARIABLE              a PostgreSQL database that can go away; sets its URL
//	outage KIND DURATION          take that database away: cut, swallow, shutdown or crash
//	refused N                     wait until N requests of the storm were refused, with 503 and Retry-After
//	shrink NAME FILE...           limit the files of a server to the length of the longest of these
//	grow NAME                     end that limit
//	complete NAME                 wait for all messages; check order, signatures and repetitions
//	forget                        forget what the storm was told: a backup that is restored may lack it
//	restored NAME                 complete after a backup was restored; no id of a message may have two meanings
func TestScripts(t *testing.T) {
	bin := programs(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+":"+e.Getenv("PATH"))
			e.Setenv("OUTAGE", cmp.Or(os.Getenv("CASEHOOK_OUTAGE"), "3s"))
			e.Setenv("KEY", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
			e.Values[worldKey{}] = &world{t: e.T().(testing.TB), servers: map[string]*process{},
				receivers: map[string]*receiver{}}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serve, "end": end, "token": token, "http": request, "let": let, "attempted": attempted, "database": database,
			"s3": newS3, "killmove": killMove,
			"receiver": newReceiver, "subscribe": subscribe, "trust": trust, "received": received,
			"install": install, "until": until, "shows": shows, "address": address, "sent": sent,
			"callback": newCallback, "talker": newTalker, "cut": cut, "proceed": proceed, "takenover": takenOver,
			"fragile": newOutageDatabase, "outage": outage, "refused": refused, "shrink": shrink, "grow": grow,
			"storm": startStorm, "calm": calm, "arrivals": arrivals, "complete": complete,
			"forget": forgetStorm, "restored": restored,
		},
	})
}

type worldKey struct{}

// world is what one script has started.
type world struct {
	t         testing.TB
	servers   map[string]*process
	receivers map[string]*receiver
	answer    []byte
	storm     *storm
	fragile   *outageDatabase
}

func of(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

// arguments fails the script unless it has at least n arguments.
func arguments(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) < n {
		ts.Fatalf("usage: %s", usage)
	}
}

// process is a server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

var listening = regexp.MustCompile(`listens on (http://\S+)\n`)
var firstToken = regexp.MustCompile(`\n  (chk_\S+)\n`)

func serve(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "serve NAME FLAG...")
	name, w := args[0], of(ts)
	// only a file that its owner alone can read may get the first token
	stdout, err := os.OpenFile(ts.MkAbs(name+".out"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	ts.Check(err)
	stderr, err := os.OpenFile(ts.MkAbs(name+".err"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	ts.Check(err)
	defer stdout.Close()
	defer stderr.Close()
	p := &process{done: make(chan struct{})}
	path := strings.SplitN(ts.Getenv("PATH"), ":", 2)[0]
	p.cmd = exec.Command(filepath.Join(path, "casehook"),
		append([]string{"serve", "--listen", "127.0.0.1:0"}, args[1:]...)...)
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), stdout, stderr
	p.cmd.Env = append(os.Environ(), "CASEHOOK_KEY="+ts.Getenv("CASEHOOK_KEY"),
		"AWS_ACCESS_KEY_ID="+ts.Getenv("AWS_ACCESS_KEY_ID"),
		"AWS_SECRET_ACCESS_KEY="+ts.Getenv("AWS_SECRET_ACCESS_KEY"),
		"CASEHOOK_VAR_CALLS="+ts.Getenv("CASEHOOK_VAR_CALLS"))
	ts.Check(p.cmd.Start())
	go func() { p.cmd.Wait(); close(p.done) }()
	ts.Defer(func() { p.cmd.Process.Kill(); <-p.done })
	w.servers[name] = p
	file := ts.MkAbs(name + ".out")
	await(ts, p.done, func() (string, bool) {
		out, _ := os.ReadFile(file)
		m := listening.FindSubmatch(out)
		if m == nil {
			return "the server " + name + " does not serve:\n" + readAll(ts.MkAbs(name+".err")), false
		}
		ts.Setenv("URL", string(m[1]))
		return "", true
	})
	useToken(ts, readAll(file))
	ts.Setenv("CASEHOOK_SERVER", ts.Getenv("URL"))
}

// useToken sets TOKEN to the token in a text, and reports whether there is one.
func useToken(ts *testscript.TestScript, text string) bool {
	m := firstToken.FindStringSubmatch(text)
	if m != nil {
		ts.Setenv("TOKEN", m[1])
		ts.Setenv("CASEHOOK_TOKEN", m[1])
	}
	return m != nil
}

func token(ts *testscript.TestScript, neg bool, _ []string) {
	if neg || !useToken(ts, ts.ReadFile("stdout")) {
		ts.Fatalf("the last command printed no token")
	}
}

func readAll(path string) string {
	out, _ := os.ReadFile(path)
	return string(out)
}

func end(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "end NAME [SIGNAL]")
	p := of(ts).servers[args[0]]
	signal := syscall.SIGTERM
	if len(args) > 1 && args[1] == "KILL" {
		signal = syscall.SIGKILL
	}
	ts.Check(p.cmd.Process.Signal(signal))
	select {
	case <-p.done:
	case <-time.After(limit):
		ts.Fatalf("%s does not end", args[0])
	}
	if state := p.cmd.ProcessState; signal == syscall.SIGTERM && !state.Success() {
		ts.Fatalf("%s exited with %s", args[0], state)
	}
}

// await polls, since the programs are other processes: until done reports true, for as long as one step may take. It
// fails early when ended is closed.
func await(ts *testscript.TestScript, ended <-chan struct{}, done func() (why string, ok bool)) {
	deadline, tick := time.After(limit), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		why, ok := done()
		if ok {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("after %s: %s", limit, why)
		case <-ended:
			if why, ok := done(); !ok {
				ts.Fatalf("%s", why)
			}
			return
		case <-tick.C:
		}
	}
}

func request(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "http METHOD PATH STATUS [BODY or @FILE] [Header: value]...")
	var body []byte
	header := http.Header{"Authorization": {"Bearer " + ts.Getenv("TOKEN")}, "Content-Type": {"application/json"}}
	for _, arg := range args[3:] {
		name, value, isHeader := strings.Cut(arg, ": ")
		switch {
		case strings.HasPrefix(arg, "@"):
			body = []byte(ts.ReadFile(arg[1:]))
		case isHeader && !strings.HasPrefix(arg, "{"):
			header.Set(name, value)
		default:
			body = []byte(arg)
		}
	}
	status, answer, err := send(context.Background(), args[0], ts.Getenv("URL")+args[1], header, body)
	ts.Check(err)
	of(ts).answer = answer
	ts.Stdout().Write(answer)
	if strconv.Itoa(status) != args[2] {
		ts.Fatalf("%s %s: status %d, want %s: %s", args[0], args[1], status, args[2], answer)
	}
}

// client waits: while the database is gone an answer may take as long.
var client = &http.Client{Transport: testclient.Transport, Timeout: 3 * limit}

func send(ctx context.Context, method, url string, header http.Header, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header = header
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func let(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "let VARIABLE KEY...")
	var value any
	d := json.NewDecoder(bytes.NewReader(of(ts).answer))
	d.UseNumber()
	ts.Check(d.Decode(&value))
	for _, key := range args[1:] {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			ts.Check(err)
			value = v[i]
		}
	}
	if value == nil {
		ts.Fatalf("there is no %v in %s", args[1:], of(ts).answer)
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

func database(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "database VARIABLE")
	ts.Setenv(args[0], pgtest.URL(of(ts).t))
}

func attempted(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "attempted ENDPOINT RESULT")
	await(ts, nil, func() (string, bool) {
		header := http.Header{"Authorization": {"Bearer " + ts.Getenv("TOKEN")}}
		_, answer, err := send(context.Background(), "GET", ts.Getenv("URL")+"/v1/endpoints/"+args[0]+"/attempts",
			header, nil)
		ts.Check(err)
		return "no such attempt: " + string(answer), bytes.Contains(answer, []byte(`"failure":"`+args[1]+`"`)) ||
			bytes.Contains(answer, []byte(`"status":`+args[1]))
	})
}
