package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/backup"
	"github.com/casehook/casehook/internal/outbound"
)

// found returns the finding of a check.
func found(t *testing.T, all []Finding, check string) Finding {
	t.Helper()
	for _, f := range all {
		if f.Check == check {
			if f.Status != StatusOK && f.Next == "" {
				t.Errorf("%s does not say what to do: %+v", check, f)
			}
			return f
		}
	}
	t.Fatalf("there is no finding %q in %+v", check, all)
	return Finding{}
}

// lastIs checks that a finding is the last one, and what it says.
func lastIs(t *testing.T, all []Finding, check string, s Status, detail string) {
	t.Helper()
	if f := found(t, all, check); f.Status != s || !strings.Contains(f.Detail, detail) || f != all[len(all)-1] {
		t.Errorf("%+v, want %s, %q, in %+v", f, s, detail, all)
	}
}

func TestTheDoctorReadsBesideARunningServer(t *testing.T) {
	t.Parallel()
	c := Config{Data: filepath.Join(t.TempDir(), "data"), Allow: loopback}
	s, stop := start(t, c)
	running := Diagnose(t.Context(), Diagnosis{Config: c})
	call(t, s, "POST /v1/labels", s.Token(), `{"slug": "urgent"}`) // it is not disturbed
	stop()
	for _, all := range [][]Finding{running, Diagnose(t.Context(), Diagnosis{Config: c})} {
		for _, f := range all {
			if f.Status == StatusFail || f.Check == "schema" && f.Status != StatusOK {
				t.Errorf("%+v", f)
			}
		}
		lastIs(t, all, "key fits", StatusOK, "")
	}
	if _, err := os.Stat(filepath.Join(c.Data, fileName+"-wal")); err == nil {
		t.Error("the doctor has made a log")
	}
}

func TestTheDoctorFindsWhatIsWrongWithAnInstallation(t *testing.T) {
	t.Parallel()
	c := Config{Data: filepath.Join(t.TempDir(), "data")}
	_, stop := start(t, c)
	stop()
	other := base64.StdEncoding.EncodeToString(make([]byte, keySize))
	with := func(change func(*Config)) []Finding {
		changed := c
		change(&changed)
		return Diagnose(t.Context(), Diagnosis{Config: changed})
	}
	lastIs(t, with(func(c *Config) { c.PublicURL = "ftp://x" }), "configuration", StatusFail, "public URL")
	lastIs(t, with(func(c *Config) { c.Data += "-other" }), "data", StatusFail, "no database")
	lastIs(t, with(func(c *Config) { c.Key = other }), "key fits", StatusFail, "another key")
	lastIs(t, with(func(c *Config) { c.Key = "short" }), "key", StatusFail, "32 bytes")
	lastIs(t, with(func(c *Config) { c.KeyFile = "/nowhere" }), "key", StatusFail, "/nowhere")
	unreachable := "postgres://u:5esame@127.0.0.1:1/x?sslmode=disable"
	lastIs(t, with(func(c *Config) { c.Database, c.Key = unreachable, other }), "database", StatusFail, "reached")
	checkBackups(t, with)
	open := filepath.Join(t.TempDir(), "key")
	text, err := os.ReadFile(filepath.Join(c.Data, keyName))
	if err == nil {
		err = os.WriteFile(open, text, 0o644)
	}
	if err == nil {
		err = os.Chmod(open, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if f := found(t, with(func(c *Config) { c.KeyFile = open }), "key"); f.Status != StatusFail {
		t.Errorf("%+v", f)
	}
	if err := os.Chmod(filepath.Join(c.Data, fileName), 0o644); err != nil {
		t.Fatal(err)
	}
	lastIs(t, with(func(*Config) {}), "permissions", StatusFail, "casehook.db")
}

// checkBackups checks what the doctor finds about scheduled backups.
func checkBackups(t *testing.T, with func(func(*Config)) []Finding) {
	t.Helper()
	dir := t.TempDir()
	place, err := backup.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	check := func(to string, s Status, detail string) {
		t.Helper()
		f := found(t, with(func(c *Config) { c.Backups = Backups{To: to, Every: time.Hour} }), "backups")
		if f.Status != s || !strings.Contains(f.Detail, detail) {
			t.Errorf("%+v, want %s, %q", f, s, detail)
		}
	}
	check("", StatusWarn, "makes none")
	check(filepath.Join(dir, "nowhere"), StatusFail, "no folder")
	check(dir, StatusFail, "there is none")
	for age, want := range map[time.Duration]Status{3 * time.Hour: StatusFail, time.Minute: StatusOK} {
		name := "backups/" + time.Now().Add(-age).UTC().Format("20060102T150405.000Z")
		if err := place.Put(t.Context(), name, []byte("a manifest")); err != nil {
			t.Fatal(err)
		}
		check(dir, want, "old")
		if err := place.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}

// certified starts a receiver with TLS whose certificate ends at a time. It returns its URL and its authority.
func certified(t *testing.T, ends time.Time, h http.Handler) (url, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: ends.AddDate(-1, 0, 0), NotAfter: ends, IsCA: true,
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	made, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{made}, PrivateKey: key}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made}))
}

