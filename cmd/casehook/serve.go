package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/casehook/casehook/internal/oidc"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/server"
)

// serveCmd is the server's configuration. Each field is a flag, an environment variable, and a key
// of the configuration file with the flag's name.
type serveCmd struct {
	Config       string                   `type:"path" placeholder:"FILE" env:"CASEHOOK_CONFIG" help:"Read options from this YAML file; its keys are the names of the flags below."`
	Listen       string                   `default:"127.0.0.1:8080" placeholder:"HOST:PORT" env:"CASEHOOK_LISTEN" help:"Address to serve on; port 0 picks a free one. 127.0.0.1:8080 if not set."`
	PublicURL    webURL                   `name:"public-url" placeholder:"URL" env:"CASEHOOK_PUBLIC_URL" help:"URL at which people find the server, for links in webhooks: https://cases.example.com. If not set: the listening address, or https:// and the first --acme-host."`
	TLSCert      string                   `name:"tls-cert" type:"path" placeholder:"FILE" env:"CASEHOOK_TLS_CERT" help:"Serve HTTPS by the certificate in this PEM file, with its intermediates. The server reads the files again when they change, and at SIGHUP."`
	TLSKey       string                   `name:"tls-key" type:"path" placeholder:"FILE" env:"CASEHOOK_TLS_KEY" help:"PEM file with the key of --tls-cert."`
	ACMEHosts    []string                 `name:"acme-host" placeholder:"HOST" env:"CASEHOOK_ACME_HOST" help:"Serve HTTPS by a certificate for this host from Let's Encrypt, which has to reach the server on port 443 of the host, or on port 80 with --http-redirect. It accepts the authority's terms. Repeat it, or separate by commas."`
	ACMEEmail    string                   `name:"acme-email" placeholder:"EMAIL" env:"CASEHOOK_ACME_EMAIL" help:"Address at which the authority reaches you."`
	ACMEURL      webURL                   `name:"acme-directory" placeholder:"URL" env:"CASEHOOK_ACME_DIRECTORY" help:"Directory of another ACME authority. https://acme-v02.api.letsencrypt.org/directory if not set."`
	HTTPRedirect string                   `name:"http-redirect" placeholder:"HOST:PORT" env:"CASEHOOK_HTTP_REDIRECT" help:"Lead browsers from plain HTTP on this address to HTTPS: 0.0.0.0:80."`
	Data         string                   `type:"path" default:"casehook-data" placeholder:"DIR" env:"CASEHOOK_DATA" help:"Folder for the SQLite database, the attachments and the generated key; created if missing. ./casehook-data if not set."`
	Database     string                   `placeholder:"URL" env:"CASEHOOK_DATABASE" help:"Use PostgreSQL (14 or newer) instead of SQLite: postgres://user:password@host:5432/name?sslmode=require. Needs a key. In --data, only fonts is used then, and attachments if --attachments is disk."`
	Attachments  string                   `placeholder:"WHERE" env:"CASEHOOK_ATTACHMENTS" help:"Where attachments are: disk (the folder attachments in --data), database, or s3://BUCKET/PREFIX?endpoint=URL&region=NAME with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. disk with SQLite, database with PostgreSQL if not set. disk with PostgreSQL is for one folder that all servers share. To change it: casehook attachments move."`
	KeyFile      string                   `type:"path" placeholder:"FILE" env:"CASEHOOK_KEY_FILE" help:"File with the key that seals secrets in the database: 32 bytes in base64 (openssl rand -base64 32). CASEHOOK_KEY may contain the key itself. With SQLite, the key is generated in --data."`
	TokenFile    string                   `type:"path" placeholder:"FILE" env:"CASEHOOK_TOKEN_FILE" help:"File for the administrator's token of the first start, readable by its owner alone. If not set: the terminal, or admin-token in --data. With --database and without a terminal, no token is made; see casehook token recover."`
	Atfinity     string                   `name:"atfinity-version" placeholder:"TEXT" env:"CASEHOOK_ATFINITY_VERSION" help:"Value of X-atfinity-version, for receivers that expect a certain one; an endpoint may have its own (atfinity_version). The version of Casehook if not set."`
	QuickCase    string                   `name:"quickcase-prefix" default:"/quickcase" placeholder:"PATH" env:"CASEHOOK_QUICKCASE_PREFIX" help:"Path below which the routes for QuickCase's own client are: /data-store. /quickcase if not set."`
	AllowAddress []outbound.AllowedPrefix `placeholder:"CIDR[:PORT]" env:"CASEHOOK_ALLOW_ADDRESS" help:"Addresses that are not public, and that callbacks and endpoints of the first tenant may have: 10.0.0.0/8, 127.0.0.1:8080, [fd00::]/8:443. Repeat it, or separate by commas. For other tenants: casehook tenant set."`
	EgressProxy  string                   `name:"egress-proxy" placeholder:"URL" env:"CASEHOOK_EGRESS_PROXY" help:"Proxy by which callbacks are asked and messages sent: http://proxy.example.com:3128, https:// or socks5://, with user:password@ if it wants them. Names are resolved here, and the proxy is asked for the address that was judged; ?resolve=proxy leaves them to it."`
	EgressFile   string                   `name:"egress-proxy-file" type:"path" placeholder:"FILE" env:"CASEHOOK_EGRESS_PROXY_FILE" help:"File with the URL of --egress-proxy, so that its password is in no command line."`
	CORSOrigins  []string                 `name:"cors-origin" placeholder:"ORIGIN" env:"CASEHOOK_CORS_ORIGIN" help:"Origin whose pages may use the API, with tokens: https://app.example.com. Repeat it, or separate by commas. Without it, no page of another origin may."`
	Proxies      []network                `name:"trusted-proxies" placeholder:"CIDR" env:"CASEHOOK_TRUSTED_PROXIES" help:"Proxies that may name the origin of a request, in X-Forwarded-For and X-Forwarded-Proto, or in Forwarded if they send neither: 10.0.0.0/8, 127.0.0.1/32. Repeat it, or separate by commas."`
	MaxConns     int                      `name:"max-connections" default:"0" placeholder:"N" env:"CASEHOOK_MAX_CONNECTIONS" help:"Connections at a time; one address may have a quarter of them. Half of the limit of open files, and at most 4096, if not set."`
	MaxUpload    size                     `default:"32MiB" placeholder:"SIZE" env:"CASEHOOK_MAX_UPLOAD" help:"Size of one uploaded proof or document at most: bytes, or with KiB, MiB, GiB. 32MiB if not set."`
	Fonts        string                   `type:"path" placeholder:"DIR" env:"CASEHOOK_FONTS" help:"Folder of fonts (TTF, OTF, TTC, WOFF) for documents in scripts that the built-in fonts lack. The folder fonts in --data and the system's Noto fonts are used too."`
	Hold         bool                     `env:"CASEHOOK_HOLD" help:"Send nothing to endpoints, and ask no callback. Messages wait until the server is started without it. For a copy of a database; every server on the copy needs it."`
	OIDCIssuer   webURL                   `name:"oidc-issuer" placeholder:"URL" env:"CASEHOOK_OIDC_ISSUER" help:"OpenID Connect provider by which people may sign in: https://id.example.com. It returns them to /v1/oidc/callback below the public URL."`
	OIDCClientID string                   `name:"oidc-client-id" placeholder:"ID" env:"CASEHOOK_OIDC_CLIENT_ID" help:"The server's name at the provider. Its secret is in CASEHOOK_OIDC_CLIENT_SECRET."`
	SessionIdle  time.Duration            `default:"2h" placeholder:"TIME" env:"CASEHOOK_SESSION_IDLE" help:"Sign a user out after this time without a request. 2h if not set."`
	SessionLife  time.Duration            `name:"session-lifetime" default:"12h" placeholder:"TIME" env:"CASEHOOK_SESSION_LIFETIME" help:"Sign a user out after this time in any case. 12h if not set."`
	DisableAfter time.Duration            `default:"120h" placeholder:"TIME" env:"CASEHOOK_DISABLE_AFTER" help:"Disable an endpoint that has failed for this time; its messages wait. 1m to 720h; 120h, which is 5 days, if not set."`
	KeepAttempts age                      `default:"90d" placeholder:"TIME" env:"CASEHOOK_KEEP_ATTEMPTS" help:"Remove attempts, and questions to callbacks, after this time: 90d, 12h; 0 keeps them for ever. 90d if not set."`
	KeepJournal  age                      `default:"0" placeholder:"TIME" env:"CASEHOOK_KEEP_JOURNAL" help:"Remove entries of the journal after this time, if no endpoint waits for them, and with them the history of cases: 3650d; 0 keeps them for ever. 0 if not set."`
	LeaseTTL     time.Duration            `name:"lease-ttl" default:"15s" placeholder:"TIME" env:"CASEHOOK_LEASE_TTL" help:"With several servers on one database: time after the death of one until another delivers for it. 1s to 5m; 15s if not set."`
	Grace        time.Duration            `default:"10s" placeholder:"TIME" env:"CASEHOOK_GRACE" help:"When the server stops, time for requests under way, and as much for deliveries. 10s if not set."`
	DrainDelay   time.Duration            `default:"0s" placeholder:"TIME" env:"CASEHOOK_DRAIN_DELAY" help:"When the server stops, time for which it still accepts requests after /readyz answers 503, so that a load balancer notices. 0s if not set."`
	BackupTo     string                   `placeholder:"PLACE" env:"CASEHOOK_BACKUP_TO" help:"Make backups in this folder or bucket (s3://BUCKET/PREFIX?endpoint=URL), as casehook backup does. None are made if not set."`
	BackupEvery  time.Duration            `default:"24h" placeholder:"TIME" env:"CASEHOOK_BACKUP_EVERY" help:"Time between two backups: 1m or more. 24h if not set."`
	BackupKeep   age                      `default:"30d" placeholder:"TIME" env:"CASEHOOK_BACKUP_KEEP" help:"Remove backups after this time; the newest one always stays. 30d if not set."`
	MetricsAddr  string                   `name:"metrics-listen" placeholder:"HOST:PORT" env:"CASEHOOK_METRICS_LISTEN" help:"Serve /metrics for Prometheus on this address too, to all who can connect: 127.0.0.1:9090."`
	MetricsToken string                   `name:"metrics-token-file" type:"path" placeholder:"FILE" env:"CASEHOOK_METRICS_TOKEN_FILE" help:"File with the token for /metrics at --listen: 16 characters or more. CASEHOOK_METRICS_TOKEN may contain the token itself. Without a token, --listen does not serve /metrics."`
	OTLPEndpoint webURL                   `name:"otlp-endpoint" placeholder:"URL" env:"CASEHOOK_OTLP_ENDPOINT" help:"Send traces to this OpenTelemetry collector, by OTLP over HTTP: http://127.0.0.1:4318. OTEL_EXPORTER_OTLP_ENDPOINT and the other OTEL_ variables work too."`
	LogLevel     slog.Level               `default:"info" placeholder:"LEVEL" env:"CASEHOOK_LOG_LEVEL" help:"debug, info, warn or error. info if not set."`
	LogFormat    string                   `enum:"auto,text,json" default:"auto" placeholder:"FORMAT" env:"CASEHOOK_LOG_FORMAT" help:"text or json, on standard error; auto is text on a terminal, else json. auto if not set."`
}

