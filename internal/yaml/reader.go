package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// reader makes a document of YAML's nodes. It interprets scalars itself: the library implements YAML 1.1.
type reader struct {
	doc     *Document
	options Options
	restore *strings.Replacer // of what stood in for separators
	nodes   int               // visited, aliases expanded
	full    bool              // there were more nodes than the limit
	open    []*yaml.Node      // lists and objects with anchors that are being read
}

// readYAML reads one YAML document whose values all have a JSON form.
func readYAML(source []byte, o Options) *Document {
	r := reader{doc: newDocument(source), options: o}
	if r.options.MaxNodes == 0 {
		r.options.MaxNodes = maxNodes
	}
	prepared, problem := prepare(source)
	if problem != nil {
		r.doc.Faults = []Fault{*problem}
		return r.doc
	}
	r.restore = prepared.restore
	root, problem := parse(prepared.text)
	if problem != nil {
		r.doc.Faults = []Fault{*problem}
		return r.doc
	}
	if root == nil { // nothing but comments
		return r.doc
	}
	if r.doc.Value = r.read(root, "", 0); r.full {
		r.doc.Value = nil
	}
	return r.doc
}

// parse returns the root of the one document in a text, or nil.
func parse(text []byte) (*yaml.Node, *Fault) {
	limit := loaderlimits.New(loaderlimits.DepthFunc(func(depth int, _ *loaderlimits.DepthContext) error {
		if depth > 2*MaxDepth { // levels of syntax; those of values are counted later
			return errors.New(tooDeep)
		}
		return nil
	}))
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithPlugin(limit))
	if err != nil {
		return nil, syntaxFault(err, text)
	}
	var first, second yaml.Node
	switch err := loader.Load(&first); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, syntaxFault(err, text)
	}
	switch err := loader.Load(&second); {
	case err == nil:
		return nil, &Fault{Position: positionOf(&second), Message: "begins a second document, and only one is allowed"}
	case !errors.Is(err, io.EOF):
		return nil, syntaxFault(err, text)
	}
	if first.Kind == yaml.DocumentNode {
		return first.Content[0], nil
	}
	return &first, nil
}

// syntaxFault words the library's error, and places it at the start of the construct that was being read.
func syntaxFault(err error, text []byte) *Fault {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return &Fault{Position: Position{1, 1}, Message: "is not YAML: " + err.Error()}
	}
	mark, context := load.Mark, load.ContextMark
	if mark.Line == 0 {
		mark = context
	}
	message := "is not YAML: " + load.Message
	if strings.HasSuffix(load.Message, tooDeep) {
		message = tooDeep
	}
	if strings.HasPrefix(load.Message, "found invalid Unicode character escape") {
		message += ` (beyond \uFFFF, write the character itself or \U0001F600)`
	}
	if load.ContextMsg != "" && context.Line > 0 && context.Line < mark.Line {
		message += fmt.Sprintf(" %s that begins on line %d", load.ContextMsg, context.Line)
	}
	at := Position{max(mark.Line, 1), max(mark.Column, 1)}
	message += syntaxRemedy(load.Message, text, at)
	if end := positionIn(text, len(text)); at.Line > end.Line { // the library ends the last line
		at = end
	}
	return &Fault{Position: at, Message: message}
}

// syntaxRemedy explains what to write instead at a position where the library has stopped.
func syntaxRemedy(message string, text []byte, at Position) string {
	tabbed := strings.HasPrefix(strings.TrimLeft(lineOf(text, at.Line), " "), "\t")
	switch {
	case tabbed && (strings.Contains(message, "tab character") || strings.Contains(message, "cannot start any token")):
		return "; indent with spaces, not with tabs"
	case strings.Contains(message, "cannot start any token"):
		return "; put the text in quotes"
	case strings.HasPrefix(message, "mapping values are not allowed"):
		return "; put a text that holds a colon in quotes, and indent a key exactly like those beside it"
	case strings.HasPrefix(message, "did not find expected key"),
		strings.HasPrefix(message, "did not find expected '-' indicator"):
		return "; indent a key exactly like those beside it, and put a text that begins with a quote, { " +
			"or [ in quotes as a whole"
	}
	for line := at.Line; line >= max(1, at.Line-1); line-- { // the library may notice on the next one
		switch remedy := quotingRemedy(lineOf(text, line)); {
		case remedy != "" && line < at.Line:
			return fmt.Sprintf("; on line %d, %s", line, remedy)
		case remedy != "":
			return "; " + remedy
		}
	}
	return ""
}

// quotingRemedies explain which characters have a meaning in a text without quotes, for a line without its
// quoted texts.
var quotingRemedies = []struct {
	found  *regexp.Regexp
	remedy string
}{
	{regexp.MustCompile(`[:,\[{-]\s+#\S`), "# begins a comment: put a text that holds it in quotes"},
	{regexp.MustCompile("(^|[:,\\[{-])\\s+[%@`!*&]"), "put a text that begins with %, @, `, !, * or & in quotes"},
	{regexp.MustCompile(`[^\s:,\[{-]\s*[\[{]`), "put a text that holds [ or { in quotes"},
	{regexp.MustCompile(`:\s[^,{}\[\]]*:\s`), "put a text that holds a colon in quotes"},
}

var quoted = regexp.MustCompile(`"(\\.|[^"\\])*"|'[^']*'`)

// quotingRemedy names the text in a line that may lack its quotes.
func quotingRemedy(line string) string {
	if len(line) > maxRemedyLine {
		return ""
	}
	bare := quoted.ReplaceAllString(line, "x")
	for _, q := range quotingRemedies {
		if q.found.MatchString(bare) {
			return q.remedy
		}
	}
	return ""
}

