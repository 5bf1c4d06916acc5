package ui

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
)

// serveGallery serves the page that shows all components in both themes. It is for those who develop the console.
func (s *Site) serveGallery() {
	s.Page("GET /_ui", access.GetSession, func(context.Context, *Request) (View, error) {
		return View{Title: "Components", Body: galleryTemplate(gallerySamples()), Call: "GET /v1/session"}, nil
	})
}

// samples are what the gallery's components show. They never change, so that pictures of the page can be compared.
type samples struct {
	At, Now time.Time
	Points  []Point
	Faults  []Fault
	Chips   []Chip
	Views   []SavedView
	Undo    Undo
	Problem *rest.Problem
	Icons   []string
}

func gallerySamples() samples {
	at := time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC)
	s := samples{
		At: at, Now: at.Add(3 * time.Hour),
		Faults: []Fault{
			{"gallery-faulty-light", "Amount", "is not a number."}, {Message: "The case is closed."},
		},
		Chips: []Chip{{"State", "In review", "/_ui"}, {"Label", "urgent", "/_ui"}},
		Views: []SavedView{
			{Name: "All", Href: "/_ui"}, {Name: "Mine", Href: "/_ui?mine", Count: "12"},
			{Name: "Failed", Href: "/_ui?failed", Count: "3", Bad: true},
		},
		Undo: Undo{Note: "The label Urgent is deleted.", Path: "/_ui"},
		Problem: &rest.Problem{
			Title: "Not Found", Status: 404, Code: "case.not_found",
			Detail: "There is no case 7. Look for it in the list.",
			Fields: []rest.FieldFault{{Path: "path.id", Message: "is not the id of a case"}},
		},
		Icons: slices.Sorted(maps.Keys(icons())),
	}
	for i := range int64(60) {
		s.Points = append(s.Points, Point{
			At: at.Add(time.Duration(i) * time.Minute), Delivered: 20 + i*i%37, Failed: max(0, i%11-7),
		})
	}
	return s
}
