package pgtest

import (
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestEveryDatabaseIsEmptyAndItsOwn(t *testing.T) {
	first, second := URL(t), URL(t)
	execute(t, first, "create table only_here (a int)")
	execute(t, second, "create table only_here (a int)")
	if got := ask(t, first,
		"select current_setting('server_encoding') || ' ' || datcollate from pg_database where datname = "+
			"current_database()"); got != "UTF8 C" {
		t.Errorf("encoding and collation are %s", got)
	}
}

func TestACopyHasWhatTheOriginalHas(t *testing.T) {
	prepared := 0
	prepare := func(url string) error {
		prepared++
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(t.Context(), "create table held (a int); insert into held values (1)")
		return errors.Join(err, conn.Close(t.Context()))
	}
	first, second := Copy(t, t.Name(), prepare), Copy(t, t.Name(), prepare)
	execute(t, first, "insert into held values (2)")
	if got := ask(t, second, "select count(*)::text from held"); got != "1" {
		t.Errorf("the second copy has %s rows, want 1", got)
	}
	if prepared > 1 && os.Getenv(ServerVariable) == "" {
		t.Errorf("the original was prepared %d times", prepared)
	}
}

func TestAClusterKeepsWhatWasCommittedWhenItCrashes(t *testing.T) {
	c := New(t)
	database := c.Database(t)
	execute(t, database, "create table kept (a int)")
	for _, end := range []func(testing.TB){c.Kill, c.Stop} {
		end(t)
		if conn, err := pgx.Connect(t.Context(), database); err == nil {
			conn.Close(t.Context())
			t.Fatal("it still answers")
		}
		c.Start(t)
		execute(t, database, "insert into kept values (1)")
	}
	if got := ask(t, database, "select count(*)::text from kept"); got != "2" {
		t.Errorf("%s rows are left of 2", got)
	}
}

func TestAClusterIsGoneAfterItsTest(t *testing.T) {
	var dir string
	t.Run("inner", func(t *testing.T) { dir = New(t).dir })
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	conn := connect(t, url)
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, url, query string) (answer string) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), query).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	return conn
}
