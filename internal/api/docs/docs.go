package docs

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/wire"
)

// docsPolicy restricts the pages of the documentation. They load only their style and
// their search, from this server, and can be read without either.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; form-action " +
	"'none'; frame-ancestors 'none'"

//go:embed docs.html
var docsTemplate string

//go:embed docs.css
var style []byte

//go:embed search.js
var search []byte

type docsPage struct {
	Title, Version, Description string
	Groups                      []docsGroup
	Webhooks                    []docsWebhook
	Questions                   []docsQuestion // to callbacks
	Schemas                     []docsSchema
	Guides                      []guide
	Problems                    []rest.Code
}

type docsGroup struct {
	Name, Anchor, Description string
	Operations                []docsOperation
}

type docsOperation struct {
	ID, Method, Path, Summary, Description string
	Open                                   bool // needs no token
	Parameters                             []docsField
	Bodies, Successes, Errors              []docsBody
	Curl, Answer, AnswerStatus             string // examples
}

type docsBody struct {
	Status, Description, ContentType string
	Type                             docsType
	Fields                           []docsField
}

type docsField struct {
	Name, In, Description, Example string
	Required                       bool
	Type                           docsType
}

// docsType is a type in words. Ref is the schema that it refers to, if any.
type docsType struct{ Before, Ref, After string }

type docsSchema struct {
	Name   string
	Fields []docsField
}

// documentation returns the page.
func documentation(o *huma.OpenAPI, webhooks []trigger) []byte {
	page := docsPage{
		Title: o.Info.Title, Version: o.Info.Version, Description: o.Info.Description,
		Webhooks: docsWebhooks(webhooks), Guides: guides(),
	}
	for _, c := range rest.Codes() {
		shown := rest.Code{Code: c.Code, Statuses: c.Statuses}
		for _, detail := range c.Details {
			shown.Details = append(shown.Details, verbs.Replace(detail))
		}
		page.Problems = append(page.Problems, shown)
	}
	examples := samples{o.Components.Schemas}
	for _, asked := range wire.Questions(o.Info.Version) {
		page.Questions = append(page.Questions, docsQuestionOf(asked))
	}
	for _, tag := range o.Tags {
		group := docsGroup{Name: tag.Name, Anchor: strings.ReplaceAll(tag.Name, " ", "-"), Description: tag.Description}
		for _, op := range rest.Operations(o) {
			if slices.Contains(op.Tags, tag.Name) {
				shown := docsOf(op)
				shown.Curl = examples.curl(op)
				shown.AnswerStatus, shown.Answer = examples.answer(op)
				group.Operations = append(group.Operations, shown)
			}
		}
		page.Groups = append(page.Groups, group)
	}
	schemas := o.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		page.Schemas = append(page.Schemas, docsSchema{Name: name, Fields: docsFields(schemas[name])})
	}
	var b bytes.Buffer
	if err := template.Must(template.New("docs").Parse(docsTemplate)).Execute(&b, page); err != nil {
		panic("docs: the documentation: " + err.Error())
	}
	return b.Bytes()
}

// verbs replaces the verbs of a format string.
var verbs = strings.NewReplacer("%q", "…", "%s", "…", "%d", "…", "%v", "…", "%%", "%")

