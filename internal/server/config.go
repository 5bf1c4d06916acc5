package server

import (
	"cmp"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/api/quickcase"
	"github.com/casehook/casehook/internal/bucket"
	"github.com/casehook/casehook/internal/document"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/inbound"
	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/weburl"
)

// Config configures a server. Zero values get defaults that are right for one machine: SQLite in
// DefaultData, on DefaultListen.
type Config struct {
	Version string // of Casehook

	AtfinityVersion string // the value of X-atfinity-version for endpoints without one of their own; default Version

	QuickCasePrefix string // at which paths of the routes for QuickCase's client begin; default /quickcase

	Listen    string // host:port; port 0 picks a free one
	PublicURL string // at which people and receivers find the server; default its address
	Data      string // directory of the SQLite database, the attachments and the key
	Database  string // postgres://...; then only fonts and attachments in Data are used
	KeyFile   string // holds the key that seals secrets, in base64
	Key       string // the key itself, in base64; it overrides KeyFile
	// Attachments says where their contents are: disk, which is a folder in Data, database, or the address of a bucket.
	// Default disk with SQLite, and database with PostgreSQL. Disk with PostgreSQL needs a folder that all nodes share.
	Attachments string
	Allow       []outbound.AllowedPrefix // addresses that are not public and that the first tenant may call
	// EgressProxy is the URL of the proxy by which callbacks are asked, and messages and requests for tokens sent;
	// empty: they leave directly. EgressProxyFile is a file with it.
	EgressProxy, EgressProxyFile string

	MaxUpload int64 // bytes of one proof, or document of a field; default 32 MiB
	// Fonts is a directory of fonts for documents, besides fonts in Data and the system's Noto fonts.
	Fonts string

	TLSCert, TLSKey string          // PEM files by which the server speaks TLS; empty: plain HTTP, or ACME
	Reload          <-chan struct{} // reads these files again at once; may be nil, since they are polled
	ACME            ACME
	HTTPRedirect    string // host:port that leads to HTTPS, and answers challenges of ACME; empty: no such address

	CORSOrigins    []string       // origins whose pages may use the API with tokens: https://app.example.com
	Proxies        []netip.Prefix // proxies that are trusted to name the origin of a request
	MaxConnections int            // at a time; 0: half of the open files that the process may have, and at most 4096
	Patience       time.Duration  // time for which a client may stop within a request; default 30 s

	Hold    bool // send nothing to endpoints and ask no callback: for a copy of a database
	Gallery bool // serve the console's components at /_ui, for those who develop it

	OIDC            oidc.Config   // the provider by which people may sign in; without an Issuer there is none
	SessionIdle     time.Duration // time without a request after which a session ends; default 2 h
	SessionLifetime time.Duration // time after which a session ends in any case; default 12 h

	KeepAttempts time.Duration // time after which attempts, and questions to callbacks, are removed; 0: never
	KeepJournal  time.Duration // time after which entries of the journal are removed that no endpoint needs; 0: never
	DisableAfter time.Duration // time of failures after which an endpoint is disabled; default 5 days
	LeaseTTL     time.Duration // time after a node's death until another takes over; default 15 s
	Grace        time.Duration // time for requests and deliveries under way when the server stops; default 10 s

	Backups Backups // that the server makes by itself

	MetricsListen    string // host:port that serves /metrics to all who can connect; empty: no such address
	MetricsToken     string // the token with which Listen serves /metrics; empty: it does not
	MetricsTokenFile string // a file with the token
	// OTLPEndpoint is the URL of an OpenTelemetry collector for traces; empty: nothing is traced.
	OTLPEndpoint string
	DrainDelay   time.Duration // when the server stops, time to accept requests after /readyz fails; default 0

	// FirstToken is called with the administrator's token of the first start, and the server's URL,
	// before the token is saved, so that an interrupted start can be repeated. Nil: only Token
	// returns it.
	FirstToken   func(url, bearer string) error
	NoFirstToken bool // the first start makes no token

	Variable func(name string) (string, bool) // looks up ${CASEHOOK_VAR_...}; default: finds none
	Random   io.Reader                        // default crypto/rand
	// Environment returns a variable with credentials of S3, or "". Default: there are none.
	Environment func(name string) string
	Log         *slog.Logger // default: nothing is logged

	progress func() // for tests: delivery.Config.Progress
}

// The defaults.
const (
	DefaultListen = "127.0.0.1:8080"
	DefaultData   = "casehook-data"
	defaultLease  = 15 * time.Second
	defaultGrace  = 10 * time.Second
)

