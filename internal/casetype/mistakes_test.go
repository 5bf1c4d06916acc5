package casetype_test

import (
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/casetype"
)

// permit is a definition as a newcomer writes one.
const permit = `key: permit
name: Building permit
name_template: "{applicant}"
fields:
  type: object
  required: [applicant]
  properties:
    applicant: {type: string}
    cost: {type: integer, minimum: 0}
    urgent: {type: boolean}
    begins_on: {type: string, format: date}
    site:
      type: object
      required: [city]
      properties:
        street: {type: string}
        city: {type: string}
    parts:
      type: array
      items:
        type: object
        properties:
          label: {type: string}
          area: {type: number}
    kind: {enum: [new_building, repair]}
    kinds: {type: array, items: {enum: [a, b]}}
states:
  - key: draft
  - key: review
  - key: granted
    final: true
transitions:
  - key: create
    to: draft
  - key: edit
    from: [draft]
  - key: hand_in
    from: [draft]
    to: review
    precondition: has(data.cost) && data.cost > 0
    about_to_submit:
      url: https://example.com/ask
  - key: grant
    from: [review]
    to: granted
    roles: [manager]
edit: edit
documents:
  - key: notice
    template: "# {case.reference} of {applicant}"
`

// mistakes are edits that newcomers make: old becomes new, and the message at the path, on the line marked "# <-"
// (or the given line), names the remedy.
var mistakes = []struct {
	name, old, new, path, remedy string
	line                         int
}{
	{"a duration without a unit", "/ask\n", "/ask\n      timeout: 3 # <-\n", "/transitions/2/about_to_submit/timeout", "is a number without a unit: write 3s", 0},
	{"a duration with a long unit", "/ask\n", "/ask\n      budget: 20 seconds # <-\n", "/transitions/2/about_to_submit/budget", "write 20s", 0},
	{"waits without units", "/ask\n", "/ask\n      retries: [1, 2] # <-\n", "/transitions/2/about_to_submit/retries/1", "write 2s", 0},
	{"retries that are counted", "/ask\n", "/ask\n      retries: 3 # <-\n", "/transitions/2/about_to_submit/retries", "[1s, 3s]", 0},
	{"a callback with a method", "/ask\n", "/ask\n      method: POST # <-\n", "/transitions/2/about_to_submit/method", "always asked by POST", 0},
	{"a callback with headers", "/ask\n", "/ask\n      headers: {X-Key: abc} # <-\n", "/transitions/2/about_to_submit/headers", "signed with its secret", 0},
	{"a callback that is a URL", "    about_to_submit:\n      url: https://example.com/ask", "    about_to_submit: https://example.com/ask # <-", "/transitions/2/about_to_submit", "write {url: https://example.com/ask}", 0},
	{"a callback by another name", "    about_to_submit:\n", "    callback: # <-\n", "/transitions/2/callback", "write about_to_submit: {url: ...}", 0},
	{"a webhook in a transition", "    about_to_submit:\n      url: https://example.com/ask", "    webhook: https://example.com/ask # <-", "/transitions/2/webhook", "write about_to_submit: {url: ...}", 0},
	{"a condition by another name", "precondition:", "guard: # <-\n     ", "/transitions/2/guard", "write precondition, in CEL", 0},
	{"a role by another name", "roles: [manager]", "role: manager # <-", "/transitions/3/role", "write roles: [caseworker]", 0},
	{"a role that is text", "roles: [manager]", "roles: manager # <-", "/transitions/3/roles", "write a list of some of admin, manager", 0},
	{"a role that does not exist", "roles: [manager]", "roles: [clerk] # <-", "/transitions/3/roles/0", "admin, manager, caseworker, viewer", 0},
	{"a state that says it is the first", "- key: draft\n", "- key: draft\n    initial: true # <-\n", "/states/0/initial", "a transition without from leads; there are key, name, color, outcome, final", 0},
	{"states that are final elsewhere", "edit: edit\n", "edit: edit\nfinal_states: [granted] # <-\n", "/final_states", "write final: true in a state", 0},
	{"events", "edit: edit\n", "edit: edit\nevents: [] # <-\n", "/events", "write transitions for what people submit", 0},
	{"a title instead of a name", "name: Building permit", "title: Building permit # <-", "/title", "write name", 0},
	{"a label of a field", "{type: boolean}", "{type: boolean, label: Urgent} # <-", "/fields/properties/urgent/label", "write title", 0},
	{"a type of another language", "type: boolean", "type: bool", "/fields/properties/urgent/type", "write boolean", 10},
	{"a date that is a type", "{type: string, format: date}", "{type: date} # <-", "/fields/properties/begins_on/type", "write string, with format: date", 0},
	{"money that is a type", "type: integer, minimum: 0", "type: decimal", "/fields/properties/cost/type", "integer, in minor units (cents)", 9},
	{"a list that is a type", "type: array", "type: list # <-", "/fields/properties/parts/type", "write array, with items", 0},
	{"a format that is spelt otherwise", "format: date}", "format: datetime} # <-", "/fields/properties/begins_on/format", `did you mean "date-time"`, 0},
	{"a field that is its type", "{type: boolean}", "boolean # <-", "/fields/properties/urgent", "write {type: boolean}", 0},
	{"a field whose schema is not indented", "urgent: {type: boolean}", "urgent: # <-\n    type: boolean", "/fields/properties/urgent", "indent the one below it", 0},
	{"items that are a type", "      items:\n        type: object\n        properties:\n          label: {type: string}\n          area: {type: number}", "      items: string # <-", "/fields/properties/parts/items", "write {type: string}", 0},
	{"items that are a list", "      items:\n        type: object\n        properties:\n          label: {type: string}\n          area: {type: number}", "      items: [string] # <-", "/fields/properties/parts/items", "write {type: string}, the schema of each item", 0},
	{"a field that says it is required", "applicant: {type: string}", "applicant: {type: string, required: true}", "/fields/properties/applicant/required", "required: [applicant]", 8},
	{"an enum that is text", "applicant: {type: string}", "applicant: {enum: red}", "/fields/properties/applicant/enum", "write [red]", 8},
	{"options", "applicant: {type: string}", "applicant: {type: string, options: [a, b]}", "/fields/properties/applicant/options", "write enum: [...]", 8},
	{"a bound in quotes", "minimum: 0", `minimum: "0"`, "/fields/properties/cost/minimum", "write it without quotes", 9},
	{"fields without properties", "  type: object\n  required: [applicant]\n  properties:\n    applicant: {type: string}\n", "  applicant: {type: string} # <-\n  type: object\n  properties:\n", "/fields/applicant", "stand below properties", 0},
	{"a field without properties whose name is like a keyword", "  type: object\n  required: [applicant]\n  properties:\n    applicant: {type: string}\n", "  cost: {type: string} # <-\n  type: object\n  properties:\n", "/fields/cost", "fields stand below properties", 0},
	{"a field with a letter of one's own", "urgent:", "größe:", "/fields/properties/größe", "letters a to z and A to Z", 10},
	{"a condition that is true", "precondition: has(data.cost) && data.cost > 0", "precondition: true # <-", "/transitions/2/precondition", "is true or false, not a condition: write it in quotes", 0},
	{"from that is empty", "from: [review]", "from: [] # <-", "/transitions/3/from", "is an empty list: write the states that it leads from", 0},
	{"a state twice", "- key: review\n", "- key: draft # <-\n", "/states/1/key", "is the key of /states/0 too", 0},
	{"yes for true", "final: true", "final: yes # <-", "/states/2/final", "write true", 0},
	{"a state with a blank", "- key: granted", "- key: Permit granted # <-", "/states/2/key", "write permit_granted", 0},
	{"a state that is text", "- key: review", "- review # <-", "/states/1", "write {key: review}", 0},
	{"from that is text", "from: [review]", "from: review # <-", "/transitions/3/from", `write [review], or "*" for every state`, 0},
	{"to that is a list", "to: granted", "to: [granted] # <-", "/transitions/3/to/0", "write {when: ..., state: granted}", 0},
	{"targets without a default", "to: granted", "to: [{when: 'data.cost > 0', state: granted}] # <-", "/transitions/3/to/0/when", "end the list with {state: ...}", 0},
	{"a target behind the default", "to: granted", "to: [{state: granted}, {state: draft}] # <-", "/transitions/3/to/0", "the targets behind it are never taken", 0},
	{"a target that is not there", "to: granted", "to: [{when: has(data.cost), state: grantd}, {state: draft}] # <-", "/transitions/3/to/0/state", `"grantd" is not a state (did you mean "granted"?)`, 0},
	{"a condition of a target on what is not there", "to: granted", "to: [{when: has(data.cots), state: granted}, {state: draft}] # <-", "/transitions/3/to/0/when", `reads data.cots, which is not a field (did you mean "cost"?)`, 0},
	{"a target that is a condition", "to: granted", "to: [{if: has(data.cost), state: granted}, {state: draft}] # <-", "/transitions/3/to/0/if", "write when", 0},
	{"targets that all stay", "to: granted", "to: [{when: has(data.cost), state: \"*\"}, {state: \"*\"}] # <-", "/transitions/3/to", "leads nowhere", 0},
	{"to that stays", "to: granted", "to: \"*\" # <-", "/transitions/3/to", "leave to out", 0},
	{"a new case that stays", "to: draft\n", "to: [{when: has(data.cost), state: \"*\"}, {state: draft}] # <-\n", "/transitions/0/to/0/state", "a new case has none", 0},
	{"every state in a list", "from: [review]", "from: [\"*\"] # <-", "/transitions/3/from/0", "write from: \"*\"", 0},
	{"a state that is not there", "to: granted", "to: finished # <-", "/transitions/3/to", "there are draft, review, granted", 0},
	{"a creation without to", "    to: draft\n", "", "/transitions/0", "a creation needs to", 0},
	{"edit that names a state", "edit: edit\n", "edit: draft # <-\n", "/edit", "names a state; an edit is a transition", 0},
	{"a key twice", "    roles: [manager]\n", "    roles: [manager]\n    roles: [admin] # <-\n", "/transitions/3/roles", "the first is on line", 0},
	{"a tab", "    site:\n      type: object\n", "    site:\n\ttype: object\n", "", "indent with spaces, not with tabs", 13},
	{"a key that is indented otherwise", "    roles: [manager]\n", "     roles: [manager] # <-\n", "", "indent a key exactly like those beside it", 0},
	{"a colon in a text", "name: Building permit", "name: Permit: building # <-", "", "put a text that holds a colon in quotes", 0},
	{"a template without quotes", `"{applicant}"`, "{applicant} # <-", "/name_template", "put it in quotes", 0},
	{"a template with double braces", `"{applicant}"`, "{{applicant}} # <-", "/name_template", "put a text that begins with {, [ or ? in quotes", 0},
	{"a condition on a field that is not there", "data.cost > 0", "data.cots > 0 # <-", "/transitions/2/precondition", `reads data.cots, which is not a field (did you mean "cost"?)`, 0},
	{"a condition on two fields that are not there", "data.cost > 0", "data.cots > before.citty # <-", "/transitions/2/precondition", "reads before.citty, which is not a field", 0},
	{"has() of a field that is not there", "has(data.cost)", "has(data.costs)", "/transitions/2/precondition", `reads data.costs, which is not a field (did you mean "cost"?)`, 40},
	{"a condition on a member that is not there", "data.cost > 0", "data.site.zip != '' # <-", "/transitions/2/precondition", "reads data.site.zip, which is not a field of data.site; there are city, street", 0},
	{"a condition on a member of text", "data.cost > 0", "data.applicant.name != '' # <-", "/transitions/2/precondition", "data.applicant is text, which has no members", 0},
	{"a condition on a member of a list", "data.cost > 0", "data.parts.label != '' # <-", "/transitions/2/precondition", "data.parts is a list, which has no members", 0},
	{"a condition on a member of an item", "data.cost > 0", "data.parts.all(p, p.aera > 0) # <-", "/transitions/2/precondition", `reads p.aera, which is not a field of p (did you mean "area"?)`, 0},
	{"a condition on a member of an item in a filtered list", "data.cost > 0", "data.parts.filter(p, has(p.area)).exists(q, q.lable == 'a') # <-", "/transitions/2/precondition", `reads q.lable, which is not a field of q (did you mean "label"?)`, 0},
	{"a condition on a member in brackets", "data.cost > 0", "data['cots'] > 0 # <-", "/transitions/2/precondition", "reads data.cots, which is not a field", 0},
	{"a name that is asked for with in", "data.cost > 0", "'cots' in data # <-", "/transitions/2/precondition", "reads data.cots, which is not a field", 0},
	{"a condition on a field without data", "data.cost > 0", "cost > 0 # <-", "/transitions/2/precondition", "a field is read as data.cost", 0},
	{"a condition on something that is not there", "data.cost > 0", "user == 'a' # <-", "/transitions/2/precondition", "there are data, before, state, name", 0},
	{"= for ==", "data.cost > 0", "data.cost = 0 # <-", "/transitions/2/precondition", "equality is written ==", 0},
	{"and for &&", "has(data.cost) && data.cost > 0", "has(data.cost) and data.cost > 0", "/transitions/2/precondition", "and is written &&", 40},
	{"a number for a condition", "has(data.cost) && data.cost > 0", "data.cost # <-", "/transitions/2/precondition", "uses data.cost, which is a number, as a condition: compare it, data.cost > 0", 0},
	{"a sum for a condition", "has(data.cost) && data.cost > 0", "data.cost + 1 # <-", "/transitions/2/precondition", "uses a number as a condition: compare it", 0},
	{"a number that is negated", "has(data.cost) && data.cost > 0", "has(data.cost) && !(data.cost) # <-", "/transitions/2/precondition", "uses data.cost, which is a number, as a condition", 0},
	{"a text for a condition", "has(data.cost) && data.cost > 0", "data.applicant # <-", "/transitions/2/precondition", "compare it, data.applicant != \"\"", 0},
	{"a list for a condition", "has(data.cost) && data.cost > 0", "data.parts # <-", "/transitions/2/precondition", "compare it, size(data.parts) > 0", 0},
	{"the size of a number", "has(data.cost) && data.cost > 0", "size(data.cost) > 0 # <-", "/transitions/2/precondition", "takes the size of data.cost, which is a number: size() is that of text", 0},
	{"the size of a number as its member", "has(data.cost) && data.cost > 0", "data.cost.size() > 0 # <-", "/transitions/2/precondition", "takes the size of data.cost, which is a number: size() is that of text", 0},
	{"a date that is compared with a time", "data.cost > 0", `data.begins_on > timestamp("2026-01-01T00:00:00Z") # <-`, "/transitions/2/precondition", "write timestamp(data.begins_on)", 0},
	{"a number that is compared with text", "data.cost > 0", `data.cost > "0" # <-`, "/transitions/2/precondition", "numbers are written without quotes", 0},
	{"a condition by another name in its object", "precondition: has(data.cost) && data.cost > 0", "precondition: {cel: has(data.cost)} # <-", "/transitions/2/precondition/cel", "write condition", 0},
	{"a message of two lines", "precondition: has(data.cost) && data.cost > 0", `precondition: {condition: has(data.cost), message: "a\nb"} # <-`, "/transitions/2/precondition/message", "one line of 1 to 500 characters", 0},
	{"a template of a member that is not there", "of {applicant}", "of {site.zip}", "/documents/0/template", "{site.zip} is not a field; there are city, street", 50},
	{"a template of a member of a list", "of {applicant}", "of {parts.label}", "/documents/0/template", "parts is a list, which {parts} writes as a whole", 50},
	{"a template of a field that is spelt otherwise", "of {applicant}", "of {applcant}", "/documents/0/template", `{applcant} is not a field (did you mean "applicant"?)`, 50},
	{"a variable of a shell in a template", "of {applicant}", "of ${aplicant}", "/documents/0/template", `did you mean "applicant"`, 50},
	{"a transition that requires what is no field", "roles: [manager]", "required: [cots] # <-", "/transitions/3/required/0", `"cots" is not a field (did you mean "cost"?)`, 0},
	{"a transition that is required", "roles: [manager]", "required: true # <-", "/transitions/3/required", "[amount]", 0},
	{"a creation that requires what it may not set", "    to: draft\n", "    to: draft\n    fields: [applicant]\n    required: [cost] # <-\n", "/transitions/0/required/0", "add cost to fields, or give it a default", 0},
	{"required fields by another name", "roles: [manager]", "mandatory: [cost] # <-", "/transitions/3/mandatory", "write required: [...]", 0},
	{"a default of another type", "{type: boolean}", "{type: boolean, default: 3} # <-", "/fields/properties/urgent/default", "does not fit its own schema: is a number, not true or false", 0},
	{"a default of a member that does not fit", "{type: string}\n    parts", "{type: string, maxLength: 1, default: ab} # <-\n    parts", "/fields/properties/site/properties/city/default", "is longer than 1 character", 0},
	{"a default of items", "label: {type: string}", "label: {type: string, default: a} # <-", "/fields/properties/parts/items/properties/label/default", "has no effect here", 0},
	{"a default of nothing", "{type: boolean}", "{type: boolean, default: null} # <-", "/fields/properties/urgent/default", "leave it out", 0},
	{"a URL without its scheme", "https://example.com/ask", "example.com/ask # <-", "/transitions/2/about_to_submit/url", "http:// or https://", 0},
}

func TestFaultsOfTypicalMistakesNameTheirRemedies(t *testing.T) {
	if _, err := casetype.Parse("", []byte(permit)); err != nil {
		t.Fatalf("the definition has faults:\n%v", err)
	}
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			spoilt(t, permit, wrong{m.name, m.old, m.new, m.path, m.remedy}, m.line)
		})
	}
}

func TestAConditionThatBeginsWithATagIsOneFault(t *testing.T) {
	faults := faultsOf(t, strings.Replace(permit, "precondition: has", "precondition: !has", 1))
	if len(faults) != 1 || !strings.Contains(faults[0].Message, "put a text that begins with ! in quotes") {
		t.Errorf("%v", faults)
	}
	faults = faultsOf(t, permit+"x: @\n")
	if !strings.Contains(faults.Error(), "yaml:51: is not YAML: ") {
		t.Errorf("%v, want no path where it is about the whole", faults)
	}
}
