package casetype_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/casetype"
)

const withDocuments = `
key: filed
document_urls: [DOCUMENT_URLS]
fields:
  type: object
  properties:
    proof: { x-casehook-type: document }
    scans: { type: array, items: { $ref: "#/$defs/scan" } }
    parts: { x-casehook-type: collection, items: { allOf: [{ $ref: "#/$defs/part" }] } }
    maybe: { anyOf: [{ type: "null" }, { $ref: "#/$defs/scan" }] }
    named: { type: object, additionalProperties: { x-casehook-type: document } }
    note: { type: object, properties: { document_url: { type: string } } }
  $defs:
    scan: { x-casehook-type: document }
    part: { type: object, properties: { "a/b": { $ref: "#/$defs/scan" } } }
states: [{ key: open }]
transitions: [{ key: open, to: open }]
`

func typeWithDocuments(t *testing.T, urls string) *casetype.Type {
	t.Helper()
	ct, err := casetype.Parse("filed.yaml", []byte(strings.Replace(withDocuments, "DOCUMENT_URLS", urls, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return ct
}

func TestEveryDocumentInTheDataIsFound(t *testing.T) {
	ct := typeWithDocuments(t, "")
	const raw = `{"proof": {"document_url": "1"}, "scans": [{"document_url": "2"}, null, "x"],
		"parts": [{"value": {"a/b": {"document_url": "3"}}}], "maybe": {"document_url": "5"},
		"named": {"x": {"document_url": "6"}}, "note": {"document_url": "4"}, "unknown": {}}`
	data, err := casetype.Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	edited := ct.EditDocuments(casetype.Budget(t.Context()), data, "/data",
		func(path string, d map[string]any) (map[string]any, bool) {
			found = append(found, fmt.Sprint(path, " ", d["document_url"]))
			return map[string]any{"document_url": "new"}, d["document_url"] != "2"
		})
	slices.Sort(found)
	want := []string{
		"/data/maybe 5", "/data/named/x 6", "/data/parts/0/value/a~1b 3", "/data/proof 1", "/data/scans/0 2",
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("found (-want +got):\n%s", diff)
	}
	wanted, err := casetype.Decode([]byte(strings.NewReplacer(`"1"`, `"new"`, `"3"`, `"new"`, `"5"`, `"new"`,
		`"6"`, `"new"`).Replace(raw)))
	if err != nil || !casetype.Equal(edited, wanted) {
		t.Errorf("edited, it is %v, %v", edited, err)
	}
	if kept, _ := casetype.Encode(data); strings.Contains(string(kept), "new") {
		t.Error("the data that are given were changed")
	}
}

func TestDocumentsElsewhereBeginWithAnAllowedPrefix(t *testing.T) {
	const listed = "HTTPS://DM.example:443/documents/, https://other.example"
	for urls, all := range map[string]map[string]bool{
		"": {"https://dm.example/": false},
		listed: {
			"https://dm.example/documents/1": true, "https://dm.example/documents/a/../1": true,
			"https://other.example/1": true, "https://OTHER.example/1": true,
			"https://dm.example/documents/../1": false, "https://dm.example/documents/%2e%2e/1": false,
			"https://other.example.evil.example/": false, "https://other.example@evil.example/": false,
			"http://other.example/": false, "https://other.example:8443/": false,
			`https://other.example\@evil.example/`: false, "//other.example/": false, "": false,
		},
		"'http://', 'https://'": {
			"http://dm/documents/1": true, "https://dm/1": true, "ftp://dm/1": false, "http://": false,
		},
	} {
		ct := typeWithDocuments(t, urls)
		for url, allowed := range all {
			if ct.AllowsDocument(url) != allowed {
				t.Errorf("%s with [%s]: %v", url, urls, !allowed)
			}
		}
	}
	for _, wrong := range []string{
		"dm.example", "'https://', 'https://dm.example/?x'", "'https://a:b@dm.example/'", "'https:'",
	} {
		_, err := casetype.Parse("filed.yaml", []byte(strings.Replace(withDocuments, "DOCUMENT_URLS", wrong, 1)))
		if err == nil || !strings.Contains(err.Error(), "/document_urls/") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
