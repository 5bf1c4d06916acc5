package casework

import (
	"context"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
)

// caseAt returns a case as the journal has it in a version, or [store.ErrVersionGone]. The journal has no revision of
// its content, nor when its state was entered.
func caseAt(ctx context.Context, from *store.Store, tenant, id, version int64) (*cases.Case, error) {
	e, err := from.VersionEntry(ctx, tenant, event.CaseSubject(id), version)
	if err != nil {
		return nil, err
	}
	kept := e.Snapshot.Case
	if kept == nil {
		return nil, store.ErrVersionGone
	}
	data, err := casetype.Decode(kept.Data)
	return &cases.Case{
		Tenant:         tenant,
		ID:             kept.ID,
		Type:           kept.Type,
		TypeVersion:    kept.TypeVersion,
		Reference:      kept.Reference,
		Name:           kept.Name,
		State:          kept.State,
		Classification: casetype.Classification(kept.Classification),
		Data:           data,
		Version:        version,
		CreatedAt:      kept.CreatedAt,
		ModifiedAt:     kept.ModifiedAt,
	}, err
}
