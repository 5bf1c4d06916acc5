// Package pgtest gives tests real PostgreSQL databases.
//
// [URL] makes an empty database on a temporary cluster, one per test process,
// that is started when it is first wanted; [Copy] makes one like another. A [Cluster] of its own is for tests
// that stop or crash the server. Clusters vanish with the process that made
// them, however it ends: a shell stands over each, and reads from a pipe that
// only this process holds open.
//
// Where CASEHOOK_TEST_POSTGRES holds a URL, URL makes its databases on that
// server instead.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// ServerVariable names the environment variable that says which server to use.
const ServerVariable = "CASEHOOK_TEST_POSTGRES"

// shared is the cluster of this process.
var shared = sync.OnceValues(func() (*Cluster, error) {
	if server := os.Getenv(ServerVariable); server != "" {
		parsed, err := url.Parse(server)
		if err != nil {
			return nil, errors.New("pgtest: the URL in " + ServerVariable + " can't be read")
		}
		return &Cluster{server: parsed}, nil
	}
	return newCluster()
})

// URL creates an empty database and returns its URL. Without PostgreSQL it fails the test, and says what to install.
func URL(t testing.TB) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c.Database(t)
}

// original is a database that others are copied from.
type original struct {
	once sync.Once
	name string
	how  string // it is copied
	err  error
}

var originals sync.Map // by what the caller calls them

// Copy creates a copy of the database called name, and returns its URL. On the first call for the name in this
// process, prepare fills that database, and leaves no connection to it open.
func Copy(t testing.TB, name string, prepare func(url string) error) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	if c.dir == "" { // a server that outlives the process, where no original may stay behind
		made := c.Database(t)
		if err := prepare(made); err != nil {
			t.Fatal(err)
		}
		return made
	}
	found, _ := originals.LoadOrStore(name, new(original))
	o := found.(*original)
	o.once.Do(func() {
		o.name = newName()
		if o.err = c.run(t.Context(), createEmpty(o.name)); o.err == nil {
			o.err = prepare(c.url(o.name))
		}
		if o.err == nil {
			o.how, o.err = c.cheapest(t.Context())
		}
	})
	if o.err != nil {
		t.Fatal(o.err)
	}
	return c.create(t, func(name string) string { return "create database " + name + " template " + o.name + o.how })
}

// cheapest returns the clause by which the files of a database are copied; logging each page takes five times as
// long. Before PostgreSQL 15 there is no choice.
func (c *Cluster) cheapest(ctx context.Context) (how string, err error) {
	conn, err := pgx.Connect(ctx, c.server.String())
	if err != nil {
		return "", fmt.Errorf("pgtest: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx,
		`select case when current_setting('server_version_num')::int >= 150000 then ' strategy file_copy' else '' end`).
		Scan(&how)
	return how, err
}

// Database creates an empty database on the cluster and returns its URL. It is dropped at the end of the test.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	return c.create(t, createEmpty)
}

func createEmpty(name string) string {
	return "create database " + name + " template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"
}

func newName() string { return "casehook_" + strings.ReplaceAll(uuid.NewString(), "-", "") }

// create runs the statement that makes a database, which is dropped at the end of
// the test, and returns its URL.
func (c *Cluster) create(t testing.TB, statement func(name string) string) string {
	t.Helper()
	name := newName()
	if err := c.run(t.Context(), statement(name)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		if err := c.run(ctx, "drop database "+name+" with (force)"); err != nil && !c.down {
			t.Error(err)
		}
	})
	return c.url(name)
}

// url returns the URL of one of the server's databases.
func (c *Cluster) url(name string) string {
	u := *c.server
	u.Path = "/" + name
	return u.String()
}

// run executes one statement on the server's first database.
func (c *Cluster) run(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.server.String())
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %s: %w", statement, err)
	}
	return nil
}
