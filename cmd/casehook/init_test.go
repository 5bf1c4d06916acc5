package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

// The starting definition is valid, and stays valid with all its comments taken as code.
func TestTheStartingDefinitionHasNoFaults(t *testing.T) {
	commented := regexp.MustCompile(`(?m)^(    )?# ((about_to_submit|access):$|(switch|delete): .*|` +
		`  (url|when|timeout|retries|budget|failure_policy|dry_run|guard|clearance|messages|read|write): .*)`)
	for key, name := range map[string]string{
		"application": "Application", "building_permit": "Building permit", "x-9": "X 9", "ParkingPermit": "ParkingPermit",
		"7": "7",
	} {
		status, out, _ := runCommand(t, "casetype", "init", key)
		if status != exitOK {
			t.Fatalf("%s: status %d", key, status)
		}
		for variant, source := range map[string]string{
			"as it is": out, "with all": commented.ReplaceAllString(out, "$1$2"),
		} {
			definition, err := casetype.Parse(key+".yaml", []byte(source))
			if err != nil {
				t.Fatalf("%s, %s: %v", key, variant, err)
			}
			if definition.Key != key || definition.Name != name {
				t.Errorf("it is of %q, %q", definition.Key, definition.Name)
			}
			if callbacks := len(definition.Callbacks()); callbacks != 3*strings.Count(variant, "all") {
				t.Errorf("%s, %s: %d callbacks", key, variant, callbacks)
			}
		}
		if !strings.Contains(out, "casetype check "+key+".yaml") {
			t.Errorf("%s: it does not name the command that checks it", key)
		}
	}
}

// Newcomers may read nothing else, so the starting definition shows every part of a definition.
func TestTheStartingDefinitionExplainsEveryKey(t *testing.T) {
	var schema struct {
		Properties map[string]any `json:"properties"`
		Defs       map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(casetype.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	keys := schema.Properties
	for _, def := range schema.Defs {
		for key := range def.Properties {
			keys[key] = nil
		}
	}
	for key := range keys {
		if !regexp.MustCompile(`\b` + key + `\b`).MatchString(starting) {
			t.Errorf("there is no %s", key)
		}
	}
	for line := range strings.Lines(starting) {
		if len(line) > 100 {
			t.Errorf("longer than 100 columns: %s", line)
		}
	}
}

func TestAStartingDefinitionOverwritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "permit.yaml")
	if status, out, err := runCommand(t, "casetype", "init", "permit", "-o", path); status != exitOK ||
		!strings.Contains(out, "casetype check") {
		t.Fatalf("status %d: %s%s", status, out, err)
	}
	status, _, err := runCommand(t, "casetype", "init", "other", "-o", path)
	if status != exitFailed || !strings.Contains(err, "name another file with -o") {
		t.Errorf("status %d: %s", status, err)
	}
	if written, _ := os.ReadFile(path); !strings.Contains(string(written), "\nkey: permit\n") {
		t.Errorf("it was overwritten:\n%s", written)
	}
	if status, _, err := runCommand(t, "casetype", "init", "Building permit"); status != exitUsage ||
		!strings.Contains(err, "as in building_permit") {
		t.Errorf("status %d: %s", status, err)
	}
}

func TestInitAndCheckPointToEachOther(t *testing.T) {
	for command, other := range map[string]string{
		"init": "casehook casetype check", "check": "casehook casetype init",
	} {
		if _, out, _ := runCommand(t, "casetype", command, "--help"); !strings.Contains(out, other) {
			t.Errorf("%s --help does not name %s:\n%s", command, other, out)
		}
	}
}
