package people

import (
	"cmp"
	"context"
	"net/http"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
)

// Tenant is an isolated customer.
type Tenant struct {
	Key       string    `json:"key" doc:"Its key." example:"acme"`
	Name      string    `json:"name" doc:"Its name, for people." example:"Acme Ltd"`
	Hosts     []string  `json:"hosts" doc:"The host names that are its own: people who come there sign in to it, and the tokens of other tenants are refused." example:"[\"acme.example.com\"]"`
	Variables []string  `json:"variables" doc:"The variables that its callbacks' URLs may begin with, without CASEHOOK_VAR_. Their values are the server's environment's. The first tenant has all of them." example:"[\"ORDERS_URL\"]"`
	Allow     []string  `json:"allow_addresses" doc:"The addresses that it may call although they are not public: addresses and ranges of them, with or without ports. The first tenant also has those that the server was started with." example:"[\"10.0.0.0/8:8443\"]"`
	PublicURL *string   `json:"public_url" doc:"Its own public URL; null: none was set." example:"https://acme.example.com"`
	URL       string    `json:"url" doc:"Where its people find the server: its public URL, else the installation's with the first of its hosts by the alphabet, else the installation's. case_url begins with it." example:"https://acme.example.com"`
	CreatedAt rest.Time `json:"created_at" doc:"When it was created."`

	ContactIDs casetype.IDs `json:"contact_ids" enum:"random,sequential" doc:"How contacts get their ids: random, of 16 digits, or sequential: 1, 2, 3, ..., for receivers whose columns have 32 bits. Those of cases their types say." example:"random"`
}

// TenantURL is the public URL of a tenant in a body.
type TenantURL struct {
	PublicURL *string `json:"public_url,omitempty" maxLength:"2048" doc:"The URL at which its people find the server, for case_url and for the way back from an OpenID Connect provider: http or https, without credentials, query and fragment. Empty: it has none of its own; see url. Earlier entries of the journal are not changed." example:"https://acme.example.com"`
}

// TenantReach has the variables and addresses that a tenant may call, in a body. Absent
// members stay as they are.
type TenantReach struct {
	Variables *[]string `json:"variables,omitempty" maxItems:"100" doc:"The variables that its callbacks' URLs may begin with, and no others: ORDERS_URL for CASEHOOK_VAR_ORDERS_URL." example:"[\"ORDERS_URL\"]"`
	Allow     *[]string `json:"allow_addresses,omitempty" maxItems:"100" doc:"The addresses that it may call although they are not public, and no others: 10.0.0.0/8, 10.1.2.3:8080, [fd00::]/8:443." example:"[\"10.0.0.0/8:8443\"]"`
}

// TenantIDs sets how the ids of contacts are generated, in a body.
type TenantIDs struct {
	ContactIDs *casetype.IDs `json:"contact_ids,omitempty" enum:"random,sequential" doc:"How contacts get their ids from now on; those that are there keep theirs." example:"sequential"`
}

// CreatedTenant is a tenant that was just created, with the token of its
// administrator.
type CreatedTenant struct {
	Tenant
	Bearer string `json:"token" doc:"A token that may do everything in the tenant. It is shown this once." example:"chk_..."`
}

// NewTenant is the body that creates a tenant.
type NewTenant struct {
	TenantReach
	TenantIDs
	TenantURL
	Key   string    `json:"key" minLength:"1" maxLength:"63" doc:"Its key: a-z, 0-9, _ and -, beginning with a letter." example:"acme"`
	Name  *string   `json:"name,omitempty" minLength:"1" maxLength:"200" doc:"Its name, for people; absent: the key." example:"Acme Ltd"`
	Hosts *[]string `json:"hosts,omitempty" maxItems:"20" doc:"The host names that are its own, without ports." example:"[\"acme.example.com\"]"`
}

// TenantUpdate is the body that changes a tenant. Absent members stay as they are.
type TenantUpdate struct {
	TenantReach
	TenantIDs
	TenantURL
	Name  *string   `json:"name,omitempty" minLength:"1" maxLength:"200" doc:"Its name, for people." example:"Acme Ltd"`
	Hosts *[]string `json:"hosts,omitempty" maxItems:"20" doc:"The host names that are its own, without ports; no others are." example:"[\"acme.example.com\"]"`
}

const tenantsPath = "/v1/tenants"

// tenantHandler has the operations for operators of the installation. They need an
// operator's credential, which is valid for nothing else.
type tenantHandler struct {
	kernel  *rest.Kernel
	service people.Services
}