// Help is shown below the command's summary.
func (serveCmd) Help() string {
	return `The first start makes an administrator's token. It prints the token once, on a terminal; else it writes
it to the file admin-token in --data, or to the file of --token-file. Ctrl-C or SIGTERM stops the server after it
has finished requests under way; a second signal ends it at once. Every option is a flag, an environment variable,
or a key in the file of --config. A flag overrides a variable, and a variable overrides the file.

  casehook serve --data ./casehook-data
  casehook serve --config /etc/casehook.yaml

A file of options:

  listen: 0.0.0.0:8080
  public-url: https://cases.example.com
  database: postgres://casehook:secret@db:5432/casehook
  key-file: /etc/casehook/key
  allow-address: [10.0.0.0/8]

The URL of a callback may begin with a variable whose name begins with CASEHOOK_VAR_: with
CASEHOOK_VAR_CALLBACKS=https://callbacks.example.com, write ${CASEHOOK_VAR_CALLBACKS}/submit. The first tenant has
all such variables; casehook tenant set grants them to others.`
}

// Validate checks the options that the server does not check itself.
func (c *serveCmd) Validate() error {
	var wrong []error
	refuse := func(outside bool, option string, value any, bounds string) {
		if outside {
			wrong = append(wrong, fmt.Errorf("--%s is %v; it has to be %s", option, value, bounds))
		}
	}
	refuse(c.DisableAfter < time.Minute || c.DisableAfter > 30*24*time.Hour, "disable-after", c.DisableAfter,
		"between 1m and 720h")
	refuse(c.LeaseTTL < time.Second || c.LeaseTTL > 5*time.Minute, "lease-ttl", c.LeaseTTL, "between 1s and 5m")
	refuse(c.BackupEvery < time.Minute, "backup-every", c.BackupEvery, "1m or more")
	refuse(c.BackupKeep <= 0, "backup-keep", time.Duration(c.BackupKeep), "above 0")
	refuse(c.Grace <= 0, "grace", c.Grace, "above 0")
	refuse(c.MaxConns < 0, "max-connections", c.MaxConns, "0 or more")
	refuse(c.DrainDelay < 0, "drain-delay", c.DrainDelay, "0 or more")
	return errors.Join(wrong...)
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s stdio) error {
	config := c.server(c.logger(s))
	c.firstToken(s, &config)
	if c.TLSCert != "" {
		config.Reload = hangups(ctx)
	}
	return server.Run(ctx, config, func(running *server.Server) {
		fmt.Fprintf(s.out, "Casehook %s listens on %s\n", version, running.URL())
	})
}

