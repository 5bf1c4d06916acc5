package observe

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
)

var update = flag.Bool("update", false, "write the table of metrics")

const documentation = "../../docs/watching.md"

// The table of metrics in the documentation equals the registry.
func TestTheDocumentationListsEveryMetric(t *testing.T) {
	m := New("1.2.3")
	m.Sample(t.Context(), slog.New(slog.DiscardHandler),
		func(context.Context) (Backlog, error) { return Backlog{}, nil })
	source, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	want, got := tableOf(m), ""
	table := regexp.MustCompile(`(?m)^\| metric .*\n(\|.*\n)+`)
	if got = table.FindString(string(source)); *update {
		changed := strings.Replace(string(source), got, want, 1)
		if err := os.WriteFile(documentation, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/watching.md (-registry +documentation); -update writes it:\n%s", diff)
	}
}

var described = regexp.MustCompile(`fqName: "(casehook_[a-z_]+)", help: "(.*?)", .*variableLabels: \{([a-z_,]*)\}`)

func tableOf(m *Metrics) string {
	descs := make(chan *prometheus.Desc, 1000)
	m.registry.Describe(descs)
	close(descs)
	var rows []string
	for d := range descs {
		if found := described.FindStringSubmatch(d.String()); found != nil {
			labels := strings.ReplaceAll(found[3], ",", "`, `")
			if labels != "" {
				labels = "`" + labels + "`"
			}
			rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", found[1], labels, found[2]))
		}
	}
	slices.Sort(rows)
	return "| metric | labels | |\n|---|---|---|\n" + strings.Join(rows, "")
}

// However often metrics are collected, the database is read rarely, and one that does not answer
// delays them by a bounded time.
func TestTheDatabaseIsAskedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, asked, away := New("dev"), 0, false
		m.Sample(t.Context(), slog.New(slog.DiscardHandler), func(ctx context.Context) (Backlog, error) {
			if asked++; away {
				<-ctx.Done()
				return Backlog{}, errors.New("away")
			}
			return Backlog{Parked: int64(asked)}, nil
		})
		parked := func() (value float64, there bool) {
			families, err := m.registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				if f.GetName() == "casehook_lanes_parked" {
					return f.GetMetric()[0].GetGauge().GetValue(), true
				}
			}
			return 0, false
		}
		for second := range 11 {
			if got, _ := parked(); got != float64(1+second/5) {
				t.Errorf("after %d s: %v", second, got)
			}
			time.Sleep(time.Second)
		}
		away = true
		time.Sleep(sampleEvery)
		begun := time.Now()
		if _, there := parked(); there || time.Since(begun) != sampleTimeout {
			t.Errorf("without an answer: %v after %s", there, time.Since(begun))
		}
	})
}

func TestNilMetricsCountNothing(t *testing.T) {
	var (
		d *Delivery
		s *Store
		c *Callback
		h *HTTP
		r *Tracer
	)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		d.Sending()
		d.Refusing(1)
		d.Sent("delivered", "x", time.Second, time.Second)
		d.Settled(1, 1, time.Second)
		s.Transaction(true, time.Second)
		s.Commit(3)
		c.Asked("accepted", 1, time.Second)
		h.Received()
		h.Answered("x", 200, time.Second)
		ctx, span := r.Request(ctx, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "GET")
		ctx, step := r.Step(ctx, "load")
		_, delivery := r.Delivery(ctx, Traceparent(ctx), "case_created")
		delivery.Text("a", "b")
		delivery.Number("a", 1)
		delivery.Failed("x")
		delivery.End()
		step.End()
		span.End()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestLabelsStayWithinWhatIsKnown(t *testing.T) {
	m := New("dev")
	for i := range 100 {
		odd := fmt.Sprint("odd ", i)
		m.Delivery.Sent(odd, "case triggers", 0, 0)
		m.Store.Failed(odd)
		m.Callback.Asked(odd, 1, 0)
	}
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if n := len(f.GetMetric()); n > 10 && strings.HasPrefix(f.GetName(), prefix) {
			t.Errorf("%s has %d series", f.GetName(), n)
		}
	}
}
