package casework

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/spelling"
	"github.com/casehook/casehook/internal/store"
)

// CaseTypes are the types of cases, their versions, and the secrets of their callbacks. It is safe
// for concurrent use.
type CaseTypes struct {
	store       *store.Store
	guard       *authz.Guard
	now         func() time.Time
	definitions *definitions.Catalog
	tenants     Tenants
	random      io.Reader
	unindexed   chan struct{} // wakes IndexFields
}

// PutType is a version of a case type that was put.
type PutType struct {
	definitions.TypeVersion
	Unchanged bool              // it was the newest version already
	Secrets   map[string]string // by transition: secrets of callbacks, only those made by this call
	Warnings  []fault.Field     // of the definition

	before casetype.Classification // of the version before; empty: there is none
	shares bool                    // the version before has one secret for all callbacks

	marked    []string // the fields that are indexed anew
	reindexed bool     // the definition marks other fields than the one before
}

// PutCaseType makes a definition the newest version of a case type. File names
// the source in faults. Cases keep the version that they work by. The previous
// version says who may put the next one: no user grants themselves access.
func (s *CaseTypes) PutCaseType(
	ctx context.Context, p access.Principal, key, file string, source []byte,
) (PutType, error) {
	if err := s.guard.Permit(ctx, p, access.PutCaseType); err != nil {
		return PutType{}, err
	}
	t, err := parseType(ctx, key, file, source)
	if err != nil {
		return PutType{}, err
	}
	if wrong := aboveClearance(t, p.Sight()); len(wrong) > 0 {
		return PutType{}, fault.In("case_type.invalid",
			"The definition has parts above your clearance: see fields. Ask a user with a higher clearance to put "+
				"it.", wrong...)
	}
	if err := s.guard.PermitOfType(ctx, p, access.PutCaseType, key, typeTaken(key)); err != nil {
		return PutType{}, err
	}
	warnings, err := s.warnings(ctx, p.Tenant, t)
	if err != nil {
		return PutType{}, err
	}
	var put PutType
	err = authz.Retry("store.duplicate", func() error { // another version of the same number
		return authz.Retry(store.SecretsConflict, func() error {
			return s.guard.Update(ctx, authz.NewMandate(p, access.PutCaseType), func(tx *store.Tx) error {
				put = PutType{TypeVersion: definitions.TypeVersion{
					Type: t, Version: 1, CreatedAt: s.now(), Clearance: p.Clearance,
				}}
				if err := s.putType(ctx, tx, p, &put); err != nil || put.Unchanged {
					return err
				}
				of := authz.AboutType(key, casetype.Higher(put.before, t.Definition.Classification))
				return s.guard.Record(ctx, tx, authz.Note{
					Who:     p,
					What:    access.CaseTypePut,
					Subject: of,
					Detail:  map[string]any{"version": put.Version},
				})
			})
		})
	})
	if err != nil {
		return PutType{}, err
	}
	put.Warnings = warnings
	if put.reindexed {
		s.indexFirst(ctx)
	}
	return put, nil
}

// warnings lists the doubtful parts of a definition, and the variables that the tenant does not have.
func (s *CaseTypes) warnings(ctx context.Context, tenant int64, t *casetype.Type) ([]fault.Field, error) {
	lookup, err := s.tenants.Variables(ctx, tenant)
	if err != nil {
		return nil, err
	}
	unset := t.Unset(lookup,
		"is not set on the server, or not granted to this tenant; until it is, the callback can't be asked")
	return fieldsOf(slices.Concat(t.Warnings(), unset)), nil
}

// fieldsOf returns faults of a definition as fields of a problem, with their lines.
func fieldsOf(faults casetype.Faults) []fault.Field {
	fields := make([]fault.Field, len(faults))
	for i, f := range faults {
		fields[i] = fault.Field{Path: f.Path, Message: fmt.Sprintf("line %d: %s", f.Line, f.Message)}
	}
	return fields
}

func parseType(ctx context.Context, key, file string, source []byte) (*casetype.Type, error) {
	t, err := casetype.ParseContext(ctx, file, source)
	var faults casetype.Faults
	switch {
	case errors.As(err, &faults):
		return nil, fault.In("case_type.invalid", "The definition was not saved: fields lists all of its faults.",
			fieldsOf(faults)...)
	case err != nil:
		return nil, err
	case t.Key != key:
		return nil, fault.In("case_type.invalid",
			"The key in the definition differs from the key in the address. Change one of them.",
			fault.Field{Path: "/key", Message: fmt.Sprintf("is %q, and %q was put", t.Key, key)})
	}
	return t, nil
}

