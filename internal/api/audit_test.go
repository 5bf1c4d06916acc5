package api_test

import (
	"strings"
	"testing"
)

func TestIdsOfAuditRecordsDoNotCount(t *testing.T) {
	w := start(t)
	w.token(`{"name": "one"}`)
	w.token(`{"name": "two"}`)
	seen := map[string]bool{}
	for _, item := range w.get("/v1/audit").is(200, "").items() {
		id, _ := item.(map[string]any)["id"].(string)
		if !strings.HasPrefix(id, "aud_") || len(id) != len("aud_")+32 || seen[id] {
			t.Errorf("the id is %q", id)
		}
		seen[id] = true
	}
	if len(seen) < 2 {
		t.Errorf("there are %d records", len(seen))
	}
}
