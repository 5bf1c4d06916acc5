package hooks

import (
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/wire"
)

// Trigger is a published name that an endpoint subscribes to.
type Trigger struct {
	Name        string          `json:"name" doc:"Its name." example:"case_created"`
	Format      string          `json:"format" doc:"The wire format that it belongs to."`
	Description string          `json:"description" doc:"When it fires."`
	Headers     []TriggerHeader `json:"headers" doc:"The headers of its requests, besides those of HTTP and of the endpoint."`
	Schema      rest.Value      `json:"schema" doc:"The JSON Schema (draft 2020-12) of its bodies."`
	Example     rest.Value      `json:"example" doc:"A body, of something made up."`
}

// TriggerHeader is a header of a trigger's requests.
type TriggerHeader struct {
	Name        string `json:"name" doc:"Its name, spelt as it is sent." example:"webhook-id"`
	Description string `json:"description" doc:"Its meaning."`
	Example     string `json:"example" doc:"A value."`
	Optional    bool   `json:"optional" doc:"Not every request has it." example:"false"`
}

// Target is an endpoint that subscribes to a trigger.
type Target struct {
	URL      string  `json:"url" doc:"Where requests go." example:"https://crm.example.com/hooks"`
	Endpoint string  `json:"endpoint_id" doc:"The id of the endpoint." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Name     string  `json:"name" doc:"The endpoint's handle, or empty." example:"crm"`
	Created  bool    `json:"created" doc:"The endpoint was created by this request."`
	Secret   *string `json:"secret" doc:"Of an endpoint that was created by this request; it is shown this once. Else null." example:"whsec_..."`
}

// SetTargets is the body that sets the targets of a trigger.
type SetTargets struct {
	URLs []string `json:"urls" maxItems:"100" doc:"The URLs that receive the trigger, in any spelling; all others lose it." example:"[\"https://crm.example.com/hooks\"]"`
}

type InTrigger struct {
	Name string `path:"name" maxLength:"100" doc:"The name of the trigger." example:"case_created"`
}

// triggerHandler has the operations on triggers and their targets.
type triggerHandler struct {
	kernel  *rest.Kernel
	service hooks.Services

	version, atfinityVersion string
}

func (h triggerHandler) register() {
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListTriggers, Pattern: "GET /v1/triggers", Tag: "triggers",
		Summary: "List the triggers",
		Description: "All triggers that an endpoint can subscribe to, and their requests. The webhooks of the " +
			"OpenAPI document have the same.",
	}, h.listTriggers)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetTargets, Pattern: "GET /v1/triggers/{name}/targets", Tag: "triggers",
		Summary:     "Get a trigger's targets",
		Description: "The endpoints that subscribe to it, the oldest first.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *struct {
		InTrigger
		rest.InList
	}) (*rest.PageAnswer[Target], error) {
		all, err := h.service.Endpoints.Targets(ctx, rest.PrincipalOf(ctx), in.Name)
		if err != nil {
			return nil, err
		}
		return rest.PageBehind(rest.NewPager(h.kernel, "targets/"+in.Name, showTarget,
			func(t hooks.Target) string { return t.Endpoint.ID }), in.Cursor, all)
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.SetTargets, Pattern: "PUT /v1/triggers/{name}/targets", Tag: "triggers",
		Summary: "Set a trigger's targets",
		Description: "Endpoints with these URLs are subscribed, or created where there are none. All others lose " +
			"the trigger; those without another trigger are deleted.",
		Problems: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *InTrigger, body SetTargets) (*rest.ListAnswer[Target], error) {
		all, err := h.service.Endpoints.SetTargets(ctx, rest.PrincipalOf(ctx), in.Name, body.URLs)
		if err != nil {
			return nil, err
		}
		return rest.List(all, showTarget)
	})
}

func (h triggerHandler) listTriggers(context.Context, *struct{}) (*rest.ListAnswer[Trigger], error) {
	return rest.List(h.catalogue(), func(t Trigger) Trigger { return t })
}

// catalogue returns the triggers of all formats.
func (h triggerHandler) catalogue() []Trigger {
	var all []Trigger
	for _, f := range wire.Formats() {
		for _, t := range f.Triggers {
			trigger := Trigger{
				Name: t.Name, Format: f.Name, Description: t.Description,
				Schema:  rest.Value(wire.Schema(t.Name)),
				Example: rest.Value(wire.Examples(t.Name, h.atfinityVersion)[0].Body),
			}
			for _, h := range wire.Headers(t.Name, h.atfinityVersion, h.version) {
				trigger.Headers = append(trigger.Headers, TriggerHeader(h))
			}
			all = append(all, trigger)
		}
	}
	return all
}

func showTarget(t hooks.Target) Target {
	out := Target{URL: t.Endpoint.URL, Endpoint: t.Endpoint.ID, Name: t.Endpoint.Name, Created: t.Created}
	if t.Created {
		out.Secret = rest.OrNull(secretOf(t.Endpoint))
	}
	return out
}
