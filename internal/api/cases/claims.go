package cases

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/wire"
)

// Claim is a claim, encoded byte for byte as in events.
type Claim struct{ wire.Claim }

// Schema describes the members that Casehook keeps, and data beside them.
func (Claim) Schema(r huma.Registry) *huma.Schema {
	s := huma.SchemaFromType(r, reflect.TypeFor[wire.ClaimFields]())
	holder := Holder{}.Schema(r)
	holder.Description = s.Properties["assigned_to"].Description
	s.Properties["assigned_to"] = holder
	s.AdditionalProperties = true
	delete(r.Map(), "ClaimHolder") // replaced by holder
	return rest.Component(r, "Claim", s)
}

// shownClaim is the answer with a claim.
type shownClaim struct {
	ETag string `header:"ETag" doc:"The revision of the content, for If-Match." example:"\"r5\""`
	Body rest.Reply[Claim]
}

// claimHandler has the operations on claims.
type claimHandler struct{ service casework.Services }

func (h claimHandler) register(k *rest.Kernel) {
	rest.Handle(k, rest.Operation{
		ID: access.GetClaim, Pattern: "GET /v1/claims/{id}", Tag: "cases",
		Summary: "Get a claim",
		Description: "The object that the claim events have, as it is now: the members that Casehook keeps, then " +
			"its data by name. Fields above your clearance are absent, and a name that is made of such fields is " +
			"replaced by the reference, as in the events of an endpoint with your clearance. A case that is no " +
			"claim is not found.",
		Problems: []int{http.StatusNotFound},
	}, h.getClaim)
}

func (h claimHandler) getClaim(ctx context.Context, in *rest.InCase) (*shownClaim, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	claim, revision, err := h.service.Cases.Claim(ctx, rest.PrincipalOf(ctx), id)
	if err != nil {
		return nil, err
	}
	body, err := rest.NewReply(Claim{claim})
	return &shownClaim{ETag: rest.ETag(revision), Body: body}, err
}
