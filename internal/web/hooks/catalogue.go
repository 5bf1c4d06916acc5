package hooks

import (
	"context"
	"embed"
	"slices"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/web/ui"
	"github.com/casehook/casehook/internal/wire"
)

//go:embed samples
var samples embed.FS

// verifier is code of a receiver that verifies signatures.
type verifier struct{ Language, Note, Code string }

// verifiers returns the code, by language.
func verifiers() (all []verifier) {
	for _, v := range []struct{ file, language, note string }{
		{"verify.go.txt", "Go", "A whole receiver, with the webhook package: it verifies and decodes."},
		{"verify.mjs", "Node", "Without a library; the package standardwebhooks does the same."},
		{"verify.py", "Python", "Without a library; the package standardwebhooks does the same."},
	} {
		code, err := samples.ReadFile("samples/" + v.file)
		if err != nil {
			panic(err)
		}
		all = append(all, verifier{v.language, v.note, string(code)})
	}
	return all
}

// catalogue has the triggers of all vendors, and the code that verifies their signatures.
type catalogue struct {
	Groups    []catalogueGroup
	Verifiers []verifier
}

// catalogueGroup has the triggers of a vendor.
type catalogueGroup struct {
	Name, Description string
	Triggers          []catalogueTrigger
}

// catalogueTrigger is a trigger with who gets it.
type catalogueTrigger struct {
	Name, Description string
	Headers           []wire.HeaderDoc
	Example           node
	Text              string // of the example, as it is sent
	Targets           []endpoint.Endpoint
}

// showCatalogue shows the triggers, and which endpoints get them.
func (h handler) showCatalogue(ctx context.Context, r *ui.Request) (ui.View, error) {
	_, endpoints, err := h.endpointNames(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	c := catalogue{Verifiers: verifiers()}
	for _, f := range wire.Formats() {
		g := catalogueGroup{Name: f.Name, Description: f.Description}
		for _, t := range f.Triggers {
			body := wire.Examples(t.Name, h.config.AtfinityVersion)[0].Body
			shown := catalogueTrigger{
				Name: t.Name, Description: t.Description, Text: string(body),
				Headers: wire.Headers(t.Name, h.config.AtfinityVersion, h.config.Version),
			}
			shown.Example, _ = tree(body) // it is JSON
			for _, e := range endpoints {
				if slices.Contains(e.Triggers, t.Name) {
					shown.Targets = append(shown.Targets, e)
				}
			}
			g.Triggers = append(g.Triggers, shown)
		}
		c.Groups = append(c.Groups, g)
	}
	return ui.View{Title: "Catalogue", Section: "/catalogue", Body: cataloguePage(c), Call: "GET /v1/triggers"}, nil
}

func (h handler) registerCatalogue(s *ui.Site) {
	s.Page("GET /catalogue", access.ListTriggers, h.showCatalogue)
}