func (h tenantHandler) register() {
	const tag = "tenants"
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.CreateTenant,
		Pattern:     "POST " + tenantsPath,
		Tag:         tag,
		Summary:     "Create a tenant",
		Description: "With a token that may do everything in it.",
		Problems:    []int{http.StatusConflict},
		Callers:     rest.Operators,
		Success:     http.StatusCreated,
	}, h.createTenant)
	rest.Handle(h.kernel, rest.Operation{
		ID: access.ListTenants, Pattern: "GET " + tenantsPath, Tag: tag,
		Summary:     "List the tenants",
		Description: "The oldest first.",
		Callers:     rest.Operators,
	}, func(ctx context.Context, in *rest.InList) (*rest.PageAnswer[Tenant], error) {
		all, err := h.service.Tenants.Tenants(ctx, rest.PrincipalOf(ctx))
		if err != nil {
			return nil, err
		}
		return rest.PageBehind(rest.NewPager(h.kernel, "tenants", h.showTenant,
			func(t store.Tenant) int64 { return t.ID }), in.Cursor, all)
	})
	rest.Handle(h.kernel, rest.Operation{
		ID:      access.CreateAdministrator,
		Pattern: "POST " + tenantsPath + "/{key}/administrators",
		Tag:     tag,
		Summary: "Create an administrator",
		Description: "A token that may do everything in the tenant, for when nobody can sign in as an administrator " +
			"any more. The tenant's audit records it.",
		Problems: []int{http.StatusNotFound, http.StatusUnprocessableEntity},
		Callers:  rest.Operators,
		Success:  http.StatusCreated,
	}, h.createAdministrator)
	rest.HandleBody(h.kernel, rest.Operation{
		ID:          access.UpdateTenant,
		Pattern:     "PATCH " + tenantsPath + "/{key}",
		Tag:         tag,
		Summary:     "Change a tenant",
		Description: "Absent members stay as they are.",
		Problems:    []int{http.StatusNotFound, http.StatusConflict},
		Callers:     rest.Operators,
	}, h.updateTenant)
}

func (h tenantHandler) createTenant(ctx context.Context, in *rest.IdempotencyHeader,
	body NewTenant) (*rest.PostAnswer[CreatedTenant], error) {
	return rest.Create[CreatedTenant](ctx, *in, func(t people.NewTenant) (store.Answer, error) {
		made := CreatedTenant{h.showTenant(t.Tenant), t.Token.Bearer}
		return rest.Answer(http.StatusCreated, made, "Location", tenantsPath+"/"+t.Tenant.Key)
	}, func(o authz.Once) (people.NewTenant, error) {
		return h.service.Tenants.CreateTenant(ctx, rest.PrincipalOf(ctx), body.Key, people.TenantChange{
			Name: body.Name, Hosts: body.Hosts, Variables: body.Variables, Allow: body.Allow,
			PublicURL: body.PublicURL, ContactIDs: body.ContactIDs,
		}, o)
	})
}

// InTenant is embedded in the parameters of operations on one tenant.
type InTenant struct {
	Key string `path:"key" maxLength:"100" doc:"The key of the tenant." example:"acme"`
}

func (h tenantHandler) createAdministrator(ctx context.Context, in *struct {
	InTenant
	rest.IdempotencyHeader
}) (*rest.PostAnswer[CreatedToken], error) {
	return rest.Create[CreatedToken](ctx, in.IdempotencyHeader, func(t people.NewToken) (store.Answer, error) {
		return rest.Answer(http.StatusCreated, CreatedToken{showToken(t.Token), t.Bearer}, "Location",
			"/v1/tokens/"+t.Token.ID)
	}, func(o authz.Once) (people.NewToken, error) {
		return h.service.Tenants.CreateTenantAdministrator(ctx, rest.PrincipalOf(ctx), in.Key, o)
	})
}

func (h tenantHandler) updateTenant(ctx context.Context, in *InTenant,
	body TenantUpdate) (*struct{ Body Tenant }, error) {
	t, err := h.service.Tenants.ChangeTenant(ctx, rest.PrincipalOf(ctx), in.Key, people.TenantChange{
		Name: body.Name, Hosts: body.Hosts, Variables: body.Variables, Allow: body.Allow,
		PublicURL: body.PublicURL, ContactIDs: body.ContactIDs,
	})
	if err != nil {
		return nil, err
	}
	return &struct{ Body Tenant }{h.showTenant(t)}, nil
}

func (h tenantHandler) showTenant(t store.Tenant) Tenant {
	return Tenant{
		PublicURL:  rest.OrNull(t.PublicURL),
		URL:        h.service.Tenants.PublicURLOf(t),
		Key:        t.Key,
		Name:       t.Name,
		Hosts:      append([]string{}, t.Hosts...),
		CreatedAt:  rest.Time(t.CreatedAt),
		Variables:  append([]string{}, t.Variables...),
		Allow:      append([]string{}, t.Allow...),
		ContactIDs: cmp.Or(t.ContactIDs, casetype.RandomIDs),
	}
}
