// Package hooks has the console's pages about endpoints and what they are sent: messages, endpoints, replays, and the
// catalogue of triggers.
package hooks

import (
	"context"
	"net/url"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/delivery"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/input"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/web/ui"
)

// Config has the collaborators and settings of the pages, besides the use cases.
type Config struct {
	Kernel *rest.Kernel
	Tester *delivery.Tester
	Portal *people.Portal

	Version, AtfinityVersion string // in examples
}

// handler has the pages.
type handler struct {
	services hooks.Services
	config   Config
	ids      rest.SealedIDs // of attempts
}

// Register registers the pages.
func Register(s *ui.Site, services hooks.Services, c Config) {
	h := handler{services, c, c.Kernel.SealedIDs("att_")}
	h.registerEndpoints(s)
	h.registerForms(s)
	h.registerCatalogue(s)
	s.Page("GET /problems", access.ListProblems, h.listProblems)
	h.registerReplays(s)
	h.registerPortal(s)
	s.Page("GET /messages", access.FindAttempts, h.listMessages)
	s.Page("GET /messages/{attempt}", access.GetAttempt, h.showMessage)
	s.Page("POST /messages/selected", access.ResendMessage, h.showSelected)
	s.Page("POST /messages/resend", access.ResendMessage, h.resendSelected)
	s.Page("POST /messages/{attempt}/resend", access.ResendMessage, h.resend)
	s.Page("POST /messages/{attempt}/drop", access.DropDead, h.drop)
	s.Page("POST /messages/{attempt}/retry", access.RetryParked, h.retry)
	s.Page("GET /messages/{attempt}/replay", access.ListDead, h.showReplayFailed)
	s.Page("POST /messages/{attempt}/replay", access.RetryDead, h.replayFailed)
}

// maxEndpoints bounds how many endpoints a page names or offers.
const maxEndpoints = 500

// endpointNames returns the names of the endpoints by their ids, and the endpoints in their order.
func (h handler) endpointNames(ctx context.Context, r *ui.Request) (map[string]string, []endpoint.Endpoint, error) {
	names := map[string]string{}
	var all []endpoint.Endpoint
	for after := ""; ; {
		found, err := h.services.Endpoints.Endpoints(ctx, r.Principal, after, input.MaxPage)
		if err != nil {
			return nil, nil, err
		}
		for _, e := range found.Items {
			after, names[e.ID] = e.ID, nameOf(e)
		}
		all = append(all, found.Items...)
		if !found.More || len(found.Items) == 0 || len(all) >= maxEndpoints {
			return names, all, nil
		}
	}
}

// nameSubjects names cases by their references, as far as the caller sees them. For a receiver the subjects have ids,
// and lead nowhere.
func (h handler) nameSubjects(ctx context.Context, r *ui.Request, all ...*subject) error {
	if r.Portal() {
		for _, s := range all {
			s.Href = ""
		}
		return nil
	}
	var texts []string
	for _, s := range all {
		texts = append(texts, s.of)
	}
	references, err := h.services.Messages.References(ctx, r.Principal, texts)
	for _, s := range all {
		if reference := references[s.of]; reference != "" {
			s.Name = reference
		}
	}
	return err
}

// nameOf returns the name of an endpoint, or its address where it has none.
func nameOf(e endpoint.Endpoint) string {
	if e.Name != "" {
		return e.Name
	}
	if u, err := url.Parse(e.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return e.ID
}
