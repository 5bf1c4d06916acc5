package casetype

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/schema"
	"github.com/casehook/casehook/internal/yaml"
)

// checker collects the faults of a document. Every check reads the tree as it was written and skips values
// of a wrong form, which [Schema] has reported already; so one pass lists everything.
type checker struct {
	stored      bool // checked when it was saved, by the rules of that time
	doc         *yaml.Document
	tree        map[string]any // the document with types of values replaced, see replaceTypes; nil: not yet
	wrong       Faults
	warnings    Faults
	variables   []variable // that URLs begin with
	budget      *schema.Budget
	stop        error          // why the checks ended early
	schema      *schema.Schema // of the fields, compiled
	programs    map[string]*expression.Program
	targets     map[string][]*expression.Program
	offers      map[string]*expression.Program
	whens       map[Point]*expression.Program
	rules       map[string][]compiledRule
	starts      map[string][]startValue
	defaults    map[string]*defaults // of the fields
	documents   bool                 // a field has documents
	required    []string             // by any transition; nil: not computed yet
	suggestions int                  // that were made
}

// spend takes steps from the budget and reports whether the checks go on.
func (c *checker) spend(steps int) bool {
	if c.stop == nil {
		c.stop = c.budget.Spend(steps)
	}
	return c.stop == nil
}

// maxSuggestions bounds how many faults of a definition get a suggestion.
const maxSuggestions = 50

func (c *checker) suggest(name string, names []string) string {
	if c.suggestions++; c.suggestions > maxSuggestions {
		return ""
	}
	return suggest(name, names)
}

// fault reports a fault at a path, on its line or that of the nearest value around it.
func (c *checker) fault(path, message string, args ...any) {
	if len(c.wrong) >= yaml.MaxFaults || !c.spend(100+len(path)) {
		return
	}
	c.wrong = append(c.wrong,
		Fault{Line: c.doc.PositionOf(path).Line, Path: path, Message: fmt.Sprintf(message, args...)})
}

func (c *checker) check() {
	c.form()
	c.replaceTypes()
	c.checkFields()
	states := c.keys("states")
	c.keys("documents")
	c.keys("proofs")
	c.keys("transitions")
	c.checkTransitions(states)
	c.checkRoleNames()
	c.checkEdit()
	c.checkReference()
	c.checkDocumentURLs()
	c.checkTemplates()
	c.checkBounds(c.root()["fields"], "/fields")
	c.compileFields()
	c.compileDefaults()
	c.checkStarts()
	c.checkSense()
}

// form validates the document by [Schema].
func (c *checker) form() {
	complaints, err := compiledDefinition().Validate(c.budget, c.doc.Value)
	if err != nil {
		c.stop = errors.Unwrap(err)
	}
	for _, complaint := range complaints {
		if c.unread(complaint.Path) {
			continue
		}
		c.fault(pointer("", complaint.Path...), "%s", c.formFault(complaint))
	}
}

// unread reports whether there is no value at a path because the reader has refused it.
func (c *checker) unread(path []string) bool {
	at := pointer("", path...)
	return len(path) > 0 && c.valueAt(path) == nil &&
		slices.ContainsFunc(c.doc.Faults, func(f yaml.Fault) bool { return f.Path == at })
}

// rolePattern is the pattern of the names of roles.
const rolePattern = `^([A-Za-z0-9][A-Za-z0-9_-]*|\[[A-Za-z0-9][A-Za-z0-9_-]*\])$`

// inWords explains the patterns of [Schema]. Lengths are not in the patterns: a pattern that counts characters costs
// more the further it counts, and there are many names in a large definition.
var inWords = map[string]string{
	`does not match the pattern ^[A-Za-z0-9][A-Za-z0-9_-]*$`: "is not a key: letters a to z and A to Z, digits, " +
		"_ and -, beginning with a letter or a digit, at most 70",
	`does not match the pattern ` + rolePattern: "is not a role: letters, digits, _ and -, at most 70, or the same in []",
	`does not match the pattern ^[^\x00-\x1f\x7f]+$`: "is not a name: one line of 1 to 200 " +
		"characters",
	`does not match the pattern ^[^\x00-\x1f\x7f]{1,500}$`: "is not a message: one line of 1 to 500 " +
		"characters",
	`does not match the pattern ^([a-z]{1,32}|#[0-9a-fA-F]{6})$`: "is not a colour: a name in small " +
		"letters, or #rrggbb",
	`does not match the pattern ^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`: "is not a process key: letters, digits, " +
		"_, . and -, at most 63",
	`does not match the pattern ^[A-Za-z0-9][A-Za-z0-9_.-]*$`: "is not the key of a page: letters, digits, " +
		"_, . and -, at most 70",
	`does not match the pattern ^([0-9]{1,6}(\.[0-9]{1,6})?(ms|s|m|h))+$`: "is not a duration such as 250ms, 5s " +
		"or 1m30s",
}

