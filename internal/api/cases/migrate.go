package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/definitions"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Migration is the body that moves cases to a newer version of their type.
type Migration struct {
	To       int64             `json:"to,omitempty" minimum:"1" doc:"The version that they are to work by; absent: the newest. Cases of this version and of later ones are passed over." example:"3"`
	States   map[string]string `json:"states,omitempty" maxProperties:"200" doc:"Of the states that this version lacks: where their cases go on. No transition is taken, and no callback is asked." example:"{\"in_review\": \"assessing\"}"`
	Finished bool              `json:"finished,omitempty" doc:"Move cases in final states too; absent: they are left alone."`
	DryRun   bool              `json:"dry_run,omitempty" doc:"Change nothing, and report what would become of the cases."`
	After    string            `json:"after,omitempty" maxLength:"500" doc:"The next of the answer before; absent: begin with the oldest case."`
	Limit    int               `json:"limit,omitempty" minimum:"1" maximum:"200" doc:"How many cases to look at; absent: 200." example:"100"`
}

// MigrationReport is the report of a call that migrates cases.
type MigrationReport struct {
	To       int64    `json:"to" doc:"The version that the cases were to work by." example:"3"`
	DryRun   bool     `json:"dry_run" doc:"Nothing was changed." example:"true"`
	Moved    int      `json:"moved" doc:"How many cases work by the version from now on or, in a dry run, would." example:"180"`
	Finished int      `json:"finished" doc:"How many of the cases that were looked at are in final states and were left alone. Send finished: true to move them too." example:"12"`
	Misfits  []Misfit `json:"misfits" doc:"The cases that don't fit. They are left as they are."`
	Left     int64    `json:"left" doc:"How many cases of older versions there are among the next 100,000 of the type, which were not looked at yet. While next is not null there may be more behind these, even if it is 0." example:"3220"`
	Next     *string  `json:"next" doc:"The after of the next call; null: there are no more cases."`
}

// Misfit is a case that can't be moved as it is.
type Misfit struct {
	CaseID  int64             `json:"case_id" doc:"The id of the case." example:"4539148803436467"`
	Version int64             `json:"version" doc:"Of the definition that it works by, now as before." example:"1"`
	Fields  []rest.FieldFault `json:"fields" doc:"The parts that don't fit: /data or a part of it, /state, /kind. At most 20."`
}

// migrationHandler has the operations that move cases to newer versions of their types,
// and those that end and allow new cases of a type.
type migrationHandler struct {
	kernel  *rest.Kernel
	service casework.Services
}

func (h migrationHandler) register() {
	h.registerRetirements()
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.MigrateCases, Pattern: "POST /v1/case-types/{key}/migrate", Tag: "case types",
		Summary: "Move cases to a newer version of their type",
		Description: "Cases work by the version that they were made by until they are migrated. One call looks at up " +
			"to 200 cases of older versions, for some seconds at most, the oldest first, and comes by up to 10,000 " +
			"of the type for that, so that it may find none; repeat it with after until next is null. To repeat a " +
			"call does no harm. A case is moved if its data fits the new version, fields that this adds having their " +
			"defaults, and its state is one of it, or is mapped by states; others are left as they are and listed. " +
			"Cases in final states are left alone and counted (finished), unless the body says finished: true. No " +
			"transition is taken, so that no role, precondition or callback of the definition is asked: only " +
			"administrators may migrate. Each case is a commit of its own, with the fact case.migrated in its " +
			"history; endpoints receive changes of the state, data and name.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
	}, h.migrateCases)
}

// registerRetirements registers the operations that end and allow new cases of a type.
func (h migrationHandler) registerRetirements() {
	change := func(id access.Operation, path, summary, doc string,
		do func(context.Context, access.Principal, string, authz.Once) (definitions.TypeVersion, error)) {
		rest.Handle(h.kernel, rest.Operation{
			ID: id, Pattern: "POST /v1/case-types/{key}/" + path, Tag: "case types",
			Summary:     summary,
			Description: doc,
			Problems:    []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity},
		}, func(ctx context.Context, in *struct {
			InCaseType
			rest.IdempotencyHeader
		}) (*rest.PostAnswer[CaseTypeSummary], error) {
			render := func(t definitions.TypeVersion) (store.Answer, error) {
				return rest.Answer(http.StatusOK, summarise(t.Summary()))
			}
			return rest.Create[CaseTypeSummary](ctx, in.IdempotencyHeader, render,
				func(o authz.Once) (definitions.TypeVersion, error) {
					return do(ctx, rest.PrincipalOf(ctx), in.Key, o)
				})
		})
	}
	change(access.RetireCaseType, "retire", "Retire a case type",
		"No new cases are made of it, and none is switched to it: 409 case_type.retired. Its cases go on, and its "+
			"versions stay; a version that is put does not restore it. Retiring a retired "+
			"type changes nothing, its time neither.", h.service.CaseTypes.RetireCaseType)
	change(access.RestoreCaseType, "restore", "Restore a retired case type",
		"New cases are made of it again. One that is not retired stays as it is.", h.service.CaseTypes.RestoreCaseType)
}

func (h migrationHandler) migrateCases(ctx context.Context, in *struct {
	InCaseType
	rest.IdempotencyHeader
}, body Migration) (*rest.PostAnswer[MigrationReport], error) {
	m := casework.Migration{Type: in.Key, To: body.To, States: body.States, Finished: body.Finished,
		DryRun: body.DryRun, Limit: body.Limit}
	name := "migrate/" + in.Key
	if h.kernel.Open(name, body.After, &m.After) != nil {
		return nil, fault.In("request.cursor_invalid",
			"The position is not from this case type. Start again without it.",
			fault.Field{Path: "/after", Message: "is not the next of an earlier answer"})
	}
	render := func(did casework.MigrationResult) (store.Answer, error) {
		report, err := h.showMigration(name, did)
		if err != nil {
			return store.Answer{}, err
		}
		return rest.Answer(http.StatusOK, report)
	}
	migrate := func(o authz.Once) (casework.MigrationResult, error) {
		return h.service.Migrations.MigrateCases(ctx, rest.PrincipalOf(ctx), m, o)
	}
	return rest.Create[MigrationReport](ctx, in.IdempotencyHeader, render, migrate)
}

func (h migrationHandler) showMigration(name string, did casework.MigrationResult) (MigrationReport, error) {
	out := MigrationReport{To: did.To, DryRun: did.DryRun, Moved: did.Moved, Finished: did.Finished,
		Misfits: []Misfit{}, Left: did.Left}
	for _, m := range did.Misfits {
		shown := Misfit{CaseID: m.CaseID, Version: m.Version, Fields: make([]rest.FieldFault, len(m.Fields))}
		for i, f := range m.Fields {
			shown.Fields[i] = rest.FieldFault(f)
		}
		out.Misfits = append(out.Misfits, shown)
	}
	if did.Next == nil {
		return out, nil
	}
	next, err := h.kernel.Seal(name, did.Next)
	out.Next = &next
	return out, err
}
