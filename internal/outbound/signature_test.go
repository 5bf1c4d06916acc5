package outbound_test

import (
	"bytes"
	"crypto/rand"
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

func BenchmarkSign(b *testing.B) {
	body, at := bytes.Repeat([]byte("x"), 1024), time.Unix(1700000000, 0)
	b.ReportAllocs()
	for b.Loop() {
		outbound.Sign(key, "msg_abcdefghijklmnopqrstuvwx", at, body)
	}
}