func (c *checker) root() map[string]any {
	if c.tree != nil {
		return c.tree
	}
	return object(c.doc.Value)
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

func items(v any) []any { l, _ := v.([]any); return l }

func text(v any) string { s, _ := v.(string); return s }

// keys checks that the keys in a list are unique, and returns them.
func (c *checker) keys(section string) []string {
	var keys []string
	first, folded := map[string]int{}, map[string]int{}
	for i, item := range items(c.root()[section]) {
		key := text(object(item)["key"])
		keys = append(keys, key)
		if key == "" {
			continue
		}
		path := pointer("", section, strconv.Itoa(i), "key")
		if before, taken := first[key]; taken {
			c.fault(path, "is the key of /%s/%d too", section, before)
			continue
		}
		first[key] = i
		if before, taken := folded[strings.ToLower(key)]; taken {
			c.warn(path, "differs from the key of /%s/%d in upper and lower case alone, which people and some "+
				"programs can't tell apart", section, before)
			continue
		}
		folded[strings.ToLower(key)] = i
	}
	return keys
}

func (c *checker) checkTransitions(states []string) {
	creates := false
	transitions := items(c.root()["transitions"])
	c.programs, c.targets = map[string]*expression.Program{}, map[string][]*expression.Program{}
	c.offers, c.whens = map[string]*expression.Program{}, map[Point]*expression.Program{}
	ofType := c.compileRules(c.root()["rules"], anyTransition, "/rules", states)
	c.rules = map[string][]compiledRule{}
	for i, item := range transitions {
		tr, path := object(item), pointer("", "transitions", strconv.Itoa(i))
		if tr == nil {
			continue
		}
		own := c.compileRules(tr["rules"], tr, path+"/rules", states)
		if all := slices.Concat(ofType, own); len(all) > 0 {
			c.rules[text(tr["key"])] = all
		}
		c.checkRoute(tr, path, states)
		creates = creates || tr["from"] == nil
		for j, name := range items(tr["fields"]) {
			c.checkFieldName(text(name), pointer(path, "fields", strconv.Itoa(j)))
		}
		c.checkRequired(tr, path)
		c.checkPrecondition(tr, path, states)
		c.compileTargets(tr, path, states)
		c.checkOffer(tr, path, states)
		c.checkCallbacks(tr, path, states)
	}
	for _, o := range operations {
		at := Point{Name: "@" + o.key, Question: AboutToSubmit}
		of := object(c.root()[o.key])
		c.checkCallbackList(callbackPoint{at, anyTransition, "/" + o.key, states}, of)
	}
	if !creates && len(transitions) > 0 {
		c.fault("/transitions", "has no transition without from, so no case can be created")
	}
}

// checkCallbacks checks the callbacks of a transition, and its pages.
func (c *checker) checkCallbacks(tr map[string]any, path string, states []string) {
	for _, q := range []Question{AboutToStart, AboutToSubmit, Submitted} {
		c.checkCallbackList(callbackPoint{Point{Name: text(tr["key"]), Question: q}, tr, path, states}, tr)
	}
	var keys []string
	fields := 0
	for i, item := range items(tr["pages"]) {
		page, at := object(item), pointer(path, "pages", strconv.Itoa(i))
		if first := slices.Index(keys, text(page["key"])); first >= 0 {
			c.fault(at+"/key", "is the key of %s/pages/%d too", path, first)
		}
		keys = append(keys, text(page["key"]))
		for j, field := range items(page["fields"]) {
			name, _, _ := strings.Cut(text(object(field)["name"]), ".") // it may name a member: vehicle.plate
			c.checkFieldName(name, pointer(at, "fields", strconv.Itoa(j), "name"))
			c.checkShown(object(field), pointer(at, "fields", strconv.Itoa(j)))
		}
		c.checkShown(page, at)
		fields += len(items(page["fields"]))
		left := Point{Name: text(tr["key"]), Question: MidEvent, Page: text(page["key"])}
		c.checkCallbackList(callbackPoint{left, tr, at, states}, page)
	}
	if fields > maxPageFields {
		c.fault(path+"/pages", "have %d fields, and %d are the most", fields, maxPageFields)
	}
}

// checkShown warns if consoles can't read the condition of a page, or of a field on one.
func (c *checker) checkShown(of map[string]any, path string) {
	source := text(of["show_if"])
	if c.stored || source == "" {
		return
	}
	if _, err := ParseShowCondition(source); err != nil {
		c.warn(path+"/show_if", "hides nothing, since consoles can't read it: it %v", err)
	}
}

// maxPageFields bounds the fields on all pages of a transition.
const maxPageFields = 5000

// checkRequired checks that a transition requires only fields, and ones that somebody can set before it or
// with it.
func (c *checker) checkRequired(tr map[string]any, path string) {
	for i, name := range texts(tr["required"]) {
		at := pointer(path, "required", strconv.Itoa(i))
		c.checkFieldName(name, at)
		schema, known := c.fieldSchemas()[name]
		if !known || sets(tr, name) || object(schema)["default"] != nil || c.ruleSets(tr, name) {
			continue
		}
		switch {
		case tr["from"] == nil:
			c.fault(at, "requires %[1]s, which cannot be set before: add %[1]s to fields, or give it a default", name)
		case !c.setBefore(name):
			c.fault(at, "requires %[1]s, which no transition sets: add %[1]s to fields, here or in another", name)
		}
	}
}

// setBefore reports whether people or a callback can set a field before some transition is submitted.
func (c *checker) setBefore(name string) bool {
	if object(c.root()["switch"])["about_to_submit"] != nil {
		return true
	}
	return slices.ContainsFunc(items(c.root()["transitions"]), func(other any) bool {
		return object(other)["about_to_submit"] != nil || sets(object(other), name)
	})
}

// requiredBefore lists the fields that any transition requires: the author has thought of where their
// values come from.
func (c *checker) requiredBefore() []string {
	if c.required == nil {
		c.required = []string{}
		for _, item := range items(c.root()["transitions"]) {
			c.required = append(c.required, texts(object(item)["required"])...)
		}
		slices.Sort(c.required)
		c.required = slices.Compact(c.required)
	}
	return c.required
}

// sets reports whether people may set a field by a transition.
func sets(tr map[string]any, name string) bool {
	return tr["fields"] == nil || slices.Contains(items(tr["fields"]), any(name))
}

func texts(v any) (all []string) {
	for _, item := range items(v) {
		all = append(all, text(item))
	}
	return all
}

// checkPrecondition compiles the precondition of a transition.
func (c *checker) checkPrecondition(tr map[string]any, path string, keys []string) {
	source, at := text(tr["precondition"]), path+"/precondition"
	if own := object(tr["precondition"]); own != nil {
		source, at = text(own["condition"]), at+"/condition"
	}
	if program := c.compile(tr, source, at, condition{language(), keys}); program != nil {
		c.programs[text(tr["key"])] = program
	}
}

// checkOffer compiles the condition under which lists offer a transition.
func (c *checker) checkOffer(tr map[string]any, path string, keys []string) {
	of := condition{offerLanguage(), keys}
	if program := c.compile(tr, text(tr["offered_if"]), path+"/offered_if", of); program != nil {
		c.offers[text(tr["key"])] = program
	}
}

// condition is what the conditions of transitions know besides the fields.
type condition struct {
	language *expression.Language
	states   []string
}

// compile compiles a condition of a transition. Stored definitions may be from a time when names were not checked.
func (c *checker) compile(tr map[string]any, source, at string, of condition) *expression.Program {
	return c.compileBy(of.language.CompileFor, tr, source, at, of)
}

// compileBy compiles an expression of a transition by a function of its language.
func (c *checker) compileBy(
	compile func(source string, shapes map[string]expression.Shape) expression.Compilation,
	tr map[string]any, source, at string, of condition,
) *expression.Program {
	if source == "" || !c.spend(expression.Steps(source)) {
		return nil
	}
	var shapes map[string]expression.Shape
	if !c.stored && c.fieldSchemas() != nil {
		needed := texts(tr["required"])
		if tr["from"] == nil {
			needed = append(needed, c.withDefault()...)
		} else {
			needed = append(needed, c.requiredBefore()...)
		}
		before := c.data(nil)
		before.assume = true
		shapes = map[string]expression.Shape{"data": c.data(needed), "before": before, "state": stateShape{c, of.states}}
	}
	compiled := compile(source, shapes)
	for _, wrong := range compiled.Faults {
		c.fault(at, "%s", wrong)
	}
	for _, doubtful := range compiled.Warnings {
		c.warn(at, "%s", doubtful)
	}
	return compiled.Program
}

// checkRoute checks the states from which and to which a transition leads.
func (c *checker) checkRoute(tr map[string]any, path string, states []string) {
	known := func(at string, v any) {
		if repeats(states) {
			return // a missing key may be the one that the repeated key was meant to be
		}
		if key, ok := v.(string); ok && key != "" && !slices.Contains(states, key) {
			c.fault(at, "%q is not a state%s", key,
				c.oneOf(key, slices.DeleteFunc(slices.Clone(states), func(key string) bool { return key == "" })))
		}
	}
	for i, from := range items(tr["from"]) {
		at := pointer(path, "from", strconv.Itoa(i))
		if from == Every {
			c.fault(at, `is "*", which is no state of a list: write from: "*" for every state`)
			continue
		}
		known(at, from)
	}
	c.checkTargets(tr, path+"/to", known)
	switch {
	case tr["from"] == nil && tr["to"] == nil:
		c.fault(path, "has neither from nor to: a creation needs to, an edit needs from")
	case tr["to"] == nil && tr["about_to_submit"] == nil && tr["rules"] == nil && tr["fields"] != nil && len(items(tr["fields"])) == 0:
		c.fault(path+"/fields", "is empty in an edit, which could then change nothing")
	}
}

// repeats reports whether a key is in a list twice.
func repeats(keys []string) bool {
	keys = slices.Sorted(slices.Values(keys))
	return len(slices.Compact(slices.Clone(keys))) < len(keys)
}

func (c *checker) checkFieldName(name, path string) {
	fields := c.fieldSchemas()
	if fields == nil || name == "" {
		return
	}
	if _, ok := fields[name]; !ok {
		c.fault(path, "%q is not a field%s", name, c.suggestField(name))
	}
}

func (c *checker) suggestField(name string) string {
	if c.suggestions >= maxSuggestions {
		return ""
	}
	return c.oneOf(name, slices.Sorted(maps.Keys(c.fieldSchemas())))
}

// callbackPoint is a point of a definition as it is written.
type callbackPoint struct {
	Point
	transition map[string]any
	path       string // of the object that has the callbacks of the point
	states     []string
}

// anyTransition stands for the transition of an operation that is none.
var anyTransition = map[string]any{"from": Every}

// checkCallbackList checks the callbacks of one point: one, or a list of several. In is the object that has them.
func (c *checker) checkCallbackList(p callbackPoint, in map[string]any) {
	v, path := in[string(p.Question)], p.path+"/"+string(p.Question)
	if ask := object(v); ask != nil {
		c.checkSettings(ask, path)
		c.compileWhen(p, ask, path)
		return
	}
	first := map[string]int{}
	var together Duration
	for i, item := range items(v) {
		at := pointer(path, strconv.Itoa(i))
		ask := object(item)
		if ask == nil {
			continue
		}
		together += c.checkSettings(ask, at)
		c.compileWhen(p, ask, at)
		key := text(ask["key"])
		switch before, taken := first[key]; {
		case taken && key == "":
			c.fault(at, "has no key, and neither has %s/%d: of several callbacks, all but one need a key", path, before)
		case taken:
			c.fault(at+"/key", "is the key of %s/%d too", path, before)
		default:
			first[key] = i
		}
	}
	if together > MaxBudget {
		c.fault(path, "have budgets of %s together, and %s is the most: write shorter ones", time.Duration(together),
			time.Duration(MaxBudget))
	}
}

// checkURL checks the URL of a callback that is put.
func (c *checker) checkURL(raw, path string) {
	if c.stored {
		return
	}
	if match := leadingVariable.FindStringSubmatch(raw); match != nil {
		c.variables = append(c.variables, variable{match[1], Fault{Line: c.doc.PositionOf(path).Line, Path: path}})
	}
	if message := checkCallbackURL(raw); message != "" {
		c.fault(path, "%s", message)
	}
}

// checkSettings checks the settings of a callback, and returns its budget.
func (c *checker) checkSettings(ask map[string]any, path string) Duration {
	if url, isText := ask["url"].(string); ask["url"] == nil || isText && strings.TrimSpace(url) == "" {
		c.warn(path, "has no URL, so that nobody is asked")
	}
	if raw := text(ask["url"]); strings.TrimSpace(raw) != "" {
		c.checkURL(raw, path+"/url")
	}
	if shadow, ok := ask["shadow"].(map[string]any); ok {
		raw := text(shadow["url"])
		c.checkURL(raw, path+"/shadow/url")
		if strings.HasPrefix(raw, pullPrefix) {
			c.fault(path+"/shadow/url", "is a queue; a shadow has a URL that is called")
		}
	}
	timeout := c.duration(ask["timeout"], DefaultTimeout, MaxTimeout, path+"/timeout")
	budget := c.duration(ask["budget"], DefaultBudget, MaxBudget, path+"/budget")
	for i, wait := range items(ask["retries"]) {
		c.duration(wait, 0, MaxRetryWait, pointer(path, "retries", strconv.Itoa(i)))
	}
	if budget < timeout {
		at := path + "/budget"
		if ask["budget"] == nil {
			at = path + "/timeout"
		}
		c.fault(at, "makes the budget for all attempts (%s) shorter than the timeout of one (%s): write a longer "+
			"budget or a shorter timeout", time.Duration(budget), time.Duration(timeout))
	}
	return budget
}

// duration reads a duration above 0 and up to most.
func (c *checker) duration(v any, absent, most Duration, path string) Duration {
	var d Duration
	written, ok := v.(string)
	if !ok || d.UnmarshalText([]byte(written)) != nil || d < 0 {
		return absent // the schema has reported it
	}
	if d <= 0 || d > most {
		c.fault(path, "is not above 0 and at most %s", time.Duration(most))
		return absent
	}
	return d
}

func (c *checker) checkEdit() {
	edit := text(c.root()["edit"])
	if edit == "" {
		return
	}
	var keys []string
	for _, item := range items(c.root()["transitions"]) {
		tr := object(item)
		keys = append(keys, text(tr["key"]))
		if tr["key"] == edit {
			if tr["from"] == nil || tr["to"] != nil {
				c.fault("/edit", "names the transition %q, which is no edit: an edit has from and no to", edit)
			}
			return
		}
	}
	if slices.ContainsFunc(items(c.root()["states"]), func(state any) bool { return object(state)["key"] == edit }) {
		c.fault("/edit", "%q names a state; an edit is a transition that has from and no to", edit)
		return
	}
	c.fault("/edit", "%q is not a transition%s", edit, c.oneOf(edit, keys))
}

func (c *checker) checkReference() {
	if pattern := text(c.root()["reference"]); pattern != "" {
		if message := checkReferencePattern(pattern); message != "" {
			c.fault("/reference", "%s", message)
		}
	}
}

func (c *checker) checkTemplates() {
	if template := text(c.root()["name_template"]); template != "" {
		c.checkTemplate(template, "/name_template", "case.reference", "case.id", "case.state")
	}
	for i, document := range items(c.root()["documents"]) {
		if template := text(object(document)["template"]); template != "" {
			path := pointer("", "documents", strconv.Itoa(i), "template")
			c.checkTemplate(template, path, "case.reference", "case.id", "case.state", "case.name")
		}
	}
}

// checkTemplate checks that each placeholder names a field, or one of the known properties of every case.
func (c *checker) checkTemplate(template, path string, known ...string) {
	parts, err := parseTemplate(template)
	if err != nil {
		c.fault(path, "%s", err)
		return
	}
	c.warnOfBraces(parts, path)
	seen := map[string]bool{}
	for _, part := range parts {
		name := part.placeholder
		if name == "" || seen[name] || slices.Contains(known, name) || !c.spend(20) {
			continue
		}
		seen[name] = true
		tokens := strings.Split(name, ".")
		if tokens[0] == "case" {
			c.fault(path, "{%s} is not one of {%s}", name, strings.Join(known, "}, {"))
			continue
		}
		c.checkPlaceholder(tokens, path)
	}
}

// checkPlaceholder checks that the names of a placeholder lead to a value that data may have.
func (c *checker) checkPlaceholder(tokens []string, path string) {
	var at expression.Shape = c.data(nil)
	for i, token := range tokens {
		member, ok := at.Member(token)
		name := strings.Join(tokens[:i+1], ".")
		switch {
		case ok && member == nil:
			return
		case ok:
			at = member
			continue
		case at.Kinds() == expression.ListKind:
			base := strings.Join(tokens[:i], ".")
			c.fault(path, "{%s} is not a field: %s is a list, which {%s} writes as a whole", name, base, base)
		case i == 0 || at.Kinds() == 0 || at.Kinds()&expression.ObjectKind != 0:
			c.fault(path, "{%s} is not a field%s", name, at.Near(token))
		default:
			base := strings.Join(tokens[:i], ".")
			c.fault(path, "{%s} is not a field: %s is %s; write {%s}", name, base, at.Kinds(), base)
		}
		return
	}
}
