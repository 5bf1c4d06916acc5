package observe

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

// The dashboard and the alert rules ask for metrics of the registry alone, every metric is asked for, and every alert
// has a row in the documentation that says what to do.
func TestDashboardAndAlertsFitTheRegistry(t *testing.T) {
	known := registered(t)
	shown := map[string]bool{}
	for _, expression := range append(dashboardExpressions(t), alertExpressions(t)...) {
		for _, used := range usedMetrics(expression) {
			labels, found := known[used.name]
			if !found {
				t.Errorf("there is no metric %s: %s", used.name, expression)
			}
			for _, label := range used.labels {
				if !slices.Contains(append(labels, "job", "instance"), label) {
					t.Errorf("%s has no label %s: %s", used.name, label, expression)
				}
			}
			shown[used.name] = true
		}
	}
	for name := range known {
		if !shown[name] {
			t.Errorf("%s is neither on the dashboard nor in an alert", name)
		}
	}
}

// registered returns the labels of each metric of ours.
func registered(t *testing.T) map[string][]string {
	m := New("1.2.3")
	m.Sample(t.Context(), slog.New(slog.DiscardHandler),
		func(context.Context) (Backlog, error) { return Backlog{}, nil })
	known := map[string][]string{}
	for _, row := range strings.Split(tableOf(m), "\n") {
		if cells := strings.Split(row, "|"); len(cells) > 3 && strings.Contains(cells[1], prefix) {
			labels := strings.FieldsFunc(cells[2], func(r rune) bool { return strings.ContainsRune(" ,`", r) })
			known[strings.Trim(cells[1], " `")] = append(labels, "le")
		}
	}
	return known
}

type usedMetric struct {
	name   string
	labels []string
}

var (
	metricName = regexp.MustCompile(`(casehook_[a-z_]+?)(_bucket|_sum|_count)?\b(\{[^}]*\})?[^a-z_]`)
	labelName  = regexp.MustCompile(`([a-z_]+)\s*=~?"`)
	grouping   = regexp.MustCompile(`by \(([a-z_, ]+)\)`)
)

// usedMetrics returns the metrics of an expression, with the labels by which it selects and groups.
func usedMetrics(expression string) (all []usedMetric) {
	var grouped []string
	for _, found := range grouping.FindAllStringSubmatch(expression, -1) {
		grouped = append(grouped, strings.FieldsFunc(found[1], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	for _, found := range metricName.FindAllStringSubmatch(expression+" ", -1) {
		used := usedMetric{name: found[1], labels: slices.Clone(grouped)}
		for _, label := range labelName.FindAllStringSubmatch(found[3], -1) {
			used.labels = append(used.labels, label[1])
		}
		all = append(all, used)
	}
	return all
}

func dashboardExpressions(t *testing.T) (all []string) {
	var dashboard struct {
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
			GridPos struct{ H, W, X, Y int }
		}
	}
	source, err := os.ReadFile("../../deploy/grafana/casehook.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(source, &dashboard); err != nil {
		t.Fatal(err)
	}
	taken := map[[2]int]string{}
	for _, p := range dashboard.Panels {
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q covers %q, or leaves the page", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	return all
}

func alertExpressions(t *testing.T) (all []string) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations struct{ Summary, Runbook string }
				Labels      struct{ Severity string }
			}
		}
	}
	source, err := os.ReadFile("../../deploy/prometheus/casehook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(source, &rules); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(documentation)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules.Groups[0].Rules {
		anchor := strings.ToLower(r.Alert)
		if r.Annotations.Runbook != "docs/watching.md#"+anchor || r.Annotations.Summary == "" ||
			!slices.Contains([]string{"page", "ticket"}, r.Labels.Severity) ||
			!strings.Contains(string(page), `<a id="`+anchor+`"></a>`+r.Alert+` |`) {
			t.Errorf("%s lacks a summary, a severity, or what to do", r.Alert)
		}
		all = append(all, r.Expr)
	}
	return all
}
