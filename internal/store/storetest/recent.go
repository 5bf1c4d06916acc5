package storetest

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// sameText compares JSON as a text, since byte by byte takes minutes where it is large.
var sameText = cmp.Transformer("text", func(raw json.RawMessage) *string {
	if raw == nil {
		return nil
	}
	text := string(raw)
	return &text
})

// CheckRecent checks that the newest entries of the journal are the same for one who follows it, and may get them from
// memory, and for one who reads the database.
func CheckRecent(t testing.TB, st *store.Store) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it runs as a test ends
	// PostgreSQL may still be giving entries their positions for somebody who has stopped.
	if err := st.CatchUp(ctx); err != nil {
		t.Fatal(err)
	}
	head, err := st.Head(ctx)
	if err != nil {
		t.Fatal(err)
	}
	floor, _, err := st.Floor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	after := max(floor, head-300)
	followed, err := st.Journal(ctx, after, 1000)
	if err != nil {
		t.Fatal(err)
	}
	byTenant := map[int64][]*event.Entry{}
	for _, e := range followed.Entries {
		byTenant[e.Tenant] = append(byTenant[e.Tenant], e)
	}
	for tenant, entries := range byTenant {
		read, err := st.TenantJournal(ctx, tenant, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(read.Entries, slices.Clip(entries), sameText); diff != "" {
			t.Errorf("the journal of tenant %d differs in memory (-database +memory):\n%s", tenant, diff)
		}
	}
}
