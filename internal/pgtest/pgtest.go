// Package pgtest gives tests real PostgreSQL databases.
//
// [URL] makes an empty database on a temporary cluster, one per test process,
// that is started when it is first wanted. A [Cluster] of its own is for tests
// that stop or crash the server. Clusters vanish with the process that made
// them, however it ends: a shell stands over each, and reads from a pipe that
// only this process holds open.
//
// Where CASEHOOK_TEST_POSTGRES holds a URL, URL makes its databases on that
// server instead.
package pgtest

import (
	"context"
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
		return &Cluster{server: server}, nil
	}
	return newCluster()
})

// URL makes an empty database and returns its URL. It fails the test, and says
// what to install, where there is no PostgreSQL.
func URL(t testing.TB) string {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c.Database(t)
}

// Database makes an empty database on the cluster and returns its URL. It is
// dropped at the end of the test.
func (c *Cluster) Database(t testing.TB) string {
	t.Helper()
	name := "casehook_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := c.run(t.Context(), "create database "+name+" template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := c.run(ctx, "drop database "+name+" with (force)"); err != nil && !c.down {
			t.Error(err)
		}
	})
	u, err := url.Parse(c.server)
	if err != nil {
		t.Fatal("pgtest: the server's URL can't be read")
	}
	u.Path = "/" + name
	return u.String()
}

// run executes one statement on the server's first database.
func (c *Cluster) run(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.server)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %s: %w", statement, err)
	}
	return nil
}
