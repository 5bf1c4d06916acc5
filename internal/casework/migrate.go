package casework

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Migrations move cases to newer versions of their types. It is safe for concurrent use.
type Migrations struct {
	store       *store.Store
	guard       *authz.Guard
	now         func() time.Time
	definitions *definitions.Catalog
	core        *core
	types       *CaseTypes
}

// The bounds of one call of MigrateCases.
const (
	MaxMigrated = 200             // cases that it looks at
	maxMisfits  = 50              // that it lists
	maxWrong    = 20              // faults of one case that it lists
	maxVersions = 500             // older versions in which it looks for mapped states
	migrateFor  = 5 * time.Second // after which it moves no further case

)

// Migration is a request to move cases of older versions of a type to a newer one.
type Migration struct {
	Type     string
	To       int64             // the version that they are to work by; 0: the newest
	States   map[string]string // from states that this version lacks to states that it has
	Finished bool              // cases in final states are moved too; otherwise they are left alone
	DryRun   bool              // nothing is saved
	After    store.Position    // the last case that the call before looked at
	Limit    int               // of the cases that are looked at; 0: MaxMigrated
}

// MigrationResult counts the cases that a call of MigrateCases moved or, in a dry run, would have moved.
type MigrationResult struct {
	To       int64 // the version
	DryRun   bool
	Moved    int
	Finished int // cases that were left alone since they are in final states
	Misfits  []Misfit
	Left     int64           // cases of older versions among the next 100,000 of the type that it did not come to
	Next     *store.Position // where the next call goes on, even if this one moved none; nil: it is done
}

// Misfit is a case that can't be moved as it is.
type Misfit struct {
	CaseID  int64
	Version int64         // of the type, by which it works on
	Fields  []fault.Field // why
}

// migration is a Migration that was checked.
type migration struct {
	Migration
	mandate *authz.Mandate
	to      definitions.TypeVersion
	class   casetype.Classification // the highest of the newest version, that one and those that cases leave
	audited bool                    // it is in the audit
}

// MigrateCases moves cases of a type to a newer version of it. One call looks at a
// limited number of them, in the order of their creation; the next goes on behind the
// last. Cases that don't fit the new definition stay as they are, and are listed; cases
// that have the version, or a later one, are passed over, so that repeating a call
// does no harm. Cases in final states are left alone unless it says Finished.
//
// No transition is taken, so that neither roles nor preconditions nor callbacks are
// asked. So only administrators may migrate: managers, who may put the next version,
// would get past the guards of running cases by a version without them.
func (s *Migrations) MigrateCases(
	ctx context.Context, p access.Principal, in Migration, once authz.Once,
) (MigrationResult, error) {
	m, err := s.migration(ctx, p, in)
	if err != nil {
		return MigrationResult{}, err
	}
	var out MigrationResult
	err = s.guard.Once(ctx, p, once, func() error {
		if out, err = s.migrate(ctx, m); err != nil {
			return err
		}
		return s.guard.Update(ctx, authz.NewMandate(p, access.MigrateCases),
			func(tx *store.Tx) error { return s.guard.Keep(ctx, tx, p, once, out) })
	})
	if err != nil {
		return MigrationResult{}, err
	}
	return out, nil
}

// migration checks a request to migrate all cases of a type.
func (s *Migrations) migration(ctx context.Context, p access.Principal, in Migration) (*migration, error) {
	to, err := s.types.wholeType(ctx, p, access.MigrateCases, in.Type)
	if err != nil {
		return nil, err
	}
	class := to.Type.Definition.Classification
	if in.To != 0 && in.To != to.Version {
		newest := to.Version
		to, err = s.definitions.At(ctx, s.store, p.Tenant, in.Type, in.To)
		if errors.Is(err, fault.NotFound) {
			err = migrationRefused(fault.Field{
				Path: "/to", Message: fmt.Sprintf("is not a version of %s, whose newest is %d", in.Type, newest),
			})
		}
		if err != nil {
			return nil, err
		}
		if len(aboveClearance(to.Type, p.Sight())) > 0 {
			return nil, typeAbove(in.Type)
		}
	}
	wrong := wrongStates(to, in.States)
	unknown, err := s.unknownStates(ctx, p, to, in.States)
	if err != nil {
		return nil, err
	}
	if wrong = append(wrong, unknown...); len(wrong) > 0 {
		return nil, migrationRefused(wrong...)
	}
	if in.Limit <= 0 || in.Limit > MaxMigrated {
		in.Limit = MaxMigrated
	}
	class = casetype.Higher(class, to.Type.Definition.Classification)
	return &migration{Migration: in, mandate: authz.NewMandate(p, access.MigrateCases), to: to, class: class}, nil
}

func migrationRefused(wrong ...fault.Field) error {
	return fault.In("case_type.migration_refused",
		"The cases were not migrated: see fields. Nothing was changed.", wrong...)
}

