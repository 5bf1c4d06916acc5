package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// callbacks is the sample callback service: it is asked about a case before the
// case is saved. Its paths are those of the definitions in examples.
type callbacks struct {
	asked chan question

	mu      sync.Mutex
	secrets map[string]string // by path
}

// question is one request to the callback service.
type question struct {
	Path      string
	Attempt   int
	Signature error
}

// caseDetails is what the rules below read of a case.
type caseDetails struct {
	State string         `json:"state"`
	Data  map[string]any `json:"case_data"`
}

// reply is what a callback may answer; all of it is optional.
type reply struct {
	Data     map[string]any `json:"data,omitempty"`
	Errors   []string       `json:"errors,omitempty"`
	Warnings []string       `json:"warnings,omitempty"`
	State    string         `json:"override_state,omitempty"`
}

// rule judges a case as it would be saved; before is nil on creation.
type rule func(before *caseDetails, now caseDetails) reply

// rules are the callbacks by path.
func rules() map[string]rule {
	return map[string]rule{
		"/kyc/edit": assessRisk, "/kyc/submit": reviewable, "/kyc/approve": approvable, "/kyc/finish": openAccount,
		"/motor/assess": setReserve, "/property/assess": setReserve, "/travel/assess": setReserve,
	}
}

func newCallbacks() *callbacks {
	return &callbacks{asked: make(chan question, waiting), secrets: map[string]string{}}
}

func (c *callbacks) trust(path, secret string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets[path] = secret
}

func (c *callbacks) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 4<<20))
	judge, known := rules()[req.URL.Path]
	if err != nil || !known {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	c.mu.Lock()
	secret := c.secrets[req.URL.Path]
	c.mu.Unlock()
	q := question{Path: req.URL.Path, Signature: verify(secret, req.Header, body, time.Now())}
	q.Attempt, _ = strconv.Atoi(req.Header.Get("webhook-attempt"))
	c.asked <- q
	if q.Signature != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var about struct {
		Before *caseDetails `json:"case_details_before"`
		Now    caseDetails  `json:"case_details"`
	}
	if err := decode(body, &about); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(judge(about.Before, about.Now))
}

// assessRisk computes two fields. Data replaces all the case has, so it answers
// with all of it.
func assessRisk(_ *caseDetails, now caseDetails) reply {
	score := 10
	for _, risk := range []struct {
		applies bool
		points  int
	}{
		{now.Data["source_of_funds"] == "business", 20},
		{now.Data["politically_exposed"] == true, 40},
		{number(now.Data["expected_turnover"]) > 1_000_000_00, 25},
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
	data := maps.Clone(now.Data)
	data["risk_score"], data["risk_level"] = score, level
	return reply{Data: data}
}

// reviewable refuses what can't be reviewed, and warns of what makes it hard.
func reviewable(_ *caseDetails, now caseDetails) reply {
	var r reply
	if country := now.Data["country"]; slices.Contains([]any{"IR", "KP"}, country) {
		r.Errors = append(r.Errors, fmt.Sprintf("Clients resident in %v are not accepted.", country))
	}
	if now.Data["passport_no"] == nil {
		r.Warnings = append(r.Warnings, "There is no passport number yet.")
	}
	return r
}

// approvable leaves all but a low risk to compliance.
func approvable(before *caseDetails, now caseDetails) reply {
	if before != nil && before.State == "in_review" && now.Data["risk_level"] != "low" {
		return reply{State: "escalated"}
	}
	return reply{}
}

// openAccount is told of, and accepts, everything.
func openAccount(*caseDetails, caseDetails) reply { return reply{} }

// setReserve puts a fifth more aside than a claim is estimated to cost.
func setReserve(_ *caseDetails, now caseDetails) reply {
	cost := number(now.Data["estimated_claim_cost"])
	if cost == 0 {
		return reply{Errors: []string{"An estimate is needed."}}
	}
	data := maps.Clone(now.Data)
	data["reserve"] = cost + cost/5
	return reply{Data: data}
}

func number(v any) int64 {
	n, _ := v.(json.Number)
	i, _ := n.Int64()
	return i
}

// decode reads JSON and keeps numbers as they are written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	return d.Decode(into)
}