func docsOf(op *huma.Operation) docsOperation {
	out := docsOperation{
		ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description,
		Open: len(op.Security) == 0,
	}
	for _, p := range op.Parameters {
		out.Parameters = append(out.Parameters, docsField{
			Name: p.Name, In: p.In, Required: p.Required, Type: typeOf(p.Schema),
			Description: cmp.Or(p.Description, p.Schema.Description),
			Example:     strings.Join(parameterValues(p), ", "),
		})
	}
	if op.RequestBody != nil {
		out.Bodies = docsBodies("", "", op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := op.Responses[status]
		bodies := docsBodies(status, response.Description, response.Content)
		if len(bodies) == 0 {
			bodies = []docsBody{{Status: status, Description: response.Description}}
		}
		if status < "400" {
			out.Successes = append(out.Successes, bodies...)
		} else {
			out.Errors = append(out.Errors, bodies...)
		}
	}
	return out
}

// searchEntry is an entry of the search.
type searchEntry struct {
	Title string `json:"title"`
	Kind  string `json:"kind"`
	Href  string `json:"href"`
	Words string `json:"words"`
}

// searchIndex returns the script of the search, which begins with its entries.
func searchIndex(o *huma.OpenAPI, webhooks []trigger) []byte {
	var all []searchEntry
	for _, g := range guides() {
		all = append(all, searchEntry{g.Title, "guide", "/docs/" + g.Name, g.Name})
		for _, s := range g.Sections {
			all = append(all,
				searchEntry{html.UnescapeString(s.Title), "guide", "/docs/" + g.Name + "#" + s.ID, g.Name})
		}
	}
	for _, op := range rest.Operations(o) {
		all = append(all, searchEntry{op.Summary, op.Method, "/docs#" + op.OperationID, op.OperationID + " " + op.Path})
	}
	for _, t := range webhooks {
		all = append(all, searchEntry{t.Name, "webhook", "/docs#webhook-" + t.Name, t.Description})
	}
	for _, c := range rest.Codes() {
		all = append(all, searchEntry{c.Code, "problem", "/docs#problem-" + c.Code, strings.Join(c.Details, " ")})
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic("docs: the documentation: " + err.Error())
	}
	return slices.Concat([]byte("const index = "), raw, []byte(";\n"), search)
}

func docsBodies(status, description string, content map[string]*huma.MediaType) []docsBody {
	var all []docsBody
	for _, contentType := range slices.Sorted(maps.Keys(content)) {
		schema := content[contentType].Schema
		all = append(all, docsBody{Status: status, Description: description, ContentType: contentType,
			Type: typeOf(schema), Fields: docsFields(schema)})
	}
	return all
}

func docsFields(s *huma.Schema) []docsField {
	var all []docsField
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name]
		all = append(all, docsField{
			Name: name, Required: slices.Contains(s.Required, name), Type: typeOf(p),
			Description: p.Description, Example: exampleOf(nil, p),
		})
	}
	return all
}

func exampleOf(example any, s *huma.Schema) string {
	if example == nil && len(s.Examples) > 0 {
		example = s.Examples[0]
	}
	switch example := example.(type) {
	case nil:
		return ""
	case string:
		return example
	}
	return jsonText(example, "")
}

// parameterValues returns the example of a parameter as it is written in a URL. A list has its items between commas,
// unless the parameter is repeated for each.
func parameterValues(p *huma.Param) []string {
	example := p.Example
	if example == nil && len(p.Schema.Examples) > 0 {
		example = p.Schema.Examples[0]
	}
	items, isList := example.([]any)
	if !isList {
		return []string{exampleOf(example, p.Schema)}
	}
	values := make([]string, len(items))
	for i, item := range items {
		values[i] = fmt.Sprint(item)
	}
	if p.Explode != nil && *p.Explode {
		return values
	}
	return []string{strings.Join(values, ",")}
}

// jsonText returns a value as JSON for people, or "" if it has none.
func jsonText(v any, indent string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

func typeOf(s *huma.Schema) docsType {
	switch {
	case s.Ref != "":
		return docsType{Ref: s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]}
	case s.Type == huma.TypeArray:
		inner := typeOf(s.Items)
		return docsType{Before: "list of " + inner.Before, Ref: inner.Ref, After: inner.After}
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, word := range s.Enum {
			words[i] = fmt.Sprint(word)
		}
		return docsType{Before: strings.Join(words, " | ") + nullable(s)}
	case s.Format != "":
		return docsType{Before: s.Type + " (" + s.Format + ")" + nullable(s)}
	}
	return docsType{Before: cmp.Or(s.Type, "any value") + nullable(s)}
}

func nullable(s *huma.Schema) string {
	if s.Nullable {
		return " or null"
	}
	return ""
}
