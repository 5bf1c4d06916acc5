package main

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/bench"
)

func TestInvalidOptionsOfABenchmarkAreRefused(t *testing.T) {
	for command, want := range map[string]string{
		"bench drian":                                     `there is no scenario "drian" (did you mean "drain"?); casehook bench lists them`,
		"bench live --fanout 10":                          "--fanout is for the scenario drain",
		"bench live --cases 10":                           "--cases is for the scenario growth or console",
		"bench --messages 10":                             "--messages is for the scenario drain or memory",
		"bench latency --concurrency 16":                  "--concurrency is for the scenario live or edit or drain",
		"bench live --concurrency 16,0":                   "--concurrency is 0; it has to be between 1 and 1024",
		"bench live --rounds 2":                           "--rounds is 2; a median needs 3 or more",
		"bench live --duration 2h":                        "--duration is 2h0m0s",
		"bench live --engine oracle":                      `--engine: "oracle" is not known; write sqlite or postgres`,
		"bench live --engine sqlite --database-url pg":    "--database-url is for --engine postgres",
		"bench cluster --nodes 17 --engine postgres":      "--nodes is 17; it has to be between 1 and 16",
		"bench drain --order fifo":                        `--order: "fifo" is not known; write per-case, strict or none`,
		"bench drain --messages 99999999 --engine sqlite": "--messages is 99999999",
	} {
		if status, _, stderr := runCommand(t, strings.Fields(command)...); status != exitUsage ||
			!strings.Contains(stderr, want) {
			t.Errorf("%s: status %d: %s\nwant %s", command, status, stderr, want)
		}
	}
}

func TestTheScenariosOfTheBenchmarkAreListed(t *testing.T) {
	status, out, _ := runCommand(t, "bench")
	for _, s := range bench.Scenarios() {
		if !strings.Contains(out, "  "+s.Name+" ") || !strings.Contains(out, s.Title) {
			t.Errorf("%s is not listed:\n%s", s.Name, out)
		}
	}
	if status != exitOK {
		t.Errorf("status %d", status)
	}
}
