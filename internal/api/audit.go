package api

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
)

// AuditRecord is one line of the audit.
type AuditRecord struct {
	ID      string `json:"id" doc:"Its id." example:"aud_4be71e2b9ab9d2bb7bd7c8f3a1f0c3d2"`
	At      Time   `json:"at" doc:"When it happened."`
	Action  string `json:"action" doc:"What was done, or tried." example:"token.created"`
	Subject string `json:"subject" doc:"What it was done to; may be empty." example:"token/tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	By      Actor  `json:"by" doc:"Who did it, and from where."`
	Detail  Object `json:"detail" doc:"What else is known; it depends on the action."`
}

func (a *API) audit() {
	handle(a, operation("list-audit", http.MethodGet, "/v1/audit", "audit", "List the audit",
		"Sign-ins, refused attempts, and changes to users, tokens, endpoints and case types; the newest first. Nothing in it is ever changed or deleted."),
		func(ctx context.Context, in *Paging) (*listed[AuditRecord], error) {
			var before int64
			if err := a.cursors.open("audit", in.Cursor, &before); err != nil {
				return nil, err
			}
			all, err := a.service.Audit(ctx, principalOf(ctx), before, in.Limit)
			if err != nil {
				return nil, err
			}
			show := func(r access.Record) AuditRecord { return a.showRecord(principalOf(ctx), r) }
			return pageOf(a, "audit", all, show, func(r access.Record) int64 { return r.ID })
		})
}

func (a *API) showRecord(p access.Principal, r access.Record) AuditRecord {
	return AuditRecord{ID: a.auditIDs.seal(r.Tenant, r.ID), At: Time(r.At), Action: string(r.Action), Subject: r.Subject, By: showActor(p, r.Actor), Detail: Object(r.Detail)}
}
