// Package casetype defines case types: their fields, states, transitions, documents, proofs and callbacks.
// It reads definitions from YAML or JSON, lists every fault in a wrong one with its line, and validates a
// case's data. It is pure.
package casetype

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/yaml"
)

// Definition is one version of a case type, as written by people.
type Definition struct {
	Key            string              `json:"key"`
	Name           string              `json:"name"`
	Kind           Kind                `json:"kind,omitempty"`                    // default case
	IDs            IDs                 `json:"ids,omitempty"`                     // of its cases; empty: random
	ProcessKey     string              `json:"process_key,omitempty"`             // of the process its cases belong to
	Outcome        string              `json:"outcome,omitempty"`                 // what its cases produce; empty: nothing
	Reference      string              `json:"reference,omitempty"`               // "KYC-{seq:04}"; default KEY-{seq}
	NameTemplate   string              `json:"name_template,omitempty"`           // "{client_name}"; default the reference
	Color          string              `json:"color,omitempty"`                   // of cases whose state has none
	Classification Classification      `json:"security_classification,omitempty"` // default PUBLIC
	Blank          Blank               `json:"blank,omitempty"`                   // empty: BlankRefused
	Fields         json.RawMessage     `json:"fields"`                            // JSON Schema 2020-12 of the data
	States         []State             `json:"states"`
	Transitions    []Transition        `json:"transitions"`
	Rules          []Rule              `json:"rules,omitempty"`
	Edit           string              `json:"edit,omitempty"` // the transition that is the plain edit; empty: none
	Documents      []Document          `json:"documents,omitempty"`
	Proofs         []Proof             `json:"proofs,omitempty"`
	Roles          map[string]TypeRole `json:"roles,omitempty"`           // besides those of users and tokens
	RoleMap        RoleMap             `json:"role_map,omitempty"`        // who has a role of the type; see [RoleMap]
	Access         Access              `json:"access,omitzero"`           // default: whatever the roles allow
	Switch         *CaseOperation      `json:"switch,omitempty"`          // absent: no callback is asked about a switch to or from it
	Delete         *CaseOperation      `json:"delete,omitempty"`          // absent: no callback is asked about a deletion
	Assign         *CaseOperation      `json:"assign,omitempty"`          // absent: no callback is asked about assignees
	Label          *CaseOperation      `json:"label,omitempty"`           // absent: no callback is asked about labels
	Comment        *CaseOperation      `json:"comment,omitempty"`         // absent: no callback is asked about comments
	CallbackSecret SecretScope         `json:"callback_secret,omitempty"` // empty: SecretPerTransition
	Dialect        Dialect             `json:"dialect,omitempty"`         // empty: QuickCase
	DocumentURLs   []string            `json:"document_urls,omitempty"`   // prefixes of documents kept elsewhere
	Jurisdiction   string              `json:"jurisdiction,omitempty"`    // that CCD's dialect names; empty: none
}

// Blank determines whether null, "" and {} are valid for every part of the data, whatever its schema says.
type Blank string

// The settings of blank values.
const (
	BlankRefused Blank = "refuse" // they are judged as other values are
	BlankAllowed Blank = "allow"  // they are valid, as in CCD
)

// Dialect determines the bodies of questions to the type's callbacks, and of their answers.
type Dialect string

// The dialects.
const (
	QuickCase Dialect = "quickcase"
	CCD       Dialect = "ccd"
)

// SecretScope determines which callbacks sign their questions with the same secret.
type SecretScope string

// The scopes of secrets.
const (
	SecretPerTransition SecretScope = "transition" // each callback, those of operations too
	SecretPerType       SecretScope = "type"       // the case type: its callbacks share one
)

// CaseOperation configures an operation on a case that is no transition.
type CaseOperation struct {
	AboutToSubmit CallbackList `json:"about_to_submit"`
}

// operation is a kind of operation with callbacks, and where a definition has them.
type operation struct {
	key  string // in a definition; with an @ before it, the name of the callbacks
	from func(*Definition) **CaseOperation
}

// operations lists the kinds of operations, in the order of [Definition.Callbacks].
var operations = []operation{
	{"switch", func(d *Definition) **CaseOperation { return &d.Switch }},
	{"delete", func(d *Definition) **CaseOperation { return &d.Delete }},
	{"assign", func(d *Definition) **CaseOperation { return &d.Assign }},
	{"label", func(d *Definition) **CaseOperation { return &d.Label }},
	{"comment", func(d *Definition) **CaseOperation { return &d.Comment }},
}

// OperationCallbacks returns the callbacks that are asked about an operation; none if nobody is asked.
func (d *Definition) OperationCallbacks(name string) CallbackList {
	for _, o := range operations {
		if own := *o.from(d); "@"+o.key == name && own != nil {
			return own.AboutToSubmit
		}
	}
	return nil
}