// maxRemedyLine bounds a line in which missing quotes are looked for, in bytes.
const maxRemedyLine = 1000

// lineOf returns a line of a text, counted from 1.
func lineOf(text []byte, line int) string {
	rest := string(text)
	for ; line > 1; line-- {
		i := strings.IndexAny(rest, "\r\n")
		if i < 0 {
			return ""
		}
		if strings.HasPrefix(rest[i:], "\r\n") {
			i++
		}
		rest = rest[i+1:]
	}
	first, _, _ := strings.Cut(rest, "\n")
	return first
}

func positionOf(n *yaml.Node) Position { return Position{n.Line, n.Column} }

func (r *reader) fault(n *yaml.Node, path, message string) { r.doc.fault(positionOf(n), path, message) }

func (r *reader) read(n *yaml.Node, path string, depth int) any {
	if r.full {
		return nil
	}
	if r.nodes += 1 + len(path)/longPathLength; r.nodes > r.options.MaxNodes {
		r.full = true
		r.fault(n, path, fmt.Sprintf(tooMany, r.options.MaxNodes))
		return nil
	}
	r.doc.setValue(path, positionOf(n))
	switch n.Kind {
	case yaml.AliasNode:
		return r.alias(n, path, depth)
	case yaml.MappingNode, yaml.SequenceNode:
		return r.collection(n, path, depth)
	}
	return r.scalar(n, path)
}

func (r *reader) alias(n *yaml.Node, path string, depth int) any {
	if slices.Contains(r.open, n.Alias) {
		r.fault(n, path, "is an alias of a value that contains it")
		return nil
	}
	return r.read(n.Alias, path, depth)
}

func (r *reader) collection(n *yaml.Node, path string, depth int) any {
	if depth >= MaxDepth {
		r.fault(n, path, tooDeep)
		return nil
	}
	tag := map[yaml.Kind]string{yaml.MappingNode: mapTag, yaml.SequenceNode: listTag}[n.Kind]
	if given := n.ShortTag(); n.Style&yaml.TaggedStyle != 0 && given != tag {
		r.fault(n, path, unknownTag(given))
		return nil
	}
	if n.Anchor != "" {
		r.open = append(r.open, n)
		defer func() { r.open = r.open[:len(r.open)-1] }()
	}
	if n.Kind == yaml.MappingNode {
		return r.mapping(n, path, depth)
	}
	list := make([]any, 0, len(n.Content))
	for i, item := range n.Content {
		list = append(list, r.read(item, pointer(path, strconv.Itoa(i)), depth+1))
	}
	return list
}

func (r *reader) mapping(n *yaml.Node, path string, depth int) any {
	object := map[string]any{}
	for i := 0; i < len(n.Content) && !r.full; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name, problem := r.key(key)
		if problem == "" && len(path)+len(name) > maxPath {
			problem = longPath
		}
		if problem != "" {
			r.fault(key, path, problem)
			continue
		}
		at := pointer(path, name)
		if isMerge(key) {
			r.fault(key, at, "is a merge key, which YAML 1.2 does not have: write the entries out")
			continue
		}
		if _, known := object[name]; known {
			r.fault(key, at, fmt.Sprintf(twiceSince, r.doc.PositionOf(at).Line))
		} else {
			r.doc.order[path] = append(r.doc.order[path], name)
		}
		r.doc.setKey(at, positionOf(key))
		object[name] = r.read(value, at, depth+1)
	}
	return object
}

// isMerge reports whether a key is the << of YAML 1.1.
func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.Style == 0 && key.ShortTag() == mergeTag
}

// key returns the name of a key, which may be written as a number or a text.
func (r *reader) key(n *yaml.Node) (name, problem string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.Kind != yaml.ScalarNode:
		return "", "has a key that is not text; put a text that begins with {, [ or ? in quotes"
	case n.Style&yaml.TaggedStyle != 0 && n.ShortTag() != textTag:
		return "", fmt.Sprintf("has a key with the tag %s, which means nothing here", n.ShortTag())
	case n.Value == "" && n.Style == 0 && n.Tag != "!":
		return "", `has no key before the colon; the empty one is ""`
	}
	return r.text(n, "has a key that ")
}

// text returns the text of a scalar, or the problem with it, which begins with before.
func (r *reader) text(n *yaml.Node, before string) (text, problem string) {
	text = n.Value
	if r.restore != nil {
		text = r.restore.Replace(text)
	}
	switch {
	case strings.ContainsRune(text, 0):
		problem = before + "holds the character U+0000, which text may not contain"
	case strings.ContainsRune(text, '\ufeff') && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) == 0:
		problem = before + "holds the byte order mark U+FEFF; leave it out, or put the text in quotation marks"
	}
	return r.options.Text(text), problem
}

func (r *reader) scalar(n *yaml.Node, path string) any {
	tag := n.ShortTag()
	switch {
	case n.Style&yaml.TaggedStyle != 0:
	case n.Style == 0 && n.Tag != "!":
		tag = plainTag(n.Value)
	default:
		tag = textTag
	}
	if tag == textTag {
		text, problem := r.text(n, "")
		if problem != "" {
			r.fault(n, path, problem)
		}
		return text
	}
	value, problem := scalarValue(tag, n.Value)
	if problem != "" {
		r.fault(n, path, problem)
	}
	r.doc.spelt[path] = n.Value
	return value
}
