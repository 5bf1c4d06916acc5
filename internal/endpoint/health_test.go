package endpoint_test

import (
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

func TestAnEndpointsConditionIsSummedUp(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	for _, test := range []struct {
		name   string
		status endpoint.Status
		health endpoint.Health
		want   endpoint.Condition
	}{
		{"new", endpoint.Active, endpoint.Health{}, endpoint.Healthy},
		{"well", endpoint.Active, endpoint.Health{Version: 4, Reason: "gone by"}, endpoint.Healthy},
		{"failed once", endpoint.Active, endpoint.Health{Since: at, Breaker: endpoint.Closed}, endpoint.Unsteady},
		{"down, and nobody was told", endpoint.Active, endpoint.Health{Since: at, Breaker: endpoint.Unconnected}, endpoint.Failing},
		{"told of, the breaker closed", endpoint.Active, endpoint.Health{Since: at, Reported: true, Breaker: endpoint.Closed}, endpoint.Failing},
		{"paused while it was down", endpoint.Paused, endpoint.Health{Since: at, Breaker: endpoint.Open}, endpoint.Failing},
		{"answers, and takes nothing", endpoint.Active, endpoint.Health{Since: at, Breaker: endpoint.Refuses}, endpoint.Refusing},
		{"disabled", endpoint.Disabled, endpoint.Health{Since: at, Reported: true}, endpoint.Down},
	} {
		if got := (endpoint.Endpoint{Status: test.status, Health: test.health}).Condition(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestTheShownURLHoldsNoCredentials(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/hooks":                   "https://a.example/hooks",
		"https://a.example:8443/hooks/?key=s3#frag": "https://a.example:8443/hooks/",
		"https://user:pw@a.example/x%2Fy?":          "https://a.example/x%2Fy",
	} {
		if got := (endpoint.Endpoint{URL: raw}).ShownURL(); got != want {
			t.Errorf("%s is shown as %s", raw, got)
		}
	}
}
