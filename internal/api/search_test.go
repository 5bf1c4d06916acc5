package api_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// The search knows each operation, trigger, problem and guide, and each entry leads to a
// place that exists.
func TestTheSearchLeadsToAllThatIsDocumented(t *testing.T) {
	t.Parallel()
	w := start(t)
	script := string(w.get("/docs/search.js", "Authorization", "").is(200, "").body)
	list, code, ok := strings.Cut(strings.TrimPrefix(script, "const index = "), ";\n")
	var index []struct{ Title, Kind, Href string }
	if err := json.Unmarshal([]byte(list), &index); err != nil || !ok {
		t.Fatalf("the index can't be read: %v", err)
	}
	pages, kinds, hrefs := map[string]string{}, map[string]int{}, map[string]bool{}
	for _, entry := range index {
		path, anchor, anchored := strings.Cut(entry.Href, "#")
		if pages[path] == "" {
			pages[path] = string(w.get(path, "Authorization", "").is(200, "").body)
		}
		if entry.Title == "" || anchored && !strings.Contains(pages[path], `id="`+anchor+`"`) {
			t.Errorf("%+v leads nowhere", entry)
		}
		kinds[entry.Kind]++
		hrefs[entry.Href] = true
	}
	for _, d := range w.operations() {
		if !hrefs["/docs#"+d.id] {
			t.Errorf("%s is not found", d.id)
		}
	}
	if kinds["webhook"] == 0 || kinds["problem"] < 100 || kinds["guide"] < 2*len(guidePages) {
		t.Errorf("there are %v", kinds)
	}
	w.searches(list, code)
}

// searches runs the search in a stub of a page.
func (w *world) searches(list, code string) {
	w.t.Helper()
	const page = `
const element = () => ({ children: [], handlers: {}, append(...c) { this.children.push(...c) }, setAttribute() {},
  replaceChildren(...c) { this.children = c }, querySelector() { return null },
  addEventListener(name, handler) { this.handlers[name] = handler } });
const place = element();
globalThis.document = { getElementById: () => place, createElement: element, addEventListener() {} };
`
	const ask = `
const [input, list] = place.children;
for (const words of ["create case", "CREATE  case", "case.version_conflict", "claim.closed", "nonsense that is not there", ""]) {
  input.value = words;
  input.handlers.input();
  const first = list.children[0];
  console.log(first === undefined ? "" : first.children.length ? first.children[0].href : first.textContent);
}
`
	source := page + "const index = " + list + ";\n" + code + ask
	node := exec.CommandContext(w.t.Context(), "node", "-")
	node.Stdin = strings.NewReader(source)
	out, err := node.CombinedOutput()
	want := "/docs#create-case\n/docs#create-case\n/docs#problem-case.version_conflict\n/docs#webhook-claim.closed\nNothing is found.\n\n"
	if err != nil || string(out) != want {
		w.t.Errorf("it finds\n%s%v\nwant\n%s", fmt.Sprintf("%.2000s", out), err, want)
	}
}
