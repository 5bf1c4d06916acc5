package webhook_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/webhook"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	older  = "whsec_b2xkZXIga2V5IG9mIDI0IGJ5dGVzLi4="
)

var now = time.Unix(1_772_439_300, 0)

// signature returns a signature by the Standard Webhooks library.
func signature(t testing.TB, secret, id string, at time.Time, body []byte) string {
	t.Helper()
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	s, err := signer.Sign(id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asymmetric returns a public key, and a signature of version 1a by its private one.
func asymmetric(seed byte, id string, at time.Time, body []byte) (public, signature string) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	signed := ed25519.Sign(private, fmt.Appendf(nil, "%s.%d.%s", id, at.Unix(), body))
	encode := base64.StdEncoding.EncodeToString
	return "whpk_" + encode(private.Public().(ed25519.PublicKey)), "v1a," + encode(signed)
}

// Signatures of the server, asymmetric ones too, are verified.
func TestVerifyAcceptsTheServersSignatures(t *testing.T) {
	seed, body := bytes.Repeat([]byte{3}, ed25519.SeedSize), []byte(`{"trigger":"case_created"}`)
	key, err := outbound.ParseKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	signed := outbound.Sign(key, "msg_1", now, body)
	asymmetric := outbound.SignV1a(ed25519.NewKeyFromSeed(seed), "msg_1", now, body)
	for _, v := range []*webhook.Verifier{
		verifier(t, outbound.FormatKey(key)), verifier(t, outbound.FormatPublicKey(seed)),
	} {
		if err := v.Verify(headers("msg_1", now, signed+" "+asymmetric), body); err != nil {
			t.Error(err)
		}
		if err := v.Verify(headers("msg_2", now, signed+" "+asymmetric), body); !errors.Is(err, webhook.ErrSignature) {
			t.Error(err)
		}
	}
}

func headers(id string, at time.Time, signature string) http.Header {
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("webhook-signature", signature)
	return h
}

// verifier returns a Verifier whose clock stands at now.
func verifier(t testing.TB, secrets ...string) *webhook.Verifier {
	t.Helper()
	v, err := webhook.NewVerifier(secrets...)
	if err != nil {
		t.Fatal(err)
	}
	v.Now = func() time.Time { return now }
	return v
}

func TestVerifyAcceptsOnlyValidSignatures(t *testing.T) {
	body := []byte(`{"trigger":"case_created"}`)
	right := signature(t, secret, "msg_1", now, body)
	public, asym := asymmetric(1, "msg_1", now, body)
	_, wrongAsym := asymmetric(2, "msg_1", now, body)
	for name, c := range map[string]struct {
		secrets []string
		header  http.Header
		body    string
		want    error
	}{
		"as it was sent":                  {[]string{secret}, headers("msg_1", now, right), string(body), nil},
		"by the second secret":            {[]string{older, secret}, headers("msg_1", now, right), string(body), nil},
		"by the second signature":         {[]string{secret}, headers("msg_1", now, "v1,AAAA "+signature(t, older, "msg_1", now, body)+" "+right), string(body), nil},
		"by a public key":                 {[]string{public}, headers("msg_1", now, right+" "+asym), string(body), nil},
		"by one of both":                  {[]string{secret, public}, headers("msg_1", now, asym), string(body), nil},
		"with white space about a secret": {[]string{" " + secret + "\n"}, headers("msg_1", now, right), string(body), nil},
		"at the edge of the past":         {[]string{secret}, headers("msg_1", now.Add(-5*time.Minute), signature(t, secret, "msg_1", now.Add(-5*time.Minute), body)), string(body), nil},

		"by another secret":       {[]string{older}, headers("msg_1", now, right), string(body), webhook.ErrSignature},
		"by another public key":   {[]string{public}, headers("msg_1", now, wrongAsym), string(body), webhook.ErrSignature},
		"a secret as public key":  {[]string{public}, headers("msg_1", now, right), string(body), webhook.ErrSignature},
		"another id":              {[]string{secret}, headers("msg_2", now, right), string(body), webhook.ErrSignature},
		"another body":            {[]string{secret}, headers("msg_1", now, right), string(body) + " ", webhook.ErrSignature},
		"another time":            {[]string{secret}, headers("msg_1", now.Add(time.Second), right), string(body), webhook.ErrSignature},
		"of another version":      {[]string{secret, public}, headers("msg_1", now, "v2"+right[2:]), string(body), webhook.ErrSignature},
		"versions interchanged":   {[]string{secret, public}, headers("msg_1", now, "v1a"+right[2:]+" v1"+asym[3:]), string(body), webhook.ErrSignature},
		"a part of the signature": {[]string{secret}, headers("msg_1", now, right[:len(right)-4]), string(body), webhook.ErrSignature},
		"an empty signature":      {[]string{secret, public}, headers("msg_1", now, "v1, v1a, ,"), string(body), webhook.ErrSignature},
		"too many signatures":     {[]string{secret}, headers("msg_1", now, strings.Repeat("v1,AAAA ", 16)+right), string(body), webhook.ErrSignature},

		"too old":             {[]string{secret}, headers("msg_1", now.Add(-301*time.Second), signature(t, secret, "msg_1", now.Add(-301*time.Second), body)), string(body), webhook.ErrTimestamp},
		"too far ahead":       {[]string{secret}, headers("msg_1", now.Add(301*time.Second), signature(t, secret, "msg_1", now.Add(301*time.Second), body)), string(body), webhook.ErrTimestamp},
		"at the end of time":  {[]string{secret}, http.Header{"Webhook-Id": {"a"}, "Webhook-Timestamp": {"9223372036854775807"}, "Webhook-Signature": {right}}, string(body), webhook.ErrTimestamp},
		"at its beginning":    {[]string{secret}, http.Header{"Webhook-Id": {"a"}, "Webhook-Timestamp": {"-9223372036854775808"}, "Webhook-Signature": {right}}, string(body), webhook.ErrTimestamp},
		"a time that is none": {[]string{secret}, http.Header{"Webhook-Id": {"a"}, "Webhook-Timestamp": {"soon"}, "Webhook-Signature": {right}}, string(body), webhook.ErrHeaders},
		"no headers":          {[]string{secret}, http.Header{}, string(body), webhook.ErrHeaders},
		"no id":               {[]string{secret}, headers("", now, signature(t, secret, "", now, body)), string(body), webhook.ErrHeaders},
		"no signature":        {[]string{secret}, headers("msg_1", now, ""), string(body), webhook.ErrHeaders},
	} {
		if err := verifier(t, c.secrets...).Verify(c.header, []byte(c.body)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestTheToleranceCanBeSet(t *testing.T) {
	v := verifier(t, secret)
	v.Tolerance = time.Hour
	at := now.Add(-time.Hour)
	if err := v.Verify(headers("msg_1", at, signature(t, secret, "msg_1", at, nil)), nil); err != nil {
		t.Error(err)
	}
	v.Tolerance = time.Hour - time.Second
	if err := v.Verify(headers("msg_1", at, signature(t, secret, "msg_1", at, nil)), nil); !errors.Is(err,
		webhook.ErrTimestamp) {
		t.Error(err)
	}
}

func TestASecretThatCantBeReadIsNotQuoted(t *testing.T) {
	for _, wrong := range []string{
		"", "whsec_", "whsec_private!", "private", "whpk_private", "whpk_cHJpdmF0ZQ==",
		"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	} {
		v, err := webhook.NewVerifier(secret, wrong)
		if v != nil || !errors.Is(err, webhook.ErrSecret) || strings.Contains(err.Error(), "private") ||
			!strings.Contains(err.Error(), "number 2") {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := webhook.NewVerifier(); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("without a secret: %v", err)
	}
	if err := new(webhook.Verifier).Verify(headers("msg_1", time.Now(), signature(t, secret, "msg_1", time.Now(), nil)),
		nil); !errors.Is(err, webhook.ErrSignature) {
		t.Errorf("the zero value accepts a request: %v", err)
	}
}

func TestSignaturesOfSignAreVerifiedByTheStandardLibrary(t *testing.T) {
	standard, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		h := http.Header{}
		if err := webhook.Sign(h, secret, rapid.StringMatching(`[A-Za-z0-9_-]+`).Draw(t, "id"), time.Now(),
			body); err != nil {
			t.Fatal(err)
		}
		if err := standard.Verify(body, h); err != nil {
			t.Fatal(err)
		}
	})
	if err := webhook.Sign(http.Header{}, "whpk_AAAA", "msg_1", now, nil); !errors.Is(err, webhook.ErrSecret) {
		t.Errorf("signed with a public key: %v", err)
	}
}

// Verify accepts the signatures that the reference library accepts, and no others: they differ in
// the timestamps alone, which are fixed here.
func FuzzVerify(f *testing.F) {
	f.Add("msg_1", "v1,AAAA", []byte("{}"))
	f.Add("msg_1", "", []byte("{}"))
	f.Add("a.b", "v1,=  v1a,x v1,", []byte{0xff})
	standard, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		f.Fatal(err)
	}
	v := verifier(f, secret)
	f.Fuzz(func(t *testing.T, id, signatures string, body []byte) {
		if len(strings.Fields(signatures)) > 16 || id == "" ||
			strings.ContainsAny(signatures, "\t\n\v\f\r\u0085\u00a0") {
			return
		}
		h := headers(id, now, signatures)
		if signatures != "" && standard.VerifyIgnoringTimestamp(body, h) == nil {
			t.Fatalf("a signature was guessed: %q", signatures)
		}
		if v.Verify(h, body) == nil {
			t.Fatalf("a signature was guessed: %q", signatures)
		}
		h.Set("webhook-signature", signatures+" "+signature(t, secret, id, now, body))
		ours, theirs := v.Verify(h, body), standard.VerifyIgnoringTimestamp(body, h)
		if (ours == nil) != (theirs == nil) {
			t.Fatalf("%v, and the standard library %v", ours, theirs)
		}
	})
}
