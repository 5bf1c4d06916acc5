package server

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/casehook/casehook/internal/fault"
)

const (
	keySize  = 32
	keyName  = "key"         // in the data directory
	fileName = "casehook.db" // in the data directory
)

const makeKey = "Make one with: openssl rand -base64 32 > casehook.key; chmod 600 casehook.key"

// key returns the key that seals secrets: the configured one, or that of the data directory, which
// the first start creates.
func (c Config) key() ([]byte, error) {
	switch {
	case c.Key != "":
		return decodeKey([]byte(c.Key), "CASEHOOK_KEY")
	case c.KeyFile != "":
		return readKey(c.KeyFile)
	case c.Database != "":
		return nil, invalid("key_missing",
			"A PostgreSQL database needs a key that seals secrets: --key-file FILE, or CASEHOOK_KEY. "+
				makeKey+" - and keep a copy: without it the secrets in the database are lost.")
	}
	return c.ownKey()
}

// ownKey returns the data directory's key. If there is no database yet, it creates the key.
func (c Config) ownKey() ([]byte, error) {
	path := filepath.Join(c.Data, keyName)
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := os.Stat(filepath.Join(c.Data, fileName)); err == nil {
		return nil, invalid("key_lost",
			"%s is missing: the key that the database beside it was made with. Restore it from your backup.", path)
	}
	random := c.Random
	if random == nil {
		random = rand.Reader
	}
	key = make([]byte, keySize)
	if _, err := io.ReadFull(random, key); err != nil {
		return nil, fmt.Errorf("drawing a key: %w", err)
	}
	return key, writeKey(path, key)
}

func readKey(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(err, fault.Invalid, "config.key_missing", "There is no key file %s. "+makeKey, path)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "config.key_unreadable", "The key file %s can't be read.", path)
	}
	return decodeKey(raw, path)
}

// decodeKey decodes a key. Its errors contain nothing of the key.
func decodeKey(text []byte, where string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(text)))
	if err != nil || len(key) != keySize {
		return nil, invalid("key_invalid", "The key in %s is not 32 bytes in base64. "+makeKey, where)
	}
	return key, nil
}

// writeKey saves the key durably before anything is sealed with it. After a crash, the file has the
// whole key or does not exist.
func writeKey(path string, key []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), keyName+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	defer os.Remove(f.Name()) // does nothing once the file has moved
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key))
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// derive derives a key for another purpose, which is the same on every node.
func derive(key []byte, purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, nil, purpose, keySize)
}
