package casetype

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/casehook/casehook/internal/spelling"
)

// yamlReader builds a tree of JSON values from YAML.
type yamlReader struct {
	tree
	nodes int // visited, aliases expanded
	limit int
	full  bool
	open  []*yaml.Node // aliases being expanded
}

// readYAML reads one YAML document whose values all have a JSON form.
func readYAML(source []byte, limit int) tree {
	r := yamlReader{limit: limit, tree: tree{lines: map[string]int{}, order: map[string][]string{}}}
	var document yaml.Node
	if err := yaml.Load(source, &document); err != nil {
		r.wrong = Faults{yamlFault(err)}
		return r.tree
	}
	root := &document
	if document.Kind == yaml.DocumentNode {
		root = document.Content[0]
	}
	if r.value = r.read(root, "", 0); r.full {
		r.value = nil
	}
	return r.tree
}

func yamlFault(err error) Fault {
	var load *yaml.LoadError
	if errors.As(err, &load) {
		line := load.Mark.Line
		if line == 0 {
			line = load.ContextMark.Line
		}
		return Fault{Line: max(line, 1), Message: "is not YAML: " + load.Message}
	}
	return Fault{Line: 1, Message: "is not YAML: " + err.Error()}
}

func (r *yamlReader) fault(n *yaml.Node, path, message string) {
	r.wrong = append(r.wrong, Fault{Line: n.Line, Path: path, Message: message})
}

func (r *yamlReader) read(n *yaml.Node, path string, depth int) any {
	if r.full {
		return nil
	}
	if r.nodes += 1 + len(path)/longPathLength; r.limit > 0 && r.nodes > r.limit {
		r.full = true
		r.fault(n, path, fmt.Sprintf("comes after %d values, aliases expanded, the most there may be", r.limit))
		return nil
	}
	if depth > maxDepth {
		r.fault(n, path, fmt.Sprintf("is nested deeper than %d levels", maxDepth))
		return nil
	}
	r.mark(path, n.Line)
	switch n.Kind {
	case yaml.AliasNode:
		return r.alias(n, path, depth)
	case yaml.MappingNode:
		return r.mapping(n, path, depth)
	case yaml.SequenceNode:
		list := make([]any, 0, len(n.Content))
		for i, item := range n.Content {
			list = append(list, r.read(item, pointer(path, strconv.Itoa(i)), depth+1))
		}
		return list
	}
	return r.scalar(n, path)
}

func (r *yamlReader) mark(path string, line int) {
	if _, known := r.lines[path]; !known {
		r.lines[path] = line
	}
}

func (r *yamlReader) alias(n *yaml.Node, path string, depth int) any {
	if slices.Contains(r.open, n.Alias) {
		r.fault(n, path, "is an alias of what it is part of")
		return nil
	}
	r.open = append(r.open, n.Alias)
	v := r.read(n.Alias, path, depth+1)
	r.open = r.open[:len(r.open)-1]
	return v
}

func (r *yamlReader) mapping(n *yaml.Node, path string, depth int) any {
	object := map[string]any{}
	for i := 0; i+1 < len(n.Content) && !r.full; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			r.fault(n.Content[i], path, "has a key that is not text")
			continue
		}
		name := spelling.Composed(key.Value)
		if len(path)+len(name) > maxPath {
			r.fault(n.Content[i], path, longPath)
			continue
		}
		at := pointer(path, name)
		if key.ShortTag() == "!!merge" {
			r.fault(key, at, "is a merge key, which is not supported: write the entries out")
			continue
		}
		if _, twice := object[name]; twice {
			r.fault(n.Content[i], at, "is given twice")
		} else {
			r.order[path] = append(r.order[path], name)
		}
		r.mark(at, n.Content[i].Line)
		object[name] = r.read(value, at, depth+1)
	}
	return object
}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// What plain scalars are, by the core schema of YAML 1.2: 0o17 and 017 are numbers,
// 1_000, 0b11, yes and no are texts.
var (
	yamlNull  = regexp.MustCompile(`^(~|null|Null|NULL|)$`)
	yamlBool  = regexp.MustCompile(`^(true|True|TRUE|false|False|FALSE)$`)
	yamlOther = regexp.MustCompile(`^(0o[0-7]+|0x[0-9a-fA-F]+|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
	yamlFloat = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
)

// plainTag returns what a scalar without quotation marks and tag is.
func plainTag(text string) string {
	switch {
	case yamlNull.MatchString(text):
		return "!!null"
	case yamlBool.MatchString(text):
		return "!!bool"
	case yamlFloat.MatchString(text), yamlOther.MatchString(text):
		return "!!float"
	}
	return "!!str"
}

func (r *yamlReader) scalar(n *yaml.Node, path string) any {
	tag := n.ShortTag()
	if n.Style == 0 {
		tag = plainTag(n.Value)
	}
	switch tag {
	case "!!str", "!!timestamp":
		if strings.ContainsRune(n.Value, 0) {
			r.fault(n, path, "holds the character U+0000, which no text may")
		}
		return spelling.Composed(n.Value)
	case "!!null":
		return nil
	case "!!bool":
		return strings.EqualFold(n.Value, "true")
	case "!!int", "!!float":
		number, message := yamlNumber(n.Value)
		if message != "" {
			r.fault(n, path, message)
			return json.Number("0")
		}
		return number
	default:
		r.fault(n, path, "has the tag "+tag+", which means nothing here")
		return nil
	}
}

// yamlNumber writes a YAML number as a JSON one, exactly.
func yamlNumber(text string) (json.Number, string) {
	if jsonNumber.MatchString(text) {
		return json.Number(text), numberProblem(json.Number(text))
	}
	if len(text) <= maxNumberLength {
		base, digits := 10, strings.TrimPrefix(text, "+")
		switch {
		case strings.HasPrefix(text, "0o"):
			base, digits = 8, text[2:]
		case strings.HasPrefix(text, "0x"):
			base, digits = 16, text[2:]
		}
		if i, ok := new(big.Int).SetString(digits, base); ok {
			return json.Number(i.String()), ""
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && f-f == 0 {
			return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), ""
		}
	}
	return "", "is not a number that JSON can hold"
}
