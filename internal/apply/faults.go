package apply

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/yaml"
)

// placed formats a fault with its place and the item it is about.
func placed(file string, line int, label, message string) string {
	if label != "" {
		label += ": "
	}
	return fmt.Sprintf("%s:%d: %s%s", file, line, label, message)
}

// labelOf returns the item that a path in the file leads to, and the rest of the path: "endpoint
// crm", or "endpoint 2" if it has no name.
func labelOf(root yaml.Node, path string) (label, below string) {
	tokens := strings.SplitN(path, "/", 4)
	if len(tokens) < 3 {
		return "", path
	}
	index, err := strconv.Atoi(tokens[2])
	items := root.Member(tokens[1]).Items()
	if err != nil || index >= len(items) {
		return "", path
	}
	if len(tokens) > 3 {
		below = "/" + tokens[3]
	}
	n, number := items[index], strconv.Itoa(index+1)
	switch tokens[1] {
	case "case_types":
		return typeLabel(n, "case type "+number), below
	case "endpoints":
		name, _ := n.Member("name").Text()
		return "endpoint " + cmp.Or(name, number), below
	}
	return "", path
}

// typeLabel names a case type by the key in its definition, or by otherwise if it has none.
func typeLabel(n yaml.Node, otherwise string) string {
	key, _ := n.Member("key").Text()
	if key == "" {
		key, _ = n.Member("definition").Member("key").Text()
	}
	if key == "" {
		return otherwise
	}
	return "case type " + key
}

// failures collects the errors of a run.
type failures struct{ all []error }

// add adds an error, if it is not nil, and reports whether the run has to end.
func (f *failures) add(err error) (stop bool) {
	if err == nil {
		return false
	}
	f.all = append(f.all, err)
	var known *refusal
	return !errors.As(err, &known)
}

// err returns the errors as one. An error that ended the run is returned as it is, if it is the
// only one.
func (f *failures) err() error {
	if len(f.all) == 1 {
		return f.all[0]
	}
	for i, err := range f.all {
		var known *fault.Error
		if errors.As(err, &known) {
			f.all[i] = errors.New(known.Detail)
		}
	}
	return errors.Join(f.all...)
}

// refusal is the server's refusal of an item, with the places in the files.
type refusal struct {
	lines []string
	err   error // the error that the client returned
}

func (r *refusal) Error() string { return strings.Join(r.lines, "\n") }

// Is makes errors.Is(err, kind) true for the kind of the refusal.
func (r *refusal) Is(target error) bool { return errors.Is(r.err, target) }

// itsLine matches the server's line number in a fault of a definition.
var itsLine = regexp.MustCompile(`^line ([0-9]+): `)

// place is a position in a file.
type place struct {
	file string
	line int
}

// refused adds the position in the file to the server's faults about an item. Below finds the place that a
// path leads to; the empty path is the item itself. A fault that concerns no item, such as a wrong token,
// is returned unchanged.
func refused(err error, label string, below func(path string) place) error {
	var known *fault.Error
	if !errors.As(err, &known) || known.Kind == fault.Unauthenticated || strings.HasPrefix(known.Code, "client.") {
		return err
	}
	r := &refusal{err: err}
	for _, f := range known.Fields {
		at, message := below(f.Path), f.Message
		if said := itsLine.FindStringSubmatch(message); said != nil {
			message = message[len(said[0]):]
			at.line, _ = strconv.Atoi(said[1])
		}
		r.lines = append(r.lines, placed(at.file, at.line, label, cmp.Or(f.Path, "/")+": "+message))
	}
	if len(r.lines) == 0 {
		at := below("")
		r.lines = []string{placed(at.file, at.line, label, known.Detail)}
	}
	return r
}

// ofType adds positions to the server's faults about a case type.
func (c *applier) ofType(t Type, err error) error {
	return refused(err, "case type "+t.CaseType.Key, func(path string) place {
		if path == "" {
			return place{c.plan.file, t.line}
		}
		return place{t.File, yaml.Read(t.Source, yaml.Options{}).PositionOf(path).Line}
	})
}

// ofEndpoint adds positions to the server's faults about an endpoint.
func (c *applier) ofEndpoint(name string, err error) error {
	return refused(err, "endpoint "+name, func(path string) place {
		return place{c.plan.file, c.plan.entries[name].Below(path).Line}
	})
}