// Access restricts which roles may read and write the cases of a type. An absent list restricts nothing;
// administrators need not be listed.
type Access struct {
	Read   []string               `json:"read,omitzero"`    // roles that may read
	Write  []string               `json:"write,omitzero"`   // roles that may write, if they may read
	States map[string]StateAccess `json:"states,omitempty"` // by state
	Fields map[string]FieldAccess `json:"fields,omitempty"` // by field
}

// FieldAccess restricts which roles may read a field, of those that may read the case and are cleared for the field,
// and which may set it, of those that may submit a transition which sets it.
type FieldAccess struct {
	Read   []string `json:"read,omitzero"`   // roles that see it
	Create []string `json:"create,omitzero"` // roles that may set it when a case is created
	Update []string `json:"update,omitzero"` // roles that may change it afterwards
}

// StateAccess restricts which roles may do something with cases in a state.
type StateAccess struct {
	Read   []string `json:"read,omitzero"`   // roles that may read them
	Update []string `json:"update,omitzero"` // roles that may submit transitions of them
}

// Setters returns the roles that may set a field of a new case, or change that of a case; nil: all.
func (a Access) Setters(field string, creates bool) []string {
	if creates {
		return a.Fields[field].Create
	}
	return a.Fields[field].Update
}

// Kind says whether the cases are claims.
type Kind string

// The kinds.
const (
	Case  Kind = "case"
	Claim Kind = "claim"
)

// IDs says how ids are drawn.
type IDs string

// The ways to draw ids.
const (
	RandomIDs     IDs = "random"     // 16 digits, which do not reveal how many there are
	SequentialIDs IDs = "sequential" // 1, 2, 3, ... within a tenant, for columns of 32 bits
)

// State is a stage in the life of a case.
type State struct {
	Key     string  `json:"key"`
	Name    string  `json:"name,omitempty"`
	Color   string  `json:"color,omitempty"`
	Outcome Outcome `json:"outcome,omitempty"`
	Final   bool    `json:"final,omitempty"`
}

// Outcome is the decision that entering a state means.
type Outcome string

// The outcomes.
const (
	Approved Outcome = "approved"
	Declined Outcome = "declined"
)

// Transition creates a case (no From), edits it (no To), or moves its state.
type Transition struct {
	Key          string       `json:"key"`
	Name         string       `json:"name,omitempty"`
	From         Origins      `json:"from,omitempty"`  // states it may be submitted in; none: it creates
	To           Targets      `json:"to,omitempty"`    // states it leads to; none: an edit, which stays
	Fields       []string     `json:"fields,omitzero"` // fields it may set; absent: all, empty: none
	Precondition Precondition `json:"precondition,omitzero"`
	OfferedIf    string       `json:"offered_if,omitempty"` // in CEL; false: lists do not offer it; empty: they do

	Defaults map[string]json.RawMessage `json:"defaults,omitempty"` // by path with dots; put in at a start where nothing is
	Nullify  []string                   `json:"nullify,omitempty"`  // fields that are blank at a start where nothing is

	Rules         []Rule       `json:"rules,omitempty"`    // once built, behind those of the type
	Required      []string     `json:"required,omitempty"` // fields that are set afterwards, besides those that the schema requires
	Roles         []string     `json:"roles,omitzero"`     // that may submit it, of those that may write; absent: all
	AboutToStart  CallbackList `json:"about_to_start,omitempty"`
	AboutToSubmit CallbackList `json:"about_to_submit,omitempty"`
	Submitted     CallbackList `json:"submitted,omitempty"`
	Pages         []Page       `json:"pages,omitempty"` // of its form, for consoles; submissions don't depend on them
}

// Page is a page of a transition's form.
type Page struct {
	Key      string       `json:"key"`
	Name     string       `json:"name,omitempty"`
	ShowIf   string       `json:"show_if,omitempty"` // a condition that consoles evaluate, as it is written
	Fields   []PageField  `json:"fields,omitempty"`
	MidEvent CallbackList `json:"mid_event,omitempty"` // asked when the page is left
}

// PageField is a field on a page, or a label alone.
type PageField struct {
	Name   string `json:"name,omitempty"` // of the field; empty: it is a label
	Use    string `json:"use,omitempty"`  // mandatory, optional, readonly, complex, hidden; empty: optional
	Label  string `json:"label,omitempty"`
	ShowIf string `json:"show_if,omitempty"`
}

// Precondition is a condition that has to be true for a transition to be submitted.
type Precondition struct {
	Condition string // in CEL; empty: there is none
	Message   string // shown when it does not hold; empty: the fields that it depends on are named
}

// preconditionObject is a precondition with a message, as it is written.
type preconditionObject struct {
	Condition string `json:"condition"`
	Message   string `json:"message,omitempty"`
}

