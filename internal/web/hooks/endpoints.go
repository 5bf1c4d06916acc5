package hooks

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// registerEndpoints registers the pages about endpoints.
func (h handler) registerEndpoints(s *ui.Site) {
	s.Page("GET /endpoints", access.ListEndpoints, h.listEndpoints)
	s.Page("GET /endpoints/{id}", access.GetEndpoint, h.showEndpoint)
	s.Page("POST /endpoints/{id}/pause", access.UpdateEndpoint, h.pause)
	s.Page("POST /endpoints/{id}/resume", access.UpdateEndpoint, h.resume)
	s.Page("POST /endpoints/{id}/delete", access.DeleteEndpoint, h.deleteEndpoint)
	s.Page("POST /endpoints/{id}/filter", access.UpdateEndpoint, h.saveFilter)
	s.Page("POST /endpoints/{id}/secrets", access.RotateEndpointSecret, h.rotateSecret)
	s.Page("POST /endpoints/{id}/secrets/{secret}/end", access.DeleteEndpointSecret, h.endSecret)
	s.Page("POST /endpoints/{id}/secrets/{secret}/test", access.TestEndpoint, h.testSecret)
	s.Page("POST /endpoints/{id}/test", access.TestEndpoint, h.testSend)
	s.Page("POST /endpoints/{id}/dead/retry", access.RetryDead, h.retryDead)
	s.Page("POST /endpoints/{id}/dead/drop", access.DropDead, h.dropDead)
	s.Page("POST /endpoints/{id}/parked/retry", access.RetryParked, h.retryParked)
	s.Page("POST /endpoints/{id}/parked/drop", access.DropParked, h.dropParked)
}

// endpointRow is an endpoint in the list.
type endpointRow struct {
	Endpoint endpoint.Endpoint
	Name     string
	State    endpointState
	Lag      store.Lag
	Since    string // for kind long it has been failing
}

// endpointState is kind an endpoint is doing, in a word.
type endpointState struct{ Color, Tone, Text string }

func stateOf(e endpoint.Endpoint) endpointState {
	if e.Status == endpoint.Paused {
		return endpointState{"gray", "", "paused"}
	}
	switch c := e.Condition(); c {
	case endpoint.Healthy:
		return endpointState{"green", "", "healthy"}
	case endpoint.Unsteady:
		return endpointState{"orange", "wait", string(c)}
	default:
		return endpointState{"red", "bad", string(c)}
	}
}

// endpointList is a page of the list of endpoints.
type endpointList struct {
	Rows  []endpointRow
	Ill   int // kind many of them are failing, refusing or disabled
	More  string
	Show  string
	Chips []ui.Chip

	Portal bool // the reader is a receiver
}

// shown says what the endpoints are that the list is narrowed to.
var shown = map[string]string{
	string(hooks.DebtEntries): "behind", string(hooks.DebtParked): "waiting for a next try",
	string(hooks.DebtDead): "owed what was given up", string(hooks.DebtStopped): "stopped",
}

// listEndpoints shows the endpoints, the oldest first, or those that are behind in the way that the address names.
func (h handler) listEndpoints(ctx context.Context, r *ui.Request) (ui.View, error) {
	after := ""
	if err := r.Position("endpoints", &after); err != nil {
		return ui.View{}, err
	}
	list := endpointList{Portal: r.Portal()}
	all, next, err := h.endpointsAfter(ctx, r, after, &list)
	if err != nil {
		return ui.View{}, err
	}
	now := time.Now()
	for _, e := range all {
		row := endpointRow{Endpoint: e, Name: nameOf(e), State: stateOf(e)}
		if !list.Portal {
			if row.Lag, err = h.services.Endpoints.Lag(ctx, r.Principal, e.ID); err != nil {
				return ui.View{}, err
			}
		}
		if !e.Health.Since.IsZero() {
			row.Since = ui.Span(now.Sub(e.Health.Since))
		}
		if row.State.Tone == "bad" {
			list.Ill++
		}
		list.Rows = append(list.Rows, row)
	}
	if next != "" {
		if list.More, err = r.Cursor("endpoints", next); err != nil {
			return ui.View{}, err
		}
	}
	return ui.View{
		Title: "Endpoints", Section: "/endpoints", Body: endpointsPage(list), Call: "GET /v1/endpoints",
	}, nil
}

