package casework_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
)

// One tenant tries everything of another, and finds none of it.
func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, none := t.Context(), authz.Once{}
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		comment, err := w.comment(w.p, c.ID, "x", none)
		if err != nil {
			t.Fatal(err)
		}
		proof, err := w.files.UploadProof(ctx, w.p, c.ID,
			casework.Upload{Key: "bill", Body: strings.NewReader("x")}, none)
		if err != nil {
			t.Fatal(err)
		}
		w.label(w.p, "mine")
		user := w.user(w.p, "Ann")
		mine, err := w.endpoints.CreateEndpoint(ctx, w.p,
			endpoint.Endpoint{Name: "mine", URL: "https://mine.example", Triggers: []string{"case_created"}}, none)
		if err != nil {
			t.Fatal(err)
		}
		made, err := w.tokens.CreateToken(ctx, w.p, people.TokenRequest{Name: "mine"}, none)
		token := made.Token
		if err != nil {
			t.Fatal(err)
		}
		before, entries := w.load(c.ID), len(w.history(c.ID))

		q := w.tenant("second")
		drop := func(_ any, err error) error { return err }
		for name, err := range map[string]error{
			"Submit":           drop(w.submissions.Submit(ctx, q, casework.Submission{CaseID: c.ID, Edit: true, Data: object(`{"amount":1}`)}, none)),
			"Submit creation":  drop(w.submissions.Submit(ctx, q, casework.Submission{Type: "loan", Transition: "open"}, none)),
			"DeleteCase":       w.cases.DeleteCase(ctx, q, casework.Deletion{CaseID: c.ID}),
			"Case":             drop(w.cases.Case(ctx, q, c.ID)),
			"History":          drop(w.cases.History(ctx, q, c.ID, 0, 10)),
			"AddComment":       drop(w.comment(q, c.ID, "x", none)),
			"Comments":         drop(w.comments.Comments(ctx, q, c.ID, "", 10)),
			"GenerateDocument": drop(w.files.GenerateDocuments(ctx, q, oneDocument(c.ID, "summary"), none)),
			"UploadProof":      drop(w.files.UploadProof(ctx, q, c.ID, casework.Upload{Key: "bill", Body: strings.NewReader("x")}, none)),
			"Attachments":      drop(w.files.Attachments(ctx, q, store.AttachmentFilter{CaseID: c.ID, Kind: cases.Proof, Limit: 10})),
			"OpenAttachment": func() error {
				_, _, err := w.files.OpenAttachment(ctx, q, c.ID, cases.Proof, proof.ID)
				return err
			}(),
			"DeleteAttachment":     w.files.DeleteAttachment(ctx, q, c.ID, cases.Proof, proof.ID),
			"CaseType":             drop(w.types.CaseType(ctx, q, "loan", 1)),
			"RotateCallbackSecret": drop(w.types.RotateCallbackSecret(ctx, q, casework.CallbackRotation{CaseType: "loan", Callback: "submit", Secret: secrets.Request{}}, none)),
			"DeleteCallbackSecret": w.types.DeleteCallbackSecret(ctx, q, "loan", "submit", "sec_1"),
			"Credentials":          drop(w.types.Credentials(ctx, q, "loan", "submit")),
			"SetCredentials": drop(w.types.SetCredentials(ctx, q,
				store.CallbackRef{Tenant: q.Tenant, CaseType: "loan", Callback: "submit"}, endpoint.Credentials{})),
			"DeleteCredentials": w.types.DeleteCredentials(ctx, q, "loan", "submit"),
			"CallbackSecrets":   drop(w.types.CallbackSecrets(ctx, q, "loan", "submit")),
			"UpdateEndpoint":    drop(w.endpoints.UpdateEndpoint(ctx, q, mine.ID, func(e *endpoint.Endpoint) { e.URL = "https://q.example" })),
			"DeleteEndpoint":    w.endpoints.DeleteEndpoint(ctx, q, mine.ID),
			"Endpoint":          drop(w.endpoints.Endpoint(ctx, q, mine.ID)),
			"Attempts":          drop(w.messages.Attempts(ctx, q, hooks.AttemptQuery{AttemptFilter: store.AttemptFilter{Endpoint: mine.ID}})),
			"Attempt":           drop(w.messages.Attempt(ctx, q, 1)),
			"DeleteToken":       w.tokens.DeleteToken(ctx, q, token.ID),
			"AddLabel":          drop(w.addLabel(q, c.ID, "mine")),
			"RemoveLabel":       drop(w.removeLabel(q, c.ID, "mine")),
			"Assign":            drop(w.assign(q, c.ID, user)),
			"Unassign":          drop(w.assign(q, c.ID, 0)),
			"SwitchType":        drop(w.switches.SwitchType(ctx, q, casework.Switch{CaseID: c.ID, Type: "loan"}, none)),
			"Label":             drop(w.labels.Label(ctx, q, "mine")),
			"ChangeLabel":       drop(w.labels.ChangeLabel(ctx, q, "mine", casework.LabelChange{})),
			"DeleteLabel":       w.labels.DeleteLabel(ctx, q, "mine"),
		} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: %v, want not found", name, err)
			}
		}

		if all, err := listed(w.cases.Cases(ctx, q, store.CaseFilter{})); err != nil || len(all) != 0 {
			t.Errorf("Cases: %d, %v", len(all), err)
		}
		if all, err := w.types.CaseTypes(ctx, q); err != nil || len(all) != 0 {
			t.Errorf("CaseTypes: %d, %v", len(all), err)
		}
		if all, err := w.labels.Labels(ctx, q); err != nil || len(all) != 0 {
			t.Errorf("Labels: %d, %v", len(all), err)
		}
		if all, err := items(w.endpoints.Endpoints(ctx, q, "", 10)); err != nil || len(all) != 0 {
			t.Errorf("Endpoints: %d, %v", len(all), err)
		}
		if all, err := w.endpoints.Targets(ctx, q, "case_created"); err != nil || len(all) != 0 {
			t.Errorf("Targets: %d, %v", len(all), err)
		}
		if all, err := w.tokens.Tokens(ctx, q); err != nil || len(all) != 0 {
			t.Errorf("Tokens: %d, %v", len(all), err)
		}
		if _, err := w.endpoints.SetTargets(ctx, q, "case_created", []string{"https://mine.example"}); err != nil {
			t.Error(err)
		}
		if _, err := w.endpoints.CreateEndpoint(ctx, q,
			endpoint.Endpoint{Name: "mine", URL: "https://q.example", Triggers: []string{"case_created"}},
			none); err != nil {
			t.Errorf("another tenant's name is taken: %v", err)
		}
		w.put(q, loan("loan", ""))
		if v, err := w.submissions.Submit(ctx, q, casework.Submission{Type: "loan", Transition: "open"},
			none); err != nil || v.Reference != "L-001" || v.OutcomeInstance != 1 {
			t.Errorf("%+v, %v", v.Case, err)
		}

		if diff := cmp.Diff(before.Case, w.load(c.ID).Case); diff != "" || len(w.history(c.ID)) != entries {
			t.Errorf("another tenant changed the case: %s", diff)
		}
		if got, err := items(w.comments.Comments(ctx, w.p, c.ID, "", 10)); err != nil || len(got) != 1 ||
			got[0].ID != comment.ID {
			t.Errorf("comments %+v, %v", got, err)
		}
		if got, err := w.endpoints.Endpoint(ctx, w.p, mine.ID); err != nil || cmp.Diff(mine, got) != "" {
			t.Errorf("endpoint %+v, %v", got, err)
		}
		_, body, err := w.files.OpenAttachment(ctx, w.p, c.ID, cases.Proof, proof.ID)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, body)
		body.Close()
		if w.contents() != 1 {
			t.Errorf("%d contents", w.contents())
		}
	})
}

func TestAUserActsAsThemselves(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		w.put(w.p, loan("loan", ""))
		open := func(name, key, request string) (casework.View, access.Principal) {
			p := access.Principal{
				Tenant: w.p.Tenant, Role: access.Caseworker, Clearance: casetype.Private,
				Actor: event.Actor{Source: event.UI, Name: name, UserID: w.user(w.p, name), Address: "192.0.2.9"},
			}
			v, err := w.submissions.Submit(t.Context(), p,
				casework.Submission{Type: "loan", Transition: "open", Data: object(`{"client":"x"}`)},
				once(access.CreateCase, key, request))
			if err != nil {
				t.Fatalf("%s: %v", name, err) // two users do not share their idempotency keys
			}
			return v, p
		}
		v, ada := open("Ada", "k", "r")
		if h := w.history(v.ID); h[0].Actor != ada.Actor {
			t.Errorf("it was %+v", h[0].Actor)
		}
		open("Bob", "k", "r2")
	})
}
