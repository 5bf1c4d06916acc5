package schema

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// maxPatternSizes bounds all patterns of a schema together, in bytes.
const maxPatternSizes = 4 << 20

// ErrPatterns is the error of a schema whose patterns are too large together.
var ErrPatterns = errors.New("has patterns that are too large together; repeat less, or limit lengths with minLength " +
	"and maxLength")

// Source is the input of [Compile].
type Source struct {
	Document any            // a JSON value
	Others   map[string]any // further documents that it may refer to, by URL

	Forms map[string]*Form // by name

	Trusted bool // it was compiled before, by earlier rules: its size is not bounded
	Blank   bool // null, "" and {} are valid for every part of a value
}

// Compile compiles a schema that is valid by the metaschema. References have to
// lead somewhere.
func Compile(b *Budget, source Source) (*Schema, error) {
	c := compiler{Source: source, budget: b, known: map[uintptr]*node{}, straight: map[*node]bool{}}
	root, err := c.node(source.Document, source.Document)
	if err != nil {
		return nil, err
	}
	for _, n := range c.known {
		if circular(n, map[*node]bool{}, c.straight) {
			return nil, ErrCircular
		}
	}
	return &Schema{root, source.Blank}, nil
}

// ErrCircular is the error of a schema that refers to itself for the same value.
var ErrCircular = errors.New("refers to itself for the same value")

// circular reports whether a schema leads back to one that is under way, without going into a part of the value.
// Schemas that do not are added to straight.
func circular(n *node, underway, straight map[*node]bool) bool {
	if straight[n] {
		return false
	}
	if underway[n] {
		return true
	}
	underway[n] = true
	for _, next := range n.inPlace() {
		if circular(next, underway, straight) {
			return true
		}
	}
	delete(underway, n)
	straight[n] = true
	return false
}

type compiler struct {
	Source
	budget *Budget
	known  map[uintptr]*node // by the object it was made of: every object of a document is one schema
	sizes  int               // of the patterns
	err    error             // the first

	straight map[*node]bool // schemas that don't refer to themselves for the same value
}

// node compiles the schema v, which is part of the document doc.
func (c *compiler) node(v, doc any) (*node, error) {
	n := c.part(v, doc)
	return n, c.err
}

// part compiles the schema v, or returns its node if it was compiled before. After an error its result is
// not used.
func (c *compiler) part(v, doc any) *node {
	if c.err == nil {
		c.err = c.budget.Spend(20)
	}
	object, isObject := v.(map[string]any)
	if c.err != nil || !isObject {
		if b, isBool := v.(bool); !isBool && !isObject {
			c.fail(errNotSchema)
		} else if isBool {
			return &node{never: !b}
		}
		return &node{}
	}
	at := reflect.ValueOf(object).Pointer()
	if n, known := c.known[at]; known {
		return n
	}
	n := &node{}
	c.known[at] = n
	s := source{c, object, doc}
	s.fill(n)
	return n
}

func (c *compiler) fail(err error) {
	if c.err == nil && err != nil {
		c.err = err
	}
}

// source is an object that is being compiled.
type source struct {
	compiler *compiler
	object   map[string]any
	doc      any
}

func (s source) fill(n *node) {
	n.types = s.types()
	if value, ok := s.object["const"]; ok {
		n.constant = newValues([]any{value})
	}
	if all, ok := s.object["enum"].([]any); ok {
		s.compiler.fail(s.compiler.budget.Spend(8 * len(all)))
		n.enum = newValues(all)
	}
	if name, ok := s.object["format"].(string); ok {
		n.format = formats()[name]
	}
	n.form = s.form()
	n.ref = s.reference()
	n.object, n.list, n.text, n.number, n.branches = s.objects(), s.lists(), s.texts(), s.numbers(), s.forms()
	n.openNames, n.openItems = s.one("unevaluatedProperties"), s.one("unevaluatedItems")
}

