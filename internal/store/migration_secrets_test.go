package store

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
)

func TestASecretFromBeforeCallbacksHadSeveralSignsAndIsRotated(t *testing.T) {
	t.Parallel()
	seal, err := newSealer(testKey)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("this-is-the-signing-key-in-plain")
	sealed := hex.EncodeToString(seal.seal(key, callbackPlace(1, "kyc", "approve")))
	rows := []string{
		`insert into tenants (key, name, created_at) values ('acme', 'Acme', 1)`,
		`insert into callback_secrets (tenant, type, transition, secret, created_at)
			values (1, 'kyc', 'approve', x'` + sealed + `', 5000000)`,
	}
	afterMigration(t, 25, rows, func(t *testing.T, s *Store, engine string) {
		first := endpoint.Secret{ID: firstSecret, Kind: endpoint.V1, Key: key, CreatedAt: fromMicros(5_000_000)}
		got, err := s.CallbackSecrets(t.Context(), 1, "kyc", "approve")
		if diff := cmp.Diff(CallbackSecrets{Secrets: []endpoint.Secret{first}}, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", engine, err, diff)
		}
		made := endpoint.Secret{ID: "sec_2", Kind: endpoint.V1, Key: []byte("new"), CreatedAt: fromMicros(6_000_000)}
		got.Secrets = endpoint.Rotate(got.Secrets, made, time.Hour)
		err = s.Update(t.Context(), func(tx *Tx) error {
			return tx.PutCallbackSecrets(t.Context(), CallbackRef{
				Tenant: 1, CaseType: "kyc", Callback: "approve",
			}, got, made.CreatedAt)
		})
		if err != nil {
			t.Fatal(err)
		}
		got.Revision = 1
		again, err := s.CallbackSecrets(t.Context(), 1, "kyc", "approve")
		if diff := cmp.Diff(got, again); diff != "" || err != nil || len(again.Secrets) != 2 {
			t.Errorf("%s: rotated: %v\n%s", engine, err, diff)
		}

		// An older server that still runs rotates in its own way.
		err = s.Update(t.Context(), func(tx *Tx) error {
			_, err := tx.q.exec(t.Context(), oldRotation, tx.seal.seal(key, callbackPlace(1, "kyc", "approve")))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err = s.CallbackSecrets(t.Context(), 1, "kyc", "approve")
		if err != nil || len(got.Secrets) != 1 || !bytes.Equal(got.Secrets[0].Key, key) {
			t.Errorf("%s: what an older server put reads as %v, %v", engine, got, err)
		}
	})
}

var oldRotation = define(`update callback_secrets set secret = $1`)
