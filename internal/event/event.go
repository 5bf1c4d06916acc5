// Package event defines the content of the journal: entries, and the facts in them. A fact is one thing
// that a commit made true. Facts are vendor-neutral and immutable; package wire turns them into the
// messages of a vendor's format.
//
// One file defines one fact, and registers it as a package-level value. Its rank orders it among the facts
// of one commit; [Sort] applies it.
package event

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Entry is one commit in the journal: its actor, its facts, and the subject after the commit. An entry
// without facts causes no messages.
type Entry struct {
	ID       int64     // grows along a subject; assigned by the store
	Seq      int64     // dense position in the journal; 0 until the store has assigned it
	Tenant   int64     // that it belongs to
	Subject  string    // "case/4539148803436467"; order is kept per subject
	Version  int64     // the subject's, after this commit
	At       time.Time // when, UTC, to the microsecond
	Actor    Actor
	Facts    []Fact
	Snapshot Snapshot
	Callback *Callback // the transition's callback's answer, if one was asked
	Trace    string    // the span of the commit, as a traceparent header names it; empty when none was recorded
}

// Size returns roughly the memory of the entry, in bytes.
func (e *Entry) Size() int {
	n := 1<<10 + len(e.Snapshot.Note.Summary) + len(e.Snapshot.Note.Description)
	for _, f := range e.Facts {
		n += len(f.Data)
	}
	if c := e.Snapshot.Case; c != nil {
		n += len(c.Data)
	}
	return n
}

// Source is the way in which a change came in.
type Source string

// The sources.
const (
	UI     Source = "ui"     // a person, in the console
	API    Source = "api"    // a program, with a token
	System Source = "system" // Casehook itself
)

// Actor is the author of an entry, and the address that the request came from.
type Actor struct {
	Source  Source `json:"source"`
	Name    string `json:"name"`               // the user's, or the API token's
	UserID  int64  `json:"user_id,omitempty"`  // with source ui
	TokenID string `json:"token_id,omitempty"` // with source api
	Owner   Person `json:"owner,omitzero"`     // the user whose own token it is; zero: the token is the tenant's
	Address string `json:"address,omitempty"`  // the IP address the request came from
}

// Title returns the actor's name as people read it: a user's own token has its owner's name too.
func (a Actor) Title() string {
	if a.Owner.Name == "" {
		return a.Name
	}
	return a.Name + ", of " + a.Owner.Name
}

// Snapshot is the subject as of the entry's version, with everything that any format needs, so that a
// message can be derived however late it is sent.
type Snapshot struct {
	Case     *Case     `json:"case,omitempty"`
	Contact  *Contact  `json:"contact,omitempty"`
	Endpoint *Endpoint `json:"endpoint,omitempty"`
	Note     Note      `json:"note,omitzero"` // no format has it
}

// Note is the text that the author of a commit wrote about it. Histories show it to all who see the case.
type Note struct {
	Summary     string `json:"summary,omitempty"`
	Description string `json:"description,omitempty"`
}

// Case is a case as of one version.
type Case struct {
	ID              int64             `json:"id"`
	Reference       string            `json:"reference"` // readable: "KYC-0042"
	Name            string            `json:"name"`
	URL             string            `json:"url"` // in the console, by the public URL of that time
	Version         int64             `json:"version"`
	Color           string            `json:"color,omitempty"` // effective: the case's own, else its state's, else its type's
	OutcomeInstance int64             `json:"outcome_instance,omitempty"`
	ProcessKey      string            `json:"process_key,omitempty"`
	Type            string            `json:"type"`
	TypeVersion     int64             `json:"type_version"`
	Kind            string            `json:"kind"` // "case" or "claim"
	State           string            `json:"state"`
	Final           bool              `json:"final,omitempty"` // the state is final
	Classification  string            `json:"classification"`
	Classes         map[string]string `json:"classes,omitempty"`    // by field: the classifications above PUBLIC, of that time
	NameClass       string            `json:"name_class,omitempty"` // of a name that a template made; empty: PUBLIC
	Data            json.RawMessage   `json:"data"`
	Integers        []string          `json:"integers,omitempty"`          // where data has integers by its type, for expression.Data
	Labels          []string          `json:"labels,omitempty"`            // slugs, sorted
	Contacts        []CaseContact     `json:"contacts,omitempty"`          // by role, then contact
	Assignee        *Person           `json:"assigned_to,omitempty"`       // nil: no-one
	AssignedAt      time.Time         `json:"assigned_at,omitzero"`        // when it was assigned; zero: it is not, or the time is unknown
	StatusChangedBy int64             `json:"status_changed_by,omitempty"` // the user who last closed or reopened it; 0: nobody, or a program
	OpenedAt        time.Time         `json:"opened_at,omitzero"`          // when it last became open; in early entries always its creation
	ClosedAt        time.Time         `json:"closed_at,omitzero"`          // zero: it is open
	LastActivityAt  time.Time         `json:"last_activity_at,omitzero"`   // of any commit
	LastActivityBy  int64             `json:"last_activity_by,omitempty"`  // the user whose commit that was; 0: a program's
	CreatedAt       time.Time         `json:"created_at"`
	ModifiedAt      time.Time         `json:"modified_at"` // of the content
}

