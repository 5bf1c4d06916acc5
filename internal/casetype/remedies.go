package casetype

import "strings"

// remedies explain what to write instead of keys that are usual elsewhere: by the place, as [placeOf]
// returns it, and the key there.
var remedies = byKey(map[string]map[string]string{
	"": {
		"write it in a transition": "about_to_submit",
		"write transitions":        "actions",
		"write proofs":             "attachments files uploads",
		"write about_to_submit: {url: ...} in a transition": "callback callbacks",
		"write security_classification":                     "classification",
		"write fields":                                      "data schema",
		"write a comment: # ...":                            "description",
		"write name":                                        "display_name label title",
		aStateIsFinal:                                       "end_states final final_states",
		webhooksAreEndpoints:                                "endpoints triggers webhook webhooks",
		"write transitions for what people submit; the triggers of an endpoint choose what a receiver gets": "events",
		"write key": "id",
		aCaseBegins: "initial initial_state start start_state",
		"write access: {read: [...], write: [...]}, or roles in a transition":               "permissions",
		"write fields: {type: object, properties: ...}":                                     "properties",
		"write it inside fields":                                                            "required",
		"write callback_secret: type, for one secret of all callbacks; the server makes it": "secret",
		"write documents":                         "templates",
		"write key; kind tells cases from claims": "type",
		"the server counts versions itself":       "version",
	},
	"states": {
		"write about_to_submit: {url: ...} in a transition": "callback",
		aCaseBegins:                           "default initial start",
		"write name":                          "description label title",
		aStateIsFinal:                         "end is_final terminal type",
		"write key":                           "id",
		"write a transition with from and to": "next to",
		"transitions are a list of their own, beside states": "on transitions",
	},
	"transitions": {
		aCallback: "ask before callback callbacks hook on_submit url webhook " +
			"about_to_start mid_event submitted",
		"write roles: [caseworker]":         "access allowed_roles permissions role who",
		aPrecondition:                       "condition conditions guard guards if rule unless when",
		"write offered_if, in CEL":          "enabling_condition event_enabling_condition hidden_if shown_if visible_if",
		"write defaults: {field: value}":    "default default_values initial_values",
		"a transition without from creates": "creates initial",
		"write fields: [...]":               "data",
		"write name":                        "description label title",
		"write to":                          "destination target to_state",
		"write key":                         "event id trigger",
		"write from: [...]":                 "from_state source sources",
		"write required: [...]":             "mandatory needs required_fields requires",
	},
	"to": {
		"write when":                            "condition guard if precondition",
		"write state":                           "key target to",
		"the order of the list is the priority": "order priority rank",
	},
	"about_to_submit": {
		"write retries: [1s, 3s]":                    "attempts max_retries retry",
		"write retry_on: any":                        "retry_all retry_always retry_statuses",
		callbacksAreSigned:                           "auth headers secret token",
		"write url":                                  "callback endpoint href uri",
		"write url: https://...?ignore-warning=true": "ignore_warning ignore_warnings",
		"the callback is always asked by POST":       "method",
		"write failure_policy: fail or ignore":       "on_error on_failure policy",
		"write timeout: 3s":                          "timeout_ms timeout_seconds",
		"write when, in CEL":                         "condition filter if match_conditions only_if",
	},
	"precondition": {
		"write condition": "cel expression if rule when",
		"write message":   "description detail error reason text",
	},
	"access": {
		"administrators always may":          "admin",
		"write write: [...]":                 "create delete edit update",
		"write read: [...] and write: [...]": "roles",
		"write read: [...]":                  "view",
	},
	"documents": {
		"write template": "body content text",
		"write template: | and the text below it": "file",
		"write key":  "id",
		"write name": "label title",
	},
	"proofs": {
		"write key":                       "id",
		"write name":                      "label title",
		"proofs may be files of any type": "mime type",
		"nothing requires a proof; a callback may ask for one": "required",
	},
	"fields": {
		"write enum: [...]":      "choices one_of options values",
		"write x-classification": "classification security",
		"write an integer in minor units (cents), and a field of its own for the currency": "currency",
		"write $defs":           "definitions",
		"write items":           "element elements item of",
		"write examples: [...]": "example",
		"write properties":      "fields members",
		"write description":     "help hint",
		"write x-classification: PRIVATE or RESTRICTED": "hidden sensitive",
		"write title":                             "label name",
		"write indexed: true":                     "index sortable searchable filterable",
		"write minLength and maxLength":           "length",
		"write required: [...] beside properties": "mandatory",
		"write pattern":                           "match regex",
		"write maximum (of a number), maxLength (of text) or maxItems (of a list)":           "max",
		"write minimum (of a number), minLength (of text) or minItems (of a list)":           "min",
		"write type: [string, \"null\"]; null clears a field of a case anyway":               "nullable",
		"leave it out: a member that the object's required: [...] does not list is optional": "optional",
		"write multipleOf: 0.01, or better an integer in minor units (cents)":                "precision scale",
		"write readOnly; a transition's fields: [...] list what it may set":                  "readonly",
		"write $ref":        "ref",
		"write uniqueItems": "unique",
	},
})

const (
	aCaseBegins          = "a case begins in the state to which a transition without from leads"
	aStateIsFinal        = "write final: true in a state"
	aCallback            = "write about_to_submit: {url: ...}"
	aPrecondition        = "write precondition, in CEL: has(data.amount) && data.amount > 0"
	webhooksAreEndpoints = "receivers are endpoints, which are not part of a case type; a callback before a " +
		"transition is its about_to_submit: {url: ...}"
	callbacksAreSigned = "nothing is sent besides what is documented: the callback is signed with its " +
		"secret, which the server makes"
)

// jsonTypes maps the types of other languages to those of JSON Schema.
var jsonTypes = words(map[string]string{
	"boolean":                        "bool",
	"integer":                        "int int32 int64 long",
	"number":                         "float double real",
	money:                            "decimal money currency amount",
	"string":                         "str text varchar char",
	"string, with a pattern":         "phone",
	formatted("date"):                "date",
	formatted("date-time"):           "datetime date-time timestamp",
	formatted("time"):                "time",
	formatted("duration"):            "duration",
	formatted("email"):               "email",
	formatted("uri"):                 "uri url",
	formatted("uuid"):                "uuid",
	aList:                            "list tuple",
	aList + " and uniqueItems: true": "set",
	anObject:                         "map dict hash struct record group",
	"no type, and enum: [...]":       "enum choice select",
	"no type":                        "any",
	"no field: files are proofs":     "file",
	"no field: documents are made of templates, and files are proofs": "document",
	`"null"`: "none nil",
})

const (
	money    = "integer, in minor units (cents), which is exact; or number"
	aList    = "array, with items: {type: ...}"
	anObject = "object, with properties: below it"
)

func formatted(format string) string { return "string, with format: " + format }

// units maps what people write for a unit of time to the unit.
var units = words(map[string]string{
	"s": "s sec secs second seconds", "ms": "ms msec millis milliseconds",
	"m": "m min mins minute minutes", "h": "h hour hours",
})

func byKey(lists map[string]map[string]string) map[string]map[string]string {
	all := map[string]map[string]string{}
	for place, list := range lists {
		all[place] = words(list)
	}
	return all
}

// words inverts a map from values to lists of words, which are separated by spaces.
func words(lists map[string]string) map[string]string {
	all := map[string]string{}
	for value, list := range lists {
		for word := range strings.FieldsSeq(list) {
			all[word] = value
		}
	}
	return all
}
