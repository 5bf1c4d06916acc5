package certificates_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/certificates"
	"github.com/casehook/casehook/internal/testclient"
)

// watched is a pair of files that is looked at when the test says so.
type watched struct {
	t      *testing.T
	files  *certificates.Files
	ticks  chan time.Time
	wishes chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

// Write implements io.Writer, for the log.
func (w *watched) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(b)
}

func (w *watched) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.String()
}

func watch(t *testing.T, certificate, key string) *watched {
	t.Helper()
	w := &watched{t: t, ticks: make(chan time.Time), wishes: make(chan struct{})}
	files, err := certificates.Open(certificate, key, slog.New(slog.NewTextHandler(w, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w.files = files
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); files.Watch(ctx, w.ticks, w.wishes) }()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

// uses looks at the files, and checks which certificate is in use and how many faults are logged.
func (w *watched) uses(want testclient.Pair, faults int) {
	w.t.Helper()
	for range 3 { // then two looks have ended
		w.ticks <- time.Time{}
	}
	got, err := w.files.Get(nil)
	if err != nil || !got.Leaf.Equal(want.Leaf) {
		w.t.Errorf("another certificate is in use: %v", err)
	}
	if n := strings.Count(w.logged(), "level=ERROR"); n != faults {
		w.t.Errorf("%d faults are logged, want %d: %s", n, faults, w.logged())
	}
}

var year = time.Now().Add(365 * 24 * time.Hour)

func TestAReplacedCertificateIsUsed(t *testing.T) {
	authority, dir := testclient.NewAuthority(t), t.TempDir()
	first, second, third := authority.Issue(t, year), authority.Issue(t, year), authority.Issue(t, year)
	certificate, key := first.Write(t, dir)
	w := watch(t, certificate, key)
	w.uses(first, 0)
	second.Write(t, dir)
	w.uses(second, 0)
	third.Write(t, dir)
	w.wishes <- struct{}{}
	w.wishes <- struct{}{}
	if got, _ := w.files.Get(nil); !got.Leaf.Equal(third.Leaf) {
		t.Error("a wish does not read the files")
	}
}

// The certificate and its key are replaced one after the other, and looked at in between.
func TestHalfOfAPairIsNoFault(t *testing.T) {
	authority, dir := testclient.NewAuthority(t), t.TempDir()
	first, second := authority.Issue(t, year), authority.Issue(t, year)
	certificate, key := first.Write(t, dir)
	w := watch(t, certificate, key)
	os.WriteFile(certificate, second.Certificate, 0o600)
	w.ticks <- time.Time{}
	os.WriteFile(key, second.Key, 0o600)
	w.uses(second, 0)
}

// Kubernetes replaces a link to the folder of both.
func TestALinkIsFollowed(t *testing.T) {
	authority, dir := testclient.NewAuthority(t), t.TempDir()
	pairs := []testclient.Pair{authority.Issue(t, year), authority.Issue(t, year)}
	for i, name := range []string{"one", "two"} {
		os.Mkdir(filepath.Join(dir, name), 0o700)
		pairs[i].Write(t, filepath.Join(dir, name))
	}
	link := filepath.Join(dir, "data")
	if err := os.Symlink("one", link); err != nil {
		t.Fatal(err)
	}
	w := watch(t, filepath.Join(link, "tls.crt"), filepath.Join(link, "tls.key"))
	w.uses(pairs[0], 0)
	if err := os.Symlink("two", link+"2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+"2", link); err != nil {
		t.Fatal(err)
	}
	w.uses(pairs[1], 0)
}

// A new pair that can't be used is logged once, without the key, and the old one is kept.
func TestAFaultyPairIsNotUsed(t *testing.T) {
	authority := testclient.NewAuthority(t)
	other := authority.Issue(t, year)
	for name, spoil := range map[string]func(certificate, key string){
		"of another certificate": func(_, key string) { os.WriteFile(key, other.Key, 0o600) },
		"no PEM":                 func(certificate, _ string) { os.WriteFile(certificate, []byte("x"), 0o600) },
		"missing":                func(certificate, _ string) { os.Remove(certificate) },
		"over": func(certificate, key string) {
			authority.Issue(t, time.Now().Add(-time.Minute)).Write(t, filepath.Dir(certificate))
		},
		"endless": func(certificate, _ string) {
			os.Remove(certificate)
			os.Symlink("/dev/zero", certificate)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, first := t.TempDir(), authority.Issue(t, year)
			certificate, key := first.Write(t, dir)
			w := watch(t, certificate, key)
			spoil(certificate, key)
			for range 3 {
				w.uses(first, 1)
			}
			if strings.Contains(w.logged(), "PRIVATE") {
				t.Error("the key is logged")
			}
			os.Remove(certificate)
			other.Write(t, dir)
			w.uses(other, 1)
			spoil(certificate, key)
			if name != "of another certificate" {
				w.uses(other, 2)
			}
		})
	}
}

func TestAFaultyPairStopsTheStart(t *testing.T) {
	authority, dir := testclient.NewAuthority(t), t.TempDir()
	certificate, key := authority.Issue(t, year).Write(t, dir)
	os.WriteFile(key, authority.Issue(t, year).Key, 0o600)
	for _, pair := range [][2]string{{certificate, key}, {certificate, filepath.Join(dir, "none")}, {dir, key}} {
		_, err := certificates.Open(pair[0], pair[1], nil)
		if err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%v: %v", pair, err)
		}
	}
}

func TestHostsOfCertificates(t *testing.T) {
	for name, want := range map[string]string{
		"Cases.Example.com.": "cases.example.com", "bücher.example": "xn--bcher-kva.example",
		"localhost": "", "*.example.com": "", "127.0.0.1": "", "::1": "", "a.example:443": "", "https://a.example": "", "": "",
	} {
		if got, err := certificates.Host(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
}
