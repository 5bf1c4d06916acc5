package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/store"
)

// A page is the JSON that it would be as a whole, and however large its items are it
// ends behind the one that fills it; its cursor goes on there.
func TestAPageEndsWhereItIsFull(t *testing.T) {
	k := New(Config{})
	for _, size := range []int{1, 300, 60_000, 1_000_000, 9 << 20} {
		var all, got []string
		count := 12
		if size > store.PageBytes {
			count = 3 // each fills a page
		}
		for i := range count {
			all = append(all, fmt.Sprintf("<%d>", i)+strings.Repeat("é", size/2))
		}
		same := func(s string) string { return s }
		place := func(s string) string { return s[:strings.IndexByte(s, '>')] }
		for from, pages := 0, 0; ; pages++ {
			out, err := NewPager(k, "texts", same, place).PageOf(store.Page[string]{Items: all[from:]})
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
			must(Encode(&whole, read))
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
			must(k.Open("texts", *read.Next, &last))
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

type benchItem struct {
	ID     int64    `json:"id"`
	Name   string   `json:"name"`
	Labels []string `json:"labels"`
	Data   Object   `json:"data"`
}

// BenchmarkPage encodes a small common page, item by item and as a whole.
func BenchmarkPage(b *testing.B) {
	k := New(Config{})
	items := make([]benchItem, 50)
	for i := range items {
		items[i] = benchItem{ID: int64(i), Name: "Acme", Data: Object(`{"client_name":"Acme Corp","amount":12.50}`)}
	}
	same, place := func(c benchItem) benchItem { return c }, func(c benchItem) int64 { return c.ID }
	b.Run("items", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out, err := NewPager(k, "items", same, place).PageOf(store.Page[benchItem]{Items: items, More: true})
			must(err)
			var sent bytes.Buffer
			must(marshal(&sent, out.Body))
		}
	})
	b.Run("whole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next, err := k.Seal("items", items[49].ID)
			must(err)
			shown := make([]benchItem, len(items))
			copy(shown, items)
			var sent bytes.Buffer
			must(Encode(&sent, page[benchItem]{shown, &next}))
		}
	})
}
