package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/casehook/casehook/webhook"
)

// callbacks is the sample callback service. Casehook asks it about a case before it saves the case.
// Its paths are those of the definitions in examples.
type callbacks struct {
	asked chan question
	http.ServeMux
}

// question is one request to the callback service.
type question struct {
	Path      string
	Attempt   int
	Signature error
}

// rule decides about a case as it would be saved.
type rule func(*webhook.AboutToSubmit) (webhook.Answer, error)

// rules returns the callbacks by path.
func rules() map[string]rule {
	return map[string]rule{
		"/kyc/edit": assessRisk, "/kyc/submit": reviewable, "/kyc/approve": approvable, "/kyc/finish": openAccount,
		"/motor/assess": setReserve, "/property/assess": setReserve, "/travel/assess": setReserve,
	}
}

func newCallbacks() *callbacks { return &callbacks{asked: make(chan question, waiting)} }

// trust serves the callback of a path, and verifies its questions with secret.
func (c *callbacks) trust(path, secret string) error {
	verifier, err := webhook.NewVerifier(secret)
	if err != nil {
		return err
	}
	rule, known := rules()[path]
	if !known {
		return fmt.Errorf("the demo has no callback %s", path)
	}
	c.Handle("POST "+
		path, webhook.Callback(verifier, func(_ context.Context, q *webhook.AboutToSubmit) (webhook.Answer, error) {
		c.asked <- question{Path: path, Attempt: q.Attempt}
		return rule(q)
	}, webhook.OnError(func(_ *http.Request, err error) {
		if errors.Is(err, webhook.ErrSignature) || errors.Is(err, webhook.ErrTimestamp) ||
			errors.Is(err, webhook.ErrHeaders) {
			c.asked <- question{Path: path, Signature: err}
		}
	})))
	return nil
}

// applicant has the data of a KYC case that the rules below use.
type applicant struct {
	Country   string `json:"country"`
	Source    string `json:"source_of_funds"`
	Exposed   bool   `json:"politically_exposed"`
	Turnover  int64  `json:"expected_turnover"`
	Passport  string `json:"passport_no"`
	RiskLevel string `json:"risk_level"`
}

// assessRisk computes two fields.
func assessRisk(q *webhook.AboutToSubmit) (webhook.Answer, error) {
	var c applicant
	if err := q.Details.Data(&c); err != nil {
		return webhook.Answer{}, err
	}
	score := 10
	for _, risk := range []struct {
		applies bool
		points  int
	}{
		{c.Source == "business", 20},
		{c.Exposed, 40},
		{c.Turnover > 1_000_000_00, 25},
	} {
		if risk.applies {
			score += risk.points
		}
	}
	level := "low"
	switch {
	case score >= 70:
		level = "high"
	case score >= 40:
		level = "medium"
	}
	return q.Amend(map[string]any{"risk_score": score, "risk_level": level})
}

// reviewable refuses cases that can't be reviewed, and warns about missing data.
func reviewable(q *webhook.AboutToSubmit) (a webhook.Answer, err error) {
	var c applicant
	if err := q.Details.Data(&c); err != nil {
		return a, err
	}
	if slices.Contains([]string{"IR", "KP"}, c.Country) {
		a.Errors = append(a.Errors, fmt.Sprintf("Clients resident in %s are not accepted.", c.Country))
	}
	if c.Passport == "" {
		a.Warnings = append(a.Warnings, "There is no passport number yet.")
	}
	return a, nil
}

// approvable leaves all but low risks to compliance.
func approvable(q *webhook.AboutToSubmit) (webhook.Answer, error) {
	var c applicant
	if err := q.Details.Data(&c); err != nil {
		return webhook.Answer{}, err
	}
	if q.Before != nil && q.Before.State == "in_review" && c.RiskLevel != "low" {
		return webhook.Divert("escalated"), nil
	}
	return webhook.Accept(), nil
}

// openAccount accepts everything.
func openAccount(*webhook.AboutToSubmit) (webhook.Answer, error) { return webhook.Accept(), nil }

// setReserve sets the reserve of a claim to a fifth more than its estimated cost.
func setReserve(q *webhook.AboutToSubmit) (webhook.Answer, error) {
	var claim struct {
		Cost int64 `json:"estimated_claim_cost"`
	}
	if err := q.Details.Data(&claim); err != nil {
		return webhook.Answer{}, err
	}
	if claim.Cost == 0 {
		return webhook.Refuse("An estimate is needed."), nil
	}
	return q.Amend(map[string]any{"reserve": claim.Cost + claim.Cost/5})
}