// wrongStates lists the faults of a mapping of states. It may map only states that the new version lacks: any other
// move to another state is a transition.
func wrongStates(to definitions.TypeVersion, states map[string]string) []fault.Field {
	var wrong []fault.Field
	for _, state := range slices.Sorted(maps.Keys(states)) {
		at := fault.Field{Path: "/states/" + state}
		if _, kept := to.Type.State(state); kept {
			at.Message = fmt.Sprintf("is a state of version %d too, in which its cases stay; map states that it lacks",
				to.Version)
		} else if _, ok := to.Type.State(states[state]); !ok {
			at.Message = fmt.Sprintf("is %q, which is not a state of version %d; there are %s",
				states[state], to.Version, strings.Join(stateKeys(to), ", "))
		} else {
			continue
		}
		wrong = append(wrong, at)
	}
	return wrong
}

// unknownStates lists the states of a mapping that neither the new version nor an older one
// has. It leaves out versions above the caller's clearance: the caller can't move their
// cases either.
func (s *Migrations) unknownStates(
	ctx context.Context, p access.Principal, to definitions.TypeVersion, states map[string]string,
) (wrong []fault.Field, err error) {
	missing := maps.Clone(states)
	maps.DeleteFunc(missing, func(state, _ string) bool { _, kept := to.Type.State(state); return kept })
	var older []string
	first := max(1, to.Version-maxVersions)
	for version := to.Version - 1; version >= first && len(missing) > 0; version-- {
		t, err := s.definitions.At(ctx, s.store, p.Tenant, to.Type.Key, version)
		if errors.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !p.Sight().Sees(t.Type.Highest()) {
			continue
		}
		for _, state := range stateKeys(t) {
			delete(missing, state)
			if _, kept := to.Type.State(state); !kept && !slices.Contains(older, state) {
				older = append(older, state)
			}
		}
	}
	if first > 1 {
		return nil, nil // an even older one may have them
	}
	for _, state := range slices.Sorted(maps.Keys(missing)) {
		wrong = append(wrong, fault.Field{
			Path:    "/states/" + state,
			Message: "is not a state of a version before " + fmt.Sprint(to.Version) + nearestOf(state, older),
		})
	}
	return wrong, nil
}

func stateKeys(t definitions.TypeVersion) []string {
	all := make([]string, len(t.Type.States))
	for i, state := range t.Type.States {
		all[i] = state.Key
	}
	return all
}

// migrate carries out one call.
func (s *Migrations) migrate(ctx context.Context, m *migration) (MigrationResult, error) {
	out := MigrationResult{To: m.to.Version, DryRun: m.DryRun}
	filter := store.OlderFilter{
		Type: m.Type, Below: m.to.Version, After: m.After, Limit: m.Limit, Clearance: m.mandate.Clearance,
	}
	found, to, err := s.store.OlderCases(ctx, m.mandate.Tenant, filter)
	if err != nil {
		return out, err
	}
	for i := range found.Items {
		m.class = casetype.Higher(m.class, found.Items[i].Classification())
	}
	more := found.More
	start := s.now()
	for i := range found.Items {
		if more = i > 0 && out.full(s.now().Sub(start)); more {
			break
		}
		c, err := found.Items[i].Case()
		if err != nil {
			return out, err
		}
		filter.After = store.Position{CreatedAt: c.CreatedAt, ID: c.ID}
		if err := s.migrateCase(ctx, m, c, &out); err != nil {
			return out, err
		}
		more = found.More
	}
	if !more {
		if to.ID == 0 {
			return out, nil
		}
		filter.After = to // others follow
	}
	out.Next = &filter.After
	out.Left, err = s.store.CountOlderCases(ctx, m.mandate.Tenant, filter)
	return out, err
}

// full reports whether a call that took so long has done enough.
func (out *MigrationResult) full(took time.Duration) bool {
	return len(out.Misfits) >= maxMisfits || took > migrateFor
}

// migrateCase moves a case, or notes why that can't be. One that was changed meanwhile
// is loaded again.
func (s *Migrations) migrateCase(ctx context.Context, m *migration, c cases.Case, out *MigrationResult) error {
	for range authz.MaxRaces {
		finished, err := s.leftAlone(ctx, m, c)
		if err != nil {
			return err
		}
		if finished {
			out.Finished++
			return nil
		}
		wrong, err := s.moveCase(ctx, m, c)
		switch {
		case err == nil && len(wrong) == 0:
			out.Moved++
			return nil
		case err == nil:
			out.Misfits = append(out.Misfits, Misfit{CaseID: c.ID, Version: c.TypeVersion, Fields: wrong})
			return nil
		case fault.As(err).Code != "case.version_conflict" && !errors.Is(err, fault.NotFound):
			return err
		}
		c, err = s.store.Case(ctx, m.mandate.Tenant, c.ID)
		if errors.Is(err, fault.NotFound) || err == nil && (c.Type != m.Type || c.TypeVersion >= m.to.Version) {
			return nil // nothing is left to be moved
		}
		if err != nil {
			return err
		}
	}
	out.Misfits = append(out.Misfits, Misfit{CaseID: c.ID, Version: c.TypeVersion, Fields: []fault.Field{
		{Message: "was changed by others each time; migrate once more"},
	}})
	return nil
}