// Status is "closed" in a final state, else "open".
func (c *Case) Status() string {
	if c.Final {
		return "closed"
	}
	return "open"
}

// Callback records the synchronous question that was asked before a commit.
type Callback struct {
	Key          string   `json:"key,omitempty"` // of the callback, where several are asked at its point
	URL          string   `json:"url"`           // as configured, variables not expanded
	WebhookID    string   `json:"webhook_id"`
	Attempts     int      `json:"attempts"`
	DurationMS   int64    `json:"duration_ms"`
	Status       int      `json:"status,omitempty"`         // of the last attempt; 0 when there was no response
	Failure      string   `json:"failure,omitempty"`        // why it failed, where the policy ignored the failure
	Skipped      bool     `json:"skipped,omitempty"`        // it was not asked: its condition was not true
	Listener     bool     `json:"listener,omitempty"`       // the submitter's own machine answered in its place
	ReplacedData bool     `json:"replaced_data,omitempty"`  // it answered with data
	Warnings     []string `json:"warnings,omitempty"`       // warnings that were ignored
	Override     string   `json:"override_state,omitempty"` // the state that it put in place of the target
	IgnoredKeys  []string `json:"ignored_keys,omitempty"`   // the first keys of its answer that are not documented, shortened
	URLClass     string   `json:"url_class,omitempty"`      // the classification of the newest definition, where that has the URL; empty: PUBLIC, or the case's own definition has it
	WhenClass    string   `json:"when_class,omitempty"`     // the highest classification that the condition of asking it reads; empty: PUBLIC
	Class        string   `json:"class,omitempty"`          // the highest classification of its question, which its messages may repeat; empty: PUBLIC

	Earlier *Callback `json:"earlier,omitempty"` // the callback that was asked before, where several were
}

// CaseSubject names a case as the subject of an entry.
func CaseSubject(id int64) string { return "case/" + strconv.FormatInt(id, 10) }

// Fact is one thing that a commit made true, as the journal stores it.
type Fact struct {
	Name  string          `json:"name"`
	Data  json.RawMessage `json:"data,omitempty"`
	Class string          `json:"class,omitempty"` // the highest classification in Data; empty: PUBLIC
}

// Kind is a kind of fact whose data is a T.
type Kind[T any] struct{ description }

type description struct {
	Name string // "case.state_changed"
	Doc  string // a sentence that says when it is true
	rank int
}

var registry = map[string]description{}

// define registers a kind of fact. Facts of one commit are ordered by rank.
func define[T any](rank int, name, doc string) Kind[T] {
	d := description{Name: name, Doc: doc, rank: rank}
	if _, taken := registry[name]; taken {
		panic("event: " + name + " is defined twice")
	}
	registry[name] = d
	return Kind[T]{d}
}

// New makes a fact of this kind.
func (k Kind[T]) New(data T) Fact {
	raw, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("event: %s: %v", k.Name, err)) // T is ours and always encodes
	}
	return Fact{Name: k.Name, Data: raw}
}

// Is reports whether f is of this kind.
func (k Kind[T]) Is(f Fact) bool { return f.Name == k.Name }

// Decode reads the data of a fact of this kind.
func (k Kind[T]) Decode(f Fact) (T, error) {
	var data T
	if !k.Is(f) {
		return data, fmt.Errorf("event: a %s is not a %s", f.Name, k.Name)
	}
	if len(f.Data) > 0 {
		if err := json.Unmarshal(f.Data, &data); err != nil {
			return data, fmt.Errorf("event: %s: %w", f.Name, err)
		}
	}
	return data, nil
}

// Sort puts the facts of one commit in the order in which receivers get them.
func Sort(facts []Fact) {
	slices.SortStableFunc(facts, func(a, b Fact) int { return registry[a.Name].rank - registry[b.Name].rank })
}

// Names lists all kinds of facts in their order.
func Names() []string {
	names := make([]string, 0, len(registry))
	for name := range registry {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return registry[a].rank - registry[b].rank })
	return names
}

// NoDetails is the data of a fact that needs none beyond the snapshot.
type NoDetails struct{}
