package rest

import (
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/wire"
)

// Time is a time in an answer. All of them are written as bodies have them: in UTC,
// with exactly three digits of a second. What clients send is a time.Time, of any
// number of digits; whatever is compared is never a Time.
type Time time.Time

// MarshalJSON writes the time.
func (t Time) MarshalJSON() ([]byte, error) { return wire.Timestamp(t).MarshalJSON() }

// Schema is that of a time.
func (Time) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// TimeOrNull is a Time, or null where there is none.
type TimeOrNull time.Time

// MarshalJSON writes the time, or null for the zero time.
func (t TimeOrNull) MarshalJSON() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte("null"), nil
	}
	return Time(t).MarshalJSON()
}

// Schema is that of a time or null.
func (TimeOrNull) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}
