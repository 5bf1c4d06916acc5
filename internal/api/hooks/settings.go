package hooks

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/endpoint"
)

// Texts is a change of texts by name: null removes one, and absent names keep theirs.
type Texts map[string]*string

// Schema describes an object of texts and nulls.
func (Texts) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject,
		AdditionalProperties: &huma.Schema{Type: huma.TypeString, Nullable: true}}
}

// Settings are the settings that the creation and the change of an endpoint share. Absent
// members stay as they are.
type Settings struct {
	Description *string `json:"description,omitempty" maxLength:"1000" doc:"Its purpose, for people." example:"Keeps the CRM up to date."`
	Metadata    Texts   `json:"metadata,omitempty" maxProperties:"100" doc:"Texts by name for programs, which Casehook keeps and makes nothing of; null removes one, and what is not named stays. At most 50 of up to 500 characters, with names of up to 40." example:"{\"team\": \"billing\"}"`
	Auth        *Auth   `json:"auth,omitempty" doc:"How requests authenticate themselves to the destination, besides their signature. It is replaced as a whole; (hidden) leaves a secret as it is, unless it would go to another host."`
	TLS         *TLS    `json:"tls,omitempty" doc:"The certificates for TLS connections. It is replaced as a whole; an empty object removes it, and (hidden) leaves the key as it is."`
	OptionsChange
	Headers Texts `json:"headers,omitempty" maxProperties:"40" doc:"Headers that go with each request, by name; null removes one, and headers that are not named stay. Values are kept sealed and never shown: (hidden), which is shown in their place, leaves one as it is. At most 20 of up to 2048 bytes of printable ASCII, 6 KiB altogether. Headers that Casehook sets itself are refused." example:"{\"X-Api-Key\": \"s3cr3t\"}"`
}

// OptionsChange has the options of an endpoint that a request sets. The others keep their values.
type OptionsChange struct {
	endpoint.Options
	given json.RawMessage // the body, of which the options are members
}

// TransformSchema makes the options of a request optional.
func (OptionsChange) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Required = slices.DeleteFunc(s.Required, func(name string) bool {
		return slices.ContainsFunc(reflect.VisibleFields(reflect.TypeFor[endpoint.Options]()),
			func(f reflect.StructField) bool { return f.Tag.Get("json") == name })
	})
	return s
}

// set sets the options in the request.
func (o OptionsChange) set(to *endpoint.Options) {
	if o.given != nil {
		json.Unmarshal(o.given, to) // can't fail: it was decoded before
	}
}

// Auth is the authentication of requests at the destination.
type Auth struct {
	Type         string   `json:"type" enum:"none,bearer,basic,oauth2" doc:"none; bearer: a fixed token; basic: user name and password; oauth2: tokens by the client credentials grant (RFC 6749, 4.4), kept until shortly before they end." example:"oauth2"`
	Token        string   `json:"token,omitempty" maxLength:"4096" doc:"Of bearer: the token." example:"s3cr3t"`
	Username     string   `json:"username,omitempty" maxLength:"4096" doc:"Of basic: the user name." example:"casehook"`
	Password     string   `json:"password,omitempty" maxLength:"4096" doc:"Of basic: the password." example:"s3cr3t"`
	TokenURL     string   `json:"token_url,omitempty" maxLength:"2048" doc:"Of oauth2: where tokens are asked for; https." example:"https://login.example.com/oauth2/token"`
	ClientID     string   `json:"client_id,omitempty" maxLength:"4096" doc:"Of oauth2: the client's id." example:"casehook"`
	ClientSecret string   `json:"client_secret,omitempty" maxLength:"4096" doc:"Of oauth2: the client's secret." example:"s3cr3t"`
	Scopes       []string `json:"scopes,omitempty" maxItems:"50" doc:"Of oauth2: the scopes to ask for." example:"[\"hooks:write\"]"`
	Audience     string   `json:"audience,omitempty" maxLength:"2048" doc:"Of oauth2: the audience to ask for, where the server wants one." example:"https://crm.example.com"`
	ClientAuth   string   `json:"client_auth,omitempty" enum:"header,body" doc:"Of oauth2: where id and secret of the client go: as basic authentication (header, the default), or in the body." example:"header"`
}

// TLS has the certificates for TLS connections to an endpoint.
type TLS struct {
	Certificate string `json:"certificate,omitempty" doc:"The certificate that servers are shown, in PEM, with those between it and its root." example:"-----BEGIN CERTIFICATE-----\n..."`
	Key         string `json:"key,omitempty" doc:"Its private key, in PEM, without a password." example:"-----BEGIN PRIVATE KEY-----\n..."`
	CA          string `json:"ca,omitempty" doc:"The only roots that the server's certificate may have, in PEM; absent: the system's." example:"-----BEGIN CERTIFICATE-----\n..."`
}

// ShownTLS is TLS without the key.
type ShownTLS struct {
	TLS
	ExpiresAt rest.TimeOrNull `json:"expires_at" doc:"When the certificate expires; null: there is none."`
}

// apply sets the members of e that are present.
func (s Settings) apply(e *endpoint.Endpoint) {
	if s.Auth != nil {
		e.SetAuth(s.Auth.read())
	}
	if s.TLS != nil {
		e.SetTLS(endpoint.TLS(*s.TLS))
	}
	rest.Set(&e.Description, s.Description)
	s.OptionsChange.set(&e.Options)
	e.Metadata = endpoint.MergeMetadata(e.Metadata, s.Metadata)
	e.Headers = endpoint.MergeHeaders(e.Headers, s.Headers)
}

// maskedHeaders returns the headers by name, without their values.
func maskedHeaders(headers []endpoint.Header) map[string]string {
	shown := make(map[string]string, len(headers))
	for _, h := range headers {
		shown[h.Name] = endpoint.Hidden
	}
	return shown
}

// metadataOf returns the metadata of an endpoint, which is never nil.
func metadataOf(e endpoint.Endpoint) map[string]string {
	if e.Metadata == nil {
		return map[string]string{}
	}
	return e.Metadata
}

func (a Auth) read() endpoint.Auth {
	kind := endpoint.AuthKind(a.Type)
	if a.Type == "none" {
		kind = endpoint.NoAuth
	}
	return endpoint.Auth{
		Kind:         kind,
		Token:        a.Token,
		Username:     a.Username,
		Password:     a.Password,
		TokenURL:     a.TokenURL,
		ClientID:     a.ClientID,
		ClientSecret: a.ClientSecret,
		Scopes:       a.Scopes,
		Audience:     a.Audience,
		ClientAuth:   a.ClientAuth,
	}
}

// showAuth returns the authentication without its secrets.
func showAuth(from endpoint.Auth) Auth {
	a := from.Masked()
	return Auth{
		Type:         cmp.Or(string(a.Kind), "none"),
		Token:        a.Token,
		Username:     a.Username,
		Password:     a.Password,
		TokenURL:     a.TokenURL,
		ClientID:     a.ClientID,
		ClientSecret: a.ClientSecret,
		Scopes:       a.Scopes,
		Audience:     a.Audience,
		ClientAuth:   a.ClientAuth,
	}
}

func showTLS(t endpoint.TLS) ShownTLS {
	out := ShownTLS{TLS: TLS(t.Masked())}
	if ends, there := t.CertificateEnds(); there {
		out.ExpiresAt = rest.TimeOrNull(ends)
	}
	return out
}
