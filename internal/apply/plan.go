// Package apply brings the case types and endpoints of a server to the state that a file describes,
// through the API. It creates missing items, updates those that differ, and leaves the others alone; it
// deletes nothing. So a file may be applied any number of times.
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

// Plan lists the items that a server should have.
type Plan struct {
	Types     []Type
	Endpoints []endpoint.Endpoint // they have names; absent settings of policies have their defaults
	Secrets   map[string]string   // the signing secrets, by an endpoint's name

	file    string
	entries map[string]yaml.Node // the positions of endpoints, by their names
}

// Type is a definition with its source.
type Type struct {
	CaseType *casetype.Type
	File     string // for the messages of faults
	Source   []byte
	Secrets  []Secret // the secrets of callbacks that the plan sets; the server generates the others

	line int // of its entry in the plan
}

// Secret is the secret of a callback.
type Secret struct {
	Callback string // the key of a transition, the name of an operation's, or casetype.TypeSecret
	Text     string

	line int
}

// document is the file's content.
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

// Read reads a plan, and the definitions that it names by paths relative to its own. Variables are the environment,
// which may hold secrets. The error lists all faults, each with file and line.
func Read(
	file string, source []byte, read func(path string) ([]byte, error), variable func(name string) (string, bool),
) (*Plan, error) {
	plan := &Plan{Secrets: map[string]string{}, file: file, entries: map[string]yaml.Node{}}
	r := reader{file: file, read: read, variable: variable, plan: plan, types: map[string]int{}}
	written := yaml.Read(source, yaml.Options{})
	if isDefinition(written.Root()) {
		return nil, fmt.Errorf("%s: is the definition of a case type, not a file that lists them; write one with "+
			"case_types: [%s], and apply that",
			file, filepath.Base(file))
	}
	for _, f := range written.Faults {
		label, path := labelOf(written.Root(), f.Path)
		r.label = label
		r.fault(f.Line, "%s: %s", cmp.Or(path, "/"), f.Message)
	}
	r.label = ""
	var d document
	r.faults("", written.Root().Decode(&d))
	if len(d.CaseTypes)+len(d.Endpoints) == 0 && len(r.wrong) == 0 {
		return nil, fmt.Errorf("%s: has neither case_types nor endpoints", file)
	}
	for _, n := range d.CaseTypes {
		r.label, _ = labelOf(written.Root(), n.Path)
		r.caseType(n)
	}
	for _, n := range d.Endpoints {
		r.label, _ = labelOf(written.Root(), n.Path)
		r.endpoint(n)
	}
	if len(r.wrong) > 0 {
		return nil, inOrder(r.wrong)
	}
	return r.plan, nil
}

// isDefinition reports whether a document is a definition and not a plan.
func isDefinition(root yaml.Node) bool {
	object, _ := root.Value.(map[string]any)
	has := func(key string) bool { _, found := object[key]; return found }
	return has("key") && (has("states") || has("transitions") || has("fields")) && !has("case_types") &&
		!has("endpoints")
}

type reader struct {
	file     string
	label    string // of the item that is being read, for messages
	read     func(string) ([]byte, error)
	variable func(string) (string, bool)
	plan     *Plan
	types    map[string]int // the line of each entry by its key, also of those with faults
	wrong    []planFault
}

// planFault is a fault with a line of the plan.
type planFault struct {
	line int
	err  error
}

// inOrder joins faults in the order of their lines.
func inOrder(wrong []planFault) error {
	slices.SortStableFunc(wrong, func(a, b planFault) int { return cmp.Compare(a.line, b.line) })
	all := make([]error, len(wrong))
	for i, w := range wrong {
		all[i] = w.err
	}
	return errors.Join(all...)
}

func (r *reader) fault(line int, format string, args ...any) {
	r.wrong = append(r.wrong, planFault{line, errors.New(placed(r.file, line, r.label, fmt.Sprintf(format, args...)))})
}

// faults adds faults of the file, with their paths below base.
func (r *reader) faults(base string, all []yaml.Fault) {
	for _, f := range all {
		r.fault(f.Line, "%s: %s", cmp.Or(strings.TrimPrefix(f.Path, base), "/"), withNearest(f))
	}
}

// withNearest returns the message of a fault. If a similar key is known, it names that one instead
// of listing all.
func withNearest(f yaml.Fault) string {
	typed := f.Path[strings.LastIndex(f.Path, "/")+1:]
	if near := spelling.DidYouMean(typed, f.Known); near != "" {
		return "is not a known key" + near
	}
	return f.Message
}

// typeNode is an entry of a case type that has more than a definition.
type typeNode struct {
	File            string          `yaml:"file"`
	Definition      yaml.Node       `yaml:"definition"`
	CallbackSecret  text            `yaml:"callback_secret"`
	CallbackSecrets map[string]text `yaml:"callback_secrets"`
}

