package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"
)

// call is a request to a worker, as a line of JSON on its standard input.
type call struct {
	Method    string          `json:"method"`
	Arguments json.RawMessage `json:"arguments"`
}

// answer is its answer, as a line on its standard output.
type answer struct {
	Error  string          `json:"error,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// methods are what a worker can do, by name.
type methods map[string]func(ctx context.Context, arguments json.RawMessage) (any, error)

// method makes a method of a function with an argument of its own type.
func method[A, R any](do func(context.Context, A) (R, error)) func(context.Context, json.RawMessage) (any, error) {
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		var arguments A
		if err := json.Unmarshal(raw, &arguments); err != nil {
			return nil, err
		}
		return do(ctx, arguments)
	}
}

// answerCalls carries out one call after the other until in ends, which breaks off the call under way.
func answerCalls(ctx context.Context, in io.Reader, out io.Writer, m methods) error {
	ctx, cancel := context.WithCancel(ctx)
	calls := make(chan call)
	go func() {
		defer cancel()
		defer close(calls)
		for decoder := json.NewDecoder(in); ; {
			var c call
			if decoder.Decode(&c) != nil {
				return
			}
			select {
			case calls <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	encoder := json.NewEncoder(out)
	for c := range calls {
		if err := encoder.Encode(m.answer(ctx, c)); err != nil {
			cancel()
			return err
		}
	}
	return nil
}

func (m methods) answer(ctx context.Context, c call) answer {
	do, known := m[c.Method]
	if !known {
		return answer{Error: fmt.Sprintf("there is no method %q", c.Method)}
	}
	result, err := do(ctx, c.Arguments)
	if err != nil {
		return answer{Error: err.Error()}
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Result: raw}
}

// worker is a process that answers calls. It ends when its standard input does, so it does not outlive this process.
type worker struct {
	role    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *json.Decoder
	errors  *tail
	mu      sync.Mutex // one call at a time
	stopped bool
}

// startWorker starts this program as a worker.
func startWorker(program, role string) (*worker, error) {
	w := &worker{role: role, cmd: exec.Command(program, WorkerCommand, role), errors: new(tail)}
	w.cmd.Env = cleanEnvironment()
	w.cmd.Stderr = w.errors
	apart(w.cmd)
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("the %s can't be started: %w", role, err)
	}
	w.in, w.out = in, json.NewDecoder(out)
	return w, nil
}

// do has a worker carry out a method, and decodes the result into the value that into points to. If ctx ends before,
// the worker is ended too.
func (w *worker) do(ctx context.Context, name string, arguments, into any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	raw, err := json.Marshal(arguments)
	if err != nil {
		return err
	}
	release := context.AfterFunc(ctx, func() { w.cmd.Process.Kill() })
	defer release()
	var a answer
	err = json.NewEncoder(w.in).Encode(call{name, raw})
	if err == nil {
		err = w.out.Decode(&a)
	}
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("the %s ended: %w%s", w.role, err, w.errors.indented())
	case a.Error != "":
		return fmt.Errorf("the %s reports: %s", w.role, a.Error)
	case into == nil:
		return nil
	}
	return json.Unmarshal(a.Result, into)
}

// stop ends the worker.
func (w *worker) stop() error {
	if w.stopped {
		return nil
	}
	w.stopped = true
	w.in.Close()
	limit := time.AfterFunc(stopLimit, func() { w.cmd.Process.Kill() })
	defer limit.Stop()
	w.cmd.Wait() // how it ended is of no interest any more
	return nil
}

// tail keeps the last of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const mostTail = 4000 // bytes

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if more := len(t.text) - mostTail; more > 0 {
		t.text = bytes.Clone(t.text[more:])
	}
	return len(b), nil
}

// indented returns what was written, behind a line break, or nothing.
func (t *tail) indented() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.TrimSpace(t.text)
	if len(text) == 0 {
		return ""
	}
	return "\n  " + string(bytes.ReplaceAll(text, []byte("\n"), []byte("\n  ")))
}

// Work is what a worker process does: it is a receiver, or a load generator, or the keeper of another process.
func Work(ctx context.Context, role string, args []string, in io.Reader, out io.Writer) error {
	switch role {
	case roleReceiver:
		return receive(ctx, in, out)
	case roleLoad:
		return answerCalls(ctx, in, out, new(load).methods())
	case roleKeeper:
		return keep(ctx, args, in, out)
	}
	return errors.New("casehook bench starts this command; it is of no use by itself")
}

// WorkerCommand is the command of this program by which it becomes a worker. Its argument is the role.
const WorkerCommand = "bench-worker"

const (
	roleReceiver = "receiver"
	roleLoad     = "load generator"
	roleKeeper   = "keeper"
)

// stopLimit is how long a process may take to end before it is killed.
const stopLimit = 20 * time.Second
