package ui

import (
	"bytes"
	"context"
	"io"

	"github.com/a-h/templ"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// firstHeading is the level of the first heading of a text: those of the page are above it.
const firstHeading = 3

// Markdown renders Markdown of others: without its raw HTML and its images, and with links that name no script.
func Markdown(source string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		markdown := goldmark.New() // it leaves out raw HTML, and addresses that could run scripts
		raw := []byte(source)
		root := markdown.Parser().Parse(text.NewReader(raw))
		var images []ast.Node
		err := ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			switch n := n.(type) {
			case *ast.Heading:
				if entering {
					n.Level = min(n.Level+firstHeading-1, 6)
				}
			case *ast.Link:
				n.SetAttributeString("rel", []byte("nofollow noopener"))
			case *ast.Image:
				if entering {
					images = append(images, n)
				}
			}
			return ast.WalkContinue, nil
		})
		if err != nil {
			return err
		}
		for _, image := range images { // a browser would ask another server for it
			image.Parent().RemoveChild(image.Parent(), image)
		}
		var out bytes.Buffer
		if err := markdown.Renderer().Render(&out, raw, root); err != nil {
			return err
		}
		_, err = w.Write(out.Bytes())
		return err
	})
}