// hangups passes SIGHUP on until ctx ends.
func hangups(ctx context.Context) <-chan struct{} {
	signals, wishes := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
			}
			select {
			case <-ctx.Done():
			case wishes <- struct{}{}:
			}
		}
	}()
	return wishes
}

func (c *serveCmd) server(log *slog.Logger) server.Config {
	return server.Config{
		Version:         version,
		Listen:          c.Listen,
		PublicURL:       string(c.PublicURL),
		TLSCert:         c.TLSCert,
		TLSKey:          c.TLSKey,
		ACME:            server.ACME{Hosts: c.ACMEHosts, Email: c.ACMEEmail, Directory: string(c.ACMEURL)},
		HTTPRedirect:    c.HTTPRedirect,
		Data:            c.Data,
		Database:        c.Database,
		Attachments:     c.Attachments,
		Environment:     os.Getenv,
		KeyFile:         c.KeyFile,
		Key:             os.Getenv("CASEHOOK_KEY"),
		Allow:           c.AllowAddress,
		EgressProxy:     c.EgressProxy,
		EgressProxyFile: c.EgressFile,
		MaxUpload:       int64(c.MaxUpload),
		Hold:            c.Hold,
		Gallery:         os.Getenv("CASEHOOK_UI_GALLERY") != "",
		Fonts:           c.Fonts,
		AtfinityVersion: c.Atfinity,
		QuickCasePrefix: c.QuickCase,
		Proxies:         prefixes(c.Proxies),
		CORSOrigins:     c.CORSOrigins,
		MaxConnections:  c.MaxConns,
		OIDC: oidc.Config{Issuer: string(c.OIDCIssuer), ClientID: c.OIDCClientID,
			ClientSecret: os.Getenv("CASEHOOK_OIDC_CLIENT_SECRET")},
		SessionIdle:      c.SessionIdle,
		SessionLifetime:  c.SessionLife,
		MetricsListen:    c.MetricsAddr,
		MetricsToken:     os.Getenv("CASEHOOK_METRICS_TOKEN"),
		MetricsTokenFile: c.MetricsToken,
		OTLPEndpoint: cmp.Or(string(c.OTLPEndpoint), os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
			os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT")),
		Backups: server.Backups{
			To: c.BackupTo, Every: c.BackupEvery, Keep: time.Duration(c.BackupKeep),
		},
		DisableAfter: c.DisableAfter,
		DrainDelay:   c.DrainDelay,
		KeepAttempts: time.Duration(c.KeepAttempts),
		KeepJournal:  time.Duration(c.KeepJournal),
		LeaseTTL:     c.LeaseTTL,
		Grace:        c.Grace,
		Variable:     os.LookupEnv,
		Log:          log,
	}
}

func (c *serveCmd) logger(s stdio) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "text" || c.LogFormat == "auto" && terminal(s) {
		return slog.New(slog.NewTextHandler(s.err, o))
	}
	return slog.New(slog.NewJSONHandler(s.err, o))
}

