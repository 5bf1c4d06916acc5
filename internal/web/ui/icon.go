package ui

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

// icons returns the shapes of the icons, by name.
var icons = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	found, err := fs.Glob(embedded, "assets/icons/*.svg")
	if err != nil {
		panic(err)
	}
	for _, path := range found {
		text, err := embedded.ReadFile(path)
		if err != nil {
			panic(err)
		}
		_, inside, _ := strings.Cut(string(text), "<svg")
		_, inside, _ = strings.Cut(inside, ">")
		inside, _, _ = strings.Cut(inside, "</svg>")
		name := strings.TrimSuffix(path[strings.LastIndex(path, "/")+1:], ".svg")
		all[name] = strings.Join(strings.Fields(inside), " ")
	}
	return all
})

// Icon draws an icon of 16 pixels.
func Icon(name string) templ.Component { return icon(name, "icon") }

// SmallIcon draws an icon of 14 pixels.
func SmallIcon(name string) templ.Component { return icon(name, "icon small") }

func icon(name, class string) templ.Component {
	shape, ok := icons()[name]
	if !ok {
		panic("ui: there is no icon " + name)
	}
	text := `<svg class="` + class + `" viewBox="0 0 24 24" aria-hidden="true">` + shape + `</svg>`
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err
	})
}
