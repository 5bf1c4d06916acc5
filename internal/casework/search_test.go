package casework_test

import (
	"testing"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
)

func TestASearchLooksAtABoundedNumberOfCases(t *testing.T) {
	w := start(t)
	w.put(w.p, permit("Permit", "ccd"))
	for range 4 {
		w.submit(casework.Submission{Type: "Permit", Data: object(`{"resident": "Ada"}`)})
	}
	w.cases.SearchAtMost(3)
	search := func(s casework.Search) (casework.Found, error) {
		return w.cases.Search(t.Context(), w.p, "Permit",
			func(*casetype.Type) (casework.Search, error) { return s, nil })
	}
	found, err := search(casework.Search{Size: 3})
	if err != nil || len(found.Cases) != 3 || found.Count != 4 {
		t.Errorf("a search without conditions: %d cases of %d, %v", len(found.Cases), found.Count, err)
	}
	all := func(casework.View, *schema.Budget) (bool, error) { return true, nil }
	if _, err := search(casework.Search{Size: 1, Matches: all}); fault.As(err).Code != "case.search_too_broad" {
		t.Errorf("a search that looks at each case: %v", err)
	}
	costly := func(_ casework.View, b *schema.Budget) (bool, error) { return true, b.Spend(1 << 40) }
	w.cases.SearchAtMost(10)
	if _, err := search(casework.Search{Size: 1, Matches: costly}); fault.As(err).Code != "case.search_too_broad" {
		t.Errorf("a search that costs too much: %v", err)
	}
}
