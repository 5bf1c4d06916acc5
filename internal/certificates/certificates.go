// Package certificates has the certificates by which the server speaks TLS: those of files, which are read again when
// they change, and those that an ACME authority issues. Neither needs a restart, and a fault of a new certificate
// leaves the present one in use.
package certificates

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Config returns the configuration of a server: TLS 1.2 at least, with Go's cipher suites.
func Config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get}
}

// maxFile is the size at which a file can't be a certificate or a key, in bytes.
const maxFile = 1 << 20

// Files is a certificate with its key in two files.
type Files struct {
	certificate, key string // paths
	log              *slog.Logger
	current          atomic.Pointer[tls.Certificate]
	read             pair // as it was last read
	faulty           bool // and can't be used
	reported         bool // which is logged
}

// pair is the content of the two files.
type pair struct{ certificate, key []byte }

func (p pair) equal(o pair) bool {
	return bytes.Equal(p.certificate, o.certificate) && bytes.Equal(p.key, o.key)
}

// Open reads the files. Its errors name them, and complete "The certificate ...".
func Open(certificate, key string, log *slog.Logger) (*Files, error) {
	f := &Files{certificate: certificate, key: key, log: log}
	var err error
	if f.read, err = f.load(); err != nil {
		return nil, err
	}
	return f, f.use(f.read)
}

// Get returns the certificate that is in use.
func (f *Files) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load(), nil }

// Watch reads the files again at each tick, and at each wish, until ctx ends.
func (f *Files) Watch(ctx context.Context, ticks <-chan time.Time, wishes <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks:
			f.reload(false)
		case <-wishes:
			f.reload(true)
		}
	}
}

// reload uses the files if they have changed. A pair that can't be used is reported once: when it is asked for, or when
// it is found a second time, since the files may be replaced one after the other.
func (f *Files) reload(asked bool) {
	now, err := f.load()
	changed := err == nil && !now.equal(f.read)
	if changed {
		f.read, f.faulty, f.reported = now, false, false
		if err = f.use(now); err == nil {
			f.log.Info("the certificate was replaced", "file", f.certificate, "ends", f.current.Load().Leaf.NotAfter)
			return
		}
	} else if err == nil {
		if !f.faulty {
			f.reported = false
			return
		}
		err = f.use(now)
	}
	again := f.faulty
	f.faulty = true
	if f.reported || !asked && !again {
		return
	}
	f.reported = true
	f.log.Error("the new certificate can't be used; the old one is kept", "error", err,
		"ends", f.current.Load().Leaf.NotAfter, "advice", "Put the certificate and its key in place again.")
}

// load reads both files.
func (f *Files) load() (p pair, err error) {
	if p.certificate, err = read(f.certificate); err != nil {
		return pair{}, err
	}
	p.key, err = read(f.key)
	return p, err
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("file %s can't be read: %w", path, reason(err))
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("file %s is no file, or far too long", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("file %s can't be read: %w", path, reason(err))
	}
	return content, nil
}

// reason returns the error without the path.
func reason(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	return err
}

// use replaces the certificate that is in use. Its errors quote nothing of the key.
func (f *Files) use(p pair) error {
	made, err := tls.X509KeyPair(p.certificate, p.key)
	if err != nil {
		return fmt.Errorf("of %s and the key of %s can't be used: %w", f.certificate, f.key, err)
	}
	if time.Now().After(made.Leaf.NotAfter) {
		return fmt.Errorf("of %s has ended on %s", f.certificate, made.Leaf.NotAfter.Format(time.RFC1123))
	}
	f.current.Store(&made)
	return nil
}
