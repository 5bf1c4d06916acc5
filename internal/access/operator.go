package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// An operator holds the key of the installation: they may create tenants, but not look into them. Their credential
// is computed from the key and the time and stored nowhere. So the server needs no further secret, and a leaked
// credential soon expires.

const (
	operatorPrefix = "cho_"
	operatorLasts  = 5 * time.Minute // either way: clocks differ
)

// OperatorBearer makes an operator's credential, which is good for five minutes:
// cho_<seconds since 1970>.<signature>.
func OperatorBearer(key []byte, now time.Time) string {
	at := strconv.FormatInt(now.Unix(), 10)
	return operatorPrefix + at + "." + base64.RawURLEncoding.EncodeToString(operatorMAC(key, at))
}

// IsOperator reports whether a bearer value has the form of an operator's.
func IsOperator(bearer string) bool { return strings.HasPrefix(bearer, operatorPrefix) }

// ValidOperator reports whether a bearer value is an operator's, made with this key within the last five
// minutes. Without a key it returns false.
func ValidOperator(key []byte, bearer string, now time.Time) bool {
	at, signature, _ := strings.Cut(strings.TrimPrefix(bearer, operatorPrefix), ".")
	sent, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || len(key) == 0 || !IsOperator(bearer) || !hmac.Equal(sent, operatorMAC(key, at)) {
		return false
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	return err == nil && now.Sub(time.Unix(seconds, 0)).Abs() <= operatorLasts
}

func operatorMAC(key []byte, at string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("operator " + at))
	return h.Sum(nil)
}