// putType saves a version unless it equals the newest one, and makes the missing secrets of its callbacks.
func (s *CaseTypes) putType(ctx context.Context, tx *store.Tx, p access.Principal, put *PutType) error {
	tenant := p.Tenant
	latest, err := tx.CaseType(ctx, tenant, put.Type.Key, 0)
	switch {
	case errors.Is(err, fault.NotFound):
	case err != nil:
		return err
	default:
		before, err := s.definitions.Of(tenant, latest)
		if err != nil {
			return err
		}
		if authz.Hides(p, before.Type) {
			return typeTaken(put.Type.Key)
		}
		if err := authz.LeftOut(p, access.PutCaseType, before.Type); err != nil {
			return err
		}
		put.before, put.RetiredAt = before.Type.Definition.Classification, latest.RetiredAt
		put.shares = before.Type.CallbackSecret == casetype.SecretPerType
		if len(aboveClearance(before.Type, p.Sight())) > 0 {
			return fault.New(fault.Forbidden, "case_type.above_clearance",
				"The case type %s has parts above your clearance. Ask a user with a higher clearance to put the "+
					"new version.",
				put.Type.Key)
		}
		put.marked, put.reindexed = put.Type.Reindexed(before.Type)
		if put.Version = latest.Version + 1; bytes.Equal(latest.Definition, put.Type.JSON()) {
			put.Version, put.CreatedAt, put.Clearance, put.Unchanged = latest.Version, latest.CreatedAt,
				latest.Clearance, true
		}
	}
	if !put.Unchanged {
		err := tx.CreateCaseType(ctx, tenant, store.CaseType{
			Key: put.Type.Key, Version: put.Version, Definition: put.Type.JSON(), CreatedAt: put.CreatedAt,
			Clearance: put.Clearance,
		})
		if err == nil && put.reindexed {
			err = tx.IndexAgain(ctx, tenant, put.Type.Key, put.marked, put.CreatedAt)
		}
		if err != nil {
			return err
		}
	}
	return s.makeSecrets(ctx, tx, tenant, put)
}

// CaseType finds a version of a case type; 0 is the newest.
func (s *CaseTypes) CaseType(
	ctx context.Context, p access.Principal, key string, version int64,
) (definitions.TypeVersion, error) {
	return s.caseType(ctx, p, access.GetCaseType, key, version)
}

// DescribedCaseType is CaseType for the OpenAPI document of the type's cases.
func (s *CaseTypes) DescribedCaseType(
	ctx context.Context, p access.Principal, key string, version int64,
) (definitions.TypeVersion, error) {
	return s.caseType(ctx, p, access.GetCaseTypeOpenAPI, key, version)
}

// caseType is CaseType for an operation on cases of the type.
func (s *CaseTypes) caseType(
	ctx context.Context, p access.Principal, o access.Operation, key string, version int64,
) (definitions.TypeVersion, error) {
	t, err := s.findType(ctx, p, o, key, version)
	return t, s.nearType(ctx, p, key, err)
}

// nearType adds the key that was probably meant to the error of a missing type, among a page of the types that the
// caller may know.
func (s *CaseTypes) nearType(ctx context.Context, p access.Principal, key string, missing error) error {
	if missing == nil || fault.As(missing).Code != "case_type.not_found" || !p.Role.Permits(access.ListCaseTypes) {
		return missing
	}
	found, err := s.store.CaseTypes(ctx, p.Tenant, "", input.MaxPage)
	if err != nil {
		return missing
	}
	var visible []string
	for _, stored := range found.Items {
		if t, err := s.definitions.Of(p.Tenant, stored); err == nil && !authz.Hides(p, t.Type) && t.Type.Key != key {
			visible = append(visible, t.Type.Key)
		}
	}
	if nearest := spelling.Nearest(key, visible); nearest != "" {
		return fault.New(fault.NotFound, "case_type.not_found", "There is no case type %q (did you mean %q?).", key,
			nearest)
	}
	return missing
}

