package api

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
)

// AuditRecord is one line of the audit.
type AuditRecord struct {
	ID      string      `json:"id" doc:"Its id." example:"aud_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	At      rest.Time   `json:"at" doc:"When it happened."`
	Action  string      `json:"action" doc:"What was done, or tried." example:"token.created"`
	Subject string      `json:"subject" doc:"What it was done to; may be empty." example:"token/tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	By      rest.Actor  `json:"by" doc:"Who did it, and from where."`
	Detail  rest.Object `json:"detail" doc:"What else is known; it depends on the action."`
}

func (a *API) audit() {
	rest.Handle(a.kernel, rest.Operation{
		ID: access.ListAudit, Pattern: "GET /v1/audit", Tag: "audit",
		Summary:     "List the audit",
		Description: "Sign-ins, refused attempts, and changes to users, tokens, endpoints and case types; the newest first. Nothing in it is ever changed or deleted.",
	}, func(ctx context.Context, in *rest.Paging) (*rest.PageAnswer[AuditRecord], error) {
		var before int64
		if err := a.kernel.Open("audit", in.Cursor, &before); err != nil {
			return nil, err
		}
		all, err := a.service.Audit(ctx, rest.PrincipalOf(ctx), before, in.Limit)
		if err != nil {
			return nil, err
		}
		show := func(r access.Record) AuditRecord { return a.showRecord(rest.PrincipalOf(ctx), r) }
		return rest.NewPager(a.kernel, "audit", show, func(r access.Record) int64 { return r.ID }).PageOf(all)
	})
}

func (a *API) showRecord(p access.Principal, r access.Record) AuditRecord {
	return AuditRecord{ID: a.auditIDs.Seal(r.Tenant, r.ID), At: rest.Time(r.At), Action: string(r.Action), Subject: r.Subject, By: rest.ShowActor(p, r.Actor), Detail: rest.Object(r.Detail)}
}
