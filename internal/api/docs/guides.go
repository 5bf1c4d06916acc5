package docs

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"

	"github.com/casehook/casehook/internal/casetype"
)

//go:embed guides/*.md
var guideFiles embed.FS

//go:embed guide.html
var guideTemplate string

// guide is a page of prose in the documentation.
type guide struct {
	Name, Title string
	Body        template.HTML
	Sections    []guideSection
}

type guideSection struct{ ID, Title string }

// guideNames lists the guides in the order of reading.
var guideNames = []string{"definitions", "callbacks", "delivery"}

var guideHeading = regexp.MustCompile(`<h2 id="([^"]*)">(.*?)</h2>`)

// guides renders the guides. It panics on an invalid one: they are files of this package.
func guides() (all []guide) {
	markdown := goldmark.New(goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	for _, name := range guideNames {
		source, err := guideFiles.ReadFile("guides/" + name + ".md")
		if err != nil {
			panic("docs: the guides: " + err.Error())
		}
		source = bytes.ReplaceAll(source, []byte("{{reference}}"), []byte(definitionReference()))
		var b bytes.Buffer
		if err := markdown.Convert(source, &b); err != nil {
			panic("docs: the guides: " + err.Error())
		}
		first, _, _ := strings.Cut(string(source), "\n")
		g := guide{Name: name, Title: strings.TrimPrefix(first, "# "), Body: template.HTML(b.String())}
		for _, m := range guideHeading.FindAllStringSubmatch(b.String(), -1) {
			g.Sections = append(g.Sections, guideSection{m[1], m[2]})
		}
		all = append(all, g)
	}
	return all
}

// guidePage returns the page of a guide.
func guidePage(title, version string, g guide, all []guide) []byte {
	var b bytes.Buffer
	page := template.Must(template.New("guide").Parse(guideTemplate))
	err := page.Execute(&b, struct {
		Title, Version string
		Guide          guide
		Guides         []guide
	}{title, version, g, all})
	if err != nil {
		panic("docs: the guides: " + err.Error())
	}
	return b.Bytes()
}

// definitionPart is a part of the schema of definitions, with the keywords that the
// reference shows.
type definitionPart struct {
	Ref         string                    `json:"$ref"`
	Type        any                       `json:"type"`
	Description string                    `json:"description"`
	Default     any                       `json:"default"`
	Const       any                       `json:"const"`
	Enum        []any                     `json:"enum"`
	Pattern     string                    `json:"pattern"`
	Required    []string                  `json:"required"`
	Items       *definitionPart           `json:"items"`
	Properties  map[string]definitionPart `json:"properties"`
	OneOf       []definitionPart          `json:"oneOf"`
	AnyOf       []definitionPart          `json:"anyOf"`
	MaxLength   int                       `json:"maxLength"`
	MaxItems    int                       `json:"maxItems"`
	Minimum     *float64                  `json:"minimum"`
	Maximum     *float64                  `json:"maximum"`
	Parts       map[string]definitionPart `json:"$defs"`
}

// definitionReference returns a reference of every key of a definition, in Markdown. It is made from the schema that
// definitions are checked against.
func definitionReference() string {
	var root definitionPart
	if err := json.Unmarshal(casetype.Schema(), &root); err != nil {
		panic("docs: the schema of definitions: " + err.Error()) // it is our own
	}
	var b strings.Builder
	root.table(&b, root, "The definition")
	titles := map[string]string{
		"state": "A state", "transition": "A transition", "ask": "A callback (about_to_submit)",
		"asked":    "switch and delete",
		"document": "A document", "proof": "A kind of proof",
	}
	for _, name := range []string{"state", "transition", "ask", "asked", "document", "proof"} {
		root.Parts[name].table(&b, root, titles[name])
	}
	return b.String()
}

func (p definitionPart) table(b *strings.Builder, root definitionPart, title string) {
	fmt.Fprintf(b, "### %s\n\n| key | value | default | meaning |\n|---|---|---|---|\n", title)
	p.rows(b, root, "")
	b.WriteString("\n")
}

func (p definitionPart) rows(b *strings.Builder, root definitionPart, under string) {
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		part := p.Properties[name]
		absent := ""
		if part.Default != nil {
			absent = "`" + compact(part.Default) + "`"
		} else if slices.Contains(p.Required, name) {
			absent = "required"
		}
		fmt.Fprintf(b, "| `%s%s` | %s | %s | %s |\n", under, name, inCell(part.bounds(root)), absent,
			inCell(part.Description))
		for _, inner := range append([]definitionPart{part}, append(part.OneOf, part.AnyOf...)...) {
			inner.rows(b, root, under+name+".")
		}
	}
}

// bounds describes the values that a part may have.
func (p definitionPart) bounds(root definitionPart) string {
	if name, ok := strings.CutPrefix(p.Ref, "#/$defs/"); ok {
		switch name {
		case "key", "name", "color", "roles", "classification", "duration":
			return root.Parts[name].bounds(root)
		}
		return map[string]string{"ask": "a callback", "asked": "`{about_to_submit: ...}`"}[name]
	}
	var says []string
	for _, either := range append(p.OneOf, p.AnyOf...) {
		says = append(says, either.bounds(root))
	}
	if len(says) > 0 {
		return strings.Join(says, ", or ")
	}
	ofObjects := func(items string) bool { return root.Parts[strings.TrimPrefix(items, "#/$defs/")].Properties != nil }
	switch {
	case p.Items != nil && p.Items.Ref != "" && ofObjects(p.Items.Ref):
		says = append(says, "a list of these: see below")
	case p.Items != nil:
		says = append(says, "a list of: "+p.Items.bounds(root))
	case len(p.Enum) > 0:
		for _, one := range p.Enum {
			says = append(says, "`"+fmt.Sprint(one)+"`")
		}
		return strings.Join(says, " ")
	case p.Const != nil:
		return "`" + fmt.Sprint(p.Const) + "`"
	case p.Type == "string":
		says = append(says, "a text")
	case p.Type == "integer":
		says = append(says, "a whole number")
	case p.Type == "boolean":
		says = append(says, "`true` or `false`")
	default:
		says = append(says, "an object")
	}
	if p.Pattern != "" {
		says = append(says, "like `"+p.Pattern+"`")
	}
	if p.MaxLength > 0 {
		says = append(says, fmt.Sprintf("at most %d characters", p.MaxLength))
	}
	if p.MaxItems > 0 {
		says = append(says, fmt.Sprintf("at most %d", p.MaxItems))
	}
	if p.Minimum != nil && p.Maximum != nil {
		says = append(says, fmt.Sprintf("%v to %v", *p.Minimum, *p.Maximum))
	}
	return strings.Join(says, ", ")
}

func compact(v any) string {
	return strings.Trim(jsonText(v, ""), `"`)
}

// inCell escapes a text for a cell of a table.
func inCell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text)
}
