package hooks

import (
	"github.com/casehook/casehook/internal/hooks"

	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// Endpoint is a receiver of webhooks.
type Endpoint struct {
	ID          string                  `json:"id" doc:"Its id." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Name        string                  `json:"name" doc:"A handle of its own, or empty." example:"crm"`
	URL         string                  `json:"url" doc:"Where requests go." example:"https://crm.example.com/hooks"`
	Triggers    []string                `json:"triggers" doc:"The triggers that it subscribes to." example:"[\"case_created\", \"case_finished\"]"`
	Sources     []string                `json:"sources" enum:"api,ui" doc:"The activity that it receives: of programs (api), of people in the console (ui), or both." example:"[\"api\", \"ui\"]"`
	IgnoreOwn   bool                    `json:"ignore_own" doc:"It does not receive what its own token caused." example:"false"`
	Filter      string                  `json:"filter" doc:"A condition in CEL that messages have to meet, over message, case and contact; empty: all do. matches() takes patterns of RE2." example:"case.type == 'kyc' && case.state != 'draft'"`
	Token       *string                 `json:"token" doc:"The id of the integration's own token; null: a person made the endpoint." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Owner       *string                 `json:"owner" doc:"The user or token that created it, or last changed its URL. It receives nothing about cases that its owner may not read. null: it has no owner; then it receives nothing about case types that restrict who may read." example:"user/7"`
	Status      endpoint.Status         `json:"status" enum:"active,paused,disabled" doc:"Whether messages flow: active; paused by a person; disabled by its failing for too long, or its answer 410." example:"active"`
	Policy      Policy                  `json:"policy" doc:"Retries, timeout, order and limits of delivery."`
	Clearance   casetype.Classification `json:"clearance" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that it receives: nothing about cases above it, and of other cases only the fields that are not above it." example:"PRIVATE"`
	Description string                  `json:"description" doc:"Its purpose, for people, or empty." example:"Keeps the CRM up to date."`
	Metadata    map[string]string       `json:"metadata" doc:"Texts by name, for programs." example:"{\"team\": \"billing\"}"`
	Headers     map[string]string       `json:"headers" doc:"The headers of its own that go with each request. Their values are not shown: (hidden) stands for each." example:"{\"X-Api-Key\": \"(hidden)\"}"`
	endpoint.Options
	Auth      Auth              `json:"auth" doc:"How requests authenticate themselves to the destination, besides their signature; (hidden) stands for each secret."`
	TLS       ShownTLS          `json:"tls" doc:"The certificates for TLS connections; (hidden) stands for the key."`
	Health    EndpointCondition `json:"health" doc:"Its health."`
	Revision  int64             `json:"revision" doc:"Grows with every change." example:"1"`
	CreatedAt rest.Time         `json:"created_at" doc:"When it was created."`
	Expired   *ExpiredRange     `json:"expired,omitempty" doc:"The range of entries that it has lost: it was paused or disabled for so long that they were removed before it received them; absent: none."`
	UpdatedAt rest.Time         `json:"updated_at" doc:"When it last changed."`
}

// ExpiredRange is a range of entries that retention removed before the endpoint received
// them.
type ExpiredRange struct {
	From rest.Time `json:"from" doc:"When the first of them was committed."`
	To   rest.Time `json:"to" doc:"When the last of them was committed."`
}

// CreatedEndpoint is an endpoint that was just created, with its secret.
type CreatedEndpoint struct {
	Endpoint
	Secret *string `json:"secret" doc:"Signs what is sent, in the notation of Standard Webhooks. It is shown this once; null where it was supplied." example:"whsec_..."`
}

// Policy is the policy of delivery to an endpoint.
type Policy struct {
	Retries     []string       `json:"retries" doc:"The waits before the second, third, ... try. An empty list: no second try." example:"[\"5s\", \"30s\", \"2m0s\"]"`
	Timeout     string         `json:"timeout" doc:"For one try; at most 1m." example:"15s"`
	Concurrency int            `json:"concurrency" doc:"Requests under way at once; 1 to 64." example:"8"`
	Order       endpoint.Order `json:"order" enum:"per-case,strict,none" doc:"The messages that wait for each other: those of the same case, all, or none." example:"per-case"`
	RateLimit   float64        `json:"rate_limit" doc:"Requests per second, retries included; 0: no limit." example:"10"`
}

// SetPolicy changes a policy. An absent member keeps its value; in a new endpoint it has
// the default.
type SetPolicy struct {
	Retries     *[]string       `json:"retries,omitempty" maxItems:"30" doc:"The waits before the second, third, ... try, up to 24h each. An empty list: no second try." example:"[\"5s\", \"30s\", \"2m\"]"`
	Timeout     *string         `json:"timeout,omitempty" doc:"For one try; at most 1m." example:"15s"`
	Concurrency *int            `json:"concurrency,omitempty" minimum:"1" maximum:"64" doc:"Requests under way at once." example:"8"`
	Order       *endpoint.Order `json:"order,omitempty" enum:"per-case,strict,none" doc:"The messages that wait for each other: those of the same case, all, or none." example:"per-case"`
	RateLimit   *float64        `json:"rate_limit,omitempty" minimum:"0" maximum:"1000" doc:"Requests per second, retries included; from 0.01 on, in bursts of at most one second's. 0: no limit." example:"10"`
}

// NewEndpoint is the body that creates an endpoint.
type NewEndpoint struct {
	Secret *string `json:"secret,omitempty" maxLength:"200" doc:"The signing secret: whsec_ and the base64 of 24 to 64 bytes, or whsk_ and the base64 of an Ed25519 private key. Absent: a secret is drawn." example:"whsec_..."`
	Settings
	Name      string                  `json:"name,omitempty" maxLength:"100" doc:"A handle of its own, for configuration as code." example:"crm"`
	URL       string                  `json:"url" maxLength:"2048" doc:"Where requests go: http or https. Kept in canonical form." example:"https://crm.example.com/hooks"`
	Triggers  []string                `json:"triggers" doc:"The triggers that it subscribes to; at least one." example:"[\"case_created\", \"case_finished\"]"`
	Sources   []string                `json:"sources,omitempty" enum:"api,ui" minItems:"1" maxItems:"2" doc:"The activity that it receives: of programs (api), of people in the console (ui); absent: both." example:"[\"ui\"]"`
	IgnoreOwn bool                    `json:"ignore_own,omitempty" doc:"It does not receive what its own token caused, so that an integration is not sent the results of its own calls." example:"true"`
	Filter    string                  `json:"filter,omitempty" maxLength:"4000" doc:"A condition in CEL that messages have to meet, over message, case and contact, as the endpoint's clearance sees them. Where it can't be computed, the message is dead: ask has() before using what may be absent. matches() takes patterns of RE2, written into the filter. GET /v1/filter-preview tries one." example:"case.type == 'kyc' && has(case.data.amount) && case.data.amount > 1000"`
	Token     *string                 `json:"token,omitempty" maxLength:"100" doc:"The id of the integration's own token; absent: the token of this request." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	Policy    SetPolicy               `json:"policy,omitzero" doc:"Retries, timeout, order and limits of delivery; absent: the defaults."`
	Clearance casetype.Classification `json:"clearance,omitempty" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that it receives; at most your own clearance, which is the default." example:"PRIVATE"`
	Start     Moment                  `json:"start,omitempty" maxLength:"40" doc:"From when on it receives messages: now, which is the default; the beginning of what is kept; or a time, as RFC 3339 writes it." example:"2026-11-01T00:00:00Z"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *NewEndpoint) UnmarshalJSON(raw []byte) error {
	type plain NewEndpoint
	b.given = slices.Clone(raw)
	return json.Unmarshal(raw, (*plain)(b))
}

// EndpointChange is the body that changes an endpoint. Absent members stay as they are.
type EndpointChange struct {
	Settings
	Name      *string                  `json:"name,omitempty" maxLength:"100" doc:"A handle of its own." example:"crm"`
	URL       *string                  `json:"url,omitempty" maxLength:"2048" doc:"Where requests go: http or https. Kept in canonical form." example:"https://crm.example.com/hooks"`
	Triggers  *[]string                `json:"triggers,omitempty" doc:"The triggers that it subscribes to; at least one." example:"[\"case_created\"]"`
	Sources   *[]string                `json:"sources,omitempty" enum:"api,ui" minItems:"1" maxItems:"2" doc:"The activity that it receives: of programs (api), of people in the console (ui), or both." example:"[\"api\", \"ui\"]"`
	IgnoreOwn *bool                    `json:"ignore_own,omitempty" doc:"It does not receive what its own token caused." example:"true"`
	Filter    *string                  `json:"filter,omitempty" maxLength:"4000" doc:"A condition in CEL that messages have to meet; empty: all do. It is evaluated when a message is sent, also for messages that wait. matches() takes patterns of RE2, written into the filter." example:"case.type == 'kyc' && case.state != 'draft'"`
	Token     *string                  `json:"token,omitempty" maxLength:"100" doc:"The id of the integration's own token." example:"tok_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
	TakeOver  bool                     `json:"take_over,omitempty" doc:"You become its owner: from then on it receives what you may read." example:"true"`
	Status    *endpoint.Status         `json:"status,omitempty" enum:"active,paused" doc:"paused holds messages back; active lets them flow again." example:"paused"`
	Resume    *string                  `json:"resume,omitempty" enum:"cursor,head" doc:"Where an active endpoint goes on: at its cursor, where it stands, which is the default; or at the head of the journal, so that it skips all that it has not received yet. Messages that were given up stay listed, and replays go on." example:"head"`
	Policy    SetPolicy                `json:"policy,omitzero" doc:"Retries, timeout, order and limits of delivery."`
	Clearance *casetype.Classification `json:"clearance,omitempty" enum:"PUBLIC,PRIVATE,RESTRICTED" doc:"The highest classification that it receives; at most your own clearance." example:"PRIVATE"`
}

// UnmarshalJSON implements json.Unmarshaler.
func (b *EndpointChange) UnmarshalJSON(raw []byte) error {
	type plain EndpointChange
	b.given = slices.Clone(raw)
	return json.Unmarshal(raw, (*plain)(b))
}

type InEndpoint struct {
	ID string `path:"id" maxLength:"100" doc:"The id of the endpoint." example:"ep_0197c2f0a1b27c3d8e4f5a6b7c8d9e0f"`
}

type shownEndpoint struct{ Body Endpoint }

// endpointHandler has the operations on endpoints.
type endpointHandler struct {
	kernel  *rest.Kernel
	service hooks.Services
}

func (h endpointHandler) register() {
	h.registerHealth()
	h.registerLag()
	h.registerBacklog()
	const path, tag = "/v1/endpoints", "endpoints"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.CreateEndpoint,
		Pattern:     "POST " + path,
		Tag:         tag,
		Summary:     "Create an endpoint",
		Description: "It receives what is committed from now on, or from start on.",
		Problems:    []int{http.StatusConflict},
		Success:     http.StatusCreated,
	}, h.createEndpoint)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListEndpoints, Pattern: "GET " + path, Tag: tag,
		Summary:     "List the endpoints",
		Description: "The oldest first.",
	}, h.listEndpoints)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.GetEndpoint, Pattern: "GET " + path + "/{id}", Tag: tag,
		Summary:     "Get an endpoint",
		Description: "Its settings, and how it is doing. Secrets are not shown.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InEndpoint) (*shownEndpoint, error) {
		return endpointShown(h.service.Endpoints.Endpoint(ctx, rest.PrincipalOf(ctx), in.ID))
	})
	rest.HandleBody(h.kernel, rest.Operation{
		ID: access.UpdateEndpoint, Pattern: "PATCH " + path + "/{id}", Tag: tag,
		Summary:     "Change an endpoint",
		Description: "Absent members stay as they are. For new triggers it receives what is committed from now on.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
	}, h.updateEndpoint)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.DeleteEndpoint, Pattern: "DELETE " + path + "/{id}", Tag: tag,
		Summary:     "Delete an endpoint",
		Description: "Messages that wait for it are given up. Its attempts stay.",
		Problems:    []int{http.StatusNotFound},
	}, func(ctx context.Context, in *InEndpoint) (*rest.NoContent, error) {
		return &rest.NoContent{}, h.service.Endpoints.DeleteEndpoint(ctx, rest.PrincipalOf(ctx), in.ID)
	})
}

