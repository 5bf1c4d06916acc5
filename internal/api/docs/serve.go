// Package docs serves the OpenAPI document of the API and the documentation that is
// made from it, with its guides and its search; and the JSON Schemas of the files that people write.
package docs

import (
	"net/http"
	"slices"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/schemas"
)

// Versions are the versions that the document and its examples show.
type Versions struct {
	Casehook string
	Atfinity string // in X-atfinity-version
}

// Serve serves the OpenAPI document of a kernel, completed with the webhooks, and the documentation made from it. All
// operations are registered by now. The webhooks are described at the first request: their schemas and examples take
// longer to make than the operations of a wing take to register.
func Serve(k *rest.Kernel, v Versions) {
	document := sync.OnceValue(func() *huma.OpenAPI {
		describeWebhooks(k.OpenAPI(), v)
		return k.OpenAPI()
	})
	k.Page("/openapi.json", header("application/openapi+json"),
		mustRender(func() ([]byte, error) { return document().MarshalJSON() }))
	k.Page("/openapi.yaml", header("application/openapi+yaml"),
		mustRender(func() ([]byte, error) { return document().YAML() }))
	for _, name := range schemas.Names() {
		k.Page("/schemas/"+name+".json", header("application/schema+json"), func() []byte { return schemas.Of(name) })
	}
	html, css, script := docsHeader("text/html"), docsHeader("text/css"), docsHeader("text/javascript")
	k.Page("/docs", html, func() []byte { return documentation(document(), triggers(v)) })
	for _, name := range guideNames {
		k.Page("/docs/"+name, html, func() []byte {
			all := guides()
			info := k.OpenAPI().Info
			return guidePage(info.Title, info.Version, all[slices.Index(guideNames, name)], all)
		})
	}
	k.Page("/docs/style.css", css, func() []byte { return style })
	k.Page("/docs/search.js", script, func() []byte { return searchIndex(document(), triggers(v)) })
}

func header(contentType string) http.Header { return http.Header{"Content-Type": {contentType}} }

// docsHeader is the header of a part of the documentation.
func docsHeader(contentType string) http.Header {
	h := header(contentType + "; charset=utf-8")
	h.Set("Content-Security-Policy", docsPolicy)
	return h
}

// mustRender returns a function that panics if the OpenAPI document can't be encoded. The document is made of this
// program's own types.
func mustRender(render func() ([]byte, error)) func() []byte {
	return func() []byte {
		page, err := render()
		if err != nil {
			panic("docs: the OpenAPI document: " + err.Error())
		}
		return page
	}
}
