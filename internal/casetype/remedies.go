package casetype

import (
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

// remedies say what to write instead of what people bring from elsewhere: by the place,
// as [placeOf] returns it, and the key there.
var remedies = map[string]map[string]string{
	"": {
		"initial": aCaseBegins, "initial_state": aCaseBegins, "start": aCaseBegins, "start_state": aCaseBegins,
		"final_states": aStateIsFinal, "final": aStateIsFinal, "end_states": aStateIsFinal,
		"title": "write name", "label": "write name", "display_name": "write name", "description": "write a comment: # ...",
		"id": "write key", "type": "write key; whether its cases are claims, kind says", "version": "the server counts versions itself",
		"events": "what people submit are transitions; what receivers hear of, endpoints say", "actions": "write transitions",
		"schema": "write fields", "data": "write fields", "properties": "write fields: {type: object, properties: ...}",
		"required": "write it inside fields", "roles": "write access: {read: [...], write: [...]}, or roles in a transition",
		"permissions": "write access: {read: [...], write: [...]}, or roles in a transition",
		"callback":    "write about_to_submit: {url: ...} in a transition", "callbacks": "write about_to_submit: {url: ...} in a transition",
		"about_to_submit": "write it in a transition", "webhook": webhooksAreEndpoints, "webhooks": webhooksAreEndpoints,
		"endpoints": webhooksAreEndpoints, "triggers": webhooksAreEndpoints, "classification": "write security_classification",
		"secret":    "write callback_secret: type, for one secret of all callbacks; the server makes it",
		"templates": "write documents", "attachments": "write proofs", "files": "write proofs", "uploads": "write proofs",
	},
	"states": {
		"initial": aCaseBegins, "start": aCaseBegins, "default": aCaseBegins, "title": "write name", "label": "write name",
		"id": "write key", "type": aStateIsFinal, "terminal": aStateIsFinal, "end": aStateIsFinal, "is_final": aStateIsFinal,
		"description": "write name", "transitions": "transitions are a list of their own, beside states",
		"on": "transitions are a list of their own, beside states", "next": "write a transition with from and to",
		"to": "write a transition with from and to", "callback": "write about_to_submit: {url: ...} in a transition",
	},
	"transitions": {
		"callback": aCallback, "callbacks": aCallback, "webhook": aCallback, "url": aCallback, "hook": aCallback, "ask": aCallback,
		"on_submit": aCallback, "before": aCallback, "about_to_start": aCallback, "submitted": aCallback, "mid_event": aCallback,
		"guard": aPrecondition, "guards": aPrecondition, "condition": aPrecondition, "conditions": aPrecondition, "when": aPrecondition,
		"if": aPrecondition, "rule": aPrecondition, "unless": aPrecondition, "role": "write roles: [caseworker]",
		"allowed_roles": "write roles: [caseworker]", "permissions": "write roles: [caseworker]", "who": "write roles: [caseworker]",
		"access": "write roles: [caseworker]", "title": "write name", "label": "write name", "description": "write name", "id": "write key",
		"event": "write key", "trigger": "write key", "source": "write from: [...]", "sources": "write from: [...]", "from_state": "write from: [...]",
		"target": "write to", "destination": "write to", "to_state": "write to", "data": "write fields: [...]", "required_fields": "write required: [...]", "mandatory": "write required: [...]", "needs": "write required: [...]",
		"requires": "write required: [...]", "initial": "a transition without from creates",
		"creates": "a transition without from creates",
	},
	"about_to_submit": {
		"method": "the callback is always asked by POST", "headers": callbacksAreSigned, "auth": callbacksAreSigned, "token": callbacksAreSigned,
		"secret": callbacksAreSigned, "uri": "write url", "href": "write url", "endpoint": "write url", "callback": "write url",
		"retry": "write retries: [1s, 3s]", "max_retries": "write retries: [1s, 3s]", "attempts": "write retries: [1s, 3s]",
		"on_failure": "write failure_policy: fail or ignore", "on_error": "write failure_policy: fail or ignore",
		"policy": "write failure_policy: fail or ignore", "timeout_ms": "write timeout: 3s", "timeout_seconds": "write timeout: 3s",
		"ignore_warning": "write url: https://...?ignore-warning=true", "ignore_warnings": "write url: https://...?ignore-warning=true",
	},
	"precondition": {
		"cel": "write condition", "expression": "write condition", "if": "write condition", "rule": "write condition", "when": "write condition",
		"text": "write message", "error": "write message", "detail": "write message", "reason": "write message", "description": "write message",
	},
	"access": {
		"roles": "write read: [...] and write: [...]", "create": "write write: [...]", "edit": "write write: [...]", "update": "write write: [...]",
		"delete": "write write: [...]", "admin": "administrators always may", "view": "write read: [...]",
	},
	"documents": {
		"content": "write template", "body": "write template", "text": "write template", "file": "write template: | and the text below it",
		"title": "write name", "label": "write name", "id": "write key",
	},
	"proofs": {
		"title": "write name", "label": "write name", "id": "write key", "required": "nothing requires a proof; a callback may ask for one",
		"type": "proofs may be files of any type", "mime": "proofs may be files of any type",
	},
	"fields": {
		"label": "write title", "name": "write title", "hint": "write description", "help": "write description", "options": "write enum: [...]",
		"choices": "write enum: [...]", "values": "write enum: [...]", "one_of": "write enum: [...]", "min": "write minimum (of a number), minLength (of text) or minItems (of a list)",
		"max": "write maximum (of a number), maxLength (of text) or maxItems (of a list)", "length": "write minLength and maxLength",
		"regex": "write pattern", "match": "write pattern", "optional": "leave it out: what required: [...] of the object does not list is optional",
		"mandatory": "write required: [...] beside properties", "nullable": "write type: [string, \"null\"]; null clears a field of a case anyway",
		"fields": "write properties", "members": "write properties", "of": "write items", "item": "write items", "element": "write items",
		"elements": "write items", "unique": "write uniqueItems", "classification": "write x-classification", "security": "write x-classification",
		"hidden": "write x-classification: PRIVATE or RESTRICTED", "sensitive": "write x-classification: PRIVATE or RESTRICTED",
		"definitions": "write $defs", "ref": "write $ref", "readonly": "write readOnly; what a transition may set, its fields: [...] say",
		"precision": "write multipleOf: 0.01, or better an integer in minor units (cents)", "scale": "write multipleOf: 0.01, or better an integer in minor units (cents)",
		"currency": "write an integer in minor units (cents), and a field of its own for the currency", "example": "write examples: [...]",
	},
}

const (
	aCaseBegins          = "a case begins in the state to which a transition without from leads"
	aStateIsFinal        = "write final: true in a state"
	aCallback            = "write about_to_submit: {url: ...}"
	aPrecondition        = "write precondition, in CEL: has(data.amount) && data.amount > 0"
	webhooksAreEndpoints = "receivers are endpoints, which are no part of a case type; what is asked before a transition is its about_to_submit: {url: ...}"
	callbacksAreSigned   = "nothing is sent besides what is documented: the callback is signed with its secret, which the server makes"
)

// maxListed bounds how many known keys a message lists.
const maxListed = 24

// unknownKey says what to write instead of a key that there is not.
func (c *checker) unknownKey(place, key string, known []string) string {
	if remedy := remedies[place][key]; remedy != "" {
		return "; " + remedy + "; there are " + list(known)
	}
	return c.oneOf(key, known)
}

// oneOf says which names there are, or which of them was meant.
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

// placeOf says what a path outside of fields is in: "transitions", "about_to_submit";
// empty is the definition itself.
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

// knownKeys returns the keys that a definition has where the path points, in the order
// in which [Schema] lists them.
func knownKeys(path []string) []string {
	doc := parsedDefinition()
	at := doc.Root()
	for _, token := range path[:max(0, len(path)-1)] {
		if isIndex(token) {
			at = at.Member("items")
		} else {
			at = at.Member("properties").Member(token)
		}
		if ref := text(at.Member("$ref").Value); strings.HasPrefix(ref, "#/") {
			at = doc.Root()
			for name := range strings.SplitSeq(ref[2:], "/") {
				at = at.Member(name)
			}
		}
	}
	return doc.Keys(at.Member("properties").Path)
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

// remedy says what to write instead of a value whose form is wrong. It is what the
// schema says, or that with the remedy behind it.
func (c *checker) remedy(path []string, says string) string {
	if says == "is required" {
		return says + missing[pointer("", path...)]
	}
	v := c.valueAt(path)
	if len(path) > 1 && path[0] == "fields" {
		return schemaRemedy(path, v, says)
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
	case isList && len(items(v)) == 0 && strings.HasPrefix(says, "has fewer than 1 item"):
		return "is an empty list: write at least one"
	case key == "precondition" && !isText && !isObject:
		return "is " + kindOfValue(v).String() + `, not a condition: write it in quotes, "data.cost > 0", or {condition: ..., message: ...}`
	case key == "retries" && !inList && !isList:
		return says + ": write the waits between attempts, [1s, 3s], or [] for one attempt"
	case slices.Contains([]string{"timeout", "budget", "retries"}, key) && !isList:
		return durationRemedy(v, says)
	case isText && slices.Contains([]string{"roles", "read", "write"}, key) && !inList:
		return says + ": write a list of some of admin, manager, caseworker, viewer"
	case key == "required" && strings.HasSuffix(says, "true or false, not a list"):
		return says + ": write the fields that have to be set, [amount]"
	case isText && strings.HasSuffix(says, "not a list"):
		return fmt.Sprintf("%s: write [%s]", says, written)
	case key == "to" && isList:
		return says + ": a transition leads to one state; write a transition for each"
	case key == "about_to_submit" && isText:
		return fmt.Sprintf("%s: write {url: %s}", says, written)
	case key == "guard":
		return says + ": write {max_dropped: 3}"
	case slices.Contains(lists, key) && inList && isText:
		return fmt.Sprintf("%s: write {key: %s}", says, slug(written))
	case slices.Contains(lists, key) && isObject && !inList:
		return says + ": write a list, with the key of each in it: - key: ..."
	case key == "key" && isText:
		return keyRemedy(written, says)
	case says == "is text, not true or false":
		return says + boolRemedy(written)
	case key == "fields" && !inList && len(path) == 1:
		return says + ": " + missingProperties
	case isObject && strings.HasSuffix(key, "template"):
		return says + ": put it in quotes, since YAML takes { for an object"
	case strings.HasSuffix(says, "a number, not text"):
		return says + ": put it in quotes"
	}
	return says
}

// lists are the lists of a definition whose items have keys.
var lists = []string{"states", "transitions", "documents", "proofs"}

const missingProperties = "write type: object, and properties: with a schema for each field below it"

// missing says more of what is required.
var missing = map[string]string{
	"/fields":            ": " + missingProperties,
	"/fields/type":       ": write type: object",
	"/fields/properties": ": the fields stand below it, a schema for each",
}

// units are those of durations, and what people write for them.
var units = map[string]string{
	"": "s", "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s", "ms": "ms", "msec": "ms", "millis": "ms", "milliseconds": "ms",
	"m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m", "h": "h", "hour": "h", "hours": "h",
}

var amountAndUnit = regexp.MustCompile(`^\s*([0-9]+)\s*([A-Za-z]*)\s*$`)

// durationRemedy says how a duration is written.
func durationRemedy(v any, says string) string {
	written := ""
	switch v := v.(type) {
	case json.Number:
		written, says = string(v), "is a number without a unit"
	case string:
		written = v
	}
	parts := amountAndUnit.FindStringSubmatch(written)
	if parts == nil || units[strings.ToLower(parts[2])] == "" {
		return says
	}
	return fmt.Sprintf("%s: write %s%s", says, parts[1], units[strings.ToLower(parts[2])])
}

var noSlug = regexp.MustCompile(`[^a-z0-9_-]+`)

// slug makes a key of a text.
func slug(written string) string {
	return strings.Trim(noSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(written)), "_"), "_-0123456789")
}