// MarshalJSON writes a precondition without a message as the text of its condition.
func (p Precondition) MarshalJSON() ([]byte, error) {
	if p.Message == "" {
		return yaml.JSON(p.Condition)
	}
	return yaml.JSON(preconditionObject(p))
}

// UnmarshalJSON reads a text, or an object with a condition and a message.
func (p *Precondition) UnmarshalJSON(raw []byte) error {
	if json.Unmarshal(raw, &p.Condition) == nil {
		return nil
	}
	return json.Unmarshal(raw, (*preconditionObject)(p))
}

// CallbackList has the callbacks of one point, in the order in which they are asked. One alone is written as an object.
type CallbackList []CallbackSettings

// MarshalJSON writes an object, or a list of several.
func (l CallbackList) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return yaml.JSON(l[0])
	}
	return yaml.JSON([]CallbackSettings(l))
}

// UnmarshalJSON reads an object, or a list of them.
func (l *CallbackList) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(raw, []byte("[")) {
		return json.Unmarshal(raw, (*[]CallbackSettings)(l))
	}
	*l = make(CallbackList, 1)
	return json.Unmarshal(raw, &(*l)[0])
}

// Always reports whether a callback is asked in any case.
func (l CallbackList) Always() bool {
	return slices.ContainsFunc(l, func(s CallbackSettings) bool { return s.When == "" })
}

// Find returns the callback with a key; empty: the one that has none.
func (l CallbackList) Find(key string) (CallbackSettings, bool) {
	return find(l, func(s CallbackSettings) bool { return s.Key == key })
}

// CallbackSettings configures a callback. A definition has none where the URL is blank.
type CallbackSettings struct {
	Key           string         `json:"key,omitempty"`            // its name at its point; empty: it is the only one without
	URL           string         `json:"url"`                      // may hold ${CASEHOOK_VAR_...}
	When          string         `json:"when,omitempty"`           // in CEL; it is asked only if this is true; empty: always
	Timeout       Duration       `json:"timeout,omitempty"`        // of one attempt; default 5s
	Retries       []Duration     `json:"retries,omitzero"`         // waits between attempts; absent: 1s, 3s; []: one attempt
	RetryOn       RetryOn        `json:"retry_on,omitempty"`       // which failures are tried again; empty: RetryPassing
	Budget        Duration       `json:"budget,omitempty"`         // for all attempts and waits; default 15s
	Guard         *Guard         `json:"guard,omitempty"`          // absent: off
	FailurePolicy FailurePolicy  `json:"failure_policy,omitempty"` // of an AboutToSubmit; default fail
	Clearance     Classification `json:"clearance,omitempty"`      // what it is shown; default: that of the definition's author
	Messages      Messages       `json:"messages,omitempty"`       // empty: returned
	DryRun        InDryRun       `json:"dry_run,omitempty"`        // of an AboutToSubmit; empty: DryRunAsks
	Shadow        Shadow         `json:"shadow,omitzero"`          // is asked the same in the background; zero: there is none
}

// Shadow is a second callback, whose answers change nothing.
type Shadow struct {
	URL string `json:"url"` // may hold ${CASEHOOK_VAR_...}; no queue
}

// InDryRun determines whether a callback is asked about submissions that are only tried out.
type InDryRun string

// The settings of callbacks in dry runs.
const (
	DryRunAsks  InDryRun = "ask"  // with a header that says so
	DryRunSkips InDryRun = "skip" // it is not asked, as it can't do without effects
)

// RetryOn determines which failures of a callback are tried again.
type RetryOn string

// The failures that are tried again.
const (
	RetryPassing RetryOn = "passing" // those that may pass: lost connections, timeouts, and the statuses that say so
	RetryAny     RetryOn = "any"     // all: as CCD and QuickCase do
)

// Messages determines who gets a callback's errors and warnings.
type Messages string

// The settings of messages.
const (
	Returned Messages = "returned" // to the initiator, whatever their clearance
	Cleared  Messages = "cleared"  // to initiators who see all that the callback was shown
)

// Guard refuses an answer whose data drops more than MaxDropped populated fields.
type Guard struct {
	MaxDropped int `json:"max_dropped"`
}

// FailurePolicy determines the effect of a failed callback on the submission.
type FailurePolicy string

// The failure policies.
const (
	Fail   FailurePolicy = "fail"   // nothing is saved
	Ignore FailurePolicy = "ignore" // the submission goes on as if not asked
)

// Document is a kind of document that can be generated from a case.
type Document struct {
	Key      string `json:"key"`
	Name     string `json:"name,omitempty"`
	Template string `json:"template"` // headings, paragraphs and lists with {field} in them
}

// Proof is a kind of file that people attach.
type Proof struct {
	Key  string `json:"key"`
	Name string `json:"name,omitempty"`
}

// Duration is written as Go writes it: "1s", "250ms".
type Duration time.Duration

// MarshalText writes the duration as "1s".
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads "1s".
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = Duration(v)
	return err
}
