package bench

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestAResultIsOneLineOfJSON(t *testing.T) {
	r := Result{Scenario: "live", Engine: EngineSQLite, Figure: 1200, Limit: 2400, Ratio: 0.5, Unit: "deliveries/s"}
	var out bytes.Buffer
	if err := r.print(&out, true); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), "\n") != 1 || !strings.HasSuffix(out.String(), "\n") {
		t.Errorf("it is not one line: %q", out.String())
	}
	var members map[string]any
	if err := json.Unmarshal(out.Bytes(), &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"scenario", "engine", "figure", "limit", "ratio", "unit", "cpu_us_per_delivery", "rss_mb", "p50_ms", "p99_ms",
		"lost", "repeated", "deliveries", "rounds",
	} {
		if _, there := members[name]; !there {
			t.Errorf("it has no %q, also not when it is 0: %s", name, out.String())
		}
	}
	if members["ratio"] != 0.5 || members["unit"] != "deliveries/s" {
		t.Errorf("it says %s", out.String())
	}
}

func TestAResultForPeopleNamesItsFiguresAndFaults(t *testing.T) {
	r := Result{Scenario: "drain", Engine: EnginePostgres, Figure: 1200, Limit: 2400, Ratio: 0.5, Unit: "deliveries/s",
		Lost: 3, Repeated: 4, Deliveries: 500, Rounds: 5, Concurrency: 64, LimitConcurrency: 256,
		Parts: []Part{{Name: "search", Figure: 9, Limit: 10, Ratio: 0.9, Unit: "requests/s"}}}
	var out bytes.Buffer
	if err := r.print(&out, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"drain on postgres", "1200 deliveries/s", "64 at a time", "256 at a time", "search: 9 of 10 requests/s",
		"3 lost and 4 repeated, of 500 deliveries in 5 rounds",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, out.String())
		}
	}
}

func TestScenariosHaveNamesOfTheirOwn(t *testing.T) {
	names := Names()
	if slices.Sort(names); len(slices.Compact(names)) != len(Scenarios()) {
		t.Errorf("two scenarios have one name: %v", names)
	}
	for _, s := range Scenarios() {
		if s.Title == "" || s.run == nil {
			t.Errorf("%s can't be shown or run", s.Name)
		}
	}
}
