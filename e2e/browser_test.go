//go:build unix

package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a page of a real browser.
type browser struct {
	t   *testing.T
	ctx context.Context
	url string // of the server

	mu       sync.Mutex
	failures []string // of scripts and policies
}

// openBrowser starts Chromium for the pages of a server. The test fails if a script does, or if a page asks for
// what its policy forbids.
func openBrowser(t *testing.T, url string, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	path := chromium(t)
	profile, err := os.MkdirTemp("", "casehook-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, url: url}
	t.Cleanup(func() {
		chromedp.FromContext(b.ctx).Allocator.Wait()
		os.RemoveAll(profile) // a helper process of Chromium may still write there, which is no failure
	})
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), append(options, flags...)...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 10*time.Minute)
	t.Cleanup(cancel)
	b.ctx = ctx
	chromedp.ListenTarget(ctx, b.note)
	b.run(cdplog.Enable(), emulation.SetDeviceMetricsOverride(1280, 800, 1, false))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, failure := range b.failures {
			t.Error(failure)
		}
	})
	return b
}

// chromium finds the browser that .ci/need installs.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium: install it, or run .ci/need")
	return ""
}

// note keeps the failures of scripts, and violations of the pages' policy.
func (b *browser) note(event any) {
	var failure string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		failure = e.ExceptionDetails.Error()
	case *cdplog.EventEntryAdded:
		if strings.Contains(e.Entry.Text, "Content Security Policy") {
			failure = e.Entry.Text
		}
	}
	if failure != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.failures = append(b.failures, failure)
	}
}

func (b *browser) run(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v\n%s", err, b.text())
	}
}

// text returns the text of the page.
func (b *browser) text() (text string) {
	chromedp.Run(b.ctx, chromedp.Evaluate(`document.body ? document.body.innerText : ""`, &text)) // "" if it is gone
	return text
}

func (b *browser) open(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.url + path))
}

// fill enters a text into the field with an id, as keys.
func (b *browser) fill(id, text string) {
	b.t.Helper()
	field := "document.getElementById(" + quote(id) + ")"
	b.wait("the field "+id, field)
	b.run(chromedp.Evaluate(field+`.value = ""`, nil), chromedp.SendKeys(field, text, chromedp.ByJSPath))
}

// choose chooses an option of the list with an id.
func (b *browser) choose(id, value string) {
	b.t.Helper()
	b.run(chromedp.SetValue("document.getElementById("+quote(id)+")", value, chromedp.ByJSPath))
}

// press presses the button or link with a text.
func (b *browser) press(text string) {
	b.t.Helper()
	found := fmt.Sprintf(`[...document.querySelectorAll("dialog[open] button, button, a")].find((e) =>
		e.checkVisibility() && e.innerText.trim().startsWith(%s))`, quote(text))
	b.wait("the button "+text, found+" !== undefined")
	b.run(chromedp.Click(found, chromedp.ByJSPath))
}

// keys presses keys, one after the other.
func (b *browser) keys(keys ...string) {
	b.t.Helper()
	for _, key := range keys {
		b.wait("the page", "document.readyState === 'complete'")
		b.run(chromedp.KeyEvent(key))
	}
}

// sees waits until the page shows texts.
func (b *browser) sees(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.wait(fmt.Sprintf("the text %q", text), "document.body.innerText.includes("+quote(text)+")")
	}
}

// at waits until the browser is at a path.
func (b *browser) at(path string) {
	b.t.Helper()
	b.wait("the page "+path, "location.pathname === "+quote(path)+" && document.readyState === 'complete'")
}

// wait waits until an expression is true.
func (b *browser) wait(what, expression string) {
	b.t.Helper()
	last := time.Now().Add(time.Minute) // beside all other tests
	for {
		var ok bool
		err := chromedp.Run(b.ctx, chromedp.Evaluate("!!("+expression+")", &ok))
		if err == nil && ok {
			return
		}
		if time.Now().After(last) {
			var at string
			chromedp.Run(b.ctx, chromedp.Location(&at)) // "" if it is gone
			b.t.Fatalf("%s does not come at %s (%v):\n%s", what, at, err, b.text())
		}
		b.run(chromedp.Sleep(30 * time.Millisecond))
	}
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string can be encoded
	}
	return string(quoted)
}

// axe returns the script that checks whether everybody can use a page.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "casehook-axe-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, os.DirFS("testdata/axe")); err != nil {
		return "", err
	}
	cmd := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "node_modules/axe-core/axe.min.js"))
	return string(text), err
})

// accessible fails the test if axe finds that somebody can't use the page, or if it is wider than the window.
func (b *browser) accessible(name string) {
	b.t.Helper()
	script, err := axe()
	if err != nil {
		b.t.Fatal(err)
	}
	var violations []string
	var width [2]int
	b.run(chromedp.Evaluate("if (!window.axe) {\n"+script+"\n}", nil),
		chromedp.Evaluate(`axe.run({resultTypes: ["violations"]}).then((r) => r.violations.flatMap((v) =>
			v.nodes.map((n) => v.id + ": " + v.help + ": " + n.target.join(" ") + " " + n.failureSummary)))`,
			&violations, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }),
		chromedp.Evaluate(`[document.documentElement.scrollWidth, innerWidth]`, &width))
	for _, v := range violations {
		b.t.Errorf("%s: %s", name, v)
	}
	if width[0] > width[1] {
		b.t.Errorf("%s is %d pixels wide, in a window of %d", name, width[0], width[1])
	}
}

// accessibleAt checks pages in a wide window and in a narrow one.
func (b *browser) accessibleAt(pages ...string) {
	b.t.Helper()
	for _, page := range pages {
		b.open(page)
		b.window(1280, "light") // a theme changes no width
		b.accessible(page + " at 1280, light")
		b.window(390, "dark")
		b.accessible(page + " at 390, dark")
	}
}

// window changes the window's width and the theme.
func (b *browser) window(width int64, theme string) {
	b.t.Helper()
	b.run(emulation.SetDeviceMetricsOverride(width, 844, 1, width < 500),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: theme},
		}))
}
