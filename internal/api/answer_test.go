package api

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/access"
)

// small are the operations whose answers are small, however much there is.
var small = map[access.Operation]string{
	"health": "a word", "ready": "a word",

	"get-session": "one user", "create-session": "one user", "change-password": "one user",
	"get-user": "one user", "update-user": "one user",
	"get-label": "one label", "edit-label": "one label",
	"set-presence": "100 at most", "list-presences": "100 at most",
	"get-replay": "one replay", "get-job": "one action, with 100,000 bytes of data",
	"get-lag": "numbers", "get-backlog": "numbers", "get-endpoint-health": "numbers and a reason of 500 bytes",
	"get-contact": "one contact", "update-contact": "one contact",
	"get-endpoint": "one endpoint", "update-endpoint": "one endpoint",
	"update-tenant":  "one tenant",
	"test-endpoint":  "the beginning of an answer, 16 KiB",
	"preview-filter": "which of 200 entries are messages, without bodies",
	"list-triggers":  "the registry's", "list-endpoint-secrets": "eight at most", "list-callback-secrets": "sixteen at most", "list-case-contacts": "200 at most",
	"get-callback-credentials": "20 headers, and certificates of 192 KiB", "set-callback-credentials": "the same",
	"set-targets": "100 at most", "get-delivery-metrics": "400 counts", "count-attempts": "the kinds of failures",
}

// Every operation's answer is a page that ends at a size, a value that counts towards the memory for answers, or small.
// A new operation must be one of these.
func TestEveryAnswerIsBounded(t *testing.T) {
	bounded := []string{"pageText[", "Reply[", "journalText"} // these count for the room
	answers := compose(Services{}, Config{}).Answers()
	for _, id := range slices.Sorted(maps.Keys(answers)) {
		body, has := answers[id].FieldByName("Body")
		switch _, isSmall := small[id]; {
		case !has, body.Type.Kind() == reflect.Func: // a stream has bounds of its own
			continue
		case isSmall:
		case !slices.ContainsFunc(bounded, func(name string) bool { return strings.HasPrefix(body.Type.Name(), name) }):
			t.Errorf("%s answers with a %s: of what size is it at most?", id, body.Type)
		}
		delete(small, id)
	}
	if len(small) > 0 {
		t.Errorf("these are not operations with a body: %v", slices.Collect(maps.Keys(small)))
	}
}