func (c Config) withDefaults() Config {
	c.Version = cmp.Or(c.Version, "dev")
	c.AtfinityVersion = cmp.Or(c.AtfinityVersion, c.Version)
	c.QuickCasePrefix = cmp.Or(c.QuickCasePrefix, quickcase.DefaultPrefix)
	c.Listen = cmp.Or(c.Listen, DefaultListen)
	c.Data = cmp.Or(c.Data, DefaultData)
	c.LeaseTTL = cmp.Or(c.LeaseTTL, defaultLease)
	c.Grace = cmp.Or(c.Grace, defaultGrace)
	c.Backups.Every = cmp.Or(c.Backups.Every, backupEvery)
	c.Backups.Keep = cmp.Or(c.Backups.Keep, backupKeep)
	if base, err := weburl.Base(c.PublicURL); err == nil {
		c.PublicURL = base
	}
	if c.Environment == nil {
		c.Environment = func(string) string { return "" }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// check returns an error if a setting is invalid. It is called before anything is opened.
func (c Config) check() error {
	if c.PublicURL != "" {
		if _, err := weburl.Base(c.PublicURL); err != nil {
			return invalid("public_url", "The public URL %s. It looks like https://cases.example.com.", err)
		}
	}
	if c.Database != "" && !strings.HasPrefix(c.Database, "postgres://") &&
		!strings.HasPrefix(c.Database, "postgresql://") {
		return invalid("database",
			"The database is not a URL of PostgreSQL. It looks like "+
				"postgres://user:password@host:5432/database?sslmode=require.")
	}
	if _, err := c.place(); err != nil {
		return err
	}
	if problem := endpoint.VersionProblem(c.AtfinityVersion); problem != "" {
		return invalid("atfinity_version", "The value of X-atfinity-version %s.", problem)
	}
	if problem := quickcase.PrefixProblem(c.QuickCasePrefix); problem != "" {
		return invalid("quickcase_prefix", "The prefix of QuickCase's routes %s.", problem)
	}
	if err := c.checkTLS(); err != nil {
		return err
	}
	if _, err := c.egressProxy(); err != nil {
		return err
	}
	if _, err := corsOrigins(c.CORSOrigins); err != nil {
		return err
	}
	if c.MaxConnections < 0 {
		return invalid("max_connections", "The greatest number of connections is negative.")
	}
	if c.KeepAttempts < 0 || c.KeepJournal < 0 {
		return invalid("keep", "A time after which something is removed is negative.")
	}
	if c.Fonts != "" {
		if info, err := os.Stat(c.Fonts); err != nil || !info.IsDir() {
			return invalid("fonts",
				"The folder of fonts %s is not there, or can't be read. Name another with --fonts.", c.Fonts)
		}
	}
	if c.Backups.To != "" && isBucket(c.Backups.To) {
		if _, err := bucket.Parse(c.Backups.To); err != nil {
			return err
		}
	}
	if c.MaxUpload < 0 {
		return invalid("max_upload", "The greatest upload is negative.")
	}
	return nil
}

// fonts returns the fonts for documents: the built-in ones, and those of the operator.
func (c Config) fonts() *document.Fonts {
	folders := []string{filepath.Join(c.Data, "fonts")}
	if c.Fonts != "" {
		folders = append([]string{c.Fonts}, folders...)
	}
	return document.NewFonts(folders, document.SystemFolders())
}

func (c Config) inbound() inbound.Config {
	return inbound.Config{Connections: c.MaxConnections, Proxies: c.Proxies, Patience: c.Patience, Log: c.Log}
}

// egressProxy returns the proxy by which requests leave; nil: there is none. Its errors quote no URL.
func (c Config) egressProxy() (*outbound.Proxy, error) {
	raw := c.EgressProxy
	if raw == "" && c.EgressProxyFile != "" {
		content, err := os.ReadFile(c.EgressProxyFile)
		if err != nil {
			return nil, invalid("egress_proxy", "The file with the URL of the proxy can't be read: %v.", reason(err))
		}
		raw = strings.TrimSpace(string(content))
	} else if raw == "" {
		return nil, nil
	}
	proxy, err := outbound.ParseProxy(raw)
	if err != nil {
		return nil, invalid("egress_proxy", "The URL of the proxy of --egress-proxy %v.", err)
	}
	return proxy, nil
}

func invalid(code, detail string, args ...any) error {
	return fault.New(fault.Invalid, "config."+code, detail, args...)
}

// baseURL returns the URL of a server that listens on addr, as reached from this machine.
func baseURL(scheme string, addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return scheme + "://" + addr.String()
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
