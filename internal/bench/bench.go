// Package bench measures Casehook as its users use it, and what the machine would allow at best.
//
// A run has three kinds of processes, all of this program: the server under test, which is casehook serve with a
// folder or a database of its own; a receiver; and a load generator, which is the API's users and the bare client. The
// process that was started only gives orders. The bare client signs and posts the same bodies to the same receiver and
// does nothing else, so its rate is what a server without a memory would reach. It is measured in the same run, in turn
// with the server, because machines differ from each other and from one minute to the next.
//
// A clock stops when the last message has arrived and the server has saved that it did. Each message is accounted for:
// a run that lost or repeated one is an error. Every wait has a limit, and whatever way the run ends, its processes end
// and its folders are removed.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Options say what is measured, and how. Zero values get the defaults.
type Options struct {
	Program  string // the path of casehook; required
	Version  string // of it
	Scenario string // the name of one
	Out      io.Writer
	JSON     bool      // the result is one line of JSON, instead of text for people
	Progress io.Writer // nil: none is shown

	Engine      string // EngineSQLite, EnginePostgres
	DatabaseURL string // a PostgreSQL server on which databases may be made; empty: one is started
	Folder      string // in which temporary folders are made; default the system's

	Quick       bool
	Duration    time.Duration // of one measurement
	Rounds      int           // of which the median counts
	Concurrency []int         // requests to receivers at a time, of which the best counts

	Messages int    // that wait at first: drain and memory
	Fanout   int    // endpoints that get each message: drain
	Order    string // of their policy: drain
	Cases    int    // the many cases: growth, console
	Attempts int    // as many as cases, or more: console
	Nodes    []int  // numbers of nodes: cluster
}

// The engines.
const (
	EngineSQLite   = "sqlite"
	EnginePostgres = "postgres"
)

// clients is the number of users of the API that submit at a time.
const clients = 32

// Scenario is something that can be measured.
type Scenario struct {
	Name  string
	Title string // what it measures, in half a sentence
	run   func(*bench, context.Context) error
}

// Scenarios lists all, in the order in which they are shown.
func Scenarios() []Scenario {
	return []Scenario{
		{"live", "32 clients create cases; each creation is one message", (*bench).live},
		{"edit", "32 clients edit cases; each edit is one message", (*bench).edit},
		{"drain", "messages that wait are sent: see --messages, --fanout, --order", (*bench).drain},
		{"latency", "100 submissions a second, from the request to the arrival", (*bench).latency},
		{"callback", "submissions that ask a callback first", (*bench).callback},
		{"neighbour", "an endpoint beside a slow one and 100 that are down", (*bench).neighbour},
		{"growth", "the same work with few cases and with many: see --cases", (*bench).growth},
		{"console", "pages of the console with many cases: see --cases, --attempts", (*bench).console},
		{"idle", "live beside 10,000 endpoints that want none of the messages", (*bench).idle},
		{"memory", "a million messages wait for an endpoint that is down: see --messages", (*bench).memory},
		{"cluster", "1, 2 and 4 nodes on one PostgreSQL: see --nodes", (*bench).cluster},
	}
}

