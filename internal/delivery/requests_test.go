package delivery

import (
	"testing"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/store"
)

// An endpoint that was changed before a replay was requested may have another owner since, who may read less.
func TestRequestsForANewerEndpointAreLeftToTheNextWorker(t *testing.T) {
	w := &worker{endpoint: endpoint.Endpoint{Revision: 1}, notice: make(chan struct{}, 1)}
	w.apply(requests{running: []string{"rpl_1"}, replays: []store.Replay{{ID: "rpl_1"}}, revision: 2})
	if len(w.replays) > 0 || w.stopping() != errReload {
		t.Errorf("the replay begins, %v", w.stopping())
	}
}
