// Package apply brings the case types and endpoints of a server to what a file
// says, through the API. What is missing is created, what differs is updated,
// what is right is left alone; nothing is deleted. So a file may be applied any
// number of times.
package apply

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/wire"
)

// Plan is what there should be.
type Plan struct {
	Types     []Type
	Endpoints []endpoint.Endpoint // with names; what a policy leaves out is the default
	Secrets   map[string]string   // by an endpoint's name: what signs, if it has to be created
}

// Type is a definition with where it comes from.
type Type struct {
	*casetype.Type
	File   string // for the messages of faults
	Source []byte
}

// document is the file as it is written.
type document struct {
	CaseTypes []yaml.Node `yaml:"case_types"`
	Endpoints []yaml.Node `yaml:"endpoints"`
}

type endpointNode struct {
	settingsNode `yaml:",inline"`

	Name      string   `yaml:"name"`
	URL       string   `yaml:"url"`
	Triggers  []string `yaml:"triggers"`
	Sources   []string `yaml:"sources"`
	IgnoreOwn bool     `yaml:"ignore_own"`
	Filter    string   `yaml:"filter"`
	Token     string   `yaml:"token"`
	Policy    struct {
		Retries     *[]time.Duration `yaml:"retries"`
		Timeout     time.Duration    `yaml:"timeout"`
		Concurrency int              `yaml:"concurrency"`
		Order       endpoint.Order   `yaml:"order"`
		RateLimit   float64          `yaml:"rate_limit"`
	} `yaml:"policy"`
}

// Read reads a plan, and the definitions that it names, by paths relative to its
// own. Variables are those that secrets are in. The error lists all that is wrong,
// each with file and line.
func Read(file string, source []byte, read func(path string) ([]byte, error), variable func(name string) (string, bool)) (*Plan, error) {
	var d document
	if err := yaml.Load(source, &d, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(d.CaseTypes)+len(d.Endpoints) == 0 {
		return nil, fmt.Errorf("%s: has neither case_types nor endpoints", file)
	}
	r := reader{file: file, lines: strings.SplitAfter(string(source), "\n"), read: read, variable: variable, plan: &Plan{Secrets: map[string]string{}}}
	for i := range d.CaseTypes {
		r.caseType(&d.CaseTypes[i])
	}
	for i := range d.Endpoints {
		r.endpoint(&d.Endpoints[i])
	}
	if len(r.wrong) > 0 {
		return nil, errors.Join(r.wrong...)
	}
	return r.plan, nil
}

type reader struct {
	file     string
	lines    []string
	read     func(string) ([]byte, error)
	variable func(string) (string, bool)
	plan     *Plan
	wrong    []error
}

func (r *reader) fault(line int, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...)))
}

// caseType reads a definition, or the file that is named in its place.
func (r *reader) caseType(n *yaml.Node) {
	file, source := r.file, []byte(nil)
	switch n.Kind {
	case yaml.ScalarNode:
		if file = n.Value; !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(r.file), file)
		}
		var err error
		if source, err = r.read(file); err != nil {
			r.fault(n.Line, "the case type can't be read: %v", err)
			return
		}
	case yaml.MappingNode:
		source = r.cut(n)
	default:
		r.fault(n.Line, "a case type is the name of a file, or a definition")
		return
	}
	t, err := casetype.Parse(file, source)
	switch {
	case err != nil:
		r.wrong = append(r.wrong, err)
	case slices.ContainsFunc(r.plan.Types, func(other Type) bool { return other.Key == t.Key }):
		r.fault(n.Line, "the case type %s is given twice", t.Key)
	default:
		r.plan.Types = append(r.plan.Types, Type{t, file, source})
	}
}

// cut returns the text of an item of a list as a document of its own, on the lines
// where it stands, so that faults name them.
func (r *reader) cut(n *yaml.Node) []byte {
	if n.Style&yaml.FlowStyle != 0 { // nothing tells where it ends
		text, err := yaml.Dump(n)
		if err == nil {
			return append([]byte(strings.Repeat("\n", n.Line-1)), text...)
		}
	}
	var b strings.Builder
	b.WriteString(strings.Repeat("\n", n.Line-1))
	b.WriteString(strings.Repeat(" ", n.Column-1) + r.lines[n.Line-1][n.Column-1:])
	for _, line := range r.lines[n.Line:] {
		text := strings.TrimLeft(line, " ")
		if strings.TrimSpace(text) != "" && text[0] != '#' && len(line)-len(text) < n.Column-1 {
			break
		}
		b.WriteString(line)
	}
	return []byte(b.String())
}

func (r *reader) endpoint(n *yaml.Node) {
	var d endpointNode
	if err := n.Load(&d, yaml.WithKnownFields()); err != nil {
		r.fault(n.Line, "the endpoint can't be read: %v", err)
		return
	}
	e := endpoint.Endpoint{Name: d.Name, URL: d.URL, Triggers: slices.Compact(slices.Sorted(slices.Values(d.Triggers)))}
	e.Sources, e.IgnoreOwn, e.Token, e.Filter = d.Sources, d.IgnoreOwn, d.Token, d.Filter
	e.Policy = endpoint.Policy{Timeout: d.Policy.Timeout, Concurrency: d.Policy.Concurrency, Order: d.Policy.Order, RateLimit: d.Policy.RateLimit}
	if d.Policy.Retries != nil {
		e.Policy.Retries = append([]time.Duration{}, *d.Policy.Retries...)
	}
	r.settings(n.Line, d.settingsNode, &e)
	if e.Name == "" {
		r.fault(n.Line, "/name: is missing; endpoints are found by their names")
	}
	for _, f := range checked(e).Check(wire.Known) {
		r.fault(n.Line, "%s: %s", f.Path, f.Message)
	}
	if _, unfit := filter.Compile(e.Filter); unfit != nil {
		r.fault(n.Line, "/filter: %v", unfit)
	}
	if slices.ContainsFunc(r.plan.Endpoints, func(other endpoint.Endpoint) bool { return spelling.Key(other.Name) == spelling.Key(e.Name) }) {
		r.fault(n.Line, "/name: the endpoint %q is given twice", e.Name)
	}
	e.Normalise()
	e.Policy = e.Policy.WithDefaults()
	r.plan.Endpoints = append(r.plan.Endpoints, e)
}

// checked is an endpoint as the server will judge it: where the file names no
// token, it is the one that applies the file.
func checked(e endpoint.Endpoint) endpoint.Endpoint {
	e.Token = cmp.Or(e.Token, "own")
	return e
}
