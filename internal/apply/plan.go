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

	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/wire"
	"github.com/casehook/casehook/internal/yaml"
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
	settingsNode

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
	r := reader{file: file, read: read, variable: variable, plan: &Plan{Secrets: map[string]string{}}}
	written := yaml.Read(source, yaml.Options{})
	r.faults("", written.Faults)
	var d document
	r.faults("", written.Root().Decode(&d))
	if len(d.CaseTypes)+len(d.Endpoints) == 0 && len(r.wrong) == 0 {
		return nil, fmt.Errorf("%s: has neither case_types nor endpoints", file)
	}
	for _, n := range d.CaseTypes {
		r.caseType(n)
	}
	for _, n := range d.Endpoints {
		r.endpoint(n)
	}
	if len(r.wrong) > 0 {
		return nil, errors.Join(r.wrong...)
	}
	return r.plan, nil
}

type reader struct {
	file     string
	read     func(string) ([]byte, error)
	variable func(string) (string, bool)
	plan     *Plan
	wrong    []error
}

func (r *reader) fault(line int, format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf("%s:%d: %s", r.file, line, fmt.Sprintf(format, args...)))
}

// faults adds faults of the file, with their paths below base.
func (r *reader) faults(base string, all []yaml.Fault) {
	for _, f := range all {
		r.fault(f.Line, "%s: %s", cmp.Or(strings.TrimPrefix(f.Path, base), "/"), f.Message)
	}
}

// caseType reads a definition, or the file that is named in its place.
func (r *reader) caseType(n yaml.Node) {
	file, line := r.file, n.At().Line
	source, err := n.Cut()
	if name, named := n.Text(); named {
		if file = name; !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(r.file), file)
		}
		source, err = r.read(file)
	} else if _, inline := n.Value.(map[string]any); !inline {
		r.fault(line, "a case type is the name of a file, or a definition")
		return
	}
	if err != nil {
		r.fault(line, "the case type can't be read: %v", err)
		return
	}
	t, err := casetype.Parse(file, source)
	switch {
	case err != nil:
		r.wrong = append(r.wrong, err)
	case slices.ContainsFunc(r.plan.Types, func(other Type) bool { return other.Key == t.Key }):
		r.fault(line, "the case type %s is given twice", t.Key)
	default:
		r.plan.Types = append(r.plan.Types, Type{t, file, source})
	}
}

func (r *reader) endpoint(n yaml.Node) {
	var d endpointNode
	if wrong := n.Decode(&d); len(wrong) > 0 {
		r.faults(n.Path, wrong)
		return
	}
	e := endpoint.Endpoint{Name: d.Name, URL: d.URL, Triggers: slices.Compact(slices.Sorted(slices.Values(d.Triggers)))}
	e.Sources, e.IgnoreOwn, e.Token, e.Filter = d.Sources, d.IgnoreOwn, d.Token, d.Filter
	e.Policy = endpoint.Policy{Timeout: d.Policy.Timeout, Concurrency: d.Policy.Concurrency, Order: d.Policy.Order, RateLimit: d.Policy.RateLimit}
	if d.Policy.Retries != nil {
		e.Policy.Retries = append([]time.Duration{}, *d.Policy.Retries...)
	}
	wrong := func(path, format string, args ...any) {
		r.fault(n.Below(path).Line, "%s: %s", path, fmt.Sprintf(format, args...))
	}
	r.settings(n, d.settingsNode, &e)
	if e.Name == "" {
		wrong("/name", "is missing; endpoints are found by their names")
	}
	for _, f := range checked(e).Check(wire.Known) {
		wrong(f.Path, "%s", f.Message)
	}
	if _, unfit := filter.Compile(e.Filter); unfit != nil {
		wrong("/filter", "%v", unfit)
	}
	if slices.ContainsFunc(r.plan.Endpoints, func(other endpoint.Endpoint) bool { return spelling.Key(other.Name) == spelling.Key(e.Name) }) {
		wrong("/name", "the endpoint %q is given twice", e.Name)
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
