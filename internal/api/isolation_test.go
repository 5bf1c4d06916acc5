package api_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/casehook/casehook/internal/store/storetest"
)

// TestTenantsNeitherSeeNorTouchEachOther runs the story in which every operation succeeds for two tenants at once, step
// by step, so that both have the same keys, names and references. Before each step each tenant tries it with the
// other's ids.
func TestTenantsNeitherSeeNorTouchEachOther(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]func(*testing.T) (driver, dsn string){
		"sqlite": func(t *testing.T) (string, string) {
			return "sqlite", storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey)
		},
		"postgres": func(t *testing.T) (string, string) { return "pgx", storetest.Postgres(t, databaseKey) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			driver, dsn := dsn(t)
			w := startOn(t, driver, dsn)
			twins := newTenantPair(w)
			w.around = twins.step
			w.story()
			twins.otherKeys()
			for _, d := range w.operations() {
				if !strings.HasPrefix(d.path, "/v1/") || strings.HasPrefix(d.path, tenantsPath) || d.open() ||
					slices.Contains(ofSessions, d.id) {
					continue
				}
				if twins.played[d.id] == 0 {
					t.Errorf("%s was not played by both", d.id)
				}
				if ofOthers.MatchString(d.path) && twins.tried[d.id] == 0 {
					t.Errorf("%s was never tried with the other's ids", d.id)
				}
			}
			if len(twins.twin[0]) < 20 {
				t.Errorf("only %d ids are known", len(twins.twin[0]))
			}
		})
	}
}

// ofSessions are operations that need a session, of which programs have none. session_test.go tries them, with the ids
// of other people's sessions too.
var ofSessions = []string{"delete-session", "change-password", "end-session", "end-other-sessions",
	"create-own-token", "delete-own-token"}

const tenantsPath = "/v1/tenants"

// ofOthers are the paths that name something by an id.
var ofOthers = regexp.MustCompile(`\{[a-z_]*id\}|/\{attachment\}`)

// tenantPair is two tenants who do the same.
type tenantPair struct {
	world    *world
	database *sql.DB
	tenant   [2]int64
	bearer   [2]string
	host     [2]string
	twin     [2]map[string]string // from the ids of each to the corresponding ids of the other
	kinds    [2]map[string]string // "users/7": small numbers, by what they number
	steps    int
	played   map[string]int
	tried    map[string]int
	last     map[string]request // request that succeeded, by operation
	tables   []string
}

func newTenantPair(w *world) *tenantPair {
	w.t.Helper()
	made := w.post(tenantsPath, `{"key": "twin", "hosts": ["twin.example"], "variables": ["CALLBACKS"]}`).is(201, "")
	s := &tenantPair{world: w, bearer: [2]string{w.bearer, made.text("token")}, host: [2]string{"", "twin.example"},
		played: map[string]int{}, tried: map[string]int{}, last: map[string]request{}}
	for i := range 2 {
		s.twin[i], s.kinds[i] = map[string]string{s.bearer[i]: s.bearer[1-i]}, map[string]string{}
	}
	var err error
	s.database, err = sql.Open(w.driver, w.dsn)
	must(w.t, err)
	w.t.Cleanup(func() { s.database.Close() })
	tables, tenants := `select m.name from pragma_table_list m, pragma_table_info(m.name) c
		where m.schema = 'main' and m.type = 'table' and c.name = 'tenant'`, `select id from tenants order by id`
	if w.driver == "pgx" {
		tables = `select table_name from information_schema.columns where column_name = 'tenant' and table_schema = 'public'`
	}
	s.tables = query[string](s, tables)
	copy(s.tenant[:], query[int64](s, tenants))
	// or both have the same ids
	s.exec(fmt.Sprintf("insert into counters (tenant, name, value) values (%d, 'ids/users', 1000)", s.tenant[1]))
	s.exec("create table noted (tenant bigint, what text)")
	for _, table := range s.tables {
		s.record(table)
	}
	return s
}

// query reads one column.
func query[T any](s *tenantPair, text string, args ...any) (all []T) {
	s.world.t.Helper()
	rows, err := s.database.QueryContext(s.world.t.Context(), text, args...)
	must(s.world.t, err)
	defer rows.Close()
	for rows.Next() {
		var v T
		must(s.world.t, rows.Scan(&v))
		all = append(all, v)
	}
	must(s.world.t, rows.Err())
	return all
}

