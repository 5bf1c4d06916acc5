package casework

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/schema"
)

// BlockedTransition is a transition that its reader may submit from the state that the case is in,
// and that would be refused without further data.
type BlockedTransition struct {
	Key    string
	Reason string        // for people
	Fields []fault.Field // its fields, as far as the reader may know them
}

// The bounds on the evaluation of transitions' conditions, in steps of 100 ns.
const (
	maxCaseSteps = 300_000   // of one case
	maxPageSteps = 1_000_000 // of a page of cases, which ends when it is spent
)

// ErrPageEnds ends a page of a list before it is full, since its budget is spent.
var ErrPageEnds = errors.New("the page ends here")

// viewReader reads the parts of a view of a case; store.Store and store.Tx implement it.
type viewReader interface {
	tenantReader
	definitions.Reader
}

// mayMove reports whether the newest definition of a type permits a principal to submit transitions.
func (s *core) mayMove(ctx context.Context, r definitions.Reader, p access.Principal, key string) (bool, error) {
	const operation = access.SubmitTransition
	if p.Role == access.Admin || !p.Role.Permits(operation) {
		return p.Role.Permits(operation), nil
	}
	newest, err := s.definitions.At(ctx, r, p.Tenant, key, 0)
	if errors.Is(err, fault.NotFound) {
		return true, nil
	}
	return err == nil && authz.LeftOut(p, operation, newest.Type) == nil, err
}

// available sorts the transitions that somebody may submit from the state of a case:
// into those that would pass now and without data, as far as their callbacks do not
// refuse them, and those that a missing field or a condition stops. It returns the steps
// that this took.
func available(
	ctx context.Context, p access.Principal, c cases.Case, t *casetype.Type,
) (open []string, blocked []BlockedTransition, used int) {
	pl := &plan{p: p, typ: t, before: c, after: c}
	work := schema.NewBudget(ctx, maxCaseSteps)
	conditions := t.Evaluation(
		casetype.Input{Data: c.Data, Before: c.Data, State: c.State, Name: c.Name, Unchanged: true}, work)
	for _, tr := range t.Transitions {
		if !tr.Starts(c.State) || !pl.mayTake(tr) || !conditions.Offers(tr.Key) {
			continue
		}
		if b, stops := pl.blocks(tr, conditions); stops {
			blocked = append(blocked, b)
		} else {
			open = append(open, tr.Key)
		}
	}
	if work.Spend(0) != nil {
		return open, blocked, maxCaseSteps
	}
	return open, blocked, work.Used()
}

// blocks says what stops a transition: a field that it requires, its condition, or that of a target which can't be
// computed.
func (pl *plan) blocks(tr casetype.Transition, conditions *casetype.Evaluation) (b BlockedTransition, stops bool) {
	if err := conditions.Spend(tr.Key, pl.costOfRequired(tr)); err != nil {
		return BlockedTransition{Key: tr.Key, Reason: fault.As(err).Detail}, true
	}
	if missing := pl.lacks(tr); len(missing) > 0 {
		readable := pl.readable(missing)
		return BlockedTransition{Key: tr.Key, Reason: pl.needs(tr, readable), Fields: readable}, true
	}
	err := conditions.Meets(tr.Key, pl.p.Sight())
	if err == nil && tr.Conditional() {
		_, err = conditions.Target(tr.Key, pl.p.Sight())
	}
	if err == nil {
		return BlockedTransition{}, false
	}
	unmet := fault.As(err)
	return BlockedTransition{Key: tr.Key, Reason: unmet.Detail, Fields: unmet.Fields}, true
}

// costOfRequired returns the steps to find the fields that a transition lacks: its fields are looked up, and the
// message is searched for the names of those that the reader does not see.
func (pl *plan) costOfRequired(tr casetype.Transition) int {
	if len(tr.Required) == 0 {
		return 0
	}
	return 5*len(tr.Required) + len(pl.typ.Unseen(pl.p.Sight()))
}

// needs names the missing fields of a transition that the reader may know.
func (pl *plan) needs(tr casetype.Transition, readable []fault.Field) string {
	var titles []string
	for _, f := range readable {
		if name, ok := strings.CutPrefix(f.Path, "/data/"); ok {
			titles = append(titles, pl.typ.Title(name))
		}
	}
	if len(titles) == 0 {
		return fmt.Sprintf("%q needs data above your clearance.", tr.Name)
	}
	return casetype.Needs(tr, titles)
}
