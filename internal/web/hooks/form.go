package hooks

import (
	"strings"
	"time"
)

// durations writes waits as a form shows them: "5s, 30s, 2m".
func durations(all []time.Duration) string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = duration(d)
	}
	return strings.Join(texts, ", ")
}

// duration writes a length of time without zeros behind it: "2m", not "2m0s".
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
