package cases

import (
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/casehook/casehook/internal/web/ui"
)

// shownValue is a field with its value, as it is read.
type shownValue struct{ Title, Class, Text string }

// values returns the fields of a case that have a value.
func (c casePage) values() (all []shownValue) {
	for _, f := range c.Shown {
		all = append(all, f.values("")...)
	}
	return all
}

// values returns what a field shows, its parts as fields of their own.
func (f formField) values(prefix string) (all []shownValue) {
	title := prefix + f.Title
	switch {
	case len(f.Parts) > 0:
		for _, part := range f.Parts {
			all = append(all, part.values(title+": ")...)
		}
	case len(f.Items) > 0:
		var texts []string
		for _, item := range f.Items {
			if item.Value != "" {
				texts = append(texts, item.word(item.Value))
				continue
			}
			for _, v := range item.values("") {
				texts = append(texts, v.Text)
			}
		}
		all = append(all, shownValue{title, f.Class, strings.Join(texts, ", ")})
	case len(f.Chosen) > 0:
		words := make([]string, len(f.Chosen))
		for i, code := range f.Chosen {
			words[i] = f.word(code)
		}
		all = append(all, shownValue{title, f.Class, strings.Join(words, ", ")})
	case f.Value != "":
		all = append(all, shownValue{title, f.Class, f.word(f.Value)})
	}
	return all
}

// proofCount says how many of the proofs there are.
func (c casePage) proofCount() string {
	have := 0
	for _, p := range c.Proofs {
		if len(p.Files) > 0 {
			have++
		}
	}
	return ui.Number(have) + " of " + ui.Number(len(c.Proofs))
}

// firstMissing returns the first proof of which the case has no file.
func (c casePage) firstMissing() string {
	for _, p := range c.Proofs {
		if len(p.Files) == 0 {
			return p.Key
		}
	}
	return ""
}

func has(all []string, one string) bool { return slices.Contains(all, one) }

// warned is the sentence about a callback's warnings, for someone who has a button to continue.
func warned(detail string) string {
	before, _, _ := strings.Cut(detail, "; submit again")
	return before + "."
}

// anchor is the id of a commit in a timeline; a refused submission has none.
func (e timelineEvent) anchor() templ.Attributes {
	if e.Version == 0 {
		return nil
	}
	return templ.Attributes{"id": "v" + strconv.FormatInt(e.Version, 10)}
}
