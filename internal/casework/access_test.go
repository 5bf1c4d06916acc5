package casework_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
)

func TestTokens(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		made, err := w.tokens.CreateToken(ctx, w.p,
			people.TokenRequest{Name: "billing", Expires: w.now().Add(time.Hour)}, authz.Once{})
		token, bearer := made.Token, made.Bearer
		if err != nil {
			t.Fatal(err)
		}
		p, err := w.tokens.Authenticate(ctx, bearer, "192.0.2.7")
		p.Credential = access.Credential{}
		want := access.Principal{
			Tenant: w.p.Tenant, Role: access.Admin, Clearance: casetype.Restricted,
			Actor: event.Actor{Source: event.API, Name: "billing", TokenID: token.ID, Address: "192.0.2.7"},
		}
		if err != nil || p != want {
			t.Errorf("%+v, %v", p, err)
		}
		var refusals []string
		refuse := func(bearer string) {
			t.Helper()
			p, err := w.tokens.Authenticate(ctx, bearer, "")
			refusals = append(refusals, wantFault(t, err, fault.Unauthenticated, "token.invalid").Detail)
			if p != (access.Principal{}) {
				t.Errorf("%q is %+v", bearer, p)
			}
		}
		for _, wrong := range []string{
			"", "x", bearer + "x", strings.Replace(bearer, "chk_tok", "chk_tik", 1), "chk_a\x00.b",
			bearer + strings.Repeat("x", 300),
		} {
			refuse(wrong)
		}
		w.later(time.Hour)
		refuse(bearer)
		made, err = w.tokens.CreateToken(ctx, w.p, people.TokenRequest{Name: "second", Role: access.Manager},
			authz.Once{})
		bearer = made.Bearer
		if err != nil {
			t.Fatal(err)
		}
		all, err := w.tokens.Tokens(ctx, w.p)
		if err != nil || len(all) != 2 || all[1].Name != "second" {
			t.Fatalf("%+v, %v", all, err)
		}
		if err := w.tokens.DeleteToken(ctx, w.p, all[1].ID); err != nil {
			t.Fatal(err)
		}
		refuse(bearer)
		for _, r := range refusals {
			if r != refusals[0] {
				t.Errorf("refusals tell themselves apart: %q, %q", r, refusals[0])
			}
		}
		wantFault(t, w.tokens.DeleteToken(ctx, w.p, all[1].ID), fault.NotFound, "token.not_found")
		_, err = w.tokens.CreateToken(ctx, w.p, people.TokenRequest{Expires: w.now()}, authz.Once{})
		wantFields(t, wantFault(t, err, fault.Unprocessable, "token.unusable"), "/name", "/expires_at")
	})
}

func TestTheFirstStartMakesOneAdmin(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		bearers := make(chan string, 4)
		for range 4 {
			all.Go(func() {
				bearer, err := w.tenants.Bootstrap(t.Context(), nil)
				if err != nil {
					t.Error(err)
				}
				bearers <- bearer
			})
		}
		all.Wait()
		close(bearers)
		var admin string
		for bearer := range bearers {
			if admin != "" && bearer != "" {
				t.Fatal("two starts made a token each")
			}
			admin += bearer
		}
		if p, err := w.tokens.Authenticate(t.Context(), admin, ""); err != nil || p.Actor.Name != "admin" ||
			p.Tenant == w.p.Tenant {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// Everything of one tenant is tried by another, who finds nothing of it.
func TestTenantsSeeNothingOfEachOther(t *testing.T) {
	engines(t, func(t *testing.T, w *world) {
		ctx, none := t.Context(), authz.Once{}
		w.put(w.p, loan("loan", ""))
		c := w.open("loan")
		comment, err := w.comments.AddComment(ctx, w.p, c.ID, "x", none)
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
		mine := w.endpoint("mine", "https://mine.example", "case_created")
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
			"AddComment":       drop(w.comments.AddComment(ctx, q, c.ID, "x", none)),
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
			"CallbackSecrets":      drop(w.types.CallbackSecrets(ctx, q, "loan", "submit")),
			"UpdateEndpoint":       drop(w.endpoints.UpdateEndpoint(ctx, q, mine.ID, func(e *endpoint.Endpoint) { e.URL = "https://q.example" })),
			"DeleteEndpoint":       w.endpoints.DeleteEndpoint(ctx, q, mine.ID),
			"Endpoint":             drop(w.endpoints.Endpoint(ctx, q, mine.ID)),
			"Attempts": func() error {
				_, _, err := w.messages.Attempts(ctx, q, store.AttemptFilter{Endpoint: mine.ID})
				return err
			}(),
			"Attempt":     drop(w.messages.Attempt(ctx, q, 1)),
			"DeleteToken": w.tokens.DeleteToken(ctx, q, token.ID),
			"AddLabel":    drop(w.labels.AddLabel(ctx, q, c.ID, "mine")),
			"RemoveLabel": drop(w.labels.RemoveLabel(ctx, q, c.ID, "mine")),
			"Assign":      drop(w.cases.Assign(ctx, q, c.ID, user)),
			"Unassign":    drop(w.cases.Unassign(ctx, q, c.ID)),
			"SwitchType":  drop(w.switches.SwitchType(ctx, q, casework.Switch{CaseID: c.ID, Type: "loan"}, none)),
			"Label":       drop(w.labels.Label(ctx, q, "mine")),
			"ChangeLabel": drop(w.labels.ChangeLabel(ctx, q, "mine", casework.LabelChange{})),
			"DeleteLabel": w.labels.DeleteLabel(ctx, q, "mine"),
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
			t.Errorf("a name is taken by another tenant's: %v", err)
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
