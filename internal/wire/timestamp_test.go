package wire

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

func TestATimestampHasThreeDigits(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	for want, at := range map[string]time.Time{
		`"2026-01-31T08:00:00.000Z"`: time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC),
		`"2026-01-31T08:00:00.100Z"`: time.Date(2026, 1, 31, 8, 0, 0, 100_000_000, time.UTC),
		`"2026-01-31T08:00:00.999Z"`: time.Date(2026, 1, 31, 10, 0, 0, 999_999_999, zone), // cut off, not rounded
	} {
		if got, err := json.Marshal(Timestamp(at)); err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

// All bodies have times in this form.
func TestEveryBodyWritesTimesAlike(t *testing.T) {
	files, err := filepath.Glob("testdata/*.golden")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	moment := regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`)
	exact := regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$`)
	found := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range moment.FindAllString(string(raw), -1) {
			if found++; !exact.MatchString(text) {
				t.Errorf("%s: %s", file, text)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d times are found", found)
	}
}