// Names lists the names of the scenarios.
func Names() (names []string) {
	for _, s := range Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

// bench is one run.
type bench struct {
	options     Options
	begun       time.Time
	key         string // that seals secrets in databases
	postgres    *postgres
	receiver    *worker
	receiverURL string
	load        *worker
	listeners   int // that there have been
	result      Result
}

// ErrUnfaithful is returned, behind the result, when messages were lost or repeated.
var ErrUnfaithful = errors.New("messages were lost or repeated")

// Run measures a scenario and prints the result. It returns once all processes have ended.
func Run(ctx context.Context, o Options) (err error) {
	o = o.withDefaults()
	all := Scenarios()
	chosen := slices.IndexFunc(all, func(s Scenario) bool { return s.Name == o.Scenario })
	if chosen < 0 {
		return fmt.Errorf("there is no scenario %q", o.Scenario)
	}
	if o.Scenario == "cluster" && o.Engine != EnginePostgres {
		return errors.New("several nodes share a PostgreSQL database: say --engine postgres")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit(), fmt.Errorf("the benchmark took longer than %s", o.limit()))
	defer cancel()
	b := &bench{options: o, begun: time.Now(), key: randomKey(), result: Result{Scenario: o.Scenario, Engine: o.Engine}}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.open(ctx); err != nil {
		return explained(ctx, err)
	}
	if err := all[chosen].run(b, ctx); err != nil {
		return explained(ctx, err)
	}
	r := b.finished()
	if err := r.print(o.Out, o.JSON); err != nil {
		return err
	}
	if r.Lost > 0 || r.Repeated > 0 {
		return fmt.Errorf("%w: %d lost and %d repeated of %d", ErrUnfaithful, r.Lost, r.Repeated, r.Deliveries)
	}
	return nil
}

// explained prefers the reason for which all was ended to its consequences.
func explained(ctx context.Context, err error) error {
	switch {
	case ctx.Err() == nil:
		return err
	case errors.Is(context.Cause(ctx), context.Canceled):
		return errors.New("interrupted; there is no result")
	}
	return context.Cause(ctx)
}

func (o Options) withDefaults() Options {
	choose := func(quick, full int) int {
		if o.Quick {
			return quick
		}
		return full
	}
	o.Engine = cmp.Or(o.Engine, EngineSQLite)
	o.Duration = cmp.Or(o.Duration, time.Duration(choose(1000, 5000))*time.Millisecond)
	o.Rounds = cmp.Or(o.Rounds, choose(3, 5))
	if len(o.Concurrency) == 0 {
		o.Concurrency = []int{16, 64, 256}
	}
	messages := choose(3000, 30_000)
	if o.Scenario == "memory" {
		messages = choose(20_000, 1_000_000)
	}
	o.Messages = cmp.Or(o.Messages, messages)
	o.Fanout = max(o.Fanout, 1)
	o.Cases = cmp.Or(o.Cases, choose(3000, 100_000))
	o.Attempts = max(o.Attempts, o.Cases)
	if len(o.Nodes) == 0 {
		o.Nodes = []int{1, 2, 4}[:choose(2, 3)]
	}
	return o
}

// limit is how long a run may take.
func (o Options) limit() time.Duration {
	if o.Quick {
		return 5 * time.Minute
	}
	return 3 * time.Hour
}

// open starts the processes that all scenarios need.
func (b *bench) open(ctx context.Context) (err error) {
	if b.options.Engine == EnginePostgres {
		if b.postgres, err = b.openPostgres(ctx, b.options.DatabaseURL); err != nil {
			return err
		}
	}
	if b.receiver, err = startWorker(b.options.Program, roleReceiver); err != nil {
		return err
	}
	if b.load, err = startWorker(b.options.Program, roleLoad); err != nil {
		return err
	}
	var at address
	if err := b.receiver.do(ctx, "address", struct{}{}, &at); err != nil {
		return err
	}
	b.receiverURL = at.URL
	return nil
}

func (b *bench) close() error {
	for _, w := range []*worker{b.load, b.receiver} {
		if w != nil {
			w.stop()
		}
	}
	return b.postgres.stop()
}

// progress shows what is going on.
func (b *bench) progress(format string, args ...any) {
	if b.options.Progress != nil {
		fmt.Fprintf(b.options.Progress, "%6.1fs  %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
	}
}

// folder makes a temporary folder, which the process that gets it removes.
func (b *bench) folder(purpose string) (string, error) {
	folder, err := os.MkdirTemp(b.options.Folder, "casehook-bench-"+purpose+"-")
	if err != nil {
		return "", fmt.Errorf("a temporary folder can't be made: %w; name another place with --dir", err)
	}
	return folder, nil
}

// finished returns the result with what is known at the end.
func (b *bench) finished() Result {
	r := b.result
	r.Seconds = rounded(time.Since(b.begun).Seconds())
	r.Version, r.CPUs, r.Quick = b.options.Version, runtime.NumCPU(), b.options.Quick
	r.Platform = strings.Join([]string{runtime.GOOS, runtime.GOARCH}, "/")
	for _, value := range []*float64{&r.Figure, &r.Limit, &r.CPU, &r.RSS, &r.P50, &r.P99, &r.Ratio} {
		*value = rounded(*value)
	}
	for i := range r.Parts {
		for _, value := range []*float64{&r.Parts[i].Figure, &r.Parts[i].Limit, &r.Parts[i].Ratio} {
			*value = rounded(*value)
		}
	}
	return r
}