func terminal(s stdio) bool { return onTerminal(s.err) }

// onTerminal reports whether w is a terminal.
func onTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// network is a range of addresses.
type network netip.Prefix

// UnmarshalText reads 10.0.0.0/8 or 10.0.0.7.
func (n *network) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil && a.Zone() == "" {
		a = a.Unmap()
		*n = network(netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	p, err := netip.ParsePrefix(string(text))
	if err != nil || p.Addr().Is4In6() {
		return fmt.Errorf("%q is neither an address nor a range of addresses; write 10.0.0.0/8 or 10.0.0.7", text)
	}
	*n = network(p.Masked())
	return nil
}

func (n network) String() string { return netip.Prefix(n).String() }

func prefixes(networks []network) []netip.Prefix {
	all := make([]netip.Prefix, len(networks))
	for i, n := range networks {
		all[i] = netip.Prefix(n)
	}
	return all
}

// size is a number of bytes.
type size int64

var sizePattern = regexp.MustCompile(`^([0-9]{1,12}) ?(B|KiB|MiB|GiB|)$`)

// UnmarshalText reads 1048576, 1024KiB or 1MiB.
func (s *size) UnmarshalText(text []byte) error {
	m := sizePattern.FindStringSubmatch(string(text))
	if m == nil {
		return fmt.Errorf("%q is not a size; write 1048576, 512KiB or 32MiB", text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return err
	}
	shift := map[string]uint{"KiB": 10, "MiB": 20, "GiB": 30}[m[2]]
	if n == 0 || n > math.MaxInt64>>shift {
		return fmt.Errorf("%q is not a size that a file can have", text)
	}
	*s = size(n << shift)
	return nil
}

// String returns the size as it may be written.
func (s size) String() string {
	for _, unit := range []struct {
		name  string
		shift uint
	}{{"GiB", 30}, {"MiB", 20}, {"KiB", 10}} {
		if n := int64(s) >> unit.shift; n > 0 && n<<unit.shift == int64(s) {
			return strconv.FormatInt(n, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// age is a length of time, which may be in days.
type age time.Duration

// String returns the age as it may be written.
func (a age) String() string {
	if day := age(24 * time.Hour); a%day == 0 && a > 0 {
		return strconv.FormatInt(int64(a/day), 10) + "d"
	}
	return time.Duration(a).String()
}

// UnmarshalText reads 90d, 12h or 0.
func (a *age) UnmarshalText(text []byte) error {
	days, isDays := strings.CutSuffix(string(text), "d")
	if n, err := strconv.ParseInt(days, 10, 64); err == nil && n >= 0 && (isDays && n <= 36500 || n == 0) {
		*a = age(time.Duration(n) * 24 * time.Hour)
		return nil
	}
	d, err := time.ParseDuration(string(text))
	if err != nil || d < 0 {
		return fmt.Errorf("%q is not a length of time; write 90d, 12h, or 0 for ever", text)
	}
	*a = age(d)
	return nil
}
