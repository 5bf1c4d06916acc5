package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Result is what a run has measured. Its JSON is for programs: members are added to it, and none changes its meaning.
type Result struct {
	Scenario string  `json:"scenario"`
	Engine   string  `json:"engine"`
	Figure   float64 `json:"figure"` // of Casehook
	Limit    float64 `json:"limit"`  // of the machine, or of what the scenario compares with
	Ratio    float64 `json:"ratio"`  // how much of the limit is reached; 1 is all
	Unit     string  `json:"unit"`   // of figure and limit

	CPU float64 `json:"cpu_us_per_delivery"` // of the server; per submission where nothing is delivered
	RSS float64 `json:"rss_mb"`              // the most memory that the server has used
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`

	Lost       int `json:"lost"`
	Repeated   int `json:"repeated"`
	Deliveries int `json:"deliveries"` // of all rounds

	FigureIs  string `json:"figure_is"`
	LimitIs   string `json:"limit_is"`
	LatencyIs string `json:"latency_is"`

	Concurrency      int    `json:"concurrency,omitempty"`       // at which the figure is best
	LimitConcurrency int    `json:"limit_concurrency,omitempty"` // at which the limit is best
	Rounds           int    `json:"rounds"`
	Parts            []Part `json:"parts,omitempty"`

	Version  string  `json:"version"`
	Platform string  `json:"platform"`
	CPUs     int     `json:"cpus"`
	Quick    bool    `json:"quick"`
	Seconds  float64 `json:"seconds"`
}

// Part is one of several things that a scenario compares.
type Part struct {
	Name   string  `json:"name"`
	Figure float64 `json:"figure"`
	Limit  float64 `json:"limit"`
	Ratio  float64 `json:"ratio"`
	Unit   string  `json:"unit"`
}

// print writes the result, for people or as a line of JSON.
func (r Result) print(out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	var text strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&text, "  %-9s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&text, "%s on %s (Casehook %s, %s, %d CPUs)\n", r.Scenario, r.Engine, r.Version, r.Platform, r.CPUs)
	line("figure", "%s %s: %s", number(r.Figure), r.Unit, at(r.FigureIs, r.Concurrency))
	line("limit", "%s %s: %s", number(r.Limit), r.Unit, at(r.LimitIs, r.LimitConcurrency))
	line("ratio", "%s", number(r.Ratio))
	for _, p := range r.Parts {
		line("", "%s: %s of %s %s, ratio %s", p.Name, number(p.Figure), number(p.Limit), p.Unit, number(p.Ratio))
	}
	line("latency", "p50 %s ms, p99 %s ms: %s", number(r.P50), number(r.P99), r.LatencyIs)
	line("server", "%s µs of CPU per delivery, %s MB of memory at most", number(r.CPU), number(r.RSS))
	line("faults", "%d lost and %d repeated, of %d deliveries in %d rounds", r.Lost, r.Repeated, r.Deliveries, r.Rounds)
	_, err := io.WriteString(out, text.String())
	return err
}

func at(what string, concurrency int) string {
	if concurrency == 0 {
		return what
	}
	return fmt.Sprintf("%s, %d at a time", what, concurrency)
}

// number writes a number without an exponent, and without digits that say nothing.
func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
