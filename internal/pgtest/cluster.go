package pgtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"
)

// Cluster is a PostgreSQL server with data of its own in a temporary directory, which is in memory if there is room. It
// listens on a Unix socket there and trusts all connections.
type Cluster struct {
	server *url.URL // of its first database
	dir    string
	orders io.WriteCloser // to the shell
	done   *bufio.Reader  // the shell's answers
	down   bool
}

// keeper starts and stops the server as it reads commands, one a line. At the end of its input it removes the server
// and its data.
const keeper = `
cd "$1" || exit
trap '' INT
while read -r order; do
	case $order in
	init) "$2/initdb" -D data -U casehook -A trust -E UTF8 --locale=C --no-sync >log 2>&1 ;;
	start) "$2/postgres" -D data -c listen_addresses= -c unix_socket_directories="$1" -c max_connections=200 \
		-c fsync=off -c full_page_writes=off -c shared_buffers=32MB -c max_wal_size=256MB >>log 2>&1 & server=$! ;;
	*) kill -s "$order" "$server" && wait "$server" || : ;;
	esac
	echo "$?"
done
[ -z "$server" ] || { kill -s QUIT "$server" && wait "$server"; }
cd / && rm -rf "$1"
`

// New starts a cluster that is removed at the end of the test. It does not wait for the disk (fsync=off), so it
// survives crashes of the server but not of the machine.
func New(t testing.TB) *Cluster {
	t.Helper()
	c, err := newCluster()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.down = true
		c.orders.Close()
		_, _ = c.done.ReadString('\n') // ends when the shell does
	})
	return c
}

func newCluster() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(folder(), "casehook-pg-")
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	cmd := exec.Command("/bin/sh", "-c", keeper, "casehook-pg", dir, bin)
	if err := unprivileged(cmd, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	orders, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	done, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: %w", err), os.RemoveAll(dir))
	}
	query := url.Values{"host": {dir}, "user": {"casehook"}}
	server := &url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: query.Encode()}
	c := &Cluster{server: server, dir: dir, orders: orders, done: bufio.NewReader(done)}
	err = c.order("init")
	if err == nil {
		err = c.start()
	}
	if err != nil {
		return nil, errors.Join(err, orders.Close())
	}
	return c, nil
}

// Start starts a server that was stopped or crashed, and waits until it answers.
func (c *Cluster) Start(t testing.TB) {
	t.Helper()
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
}

// Stop shuts the server down, cutting off who is connected.
func (c *Cluster) Stop(t testing.TB) { c.end(t, "INT") }

// Kill crashes the server: it flushes nothing, and recovers when it next starts.
func (c *Cluster) Kill(t testing.TB) { c.end(t, "QUIT") }

func (c *Cluster) end(t testing.TB, signal string) {
	t.Helper()
	c.down = true
	if err := c.order(signal); err != nil {
		t.Fatal(err)
	}
}

func (c *Cluster) start() error {
	if err := c.order("start"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := c.run(ctx, "select 1")
		if err == nil {
			c.down = false
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w\n%s", err, c.log())
		}
	}
}

// order tells the shell something and waits until it has done it.
func (c *Cluster) order(order string) error {
	if _, err := fmt.Fprintln(c.orders, order); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	status, err := c.done.ReadString('\n')
	if err != nil || status != "0\n" {
		return fmt.Errorf("pgtest: %s of PostgreSQL failed: %v\n%s", order, err, c.log())
	}
	return nil
}

func (c *Cluster) log() string {
	raw, err := os.ReadFile(filepath.Join(c.dir, "log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-4000):])
}

var digits = regexp.MustCompile(`\d+`)

// binaries finds the directory of initdb and postgres: that of the PATH, else
// the newest that Debian, Red Hat or Homebrew installed.
func binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	best, newest := "", -1
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb",
		"/opt/homebrew/opt/postgresql@*/bin/initdb", "/usr/local/opt/postgresql@*/bin/initdb",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", err
		}
		for _, path := range found {
			version, err := strconv.Atoi(digits.FindString(path))
			if err == nil && version > newest {
				best, newest = filepath.Dir(path), version
			}
		}
	}
	if best == "" {
		return "",
			errors.New("pgtest: there is no PostgreSQL here. Install it (apt-get install postgresql, dnf install " +
				"postgresql-server, " +
				"brew install postgresql@17), or name a server where databases may be made: " + ServerVariable +
				"=postgres://...")
	}
	return best, nil
}
