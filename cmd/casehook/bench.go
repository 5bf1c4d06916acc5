package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/bench"
	"github.com/casehook/casehook/internal/spelling"
)

// benchCmd measures the program.
type benchCmd struct {
	Scenario    string        `arg:"" optional:"" help:"The scenario to measure. Without it, the scenarios are listed."`
	Engine      string        `enum:",sqlite,postgres" default:"" placeholder:"ENGINE" help:"sqlite or postgres. sqlite if not set, but postgres with --database-url."`
	DatabaseURL string        `name:"database-url" placeholder:"URL" env:"CASEHOOK_BENCH_DATABASE_URL" help:"A PostgreSQL server on which databases may be made, and are removed again: postgres://user:password@host:5432/postgres. If not set, one is started from the programs of this machine."`
	JSON        bool          `name:"json" help:"Print the result as one JSON object."`
	Quick       bool          `help:"Measure shortly, in about 20 seconds. The figures are less certain."`
	Duration    time.Duration `placeholder:"TIME" help:"Time of one measurement. 5s if not set, 1s with --quick."`
	Rounds      int           `placeholder:"N" help:"Rounds, of which the median counts; 3 or more. 5 if not set, 3 with --quick."`
	Concurrency []int         `placeholder:"N" help:"live, edit, drain: requests to receivers at a time, of which the best counts, for Casehook and for the bare client. 16,64,256 if not set; one endpoint has 64 at most."`
	Messages    int           `placeholder:"N" help:"drain, memory: messages that wait. 30000 and 1000000 if not set; 3000 and 20000 with --quick."`
	Fanout      int           `placeholder:"N" help:"drain: endpoints that get each message. 1 if not set."`
	Order       string        `enum:",per-case,strict,none" default:"" placeholder:"ORDER" help:"drain: the order of the endpoints: per-case, strict or none. per-case if not set."`
	Cases       int           `placeholder:"N" help:"growth, console: the (larger) number of cases. 100000 if not set, 3000 with --quick."`
	Attempts    int           `placeholder:"N" help:"console: attempts to send, as many as cases or more. As many if not set."`
	Nodes       []int         `placeholder:"N" help:"cluster: numbers of nodes. 1,2,4 if not set."`
	Dir         string        `type:"existingdir" placeholder:"DIR" help:"Folder for the temporary data. It has to be on the disk that is measured: a folder in memory flushes nothing. The system's folder for temporary files if not set."`
}

// Help is shown below the command's summary.
func (benchCmd) Help() string {
	return `A run starts a server on an empty database, a receiver and a load generator, as processes of their own. It
measures Casehook, and in turn a bare client, which signs and posts the same bodies to the same receiver and does
nothing else. figure is Casehook's, limit is the bare client's, and ratio is how much of the limit Casehook reaches:
compare ratios between machines, not figures. Clocks stop when the last message has arrived and the server has saved
that it did. Every commit is flushed to the disk. A run that lost or repeated a message ends with status 1.

  casehook bench                                     list the scenarios
  casehook bench live --quick                        a first impression
  casehook bench drain --fanout 10 --engine postgres
  casehook bench latency --json | jq .p99_ms

The machine should do nothing else meanwhile. docs/performance.md explains each scenario.`
}

// Validate refuses options that don't fit the scenario or each other.
func (c *benchCmd) Validate() error {
	var wrong []error
	refuse := func(is bool, format string, args ...any) {
		if is {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	only := func(set bool, option string, scenarios ...string) {
		refuse(set && !slices.Contains(scenarios, c.Scenario), "--%s is for the scenario %s", option,
			strings.Join(scenarios, " or "))
	}
	if !slices.Contains(bench.Names(), c.Scenario) && c.Scenario != "" {
		return fmt.Errorf("there is no scenario %q%s; casehook bench lists them", c.Scenario,
			spelling.DidYouMean(c.Scenario, bench.Names()))
	}
	only(c.Messages != 0, "messages", "drain", "memory")
	only(len(c.Concurrency) > 0, "concurrency", "live", "edit", "drain")
	only(c.Fanout != 0, "fanout", "drain")
	only(c.Order != "", "order", "drain")
	only(c.Cases != 0, "cases", "growth", "console")
	only(c.Attempts != 0, "attempts", "console")
	only(len(c.Nodes) > 0, "nodes", "cluster")
	refuse(c.Rounds != 0 && c.Rounds < 3, "--rounds is %d; a median needs 3 or more", c.Rounds)
	refuse(c.Duration < 0 || c.Duration > time.Hour, "--duration is %s; it has to be between 0 and 1h", c.Duration)
	within := func(option string, most int, values ...int) {
		for _, n := range values {
			refuse(n < 1 || n > most, "--%s is %d; it has to be between 1 and %d", option, n, most)
		}
	}
	within("messages", 10_000_000, cmp.Or(c.Messages, 1))
	within("cases", 10_000_000, cmp.Or(c.Cases, 1))
	within("attempts", 10_000_000, cmp.Or(c.Attempts, 1))
	within("fanout", 100, cmp.Or(c.Fanout, 1))
	within("concurrency", 1024, c.Concurrency...)
	within("nodes", 16, c.Nodes...)
	refuse(c.DatabaseURL != "" && c.Engine == bench.EngineSQLite, "--database-url is for --engine postgres")
	return errors.Join(wrong...)
}

func (c *benchCmd) Run(ctx context.Context, s stdio) error {
	if c.Scenario == "" {
		return listScenarios(s.out)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	engine := c.Engine
	if c.DatabaseURL != "" {
		engine = bench.EnginePostgres
	}
	o := bench.Options{
		Program:     program,
		Version:     version,
		Scenario:    c.Scenario,
		Out:         s.out,
		JSON:        c.JSON,
		Engine:      engine,
		DatabaseURL: c.DatabaseURL,
		Folder:      c.Dir,
		Quick:       c.Quick,
		Duration:    c.Duration,
		Rounds:      c.Rounds,
		Concurrency: c.Concurrency,
		Messages:    c.Messages,
		Fanout:      c.Fanout,
		Order:       c.Order,
		Cases:       c.Cases,
		Attempts:    c.Attempts,
		Nodes:       c.Nodes,
	}
	if onTerminal(s.err) && (!c.JSON || onTerminal(s.out)) {
		o.Progress = s.err
	}
	return bench.Run(ctx, o)
}

func listScenarios(out io.Writer) error {
	var text strings.Builder
	text.WriteString("casehook bench SCENARIO measures this program on this machine. The scenarios:\n\n")
	for _, s := range bench.Scenarios() {
		fmt.Fprintf(&text, "  %-10s %s\n", s.Name, s.Title)
	}
	text.WriteString("\nBegin with casehook bench live --quick. casehook bench --help explains the options.\n")
	_, err := io.WriteString(out, text.String())
	return err
}

// benchWorkerCmd is a process of a benchmark: its receiver, its load generator, or the keeper of a server.
type benchWorkerCmd struct {
	Role string   `arg:"" help:"The role of the process."`
	Args []string `arg:"" optional:"" passthrough:"" help:"Folder and command line of the server to keep."`
}

func (c *benchWorkerCmd) Run(ctx context.Context, s stdio) error {
	args := c.Args
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	return bench.Work(ctx, c.Role, args, s.in, s.out)
}