func (h endpointHandler) createEndpoint(ctx context.Context, in *rest.IdempotencyHeader,
	body NewEndpoint) (*rest.PostAnswer[CreatedEndpoint], error) {
	e := endpoint.Endpoint{
		Name:      body.Name,
		URL:       body.URL,
		Triggers:  body.Triggers,
		Sources:   body.Sources,
		IgnoreOwn: body.IgnoreOwn,
		Filter:    body.Filter,
		Clearance: body.Clearance,
	}
	rest.Set(&e.Token, body.Token)
	body.Settings.apply(&e)
	if err := setSupplied(&e, body.Secret); err != nil {
		return nil, err
	}
	if err := body.Policy.apply(&e.Policy); err != nil {
		return nil, err
	}
	from, err := body.Start.parse("/start")
	if err != nil {
		return nil, err
	}
	return rest.Create[CreatedEndpoint](ctx, *in, func(e endpoint.Endpoint) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, CreatedEndpoint{showEndpoint(e), rest.OrNull(drawn(e, body.Secret))},
			"Location", "/v1/endpoints/"+e.ID)
	}, func(o authz.Once) (endpoint.Endpoint, error) {
		return h.service.Endpoints.CreateEndpointFrom(ctx, rest.PrincipalOf(ctx), e, from, o)
	})
}

