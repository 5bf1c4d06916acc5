package casework_test

import (
	"bytes"
	"crypto/ed25519"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
)

// signers asks a callback by submitting a transition of a new case, and returns which
// of some secrets have signed the question, and how many signatures it has.
func (w *world) signers(key, transition string, secrets map[string]endpoint.Secret) (names []string, signatures int) {
	w.t.Helper()
	before := len(w.callbacks.at(key).bodies)
	w.submit(casework.Submission{CaseID: w.open(key).ID, Transition: transition})
	asked := w.callbacks.at(key)
	header, body := asked.requests[before].Header, []byte(asked.bodies[before])
	seconds, err := strconv.ParseInt(header.Get("Webhook-Timestamp"), 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	all := strings.Fields(header.Get("Webhook-Signature"))
	for name, secret := range secrets {
		sign := outbound.Sign
		if secret.Kind == endpoint.V1a {
			sign = signV1a
		}
		if slices.Contains(all, sign(secret.Key, header.Get("Webhook-Id"), time.Unix(seconds, 0), body)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, len(all)
}

func signV1a(seed []byte, id string, at time.Time, body []byte) string {
	return outbound.SignV1a(ed25519.NewKeyFromSeed(seed), id, at, body)
}

// supply is a secret of 24 bytes as a caller may supply it.
func supply(b byte) endpoint.Secret {
	return endpoint.Secret{Kind: endpoint.V1, Key: bytes.Repeat([]byte{b}, 24)}
}

func parsed(t *testing.T, text string) endpoint.Secret {
	t.Helper()
	kind, key, err := casework.ParseSecret(casework.InvalidCallbackSecret, text)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint.Secret{Kind: kind, Key: key}
}

func TestDuringAnOverlapQuestionsCarryTheSignaturesOfBothSecrets(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.stopClock()
		secrets := map[string]endpoint.Secret{"first": parsed(t, w.put(w.p, loan("loan", "")).Secrets["submit"]), "mine": supply(1)}
		rotate := func(q casework.SecretRequest) (endpoint.Secret, error) {
			return w.RotateCallbackSecret(t.Context(), w.p, "loan", "submit", q, casework.Once{})
		}
		signed := func(want ...string) {
			t.Helper()
			if names, n := w.signers("loan", "submit", secrets); !slices.Equal(names, want) || n != len(want) {
				t.Errorf("%d signatures, of %v; want %v", n, names, want)
			}
		}
		signed("first")
		mine, err := rotate(casework.SecretRequest{Kind: endpoint.V1, Key: secrets["mine"].Key, Overlap: time.Hour})
		if err != nil || !bytes.Equal(mine.Key, secrets["mine"].Key) {
			t.Fatalf("%+v, %v", mine, err)
		}
		signed("first", "mine")
		listed, err := w.CallbackSecrets(t.Context(), w.p, "loan", "submit")
		if err != nil || len(listed) != 2 || listed[0].ID != mine.ID || listed[1].ExpiresAt.Sub(listed[0].CreatedAt) != time.Hour || !listed[0].ExpiresAt.IsZero() {
			t.Errorf("listed %+v, %v", listed, err)
		}
		if secrets["pair"], err = rotate(casework.SecretRequest{Kind: endpoint.V1a, Overlap: time.Hour}); err != nil {
			t.Fatal(err)
		}
		signed("first", "mine", "pair")
		w.later(time.Hour)
		signed("mine", "pair")
		if secrets["drawn"], err = rotate(casework.SecretRequest{Kind: endpoint.V1}); err != nil {
			t.Fatal(err)
		}
		signed("drawn", "pair")
		if err := w.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", secrets["pair"].ID); err != nil {
			t.Fatal(err)
		}
		signed("drawn")
	})
}

func TestWhatIsWrongWithASecretOfACallbackIsRefused(t *testing.T) {
	w := start(t, "")
	put := w.put(w.p, loan("loan", ""))
	rotate := func(transition string, q casework.SecretRequest) error {
		_, err := w.RotateCallbackSecret(t.Context(), w.p, "loan", transition, q, casework.Once{})
		return err
	}
	used := parsed(t, put.Secrets["submit"])
	err := rotate("submit", casework.SecretRequest{Kind: endpoint.V1, Key: used.Key})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.secret_invalid"), "/secret")
	err = rotate("submit", casework.SecretRequest{Overlap: endpoint.MaxOverlap + 1})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.secret_invalid"), "/overlap")
	for _, none := range []string{"open", "@switch", "\x00"} {
		wantFault(t, rotate(none, casework.SecretRequest{}), fault.NotFound, "transition.not_found")
	}
	_, err = w.CallbackSecrets(t.Context(), w.p, "loan", "open")
	wantFault(t, err, fault.NotFound, "transition.not_found")
	only, err := w.CallbackSecrets(t.Context(), w.p, "loan", "submit")
	if err != nil || len(only) != 1 {
		t.Fatalf("%+v, %v", only, err)
	}
	wantFault(t, w.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", only[0].ID), fault.Conflict, "callback.last_secret")
	wantFault(t, w.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", "sec_none"), fault.NotFound, "callback.secret_not_found")
	for range endpoint.MaxSecrets - 1 {
		if err := rotate("submit", casework.SecretRequest{Kind: endpoint.V1, Overlap: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, rotate("submit", casework.SecretRequest{Kind: endpoint.V1, Overlap: time.Hour}), fault.Conflict, "callback.too_many_secrets")
}

func TestTheSecretsOfSwitchesAndDeletionsAreRotatedToo(t *testing.T) {
	w := start(t, "")
	put := w.put(w.p, `{"key": "pad", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
		"transitions": [{"key": "write", "to": "open"}], "switch": {"about_to_submit": {"url": "https://a.example"}},
		"delete": {"about_to_submit": {"url": "https://a.example"}}}`)
	for _, name := range []string{"@switch", "@delete"} {
		_, err := w.RotateCallbackSecret(t.Context(), w.p, "pad", name, casework.SecretRequest{Kind: endpoint.V1, Overlap: time.Hour}, casework.Once{})
		all, listed := w.CallbackSecrets(t.Context(), w.p, "pad", name)
		if err != nil || listed != nil || len(all) != 2 || !bytes.Equal(all[1].Key, parsed(t, put.Secrets[name]).Key) {
			t.Errorf("%s: %v, %+v, %v", name, err, all, listed)
		}
	}
}
