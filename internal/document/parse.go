package document

import (
	"strings"
)

type kind int

const (
	paragraph kind = iota
	title          // #
	heading        // ##
	item           // -
	rule           // ---
	table          // | a | b |
)

// block is a piece of a document. In texts and cells, \n breaks the line.
type block struct {
	kind   kind
	text   string
	rows   [][]string
	header bool // of a table: the first row is its header
}

// maxColumns bounds a table; further cells of a row are joined to its last one.
const maxColumns = 12

// parse reads the markup. It accepts every text: lines without markup are a paragraph.
func parse(text string) []block {
	var p parser
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	for line := range strings.SplitSeq(text, "\n") {
		p.line(strings.TrimSpace(line))
	}
	p.end()
	return p.blocks
}

type parser struct {
	blocks []block
	open   *block   // a paragraph, item or table that the next line may continue
	lines  []string // of the open block's text
}

func (p *parser) line(line string) {
	switch {
	case line == "":
		p.end()
	case strings.HasPrefix(line, "# "):
		p.whole(block{kind: title, text: plain(line[2:])})
	case strings.HasPrefix(line, "## "):
		p.whole(block{kind: heading, text: plain(line[3:])})
	case len(line) >= 3 && strings.Trim(line, "-") == "":
		p.whole(block{kind: rule})
	case strings.HasPrefix(line, "- "), strings.HasPrefix(line, "* "):
		p.start(item)
		p.lines = append(p.lines, line[2:])
	case line[0] == '|':
		p.row(line)
	default:
		if p.open == nil || p.open.kind == table {
			p.start(paragraph)
		}
		p.lines = append(p.lines, line)
	}
}

func (p *parser) row(line string) {
	if p.open == nil || p.open.kind != table {
		p.start(table)
	}
	if strings.Trim(line, "|-: ") == "" && strings.Contains(line, "-") {
		p.open.header = p.open.header || len(p.open.rows) == 1
		return
	}
	p.open.rows = append(p.open.rows, cells(line))
}

// cells splits a row at the bars that no backslash precedes.
func cells(line string) []string {
	var found []string
	line = line[1:]
	start, escaped := 0, false
	for i := 0; i < len(line) && len(found) < maxColumns-1; i++ {
		switch {
		case escaped:
			escaped = false
		case line[i] == '\\':
			escaped = true
		case line[i] == '|':
			found = append(found, plain(line[start:i]))
			start = i + 1
		}
	}
	if rest := line[start:]; strings.TrimSpace(rest) != "" {
		if len(found) == maxColumns-1 {
			rest = strings.TrimSuffix(strings.TrimSpace(rest), "|")
		}
		found = append(found, plain(rest))
	}
	return found
}

func (p *parser) whole(b block) {
	p.end()
	p.blocks = append(p.blocks, b)
}

func (p *parser) start(k kind) {
	p.end()
	p.open = &block{kind: k}
}

// end closes the open block, if there is one.
func (p *parser) end() {
	if p.open == nil {
		return
	}
	p.open.text = join(p.lines)
	if p.open.kind != table || len(p.open.rows) > 0 {
		p.blocks = append(p.blocks, *p.open)
	}
	p.open, p.lines = nil, nil
}

// join makes one text of lines: a backslash at the end of a line breaks it.
func join(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		slashes := len(line) - len(strings.TrimRight(line, `\`))
		breaks := slashes%2 == 1
		if breaks {
			line = line[:len(line)-1]
		}
		b.WriteString(plain(line))
		switch {
		case i == len(lines)-1:
		case breaks:
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// plain removes the backslashes of escaped characters, and breaks lines at separators.
func plain(s string) string {
	var b strings.Builder
	s = strings.TrimSpace(s)
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(markup, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return strings.ReplaceAll(b.String(), lineSeparator, "\n")
}