func (h endpointHandler) updateEndpoint(ctx context.Context, in *InEndpoint,
	body EndpointChange) (*shownEndpoint, error) {
	if err := body.Policy.apply(&endpoint.Policy{}); err != nil {
		return nil, err
	}
	atHead := body.Resume != nil && *body.Resume == "head"
	return endpointShown(h.service.Endpoints.UpdateEndpointFrom(ctx, rest.PrincipalOf(ctx), in.ID,
		atHead, func(e *endpoint.Endpoint) {
			rest.Set(&e.Name, body.Name)
			if body.URL != nil {
				e.Point(*body.URL)
			}
			body.Settings.apply(e)
			rest.Set(&e.Triggers, body.Triggers)
			rest.Set(&e.Sources, body.Sources)
			rest.Set(&e.IgnoreOwn, body.IgnoreOwn)
			rest.Set(&e.Filter, body.Filter)
			rest.Set(&e.Token, body.Token)
			if body.TakeOver {
				e.Owner = string(rest.PrincipalOf(ctx).Owner())
			}
			rest.Set(&e.Status, body.Status)
			rest.Set(&e.Clearance, body.Clearance)
			body.Policy.apply(&e.Policy) // checked above
		}))
}

func (h endpointHandler) listEndpoints(ctx context.Context, in *rest.Paging) (*rest.PageAnswer[Endpoint], error) {
	var after string
	if err := h.kernel.Open("endpoints", in.Cursor, &after); err != nil {
		return nil, err
	}
	all, err := h.service.Endpoints.Endpoints(ctx, rest.PrincipalOf(ctx), after, in.Limit)
	if err != nil {
		return nil, err
	}
	return rest.NewPager(h.kernel, "endpoints", showEndpoint, func(e endpoint.Endpoint) string { return e.ID }).
		PageOf(all)
}

