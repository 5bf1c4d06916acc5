package demo

import (
	"context"
	"fmt"
	"net/http"
)

// claim is the short story of a motor claim.
func (s *stage) claim(ctx context.Context) error {
	s.out.chapter("An insurer settles a claim (examples/claim.yaml)")
	s.id, s.version = 0, 0
	if _, err := s.take(ctx, step{
		title: "A claim is reported",
		call: call{method: http.MethodPost, path: "/v1/case-types/motor_claim/cases", body: map[string]any{"data": map[string]any{
			"policy_no": "P-4711", "incident_type": "glass", "incident_occurred_at": "2026-03-02T08:15:00Z",
			"claimant": map[string]any{"first_name": "Ada", "last_name": "Meier", "role": "driver"},
		}}},
		status: http.StatusCreated, state: "reported", tells: []string{"case_created", "claim.created", "case_state_changed"},
	}); err != nil {
		return err
	}
	return s.play(ctx, []step{{
		title:  "Assessed: the callback sets the reserve",
		call:   s.submit("assess", map[string]any{"data": map[string]any{"estimated_claim_cost": 640_00, "currency": "CHF"}}),
		status: http.StatusOK, state: "assessing", asks: "/claim/assess", tells: []string{"case_changed", "case_state_changed"},
		shows: func(a answer) string {
			return fmt.Sprintf("%s, with what the callback added: reserve %v", showCase(a), a.kase().Data["reserve"])
		},
	}, {
		title:  "Accepted",
		call:   s.submit("accept", nil),
		status: http.StatusOK, state: "accepted", tells: []string{"case_state_changed", "case_approved"},
	}, {
		title:  "Settled",
		call:   s.submit("settle", map[string]any{"data": map[string]any{"settled_amount": 598_50}}),
		status: http.StatusOK, state: "settled", tells: []string{"case_changed", "case_state_changed", "case_finished"},
	}})
}
