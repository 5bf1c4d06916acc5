package wire

import (
	"cmp"
	"encoding/json"
	"reflect"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
)

// Sample returns a made-up journal entry, from which Messages derives a message of this trigger, or nil
// for an unknown trigger. It is PUBLIC, and a new one each time, with the same content. It has no Tenant,
// ID or Seq.
func Sample(trigger string) *event.Entry {
	r, ok := registry.triggers[trigger]
	if !ok {
		return nil
	}
	return r.rules[0].sample()
}

// Example is a made-up message.
type Example struct {
	Fact string // that it reports
	Message
}

// Examples derives messages of a trigger from made-up entries, one for each of its facts. Version is the one in the
// headers.
func Examples(trigger, version string) []Example {
	var all []Example
	for _, rule := range registry.triggers[trigger].rules {
		for _, m := range Messages(rule.sample(), version, casetype.Public) {
			if m.Trigger == trigger {
				all = append(all, Example{rule.fact, m})
			}
		}
	}
	return all
}

// Schema returns the JSON Schema (draft 2020-12) of a trigger's bodies, or nil for an unknown trigger. It
// is closed: bodies have no other keys.
func Schema(trigger string) json.RawMessage {
	r, ok := registry.triggers[trigger]
	if !ok {
		return nil
	}
	s := schemaOf(reflect.TypeOf(r.shape), trigger)
	s.Dialect, s.Title, s.Description = dialect, trigger, r.Description
	return mustEncode(s)
}

// TriggerOf returns the trigger that a body names, or "" if it names none that is known.
func TriggerOf(body []byte) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return ""
	}
	for member := range registry.naming {
		var trigger string
		if json.Unmarshal(members[member], &trigger) == nil && registry.triggers[trigger].naming == member {
			return trigger
		}
	}
	return ""
}

// dialect is that of all schemas.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// mustEncode writes a value of our own types.
func mustEncode(v any) json.RawMessage {
	raw, err := encode(v)
	if err != nil {
		panic("wire: the catalogue: " + err.Error())
	}
	return raw
}

// HeaderDoc describes a header of a message's request.
type HeaderDoc struct {
	Name        string
	Description string
	Example     string
	Optional    bool // not every request has it
}

// common are the headers that requests of all formats have. The sender of a message adds those that are
// not in Message.Header.
var common = []HeaderDoc{
	{Name: "Content-Type", Description: "The form of the body.", Example: "application/json; charset=UTF-8"},
	{
		Name: "webhook-id",
		Description: "The message's id: the same on every attempt, resend and replay, and for every endpoint. A " +
			"receiver that has seen it before may drop the message.",
		Example: "msg_B-BjY4oEcdlmB-ZqRzEja3M2",
	},
	{
		Name:        "webhook-timestamp",
		Description: "When this attempt was made, in seconds since 1970. Refuse requests older than a few minutes.",
		Example:     "1773500966",
	},
	{
		Name: "webhook-signature",
		Description: "Signatures of the id, the timestamp and the body, joined by full stops, as Standard Webhooks " +
			"says: v1 with HMAC-SHA256, v1a with ed25519. There are several, with spaces between them, while a " +
			"secret is being replaced; one that fits is enough.",
		Example: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
	},
	{Name: "webhook-attempt", Description: "The number of this attempt: 1, 2, ...", Example: "1"},
	{
		Name: subjectHeader,
		Description: "The subject of the message: a case, a contact or an endpoint. Order is kept among the messages " +
			"of one subject.",
	},
	{Name: sequenceHeader, Description: "The subject's version, which grows. A lower one means a late message."},
	{
		Name: "webhook-test",
		Description: "true: a sample that a user sent to test the endpoint. Nothing in it has " +
			"happened.",
		Example: "true", Optional: true,
	},
	{
		Name: "traceparent", Description: "The trace that the attempt belongs to, where tracing is on.",
		Example: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Optional: true,
	},
}

// Headers describes the headers that the requests of a trigger have: first those of its format, then those
// of all requests. Version and program are the values that they show: the published version, and that of
// Casehook. A header of the message itself has the value of the trigger's example.
func Headers(trigger, version, program string) []HeaderDoc {
	var own []HeaderDoc
	docs := registry.triggers[trigger].headerDocs
	values := map[string]string{}
	if examples := Examples(trigger, version); len(examples) > 0 {
		for _, h := range examples[0].Header {
			values[h.Name] = h.Value
			if doc, ok := docs[h.Name]; ok {
				own = append(own, HeaderDoc{Name: h.Name, Description: doc, Example: h.Value})
			}
		}
	}
	own = append(own, agent(program))
	for _, h := range common {
		h.Example = cmp.Or(values[h.Name], h.Example)
		own = append(own, h)
	}
	return own
}

func agent(program string) HeaderDoc {
	return HeaderDoc{Name: "User-Agent", Description: "Casehook and its version.", Example: "Casehook/" + program}
}
