package main

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

func TestVerifyTakesWhatCasehookSigns(t *testing.T) {
	key := []byte("a key of 32 bytes, as all of them")
	now, body := time.Now(), []byte(`{"trigger":"case_created"}`)
	right := outbound.Sign(key, "msg_1", now, body)
	for _, c := range []struct {
		name, signature string
		at              time.Time
		body            string
		ok              bool
	}{
		{"as it was sent", right, now, string(body), true},
		{"while the secret is rotated", "v1,AAAA " + right, now, string(body), true},
		{"another body", right, now, "{}", false},
		{"an old time", outbound.Sign(key, "msg_1", now.Add(-time.Hour), body), now.Add(-time.Hour), string(body), false},
		{"no signature", "", now, string(body), false},
	} {
		header := http.Header{}
		header.Set("webhook-id", "msg_1")
		header.Set("webhook-timestamp", strconv.FormatInt(c.at.Unix(), 10))
		header.Set("webhook-signature", c.signature)
		if err := verify(outbound.FormatKey(key), header, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if verify("", http.Header{}, body) == nil {
		t.Error("no secret verifies everything")
	}
}
