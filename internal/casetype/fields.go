package casetype

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/schema"
)

// reserved are the names that the engine keeps in a claim's object (claim and
// contact events, the claim object).
var reserved = []string{
	"id", "title", "type", "status", "status_changed_by", "opened_at", "closed_at", "claim_duration",
	"assigned_at", "last_activity_by", "claim_ref", "labels", "assigned_to", "last_activity_at", "created_at",
}

// reservedLater are those that were not reserved at first. Stored definitions may have them.
var reservedLater = []string{"assigned_at", "last_activity_by"}

// Reserved lists the names that the fields of a claim's definition may not have.
func Reserved() []string { return slices.Clone(reserved) }

// isReserved reports whether a field has a reserved name, in upper or lower case: some receivers can't tell Status
// from status. For stored definitions it applies the rules of their time.
func isReserved(field string, stored bool) bool {
	if stored {
		return slices.Contains(reserved, field) && !slices.Contains(reservedLater, field)
	}
	return slices.Contains(reserved, strings.ToLower(field))
}

// The keywords whose values hold schemas. Those in place apply to the same value; the others apply to a
// part of it.
var (
	inPlaceLists = []string{"allOf", "anyOf", "oneOf"}
	inPlaceOnes  = []string{"if", "then", "else", "not"}
	inPlaceMaps  = []string{"dependentSchemas"}
	partLists    = []string{"prefixItems"}
	partOnes     = []string{
		"items", "contains", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "propertyNames",
		"contentSchema",
	}
	partMaps = []string{"properties", "patternProperties"}
)

// otherKeywords are the keywords that hold no schema.
var otherKeywords = []string{
	"type", "enum", "const", "format", "title", "description", "default", "examples", "deprecated", "readOnly",
	"writeOnly",
	"$schema", "$ref", "$defs", "$comment", "required", "dependentRequired",
	"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern",
	"minItems", "maxItems", "uniqueItems", "minContains", "maxContains", "minProperties", "maxProperties",
	"contentEncoding", "contentMediaType",
}

// refused are the keywords that would let a schema reach, or be reached, by address.
var refused = []string{"$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$vocabulary"}

// ours are the keywords that stand for types of values.
var ours = []string{schema.FormKeyword, schema.IDsKeyword}

var keywords = slices.Concat(otherKeywords, inPlaceLists, inPlaceOnes, inPlaceMaps, partLists, partOnes, partMaps)

