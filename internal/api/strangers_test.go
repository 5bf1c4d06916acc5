package api_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/casehook/casehook/internal/api"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/store/storetest"
)

// rows counts the rows of all tables.
func (w *world) rows(db *sql.DB) (all map[string]int) {
	w.t.Helper()
	names := map[string]string{
		"sqlite": `select name from sqlite_schema where type = 'table'`,
		"pgx":    `select table_name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'`,
	}
	tables, err := db.QueryContext(w.t.Context(), names[w.driver])
	must(w.t, err)
	defer tables.Close()
	all = map[string]int{}
	for tables.Next() {
		var name string
		must(w.t, tables.Scan(&name))
		all[name] = 0
	}
	must(w.t, tables.Err())
	for name := range all {
		n := 0
		must(w.t, db.QueryRowContext(w.t.Context(), `select count(*) from "`+name+`"`).Scan(&n))
		all[name] = n
	}
	return all
}

// openOperations are those of the OpenAPI document that take no credential.
func (w *world) openOperations() (all []string) {
	w.t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Security []any `json:"security"`
		} `json:"paths"`
	}
	must(w.t, json.Unmarshal(w.get("/openapi.json").body, &document))
	for path, item := range document.Paths {
		for method, op := range item {
			if len(op.Security) == 0 {
				all = append(all, strings.ToUpper(method)+" "+path)
			}
		}
	}
	return all
}

// However many requests a client without a credential sends, few rows are written.
func TestStrangersWriteFewRows(t *testing.T) {
	t.Parallel()
	const times, most = 300, 60
	for driver, dsn := range map[string]func(t *testing.T) string{
		"sqlite": func(t *testing.T) string { return storetest.SQLite(t, filepath.Join(t.TempDir(), "db"), databaseKey) },
		"pgx":    func(t *testing.T) string { return storetest.Postgres(t, databaseKey) },
	} {
		t.Run(driver, func(t *testing.T) {
			w := startOn(t, driver, dsn(t))
			w.provided()
			w.person("ada@example.org", "viewer")
			operations := w.openOperations()
			if len(operations) < 5 {
				t.Fatalf("only %v take no credential", operations)
			}
			db, err := sql.Open(w.driver, w.dsn)
			must(t, err)
			defer db.Close()
			for _, op := range append(operations, "GET /v1/cases", "POST /v1/users", "GET /v1/tenants",
				"DELETE /v1/session") {
				method, path, _ := strings.Cut(op, " ")
				before := w.rows(db)
				for i := range times {
					w.stranger(method, path, i)
				}
				for table, n := range w.rows(db) {
					if n > before[table]+most {
						t.Errorf("%d times %s: %s has %d rows more", times, op, table, n-before[table])
					}
				}
			}
		})
	}
}

// stranger sends a request without a valid credential: a malformed one, or one of an
// unknown user or token, and each time another.
func (w *world) stranger(method, path string, i int) {
	w.t.Helper()
	body := fmt.Sprintf(`{"email": "ada%d@example.org", "password": "wrong horse battery"}`, i)
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	must(w.t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprint(i))
	switch {
	case i%3 == 0:
		r.Header.Set("Authorization", fmt.Sprintf("Bearer chk_tok_%032d_nothing", i))
	case i%3 == 1:
		r.Header.Set("Cookie", fmt.Sprintf("casehook_session=%043d; casehook_browser=%d; casehook_oidc=%d", i, i, i))
	}
	response, err := w.server.Client().Do(r)
	must(w.t, err)
	defer response.Body.Close()
	if n := response.ContentLength; n >= 0 && n < 4096 { // the connection is used again
		_, err = io.Copy(io.Discard, response.Body)
		must(w.t, err)
	}
}

// Once a user has signed in with a browser, only that browser's own failures count, for this user alone.
func TestAKnownBrowserIsJudgedByItself(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.person("ada@example.org", "viewer")
	w.person("bob@example.org", "viewer")
	signIn := func(who, secret, cookie string) answer {
		return w.post("/v1/session", `{"email": "`+who+`@example.org", "password": "`+secret+`"}`, "Authorization",
			"", "Cookie", cookie)
	}
	known := signIn("ada", password, "").is(200, "").cookie("casehook_browser")
	for range 6 {
		signIn("ada", "wrong horse battery", "").is(401, "session.refused")
		signIn("bob", "wrong horse battery", "").is(401, "session.refused")
	}
	signIn("ada", password, "").is(429, "session.too_many")
	signIn("bob", password, known).is(429, "session.too_many")
	for _, forged := range []string{known + "x", "casehook_browser=x",
		strings.Replace(known, "browser", "session", 1)} {
		signIn("ada", password, forged).is(429, "session.too_many")
	}
	again := signIn("ada", password, known).is(200, "").cookie("casehook_browser")
	for range 6 {
		signIn("ada", "wrong horse battery", again).is(401, "session.refused")
	}
	signIn("ada", password, known).is(429, "session.too_many")
	if strings.Contains(again, "ada") {
		t.Errorf("the cookie shows its user: %s", again)
	}
}

// pipes is a listener whose connections have no buffers: the server has read all that a client has written.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (pipes) Close() error   { return nil }
func (pipes) Addr() net.Addr { return &net.IPAddr{} }

// heap returns the memory in use. It collects twice, since pools keep their contents for two collections.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// Clients that send half a sign-in hold little memory, however much they have sent and whatever length they announce. A
// body of the allowed length takes 65 KB with the race detector; a larger one that was read would take 500.
func TestHalfSentSignInsHoldLittle(t *testing.T) {
	const clients, most, allowed = 100, 160 << 10, "Content-Length: 16384"
	w := start(t, func(c *api.Config) { c.MaxBody = 1 << 20 })
	accepted := make(pipes)
	server := inbound.New(inbound.Config{}).Server(context.WithoutCancel(t.Context()), w.handler)
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(accepted) }()
	defer func() { close(accepted); server.Close(); <-served }()
	for _, length := range []string{allowed, "Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		begin := "POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + length + "\r\n\r\n"
		if strings.HasPrefix(length, "Transfer") {
			begin += "100000\r\n"
		}
		before := heap()
		var all sync.WaitGroup
		for range clients {
			ours, theirs := net.Pipe()
			defer ours.Close()
			accepted <- theirs
			go io.Copy(io.Discard, ours)
			all.Go(func() {
				_, err := io.WriteString(ours, begin)
				for sent := 0; err == nil && sent < 500_000 && !(length == allowed && sent > 15_000); sent += 1000 {
					_, err = io.WriteString(ours, strings.Repeat(" ", 1000))
				}
			})
		}
		all.Wait()
		if each := (heap() - before) / clients; each > most {
			t.Errorf("%s: each half-sent sign-in holds %d bytes", length, each)
		}
	}
}
