package ui

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A component that other packages may use has a place in the gallery.
func TestTheGalleryShowsEveryComponent(t *testing.T) {
	t.Parallel()
	gallery, err := os.ReadFile("gallery.templ")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatal(err)
	}
	exported := regexp.MustCompile(`(?m)^templ ([A-Z]\w*)\(`)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, component := range exported.FindAllStringSubmatch(string(source), -1) {
			found++
			if !strings.Contains(string(gallery), "@"+component[1]+"(") {
				t.Errorf("gallery.templ does not show %s of %s", component[1], file)
			}
		}
	}
	if found < 16 {
		t.Errorf("only %d components were found", found)
	}
}
