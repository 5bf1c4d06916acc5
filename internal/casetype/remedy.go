package casetype

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/yaml"
)

// maxListed bounds how many known keys a message lists.
const maxListed = 24

// unknownKey explains what to write instead of an unknown key.
func (c *checker) unknownKey(place, key string, known []string) string {
	if remedy := remedies[place][key]; remedy != "" {
		return "; " + remedy + "; there are " + list(known)
	}
	return c.oneOf(key, known)
}

// oneOf lists the known names, or suggests the one that was meant.
func (c *checker) oneOf(name string, names []string) string {
	near := c.suggest(name, names)
	if near != "" || c.suggestions > maxSuggestions || len(names) == 0 {
		return near
	}
	return "; there are " + list(names)
}

// list writes names for people; those beyond [maxListed] are left out.
func list(names []string) string {
	var once []string
	for _, name := range names {
		if name != "" && !slices.Contains(once, name) {
			once = append(once, name)
		}
		if len(once) > maxListed {
			break
		}
	}
	names = once
	if len(names) > maxListed {
		return strings.Join(names[:maxListed], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// placeOf names the section that a path outside of fields is in: "transitions", "about_to_submit"; "" is
// the definition itself.
func placeOf(path []string) (place string) {
	for _, token := range path[:max(0, len(path)-1)] {
		if !isIndex(token) {
			place = token
		}
	}
	return place
}

func isIndex(token string) bool {
	_, err := strconv.Atoi(token)
	return err == nil
}

// knownKeys returns the keys that a definition may have at a path, in the order of [Schema].
func knownKeys(path []string) []string {
	doc := parsedDefinition()
	at := doc.Root()
	for _, token := range path[:max(0, len(path)-1)] {
		if isIndex(token) {
			at = at.Member("items")
		} else {
			at = objectIn(doc, at).Member("properties").Member(token)
		}
		at = referred(doc, at)
	}
	return doc.Keys(objectIn(doc, at).Member("properties").Path)
}

// referred returns the part of [Schema] that a part refers to, or the part itself.
func referred(doc *yaml.Document, at yaml.Node) yaml.Node {
	ref := text(at.Member("$ref").Value)
	if !strings.HasPrefix(ref, "#/") {
		return at
	}
	at = doc.Root()
	for name := range strings.SplitSeq(ref[2:], "/") {
		at = at.Member(name)
	}
	return at
}

// objectIn returns the schema of objects in the schema of one object or a list of them.
func objectIn(doc *yaml.Document, at yaml.Node) yaml.Node {
	if then := at.Member("then"); then.Value != nil {
		return referred(doc, then)
	}
	return at
}

// parsedDefinition is [Schema], with the order of its keys.
var parsedDefinition = sync.OnceValue(func() *yaml.Document { return yaml.Read(definitionSchema, yaml.Options{}) })

// valueAt returns the value at a path in the definition.
func (c *checker) valueAt(path []string) any {
	v := c.doc.Value
	for _, token := range path {
		switch in := v.(type) {
		case map[string]any:
			v = in[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

// remedy explains what to write instead of a value of a wrong form. It returns the schema's text, or that
// with the remedy behind it.
func (c *checker) remedy(path []string, problem string) string {
	if problem == "is required" {
		return problem + missing[pointer("", path...)]
	}
	v := c.valueAt(path)
	if len(path) > 1 && path[0] == "fields" {
		return schemaRemedy(path, v, problem)
	}
	key := ""
	for _, token := range path {
		if !isIndex(token) {
			key = token
		}
	}
	inList := len(path) > 0 && isIndex(path[len(path)-1])
	written, isText := v.(string)
	_, isObject := v.(map[string]any)
	_, isList := v.([]any)
	switch {
	case key == "from" && isList && len(items(v)) == 0:
		return "is an empty list: write the states that it leads from, or leave from out for what creates a case"
	case isList && len(items(v)) == 0 && strings.HasPrefix(problem, "has fewer than 1 item"):
		return "is an empty list: write at least one"
	case key == "precondition" && !isText && !isObject:
		return "is " + kindOfValue(v).String() +
			`, not a condition: write it in quotes, "data.cost > 0", or {condition: ..., message: ...}`
	case key == "retries" && !inList && !isList:
		return problem + ": write the waits between attempts, [1s, 3s], or [] for one attempt"
	case slices.Contains([]string{"timeout", "budget", "retries"}, key) && !isList:
		return durationRemedy(v, problem)
	case isText && slices.Contains([]string{"roles", "read", "write"}, key) && !inList:
		return problem + ": write a list of some of admin, manager, caseworker, viewer"
	case key == "required" && strings.HasSuffix(problem, "true or false, not a list"):
		return problem + ": write the fields that have to be set, [amount]"
	case isText && strings.HasSuffix(problem, "not a list"):
		return fmt.Sprintf("%s: write [%s]", problem, written)
	case isText && (key == "from" || key == "to"):
		return routeRemedy(key, written, problem, inList)
	case key == "about_to_submit" && isText:
		return fmt.Sprintf("%s: write {url: %s}", problem, written)
	case key == "guard":
		return problem + ": write {max_dropped: 3}"
	case slices.Contains(lists, key) && inList && isText:
		return fmt.Sprintf("%s: write {key: %s}", problem, slug(written))
	case slices.Contains(lists, key) && isObject && !inList:
		return problem + ": write a list, with the key of each in it: - key: ..."
	case key == "key" && isText:
		return keyRemedy(written, problem)
	case problem == "is text, not true or false":
		return problem + boolRemedy(written)
	case key == "fields" && !inList && len(path) == 1:
		return problem + ": " + missingProperties
	case isObject && strings.HasSuffix(key, "template"):
		return problem + ": put it in quotes, since YAML takes { for an object"
	case strings.HasSuffix(problem, "a number, not text"):
		return problem + ": put it in quotes"
	}
	return problem
}

// routeRemedy explains how to write from and to.
func routeRemedy(key, written, problem string, inList bool) string {
	switch {
	case key == "from" && !inList:
		return fmt.Sprintf(`is text, not a list: write [%s], or "*" for every state`, written)
	case key == "to" && inList:
		return fmt.Sprintf("%s: write {when: ..., state: %s}, a condition for each but the last", problem, written)
	}
	return problem
}

// lists are the lists of a definition whose items have keys.
var lists = []string{"states", "transitions", "documents", "proofs"}

const missingProperties = "write type: object, and properties: with a schema for each field below it"

// missing explains required keys.
var missing = map[string]string{
	"/fields":            ": " + missingProperties,
	"/fields/type":       ": write type: object",
	"/fields/properties": ": the fields stand below it, a schema for each",
}

var amountAndUnit = regexp.MustCompile(`^\s*([0-9]+)\s*([A-Za-z]*)\s*$`)

// durationRemedy explains how to write a duration.
func durationRemedy(v any, problem string) string {
	written := ""
	switch v := v.(type) {
	case json.Number:
		written, problem = string(v), "is a number without a unit"
	case string:
		written = v
	}
	parts := amountAndUnit.FindStringSubmatch(written)
	if parts == nil {
		return problem
	}
	unit := units[cmp.Or(strings.ToLower(parts[2]), "s")]
	if unit == "" {
		return problem
	}
	return fmt.Sprintf("%s: write %s%s", problem, parts[1], unit)
}

var noSlug = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// slug makes a key of a text.
func slug(written string) string {
	return strings.Trim(noSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(written)), "_"), "_-")
}

func keyRemedy(written, problem string) string {
	key := slug(written)
	if key == "" || key == written || len(key) > 70 {
		return problem
	}
	return fmt.Sprintf("%s: write %s, and what people read as name", problem, key)
}

func boolRemedy(written string) string {
	switch strings.ToLower(written) {
	case "yes", "on", "true", "y":
		return ": write true"
	case "no", "off", "false", "n":
		return ": write false"
	}
	return ""
}

// schemaRemedy explains what to write instead of a value in the schema of the fields.
func schemaRemedy(path []string, v any, problem string) string {
	written, isText := v.(string)
	keyword := keywordAt(path)
	switch {
	case keyword == "" && isText:
		return fmt.Sprintf("is text, not a schema: write {%s}", asSchema(written))
	case keyword == "" && v == nil:
		return "is empty: write a schema such as {type: string}, or indent the one below it"
	case keyword == "":
		return strings.Replace(problem, "true or false or an object", "a schema", 1) + itemsRemedy(path, v)
	case keyword == "type" && problem == "is not object" && v != nil:
		return "is not object: write type: object"
	case keyword == "type":
		return typeRemedy(v)
	case keyword == "required" && problem == "is true or false, not a list":
		name := ""
		if len(path) > 1 {
			name = path[len(path)-2]
		}
		return fmt.Sprintf("%s: list it in the object around it, beside its properties: required: [%s]",
			problem, name)
	case isText && strings.HasSuffix(problem, "not a list"):
		return fmt.Sprintf("%s: write [%s]", problem, written)
	case isText && strings.HasSuffix(problem, "number"):
		return problem + ": write it without quotes"
	case problem == "is text, not true or false":
		return problem + boolRemedy(written)
	}
	return problem
}

func itemsRemedy(path []string, v any) string {
	first := items(v)
	if len(first) == 0 || path[len(path)-1] != "items" {
		return ""
	}
	if one, isText := first[0].(string); isText {
		return fmt.Sprintf(": write {%s}, the schema of each item", asSchema(one))
	}
	return ": write the schema of each item, or prefixItems for one each"
}

// asSchema writes a type as a schema, without its braces.
func asSchema(written string) string {
	if format, is := strings.CutPrefix(jsonTypes[written], "string, with format: "); is {
		return "type: string, format: " + format
	}
	if known, _, _ := strings.Cut(jsonTypes[written], ","); slices.Contains(types, known) {
		written = known
	}
	if !slices.Contains(types, written) {
		return "type: string"
	}
	return "type: " + written
}

var types = []string{"string", "integer", "number", "boolean", "array", "object", "null"}

// typeRemedy lists the types, or suggests the one that was meant.
func typeRemedy(v any) string {
	for _, one := range append(items(v), v) {
		name, isText := one.(string)
		switch known := jsonTypes[strings.ToLower(name)]; {
		case !isText || slices.Contains(types, name):
		case known != "":
			return fmt.Sprintf("%q is not a type: write %s", name, known)
		default:
			return fmt.Sprintf("%q is not one of the types %s%s", name, strings.Join(types, ", "), suggest(name, types))
		}
	}
	if slices.Contains(items(v), nil) {
		return `has null without quotes: write "null"`
	}
	return "is not one of the types " + strings.Join(types, ", ") + ", nor a list of some, each once"
}

// keywordAt returns the keyword of JSON Schema whose value a path inside fields leads to or into; "" if it
// leads to a schema.
func keywordAt(path []string) string {
	for i := 1; i < len(path); i++ {
		keyword := path[i]
		switch {
		case slices.Contains(partOnes, keyword) || slices.Contains(inPlaceOnes, keyword):
		case keyword == "$defs" || isOneOf(keyword, partMaps, inPlaceMaps, partLists, inPlaceLists):
			if i++; i == len(path) {
				return keyword
			}
		default:
			return keyword
		}
	}
	return ""
}

func isOneOf(keyword string, lists ...[]string) bool {
	return slices.Contains(slices.Concat(lists...), keyword)
}

// formFault words a complaint of the schema of definitions.
func (c *checker) formFault(complaint schema.Complaint) string {
	path, problem := complaint.Path, complaint.Message
	switch {
	case complaint.Unknown:
		place := placeOf(path)
		return "is not a known key" + c.unknownKey(place, complaint.Name(), knownKeys(path))
	case len(path) == 0 && strings.HasPrefix(problem, "is null"):
		return "the definition is empty; if curl sent it, use --data-binary @FILE, which keeps the lines of the file"
	case len(path) == 0:
		return "a definition " + problem
	}
	if words := inWords[problem]; words != "" {
		problem = words
	}
	return c.remedy(path, problem)
}

// commonKeywords are the most usual keywords.
var commonKeywords = []string{
	"type", "title", "description", "enum", "format", "pattern", "minimum", "maximum", "minLength", "maxLength",
	"properties",
	"required", "items", "minItems", "maxItems", "$ref", "x-classification",
	"indexed",
}

// unknownKeyword explains what to write instead of a keyword that JSON Schema does not have.
func (c *checker) unknownKeyword(keyword, path string) string {
	if path == "/fields" && remedies["fields"][keyword] == "" {
		_, isSchema := c.valueAt([]string{"fields", keyword}).(map[string]any)
		if near := c.suggest(keyword, keywords); near != "" && !isSchema {
			return near
		}
		return "; fields stand below properties:, a schema for each"
	}
	if remedy := remedies["fields"][keyword]; remedy != "" {
		return "; " + remedy
	}
	if near := c.suggest(keyword, keywords); near != "" || c.suggestions > maxSuggestions {
		return near + "; your own begin with x-"
	}
	return "; there are " + list(commonKeywords) + " and others; your own begin with x-"
}