// record adds triggers that record whose rows of a table are written. A token's last use does not count.
func (s *tenantPair) record(table string) {
	s.world.t.Helper()
	columns, differs := "select name from pragma_table_info('"+table+"')", "old.%[1]q is not new.%[1]q"
	do := map[string]string{}
	for op, rows := range map[string][]string{"insert": {"new"}, "update": {"old", "new"}, "delete": {"old"}} {
		do[op] = "begin "
		for _, row := range rows {
			do[op] += fmt.Sprintf("insert into noted values (%s.tenant, '%s of %s'); ", row, op, table)
		}
		do[op] += "end"
	}
	if s.world.driver == "pgx" {
		columns, differs = "select column_name from information_schema.columns where table_schema = 'public' and "+
			"table_name = '"+table+"'", "old.%[1]q is distinct from new.%[1]q"
		s.exec(`create function note_` + table + `() returns trigger language plpgsql as $$ begin
			insert into noted select tenant, tg_op || ' of ` + table + `' from (values (old.tenant), (new.tenant)) rows (tenant) where tenant is not null;
			return null; end $$`)
		for op := range do {
			do[op] = "execute function note_" + table + "()"
		}
	}
	var changed []string
	for _, column := range query[string](s, columns) {
		if column != "last_used_at" {
			changed = append(changed, fmt.Sprintf(differs, column))
		}
	}
	when := map[string]string{"update": "when (" + strings.Join(changed, " or ") + ")"}
	for op := range do {
		s.exec(fmt.Sprintf("create trigger note_%[1]s_%[2]s after %[2]s on %[1]s for each row %[3]s %[4]s", table,
			op, when[op], do[op]))
	}
}

func (s *tenantPair) exec(text string) {
	s.world.t.Helper()
	_, err := s.database.ExecContext(s.world.t.Context(), text)
	must(s.world.t, err)
}

// untouched runs do, which must not change anything of one tenant.
func (s *tenantPair) untouched(who int, what string, do func()) {
	s.world.t.Helper()
	s.exec("delete from noted")
	do()
	if noted := query[string](s, "select what from noted where tenant = $1", s.tenant[who]); len(noted) > 0 {
		s.world.t.Errorf("%s touched the other's rows: %s", what, noted)
	}
}

// step runs one step of the story for both.
func (s *tenantPair) step(r request) answer {
	s.world.t.Helper()
	d, ok := s.world.operation(r.method, r.path)
	if !ok || !strings.HasPrefix(d.path, "/v1/") || strings.HasPrefix(d.path, tenantsPath) {
		return s.world.direct(r)
	}
	mine := [2]request{r, s.translate(0, r)}
	for who := range 2 {
		for _, id := range s.named(1-who, mine[1-who]) {
			s.tryAs(who, d, mine[who], id)
		}
	}
	s.steps++
	if key := fmt.Sprint("step ", s.steps); d.method == "POST" && !slices.Contains(r.header, "Idempotency-Key") &&
		len(r.header) == 0 {
		for who := range mine { // each has keys of its own, and they are the same
			mine[who].header = append(slices.Clone(mine[who].header), "Idempotency-Key", key)
		}
	}
	var answers [2]answer
	for who := range 2 {
		s.untouched(1-who, d.id, func() { answers[who] = s.as(who, mine[who]) })
	}
	if answers[0].status != answers[1].status {
		s.world.t.Errorf("%s: one is answered %d, the other %d %s", d.id, answers[0].status, answers[1].status,
			answers[1].body)
	}
	s.learn(d, answers)
	for who, a := range answers {
		s.checkShown(d.id, who, mine[who], a)
	}
	if s.played[d.id]++; answers[0].status < 300 {
		s.last[d.id] = r
	}
	return answers[0]
}

// as sends a request as one of them.
func (s *tenantPair) as(who int, r request) answer {
	s.world.t.Helper()
	header := slices.Clone(r.header)
	if !slices.Contains(header, "Authorization") {
		header = append(header, "Authorization", "Bearer "+s.bearer[who])
	}
	own := strings.TrimPrefix(header[slices.Index(header, "Authorization")+1], "Bearer ")
	if _, known := s.twin[who][own]; known && !slices.Contains(header, "Host") && s.host[who] != "" {
		header = append(header, "Host", s.host[who])
	}
	r.header = header
	return s.world.direct(r)
}

