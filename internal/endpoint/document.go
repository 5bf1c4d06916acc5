package endpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
)

// documentFormat is the highest format of a document that this version knows. It grows when a member changes its
// meaning. A new member does not make a new format.
const documentFormat = 1

// document is the JSON object in the database with the settings of an endpoint that no query searches and that are
// not secret. It always has all of its members, so that any other member must be a newer version's.
type document struct {
	Format      int               `json:"format"`
	URL         string            `json:"url"`
	Description string            `json:"description"`
	Metadata    map[string]string `json:"metadata"`
	Sources     []string          `json:"sources"`
	IgnoreOwn   bool              `json:"ignore_own"`
	Filter      string            `json:"filter"`
	Token       string            `json:"token"`
	Owner       string            `json:"owner"`
	Policy
	Options
}

// Document encodes the endpoint's settings for the database, those of a newer version
// included.
func (e Endpoint) Document() ([]byte, error) {
	raw, err := json.Marshal(document{
		Format:      documentFormat,
		URL:         e.URL,
		Description: e.Description,
		Metadata:    e.Metadata,
		Sources:     e.Sources,
		IgnoreOwn:   e.IgnoreOwn,
		Filter:      e.Filter,
		Token:       e.Token,
		Owner:       e.Owner,
		Policy:      e.Policy,
		Options:     e.Options,
	})
	if err != nil || len(e.Later) == 0 {
		return raw, err
	}
	members := maps.Clone(e.Later)
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	return json.Marshal(members)
}

// SetDocument sets the endpoint's settings to those of a document. While servers are upgraded one after the other,
// an older one reads documents that a newer one has saved: it keeps unknown members in Later, and refuses an unknown
// format.
func (e *Endpoint) SetDocument(raw []byte) error {
	var d document
	strict := json.NewDecoder(bytes.NewReader(raw))
	strict.DisallowUnknownFields()
	if strict.Decode(&d) != nil {
		d = document{}
		var err error
		if err = json.Unmarshal(raw, &d); err == nil {
			e.Later, err = laterMembers(raw)
		}
		if err != nil {
			return fmt.Errorf("settings of %s: %w", e.ID, err)
		}
	}
	if d.Format > documentFormat {
		return fmt.Errorf("settings of %s: they have the format %d of a newer Casehook, and this one reads formats "+
			"up to %d; "+
			"upgrade this server", e.ID, d.Format, documentFormat)
	}
	e.URL, e.Description, e.Metadata = d.URL, d.Description, d.Metadata
	e.Sources, e.IgnoreOwn, e.Filter = d.Sources, d.IgnoreOwn, d.Filter
	e.Token, e.Owner, e.Policy, e.Options = d.Token, d.Owner, d.Policy, d.Options
	return nil
}

// laterMembers returns the members of a document that this version does not know.
func laterMembers(raw []byte) (map[string]json.RawMessage, error) {
	var all, known map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	mine, err := json.Marshal(document{})
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(mine, &known); err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool { _, ours := known[name]; return ours })
	return all, nil
}