func keyRemedy(written, says string) string {
	key := slug(written)
	if key == "" || key == written || len(key) > 63 {
		return says
	}
	return fmt.Sprintf("%s: write %s, and what people read as name", says, key)
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

// jsonTypes says how the types of other languages are written in JSON Schema.
var jsonTypes = map[string]string{
	"bool": "boolean", "int": "integer", "int32": "integer", "int64": "integer", "long": "integer", "float": "number", "double": "number",
	"real": "number", "decimal": money, "money": money, "currency": money, "amount": money, "str": "string", "text": "string", "varchar": "string",
	"char": "string", "date": formatted("date"), "datetime": formatted("date-time"), "date-time": formatted("date-time"),
	"timestamp": formatted("date-time"), "time": formatted("time"), "duration": formatted("duration"), "email": formatted("email"),
	"uri": formatted("uri"), "url": formatted("uri"), "uuid": formatted("uuid"), "phone": "string, with a pattern",
	"list": aList, "set": aList + " and uniqueItems: true", "tuple": aList, "map": anObject, "dict": anObject, "hash": anObject, "struct": anObject,
	"record": anObject, "group": anObject, "enum": "no type, and enum: [...]", "choice": "no type, and enum: [...]", "select": "no type, and enum: [...]",
	"any": "no type", "file": "no field: files are proofs", "document": "no field: documents are made of templates, and files are proofs", "none": `"null"`, "nil": `"null"`,
}

const (
	money    = "integer, in minor units (cents), which is exact; or number"
	aList    = "array, with items: {type: ...}"
	anObject = "object, with properties: below it"
)

func formatted(format string) string { return "string, with format: " + format }

// schemaRemedy says what to write instead of a value in the schema of the fields.
func schemaRemedy(path []string, v any, says string) string {
	written, isText := v.(string)
	keyword := keywordAt(path)
	switch {
	case keyword == "" && isText:
		return fmt.Sprintf("is text, not a schema: write {%s}", asSchema(written))
	case keyword == "" && v == nil:
		return "is empty: write a schema such as {type: string}, or indent the one below it"
	case keyword == "":
		return strings.Replace(says, "true or false or an object", "a schema", 1) + itemsRemedy(path, v)
	case keyword == "type" && says == "is not object" && v != nil:
		return "is not object: write type: object"
	case keyword == "type":
		return typeRemedy(v)
	case keyword == "required" && says == "is true or false, not a list":
		name := ""
		if len(path) > 1 {
			name = path[len(path)-2]
		}
		return fmt.Sprintf("%s: what is required, the object around it says, beside its properties: required: [%s]", says, name)
	case isText && strings.HasSuffix(says, "not a list"):
		return fmt.Sprintf("%s: write [%s]", says, written)
	case isText && strings.HasSuffix(says, "number"):
		return says + ": write it without quotes"
	case says == "is text, not true or false":
		return says + boolRemedy(written)
	}
	return says
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

// typeRemedy says which types there are, and which one is meant.
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

// keywordAt returns the keyword of JSON Schema whose value a path inside fields leads
// to or into; empty: it leads to a schema.
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

// formFault says what the schema of definitions has against a value.
func (c *checker) formFault(complaint schema.Complaint) string {
	path, says := complaint.Path, complaint.Message
	switch {
	case complaint.Unknown:
		place := placeOf(path)
		return "is not a known key" + c.unknownKey(place, complaint.Name(), knownKeys(path))
	case len(path) == 0:
		return "a definition " + says
	}
	if words := inWords[says]; words != "" {
		says = words
	}
	return c.remedy(path, says)
}

// commonKeywords are those that most schemas are made of.
var commonKeywords = []string{
	"type", "title", "description", "enum", "format", "pattern", "minimum", "maximum", "minLength", "maxLength", "properties",
	"required", "items", "minItems", "maxItems", "$ref", "x-classification",
}

// unknownKeyword says what to write instead of a keyword that JSON Schema has not.
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
