package filter

import (
	"bytes"
	"encoding/json"
	"sync"

	"cel.dev/cel-go/cel"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/expression"
	"github.com/casehook/casehook/internal/wire"
)

// Entry is a journal entry as filters of one clearance see it. Data is decoded when a filter first reads it. Entry
// is safe for concurrent use.
type Entry struct {
	whole     *event.Entry
	view      *event.Entry // as the clearance sees it
	clearance casetype.Classification

	once sync.Once
	data map[string]any // the case's; nil: it can't be read
}

// NewEntry returns a journal entry as the clearance sees it.
func NewEntry(e *event.Entry, clearance casetype.Classification) *Entry {
	view, visible := e.As(clearance.SeesClass)
	if !visible {
		view = &event.Entry{} // it has no messages, so no filter reads it
	}
	return &Entry{whole: e, view: view, clearance: clearance}
}

func (e *Entry) caseData() map[string]any {
	e.once.Do(func() {
		if c := e.view.Snapshot.Case; c != nil {
			e.data = decode(c.Data, c.Integers)
		}
	})
	return e.data
}

// Message is a message of an entry, as filters see it. It is safe for concurrent
// use.
type Message struct {
	entry *Entry
	wire  *wire.Message

	once sync.Once
	body map[string]any
}

// Message returns a message that wire.Messages derived for the entry's clearance as filters see it.
func (e *Entry) Message(m *wire.Message) *Message { return &Message{entry: e, wire: m} }

// ResolveName returns the value of a variable.
func (m *Message) ResolveName(variable string) (any, bool) {
	switch variable {
	case "message":
		return messageObject.Of(m), true
	case "case":
		return caseObject.Of(m.entry), true
	case "contact":
		return contactObject.Of(m.entry), true
	}
	return nil, false
}

// Parent returns nil: there are no other variables.
func (m *Message) Parent() cel.Activation { return nil }

func (m *Message) decoded() map[string]any {
	m.once.Do(func() { m.body = decode(m.wire.Body, nil) })
	return m.body
}

// changed lists the paths that a commit changed and that the clearance sees.
func (m *Message) changed() []string {
	paths := []string{}
	if m.wire.Fact >= len(m.entry.whole.Facts) {
		return paths
	}
	f, visible := m.entry.whole.Facts[m.wire.Fact].As(m.entry.clearance.SeesClass)
	if !visible {
		return paths
	}
	for _, kind := range []event.Kind[event.Changes]{event.CaseChanged, event.ContactUpdated} {
		if diff, err := kind.Decode(f); err == nil {
			for _, c := range diff.Changes {
				paths = append(paths, c.Path)
			}
		}
	}
	return paths
}

// decode reads an object of JSON for expressions, or returns nil if it is not an object.
func decode(raw []byte, integers []string) map[string]any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var object map[string]any
	if d.Decode(&object) != nil || object == nil {
		return nil
	}
	return expression.Data(object, integers)
}
