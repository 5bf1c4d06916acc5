package people

import (
	"context"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
)

// AuditRecord is one record of the audit.
type AuditRecord struct {
	ID      string      `json:"id" doc:"Its id." example:"aud_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	At      rest.Time   `json:"at" doc:"When it happened."`
	Action  string      `json:"action" doc:"The action that was done, or tried." example:"token.created"`
	Subject string      `json:"subject" doc:"The subject of the action; may be empty." example:"token/tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	By      rest.Actor  `json:"by" doc:"The actor."`
	Detail  rest.Object `json:"detail" doc:"Further members, which depend on the action."`
}

// auditHandler has the operation that lists the audit.
type auditHandler struct {
	kernel *rest.Kernel
	guard  *authz.Guard
	ids    rest.SealedIDs
}

func (h auditHandler) register() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListAudit, Pattern: "GET /v1/audit", Tag: "audit",
		Summary: "List the audit",
		Description: "Sign-ins, refused attempts, and changes to users, tokens, endpoints and case types; the newest " +
			"first. Nothing in it is ever changed or deleted.",
	}, func(ctx context.Context, in *rest.Paging) (*rest.PageAnswer[AuditRecord], error) {
		var before int64
		if err := h.kernel.Open("audit", in.Cursor, &before); err != nil {
			return nil, err
		}
		all, err := h.guard.Records(ctx, rest.PrincipalOf(ctx), before, in.Limit)
		if err != nil {
			return nil, err
		}
		show := func(r access.Record) AuditRecord { return h.showRecord(rest.PrincipalOf(ctx), r) }
		return rest.NewPager(h.kernel, "audit", show, func(r access.Record) int64 { return r.ID }).PageOf(all)
	})
}

func (h auditHandler) showRecord(p access.Principal, r access.Record) AuditRecord {
	return AuditRecord{ID: h.ids.Seal(r.Tenant, r.ID), At: rest.Time(r.At), Action: string(r.Action),
		Subject: r.Subject, By: rest.ShowActor(p, r.Actor), Detail: rest.Object(r.Detail)}
}
