// Package id makes identifiers.
//
// A case's id is a 16-digit integer below 2^53, so that JavaScript holds it exactly, whose last digit is a
// Luhn check digit, so that a typing error is caught before a look-up. It is random: ids don't reveal how
// many cases there are. For receivers that can't hold such a number, the store counts small ones instead.
// Contacts have ids of the same form. Everything else gets a UUIDv7 behind a prefix that names its kind
// ("ep_0197..."): sorted by time, and readable in a log.
package id

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/google/uuid"
)

// The range of a case id without its check digit: 15 digits that stay below
// 2^53 with any check digit.
const (
	firstPayload = 100_000_000_000_000
	lastPayload  = 900_719_925_474_098
)

// Case draws a case id from r, normally crypto/rand.Reader.
func Case(r io.Reader) (int64, error) { return draw(r, "case") }

// Contact draws a contact id from r.
func Contact(r io.Reader) (int64, error) { return draw(r, "contact") }

func draw(r io.Reader, of string) (int64, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, fmt.Errorf("drawing a %s id: %w", of, err)
	}
	payload := firstPayload + int64(binary.BigEndian.Uint64(b[:])%(lastPayload-firstPayload+1))
	return payload*10 + luhn(payload), nil
}

// UUID draws a random UUID (version 4) from r, as text.
func UUID(r io.Reader) (string, error) {
	u, err := uuid.NewRandomFromReader(r)
	if err != nil {
		return "", fmt.Errorf("drawing a UUID: %w", err)
	}
	return u.String(), nil
}

// ValidCase reports whether n can be a case id: it has fewer than 16 digits, as counted ids have, or 16
// digits with a correct check digit.
func ValidCase(n int64) bool {
	payload := n / 10
	if payload < firstPayload {
		return n > 0
	}
	return payload <= lastPayload && n%10 == luhn(payload)
}

// ValidContact reports whether n can be a contact id.
func ValidContact(n int64) bool { return ValidCase(n) }

// luhn returns the check digit of n: from the right, every other digit is doubled.
func luhn(n int64) int64 {
	var sum int64
	for double := true; n > 0; n, double = n/10, !double {
		d := n % 10
		if double {
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return (10 - sum%10) % 10
}

// New makes an identifier of the kind that prefix names: New("ep") is "ep_0197c2...".
func New(prefix string) string {
	u := uuid.Must(uuid.NewV7()) // fails only when the system has no randomness
	return prefix + "_" + hex.EncodeToString(u[:])
}

// Message returns the webhook-id of one message. It is the same for every endpoint, retry, resend and
// replay, and has no full stop, which Standard Webhooks uses as its separator. Subject and at
// (microseconds) are hashed with the entry's id so that two installations, or one restored from a backup,
// do not give one id to different events.
func Message(entry, at int64, subject string, fact int, trigger string) string {
	b := make([]byte, 0, 128) // most fit
	b = binary.BigEndian.AppendUint64(b, uint64(entry))
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint64(b, uint64(fact))
	b = strconv.AppendInt(b, int64(len(subject)), 10)
	b = append(b, subject...)
	b = append(b, trigger...)
	sum := sha256.Sum256(b)
	return string(base64.RawURLEncoding.AppendEncode(append(b[:0], "msg_"...), sum[:18]))
}
