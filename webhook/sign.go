package webhook

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Sign sets the headers with which Casehook signs a body, so that you can test your receiver without a server.
// Secret is "whsec_..."; the error is ErrSecret.
func Sign(header http.Header, secret, id string, at time.Time, body []byte) error {
	key, err := parseSecret(secret)
	if err != nil {
		return fmt.Errorf("%w: it %s", ErrSecret, err)
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	header.Set(headerID, id)
	header.Set(headerTimestamp, timestamp)
	header.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac(key, content(id, timestamp, body))))
	return nil
}
