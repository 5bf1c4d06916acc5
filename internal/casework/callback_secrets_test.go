package casework_test

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	secret "github.com/casehook/casehook/internal/secrets"
)

// signers submits a transition with a callback, and returns which of some secrets signed the question, and how many
// signatures it has.
func (w *world) signers(
	submission casework.Submission, secrets map[string]endpoint.Secret,
) (names []string, signatures int) {
	w.t.Helper()
	before := len(w.callbacks.at("loan").bodies)
	w.submit(submission)
	asked := w.callbacks.at("loan")
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

// supply returns a secret of 24 bytes, as a caller may supply it.
func supply(b byte) endpoint.Secret {
	return endpoint.Secret{Kind: endpoint.V1, Key: bytes.Repeat([]byte{b}, 24)}
}

func parsed(t testing.TB, text string) endpoint.Secret {
	t.Helper()
	kind, key, err := secret.Parse(secret.InvalidCallback, text)
	if err != nil {
		t.Fatal(err)
	}
	return endpoint.Secret{Kind: kind, Key: key}
}

func TestDuringAnOverlapQuestionsCarryTheSignaturesOfBothSecrets(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.clock.Stop()
		secrets := map[string]endpoint.Secret{
			"first": parsed(t, w.put(w.p, loan("loan", "")).Secrets["submit"]), "mine": supply(1),
		}
		rotate := func(q secret.Request) (endpoint.Secret, error) {
			return w.types.RotateCallbackSecret(t.Context(), w.p,
				casework.CallbackRotation{CaseType: "loan", Callback: "submit", Secret: q}, authz.Once{})
		}
		signed := func(want ...string) {
			t.Helper()
			submission := casework.Submission{CaseID: w.open("loan").ID, Transition: "submit"}
			if names, n := w.signers(submission, secrets); !slices.Equal(names, want) || n != len(want) {
				t.Errorf("%d signatures, of %v; want %v", n, names, want)
			}
		}
		signed("first")
		mine, err := rotate(secret.Request{Kind: endpoint.V1, Key: secrets["mine"].Key, Overlap: time.Hour})
		if err != nil || !bytes.Equal(mine.Key, secrets["mine"].Key) {
			t.Fatalf("%+v, %v", mine, err)
		}
		signed("first", "mine")
		listed, err := w.types.CallbackSecrets(t.Context(), w.p, "loan", "submit")
		if err != nil || len(listed) != 2 || listed[0].ID != mine.ID ||
			listed[1].ExpiresAt.Sub(listed[0].CreatedAt) != time.Hour || !listed[0].ExpiresAt.IsZero() {
			t.Errorf("listed %+v, %v", listed, err)
		}
		if secrets["pair"], err = rotate(secret.Request{Kind: endpoint.V1a, Overlap: time.Hour}); err != nil {
			t.Fatal(err)
		}
		signed("first", "mine", "pair")
		w.later(time.Hour)
		signed("mine", "pair")
		if secrets["drawn"], err = rotate(secret.Request{Kind: endpoint.V1}); err != nil {
			t.Fatal(err)
		}
		signed("drawn", "pair")
		if err := w.types.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", secrets["pair"].ID); err != nil {
			t.Fatal(err)
		}
		signed("drawn")
	})
}

