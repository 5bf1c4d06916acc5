package ccd

import (
	"bytes"
	"encoding/json"

	"github.com/casehook/casehook/internal/yaml"
)

// tree is an object whose members keep their order.
type tree []member

type member struct {
	key   string
	value any
}

// with returns the tree with another member. A value that is empty is left out.
func (t tree) with(key string, value any) tree {
	switch v := value.(type) {
	case string:
		if v == "" {
			return t
		}
	case []string:
		if v == nil {
			return t
		}
	case []any:
		if v == nil {
			return t
		}
	case tree:
		if v == nil {
			return t
		}
	case nil:
		return t
	}
	return append(t, member{key, value})
}

// MarshalJSON writes the members in their order.
func (t tree) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, m := range t {
		if i > 0 {
			out.WriteByte(',')
		}
		for j, part := range []any{m.key, m.value} {
			if j > 0 {
				out.WriteByte(':')
			}
			raw, err := json.Marshal(part)
			if err != nil {
				return nil, err
			}
			out.Write(raw)
		}
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// yaml writes the tree as YAML.
func (t tree) yaml() ([]byte, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	return yaml.Write(raw)
}
