package wire

import "time"

// timestamp is a time as all bodies have it: RFC 3339 in UTC, with exactly three
// digits of a second. What is finer is cut off.
type timestamp time.Time

const timestampLayout = `"2006-01-02T15:04:05.000Z"`

// MarshalJSON writes the time.
func (t timestamp) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, timestampLayout), nil
}
