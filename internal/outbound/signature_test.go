package outbound_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/outbound"
)

var key = bytes.Repeat([]byte{7}, 32)

func TestSignAgreesWithStandardWebhooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 24, 64).Draw(t, "key")
		id := rapid.StringMatching(`msg_[A-Za-z0-9_-]{1,200}`).Draw(t, "id")
		at := time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "at"), 999)
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		hook, err := standardwebhooks.NewWebhook(outbound.FormatKey(key))
		if err != nil {
			t.Fatal(err)
		}
		want, err := hook.Sign(id, at, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := outbound.Sign(key, id, at, body); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestKeysSurviveFormatting(t *testing.T) {
	key, err := outbound.NewKey(rand.Reader)
	if err != nil || len(key) != 32 {
		t.Fatalf("%d bytes, %v", len(key), err)
	}
	text := outbound.FormatKey(key)
	got, err := outbound.ParseKey(text)
	if err != nil || !strings.HasPrefix(text, "whsec_") {
		t.Fatal(text, err)
	}
	if diff := cmp.Diff(key, got); diff != "" {
		t.Error(diff)
	}
}

func TestNewKeyFailsWithoutRandomness(t *testing.T) {
	if _, err := outbound.NewKey(io.LimitReader(rand.Reader, 31)); err == nil {
		t.Error("a short read made a key")
	}
}

func TestParseKeyRefusesWhatIsNotOneWithoutQuotingIt(t *testing.T) {
	for _, s := range []string{
		"", "whsec_", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "whsec_secret!", "whsec_\nsecret",
		outbound.FormatKey(make([]byte, 23)), outbound.FormatKey(make([]byte, 65)),
	} {
		_, err := outbound.ParseKey(s)
		if err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestSignV1aIsEd25519(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), ed25519.SeedSize, ed25519.SeedSize).Draw(t, "seed")
		id := rapid.StringMatching(`msg_[A-Za-z0-9_-]{1,200}`).Draw(t, "id")
		at := time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "at"), 999)
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		encoded, isV1a := strings.CutPrefix(outbound.SignV1a(ed25519.NewKeyFromSeed(seed), id, at, body), "v1a,")
		signature, err := base64.StdEncoding.DecodeString(encoded)
		shown, isPublic := strings.CutPrefix(outbound.FormatPublicKey(seed), "whpk_")
		public, publicErr := base64.StdEncoding.DecodeString(shown)
		if !isV1a || !isPublic || err != nil || publicErr != nil || len(public) != ed25519.PublicKeySize {
			t.Fatalf("signature %q, public key %q", encoded, shown)
		}
		if !ed25519.Verify(public, []byte(fmt.Sprintf("%s.%d.%s", id, at.Unix(), body)), signature) {
			t.Error("the signature does not verify")
		}
	})
}

func TestPrivateKeysAreReadWithAndWithoutTheirPublicHalf(t *testing.T) {
	seed, err := outbound.NewSeed(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	foreign := append(append([]byte{}, seed...), bytes.Repeat([]byte{9}, 32)...)
	for text, want := range map[string][]byte{
		"whsk_" + base64.StdEncoding.EncodeToString(seed): seed, "whsk_" + base64.StdEncoding.EncodeToString(private): seed,
		"whsk_" + base64.StdEncoding.EncodeToString(foreign): nil, "whsk_" + base64.StdEncoding.EncodeToString(seed[:31]): nil,
		"whsk_secret!": nil, "whsec_c2VjcmV0": nil, "": nil,
	} {
		got, err := outbound.ParsePrivateKey(text)
		if !bytes.Equal(got, want) || (err == nil) != (want != nil) ||
			err != nil && strings.Contains(err.Error(), "secret!") {
			t.Errorf("%.20q: %x, %v", text, got, err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	body, at := bytes.Repeat([]byte("x"), 1024), time.Unix(1700000000, 0)
	b.ReportAllocs()
	for b.Loop() {
		outbound.Sign(key, "msg_abcdefghijklmnopqrstuvwx", at, body)
	}
}