func (s source) types() kinds {
	switch types := s.object["type"].(type) {
	case string:
		return kindsByName[types]
	case []any:
		var all kinds
		for _, name := range types {
			name, _ := name.(string)
			all |= kindsByName[name]
		}
		return all
	}
	return 0
}

// has reports whether the schema has one of the keywords.
func (s source) has(keywords ...string) bool {
	return slices.ContainsFunc(keywords, func(keyword string) bool { return s.object[keyword] != nil })
}

func (s source) one(keyword string) *node {
	v, ok := s.object[keyword]
	if !ok {
		return nil
	}
	return s.compiler.part(v, s.doc)
}

func (s source) many(keyword string) []*node {
	all, _ := s.object[keyword].([]any)
	var nodes []*node
	for _, v := range all {
		nodes = append(nodes, s.compiler.part(v, s.doc))
	}
	return nodes
}

func (s source) members(keyword string) map[string]any {
	members, _ := s.object[keyword].(map[string]any)
	return members
}

// count returns the number at a keyword, or absent.
func (s source) count(keyword string, absent int) int {
	v := s.object[keyword]
	if kindOf(v) != number {
		return absent
	}
	n := numberOf(v)
	if n.negative || !n.isInteger() {
		return absent
	}
	if int64(len(n.digits))+n.exponent > 9 {
		return math.MaxInt32 // more than there can be
	}
	count, _ := strconv.Atoi(n.digits)
	for range n.exponent {
		count *= 10
	}
	return count
}

func (s source) objects() *objectRules {
	if !s.has("minProperties", "maxProperties", "required", "properties", "patternProperties", "additionalProperties",
		"propertyNames", "dependentRequired", "dependentSchemas") {
		return nil
	}
	r := &objectRules{
		least: s.count("minProperties", 0), most: s.count("maxProperties", -1), required: names(s.object["required"]),
		additional: s.one("additionalProperties"), names: s.one("propertyNames"),
	}
	if properties := s.members("properties"); properties != nil {
		r.properties = make(map[string]*node, len(properties))
		for name, v := range properties {
			r.properties[name] = s.compiler.part(v, s.doc)
		}
	}
	for _, source := range sorted(s.members("patternProperties")) {
		r.patterns = append(r.patterns,
			patternRule{s.pattern(source), s.compiler.part(s.members("patternProperties")[source], s.doc)})
	}
	for _, name := range sorted(s.members("dependentRequired")) {
		r.needs = append(r.needs, dependency{name, names(s.members("dependentRequired")[name])})
	}
	for _, name := range sorted(s.members("dependentSchemas")) {
		dependent := s.compiler.part(s.members("dependentSchemas")[name], s.doc)
		r.conditionals = append(r.conditionals, condition{name, dependent})
	}
	return r
}

func sorted(members map[string]any) []string { return slices.Sorted(maps.Keys(members)) }

func names(v any) []string {
	all, _ := v.([]any)
	var names []string
	for _, name := range all {
		if name, ok := name.(string); ok {
			names = append(names, name)
		}
	}
	return names
}

func (s source) lists() *listRules {
	if !s.has("minItems", "maxItems", "uniqueItems", "prefixItems", "items", "contains", IDsKeyword) {
		return nil
	}
	return &listRules{
		least: s.count("minItems", 0), most: s.count("maxItems", -1), unique: s.object["uniqueItems"] == true,
		ids:   s.object[IDsKeyword] == true,
		first: s.many("prefixItems"), rest: s.one("items"),
		contains: s.one("contains"), leastMatches: s.count("minContains", -1), mostMatches: s.count("maxContains", -1),
	}
}

func (s source) texts() *textRules {
	if !s.has("minLength", "maxLength", "pattern") {
		return nil
	}
	r := &textRules{least: s.count("minLength", 0), most: s.count("maxLength", -1)}
	if pattern, ok := s.object["pattern"].(string); ok {
		r.pattern = s.pattern(pattern)
	}
	return r
}

