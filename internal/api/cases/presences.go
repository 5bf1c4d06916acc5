package cases

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/casework"
	"github.com/casehook/casehook/internal/store"
)

// NewPresence is the body that reports that somebody is at a case.
type NewPresence struct {
	Editing bool `json:"editing,omitempty" doc:"You have begun to change it." example:"true"`
}

// Presences are those who are at a case, besides the caller.
type Presences struct {
	Items []Presence `json:"items" doc:"Those who are at the case, besides you: 100 at most. Those who have been there longest come first."`
}

// Presence is somebody at a case.
type Presence struct {
	Name    string    `json:"name" doc:"The name of the user or the token." example:"Grace Hopper"`
	UserID  *int64    `json:"user_id" doc:"The id of the user; null: it is a token." example:"7"`
	Editing bool      `json:"editing" doc:"They have begun to change it." example:"true"`
	Since   rest.Time `json:"since" doc:"Since when they are there."`
}

type shownPresences struct{ Body Presences }

// presenceHandler has the operations on presences.
type presenceHandler struct{ service *casework.Presences }

func (h presenceHandler) register(k *rest.Kernel) {
	const path, tag = "/v1/cases/{id}/presence", "cases"
	rest.HandleBody(k, rest.Operation{
		ID: access.SetPresence, Pattern: "PUT " + path, Tag: tag,
		Summary: "Say that you are at a case",
		Description: "For 45 seconds; repeat it meanwhile. The answer has the others who are there, so that two people " +
			"do not change the same case unawares. No entry is written, and nobody is told.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *rest.InCase, body NewPresence) (*shownPresences, error) {
		id, err := in.CaseID()
		if err != nil {
			return nil, err
		}
		return showPresences(h.service.SetPresence(ctx, rest.PrincipalOf(ctx), id, body.Editing))
	})
	rest.Handle(k, rest.Operation{
		ID: access.ListPresences, Pattern: "GET " + path, Tag: tag,
		Summary: "See who is at a case", Description: "Besides you.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *rest.InCase) (*shownPresences, error) {
		id, err := in.CaseID()
		if err != nil {
			return nil, err
		}
		return showPresences(h.service.Presences(ctx, rest.PrincipalOf(ctx), id))
	})
	rest.Handle(k, rest.Operation{
		ID: access.DeletePresence, Pattern: "DELETE " + path, Tag: tag,
		Summary: "Leave a case", Description: "The others no longer see that you are there.",
		Problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *rest.InCase) (*rest.NoContent, error) {
		id, err := in.CaseID()
		if err != nil {
			return nil, err
		}
		return &rest.NoContent{}, h.service.DeletePresence(ctx, rest.PrincipalOf(ctx), id)
	})
}

func showPresences(all []store.Presence, err error) (*shownPresences, error) {
	if err != nil {
		return nil, err
	}
	shown := Presences{Items: []Presence{}}
	for _, p := range all {
		shown.Items = append(shown.Items, Presence{
			Name: p.Person.Name, UserID: rest.OrNull(p.Person.UserID), Editing: p.Editing, Since: rest.Time(p.Since),
		})
	}
	return &shownPresences{shown}, nil
}
