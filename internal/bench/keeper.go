package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A keeper stands over a process that knows nothing of this benchmark, such as a server. When its standard input ends,
// as it does when the benchmark ends in whatever way, it ends the process and removes its folder.

// keep runs the program of args[1:], whose folder is args[0].
func keep(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) < 2 {
		return errors.New("a keeper needs a folder and a program")
	}
	folder := args[0]
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := unprivileged(cmd, folder); err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	if err := cmd.Start(); err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	fmt.Fprintf(out, "%s %d\n", pidWord, cmd.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	orders := make(chan string)
	go func() {
		defer close(orders)
		for lines := bufio.NewScanner(in); lines.Scan(); {
			orders <- lines.Text()
		}
	}()
	keepFolder := false
	for under := true; under; {
		select {
		case order, more := <-orders:
			keepFolder, under = keepFolder || order == keepWord, more
		case <-ctx.Done():
			under = false
		case err := <-ended:
			return errors.Join(fmt.Errorf("it ended by itself: %w", err), os.RemoveAll(folder))
		}
	}
	interrupt(cmd.Process)
	limit := time.AfterFunc(stopLimit, func() { cmd.Process.Kill() })
	defer limit.Stop()
	err := <-ended
	if !keepFolder {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	return err
}

const (
	pidWord  = "pid"
	keepWord = "keep" // the folder
)

// keptProcess is a process under a keeper.
type keptProcess struct {
	name   string
	cmd    *exec.Cmd // of the keeper
	in     io.WriteCloser
	errors *tail
	lines  chan string // of its standard output
	pid    int
	folder string
	once   sync.Once
	err    error
}

// startKept starts a program in a folder of its own, which is removed when the program has ended.
func startKept(self, name, folder string, environment []string, command ...string) (*keptProcess, error) {
	args := append([]string{WorkerCommand, roleKeeper, "--", folder}, command...)
	k := &keptProcess{name: name, cmd: exec.Command(self, args...), errors: new(tail), lines: make(chan string, 100),
		folder: folder}
	k.cmd.Env = append(cleanEnvironment(), environment...)
	k.cmd.Dir, k.cmd.Stderr = folder, k.errors
	k.cmd.WaitDelay = time.Second
	apart(k.cmd)
	in, err := k.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := k.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s can't be started: %w", name, err), os.RemoveAll(folder))
	}
	k.in = in
	go func() {
		defer close(k.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			select {
			case k.lines <- lines.Text():
			default: // nobody reads any more
			}
		}
	}()
	return k, nil
}

// await reads what the process prints until a line matches, and returns the first group of the match.
func (k *keptProcess) await(ctx context.Context, pattern *regexp.Regexp) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		select {
		case line, more := <-k.lines:
			if !more {
				return "", fmt.Errorf("%s ended:%s", k.name, k.errors.indented())
			}
			if pid, isPID := strings.CutPrefix(line, pidWord+" "); isPID {
				k.pid, _ = strconv.Atoi(pid)
			}
			if found := pattern.FindStringSubmatch(line); found != nil {
				return found[1], nil
			}
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not start within %s:%s", k.name, startLimit, k.errors.indented())
		}
	}
}

// stop ends the process and removes its folder, unless keepFolder is set.
func (k *keptProcess) stop(keepFolder bool) error {
	k.once.Do(func() {
		if keepFolder {
			fmt.Fprintln(k.in, keepWord)
		}
		k.in.Close()
		limit := time.AfterFunc(2*stopLimit, func() { k.cmd.Process.Kill() })
		defer limit.Stop()
		if err := k.cmd.Wait(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			k.err = fmt.Errorf("%s did not end well: %w%s", k.name, err, k.errors.indented())
		}
	})
	return k.err
}

const startLimit = time.Minute

// cleanEnvironment returns the environment without what configures Casehook: a benchmark has its own settings.
func cleanEnvironment() []string {
	var kept []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "CASEHOOK_") && !strings.HasPrefix(variable, "OTEL_") {
			kept = append(kept, variable)
		}
	}
	return kept
}