func TestTheDoctorFollowsTheWayToAnEndpoint(t *testing.T) {
	t.Parallel()
	c := Config{Data: filepath.Join(t.TempDir(), "data"), Allow: loopback}
	s, _ := start(t, c)
	status := func(code int) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body, _ := io.ReadAll(r.Body); r.Method != http.MethodOptions || len(body) > 0 ||
				r.Header.Get("webhook-signature") != "" {
				t.Errorf("%s with %v, %s", r.Method, r.Header, body)
			}
			w.WriteHeader(code)
		})
	}
	plain := func(code int) string {
		receiver := httptest.NewServer(status(code))
		t.Cleanup(receiver.Close)
		return receiver.URL
	}
	closed := httptest.NewServer(status(204))
	closed.Close()
	expired, expiredCA := certified(t, time.Now().Add(-time.Hour), status(204))
	ending, endingCA := certified(t, time.Now().Add(24*time.Hour), status(204))
	lasting, lastingCA := certified(t, time.Now().AddDate(1, 0, 0), status(204))
	for name, e := range map[string]struct {
		url, ca string
		step    string
		want    Status
		detail  string
		allowed []outbound.AllowedPrefix
	}{
		"well":     {plain(405), "", "answer", StatusOK, "405", loopback},
		"secure":   {lasting, lastingCA, "TLS", StatusOK, "valid until", loopback},
		"ending":   {ending, endingCA, "TLS", StatusWarn, "ends on", loopback},
		"expired":  {expired, expiredCA, "TLS", StatusFail, "expired", loopback},
		"unknown":  {lasting, "", "TLS", StatusFail, "", loopback},
		"nowhere":  {"http://nowhere.invalid/x", "", "name", StatusFail, "nowhere.invalid", loopback},
		"refused":  {plain(204), "", "address", StatusFail, "not a public address", nil},
		"closed":   {closed.URL, "", "connection", StatusFail, "", loopback},
		"troubled": {plain(500), "", "answer", StatusFail, "500", loopback},
	} {
		body, err := json.Marshal(map[string]any{
			"name": name, "url": e.url, "triggers": []string{"endpoint.failing"}, "tls": map[string]string{"ca": e.ca},
		})
		if err != nil {
			t.Fatal(err)
		}
		call(t, s, "POST /v1/endpoints", s.Token(), string(body))
		changed := c
		changed.Allow = e.allowed
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		all := Diagnose(ctx, Diagnosis{Config: changed, Endpoint: name})
		cancel()
		check := "endpoint " + name + ": " + e.step
		f := found(t, all, check)
		if f.Status != e.want || !strings.Contains(f.Detail, e.detail) {
			t.Errorf("%s: %+v", name, f)
		}
		if f.Status == StatusFail && f != all[len(all)-1] {
			t.Errorf("%s: there are checks behind the one that failed: %+v", name, all)
		}
	}
	all := Diagnose(t.Context(), Diagnosis{Config: c, Endpoint: "unheard-of"})
	lastIs(t, all, "endpoint unheard-of", StatusFail, "no such endpoint")
	all = Diagnose(t.Context(), Diagnosis{Config: c, Endpoint: "well", Tenant: "unheard-of"})
	lastIs(t, all, "endpoint well", StatusFail, "")
}
