package store

import (
	"cmp"
	"strconv"
	"strings"
)

// dialect is one of the engines, as an index of statement.text and replacers.
type dialect int

const (
	sqlite dialect = iota
	postgres
)

// statement is one SQL text, rendered for both engines.
type statement struct {
	text [2]string
	bulk string // the common name of a bulk's statements
	rare bool   // it is used once, and so is not kept prepared
}

// name returns the name by which tests identify a statement to make it fail.
func (s *statement) name(d dialect) string { return cmp.Or(s.bulk, s.text[d]) }

// statements lists all statements, so that a test can prepare each of them on both engines.
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

// replacers replace placeholders by the SQL of each engine.
var replacers = [...]*strings.Replacer{
	sqlite: strings.NewReplacer(
		"{{now}}", "cast(unixepoch('subsec') * 1000000 as integer)",
		"{{lock}}", "",
		"{{share}}", "",
		"{{alone}}", "",
		"{{backend}}", "$3",
		"{{present}}", "true",
		"{{writer}}", "0",
		"{{metadata}}", "exists (select 1 from json_each(e.settings, '$.metadata') m where m.key = $4 and m.value = $5)",
		// SQLite would read all of a tenant's links along the index that has all columns.
		"{{bycase}}", "indexed by case_contacts_by_case",
		"{{entry}}", "journal j on j.id = s.entry"),
	postgres: strings.NewReplacer(
		"{{now}}", "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
		"{{lock}}", "for update skip locked",
		"{{share}}", "for share of l",
		"{{alone}}", "for update of l",
		"{{backend}}", "coalesce((select pid from pg_stat_activity where pid = $3), 0)",
		"{{writer}}", "pg_backend_pid()",
		"{{metadata}}", "cast(e.settings as json) -> 'metadata' ->> cast($4 as text) = $5",
		"{{bycase}}", "",
		"{{present}}", `(session = 0 or session_at < extract(epoch from pg_postmaster_start_time()) * 1000000
			or exists (select 1 from pg_stat_activity where pid = session))`,
		// Without statistics PostgreSQL would read the whole journal rather than look up many entries.
		"{{entry}}", "lateral (select * from journal where id = s.entry offset 0) j on true"),
}

// render returns the SQL of a statement for an engine. All statements are rendered at every start of the program, and
// regular expressions would be too slow.
func (d dialect) render(text string) string {
	if strings.Contains(text, "{{") {
		text = replacers[d].Replace(text)
	}
	if d == sqlite {
		text = replaceEach(text, "limit $", withoutPlanningAnew)
	}
	return replaceEach(text, "rows($", d.rows)
}

// replaceEach replaces each placeholder that begins with start. It calls replace with the text after start, which
// returns the replacement and the text after the placeholder.
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

// withoutPlanningAnew renders a limit that is a parameter alone as a sum. SQLite plans a statement with such a limit
// for the parameter's value, and so parses it again at each run. It does not do this for a sum.
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
	source := "jsonb_each(" + parameter + ")" // its values need not be parsed again
	if d == postgres {
		source = "jsonb_array_elements(cast(" + parameter + " as jsonb))"
	}
	return "(select " + strings.Join(fields, ", ") + " from " + source + ")", after
}
