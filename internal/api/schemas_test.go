package api_test

import (
	"bytes"
	"testing"

	"github.com/casehook/casehook/internal/schemas"
)

// Editors load schemas without a token, and ask whether they have changed.
func TestTheSchemasOfFilesArePublicAndCacheable(t *testing.T) {
	t.Parallel()
	w := start(t)
	for _, name := range schemas.Names() {
		path := "/schemas/" + name + ".json"
		g := w.get(path, "Authorization", "").is(200, "")
		etag := g.header.Get("ETag")
		if !bytes.Equal(g.body, schemas.Of(name)) || etag == "" ||
			g.header.Get("Content-Type") != "application/schema+json" {
			t.Errorf("%s: %v", path, g.header)
		}
		if g.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s is not asked about again: %v", path, g.header)
		}
		again := w.get(path, "Authorization", "", "If-None-Match", `"other", `+etag).is(304, "")
		if len(again.body) > 0 {
			t.Errorf("%s: %s", path, again.body)
		}
		w.get(path, "Authorization", "", "If-None-Match", `W/"other"`).is(200, "")
	}
	if schemas.Of("unheard-of") != nil {
		t.Error("there is a schema that is not listed")
	}
}
