package access_test

import (
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/access"
)

func TestAnOperatorsBearerNeedsTheKeyAndExpires(t *testing.T) {
	key, now := []byte("0123456789abcdef0123456789abcdef"), time.Unix(1_800_000_000, 0)
	bearer := access.OperatorBearer(key, now)
	for name, test := range map[string]struct {
		key    []byte
		bearer string
		at     time.Time
		want   bool
	}{
		"at once":               {key, bearer, now, true},
		"by a slower clock":     {key, bearer, now.Add(-4 * time.Minute), true},
		"soon":                  {key, bearer, now.Add(4 * time.Minute), true},
		"at the last moment":    {key, bearer, now.Add(5 * time.Minute), true},
		"by the slowest clock":  {key, bearer, now.Add(-5 * time.Minute), true},
		"late":                  {key, bearer, now.Add(5*time.Minute + 1), false},
		"by too slow a clock":   {key, bearer, now.Add(-5*time.Minute - 1), false},
		"with another key":      {[]byte("another"), bearer, now, false},
		"without any key":       {nil, access.OperatorBearer(nil, now), now, false},
		"with another time":     {key, strings.Replace(bearer, "cho_1800000000", "cho_1800000001", 1), now, false},
		"with half a signature": {key, bearer[:len(bearer)-9], now, false},
		"with a time only":      {key, "cho_1800000000", now, false},
		"with nothing":          {key, "", now, false},
		"with a token":          {key, access.Bearer("tok_1", "x"), now, false},
	} {
		if got := access.ValidOperator(test.key, test.bearer, test.at); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
