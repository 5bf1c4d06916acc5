package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// schema is a JSON Schema (draft 2020-12), as far as bodies need it.
type schema struct {
	Dialect              string     `json:"$schema,omitempty"`
	Title                string     `json:"title,omitempty"`
	Description          string     `json:"description,omitempty"`
	Type                 any        `json:"type,omitempty"` // a name, or names
	Const                any        `json:"const,omitempty"`
	Enum                 []string   `json:"enum,omitempty"`
	Format               string     `json:"format,omitempty"`
	Items                *schema    `json:"items,omitempty"`
	Properties           properties `json:"properties,omitempty"`
	PatternProperties    properties `json:"patternProperties,omitempty"`
	PropertyNames        *schema    `json:"propertyNames,omitempty"`
	Pattern              string     `json:"pattern,omitempty"`
	AnyOf                []*schema  `json:"anyOf,omitempty"`
	Required             []string   `json:"required,omitempty"`
	AdditionalProperties any        `json:"additionalProperties,omitempty"`
	OneOf                []*schema  `json:"oneOf,omitempty"`
	Not                  *schema    `json:"not,omitempty"`
	Unevaluated          any        `json:"unevaluatedProperties,omitempty"`
}

// properties keep the order of the fields of bodies.
type properties []property

type property struct {
	name   string
	schema *schema
}

// MarshalJSON writes an object that keeps the order.
func (p properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, property := range p {
		separator := byte(',')
		if i == 0 {
			separator = '{'
		}
		b.WriteByte(separator)
		for j, part := range []any{property.name, property.schema} {
			if j == 1 {
				b.WriteByte(':')
			}
			raw, err := encode(part)
			if err != nil {
				return nil, err
			}
			b.Write(raw)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// A jsonSchemer is a type whose JSON differs from its fields.
type jsonSchemer interface {
	jsonSchema(trigger string) *schema
}

// A constrainer is a part of a body with rules beyond the types of its fields.
type constrainer interface{ constrain(*schema) }

// schemaOf makes the schema of a body's type, or of a part of it, from the tags of its fields: json, doc,
// enum, and value:"trigger" for the trigger's name. Objects are closed; pointers may be null, unless they
// are omitted when empty. It panics on a type that bodies can't have.
func schemaOf(t reflect.Type, trigger string) *schema {
	if s, ok := reflect.Zero(t).Interface().(jsonSchemer); ok {
		return s.jsonSchema(trigger)
	}
	switch t {
	case reflect.TypeFor[Timestamp]():
		return &schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[json.RawMessage]():
		return &schema{}
	}
	switch t.Kind() {
	case reflect.String:
		return &schema{Type: "string"}
	case reflect.Bool:
		return &schema{Type: "boolean"}
	case reflect.Int, reflect.Int64:
		return &schema{Type: "integer"}
	case reflect.Slice:
		return &schema{Type: "array", Items: schemaOf(t.Elem(), trigger)}
	case reflect.Map: // of data, whose names a case type defines
		return &schema{Type: "object"}
	case reflect.Pointer:
		s := schemaOf(t.Elem(), trigger)
		s.Type = []any{s.Type, "null"}
		return s
	case reflect.Struct:
		s := &schema{Type: "object", AdditionalProperties: false}
		s.addFields(t, trigger)
		return s
	}
	panic(fmt.Sprintf("wire: a body can't hold a %s", t))
}

// addFields adds the fields of a struct, and of structs embedded in it.
func (s *schema) addFields(t reflect.Type, trigger string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			s.addFields(f.Type, trigger)
			continue
		}
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := f.Type
		if option == "" {
			s.Required = append(s.Required, name)
		} else if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		p := schemaOf(inner, trigger)
		p.Description = f.Tag.Get("doc")
		if enum := f.Tag.Get("enum"); enum != "" {
			p.Enum = strings.Split(enum, ",")
		}
		if f.Tag.Get("value") == "trigger" {
			p.Const = trigger
		}
		s.Properties = append(s.Properties, property{name, p})
	}
	if c, ok := reflect.Zero(t).Interface().(constrainer); ok {
		c.constrain(s)
	}
}

// namingMember returns the member of a body's type that names the trigger; "": there is none.
func namingMember(t reflect.Type) string {
	for _, f := range reflect.VisibleFields(t) {
		if f.Tag.Get("value") == "trigger" {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			return name
		}
	}
	return ""
}
