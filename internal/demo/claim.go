package demo

import (
	"context"
	"fmt"
	"net/http"
)

// claim is the story of a claim that was reported as the wrong kind.
func (s *stage) claim(ctx context.Context) error {
	s.out.chapter("An insurer settles a claim (examples/claims)")
	s.id, s.version = 0, 0
	if err := s.api.Call(ctx, call{Method: http.MethodPost, Path: "/v1/labels", Body: map[string]any{
		"slug": "fast_track", "name": "Fast track", "color": "teal",
	}}, new(map[string]any)); err != nil {
		return err
	}
	if _, err := s.run(ctx, step{
		title: "A motor claim is reported",
		call: call{Method: http.MethodPost,
			Path: "/v1/case-types/motor_claim/cases", Body: map[string]any{"data": map[string]any{
				"policy_no": "P-4711", "incident_type": "weather", "incident_occurred_at": "2026-03-02T08:15:00Z",
				"incident_description": "Hail.", "vehicle": map[string]any{"registration": "ZH 4711"},
				"claimant": map[string]any{"first_name": "Ada", "last_name": "Meier", "role": "owner"},
			}}},
		status: http.StatusCreated, state: "reported",
		triggers: []string{"case_created", "claim.created", "case_state_changed"},
	}); err != nil {
		return err
	}
	var grace struct{ ID int64 }
	if err := s.api.Call(ctx, call{Method: http.MethodPost, Path: "/v1/users", Body: map[string]any{
		"email": "grace@insurer.example", "name": "Grace Hopper", "role": "caseworker", "clearance": "RESTRICTED",
	}}, &grace); err != nil {
		return err
	}
	return s.play(ctx, append(s.sorted(grace.ID), s.claimSteps()...))
}

// sorted returns the steps until the right person works on the right kind of claim.
func (s *stage) sorted(person int64) []step {
	return []step{{
		title:  "It is labelled; the event is sent in its newer spelling too",
		call:   call{Method: http.MethodPut, Path: s.path("/labels/fast_track")},
		status: http.StatusOK, triggers: []string{"claim.label_added", "claim.label.added"}, shows: showClaim,
	}, {
		title:  "It is assigned",
		call:   call{Method: http.MethodPut, Path: s.path("/assignee"), Body: map[string]any{"user_id": person}},
		status: http.StatusOK, triggers: []string{"claim.assigned"}, shows: showClaim,
	}, {
		title: "Hail hit the garage, not the car. Switched to a property claim, the vehicle does not fit",
		call: call{
			Method: http.MethodPost, Path: s.path("/switch-type"), Body: map[string]any{"type": "property_claim"},
		},
		status: http.StatusUnprocessableEntity, shows: showProblem,
	}, {
		title: "Switched, dropping data that does not fit",
		call: call{
			Method: http.MethodPost, Path: s.path("/switch-type"),
			Body: map[string]any{"type": "property_claim", "drop": true},
		},
		status: http.StatusOK, state: "reported", triggers: []string{"claim.switched_type", "case_changed"},
		shows: showClaim,
	}}
}

// claimSteps returns the steps until the claim is closed, and opened again.
func (s *stage) claimSteps() []step {
	return []step{{
		title: "Assessed: the callback sets the reserve",
		call: s.submit("assess",
			map[string]any{"data": map[string]any{"estimated_claim_cost": 640_00, "currency": "CHF"}}),
		status: http.StatusOK, state: "assessing", asks: "/property/assess",
		triggers: []string{"case_changed", "case_state_changed"},
		shows: func(a answer) string {
			reserve := a.caseResult().Data["reserve"]
			return fmt.Sprintf("%s, with the callback's addition: reserve %v", showCase(a), reserve)
		},
	}, {
		title:  "Accepted",
		call:   s.submit("accept", nil),
		status: http.StatusOK, state: "accepted", triggers: []string{"case_state_changed", "case_approved"},
	}, {
		title:  "Settled, which closes it",
		call:   s.submit("settle", map[string]any{"data": map[string]any{"settled_amount": 598_50}}),
		status: http.StatusOK, state: "settled",
		triggers: []string{"case_changed", "case_state_changed", "case_finished", "claim.closed"}, shows: showClaim,
	}, {
		title:  "Another invoice arrives, and it is opened again",
		call:   s.submit("reopen", nil),
		status: http.StatusOK, state: "assessing", triggers: []string{"case_state_changed", "claim.reopened"},
		shows: showClaim,
	}, {
		title:  "It is unassigned",
		call:   call{Method: http.MethodDelete, Path: s.path("/assignee")},
		status: http.StatusOK, triggers: []string{"claim.unassigned"}, shows: showClaim,
	}, {
		title:  "The label is removed",
		call:   call{Method: http.MethodDelete, Path: s.path("/labels/fast_track")},
		status: http.StatusOK, triggers: []string{"claim.label_removed", "claim.label.removed"}, shows: showClaim,
	}}
}

// showClaim describes a claim beyond its state.
func showClaim(a answer) string {
	var c struct {
		Type, Status string
		Labels       []string
		AssignedTo   *struct{ Name string } `json:"assigned_to"`
	}
	if decode(a.Body, &c) != nil {
		return showCase(a)
	}
	text := fmt.Sprintf("%s; %s, %s, labels %v", showCase(a), c.Type, c.Status, c.Labels)
	if c.AssignedTo != nil {
		text += ", assigned to " + c.AssignedTo.Name
	}
	return text
}
