package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// small are the operations whose answers are small, however much there is.
var small = map[string]string{
	"health": "a word", "ready": "a word",

	"get-session": "one user", "create-session": "one user", "change-password": "one user",
	"get-user": "one user", "update-user": "one user",
	"get-label": "one label", "edit-label": "one label",
	"get-replay": "one replay",
	"get-lag":    "numbers", "get-endpoint-health": "numbers and a reason of 500 bytes",
	"get-contact": "one contact", "update-contact": "one contact",
	"get-endpoint": "one endpoint", "update-endpoint": "one endpoint",
	"update-tenant":  "one tenant",
	"test-endpoint":  "the beginning of an answer, 16 KiB",
	"preview-filter": "what of 200 entries is told, without bodies",
	"list-triggers":  "the registry's", "list-endpoint-secrets": "eight at most", "list-callback-secrets": "sixteen at most", "list-case-contacts": "200 at most",
	"set-targets": "100 at most",
}

// Every operation's answer is a page that ends at a size, or one value that counts for
// the room that there is, or small: a new one has to say which.
func TestEveryAnswerIsBounded(t *testing.T) {
	a := newAPI(&casework.Service{}, Config{})
	bounded := []string{"pageText[", "reply[", "journalText"}
	for _, id := range slices.Sorted(maps.Keys(a.answers)) {
		body, has := a.answers[id].FieldByName("Body")
		switch _, isSmall := small[id]; {
		case !has, body.Type.Kind() == reflect.Func: // a stream has bounds of its own
			continue
		case isSmall:
		case !body.Type.Implements(reflect.TypeFor[sized]()),
			!slices.ContainsFunc(bounded, func(name string) bool { return strings.HasPrefix(body.Type.Name(), name) }):
			t.Errorf("%s answers with a %s: of what size is it at most?", id, body.Type)
		}
		delete(small, id)
	}
	if len(small) > 0 {
		t.Errorf("these are not operations with a body: %v", slices.Collect(maps.Keys(small)))
	}
}

// A page is the JSON that it would be as a whole, and however large its items are it
// ends behind the one that fills it; its cursor goes on there.
func TestAPageEndsWhereItIsFull(t *testing.T) {
	a := newAPI(&casework.Service{}, Config{})
	for _, size := range []int{1, 300, 60_000, 1_000_000, 9 << 20} {
		var all, got []string
		for i := range 12 {
			all = append(all, fmt.Sprintf("<%d>", i)+strings.Repeat("é", size/2))
		}
		same := func(s string) string { return s }
		place := func(s string) string { return s[:strings.IndexByte(s, '>')] }
		for from, pages := 0, 0; ; pages++ {
			out, err := pageOf(a, "texts", store.Page[string]{Items: all[from:]}, same, place)
			if err != nil {
				t.Fatal(err)
			}
			var sent bytes.Buffer
			held := out.Body.size()
			if err := out.Body.send(&sent, func(n int) { held -= n }); err != nil || held != 0 {
				t.Errorf("%d bytes are held of a page that was sent: %v", held, err)
			}
			var read page[string]
			if err := json.Unmarshal(sent.Bytes(), &read); err != nil {
				t.Fatal(err)
			}
			var whole bytes.Buffer
			must(encode(&whole, read))
			if !bytes.Equal(whole.Bytes(), sent.Bytes()) {
				t.Error("it is not what it would be as a whole")
			}
			if before := sent.Len() - len(read.Items[len(read.Items)-1]); before > store.PageBytes+1000 {
				t.Errorf("a page has %d bytes before its last item", before)
			}
			got = append(got, read.Items...)
			if read.Next == nil {
				break
			}
			var last string
			must(a.cursors.open("texts", *read.Next, &last))
			if last != fmt.Sprintf("<%d", len(got)-1) {
				t.Fatalf("behind %d items it goes on at %s", len(got), last)
			}
			from = len(got)
		}
		if !slices.Equal(got, all) {
			t.Errorf("with items of %d bytes the pages have %d of %d", size, len(got), len(all))
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// BenchmarkPage encodes a small common page, item by item and as a whole.
func BenchmarkPage(b *testing.B) {
	a := newAPI(&casework.Service{}, Config{})
	cases := make([]Case, 50)
	for i := range cases {
		cases[i] = Case{
			ID: int64(i), Type: "kyc", Name: "Acme", Labels: []string{}, Transitions: []string{"approve"},
			Data: Object(`{"client_name":"Acme Corp","amount":12.50}`),
		}
	}
	same, place := func(c Case) Case { return c }, func(c Case) int64 { return c.ID }
	b.Run("items", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, err := pageOf(a, "cases", store.Page[Case]{Items: cases, More: true}, same, place)
			must(err)
			var sent bytes.Buffer
			must(marshal(&sent, out.Body))
		}
	})
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next, err := a.cursors.seal("cases", cases[49].ID)
			must(err)
			shown := make([]Case, len(cases))
			copy(shown, cases)
			var sent bytes.Buffer
			must(encode(&sent, page[Case]{shown, &next}))
		}
	})
}
