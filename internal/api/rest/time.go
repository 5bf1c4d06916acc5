package rest

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/wire"
)

// Time is a time in an answer. It is written in UTC with exactly three decimals, as in the bodies of webhooks. Times
// in requests are of type time.Time, with any number of decimals; code never compares a Time.
type Time time.Time

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) { return wire.Timestamp(t).MarshalJSON() }

// Schema describes a time.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// TimeOrNull is a Time; the zero time is null.
type TimeOrNull time.Time

// MarshalJSON writes the time, or null for the zero time.
func (t TimeOrNull) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return Time(t).MarshalJSON()
}

// Schema describes a time or null.
func (TimeOrNull) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}
