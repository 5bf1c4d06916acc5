package cases

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casework"
)

// Person is a user.
type Person struct {
	UserID int64  `json:"user_id" doc:"The user's id." example:"7"`
	Name   string `json:"name" doc:"The user's name." example:"Grace Hopper"`
}

// Holder is the assignee of a case; null: it has none.
type Holder Person

// MarshalJSON returns null for the zero value.
func (h Holder) MarshalJSON() ([]byte, error) {
	if h.UserID == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(Person(h))
}

// Schema describes a person or null.
func (Holder) Schema(r huma.Registry) *huma.Schema {
	s := huma.SchemaFromType(r, reflect.TypeFor[Person]())
	s.Nullable = true
	return s
}

// Assignment is the body that assigns a case.
type Assignment struct {
	UserID        int64 `json:"user_id" minimum:"1" doc:"The id of the new assignee." example:"7"`
	IgnoreWarning bool  `json:"ignore_warning,omitempty" doc:"Go on although the callback warns." example:"true"`
}

// TypeSwitch is the body that changes the type of a case.
type TypeSwitch struct {
	Type  string `json:"type" minLength:"1" maxLength:"100" doc:"The key of another case type of the same kind." example:"property_claim"`
	Drop  bool   `json:"drop,omitempty" doc:"Drop the data that does not fit the other type, instead of refusing."`
	State string `json:"state,omitempty" maxLength:"100" doc:"The state in which the case goes on, where it has to be chosen: the other type has no state with the same key, and begins in more than one way." example:"reported"`

	IgnoreWarning bool `json:"ignore_warning,omitempty" doc:"Go on although a callback warns." example:"true"`
}

// registerChanges registers the changes of assignee and type.
func (h caseHandler) registerChanges() {
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.AssignCase, Pattern: "PUT /v1/cases/{id}/assignee", Tag: "cases",
		Summary: "Assign a case",
		Description: "Assigns the case to a user. Assigning it to its present assignee changes nothing. The case " +
			"type may ask a callback first.",
		Problems: mayAsk,
	}, h.assign)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.UnassignCase, Pattern: "DELETE /v1/cases/{id}/assignee", Tag: "cases",
		Summary:     "Unassign a case",
		Description: "The case has no assignee from now on. The case type may ask a callback first.",
		Problems:    mayAsk,
	}, h.unassign)
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.SwitchType, Pattern: "POST /v1/cases/{id}/switch-type", Tag: "cases",
		Summary: "Switch a case to another type",
		Description: "Data is carried over where names and types agree. Data that does not fit is listed with 422 " +
			"and nothing is saved, unless drop is true. The reference stays, unless a case of the other type has " +
			"it. A switch to the present type changes nothing. The switch needs what the transitions into the new " +
			"state need, their roles, preconditions and callback, unless everybody may create a case in that state; " +
			"a switch that drops data also needs what an edit needs. Both types may ask a callback about each " +
			"switch.",
		Problems: mayAsk,
	}, h.switchType)
}

// mayAsk are the problems of changes of a case about which a callback may be asked.
var mayAsk = []int{http.StatusNotFound, http.StatusConflict, http.StatusBadGateway, http.StatusGatewayTimeout}

// InWarned is embedded in the parameters of operations without a body about which a callback may be asked.
type InWarned struct {
	IgnoreWarning bool `query:"ignore_warning" doc:"Go on although the callback warns." example:"true"`
}

func (h caseHandler) assign(ctx context.Context, in *rest.InCase, body Assignment) (*shownCase, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return shown(h.service.Cases.Assign(ctx, rest.PrincipalOf(ctx), casework.Assignment{
		CaseID: id, UserID: body.UserID, IgnoreWarning: body.IgnoreWarning,
	}))
}

func (h caseHandler) unassign(ctx context.Context, in *struct {
	rest.InCase
	InWarned
}) (*shownCase, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	return shown(h.service.Cases.Assign(ctx, rest.PrincipalOf(ctx),
		casework.Assignment{CaseID: id, IgnoreWarning: in.IgnoreWarning}))
}

func (h caseHandler) switchType(ctx context.Context, in *struct {
	rest.InCase
	rest.IfMatchHeader
	rest.IdempotencyHeader
}, body TypeSwitch) (*submitAnswer, error) {
	id, err := in.CaseID()
	if err != nil {
		return nil, err
	}
	revisions, err := in.Revisions()
	if err != nil {
		return nil, err
	}
	return submit(ctx, http.StatusOK, in.IdempotencyHeader, func(o authz.Once) (casework.View, error) {
		return h.service.Switches.SwitchType(ctx, rest.PrincipalOf(ctx), casework.Switch{
			CaseID: id, Type: body.Type, Drop: body.Drop, State: body.State, IfRevision: revisions,
			IgnoreWarning: body.IgnoreWarning,
		}, o)
	})
}
