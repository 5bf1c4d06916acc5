package store

import (
	"cmp"
	"strconv"
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

// replacers fill in what the engines say in different words.
var replacers = [...]*strings.Replacer{
	sqlite: strings.NewReplacer(
		"{{now}}", "cast(unixepoch('subsec') * 1000000 as integer)",
		"{{lock}}", "",
		"{{share}}", "",
		"{{alone}}", "",
		"{{backend}}", "$3",
		"{{present}}", "true",
		"{{entry}}", "journal j on j.id = s.entry"),
	postgres: strings.NewReplacer(
		"{{now}}", "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
		"{{lock}}", "for update skip locked",
		"{{share}}", "for share of l",
		"{{alone}}", "for update of l",
		"{{backend}}", "coalesce((select pid from pg_stat_activity where pid = $3), 0)",
		"{{present}}", `(session = 0 or session_at < extract(epoch from pg_postmaster_start_time()) * 1000000
			or exists (select 1 from pg_stat_activity where pid = session))`,
		// Before it has counted the rows, PostgreSQL would rather read the whole journal than look up many entries.
		"{{entry}}", "lateral (select * from journal where id = s.entry offset 0) j on true"),
}

// render returns a statement in an engine's words. Every start of the program renders all statements, which regular
// expressions would take long for.
func (d dialect) render(text string) string {
	if strings.Contains(text, "{{") {
		text = replacers[d].Replace(text)
	}
	if d == sqlite {
		text = replaceEach(text, "limit $", withoutPlanningAnew)
	}
	return replaceEach(text, "rows($", d.rows)
}

// replaceEach replaces each place that begins with start. The function is called with the text behind that, and
// returns what stands for the place, and the text behind it.
func replaceEach(text, start string, replace func(rest string) (replaced, after string)) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, start)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		replaced, after := replace(rest)
		out.WriteString(replaced)
		text = after
	}
}

// withoutPlanningAnew renders a limit that is a parameter alone. SQLite plans such a statement for the parameter's
// value, and so parses it anew each time that it is run. Where the limit is a sum, it does not.
func withoutPlanningAnew(rest string) (limit, after string) {
	after = strings.TrimLeft(rest, "0123456789")
	return "limit $" + rest[:len(rest)-len(after)] + " + 0", after
}

// rows renders a table that a parameter holds, such as rows($1: id bigint, name text). Its rows come from a JSON array
// of arrays, so that any number of them takes one parameter.
func (d dialect) rows(rest string) (table, after string) {
	definition, after, _ := strings.Cut(rest, ")")
	parameter, columns, _ := strings.Cut("$"+definition, ":")
	var fields []string
	for column := range strings.SplitSeq(columns, ",") {
		name, kind, _ := strings.Cut(strings.TrimSpace(column), " ")
		field := strconv.Itoa(len(fields))
		if d == postgres {
			fields = append(fields, "cast(value ->> "+field+" as "+kind+") as "+name)
		} else {
			fields = append(fields, "value ->> "+field+" as "+name)
		}
	}
	source := "jsonb_each(" + parameter + ")" // whose values need not be parsed again
	if d == postgres {
		source = "jsonb_array_elements(cast(" + parameter + " as jsonb))"
	}
	return "(select " + strings.Join(fields, ", ") + " from " + source + ")", after
}
