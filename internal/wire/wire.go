// Package wire defines the vendors' webhook formats. A format has the facts that it publishes, with their triggers,
// headers and bodies. It is a value with pure functions: a journal entry in, messages out. HTTP, secrets, retries
// and the store are elsewhere.
//
// One file defines one format, and registers it as a package-level value. Messages are derived from the journal and
// never stored, so a body, once published, must never change: the vectors in testdata ensure it.
package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/id"
)

// Format is a vendor's wire format.
type Format struct {
	Name        string
	Description string
	Triggers    []Trigger
	// Optional says that its messages report again what those of other formats report. Readers of the journal who name
	// no triggers don't get them, and they are derived only for those who do.
	Optional bool

	// header returns the headers that the vendor publishes, for one message. version is for formats that
	// have one; an endpoint may have its own.
	header func(trigger, version string) []Header
	// identify lists the members of its bodies that identify a change: those of a thin body.
	identify []string
	// headerDocs describes the headers that no other format has.
	headerDocs map[string]string
}

// Trigger is a published name that an endpoint subscribes to.
type Trigger struct {
	Name        string
	Description string // when it fires, as a sentence

	shape any // a zero value of its bodies' type, from which their JSON Schema is made
	rules []rule
}

// rule maps a fact to a body of a trigger.
type rule struct {
	fact   string
	sample func() *event.Entry // made up, with this fact; the examples in the catalogue come from it
	// body makes the body of m, which has all but its headers and its body.
	body func(m *Message, e *event.Entry, f event.Fact) ([]byte, error)
	of   func(e *event.Entry) bool // which entries are sent; nil: all
}

// Header is one header of a message, spelt as it goes onto the wire.
type Header struct{ Name, Value string }

// The headers with a message's subject and version.
const (
	subjectHeader  = "webhook-subject"
	sequenceHeader = "webhook-sequence"
)

// Message is one trigger's request for one entry, without the parts that differ between endpoints or attempts.
type Message struct {
	Fact    int    // index of the fact in the entry
	Format  string // the name of its format
	Trigger string // that an endpoint subscribes to
	ID      string // the webhook-id: the same for every endpoint, retry, resend and replay
	Header  []Header
	Body    []byte
	At      time.Time // of the commit
	Trace   string    // the span of the commit, as a traceparent; empty: none
	Err     error     // why there is no Body; such a message can never be sent
	Hidden  bool      // it is above the clearance, and has no Body; it keeps its place among the others
}

// Formats lists the formats in the order of their messages.
func Formats() []Format { return slices.Clone(registry.formats) }

// Triggers lists the triggers of all formats.
func Triggers() []Trigger {
	var all []Trigger
	for _, f := range registry.formats {
		all = append(all, f.Triggers...)
	}
	return all
}

// Names lists the names of all triggers.
func Names() (names []string) {
	for _, t := range Triggers() {
		names = append(names, t.Name)
	}
	return names
}

// Known reports whether a trigger has this name.
func Known(trigger string) bool { _, ok := registry.triggers[trigger]; return ok }

// Messages derives all messages of an entry: in the order of its facts, and for each fact in the order of the
// formats. Those of optional formats follow all others, so that such a format moves no other message. Version is the
// one in the headers. Facts that no format publishes are left out. Bodies show the data that the clearance sees. A
// message of which the clearance sees nothing is Hidden: it keeps its place, so that places are the same for every
// clearance.
func Messages(e *event.Entry, version string, clearance casetype.Classification) []Message {
	return View{Clearance: clearance, Optional: true}.Messages(e, version)
}

// derive is Messages, with the messages of optional formats or without.
func derive(e *event.Entry, version string, clearance casetype.Classification, optional bool) []Message {
	view, entryVisible := e.As(clearance.SeesClass)
	var messages []Message
	at, sequence := e.At.UnixMicro(), strconv.FormatInt(e.Version, 10)
	routesOf(e, optional, func(i int, f event.Fact, r *route) {
		shown, visible := f.As(clearance.SeesClass)
		m := Message{
			Fact:    i,
			Format:  r.format,
			Trigger: r.trigger,
			At:      e.At,
			Trace:   e.Trace,
			ID:      id.Message(e.ID, at, e.Subject, i, r.trigger),
			Hidden:  !entryVisible || !visible,
		}
		if !m.Hidden {
			m.Body, m.Err = r.body(&m, view, shown)
			m.Header = append(r.header(r.trigger, version),
				Header{subjectHeader, e.Subject}, Header{sequenceHeader, sequence})
		}
		messages = append(messages, m)
	})
	return messages
}