func TestBadSecretsOfCallbacksAreRefused(t *testing.T) {
	w := start(t)
	put := w.put(w.p, loan("loan", ""))
	rotate := func(transition string, q secret.Request) error {
		_, err := w.types.RotateCallbackSecret(t.Context(), w.p,
			casework.CallbackRotation{CaseType: "loan", Callback: transition, Secret: q}, authz.Once{})
		return err
	}
	used := parsed(t, put.Secrets["submit"])
	err := rotate("submit", secret.Request{Kind: endpoint.V1, Key: used.Key})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.secret_invalid"), "/secret")
	err = rotate("submit", secret.Request{Overlap: endpoint.MaxOverlap + 1})
	wantFields(t, wantFault(t, err, fault.Unprocessable, "callback.secret_invalid"), "/overlap")
	for _, none := range []string{"open", "@switch", "\x00"} {
		wantFault(t, rotate(none, secret.Request{}), fault.NotFound, "transition.not_found")
	}
	_, err = w.types.CallbackSecrets(t.Context(), w.p, "loan", "open")
	wantFault(t, err, fault.NotFound, "transition.not_found")
	mine := supply(1)
	for _, key := range [][]byte{mine.Key, used.Key, mine.Key} { // forth, back, and forth again
		if err := rotate("submit", secret.Request{Kind: endpoint.V1, Key: key, Overlap: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	both, err := w.types.CallbackSecrets(t.Context(), w.p, "loan", "submit")
	if err != nil || len(both) != 2 || !bytes.Equal(both[0].Key, mine.Key) || !both[0].ExpiresAt.IsZero() ||
		both[1].ExpiresAt.IsZero() {
		t.Errorf("taken back twice, they are %+v, %v", both, err)
	}
	if err := w.types.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", both[1].ID); err != nil {
		t.Fatal(err)
	}
	only, err := w.types.CallbackSecrets(t.Context(), w.p, "loan", "submit")
	if err != nil || len(only) != 1 {
		t.Fatalf("%+v, %v", only, err)
	}
	wantFault(t, w.types.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", only[0].ID), fault.Conflict,
		"callback.last_secret")
	wantFault(t, w.types.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", "sec_none"), fault.NotFound,
		"callback.secret_not_found")
	for range endpoint.MaxSecrets - 1 {
		if err := rotate("submit", secret.Request{Kind: endpoint.V1, Overlap: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	wantFault(t, rotate("submit", secret.Request{Kind: endpoint.V1, Overlap: time.Hour}), fault.Conflict,
		"callback.too_many_secrets")
}

func TestTheSecretsOfSwitchesAndDeletionsAreRotatedToo(t *testing.T) {
	w := start(t)
	put := w.put(w.p, `{"key": "pad", "fields": {"type": "object", "properties": {}}, "states": [{"key": "open"}],
		"transitions": [{"key": "write", "to": "open"}], "switch": {"about_to_submit": {"url": "https://a.example"}},
		"delete": {"about_to_submit": {"url": "https://a.example"}}}`)
	for _, name := range []string{"@switch", "@delete"} {
		_, err := w.types.RotateCallbackSecret(t.Context(), w.p,
			casework.CallbackRotation{
				CaseType: "pad", Callback: name, Secret: secret.Request{Kind: endpoint.V1, Overlap: time.Hour},
			}, authz.Once{})
		all, listed := w.types.CallbackSecrets(t.Context(), w.p, "pad", name)
		if err != nil || listed != nil || len(all) != 2 || !bytes.Equal(all[1].Key, parsed(t, put.Secrets[name]).Key) {
			t.Errorf("%s: %v, %+v, %v", name, err, all, listed)
		}
	}
}

// perType makes all callbacks of loans share one secret.
func perType(definition string) string {
	return strings.Replace(definition, `{`, `{"callback_secret": "type", `, 1)
}

// scopes is a world with two loans from a time when each callback had its own secret.
type scopes struct {
	world   *world
	running [4]int64
	secrets map[string]endpoint.Secret // all so far, by when and where they were made
}

func newScopes(w *world) *scopes {
	w.clock.Stop()
	s := &scopes{world: w, secrets: map[string]endpoint.Secret{}}
	s.change("first", loan("loan", ""), "open_asked", "submit")
	for i := range s.running {
		s.running[i] = w.open("loan").ID
	}
	return s
}

// change puts a definition, and checks for which callbacks it makes secrets.
func (s *scopes) change(when, definition string, want ...string) {
	s.world.t.Helper()
	made := s.world.put(s.world.p, definition).Secrets
	if names := slices.Sorted(maps.Keys(made)); !slices.Equal(names, want) {
		s.world.t.Errorf("%s: there are new secrets for %v; want %v", when, names, want)
	}
	for name, secret := range made {
		s.secrets[when+" "+name] = parsed(s.world.t, secret)
	}
}

// signed checks which secrets sign the question about a new or running case.
func (s *scopes) signed(in casework.Submission, want ...string) {
	s.world.t.Helper()
	slices.Sort(want)
	if names, n := s.world.signers(in, s.secrets); !slices.Equal(names, want) || n != len(want) {
		s.world.t.Errorf("%d signatures, of %q; want %q", n, names, want)
	}
}

func TestACaseTypeMayHaveOneSecretForAllOfItsCallbacks(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		s := newScopes(w)
		opens := casework.Submission{Type: "loan", Transition: "open_asked"}
		submits := func(i int) casework.Submission {
			return casework.Submission{CaseID: s.running[i], Transition: "submit"}
		}
		s.change("shared", perType(loan("loan", "")), "@type")
		s.signed(opens, "first open_asked", "shared @type")
		s.signed(submits(0), "first submit", "shared @type")
		w.later(endpoint.DefaultOverlap)
		s.signed(opens, "shared @type")
		s.signed(submits(1), "shared @type")
		s.change("again", perType(loan("loan", "")))

		// The scope changes back, without one of the callbacks: that one keeps the shared secret.
		without := strings.Replace(loan("loan", ""),
			`"to": "review", "about_to_submit": {"url": "${CASEHOOK_VAR_CALLBACKS}/loan"}`, `"to": "review"`, 1)
		s.change("own", without, "open_asked")
		s.signed(opens, "own open_asked", "shared @type")
		s.signed(submits(2), "shared @type")
		w.later(endpoint.DefaultOverlap)
		s.signed(opens, "own open_asked")
		s.signed(submits(3), "shared @type")
		s.change("anew", perType(loan("loan", "")), "@type") // not the previous one
		w.later(endpoint.DefaultOverlap)
		s.signed(opens, "anew @type")
	})
}

func TestACallbackHasNoSecretOfItsOwnWhereTheTypeHasOne(t *testing.T) {
	w := start(t)
	made := w.put(w.p, perType(loan("loan", "")))
	if made.Secrets["@type"] == "" || len(made.Secrets) != 1 {
		t.Fatalf("made %v", made.Secrets)
	}
	rotate := func(name string) error {
		_, err := w.types.RotateCallbackSecret(t.Context(), w.p,
			casework.CallbackRotation{
				CaseType: "loan", Callback: name, Secret: secret.Request{Kind: endpoint.V1, Overlap: time.Hour},
			}, authz.Once{})
		return err
	}
	wantFault(t, rotate("submit"), fault.Conflict, "callback.secret_shared")
	wantFault(t, w.types.DeleteCallbackSecret(t.Context(), w.p, "loan", "submit", "sec_1"), fault.Conflict,
		"callback.secret_shared")
	wantFault(t, rotate("open"), fault.NotFound, "transition.not_found")
	if err := rotate("@type"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"@type", "submit"} {
		if all, err := w.types.CallbackSecrets(t.Context(), w.p, "loan", name); err != nil || len(all) != 2 {
			t.Errorf("the secrets of %s are %+v, %v", name, all, err)
		}
	}
	w.put(w.p, loan("two", ""))
	_, err := w.types.CallbackSecrets(t.Context(), w.p, "two", "@type")
	wantFault(t, err, fault.NotFound, "transition.not_found")
}

func TestRotationsAtOnceLoseNoSecret(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		var rotations sync.WaitGroup
		for range 4 {
			rotations.Go(func() {
				q := secret.Request{Kind: endpoint.V1, Overlap: time.Hour}
				if _, err := w.types.RotateCallbackSecret(t.Context(), w.p,
					casework.CallbackRotation{CaseType: "loan", Callback: "submit", Secret: q},
					authz.Once{}); err != nil {
					t.Error(err)
				}
			})
		}
		rotations.Wait()
		if all, err := w.types.CallbackSecrets(t.Context(), w.p, "loan", "submit"); err != nil || len(all) != 5 {
			t.Errorf("%d secrets sign, %v", len(all), err)
		}
	})
}