func (s source) numbers() *numberRules {
	if !s.has("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf") {
		return nil
	}
	return &numberRules{
		minimum: newLimit(s.object["minimum"]), maximum: newLimit(s.object["maximum"]),
		above: newLimit(s.object["exclusiveMinimum"]), below: newLimit(s.object["exclusiveMaximum"]),
		multiple: newLimit(s.object["multipleOf"]),
	}
}

func (s source) forms() *branches {
	if !s.has("not", "if", "allOf", "anyOf", "oneOf") {
		return nil
	}
	b := &branches{
		not: s.one("not"), when: s.one("if"), all: s.many("allOf"), any: s.many("anyOf"), one: s.many("oneOf"),
	}
	if b.when != nil {
		b.then, b.otherwise = s.one("then"), s.one("else")
	}
	return b
}

func (s source) pattern(source string) *Pattern {
	if s.compiler.err != nil {
		return nil
	}
	p, err := CompilePattern(s.compiler.budget, source)
	if err != nil {
		s.compiler.fail(fmt.Errorf("the pattern %.200q: %w", source, err))
		return nil
	}
	if s.compiler.sizes += p.size; s.compiler.sizes > maxPatternSizes && !s.compiler.Trusted {
		s.compiler.fail(ErrPatterns)
	}
	return p
}

// reference compiles the schema that $ref leads to.
func (s source) reference() *node {
	ref, ok := s.object["$ref"].(string)
	if !ok || s.compiler.err != nil {
		return nil
	}
	url, at, _ := strings.Cut(ref, "#")
	doc := s.doc
	if url != "" {
		if doc, ok = s.compiler.Others[url]; !ok {
			s.compiler.fail(fmt.Errorf("refers to %.200s, and nothing outside is loaded", url))
			return nil
		}
	}
	s.compiler.fail(s.compiler.budget.Spend(len(at) / bytesPerStep))
	target, ok := Lookup(doc, at)
	if !ok {
		s.compiler.fail(fmt.Errorf("the reference %.200q leads to no schema", ref))
		return nil
	}
	return s.compiler.part(target, doc)
}

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// Lookup follows a JSON Pointer into a document.
func Lookup(doc any, at string) (any, bool) {
	if at == "" {
		return doc, true
	}
	rest, ok := strings.CutPrefix(at, "/")
	for token := range strings.SplitSeq(rest, "/") {
		if !ok {
			break
		}
		switch v := doc.(type) {
		case map[string]any:
			doc, ok = v[unescape.Replace(token)]
		case []any:
			i, err := strconv.Atoi(token)
			if ok = err == nil && i >= 0 && i < len(v); ok {
				doc = v[i]
			}
		default:
			ok = false
		}
	}
	return doc, ok
}

// format is a named form of texts.
type format struct {
	name  string
	check func(any) error
}

// validate checks a text. It spends the cost of that before.
func (f *format) validate(b *Budget, text string) error {
	if f.name == "regex" {
		_, err := CompilePattern(b, text)
		return err
	}
	if err := b.Spend(10 + len(text)/2); err != nil {
		return err
	}
	return f.check(text)
}

// Formats lists the names of the formats that are validated.
func Formats() []string {
	return []string{
		"date", "date-time", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uri-reference",
		"uri-template",
		"iri", "iri-reference", "uuid", "json-pointer", "relative-json-pointer", "regex",
	}
}

// formats returns the formats by name, as the library validates them.
var formats = sync.OnceValue(func() map[string]*format {
	all := map[string]*format{}
	for _, name := range Formats() {
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		c.AssertFormat()
		if err := c.AddResource("schema:"+name, map[string]any{"format": name}); err != nil {
			panic("schema: " + err.Error())
		}
		all[name] = &format{name, c.MustCompile("schema:" + name).Format.Validate}
	}
	return all
})
