package demo

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestVerifyTakesWhatTheStandardLibrarySigns(t *testing.T) {
	signer, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	now, body := time.Now(), []byte(`{"trigger":"case_created"}`)
	right, err := signer.Sign("msg_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, id, signature string
		at                  time.Time
		body                string
		ok                  bool
	}{
		{"as it was sent", "msg_1", right, now, string(body), true},
		{"behind one of another version", "msg_1", "v1a,AAAA " + right, now, string(body), true},
		{"behind one with an older secret", "msg_1", "v1,AAAA " + right, now, string(body), true},
		{"another id", "msg_2", right, now, string(body), false},
		{"another body", "msg_1", right, now, string(body) + " ", false},
		{"another time", "msg_1", right, now.Add(time.Second), string(body), false},
		{"an old time", "msg_1", right, now.Add(-time.Hour), string(body), false},
		{"no signature", "msg_1", "", now, string(body), false},
		{"only of another version", "msg_1", "v2" + right[2:], now, string(body), false},
	} {
		header := http.Header{}
		header.Set("webhook-id", c.id)
		header.Set("webhook-timestamp", strconv.FormatInt(c.at.Unix(), 10))
		header.Set("webhook-signature", c.signature)
		if err := verify(secret, header, []byte(c.body), now); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if verify("", http.Header{}, body, now) == nil {
		t.Error("no secret verifies everything")
	}
}