var fieldName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_&()-]{0,69}$`)

const draft2020 = "https://json-schema.org/draft/2020-12/schema"

// fieldSchemas returns the schema of each field; nil when the definition has none.
func (c *checker) fieldSchemas() map[string]any {
	return object(object(c.root()["fields"])["properties"])
}

func (c *checker) checkFields() {
	fields, ok := c.root()["fields"].(map[string]any)
	if !ok {
		return
	}
	claim := c.root()["kind"] == string(Claim)
	folded := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.fieldSchemas())) {
		path := pointer("/fields/properties", name)
		if other, taken := folded[strings.ToLower(name)]; taken {
			c.warn(path, "differs from the field %s in upper and lower case alone, which people and some programs "+
				"can't tell apart", other)
		}
		folded[strings.ToLower(name)] = name
		switch {
		case !fieldName.MatchString(name):
			c.fault(path, "is not a field name: letters a to z and A to Z, digits, _, -, &, ( and ), at most 70, "+
				"beginning with a letter, a digit or _")
		case name == "case":
			c.fault(path, "may not be the name of a field: in templates, case is the case itself")
		case claim && isReserved(name, c.stored):
			c.fault(path, "may not be a field of a claim: Casehook sets %s itself", strings.ToLower(name))
		}
	}
	for i, name := range items(fields["required"]) {
		c.checkFieldName(text(name), pointer("/fields/required", strconv.Itoa(i)))
	}
	c.checkSchema(fields, "/fields")
	c.checkIndexedFields()
	c.checkCycles()
}

// checkSchema checks what the metaschema leaves open: that every keyword and format is known, and that
// references lead to a schema inside fields.
func (c *checker) checkSchema(v any, path string) {
	s := object(v)
	if !c.spend(20 + 10*len(s) + len(path)/8) {
		return
	}
	for keyword, value := range s {
		at := pointer(path, keyword)
		switch {
		case keyword == "x-classification":
			c.checkClassification(value, at)
		case keyword == "indexed":
			c.checkIndexed(value, s, path)
		case keyword == "default":
			c.checkDefault(value, path)
		case keyword == typeKeyword:
			c.checkType(value, s, at)
		case keyword == "x-labels":
			c.checkLabels(value, s, at)
		case s[schema.FormKeyword] != nil && slices.Contains(ours, keyword):
		case strings.HasPrefix(keyword, "x-casehook-"):
			c.fault(at, "begins with x-casehook-, which is reserved for Casehook")
		case strings.HasPrefix(keyword, "x-"):
		case slices.Contains(refused, keyword):
			c.fault(at, "is not supported: put shared schemas into /fields/$defs and refer to them with #/$defs/...")
		case !slices.Contains(keywords, keyword):
			c.fault(at, "is not a keyword of JSON Schema%s", c.unknownKeyword(keyword, path))
		}
	}
	if name, ok := s["format"].(string); ok && !slices.Contains(schema.Formats(), name) {
		c.fault(path+"/format", "%q is not a format that is checked%s", name, c.oneOf(name, schema.Formats()))
	}
	if dialect, ok := s["$schema"].(string); ok && dialect != draft2020 {
		c.fault(path+"/$schema", "is not %s", draft2020)
	}
	if ref, ok := s["$ref"].(string); ok {
		if _, _, found := c.resolve(ref); !found {
			c.fault(path+"/$ref", "%q leads to no schema inside fields; nothing else is loaded", ref)
		}
	}
	for at, sub := range subschemas(s, path) {
		c.checkSchema(sub, at)
	}
}

func (c *checker) checkClassification(value any, path string) {
	if parent := strings.TrimSuffix(path, "/x-classification"); strings.Count(parent, "/") != 3 ||
		!strings.HasPrefix(parent, "/fields/properties/") {
		c.fault(path, "has no effect here: a classification is that of a whole field")
		return
	}
	classes := []string{string(Public), string(Private), string(Restricted)}
	if !slices.Contains(classes, text(value)) {
		c.fault(path, "is not one of %s", strings.Join(classes, ", "))
	}
}

// subschemas returns the schemas directly inside one, by path.
func subschemas(s map[string]any, path string) map[string]any {
	all := inPlace(s, path)
	maps.Copy(all, within(s, path, partLists, partOnes, append([]string{"$defs"}, partMaps...)))
	return all
}

// inPlace returns the direct subschemas that apply to the same value, references aside.
func inPlace(s map[string]any, path string) map[string]any {
	return within(s, path, inPlaceLists, inPlaceOnes, inPlaceMaps)
}

func within(s map[string]any, path string, lists, ones, mapped []string) map[string]any {
	all := map[string]any{}
	for _, keyword := range lists {
		for i, sub := range items(s[keyword]) {
			all[pointer(path, keyword, strconv.Itoa(i))] = sub
		}
	}
	for _, keyword := range ones {
		if sub, ok := s[keyword]; ok {
			all[pointer(path, keyword)] = sub
		}
	}
	for _, keyword := range mapped {
		for name, sub := range object(s[keyword]) {
			all[pointer(path, keyword, name)] = sub
		}
	}
	return all
}

var pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")

// resolve follows a reference inside fields: "#" or "#/$defs/address".
func (c *checker) resolve(ref string) (schema any, path string, ok bool) {
	if !c.spend(1 + len(ref)) {
		return nil, "", false
	}
	at, local := strings.CutPrefix(ref, "#")
	schema, path = c.root()["fields"], "/fields"
	if !local || strings.Contains(at, "%") || at != "" && !strings.HasPrefix(at, "/") {
		return nil, "", false
	}
	for token := range strings.SplitSeq(at, "/") {
		if token == "" && path == "/fields" {
			continue // before the first slash
		}
		token = pointerUnescape.Replace(token)
		path = pointer(path, token)
		switch v := schema.(type) {
		case map[string]any:
			schema, ok = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if ok = err == nil && i >= 0 && i < len(v); ok {
				schema = v[i]
			}
		default:
			ok = false
		}
		if !ok {
			return nil, "", false
		}
	}
	_, isObject := schema.(map[string]any)
	_, isBool := schema.(bool)
	return schema, path, isObject || isBool
}

// maxExpansion bounds how many schemas apply to one value.
const maxExpansion = 2000

// checkCycles finds schemas that would apply to the same value without end.
func (c *checker) checkCycles() {
	sizes := map[string]int{} // -1: under way
	var size func(schema any, path string) int
	size = func(schema any, path string) int {
		s := object(schema)
		if known, seen := sizes[path]; seen {
			if known < 0 {
				c.fault(path, "refers to itself for the same value")
			}
			return max(known, 1)
		}
		if !c.spend(20 + len(path)/8) {
			return 1
		}
		sizes[path] = -1
		total := 1
		for at, sub := range inPlace(s, path) {
			total += size(sub, at)
		}
		if target, at, ok := c.resolve(text(s["$ref"])); ok && s["$ref"] != nil {
			total += size(target, at)
		}
		if total > maxExpansion {
			c.fault(path, "applies more than %d schemas to one value", maxExpansion)
			total = 1
		}
		sizes[path] = total
		return total
	}
	var walk func(schema any, path string)
	walk = func(schema any, path string) {
		size(schema, path)
		for at, sub := range subschemas(object(schema), path) {
			walk(sub, at)
		}
	}
	walk(c.root()["fields"], "/fields")
}

// compileFields compiles the closed form of the fields' schema, if it has no fault so far.
func (c *checker) compileFields() {
	if c.stop != nil {
		return
	}
	fields, ok := c.root()["fields"].(map[string]any)
	if !ok || slices.ContainsFunc(c.wrong, func(f Fault) bool { return strings.HasPrefix(f.Path, "/fields") }) {
		return
	}
	closed := c.closed(fields, true)
	if c.stop != nil {
		return
	}
	compiled, err := schema.Compile(c.budget, schema.Source{
		Document: closed, Forms: forms(), Blank: c.root()["blank"] == string(BlankAllowed), Trusted: c.stored,
	})
	switch {
	case !c.spend(0):
	case err != nil:
		c.fault("/fields", "is not a usable schema: %v", err)
	default:
		c.schema = compiled
	}
}

// closed copies a schema so that objects whose properties it describes have no others, unless the schema
// says so itself. Part says whether the schema applies to a part of the data; one that applies in place
// must leave its siblings alone.
func (c *checker) closed(schema any, part bool) any {
	s, ok := schema.(map[string]any)
	if !ok || !c.spend(10+5*len(s)) {
		return schema
	}
	out := make(map[string]any, len(s)+1)
	for keyword, value := range s {
		out[keyword] = c.closedKeyword(keyword, value)
	}
	if part && s["additionalProperties"] == nil && s["unevaluatedProperties"] == nil {
		c.close(s, out)
	}
	return out
}

func (c *checker) close(s, out map[string]any) {
	if len(inPlace(s, "")) == 0 && s["$ref"] == nil {
		if s["properties"] != nil {
			out["additionalProperties"] = false
		}
		return
	}
	if c.describe(s, "", "", map[string]bool{}).named {
		out["unevaluatedProperties"] = false
	}
}

func (c *checker) closedKeyword(keyword string, value any) any {
	isPart := slices.Contains(partLists, keyword) || slices.Contains(partOnes, keyword) ||
		slices.Contains(partMaps, keyword)
	switch {
	case slices.Contains(partOnes, keyword) || slices.Contains(inPlaceOnes, keyword):
		return c.closed(value, isPart && keyword != "propertyNames")
	case slices.Contains(partLists, keyword) || slices.Contains(inPlaceLists, keyword):
		var out []any
		for _, sub := range items(value) {
			out = append(out, c.closed(sub, isPart))
		}
		return out
	case keyword == "$defs" || slices.Contains(partMaps, keyword) || slices.Contains(inPlaceMaps, keyword):
		out := map[string]any{}
		for name, sub := range object(value) {
			out[name] = c.closed(sub, isPart)
		}
		return out
	}
	return value
}
