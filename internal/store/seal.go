package store

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/casehook/casehook/internal/fault"
)

// sealer encrypts secrets at rest with AES-256-GCM. A secret's place is its additional data, so that a secret that is
// copied to another place can't be opened.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) (sealer, error) {
	if len(key) != 32 {
		return sealer{}, fault.New(fault.Invalid, "store.key_invalid",
			"The key that seals secrets has %d bytes, and must have 32. Start the server with another key.", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return sealer{aead}, err
}

func (s sealer) seal(plain []byte, place string) []byte {
	return s.aead.Seal(nil, nil, plain, []byte(place))
}

func (s sealer) open(sealed []byte, place string) ([]byte, error) {
	plain, err := s.aead.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("opening the secret of %s: %w", place, err)
	}
	return plain, nil
}

var (
	installationGet = define(`select value from installation where name = $1`)
	installationPut = define(`insert into installation (name, value) values ($1, $2) on conflict (name) do nothing`)
)

const keyCheck = "key_check"

// checkKey returns an error if the secrets of the database were sealed with another key.
func (s *Store) checkKey(ctx context.Context) error {
	check := base64.StdEncoding.EncodeToString(s.seal.seal([]byte(rand.Text()), keyCheck))
	err := s.Update(ctx, func(tx *Tx) error {
		_, err := tx.q.exec(ctx, installationPut, keyCheck, check)
		return err
	})
	if err != nil {
		return err
	}
	rows, err := s.q.query(ctx, installationGet, keyCheck)
	stored, err := one(rows, err, scanValue[string], keyUnrecorded)
	if err != nil {
		return err
	}
	return s.fitsKey(stored)
}