// leftAlone reports whether a case is finished and therefore not moved.
func (s *Migrations) leftAlone(ctx context.Context, m *migration, c cases.Case) (bool, error) {
	if m.Finished {
		return false, nil
	}
	from, err := s.definitions.At(ctx, s.store, m.mandate.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return false, err
	}
	state, _ := from.Type.State(c.State)
	return state.Final, nil
}

// moveCase moves a case as it was read, or lists why it does not fit.
func (s *Migrations) moveCase(ctx context.Context, m *migration, c cases.Case) ([]fault.Field, error) {
	from, err := s.definitions.At(ctx, s.store, m.mandate.Tenant, c.Type, c.TypeVersion)
	if err != nil {
		return nil, err
	}
	pl := &plan{
		p: m.mandate.Principal, in: Submission{CaseID: c.ID},
		typ: m.to.Type, from: from.Type, maker: m.to.Clearance, at: s.now(), before: c, after: c,
		work: casetype.Budget(ctx),
	}
	wrong, err := pl.upgrade(m)
	if err != nil || len(wrong) > 0 || m.DryRun {
		return wrong[:min(len(wrong), maxWrong)], err
	}
	return nil, s.saveMigrated(ctx, m, pl)
}

// upgrade moves the case to the new version, and lists its faults.
func (pl *plan) upgrade(m *migration) (wrong []fault.Field, err error) {
	after := &pl.after
	after.TypeVersion, after.Classification, after.ModifiedAt = m.to.Version, m.to.Type.Definition.Classification, pl.at
	add := func(path, message string, args ...any) {
		wrong = append(wrong, fault.Field{Path: path, Message: fmt.Sprintf(message, args...)})
	}
	if !pl.p.Sight().Sees(pl.from.Highest()) { // fields might become visible to who moves it
		add("/type_version", "is %d, which has parts above your clearance; ask a user with a higher clearance",
			pl.before.TypeVersion)
		return wrong, nil
	}
	if pl.from.Kind != pl.typ.Kind {
		add("/kind", "is %s in version %d, and %s in version %d",
			pl.from.Kind, pl.before.TypeVersion, pl.typ.Kind, m.to.Version)
	}
	if to, mapped := m.States[after.State]; mapped {
		after.State = to
	} else if _, ok := pl.typ.State(after.State); !ok {
		add("/state", "is %q, which version %d lacks; say in states where its cases go on (%[1]s=...)", after.State,
			m.to.Version)
	}
	after.Data = casetype.Merge(pl.added(), after.Data)
	invalid, err := pl.invalid()
	if err != nil {
		return nil, err
	}
	pl.rename()
	return append(wrong, invalid...), nil
}

// added returns the defaults of the fields that the previous version lacks. A field that it has is missing on purpose.
func (pl *plan) added() map[string]any {
	all := pl.typ.Complete(nil, nil)
	for _, name := range pl.from.FieldNames() {
		delete(all, name)
	}
	return all
}

// saveMigrated commits a moved case if it has not changed since it was read.
func (s *Migrations) saveMigrated(ctx context.Context, m *migration, pl *plan) error {
	err := s.guard.Update(ctx, m.mandate, func(tx *store.Tx) error {
		c := pl.after
		if err := redraw(ctx, tx, &c, pl.from, pl.typ); err != nil {
			return err
		}
		c.ResolveStatus(pl.typ, pl.before.State, s.core.activity(pl.p))
		facts, err := cases.Updated(pl.before, c, pl.from, pl.typ, "")
		if err != nil {
			return err
		}
		facts = append(facts, event.CaseMigrated.New(event.Migration{From: pl.before.TypeVersion, To: c.TypeVersion}))
		event.Sort(facts)
		newest, err := s.definitions.At(ctx, tx, c.Tenant, c.Type, 0)
		if err != nil {
			return err
		}
		if c, err = tx.UpdateIndexedCase(ctx, c, pl.typ, newest.Type); err != nil {
			return err
		}
		if err := s.auditMigration(ctx, tx, m); err != nil {
			return err
		}
		return s.core.record(ctx, tx, m.mandate, commit{c, pl.typ, nil, facts})
	})
	m.audited = m.audited || err == nil
	return err
}

// auditMigration records a call once, with the first case that it moves; the journal has each of them.
func (s *Migrations) auditMigration(ctx context.Context, tx *store.Tx, m *migration) error {
	if m.audited {
		return nil
	}
	detail := map[string]any{"version": m.to.Version}
	if len(m.States) > 0 {
		detail["states"] = m.States
	}
	if m.Finished {
		detail["finished"] = true
	}
	return s.guard.Record(ctx, tx, authz.Note{
		Who:     m.mandate.Principal,
		What:    access.CasesMigrated,
		Subject: authz.AboutType(m.Type, m.class),
		Detail:  detail,
	})
}
