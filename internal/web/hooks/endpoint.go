package hooks

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/people"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
)

// endpointDetail is one endpoint with all that is known about it.
type endpointDetail struct {
	Endpoint endpoint.Endpoint
	Name     string
	State    endpointState
	Health   health
	Lag      store.Lag
	Contact  store.LastContact
	Secrets  []shownSecret
	Rotation *rotation // nil: no secret is about to end
	Recent   []messageRow
	Replays  []replayRow
	Parked   []parkedRow
	Dead     []deadRow
	MoreDead bool
	MoreLate bool // more are parked than are shown
	Now      time.Time
	Note     string
	Made     string              // a secret that was just made, to be shown once
	Links    []access.PortalLink // in force
	MadeLink people.NewPortalLink
	Tester   filterTest
	Test     testSend
	Portal   bool // the reader is a receiver

	ReplayFaults []ui.Fault
}

// shownSecret is a secret of an endpoint, without its key.
type shownSecret struct {
	ID, Kind, Fingerprint string
	Public                string // the public key of a pair
	Made, Ends            time.Time
	Tested                endpoint.SecretTest
}

// rotation is what is known of a secret that is to replace another one.
type rotation struct {
	New, Old  shownSecret
	Delivered string // messages accepted since, signed by both
}

// parkedRow is a lane that waits for the next try of its first message.
type parkedRow struct {
	store.ParkedLane
	About subject
}

// deadRow is a message that was given up.
type deadRow struct {
	store.DeadMessage
	About subject
}

// The numbers of rows of an endpoint's page.
const (
	recentRows = 10
	repairRows = 20
)

// endpointNotes tell what was just done, by the parameter of the address.
var endpointNotes = map[string]string{
	"made":    "The endpoint is made. It receives what is committed from now on.",
	"saved":   "Saved. It holds for all that has not been sent yet.",
	"paused":  "Paused: nothing is sent until you resume it.",
	"resumed": "Active again, at its cursor: nothing was skipped.",
	"revoked": "The portal link is revoked: it opens nothing any more, and its sessions have ended.",
	"skipped": "Active again, at the head of the journal: messages that waited are skipped.",
	"ended":   "The secret has ended: it signs nothing any more.",
	"retry":   "They are being sent again.",
	"tested":  "A sample was sent that this secret alone signed. What came of it stands under Secrets.",
	"drop":    "Dropped. They stay listed as dropped.",
	"replay":  "The replay has started.",
	"cancel":  "The replay is cancelled. What it has sent stays sent.",
}

