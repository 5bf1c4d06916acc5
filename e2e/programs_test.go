//go:build unix

package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/casehook/casehook/webhook"
)

// install copies a program in Node into a folder of the script, and installs
// what it needs, from the registry that npm is configured with.
func install(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "install DIR PROGRAM")
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			ts.Fatalf("this script runs %s: install it, or run .ci/need", program)
		}
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), os.DirFS(filepath.Join("..", args[1]))))
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = ts.MkAbs(args[0])
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("npm ci: %v\n%s", err, out)
	}
}

// until waits until a file matches.
func until(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "until FILE PATTERN")
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	file := ts.MkAbs(args[0])
	await(ts, nil, func() (string, bool) {
		text := readAll(file)
		return fmt.Sprintf("%s does not say %s:\n%s", args[0], args[1], text), pattern.MatchString(text)
	})
}

// shows runs a program again and again until its output matches.
func shows(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "shows PATTERN PROGRAM ARG...")
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	await(ts, nil, func() (string, bool) {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		return fmt.Sprintf("%v does not show %s: %v\n%s", args[1:], args[0], err, out), pattern.MatchString(out)
	})
}

// address finds a free port.
func address(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "address VARIABLE")
	ts.Setenv(args[0], freeAddress(of(ts).t))
}

// sent sends a file as a webhook, signed with a secret.
func sent(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 5, "sent URL SECRET ID STATUS FILE")
	body := []byte(ts.ReadFile(args[4]))
	header := http.Header{}
	ts.Check(webhook.Sign(header, args[1], args[2], time.Now(), body))
	status, answer, err := send(of(ts).t.Context(), "POST", args[0], header, body)
	ts.Check(err)
	if strconv.Itoa(status) != args[3] {
		ts.Fatalf("status %d, want %s: %s", status, args[3], answer)
	}
}

// newCallback starts a callback that answers every question with what a file holds then, and sets NAME_URL.
func newCallback(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "callback NAME FILE")
	file := ts.MkAbs(args[1])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer, err := os.ReadFile(file)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Write(answer)
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0]+"_URL", server.URL)
}
