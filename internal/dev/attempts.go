package dev

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// attempt is one try at a message, as the server recorded it.
type attempt struct {
	ID         string    `json:"id"`
	Endpoint   string    `json:"endpoint_id"`
	Message    string    `json:"message"`
	Trigger    string    `json:"trigger"`
	Subject    string    `json:"subject"`
	Number     int       `json:"number"`
	At         time.Time `json:"at"`
	DurationMS int64     `json:"duration_ms"`
	Status     *int      `json:"status"`
	Failure    string    `json:"failure"`
	Delivered  bool      `json:"delivered"`

	raw json.RawMessage // all that the server said
}

// UnmarshalJSON reads an attempt, and keeps what it was read from.
func (a *attempt) UnmarshalJSON(raw []byte) error {
	type plain attempt
	a.raw = slices.Clone(raw)
	return json.Unmarshal(raw, (*plain)(a))
}

// outcome says in few words how it ended.
func (a attempt) outcome() string {
	if a.Status != nil {
		return strconv.Itoa(*a.Status)
	}
	return cmp.Or(strings.ReplaceAll(a.Failure, "_", " "), "no answer")
}
