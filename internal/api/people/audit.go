package people

import (
	"context"
	"time"

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

// InAudit narrows the audit.
type InAudit struct {
	Action  string    `query:"action" maxLength:"100" doc:"Of this action." example:"token.created"`
	Subject string    `query:"subject" maxLength:"200" doc:"About this subject." example:"token/tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	By      string    `query:"by" maxLength:"200" doc:"By this actor: user/ with the id of a user, or token/ with the id of a token." example:"user/7"`
	Outcome string    `query:"outcome" enum:"done,refused" doc:"Of what was done, or of what was refused." example:"refused"`
	Since   time.Time `query:"since" doc:"From this time on." example:"2026-01-31T08:00:00Z"`
	Until   time.Time `query:"until" doc:"Before this time." example:"2026-01-31T09:00:00Z"`
}

func (in InAudit) query() authz.RecordQuery {
	return authz.RecordQuery{
		Action: access.Action(in.Action), Subject: in.Subject, By: access.Owner(in.By), Outcome: authz.Outcome(in.Outcome),
		Since: in.Since, Until: rest.PeriodEnd(in.Until),
	}
}

func (h auditHandler) register() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListAudit, Pattern: "GET /v1/audit", Tag: "audit",
		Summary: "List the audit",
		Description: "Sign-ins, refused attempts, and changes to users, tokens, endpoints and case types; the newest " +
			"first. Nothing in it is ever changed or deleted. A page may have fewer than its limit, and still a next.",
	}, h.list)
	h.registerExport()
}

func (h auditHandler) list(ctx context.Context, in *struct {
	rest.Paging
	InAudit
}) (*rest.PageAnswer[AuditRecord], error) {
	q := in.query()
	q.Limit = in.Limit
	if err := h.kernel.Open("audit", in.Cursor, &q.Before); err != nil {
		return nil, err
	}
	all, next, err := h.guard.Records(ctx, rest.PrincipalOf(ctx), q)
	if err != nil {
		return nil, err
	}
	show := func(r access.Record) AuditRecord { return h.showRecord(rest.PrincipalOf(ctx), r) }
	return rest.NewPager(h.kernel, "audit", show, func(r access.Record) int64 { return r.ID }).
		PageBefore(all, rest.OrNull(next))
}

func (h auditHandler) showRecord(p access.Principal, r access.Record) AuditRecord {
	return AuditRecord{ID: h.ids.Seal(r.Tenant, r.ID), At: rest.Time(r.At), Action: string(r.Action),
		Subject: r.Subject, By: rest.ShowActor(p, r.Actor), Detail: rest.Object(r.Detail)}
}