// routesOf calls do for the messages of an entry, in their order.
func routesOf(e *event.Entry, optional bool, do func(fact int, f event.Fact, r *route)) {
	for i, f := range e.Facts {
		routes := registry.routes[f.Name]
		for j := range routes {
			if r := &routes[j]; r.of == nil || r.of(e) {
				do(i, f, r)
			}
		}
	}
	for i, f := range e.Facts {
		if !optional {
			return
		}
		routes := registry.optional[f.Name]
		for j := range routes {
			do(i, f, &routes[j])
		}
	}
}

// IsOptional reports whether a trigger is of an optional format.
func IsOptional(trigger string) bool { return registry.triggers[trigger].optional }

// TriggersOf lists the triggers under which an entry is sent to endpoints that may receive it.
func TriggersOf(e *event.Entry) (triggers []string) {
	routesOf(e, true, func(_ int, _ event.Fact, r *route) { triggers = append(triggers, r.trigger) })
	return triggers
}

// registry is filled by define while the package initialises, and read only after.
var registry = struct {
	formats  []Format
	triggers map[string]registration
	routes   map[string][]route // by the fact's name
	optional map[string][]route // those of optional formats
	naming   map[string]bool    // the members of bodies that name the trigger
}{
	triggers: map[string]registration{}, routes: map[string][]route{}, optional: map[string][]route{},
	naming: map[string]bool{},
}

// registration is a trigger with the format that it belongs to.
type registration struct {
	Trigger
	headerDocs map[string]string
	naming     string // the member of its bodies that names the trigger
	optional   bool   // its format is
}

// route is one way from a fact to a message.
type route struct {
	rule
	format  string
	trigger string
	header  func(trigger, version string) []Header
}

// define registers a format. It panics if the catalogue could not show the format.
func define(f Format) Format {
	if f.Name == "" || f.Description == "" || f.header == nil || len(f.identify) == 0 {
		panic("wire: the format " + f.Name + " lacks a name, a description, headers, or what identifies a change")
	}
	routes := registry.routes
	if f.Optional {
		routes = registry.optional
	}
	for _, t := range f.Triggers {
		if Known(t.Name) {
			panic("wire: the trigger " + t.Name + " is defined twice")
		}
		if t.Description == "" || t.shape == nil || len(t.rules) == 0 {
			panic("wire: the trigger " + t.Name + " lacks a description, a shape or facts")
		}
		member := namingMember(reflect.TypeOf(t.shape))
		if member == "" {
			panic("wire: the bodies of " + t.Name + " do not name the trigger")
		}
		registry.naming[member] = true
		registry.triggers[t.Name] = registration{t, f.headerDocs, member, f.Optional}
		for _, rule := range t.rules {
			if rule.sample == nil {
				panic("wire: the trigger " + t.Name + " has no sample for " + rule.fact)
			}
			routes[rule.fact] = append(routes[rule.fact], route{rule, f.Name, t.Name, f.header})
		}
	}
	registry.formats = append(registry.formats, f)
	return f
}

// encode writes v as compact JSON, with <, > and & as they are. Invalid UTF-8 in strings becomes U+FFFD.
func encode(v any) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	if err := e.json.Encode(v); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(e.buffer.Bytes(), []byte("\n"))), nil
}

// encoder is an encoder of JSON with its buffer, both reused.
type encoder struct {
	buffer bytes.Buffer
	json   *json.Encoder
}

var encoders = sync.Pool{New: func() any {
	e := new(encoder)
	e.json = json.NewEncoder(&e.buffer)
	e.json.SetEscapeHTML(false)
	return e
}}

// largestBuffer is the longest buffer that is kept, in bytes.
const largestBuffer = 64 << 10

// release returns an encoder to the pool.
func (e *encoder) release() {
	if e.buffer.Cap() <= largestBuffer {
		e.buffer.Reset()
		encoders.Put(e)
	}
}

// orNull returns nil, which is null in JSON, for a zero value.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