func (h handler) showEndpoint(ctx context.Context, r *ui.Request) (ui.View, error) {
	d, err := h.endpointDetail(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	d.Note = endpointNotes[r.Query("done")]
	if d.Portal {
		return d.view(), nil
	}
	if d.Tester, err = h.filterTest(ctx, r, d.Endpoint); err != nil {
		return ui.View{}, err
	}
	return d.view(), nil
}

func (d endpointDetail) view() ui.View {
	return ui.View{
		Title: d.Name, Section: "/endpoints", Body: endpointPage(d),
		Call: "GET /v1/endpoints/" + d.Endpoint.ID + "/health",
	}
}

// endpointDetail reads the endpoint that a request's path names.
func (h handler) endpointDetail(ctx context.Context, r *ui.Request) (d endpointDetail, err error) {
	id, p := r.Path("id"), r.Principal
	if d.Endpoint, d.Contact, err = h.services.Endpoints.EndpointHealth(ctx, p, id); err != nil {
		return d, err
	}
	d.Now, d.Name, d.State = time.Now(), nameOf(d.Endpoint), stateOf(d.Endpoint)
	d.Health, d.Test = healthOf(d.Endpoint, d.Now), newTestSend(d.Endpoint, r.Query("trigger"))
	d.Tester = filterTest{Filter: d.Endpoint.Filter}
	if d.Portal = r.Portal(); !d.Portal {
		if err := h.addSecrets(ctx, r, &d); err != nil {
			return d, err
		}
	}
	recent, err := h.services.Messages.Attempts(ctx, p, hooks.AttemptQuery{
		AttemptFilter: store.AttemptFilter{Endpoint: id, Limit: recentRows},
	})
	if err != nil {
		return d, err
	}
	for _, a := range recent.Items {
		d.Recent = append(d.Recent, h.row(a, map[string]string{id: d.Name}, nil))
	}
	if err := h.addRepairs(ctx, r, &d); err != nil {
		return d, err
	}
	d.Replays, err = h.replaysOf(ctx, r, d.Endpoint, recentRows)
	return d, err
}

// rotation returns the newest secret that another one of its kind gives way to; nil: there is none.
func (h handler) rotation(ctx context.Context, r *ui.Request, d endpointDetail) (*rotation, error) {
	for i, s := range d.Secrets {
		at := slices.IndexFunc(d.Secrets[i+1:], func(old shownSecret) bool {
			return old.Kind == s.Kind && !old.Ends.IsZero()
		})
		if at < 0 || !s.Ends.IsZero() {
			continue
		}
		accepted, err := h.services.Messages.CountAttempts(ctx, r.Principal, store.AttemptFilter{
			Endpoint: d.Endpoint.ID, Outcome: store.Delivered, Since: s.Made,
		})
		return &rotation{s, d.Secrets[i+1+at], boundedCount(accepted.Sum(), accepted.Complete)}, err
	}
	return nil, nil
}

// addSecrets adds what receivers do not see: how far the endpoint is behind, its secrets, and the portal links.
func (h handler) addSecrets(ctx context.Context, r *ui.Request, d *endpointDetail) (err error) {
	if d.Lag, err = h.services.Endpoints.Lag(ctx, r.Principal, d.Endpoint.ID); err != nil {
		return err
	}
	secrets, err := h.services.Endpoints.EndpointSecrets(ctx, r.Principal, d.Endpoint.ID)
	if err != nil {
		return err
	}
	for _, s := range secrets {
		d.Secrets = append(d.Secrets, showSecret(s))
	}
	if d.Rotation, err = h.rotation(ctx, r, *d); err != nil {
		return err
	}
	d.Links, err = h.linksOf(ctx, r, d.Endpoint)
	return err
}

func showSecret(s endpoint.Secret) shownSecret {
	out := shownSecret{ID: s.ID, Kind: string(s.Kind), Made: s.CreatedAt, Ends: s.ExpiresAt, Tested: s.Tested}
	given := outbound.FormatKey(s.Key)
	if s.Kind == endpoint.V1a {
		given = outbound.FormatPublicKey(s.Key)
		out.Public = given
	}
	out.Fingerprint = outbound.Fingerprint(given)
	return out
}

// addRepairs adds the messages that wait and those that were given up.
func (h handler) addRepairs(ctx context.Context, r *ui.Request, d *endpointDetail) error {
	lanes, later, err := h.services.Messages.Parked(ctx, r.Principal, d.Endpoint.ID, store.LanePlace{}, repairRows)
	if err != nil {
		return err
	}
	for _, l := range lanes {
		d.Parked = append(d.Parked, parkedRow{l, subjectOf(l.Subject)})
	}
	dead, next, err := h.services.Messages.DeadMessages(ctx, r.Principal, hooks.DeadSelection{
		Endpoint: d.Endpoint.ID, State: store.Given, Limit: repairRows,
	})
	if err != nil {
		return err
	}
	for _, m := range dead {
		d.Dead = append(d.Dead, deadRow{m, subjectOf(m.Subject)})
	}
	d.MoreDead, d.MoreLate = next != nil, later != nil
	if d.Portal {
		d.Lag.Parked, d.Lag.Dead = int64(len(d.Parked)), int64(len(d.Dead))
	}
	var named []*subject
	for i := range d.Parked {
		named = append(named, &d.Parked[i].About)
	}
	for i := range d.Dead {
		named = append(named, &d.Dead[i].About)
	}
	if err := h.nameSubjects(ctx, r, named...); err != nil {
		return err
	}
	return h.nameRows(ctx, r, d.Recent)
}

// deadCount formats the number of dead messages. A receiver is told of those that are shown.
func (d endpointDetail) deadCount() string {
	if d.Portal && d.MoreDead {
		return upTo(d.Lag.Dead) + " or more"
	}
	return upTo(d.Lag.Dead)
}

// deadMessages is deadCount with the word.
func (d endpointDetail) deadMessages() string {
	if d.Lag.Dead == 1 && !d.MoreDead {
		return "1 dead message"
	}
	return d.deadCount() + " dead messages"
}

// parkedCount formats the number of parked messages, as deadCount does.
func (d endpointDetail) parkedCount() string {
	if d.Portal && d.MoreLate {
		return ui.Number(int(d.Lag.Parked)) + " or more"
	}
	return ui.Number(int(d.Lag.Parked))
}

// settings lists an endpoint's settings in words.
func (d endpointDetail) settings() (all []header) {
	e, p := d.Endpoint, d.Endpoint.Policy.WithDefaults()
	add := func(name, value string) {
		if value != "" {
			all = append(all, header{name, value})
		}
	}
	add("Description", e.Description)
	add("Order", map[endpoint.Order]string{
		endpoint.PerCase: "messages of a case keep their order", endpoint.Strict: "all messages keep their order",
		endpoint.None: "messages do not wait for each other",
	}[p.Order])
	retries := "none"
	if len(p.Retries) > 0 {
		retries = ui.Number(len(p.Retries)) + ": " + durations(p.Retries)
	}
	add("Retries", retries)
	add("Timeout", p.Timeout.String())
	add("At once", ui.Count(p.Concurrency, "request"))
	if p.RateLimit > 0 {
		add("Rate limit", strconv.FormatFloat(p.RateLimit, 'g', -1, 64)+" a second")
	}
	if len(e.Sources) == 1 {
		add("Sources", e.Sources[0]+" alone")
	}
	if e.IgnoreOwn {
		add("Ignores", "what its own token caused")
	}
	if !d.Portal {
		add("Clearance", string(e.Clearance))
	}
	add("Bodies", string(e.Options.WithDefaults().Payload))
	if e.KeepAnswers {
		add("Answers", "are kept")
	}
	for _, h := range e.Headers {
		add("Header", h.Name+": "+endpoint.Hidden)
	}
	add("Authentication", string(e.Auth.Kind))
	if e.TLS.Certificate != "" {
		ends, _ := e.TLS.CertificateEnds()
		add("Client certificate", "until "+ends.UTC().Format(time.DateOnly))
	}
	for name, value := range e.Metadata {
		add("Metadata "+name, value)
	}
	return all
}

// onEndpoint does something with an endpoint, and leads back to its page.
func onEndpoint(r *ui.Request, done, section string, do func(endpointID string) error) (ui.View, error) {
	id := r.Path("id")
	return ui.Redirect(pathOf(id, done, section)), do(id)
}

// setStatus makes an endpoint active or pauses it.
func (h handler) setStatus(ctx context.Context, r *ui.Request, s endpoint.Status, atHead bool) error {
	_, err := h.services.Endpoints.UpdateEndpointFrom(ctx, r.Principal, r.Path("id"), atHead,
		func(e *endpoint.Endpoint) { e.Status = s })
	return err
}

// pause pauses an endpoint. To resume it at its cursor takes that back.
func (h handler) pause(ctx context.Context, r *ui.Request) (ui.View, error) {
	if err := h.setStatus(ctx, r, endpoint.Paused, false); err != nil {
		return ui.View{}, err
	}
	path := pathOf(r.Path("id"), "", "")
	return r.RedirectUndo(path, ui.Undo{Note: endpointNotes["paused"], Path: path + "/resume"})
}

// resume makes an endpoint active: at its cursor, or at the head of the journal.
func (h handler) resume(ctx context.Context, r *ui.Request) (ui.View, error) {
	atHead := r.Form("at") == "head"
	if err := h.setStatus(ctx, r, endpoint.Active, atHead); err != nil {
		return ui.View{}, err
	}
	path := pathOf(r.Path("id"), "", "")
	undo := ui.Undo{Note: endpointNotes["resumed"], Path: path + "/pause"}
	if atHead {
		undo = ui.Undo{Note: endpointNotes["skipped"]} // nothing brings back what is skipped
	}
	return r.RedirectUndo(path, undo)
}

func (h handler) deleteEndpoint(ctx context.Context, r *ui.Request) (ui.View, error) {
	err := h.services.Endpoints.DeleteEndpoint(ctx, r.Principal, r.Path("id"))
	return ui.Redirect("/endpoints"), err
}

// selection returns the messages that a form names; without one it means all.
func selection(r *ui.Request) hooks.MessageSelection {
	if m := r.Form("message"); m != "" {
		return hooks.MessageSelection{Messages: []string{m}}
	}
	return hooks.MessageSelection{All: r.Form("all") == "yes"}
}

func (h handler) retryDead(ctx context.Context, r *ui.Request) (ui.View, error) {
	return onEndpoint(r, "retry", "dead", func(id string) error {
		_, err := h.services.Messages.RetryDead(ctx, r.Principal, id, selection(r), authz.Once{})
		return err
	})
}

func (h handler) dropDead(ctx context.Context, r *ui.Request) (ui.View, error) {
	return onEndpoint(r, "drop", "dead", func(id string) error {
		_, err := h.services.Messages.DropDead(ctx, r.Principal, id, selection(r), authz.Once{})
		return err
	})
}

func (h handler) retryParked(ctx context.Context, r *ui.Request) (ui.View, error) {
	return onEndpoint(r, "retry", "parked", func(id string) error {
		_, err := h.services.Messages.RetryParked(ctx, r.Principal, id, selection(r), authz.Once{})
		return err
	})
}

func (h handler) dropParked(ctx context.Context, r *ui.Request) (ui.View, error) {
	return onEndpoint(r, "drop", "parked", func(id string) error {
		_, err := h.services.Messages.DropParked(ctx, r.Principal, id, selection(r), authz.Once{})
		return err
	})
}
