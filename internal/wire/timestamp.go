package wire

import "time"

// Timestamp is a time in bodies and in answers of the API: RFC 3339 in UTC, with exactly three digits of a
// second; finer digits are cut off.
type Timestamp time.Time

const timestampLayout = "2006-01-02T15:04:05.000Z"

// String returns the time as it is written.
func (t Timestamp) String() string { return time.Time(t).UTC().Format(timestampLayout) }

// MarshalJSON writes the time.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"`+timestampLayout+`"`), nil
}

// UnmarshalText reads a time with any number of digits.
func (t *Timestamp) UnmarshalText(text []byte) error { return (*time.Time)(t).UnmarshalText(text) }
