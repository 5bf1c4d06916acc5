package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/store"
)

// Status is the outcome of a check.
type Status string

// The outcomes.
const (
	StatusOK   Status = "ok"
	StatusWarn Status = "warn" // it works, and may not for long
	StatusFail Status = "fail"
)

// Finding is the outcome of one check.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Detail string `json:"detail"`         // what was found
	Next   string `json:"next,omitempty"` // what to do about it
}

// Diagnosis is the subject of Diagnose.
type Diagnosis struct {
	Config   Config
	Endpoint string // the name or id of an endpoint to probe; empty: none
	Tenant   string // the key of its tenant; default the first one
}

// doctor makes the checks, in their order. A check that can't be made, because one before it failed, is left out.
type doctor struct {
	config   Config
	findings []Finding
}

// Diagnose checks an installation on the machine of its server: the configuration, the data directory, the key, the
// database, and one endpoint if it is named. It changes nothing, also while the server runs, and sends no message.
func Diagnose(ctx context.Context, d Diagnosis) []Finding {
	doc := &doctor{config: d.Config.withDefaults()}
	if !doc.check("configuration", "it can be read", doc.config.check()) {
		return doc.findings
	}
	if doc.config.Database == "" && !doc.data() {
		return doc.findings
	}
	key, ok := doc.key()
	if !ok {
		return doc.findings
	}
	doc.backups(ctx)
	options := store.Options{URL: doc.config.Database, Path: filepath.Join(doc.config.Data, fileName), Key: key}
	in, err := store.Inspect(ctx, options)
	if err != nil {
		doc.fail("database", reasonFor(err), "Start the database, or correct --database or --data.")
		return doc.findings
	}
	defer in.Close()
	if doc.database(ctx, in) && d.Endpoint != "" {
		doc.endpoint(ctx, in, cmp.Or(d.Tenant, "default"), d.Endpoint)
	}
	return doc.findings
}

func (d *doctor) add(check string, s Status, detail, next string) {
	d.findings = append(d.findings, Finding{check, s, detail, next})
}

func (d *doctor) ok(check, detail string)         { d.add(check, StatusOK, detail, "") }
func (d *doctor) warn(check, detail, next string) { d.add(check, StatusWarn, detail, next) }
func (d *doctor) fail(check, detail, next string) { d.add(check, StatusFail, detail, next) }

// check adds the finding of a check that fails with an error, whose text says what to do, and reports whether it
// succeeded.
func (d *doctor) check(name, fine string, err error) bool {
	if err != nil {
		d.fail(name, reasonFor(err), "Correct it, and run casehook doctor again.")
		return false
	}
	d.ok(name, fine)
	return true
}

// reasonFor returns an error's text for people.
func reasonFor(err error) string {
	var known *fault.Error
	if errors.As(err, &known) {
		return known.Detail
	}
	return err.Error()
}

