//go:build unix

package e2e_test

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/casehook/casehook/internal/bucket/s3test"
)

// newS3 starts a server of S3, and sets a variable to the address of a bucket, and those with the credentials.
func newS3(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "s3 VARIABLE")
	server := s3test.Start(of(ts).t)
	ts.Setenv(args[0], server.URL("files"))
	for _, variable := range server.Environment() {
		name, value, _ := strings.Cut(variable, "=")
		ts.Setenv(name, value)
	}
}

// killMove begins to move attachments, and kills the command when it prints that it begins to copy.
func killMove(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "killmove FLAG...")
	path := strings.SplitN(ts.Getenv("PATH"), ":", 2)[0]
	cmd := exec.CommandContext(of(ts).t.Context(), filepath.Join(path, "casehook"),
		append([]string{"attachments", "move"}, args...)...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "CASEHOOK_KEY"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	printed, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	line := bufio.NewScanner(printed)
	begun := line.Scan() && strings.HasPrefix(line.Text(), "0 of ")
	ts.Check(cmd.Process.Kill())
	cmd.Wait()
	if !begun || cmd.ProcessState.Exited() {
		ts.Fatalf("the move was not killed while it copied: %q, %v", line.Text(), cmd.ProcessState)
	}
}
