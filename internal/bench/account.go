package bench

import "time"

// submission is a change that the server said it has saved.
type submission struct {
	Case    int64 `json:"c"`
	Version int64 `json:"v"`
	At      int64 `json:"t"` // when its request was due, in nanoseconds since 1970
}

// arrival is a request that a receiver got: an endpoint's message about a version of a case.
type arrival struct {
	Endpoint string `json:"e"`
	Case     int64  `json:"c"`
	Version  int64  `json:"v"`
	At       int64  `json:"t"` // in nanoseconds since 1970
}

// tally compares what was submitted with what arrived.
type tally struct {
	Delivered int
	Lost      int             // messages that are owed to an endpoint and did not arrive
	Repeated  int             // arrivals behind the first of a message, and those of messages that nobody is owed
	Latencies []time.Duration // from the request to the first arrival
}

// account tallies the arrivals at some endpoints, each of which is owed one message for each submission.
func account(submitted []submission, endpoints []string, arrived []arrival) tally {
	type message struct {
		endpoint      string
		case_, number int64
	}
	owed := make(map[message]int64, len(submitted)*len(endpoints))
	for _, endpoint := range endpoints {
		for _, s := range submitted {
			owed[message{endpoint, s.Case, s.Version}] = s.At
		}
	}
	t := tally{Latencies: make([]time.Duration, 0, len(owed))}
	for _, a := range arrived {
		m := message{a.Endpoint, a.Case, a.Version}
		at, isOwed := owed[m]
		if !isOwed {
			t.Repeated++
			continue
		}
		delete(owed, m)
		t.Delivered++
		t.Latencies = append(t.Latencies, time.Duration(a.At-at))
	}
	t.Lost = len(owed)
	return t
}