// caseType reads an entry of the case types: the name of a file, a definition, or an object that
// has one of these and secrets.
func (r *reader) caseType(n yaml.Node) {
	var entry typeNode
	object, isObject := n.Value.(map[string]any)
	_, fromFile := object["file"]
	_, wrapped := object["definition"]
	switch name, named := n.Text(); {
	case named:
		entry.File = name
	case !isObject:
		r.fault(n.Position().Line, "a case type is the name of a file, or a definition")
		return
	case !fromFile && !wrapped:
		entry.Definition = n
	default:
		if wrong := n.Decode(&entry); len(wrong) > 0 {
			r.faults(n.Path, wrong)
			return
		}
	}
	if fromFile && wrapped {
		r.fault(n.Position().Line, "has both file and definition; write one of them")
		return
	}
	r.definition(n, entry)
}

// definition reads the definition of an entry.
func (r *reader) definition(n yaml.Node, entry typeNode) {
	file, line := r.file, n.Position().Line
	var source []byte
	var err error
	if entry.Definition.Value == nil {
		if file = entry.File; !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(r.file), file)
		}
		source, err = r.read(file)
	} else {
		source, err = entry.Definition.Cut()
	}
	if err != nil {
		r.fault(line, "can't be read: %v%s", err, r.withEnding(file, entry))
		return
	}
	t, err := casetype.Parse(file, source)
	var faults casetype.Faults
	switch {
	case errors.As(err, &faults):
		root := yaml.Read(source, yaml.Options{MaxNodes: 20_000}).Root()
		label := typeLabel(root, r.label)
		if key, _ := root.Member("key").Text(); key != "" {
			r.label = label
			r.twice(key, line)
		}
		for _, f := range faults {
			at := line
			if file == r.file {
				at = f.Line
			}
			r.wrong = append(r.wrong,
				planFault{at, errors.New(placed(f.File, f.Line, label, cmp.Or(f.Path, "/")+": "+f.Message))})
		}
		return
	case err != nil:
		r.fault(line, "%v", err)
		return
	}
	r.label = "case type " + t.Key
	if r.twice(t.Key, line) {
		return
	}
	secrets := r.callbackSecrets(n, entry, t)
	r.plan.Types = append(r.plan.Types, Type{CaseType: t, File: file, Source: source, Secrets: secrets, line: line})
}

// twice adds a fault if a case type is listed already, and reports whether it is.
func (r *reader) twice(key string, line int) bool {
	first, given := r.types[key]
	if given {
		r.fault(line, "is given twice: on line %d too", first)
		return true
	}
	r.types[key] = line
	return false
}

// withEnding suggests a file name with an ending, if the one without can't be read.
func (r *reader) withEnding(file string, entry typeNode) string {
	if entry.File == "" {
		return ""
	}
	for _, ending := range []string{".yaml", ".yml", ".json"} {
		if _, err := r.read(file + ending); err == nil {
			return fmt.Sprintf(" (did you mean %q?)", entry.File+ending)
		}
	}
	return ""
}

func (r *reader) endpoint(n yaml.Node) {
	var d endpointNode
	undecoded := n.Decode(&d)
	r.faults(n.Path, undecoded)
	e := endpoint.Endpoint{Name: d.Name, URL: d.URL, Triggers: slices.Compact(slices.Sorted(slices.Values(d.Triggers)))}
	e.Sources, e.IgnoreOwn, e.Token, e.Filter = d.Sources, d.IgnoreOwn, d.Token, d.Filter
	e.Policy = endpoint.Policy{
		Timeout: d.Policy.Timeout, Concurrency: d.Policy.Concurrency, Order: d.Policy.Order,
		RateLimit: d.Policy.RateLimit,
	}
	if d.Policy.Retries != nil {
		e.Policy.Retries = append([]time.Duration{}, *d.Policy.Retries...)
	}
	wrong := func(path, format string, args ...any) {
		if touches(undecoded, n.Path+path) {
			return
		}
		r.fault(n.Below(path).Line, "%s: %s", path, fmt.Sprintf(format, args...))
	}
	r.settings(n, d.settingsNode, &e)
	if e.Name == "" {
		wrong("/name", "is missing; endpoints are found by their names")
	}
	for _, f := range checked(e).Check(wire.Names()) {
		wrong(f.Path, "%s", f.Message)
	}
	if _, unfit := filter.Compile(e.Filter); unfit != nil {
		wrong("/filter", "%v", unfit)
	}
	if first, taken := named(r.plan.Endpoints, e.Name, func(e endpoint.Endpoint) string { return e.Name }); taken {
		wrong("/name", "is given twice: on line %d too", r.plan.entries[first.Name].Below("/name").Line)
		return
	}
	r.plan.entries[e.Name] = n
	e.Normalise()
	e.Policy = e.Policy.WithDefaults()
	r.plan.Endpoints = append(r.plan.Endpoints, e)
}

// touches reports whether a fault concerns a value, a part of it, or an object around it. Such a
// value is not checked further.
func touches(faults []yaml.Fault, path string) bool {
	return slices.ContainsFunc(faults, func(f yaml.Fault) bool {
		return f.Path == path || strings.HasPrefix(path, f.Path+"/") || strings.HasPrefix(f.Path, path+"/")
	})
}

// checked returns the endpoint as the server will check it: without a token in the file, ignore_own refers to the
// token that applies the file.
func checked(e endpoint.Endpoint) endpoint.Endpoint {
	e.Token = cmp.Or(e.Token, "own")
	return e
}
