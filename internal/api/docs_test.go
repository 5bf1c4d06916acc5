package api_test

import (
	"regexp"
	"strings"
	"testing"
)

// The documentation needs nobody else: no script, no font, no image from anywhere.
func TestTheDocumentationWorksOffline(t *testing.T) {
	t.Parallel()
	w := start(t)
	g := w.get("/docs", "Authorization", "").is(200, "")
	if policy := g.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'self';") {
		t.Errorf("its policy is %s", policy)
	}
	page := string(g.body)
	for _, m := range regexp.MustCompile(`(?i)\b(?:src|href|action|srcset|data)\s*=\s*["']?([^"'\s>]*)`).FindAllStringSubmatch(page, -1) {
		target, isAnchor := strings.CutPrefix(m[1], "#")
		switch {
		case isAnchor && !strings.Contains(page, `id="`+target+`"`):
			t.Errorf("%s leads nowhere", m[0])
		case !isAnchor && !strings.HasPrefix(target, "/"):
			t.Errorf("%s leads outside", m[0])
		case !isAnchor:
			w.get(target, "Authorization", "").is(200, "")
		}
	}
	for _, bad := range []string{"<script", "style=", "onclick", "ZgotmplZ", "{{", "&lt;nil"} {
		if strings.Contains(page, bad) {
			t.Errorf("it has %s", bad)
		}
	}
	for _, bad := range []string{"url(", "@import", "://"} {
		if strings.Contains(string(w.get("/docs/style.css").is(200, "").body), bad) {
			t.Errorf("its style has %s", bad)
		}
	}
	for _, d := range w.operations() {
		if !strings.Contains(page, `<article id="`+d.id+`">`) {
			t.Errorf("%s is not in it", d.id)
		}
	}
}
