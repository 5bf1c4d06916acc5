package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/examples"
	"github.com/casehook/casehook/internal/client"
)

// stage is the state of the story.
type stage struct {
	api       *client.Client
	out       *printer
	inbox     *receiver
	callbacks *callbacks
	wait      time.Duration

	id, version int64 // of the case that the story is about; 0 before there is one

	steps     int
	arrived   int
	questions int
	seen      map[string]bool // webhook-ids of the accepted messages
}

// step is one action of the story, with its expected results.
type step struct {
	title    string
	call     call
	status   int                 // the expected status of the API's answer
	state    string              // the expected state of the case; empty: any
	shows    func(answer) string // describes the answer; nil: the case's name and state
	asks     string              // the path of the callback that must be asked
	triggers []string            // the triggers that must arrive, in this order, with the case's next version
}

// setUp loads the case types and registers the sample receiver for all triggers, except those of CloudEvents, which
// would say everything again.
func (s *stage) setUp(ctx context.Context, receiver string) error {
	for key, file := range map[string]string{
		"kyc": "kyc.yaml", "motor_claim": "claims/motor.yaml", "property_claim": "claims/property.yaml",
		"travel_claim": "claims/travel.yaml",
	} {
		if err := s.loadType(ctx, key, file); err != nil {
			return err
		}
	}
	var triggers struct {
		Items []struct{ Name, Format string }
	}
	if err := s.api.Call(ctx, call{Method: http.MethodGet, Path: "/v1/triggers"}, &triggers); err != nil {
		return err
	}
	var names []string
	for _, t := range triggers.Items {
		if t.Format != "cloudevents" {
			names = append(names, t.Name)
		}
	}
	var created struct{ Secret string }
	err := s.api.Call(ctx, call{Method: http.MethodPost, Path: "/v1/endpoints", Body: map[string]any{
		"name": "demo", "url": receiver + "/webhooks", "triggers": names,
		"policy": map[string]any{"retries": []string{"300ms", "1s", "3s"}},
	}}, &created)
	if err != nil {
		return err
	}
	return s.inbox.trust(created.Secret)
}

// loadType puts a definition, and trusts the secrets of its callbacks. Their paths begin with the
// name of the file.
func (s *stage) loadType(ctx context.Context, key, file string) error {
	source, err := examples.CaseTypes.ReadFile(file)
	if err != nil {
		return err
	}
	var put struct {
		Secrets map[string]string `json:"callback_secrets"`
	}
	err = s.api.Call(ctx, call{
		Method: http.MethodPut, Path: "/v1/case-types/" + key + "?file=" + path.Base(file), Body: source,
		ContentType: "application/yaml",
	}, &put)
	for transition, secret := range put.Secrets {
		if err := s.callbacks.trust("/"+strings.TrimSuffix(path.Base(file), ".yaml")+"/"+transition,
			secret); err != nil {
			return err
		}
	}
	return err
}

// run carries out a step, prints its result, and returns the answer.
func (s *stage) run(ctx context.Context, st step) (answer, error) {
	s.steps++
	s.out.step(s.steps, st.title)
	got, err := s.api.Do(ctx, st.call)
	a := answer(got)
	if err != nil {
		return a, err
	}
	s.out.called(st.call, a.Status)
	if err := s.question(st.asks); err != nil {
		return a, err
	}
	if a.Status != st.status {
		return a, fmt.Errorf("%q was answered with %d instead of %d: %s", st.title, a.Status, st.status, a.Body)
	}
	if st.shows == nil {
		st.shows = showCase
	}
	s.out.says(st.shows(a))
	if state := a.caseResult().State; st.state != "" && state != st.state {
		return a, fmt.Errorf("after %q the case is %s instead of %s", st.title, state, st.state)
	}
	if len(st.triggers) == 0 {
		return a, nil
	}
	if s.id == 0 {
		s.id = a.caseResult().ID
	}
	s.version++
	return a, s.await(ctx, st)
}

// play runs steps until one fails.
func (s *stage) play(ctx context.Context, steps []step) error {
	for _, st := range steps {
		if _, err := s.run(ctx, st); err != nil {
			return err
		}
	}
	return nil
}

// question receives the question of a step. It has arrived before the API answers.
func (s *stage) question(path string) error {
	asked := false
	for {
		select {
		case q := <-s.callbacks.asked:
			s.out.question(q)
			s.questions++
			if q.Signature != nil {
				return fmt.Errorf("the question to %s has a wrong signature: %w", q.Path, q.Signature)
			}
			if q.Path != path {
				return fmt.Errorf("the callback %s was asked unexpectedly", q.Path)
			}
			asked = true
		default:
			if path != "" && !asked {
				return fmt.Errorf("the callback %s was not asked", path)
			}
			return nil
		}
	}
}

// await receives the webhooks of a step, and fails if one is missing.
func (s *stage) await(ctx context.Context, st step) error {
	deadline := time.NewTimer(s.wait)
	defer deadline.Stop()
	missing := slices.Clone(st.triggers)
	for len(missing) > 0 {
		select {
		case a := <-s.inbox.arrivals:
			s.out.arrival(a)
			taken, err := s.accept(st, missing, a)
			if err != nil {
				return err
			}
			if taken {
				missing = slices.Delete(missing, 0, 1)
			}
		case <-deadline.C:
			return fmt.Errorf("after %q these webhooks are missing after %s: %s", st.title, s.wait,
				strings.Join(missing, ", "))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// accept checks an arrival, and reports whether it is the next expected one.
func (s *stage) accept(st step, missing []string, a arrival) (bool, error) {
	if a.Signature != nil {
		return false, fmt.Errorf("%s of version %d has a wrong signature: %w", a.Trigger, a.Version, a.Signature)
	}
	if a.Refused || s.seen[a.ID] {
		return false, nil // it is a repetition
	}
	s.seen[a.ID] = true
	switch {
	case a.Case != s.id || a.Version != s.version || !slices.Contains(missing, a.Trigger):
		return false, fmt.Errorf("%s of version %d arrived unexpectedly after %q", a.Trigger,
			a.Version, st.title)
	case a.Trigger != missing[0]:
		return false, fmt.Errorf("after %q these webhooks are missing, or out of order: %s; %s came first",
			st.title, strings.Join(missing[:slices.Index(missing, a.Trigger)], ", "), a.Trigger)
	}
	s.arrived++
	return true, nil
}

// quiet fails if anything else has arrived.
func (s *stage) quiet() error {
	select {
	case a := <-s.inbox.arrivals:
		if s.seen[a.ID] {
			return nil
		}
		return errors.New(a.Trigger + " arrived unexpectedly")
	default:
		return nil
	}
}
