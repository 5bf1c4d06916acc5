package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// postgres is a PostgreSQL server on which databases are made.
type postgres struct {
	url     *url.URL
	process *keptProcess // nil: it was there before
}

var errNoPostgres = errors.New("there is no PostgreSQL on this machine: install it (apt-get install postgresql, dnf " +
	"install postgresql-server, brew install postgresql@17), or name a server on which databases may be made with " +
	"--database-url")

// openPostgres uses the server of a URL, or starts one if there is none.
func (b *bench) openPostgres(ctx context.Context, raw string) (*postgres, error) {
	if raw == "" {
		return b.startPostgres(ctx)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("the URL of the database can't be read; it looks like " +
			"postgres://user:password@host:5432/postgres")
	}
	return &postgres{url: u}, nil
}

// startPostgres starts a server with the defaults of PostgreSQL, in a folder of its own. It flushes every commit to the
// disk.
func (b *bench) startPostgres(ctx context.Context) (*postgres, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	folder, err := b.folder("postgres")
	if err != nil {
		return nil, err
	}
	b.progress("starting PostgreSQL")
	init := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", "data", "-U", "casehook", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync") // of the empty cluster alone
	init.Dir = folder
	err = unprivileged(init, folder)
	if err == nil {
		var out []byte
		if out, err = init.CombinedOutput(); err != nil {
			err = fmt.Errorf("initdb: %w\n%s", err, out)
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	process, err := startKept(b.options.Program, "PostgreSQL", folder, nil, filepath.Join(bin, "postgres"),
		"-D", "data", "-c", "listen_addresses=", "-c", "unix_socket_directories="+folder, "-c", "max_connections=200")
	if err != nil {
		return nil, err
	}
	query := url.Values{"host": {folder}, "user": {"casehook"}}
	p := &postgres{url: &url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: query.Encode()}, process: process}
	if err := p.ready(ctx); err != nil {
		return nil, errors.Join(err, process.stop(false))
	}
	return p, nil
}

// ready waits until the server answers.
func (p *postgres) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		err := p.run(ctx, "select 1")
		if err == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL did not start: %w%s", err, p.process.errors.indented())
		}
	}
}

// create makes an empty database.
func (p *postgres) create(ctx context.Context) (database, error) {
	name := "casehook_bench_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := p.run(ctx, "create database "+name+" template template0 encoding 'UTF8'"); err != nil {
		return database{}, fmt.Errorf("a database for the benchmark can't be made: %w", err)
	}
	of := *p.url
	of.Path = "/" + name
	return database{url: of.String(), drop: func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		return p.run(ctx, "drop database "+name+" with (force)")
	}}, nil
}

// run executes one statement on the server's first database.
func (p *postgres) run(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.url.String())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}

// stop ends the server, if the benchmark has started it.
func (p *postgres) stop() error {
	if p == nil || p.process == nil {
		return nil
	}
	return p.process.stop(false)
}

var digits = regexp.MustCompile(`\d+`)

// postgresPrograms returns the folder of initdb and postgres: that of the PATH, else the newest of those that Debian,
// Red Hat or Homebrew install.
func postgresPrograms() (string, error) {
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
		found, _ := filepath.Glob(pattern) // the patterns are well formed
		for _, path := range found {
			if version, err := strconv.Atoi(digits.FindString(path)); err == nil && version > newest {
				best, newest = filepath.Dir(path), version
			}
		}
	}
	if best == "" {
		return "", errNoPostgres
	}
	return best, nil
}