// tryAs tries a step as one tenant with an object of the other. The answer must be that for an id that does not exist.
func (s *tenantPair) tryAs(who int, d operation, mine request, theirs string) {
	s.world.t.Helper()
	own, nobody := s.inverse(1-who, theirs), nobodys(theirs)
	if nobody == "" {
		return
	}
	var foreign, missing answer
	s.untouched(1-who, d.id+" with "+theirs, func() {
		foreign = s.as(who, replace(mine, own, theirs))
		missing = s.as(who, replace(mine, own, nobody))
	})
	s.tried[d.id]++
	a, b := masked(foreign, theirs), masked(missing, nobody)
	if foreign.status != missing.status || foreign.status >= 400 && a != b {
		s.world.t.Errorf("%s with the other's %s is answered\n%d %s, with what nobody has\n%d %s", d.id, theirs,
			foreign.status, a, missing.status, b)
	}
	if foreign.status < 400 && ofOthers.MatchString(d.path) && strings.Contains(mine.path, strip(own)) {
		s.world.t.Errorf("%s with the other's %s is answered %d %s", d.id, theirs, foreign.status, foreign.body)
	}
}

// masked returns an answer without an id.
func masked(g answer, id string) string {
	return regexp.MustCompile(`\b`+regexp.QuoteMeta(strip(id))+`\b`).ReplaceAllString(string(g.body), "ID")
}

