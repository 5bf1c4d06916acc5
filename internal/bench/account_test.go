package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryMessageIsAccountedFor(t *testing.T) {
	submitted := []submission{{Case: 1, Version: 1, At: 100}, {Case: 1, Version: 2, At: 200}, {Case: 2, Version: 1, At: 300}}
	arrived := func(more ...arrival) []arrival {
		return append([]arrival{{"a", 1, 1, 107}, {"a", 2, 1, 304}, {"a", 1, 2, 209}}, more...)
	}
	for _, test := range []struct {
		name                      string
		endpoints                 []string
		log                       []arrival
		delivered, lost, repeated int
	}{
		{"all of one endpoint", []string{"a"}, arrived(), 3, 0, 0},
		{"one came twice", []string{"a"}, arrived(arrival{"a", 1, 2, 400}), 3, 0, 1},
		{"one came three times", []string{"a"}, arrived(arrival{"a", 1, 2, 400}, arrival{"a", 1, 2, 500}), 3, 0, 2},
		{"one is missing", []string{"a"}, arrived()[:2], 2, 1, 0},
		{"one is missing, and another came twice", []string{"a"}, []arrival{{"a", 1, 1, 107}, {"a", 1, 2, 209}, {"a", 1, 1, 300}}, 2, 1, 1},
		{"nothing came", []string{"a"}, nil, 0, 3, 0},
		{"another endpoint got nothing", []string{"a", "b"}, arrived(), 3, 3, 0},
		{"two endpoints got one each", []string{"a", "b"}, []arrival{{"a", 1, 1, 107}, {"b", 1, 1, 107}}, 2, 4, 0},
		{"a version that nobody submitted", []string{"a"}, arrived(arrival{"a", 2, 2, 400}), 3, 0, 1},
		{"an endpoint that is owed nothing", []string{"a"}, arrived(arrival{"c", 1, 1, 400}), 3, 0, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := account(submitted, test.endpoints, test.log)
			if diff := cmp.Diff([]int{test.delivered, test.lost, test.repeated},
				[]int{got.Delivered, got.Lost, got.Repeated}); diff != "" {
				t.Errorf("delivered, lost and repeated differ (-want +got):\n%s", diff)
			}
			if len(got.Latencies) != got.Delivered {
				t.Errorf("%d latencies of %d messages", len(got.Latencies), got.Delivered)
			}
		})
	}
	latencies := account(submitted, []string{"a"}, arrived(arrival{"a", 1, 1, 900})).Latencies
	if want := []time.Duration{7, 4, 9}; !slices.Equal(latencies, want) {
		t.Errorf("the latencies are %v, want %v: from the request to the first arrival", latencies, want)
	}
}
