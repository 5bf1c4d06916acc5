package api

import (
	"github.com/danielgtaylor/huma/v2"
)

const introduction = "A callback can change or refuse every change to a case before it commits; afterwards, Casehook " +
	"sends the change to the endpoints that subscribe to it. Requests to /v1 take a bearer token or the session of " +
	"a signed-in user, and read and change data of that tenant only. Every error is a problem (RFC 9457) with a " +
	"stable code. Request bodies are strict: an unknown or repeated name is refused, and the problem says where it " +
	"stands; null for an optional value means that the value is absent. Bodies may be compressed with " +
	"Content-Encoding: gzip. Add ?pretty to any address to get indented JSON. Times are RFC 3339; times in answers " +
	"are in UTC, with milliseconds."

// describe returns the OpenAPI document without its operations.
func describe(version string) *huma.OpenAPI {
	return &huma.OpenAPI{
		Info: &huma.Info{
			Title: "Casehook", Version: version, Description: introduction,
			Contact: &huma.Contact{Name: "Casehook", URL: "https://github.com/casehook/casehook"},
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: "/"}},
		Tags: []*huma.Tag{
			{Name: "case types", Description: "Definitions: fields, states, transitions and their callbacks."},
			{Name: "cases", Description: "Cases, and what happens to them."},
			{Name: "views", Description: "Filters of the console's pages that people have saved."},
			{Name: "jobs", Description: "Things that are done with many cases, in the background."},
			{Name: "questions", Description: "Questions to callbacks, and their answers."},
			{Name: "labels", Description: "Labels for cases of all types."},
			{Name: "comments", Description: "Remarks about a case."},
			{Name: "documents", Description: "PDFs that are made from a case."},
			{Name: "proofs", Description: "Files that people attach to a case."},
			{Name: "contacts", Description: "People and businesses, and what they are to cases."},
			{Name: "endpoints", Description: "Receivers of webhooks."},
			{Name: "attempts", Description: "Requests to endpoints, and their results."},
			{Name: "triggers", Description: "Triggers that endpoints can subscribe to, and their subscribers."},
			{Name: "journal", Description: "The same messages for clients that poll or stream."},
			{Name: "session", Description: "Signing in and out, and the caller."},
			{Name: "users", Description: "People, and what they may do and see."},
			{Name: "tokens", Description: "The credentials of programs."},
			{Name: "tenants", Description: "Isolated customers in one server, for its operators."},
			{Name: "audit", Description: "Sign-ins, refusals, and changes to rights, endpoints and case types."},
			{Name: "server", Description: "The process itself."},
		},
		Components: &huma.Components{
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "chk_<id>.<secret>"},
				"session": {
					Type: "apiKey", In: "cookie", Name: "__Host-casehook_session",
					Description: "Set by POST /v1/session. Over plain HTTP its name is casehook_session.",
				},
				"operator": {Type: "http", Scheme: "bearer", BearerFormat: "cho_<time>.<signature>",
					Description: "Made out of the installation's key by casehook tenant; good for five minutes."},
			},
		},
	}
}
