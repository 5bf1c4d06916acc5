//go:build unix

package s3test

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/casehook/casehook/internal/bucket"
)

// The credentials of the server.
const (
	AccessKey = "casehook"
	SecretKey = "not-a-secret-of-anything"
)

// Server is a server with one empty bucket, which is called Bucket.
type Server struct {
	Endpoint string // http://127.0.0.1:PORT
	Dir      string // has the folder buckets, with a folder for each bucket and a file for each object

	cmd   *exec.Cmd
	stdin io.Closer
}

// Bucket is the name of the bucket.
const Bucket = "casehook-test"

// Start starts a server, which ends with the test. On the first call of a machine the server is compiled.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := build()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Dir: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(s.Dir, "buckets", Bucket), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	for range 5 { // somebody else may take the free port first
		if err = s.start(program); err == nil {
			return s
		}
	}
	t.Fatal(err)
	return nil
}

// start starts the program at a free port, and waits until it listens.
func (s *Server) start(program string) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := free.Addr().String()
	free.Close()
	s.Endpoint = "http://" + address
	s.cmd = exec.Command(program, address, s.Dir)
	s.cmd.Env = append(os.Environ(), s.Environment()...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that Ctrl-C reaches the test first
	var failed strings.Builder
	s.cmd.Stderr = &failed
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			return nil
		}
	}
	err = s.cmd.Wait()
	s.cmd = nil
	return fmt.Errorf("s3test: the server ends before it listens: %w\n%s", err, failed.String())
}

// Stop stops the server, at once.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.stdin.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// URL returns the address of the bucket, with a prefix.
func (s *Server) URL(prefix string) string {
	return "s3://" + Bucket + "/" + prefix + "?endpoint=" + s.Endpoint
}

// Environment returns the variables with the credentials, as NAME=VALUE.
func (s *Server) Environment() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + AccessKey, "AWS_SECRET_ACCESS_KEY=" + SecretKey}
}

// Getenv returns the value of one of these variables, or "".
func (s *Server) Getenv(name string) string {
	for _, variable := range s.Environment() {
		if value, found := strings.CutPrefix(variable, name+"="); found {
			return value
		}
	}
	return ""
}

// Open opens the bucket under a prefix that no other call returns.
func (s *Server) Open(t testing.TB) *bucket.Bucket {
	t.Helper()
	address, err := bucket.Parse(s.URL(strings.ToLower(rand.Text())))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bucket.Open(address, s.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// build builds the program, and returns its path.
var build = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(here), "..", "..", "..", "tools", "s3")
	if _, err := os.Stat(module); err != nil { // compiled with -trimpath
		found, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
		if err != nil {
			return "", fmt.Errorf("s3test: looking for the module: %w", err)
		}
		module = filepath.Join(strings.TrimSpace(string(found)), "tools", "s3")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("s3test: %w", err)
	}
	folder := filepath.Join(cache, "casehook-s3test")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("s3test: %w", err)
	}
	// Several test programs run at once, and each would compile all of it.
	lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("s3test: %w", err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("s3test: %w", err)
	}
	program := filepath.Join(folder, "s3")
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", program}, flags(), []string{"."})...)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("s3test: building the server: %w\n%s", err, out)
	}
	return program, nil
})

// flags returns the flags of the build. Its modules are compiled as fast as can be, since nobody measures it. Where
// ./test.sh runs, the standard library is taken as it is compiled for the tests, which saves half of the time.
func flags() []string {
	quick := "-gcflags=github.com/...=-N -l -dwarf=false"
	race := os.Getenv("CASEHOOK_RACE_FLAGS")
	if race == "" {
		return []string{"-trimpath", quick}
	}
	return slices.Concat([]string{"-race"}, strings.Split(race, "\n"), []string{quick + " -d=checkptr=0 -race=false"})
}
