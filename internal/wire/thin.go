package wire

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// thin reduces the body of the message to the members that identify the change. They have the names, values and
// order of the full body, so that a receiver reads both in the same way.
func (m *Message) thin() {
	if m.Hidden || m.Err != nil {
		return
	}
	i := slices.IndexFunc(registry.formats, func(f Format) bool { return f.Name == m.Format })
	m.Body, m.Err = choose(m.Body, registry.formats[i].identify)
}

// choose writes an object with those of its members that are listed. "claim.id" is the
// member id of the object claim.
func choose(object []byte, members []string) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	thin := []byte{'{'}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if inner := below(members, name.(string)); len(inner) > 0 {
			if value, err = choose(value, inner); err != nil {
				return nil, err
			}
		} else if !slices.Contains(members, name.(string)) {
			continue
		}
		if len(thin) > 1 {
			thin = append(thin, ',')
		}
		thin = append(thin, mustEncode(name)...)
		thin = append(append(thin, ':'), value...)
	}
	return append(thin, '}'), nil
}

// below lists the listed members of a member.
func below(members []string, of string) (inner []string) {
	for _, m := range members {
		if name, found := strings.CutPrefix(m, of+"."); found {
			inner = append(inner, name)
		}
	}
	return inner
}