// apply sets the members of p that are present, and refuses texts that are no durations.
// The use case checks the bounds.
func (s SetPolicy) apply(p *endpoint.Policy) error {
	var wrong []fault.Field
	duration := func(path, text string) time.Duration {
		d, err := time.ParseDuration(text)
		if err != nil || d == 0 {
			wrong = append(wrong,
				fault.Field{Path: "/policy/" + path, Message: "is not a length of time; write 500ms, 30s or 2m"})
		}
		return d
	}
	if s.Retries != nil {
		p.Retries = make([]time.Duration, len(*s.Retries))
		for i, text := range *s.Retries {
			p.Retries[i] = duration("retries/"+strconv.Itoa(i), text)
		}
	}
	if s.Timeout != nil {
		p.Timeout = duration("timeout", *s.Timeout)
	}
	rest.Set(&p.Concurrency, s.Concurrency)
	rest.Set(&p.Order, s.Order)
	rest.Set(&p.RateLimit, s.RateLimit)
	if len(wrong) > 0 {
		return fault.In("endpoint.invalid", "The endpoint's policy can't be read: see fields.", wrong...)
	}
	return nil
}

func endpointShown(e endpoint.Endpoint, err error) (*shownEndpoint, error) {
	if err != nil {
		return nil, err
	}
	return &shownEndpoint{showEndpoint(e)}, nil
}

func showEndpoint(e endpoint.Endpoint) Endpoint {
	p := e.Policy.WithDefaults()
	retries := make([]string, len(p.Retries))
	for i, wait := range p.Retries {
		retries[i] = wait.String()
	}
	return Endpoint{
		ID:        e.ID,
		Name:      e.Name,
		URL:       e.URL,
		Triggers:  append([]string{}, e.Triggers...),
		Status:    e.Status,
		Sources:   sourcesOf(e),
		IgnoreOwn: e.IgnoreOwn,
		Filter:    e.Filter,
		Token:     rest.OrNull(e.Token),
		Owner:     rest.OrNull(e.Owner),
		Policy: Policy{Retries: retries, Timeout: p.Timeout.String(), Concurrency: p.Concurrency, Order: p.Order,
			RateLimit: p.RateLimit},
		Description: e.Description,
		Metadata:    metadataOf(e),
		Headers:     maskedHeaders(e.Headers),
		Options:     e.Options.WithDefaults(),
		Auth:        showAuth(e.Auth),
		TLS:         showTLS(e.TLS),
		Health:      showCondition(e),
		Clearance:   e.Clearance,
		Revision:    e.Revision,
		CreatedAt:   rest.Time(e.CreatedAt),
		UpdatedAt:   rest.Time(e.UpdatedAt),
		Expired:     showExpiredRange(e),
	}
}

func showExpiredRange(e endpoint.Endpoint) *ExpiredRange {
	if e.ExpiredTo.IsZero() {
		return nil
	}
	return &ExpiredRange{rest.Time(e.ExpiredFrom), rest.Time(e.ExpiredTo)}
}

// sourcesOf returns the sources of an endpoint; all, if it names none.
func sourcesOf(e endpoint.Endpoint) []string {
	if len(e.Sources) == 0 {
		return endpoint.Sources
	}
	return e.Sources
}
