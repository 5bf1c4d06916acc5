package casework

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/wire"
)

// Labels are the labels of a tenant, and those of its cases. It is safe for concurrent use.
type Labels struct {
	store *store.Store
	guard *authz.Guard
	now   func() time.Time
	core  *core
}

var slugPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$`)

// LabelChange is a change of a label; nil leaves a member unchanged.
type LabelChange struct{ Name, Color *string }

// CreateLabel adds a label to the tenant's. Without a name it is called by its slug.
func (s *Labels) CreateLabel(
	ctx context.Context, p access.Principal, l cases.Label, once authz.Once,
) (cases.Label, error) {
	if err := s.guard.Permit(ctx, p, access.CreateLabel); err != nil {
		return cases.Label{}, err
	}
	if l.Name = strings.TrimSpace(l.Name); l.Name == "" {
		l.Name = l.Slug
	}
	if err := checkLabel(l); err != nil {
		return cases.Label{}, err
	}
	l.CreatedAt = s.now()
	err := s.guard.Once(ctx, p, once, func() error {
		return s.guard.Update(ctx, authz.NewMandate(p, access.CreateLabel), func(tx *store.Tx) error {
			if err := tx.CreateLabel(ctx, p.Tenant, l); err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, once, l)
		})
	})
	if err != nil {
		return cases.Label{}, err
	}
	return l, nil
}

func checkLabel(l cases.Label) error {
	var wrong []fault.Field
	if !slugPattern.MatchString(l.Slug) {
		wrong = append(wrong,
			fault.Field{
				Path: "/slug", Message: "is not 1 to 64 of a-z, 0-9, - and _, with a letter or digit at both ends",
			})
	} else if message := input.LineProblem(l.Name, input.MaxName); message != "" {
		wrong = append(wrong, fault.Field{Path: "/name", Message: message})
	}
	if message := colorProblem(l.Color); message != "" {
		wrong = append(wrong, fault.Field{Path: "/color", Message: message})
	}
	if len(wrong) > 0 {
		return fault.In("label.invalid", "The label was not saved: see fields.", wrong...)
	}
	return nil
}

// slugOf returns the slug that the caller means, in any letter case; slugs are in lower case.
func slugOf(text string) (slug string, ok bool) {
	slug = spelling.Key(text)
	return slug, input.Word(slug)
}

// Label finds a label.
func (s *Labels) Label(ctx context.Context, p access.Principal, slug string) (cases.Label, error) {
	if err := s.guard.Permit(ctx, p, access.GetLabel); err != nil {
		return cases.Label{}, err
	}
	slug, ok := slugOf(slug)
	if !ok {
		return cases.Label{}, labelMissing()
	}
	return s.store.Label(ctx, p.Tenant, slug)
}

// Labels lists the tenant's labels by slug.
func (s *Labels) Labels(ctx context.Context, p access.Principal) ([]cases.Label, error) {
	if err := s.guard.Permit(ctx, p, access.ListLabels); err != nil {
		return nil, err
	}
	return s.store.Labels(ctx, p.Tenant)
}

// ChangeLabel changes a label's name or colour. An empty name is its slug again.
func (s *Labels) ChangeLabel(
	ctx context.Context, p access.Principal, slug string, change LabelChange,
) (l cases.Label, err error) {
	if err := s.guard.Permit(ctx, p, access.EditLabel); err != nil {
		return cases.Label{}, err
	}
	slug, ok := slugOf(slug)
	if !ok {
		return l, labelMissing()
	}
	err = s.guard.Update(ctx, authz.NewMandate(p, access.EditLabel), func(tx *store.Tx) error {
		if l, err = tx.Label(ctx, p.Tenant, slug); err != nil {
			return err
		}
		if change.Name != nil {
			if l.Name = strings.TrimSpace(*change.Name); l.Name == "" {
				l.Name = l.Slug
			}
		}
		if change.Color != nil {
			l.Color = *change.Color
		}
		if err := checkLabel(l); err != nil {
			return err
		}
		return tx.UpdateLabel(ctx, p.Tenant, l)
	})
	return l, err
}

// DeleteLabel removes a label. It is refused if a case that the caller may read has the label. Other cases keep it: a
// refusal would reveal them.
func (s *Labels) DeleteLabel(ctx context.Context, p access.Principal, slug string) error {
	if err := s.guard.Permit(ctx, p, access.DeleteLabel); err != nil {
		return err
	}
	slug, ok := slugOf(slug)
	if !ok {
		return labelMissing()
	}
	reader, err := s.guard.Reader(ctx, p)
	if err != nil {
		return err
	}
	return s.guard.Update(ctx, authz.NewMandate(p, access.DeleteLabel), func(tx *store.Tx) error {
		return tx.DeleteLabel(ctx, p.Tenant, slug, reader)
	})
}

// CaseLabel is a request to add a label to a case, or to remove it.
type CaseLabel struct {
	CaseID        int64
	Slug          string
	IgnoreWarning bool // the callback's warnings do not stop it
}

// AddLabel adds a label to a case. Adding a present label changes nothing.
func (s *Labels) AddLabel(ctx context.Context, p access.Principal, in CaseLabel) (View, error) {
	return s.mark(ctx, p, in, true)
}

// RemoveLabel removes a label from a case. Removing an absent label changes nothing.
func (s *Labels) RemoveLabel(ctx context.Context, p access.Principal, in CaseLabel) (View, error) {
	return s.mark(ctx, p, in, false)
}

// mark is a label that a case gets or loses.
type mark struct {
	slug string
	adds bool
}

// mark adds a label to a case, or removes it, once its callbacks were asked.
func (s *Labels) mark(ctx context.Context, p access.Principal, in CaseLabel, adds bool) (View, error) {
	slug, ok := slugOf(in.Slug)
	o := operation{
		may: access.RemoveLabel, caseID: in.CaseID, callback: casetype.LabelCallback, ignoreWarning: in.IgnoreWarning,
	}
	asks := wire.Operation{Kind: wire.DropsLabel, Label: slug}
	if adds {
		o.may, asks.Kind = access.AddLabel, wire.AddsLabel
	}
	o.plan = func(c cases.Case) (*wire.Operation, error) {
		if !ok {
			return nil, labelMissing()
		}
		if slices.Contains(c.Labels, slug) == adds {
			return nil, nil
		}
		_, err := s.store.Label(ctx, p.Tenant, slug)
		return &asks, err
	}
	o.apply = func(tx *store.Tx) (cases.Case, []event.Fact, error) {
		if !ok {
			return cases.Case{}, nil, labelMissing()
		}
		return s.core.mark(ctx, tx, p, in.CaseID, mark{slug, adds})
	}
	return s.core.change(ctx, p, o)
}

// mark adds a label to a case, or removes it.
func (s *core) mark(
	ctx context.Context, tx *store.Tx, p access.Principal, id int64, l mark,
) (cases.Case, []event.Fact, error) {
	change, fact := tx.RemoveLabel, event.CaseLabelRemoved
	if l.adds {
		change, fact = tx.AddLabel, event.CaseLabelAdded
	}
	c, changed, err := change(ctx, p.Tenant, id, l.slug, s.activity(p))
	return c, factIf(changed, fact.New(event.Label{Slug: l.slug})), err
}

func factIf(changed bool, f event.Fact) []event.Fact {
	if !changed {
		return nil
	}
	return []event.Fact{f}
}

func labelMissing() error {
	return fault.New(fault.NotFound, "label.not_found",
		"There is no label with this slug; GET /v1/labels lists the labels.")
}
