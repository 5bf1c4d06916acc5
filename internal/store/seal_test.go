package store_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

func TestSecretsAreSealedForTheirPlace(t *testing.T) {
	t.Parallel()
	for name, options := range engines {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			s := open(t, o)
			id := tenant(t, s)
			secret := []byte("this-is-the-signing-key-in-plain")
			update(t, s, func(tx *store.Tx) error {
				for _, transition := range []string{"approve", "decline"} {
					if err := tx.PutCallbackSecrets(t.Context(), store.CallbackRef{
						Tenant: id, CaseType: "kyc", Callback: transition,
					}, sealedSecrets(secret), time.Time{}); err != nil {
						return err
					}
				}
				return tx.CreateEndpoint(t.Context(),
					endpoint.Endpoint{ID: "ep_1", Tenant: id, Secrets: []endpoint.Secret{{Key: secret}},
						Headers: []endpoint.Header{{Name: "X-Key", Value: string(secret)}},
						Auth:    endpoint.Auth{Kind: endpoint.BearerAuth, Token: string(secret)},
						TLS:     endpoint.TLS{Key: string(secret)}}, "cur_1")
			})
			if name == "sqlite" {
				for _, file := range []string{o.Path, o.Path + "-wal"} {
					raw, err := os.ReadFile(filepath.Clean(file))
					if err != nil {
						t.Fatal(err)
					}
					if bytes.Contains(raw, secret) ||
						bytes.Contains(raw, []byte(base64.StdEncoding.EncodeToString(secret))) {
						t.Errorf("%s holds the secret in plain", file)
					}
				}
			}
			update(t, s, func(tx *store.Tx) error {
				return tx.Exec(`update callback_secrets set secret = (select secret from callback_secrets where transition = 'decline') where transition = 'approve'`)
			})
			if got, err := s.CallbackSecrets(t.Context(), id, "kyc", "approve"); err == nil {
				t.Errorf("what was sealed for another transition opens: %v", got)
			}
			if got, err := s.CallbackSecrets(t.Context(), id, "kyc", "decline"); err != nil ||
				!bytes.Equal(got.Secrets[0].Key, secret) {
				t.Errorf("CallbackSecrets = %v, %v", got, err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}

			wrong := o
			wrong.Key = bytes.Repeat([]byte("x"), 32)
			if _, err := store.Open(t.Context(), wrong); err == nil || fault.As(err).Code != "store.key_wrong" {
				t.Errorf("with another key Open = %v", err)
			}
			wrong.Key = key[:31]
			if _, err := store.Open(t.Context(), wrong); err == nil || fault.As(err).Code != "store.key_invalid" {
				t.Errorf("with a short key Open = %v", err)
			}
			again := open(t, o) // and the migrations have nothing to do
			if got, err := again.CallbackSecrets(t.Context(), id, "kyc", "decline"); err != nil ||
				!bytes.Equal(got.Secrets[0].Key, secret) {
				t.Errorf("after opening it again, CallbackSecrets = %v, %v", got, err)
			}
		})
	}
}

func sealedSecrets(key []byte) store.CallbackSecrets {
	return store.CallbackSecrets{Secrets: []endpoint.Secret{{ID: "sec_1", Kind: endpoint.V1, Key: key}}}
}