// data checks the data directory, its permissions and the space for it.
func (d *doctor) data() bool {
	dir := d.config.Data
	info, err := os.Stat(filepath.Join(dir, fileName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.fail("data", "There is no database in "+dir+".",
			"Name the --data of the server, or start it for the first time.")
		return false
	case err != nil:
		d.fail("data", reasonFor(err), "Run casehook doctor as the user of the server.")
		return false
	}
	if !d.check("permissions", "the files in "+dir+" are private to their owner", checkModes(dir)) {
		return false
	}
	d.space(dir, info.Size())
	d.log(filepath.Join(dir, fileName))
	return true
}

// The bounds of space on the disk.
const (
	leastFree  = 64 << 20 // bytes, below which the server will soon stop
	littleFree = 1 << 30
	leastNodes = 1000 // files that can be made
	longLog    = 1 << 30
)

// space checks the free space of the disk, also against the size of the database, of which a copy should fit.
func (d *doctor) space(dir string, size int64) {
	free, nodes, known := diskSpace(dir)
	detail := fmt.Sprintf("%s free, the database has %s", inBytes(free), inBytes(size))
	const next = "Free space on the disk, or move the data directory to a larger one."
	switch {
	case !known:
		d.warn("disk", "the free space can't be read on this system", "Look at it by other means.")
	case free < leastFree:
		d.fail("disk", detail, next)
	case nodes < leastNodes:
		d.fail("disk", fmt.Sprintf("only %d files can be made", nodes), "Delete files, or move the data directory.")
	case free < max(littleFree, size):
		d.warn("disk", detail, next)
	default:
		d.ok("disk", detail)
	}
}

// log checks the size of SQLite's log, which only grows while a reader holds it.
func (d *doctor) log(path string) {
	info, err := os.Stat(path + "-wal")
	switch {
	case err != nil:
		d.ok("log", "there is none: no server has the database open")
	case info.Size() > longLog:
		d.warn("log", "the log of the database has "+inBytes(info.Size()),
			"Restart the server: a program that reads the database may hold it.")
	default:
		d.ok("log", inBytes(info.Size()))
	}
}

func inBytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", (n+1023)>>10)
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// key reads the key, and makes none.
func (d *doctor) key() ([]byte, bool) {
	c := d.config
	if c.Key == "" && c.KeyFile == "" && c.Database == "" {
		c.KeyFile = filepath.Join(c.Data, keyName)
	}
	key, err := c.key()
	if err != nil {
		d.fail("key", reasonFor(err),
			"Name the server's key with --key-file or CASEHOOK_KEY, or restore it from a backup.")
		return nil, false
	}
	if info, err := os.Stat(c.KeyFile); c.Key == "" && err == nil && openToOthers(info) {
		d.fail("key", "Other users of this machine can read or write "+c.KeyFile+".", "chmod go= "+c.KeyFile)
		return key, true
	}
	d.ok("key", "it can be read")
	return key, true
}

// mostSkew is how far the clocks of the database and of this machine may be apart, before signatures and leases are
// affected.
const mostSkew = 5 * time.Second

// database checks the database, and reports whether its rows can be read.
func (d *doctor) database(ctx context.Context, in *store.Inspection) bool {
	version, err := in.Version(ctx)
	if err != nil {
		d.fail("database", reasonFor(err), "Start the database, or correct --database or --data.")
		return false
	}
	d.ok("database", version)
	applied, known, err := in.Schema(ctx)
	detail := fmt.Sprintf("schema %d of %d", applied, known)
	switch {
	case err != nil:
		d.fail("schema", reasonFor(err),
			"It is no database of Casehook's, or an empty one: correct --database or --data.")
		return false
	case applied > known:
		d.fail("schema", detail+": a newer Casehook upgraded it", "Install that version or a newer one.")
		return false
	case applied < known:
		d.warn("schema", detail, "The next start of casehook serve upgrades it; make a backup with the version before.")
		return false
	}
	d.ok("schema", detail)
	if ahead, err := in.Clock(ctx); err != nil || ahead.Abs() > mostSkew {
		d.warn("clock",
			fmt.Sprintf("the database's clock is %v ahead of this machine's", ahead.Round(time.Millisecond)),
			"Let both machines set their clocks by NTP.")
	} else {
		d.ok("clock", "the database and this machine agree")
	}
	if err := in.CheckKey(ctx); err != nil {
		d.fail("key fits", reasonFor(err), "Name the key that the database was created with.")
		return false
	}
	d.ok("key fits", "the database was created with it")
	return true
}

// endpoint probes an endpoint.
func (d *doctor) endpoint(ctx context.Context, in *store.Inspection, tenant, name string) {
	t, err := in.TenantByKey(ctx, tenant)
	if err != nil {
		d.fail("endpoint "+name, reasonFor(err), "casehook tenant list shows the tenants; name one with --tenant.")
		return
	}
	e, found, err := endpointNamed(ctx, in, t.ID, name)
	if err != nil || !found {
		d.fail("endpoint "+name, "The tenant "+tenant+" has no such endpoint.", "casehook endpoints list shows them.")
		return
	}
	if e.Status != endpoint.Active {
		d.warn("endpoint "+name, "its status is "+string(e.Status)+", so that its messages wait",
			"casehook endpoints resume "+name)
	}
	client := outbound.New(outbound.Config{Allowed: d.config.allowed(in.Tenant), Version: d.config.Version})
	defer client.Close()
	q := outbound.Request{Tenant: t.ID, URL: e.URL, Timeout: e.Policy.WithDefaults().Timeout}
	if e.TLS != (endpoint.TLS{}) {
		identity, err := client.Identity([]byte(e.TLS.Certificate), []byte(e.TLS.Key), []byte(e.TLS.CA))
		if err != nil {
			d.fail("endpoint "+name, "its TLS settings can't be used: "+err.Error(), "Set tls anew.")
			return
		}
		defer identity.Close()
		q.Identity = identity
	}
	d.probe("endpoint "+name, client.Probe(ctx, q))
}

// endpointNamed finds an endpoint by its name or id.
func endpointNamed(
	ctx context.Context, in *store.Inspection, tenant int64, name string,
) (endpoint.Endpoint, bool, error) {
	for after := ""; ; {
		page, err := in.Endpoints(ctx, tenant, after, 200)
		if err != nil {
			return endpoint.Endpoint{}, false, err
		}
		for _, e := range page.Items {
			if e.Name == name || e.ID == name {
				return e, true, nil
			}
			after = e.ID
		}
		if !page.More {
			return endpoint.Endpoint{}, false, nil
		}
	}
}

// steps are the steps of a request in their order, with the classes of failures at each.
var steps = []struct {
	name    string
	classes []outbound.Class
	next    string
}{
	{"URL", []outbound.Class{outbound.Invalid}, "Correct the endpoint's URL."},
	{"name", []outbound.Class{outbound.DNS}, "Correct the host in the URL, or the resolver of this machine."},
	{"address", []outbound.Class{outbound.Refused}, "If Casehook should call it, start the server with " +
		outbound.AllowFlag + ", or see casehook tenant set --help."},
	{"connection", []outbound.Class{outbound.Connect, outbound.Timeout, outbound.Ours},
		"Start the receiver, or open the firewall to it."},
	{"TLS", []outbound.Class{outbound.TLS},
		"Renew or correct the receiver's certificate, or set tls.ca of the endpoint."},
	{"answer", nil, "Look at the receiver's log."},
}

// soonExpired is the time before a certificate's end from which on it is reported.
const soonExpired = 14 * 24 * time.Hour

// probe adds a finding for each step of a probe, up to the one that failed.
func (d *doctor) probe(name string, p outbound.Probe) {
	for _, s := range steps[:len(steps)-1] {
		for _, class := range s.classes {
			if p.Class == class {
				d.fail(name+": "+s.name, p.Err.Error(), s.next)
				return
			}
		}
		switch {
		case s.name == "TLS" && p.Certificate.IsZero():
		case s.name == "TLS" && time.Until(p.Certificate) < soonExpired:
			d.warn(name+": TLS", "the certificate ends on "+p.Certificate.Format(time.DateOnly), "Renew it.")
		case s.name == "TLS":
			d.ok(name+": TLS", "the certificate is valid until "+p.Certificate.Format(time.DateOnly))
		default:
			d.ok(name+": "+s.name, "fine")
		}
	}
	d.answer(name+": answer", p)
}

func (d *doctor) answer(name string, p outbound.Probe) {
	switch {
	case p.Err != nil:
		d.fail(name, p.Err.Error(), steps[len(steps)-1].next)
	case p.Status >= http.StatusInternalServerError && p.Status != http.StatusNotImplemented:
		d.fail(name, fmt.Sprintf("%d %s, to OPTIONS", p.Status, http.StatusText(p.Status)),
			"Look at the receiver's log, and send it a sample: casehook trigger --help.")
	default:
		d.ok(name, fmt.Sprintf("%d, to OPTIONS in %v; casehook trigger sends a sample", p.Status,
			p.Duration.Round(time.Millisecond)))
	}
}
