package casework

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// RetireCaseType ends creations of cases of a type and switches to it. Existing cases go on, and a new version does not
// end the retirement. A creation or switch that is under way may still be saved. Retiring a retired type changes
// nothing.
func (s *CaseTypes) RetireCaseType(
	ctx context.Context, p access.Principal, key string, once authz.Once,
) (definitions.TypeVersion, error) {
	return s.retire(ctx, p, retirement{
		key:       key,
		once:      once,
		operation: access.RetireCaseType,
		action:    access.CaseTypeRetired,
		change:    func(tx *store.Tx) (bool, error) { return tx.RetireCaseType(ctx, p.Tenant, key, s.now()) },
	})
}

// RestoreCaseType undoes a retirement. A type that is not retired stays as it is.
func (s *CaseTypes) RestoreCaseType(
	ctx context.Context, p access.Principal, key string, once authz.Once,
) (definitions.TypeVersion, error) {
	return s.retire(ctx, p, retirement{
		key:       key,
		once:      once,
		operation: access.RestoreCaseType,
		action:    access.CaseTypeRestored,
		change:    func(tx *store.Tx) (bool, error) { return tx.RestoreCaseType(ctx, p.Tenant, key) },
	})
}

// retirement is a change of whether a case type is retired.
type retirement struct {
	key       string
	once      authz.Once
	operation access.Operation
	action    access.Action
	change    func(*store.Tx) (changed bool, err error)
}

// retire changes whether a type is retired, and returns its newest version.
func (s *CaseTypes) retire(
	ctx context.Context, p access.Principal, r retirement,
) (t definitions.TypeVersion, err error) {
	found, err := s.wholeType(ctx, p, r.operation, r.key)
	if err != nil {
		return definitions.TypeVersion{}, err
	}
	m := authz.NewMandate(p, r.operation)
	err = s.guard.Once(ctx, p, r.once, func() error {
		return s.guard.Update(ctx, m, func(tx *store.Tx) error {
			m.Concerns(found.Type)
			changed, err := r.change(tx)
			if err != nil {
				return err
			}
			if changed {
				of := authz.AboutType(r.key, found.Type.Definition.Classification)
				if err := s.guard.Record(ctx, tx, authz.Note{Who: p, What: r.action, Subject: of}); err != nil {
					return err
				}
			}
			if t, err = s.definitions.At(ctx, tx, p.Tenant, r.key, 0); err != nil {
				return err
			}
			return s.guard.Keep(ctx, tx, p, r.once, t)
		})
	})
	if err != nil {
		return definitions.TypeVersion{}, err
	}
	return t, nil
}

// typeRetired refuses a new case of a type that is retired.
func typeRetired(key string) error {
	return fault.New(fault.Conflict, "case_type.retired",
		"The case type %s is retired and accepts no new cases. Choose another type, or restore this one: POST "+
			"/v1/case-types/%s/restore.", key, key)
}
