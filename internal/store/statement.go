package store

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// dialect is one of the engines, as an index into what differs.
type dialect int

const (
	sqlite dialect = iota
	postgres
)

// statement is one SQL text, rendered for both engines.
type statement struct {
	text [2]string
	bulk string // what several statements of a bulk have in common
	rare bool   // it is made for one use, and so is not kept prepared
}

// name identifies a statement in tests that make it fail.
func (s *statement) name(d dialect) string { return cmp.Or(s.bulk, s.text[d]) }

// statements lists all there are, so that a test can prepare each on both engines.
var statements []*statement

func define(text string) *statement {
	s := &statement{}
	for _, d := range []dialect{sqlite, postgres} {
		s.text[d] = d.render(text)
	}
	statements = append(statements, s)
	return s
}

// sqliteOnly defines a statement that PostgreSQL never runs.
func sqliteOnly(text string) *statement {
	s := define(text)
	s.text[postgres] = ""
	return s
}

// postgresOnly defines a statement that SQLite never runs.
func postgresOnly(text string) *statement {
	s := define(text)
	s.text[sqlite] = ""
	return s
}

// limitPattern matches a limit that is a parameter alone. SQLite plans such a statement for the parameter's value, and
// so parses it anew each time that it is run. Where the limit is a sum, it does not.
var limitPattern = regexp.MustCompile(`\blimit \$\d+\b`)

// rowsPattern matches a table that a parameter holds, such as rows($1: id bigint, name text). Its columns may stand on
// several lines.
var (
	rowsPattern = regexp.MustCompile(`rows\((\$\d+):\s*([^)]*?)\s*\)`)
	columnBreak = regexp.MustCompile(`\s*,\s*`)
)

// replacers fill in what the engines say in different words.
var replacers = [...]*strings.Replacer{
	sqlite: strings.NewReplacer(
		"{{now}}", "cast(unixepoch('subsec') * 1000000 as integer)",
		"{{lock}}", "",
		"{{share}}", "",
		"{{alone}}", "",
		"{{backend}}", "$3",
		"{{present}}", "true"),
	postgres: strings.NewReplacer(
		"{{now}}", "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
		"{{lock}}", "for update skip locked",
		"{{share}}", "for share of l",
		"{{alone}}", "for update of l",
		"{{backend}}", "coalesce((select pid from pg_stat_activity where pid = $3), 0)",
		"{{present}}", `(session = 0 or session_at < extract(epoch from pg_postmaster_start_time()) * 1000000
			or exists (select 1 from pg_stat_activity where pid = session))`),
}

// render returns a statement in an engine's words. All of them are rendered whenever the program starts, so a pattern
// is only looked for where it may be.
func (d dialect) render(text string) string {
	text = replacers[d].Replace(text)
	if d == sqlite && strings.Contains(text, "limit $") {
		text = limitPattern.ReplaceAllString(text, "$0 + 0")
	}
	if !strings.Contains(text, "rows($") {
		return text
	}
	return rowsPattern.ReplaceAllStringFunc(text, func(match string) string {
		parts := rowsPattern.FindStringSubmatch(match)
		return d.rows(parts[1], columnBreak.Split(parts[2], -1))
	})
}

// rows renders a table whose rows come from a JSON array of arrays, so that any number of rows takes one parameter.
func (d dialect) rows(parameter string, columns []string) string {
	fields := make([]string, len(columns))
	for i, column := range columns {
		name, kind, _ := strings.Cut(column, " ")
		if d == postgres {
			fields[i] = fmt.Sprintf("cast(value ->> %d as %s) as %s", i, kind, name)
		} else {
			fields[i] = fmt.Sprintf("value ->> %d as %s", i, name)
		}
	}
	source := "jsonb_each(" + parameter + ")" // whose values need not be parsed again
	if d == postgres {
		source = "jsonb_array_elements(cast(" + parameter + " as jsonb))"
	}
	return "(select " + strings.Join(fields, ", ") + " from " + source + ")"
}