// endpointsAfter reads a page of the list, and returns where the next one begins; empty: there is none.
func (h handler) endpointsAfter(
	ctx context.Context, r *ui.Request, after string, list *endpointList,
) (all []endpoint.Endpoint, next string, err error) {
	kind := r.Query("show")
	if shown[kind] != "" && !list.Portal {
		list.Show = kind
		without := ui.Without("/endpoints", r.HTTP.URL.Query(), "show")
		list.Chips = []ui.Chip{{Name: "show", Value: kind, Without: without}}
		return h.services.Endpoints.EndpointsOwed(ctx, r.Principal, hooks.Debt(kind), after)
	}
	found, err := h.services.Endpoints.Endpoints(ctx, r.Principal, after, 0)
	if found.More && len(found.Items) > 0 {
		next = found.Items[len(found.Items)-1].ID
	}
	return found.Items, next, err
}

// nothing says that a narrowed list is empty, as far as it was read.
func (l endpointList) nothing() string {
	if l.More != "" {
		return "None of the endpoints so far is " + shown[l.Show] + "."
	}
	return "No endpoint is " + shown[l.Show] + "."
}

// sentence sums the list up.
func (l endpointList) sentence() string {
	switch {
	case l.Ill == 1:
		return "1 endpoint does not take its messages."
	case l.Ill > 1:
		return ui.Number(l.Ill) + " endpoints do not take their messages."
	}
	return "All endpoints take their messages."
}

// entries formats a number of entries, which may be an estimate.
func entries(l store.Lag) string {
	if l.Estimated {
		return "about " + ui.Number(int(l.Entries))
	}
	return ui.Number(int(l.Entries))
}

// commits formats the number of entries that an endpoint is behind.
func commits(l store.Lag) string {
	if l.Estimated {
		return entries(l) + " commits"
	}
	return ui.Count(int(l.Entries), "commit")
}

// dead formats the number of an endpoint's dead messages.
func dead(l store.Lag) string {
	if l.Dead == 1 {
		return "1 dead message"
	}
	return upTo(l.Dead) + " dead messages"
}

// upTo formats a count that is shown up to 1000.
func upTo(n int64) string {
	if n >= 1000 {
		return "1,000 or more"
	}
	return ui.Number(int(n))
}

// health says in sentences what is wrong with an endpoint.
type health struct{ Tone, Title, Text string }

// healthOf describes an endpoint's health; no title: all is well.
func healthOf(e endpoint.Endpoint, now time.Time) health {
	since := ""
	if !e.Health.Since.IsZero() {
		since = " for " + ui.Span(now.Sub(e.Health.Since))
	}
	reason := e.Health.Reason
	switch c := e.Condition(); {
	case c == endpoint.Down:
		return health{"bad", "It is disabled: nothing is sent.",
			"It answered 410, or failed for too long. " + last(reason) +
				"Messages wait, for 30 days at most. Repair the receiver, then make the endpoint active again."}
	case e.Status == endpoint.Paused:
		return health{"wait", "It is paused: nothing is sent.", "Messages wait, for 30 days at most."}
	case c == endpoint.Failing:
		return health{"bad", "It has accepted nothing" + since + ".",
			last(reason) + "One message at a time asks whether it is back, and no retry is used up. Nothing is lost."}
	case c == endpoint.Refusing:
		return health{"bad", "It answers, but has accepted nothing" + since + ".",
			last(reason) + "Its messages use up their retries and are given up. Repair the receiver, then resend."}
	case c == endpoint.Unsteady:
		return health{"wait", "Its last message failed.", last(reason) + "This may pass: it is tried again."}
	}
	return health{}
}

func last(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf("The last failure: %s. ", strings.TrimSuffix(reason, "."))
}

// pathOf returns the address of an endpoint's page, at a section of it.
func pathOf(endpointID, done, section string) string {
	path := "/endpoints/" + url.PathEscape(endpointID)
	if done != "" {
		path += "?done=" + done
	}
	if section != "" {
		path += "#" + section
	}
	return path
}