func (s *CaseTypes) findType(
	ctx context.Context, p access.Principal, o access.Operation, key string, version int64,
) (definitions.TypeVersion, error) {
	if err := s.guard.PermitType(ctx, p, o, key); err != nil {
		return definitions.TypeVersion{}, err
	}
	if !input.Word(key) || version < 0 {
		return definitions.TypeVersion{}, definitions.Missing(key)
	}
	t, err := s.definitions.At(ctx, s.store, p.Tenant, key, version)
	if err != nil {
		return definitions.TypeVersion{}, err
	}
	if !p.Sight().Sees(t.Type.Definition.Classification) {
		return definitions.TypeVersion{}, definitions.Missing(key)
	}
	if version > 0 {
		newest, err := s.definitions.At(ctx, s.store, p.Tenant, key, 0)
		t.RetiredAt = newest.RetiredAt
		return t, err
	}
	return t, nil
}

// wholeType finds the newest version of a case type for an operation on the whole type. The caller must see all of it.
func (s *CaseTypes) wholeType(
	ctx context.Context, p access.Principal, o access.Operation, key string,
) (definitions.TypeVersion, error) {
	t, err := s.findWhole(ctx, p, o, key)
	return t, s.nearType(ctx, p, key, err)
}

func (s *CaseTypes) findWhole(
	ctx context.Context, p access.Principal, o access.Operation, key string,
) (definitions.TypeVersion, error) {
	if err := s.guard.PermitType(ctx, p, o, key); err != nil {
		return definitions.TypeVersion{}, err
	}
	if !input.Word(key) {
		return definitions.TypeVersion{}, definitions.Missing(key)
	}
	t, err := s.definitions.At(ctx, s.store, p.Tenant, key, 0)
	switch {
	case err != nil:
		return definitions.TypeVersion{}, err
	case !p.Sight().Sees(t.Type.Definition.Classification):
		return definitions.TypeVersion{}, definitions.Missing(key)
	case len(aboveClearance(t.Type, p.Sight())) > 0:
		return definitions.TypeVersion{}, typeAbove(key)
	}
	return t, nil
}

// typeAbove refuses an operation whose caller must see all of a case type.
func typeAbove(key string) error {
	return fault.New(fault.Forbidden, "case_type.above_clearance",
		"The case type %s has parts above your clearance. Ask a user with a higher clearance to do this.", key)
}

// typeTaken refuses the key of a type that the caller may not know. Keys are in messages and URLs, so they are unique;
// the error says only that the key is not available.
func typeTaken(key string) error {
	return fault.New(fault.Conflict, "case_type.key_taken", "The key %q is not available. Choose another one.", key)
}

// CaseTypes lists the newest version of every case type, by key.
func (s *CaseTypes) CaseTypes(ctx context.Context, p access.Principal) (all []definitions.TypeSummary, err error) {
	if err := s.guard.Permit(ctx, p, access.ListCaseTypes); err != nil {
		return nil, err
	}
	for after := ""; ; {
		found, err := s.store.CaseTypes(ctx, p.Tenant, after, input.MaxPage)
		if err != nil {
			return nil, err
		}
		for i, stored := range found.Items {
			found.Items[i].Definition = nil // it may be large, and is not needed any more
			t, err := s.definitions.Of(p.Tenant, stored)
			if err != nil {
				return nil, err
			}
			after = t.Type.Key
			if p.Sight().Sees(t.Type.Definition.Classification) &&
				authz.LeftOut(p, access.ListCaseTypes, t.Type) == nil {
				all = append(all, t.Summary())
			}
		}
		if !found.More {
			return all, nil
		}
	}
}

// aboveClearance lists the parts of a definition that are classified above a clearance, or shown to a callback above
// it.
func aboveClearance(t *casetype.Type, clearance casetype.Classification) []fault.Field {
	var wrong []fault.Field
	check := func(path string, class casetype.Classification) {
		message := ""
		switch {
		case class == "" || clearance.Sees(class):
			return
		case clearance.Sees(class.Plain()):
			message = "may not be read by you: its read in access names none of your roles"
		default:
			message = fmt.Sprintf("is %s, and you are cleared for %s", class.Plain(),
				cmp.Or(clearance.Plain(), "nothing"))
		}
		wrong = append(wrong, fault.Field{Path: path, Message: message})
	}
	check("/security_classification", t.Definition.Classification)
	for _, name := range t.FieldNames() {
		class := t.Classification(name)
		if class.Limited() && clearance.Sees(class.Plain()) {
			check("/access/fields/"+name+"/read", class)
			continue
		}
		check("/fields/properties/"+name+"/x-classification", class)
	}
	for _, c := range t.Callbacks() {
		check(c.Path+"/clearance", c.Settings.Clearance)
	}
	return wrong
}
