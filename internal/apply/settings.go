package apply

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/yaml"
)

// settingsNode has the settings of an endpoint besides its URL and triggers. A setting that the
// file leaves out is emptied, except for the clearance, which stays.
type settingsNode struct {
	endpoint.Options
	Description string                  `yaml:"description"`
	Metadata    map[string]string       `yaml:"metadata"`
	Headers     map[string]text         `yaml:"headers"`
	Clearance   casetype.Classification `yaml:"clearance"`
	Secret      text                    `yaml:"secret"`
	Auth        struct {
		Type         string   `yaml:"type"`
		Token        text     `yaml:"token"`
		Username     text     `yaml:"username"`
		Password     text     `yaml:"password"`
		TokenURL     string   `yaml:"token_url"`
		ClientID     text     `yaml:"client_id"`
		ClientSecret text     `yaml:"client_secret"`
		Scopes       []string `yaml:"scopes"`
		Audience     string   `yaml:"audience"`
		ClientAuth   string   `yaml:"client_auth"`
	} `yaml:"auth"`
	TLS struct {
		Certificate text `yaml:"certificate"`
		Key         text `yaml:"key"`
		CA          text `yaml:"ca"`
	} `yaml:"tls"`
}

// text is a text, or the place that it is read from: { env: NAME } or { file: path }.
type text struct {
	plain, env, file string
	line             int
}

// DecodeYAML reads a text or its place.
func (t *text) DecodeYAML(n yaml.Node) string {
	t.line = n.Position().Line
	if plain, ok := n.Text(); ok {
		t.plain = plain
		return ""
	}
	var where struct {
		Env  string `yaml:"env"`
		File string `yaml:"file"`
	}
	if wrong := n.Decode(&where); len(wrong) > 0 || (where.Env == "") == (where.File == "") {
		return "is neither a text, nor { env: NAME }, nor { file: path }"
	}
	t.env, t.file = where.Env, where.File
	return ""
}

// resolve returns the text, which it reads from its place if necessary.
func (r *reader) resolve(t text, path string) string {
	switch {
	case t.env != "":
		value, set := r.variable(t.env)
		if !set {
			r.fault(t.line, "%s: the variable %s is not set", path, t.env)
		}
		return value
	case t.file != "":
		file := t.file
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(r.file), file)
		}
		content, err := r.read(file)
		if err != nil {
			r.fault(t.line, "%s: can't be read: %v", path, err)
		}
		return string(content)
	}
	return t.plain
}

// line is resolve for a text of one line. A file may end with a line break.
func (r *reader) line(t text, path string) string {
	return strings.TrimRight(r.resolve(t, path), "\r\n")
}

// settings copies the settings to an endpoint.
func (r *reader) settings(n yaml.Node, d settingsNode, e *endpoint.Endpoint) {
	e.Description, e.Metadata, e.Clearance, e.Options = d.Description, d.Metadata, d.Clearance, d.Options
	if d.Clearance != "" && d.Clearance.Level() == 0 {
		r.fault(n.Below("/clearance").Line, "/clearance: is not one of PUBLIC, PRIVATE, RESTRICTED")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Headers)) {
		e.Headers = append(e.Headers, endpoint.Header{Name: name, Value: r.line(d.Headers[name], "/headers/"+name)})
	}
	a := d.Auth
	e.Auth = endpoint.Auth{
		Kind:         endpoint.AuthKind(a.Type),
		Token:        r.line(a.Token, "/auth/token"),
		Username:     r.line(a.Username, "/auth/username"),
		Password:     r.line(a.Password, "/auth/password"),
		TokenURL:     a.TokenURL,
		ClientID:     r.line(a.ClientID, "/auth/client_id"),
		ClientSecret: r.line(a.ClientSecret, "/auth/client_secret"),
		Scopes:       a.Scopes,
		Audience:     a.Audience,
		ClientAuth:   a.ClientAuth,
	}
	if a.Type == "none" {
		e.Auth.Kind = endpoint.NoAuth
	}
	e.TLS = endpoint.TLS{
		Certificate: r.resolve(d.TLS.Certificate, "/tls/certificate"), Key: r.resolve(d.TLS.Key, "/tls/key"),
		CA: r.resolve(d.TLS.CA, "/tls/ca"),
	}
	if secret := r.secret(d.Secret, "/secret"); secret != "" {
		r.plan.Secrets[e.Name] = secret
	}
}

// remoteSettings are the settings in the API's requests and answers. Answers have endpoint.Hidden
// in place of secrets.
type remoteSettings struct {
	endpoint.Options
	Description string             `json:"description"`
	Metadata    map[string]*string `json:"metadata"`
	Headers     map[string]*string `json:"headers"`
	Clearance   string             `json:"clearance,omitempty"`
	Auth        remoteAuth         `json:"auth"`
	TLS         endpoint.TLS       `json:"tls"`
}

type remoteAuth struct {
	Type string `json:"type"`
	endpoint.Auth
}

// remoteAuthOf copies the kind to the type.
func remoteAuthOf(a endpoint.Auth) remoteAuth {
	out := remoteAuth{Type: string(a.Kind), Auth: a}
	if out.Kind = ""; out.Type == "" {
		out.Type = "none"
	}
	return out
}

func wantedSettings(e endpoint.Endpoint) remoteSettings {
	s := remoteSettings{
		Description: e.Description, Clearance: string(e.Clearance), Auth: remoteAuthOf(e.Auth), TLS: e.TLS,
		Metadata: map[string]*string{}, Headers: map[string]*string{}, Options: e.Options.WithDefaults(),
	}
	for name, value := range e.Metadata {
		s.Metadata[name] = &value
	}
	for _, h := range e.Headers {
		s.Headers[h.Name] = &h.Value
	}
	return s
}

// removing adds null for the members to remove: the API keeps members that are not named.
func (s *remoteSettings) removing(there remoteSettings) {
	for name := range there.Metadata {
		if _, wanted := s.Metadata[name]; !wanted {
			s.Metadata[name] = nil
		}
	}
	for name := range there.Headers {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(s.Headers)),
			func(wanted string) bool { return strings.EqualFold(wanted, name) }) {
			s.Headers[name] = nil
		}
	}
}

// hidden lists, by path, the settings that the file sets and the server hides: only the server
// knows whether they differ.
func (s remoteSettings) hidden(there remoteSettings) (paths []string) {
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if _, exists := there.Headers[spelt(there.Headers, name)]; exists {
			paths = append(paths, "/headers/"+name)
		}
	}
	for _, secret := range []struct{ path, given, shown string }{
		{"/auth/token", s.Auth.Token, there.Auth.Token},
		{"/auth/password", s.Auth.Password, there.Auth.Password},
		{"/auth/client_secret", s.Auth.ClientSecret, there.Auth.ClientSecret},
		{"/tls/key", s.TLS.Key, there.TLS.Key},
	} {
		if secret.given != "" && secret.shown != "" {
			paths = append(paths, secret.path)
		}
	}
	return paths
}