// strip returns an id as it is sent: "users/7" is 7.
func strip(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// inverse returns the other tenant's id that corresponds to an id of who.
func (s *tenantPair) inverse(who int, id string) string {
	if strings.Contains(id, "/") {
		return s.kinds[who][id]
	}
	return s.twin[who][id]
}

var (
	resourceID = regexp.MustCompile(`^[a-z]+_[0-9a-f]{32}$`)
	caseNumber = regexp.MustCompile(`^[0-9]{16}$`)
	subject    = regexp.MustCompile(`^(case|contact|endpoint)/`)
	moment     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T`)
)

// nobodys returns an unused id of the same kind; "" for a text that is no id.
func nobodys(id string) string {
	switch {
	case resourceID.MatchString(id):
		prefix, _, _ := strings.Cut(id, "_")
		return prefix + "_" + strings.Repeat("0", 32)
	case caseNumber.MatchString(id):
		return "4539148803436467"
	case strings.Contains(id, "/"):
		return id[:strings.LastIndexByte(id, '/')+1] + "999999"
	}
	return ""
}

// named lists the ids in a request that only who has.
func (s *tenantPair) named(who int, r request) (ids []string) {
	text, _ := r.body.(string)
	for id := range s.twin[who] {
		if strings.Contains(r.path, id) || strings.Contains(text, id) {
			ids = append(ids, id)
		}
	}
	for id := range s.kinds[who] {
		if changed := replace(r, id, "x/999999"); changed.path != r.path || changed.body != r.body {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// translate turns a request of who into the other tenant's.
func (s *tenantPair) translate(who int, r request) request {
	var pairs []string
	for _, id := range slices.SortedFunc(maps.Keys(s.twin[who]), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, id, s.twin[who][id])
	}
	replacer := strings.NewReplacer(pairs...)
	r.path = replacer.Replace(r.path)
	if text, ok := r.body.(string); ok {
		r.body = replacer.Replace(text)
	}
	r.header = slices.Clone(r.header)
	for i := 1; i < len(r.header); i += 2 {
		r.header[i] = replacer.Replace(r.header[i])
	}
	for id, other := range s.kinds[who] {
		r = replace(r, id, "\x00"+other) // marked, so that it is not replaced again
	}
	r.path = strings.ReplaceAll(r.path, "\x00", "")
	if text, ok := r.body.(string); ok {
		r.body = strings.ReplaceAll(text, "\x00", "")
	}
	return r
}

// replace replaces one id by another. A small number, "users/7", is replaced only where it is the id of that kind.
func replace(r request, id, by string) request {
	text, isText := r.body.(string)
	kind, number, small := strings.Cut(id, "/")
	if !small {
		r.path = strings.ReplaceAll(r.path, id, by)
		if isText {
			r.body = strings.ReplaceAll(text, id, by)
		}
		return r
	}
	mark := strings.Repeat("\x00", strings.Count(by, "\x00"))
	by = mark + strip(strings.TrimPrefix(by, "\x00"))
	r.path = regexp.MustCompile(`/`+kind+`/`+number+`(/|\?|$)`).ReplaceAllString(r.path, "/"+kind+"/"+by+"$1")
	member := strings.TrimSuffix(kind, "s") + "_id"
	r.path = regexp.MustCompile(`([?&](`+member+`|assignee|contact|user)=)`+number+`(&|$)`).
		ReplaceAllString(r.path, "${1}"+by+"$3")
	if isText {
		r.body = regexp.MustCompile(`("`+member+`":\s*)`+number+`([^0-9.]|$)`).ReplaceAllString(text, "${1}"+by+"$2")
	}
	return r
}

// learn records corresponding ids, from the answers of both tenants to the same request.
func (s *tenantPair) learn(d operation, answers [2]answer) {
	if !strings.Contains(answers[0].header.Get("Content-Type"), "json") || answers[0].status >= 300 {
		return
	}
	var values [2]any
	for i, a := range answers {
		decoder := json.NewDecoder(bytes.NewReader(a.body))
		decoder.UseNumber()
		if decoder.Decode(&values[i]) != nil {
			return
		}
	}
	path := strings.Split(strings.TrimSuffix(regexp.MustCompile(`/\{[^}]*\}$`).ReplaceAllString(d.path, ""), "/"), "/")
	s.compare(d.id, path[len(path)-1], "", values[0], values[1])
}

// compare walks two answers. Kind is what the operation is about; name that of the
// member it is at.
func (s *tenantPair) compare(operation, kind, name string, a, b any) {
	s.world.t.Helper()
	switch a := a.(type) {
	case map[string]any:
		b, _ := b.(map[string]any)
		for name, value := range a {
			s.compare(operation, kind, name, value, b[name])
		}
	case []any:
		b, _ := b.([]any)
		if operation == "list-audit" && len(b) == len(a)+1 {
			b = b[:len(a)] // the oldest is the other's creation, which the first tenant's has not
		}
		if len(a) != len(b) {
			s.world.t.Errorf("%s: %s has %d items for one and %d for the other", operation, name, len(a), len(b))
			return
		}
		for i := range a {
			s.compare(operation, kind, name, a[i], b[i])
		}
	case string:
		if subject.MatchString(a) {
			return // its ids are learnt from its own representation
		}
		if other, ok := b.(string); ok && a != other && len(a) >= 12 && len(a) < 500 && !moment.MatchString(a) {
			s.twin[0][a], s.twin[1][other] = other, a
		}
	case json.Number:
		other, ok := b.(json.Number)
		switch {
		case !ok || a == other:
		case len(a) > 12:
			s.twin[0][a.String()], s.twin[1][other.String()] = other.String(), a.String()
		case name == "id":
			s.pair(kind, a.String(), other.String())
		case strings.HasSuffix(name, "_id"):
			s.pair(strings.TrimSuffix(name, "_id")+"s", a.String(), other.String())
		}
	}
}

func (s *tenantPair) pair(kind, a, b string) {
	s.kinds[0][kind+"/"+a], s.kinds[1][kind+"/"+b] = kind+"/"+b, kind+"/"+a
}

// checkShown checks that an answer has no id of the other tenant except those in the request.
func (s *tenantPair) checkShown(operation string, who int, asked request, a answer) {
	s.world.t.Helper()
	text, _ := asked.body.(string)
	for id := range s.twin[1-who] {
		if bytes.Contains(a.body, []byte(id)) && !strings.Contains(asked.path+text, id) && s.twin[who][id] == "" {
			s.world.t.Errorf("%s shows the other's %s: %s", operation, id, a.body)
		}
	}
}

// otherKeys tries keys that only one tenant has, where the story uses keys that both have.
func (s *tenantPair) otherKeys() {
	s.world.t.Helper()
	hers := strings.Replace(note, `"note"`, `"hers"`, 1)
	s.as(0, request{"PUT", "/v1/case-types/hers", hers, nil}).is(201, "")
	s.as(0, request{"POST", "/v1/case-types/hers/cases", `{"data": {"text": "secret"}}`, nil}).is(201, "")
	for _, d := range s.world.operations() {
		r, ok := s.last[d.id]
		if !ok || !strings.Contains(d.path, "/case-types/{key}") || d.method == "PUT" {
			continue
		}
		tried := regexp.MustCompile(`/case-types/[^/?]+`)
		var answers [2]answer
		for i, key := range []string{"hers", "nobodys"} {
			theirs := s.translate(0, r)
			theirs.path = tried.ReplaceAllString(theirs.path, "/case-types/"+key)
			s.untouched(0, d.id, func() { answers[i] = s.as(1, theirs) })
		}
		body := strings.ReplaceAll(string(answers[1].body), "nobodys", "hers")
		if answers[0].status != 404 || string(answers[0].body) != body {
			s.world.t.Errorf("%s with the other's case type is answered %d %s, with nobody's %s",
				d.id, answers[0].status, answers[0].body, body)
		}
	}
	if n := len(s.as(1, request{method: "GET", path: "/v1/cases?q=secret"}).items()); n != 0 {
		s.world.t.Errorf("the other finds %d of its cases", n)
	}
}
