package hooks

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/web/ui"
	"github.com/casehook/casehook/internal/wire"
)

// registerForms registers the pages on which endpoints are made and changed.
func (h handler) registerForms(s *ui.Site) {
	s.Page("GET /endpoints/new", access.CreateEndpoint, h.showNewEndpoint)
	s.Page("POST /endpoints", access.CreateEndpoint, h.createEndpoint)
	s.Page("GET /endpoints/{id}/edit", access.UpdateEndpoint, h.showEditEndpoint)
	s.Page("POST /endpoints/{id}/edit", access.UpdateEndpoint, h.editEndpoint)
}

// endpointForm is the form of an endpoint: what was typed, and its faults.
type endpointForm struct {
	ID, Title string // ID is empty for a new endpoint
	Values    map[string]string
	Triggers  []string
	Sources   []string
	Faults    []ui.Fault
	Groups    []triggerGroup
}

// triggerGroup has the triggers of a vendor.
type triggerGroup struct {
	Name, Description string
	Triggers          []wire.Trigger
}

func triggerGroups() (all []triggerGroup) {
	for _, f := range wire.Formats() {
		all = append(all, triggerGroup{f.Name, f.Description, f.Triggers})
	}
	return all
}

// flags are the fields that are boxes to tick.
var flags = []string{"ignore_own", "keep_answers"}

// texts are the fields with a text each. Those of authentication and TLS begin with auth_ and tls_.
var texts = []string{
	"name", "url", "description", "filter", "clearance", "retries", "timeout", "concurrency", "order", "rate_limit",
	"payload", "atfinity_version", "headers", "auth_type", "auth_token", "auth_username", "auth_password",
	"auth_token_url", "auth_client_id", "auth_client_secret", "auth_scopes", "auth_audience", "auth_client_auth",
	"tls_certificate", "tls_key", "tls_ca",
}

// formOf returns the form of an endpoint's present settings.
func formOf(e endpoint.Endpoint) endpointForm {
	p, o, a, t := e.Policy.WithDefaults(), e.Options.WithDefaults(), e.Auth.Masked(), e.TLS.Masked()
	headers := make([]string, len(e.Headers))
	for i, h := range e.Headers {
		headers[i] = h.Name + ": " + endpoint.Hidden
	}
	f := endpointForm{ID: e.ID, Title: "Edit " + nameOf(e), Triggers: e.Triggers, Sources: e.Sources}
	f.Groups = triggerGroups()
	f.Values = map[string]string{
		"name": e.Name, "url": e.URL, "description": e.Description, "filter": e.Filter,
		"clearance": string(e.Clearance),
		"retries":   durations(p.Retries), "timeout": duration(p.Timeout), "concurrency": strconv.Itoa(p.Concurrency),
		"order": string(p.Order), "rate_limit": strconv.FormatFloat(p.RateLimit, 'f', -1, 64),
		"payload": string(o.Payload), "atfinity_version": o.AtfinityVersion, "headers": strings.Join(headers, "\n"),
		"auth_type": string(a.Kind), "auth_token": a.Token, "auth_username": a.Username, "auth_password": a.Password,
		"auth_token_url": a.TokenURL, "auth_client_id": a.ClientID, "auth_client_secret": a.ClientSecret,
		"auth_scopes": strings.Join(a.Scopes, " "), "auth_audience": a.Audience, "auth_client_auth": a.ClientAuth,
		"tls_certificate": t.Certificate, "tls_key": t.Key, "tls_ca": t.CA,
	}
	if e.IgnoreOwn {
		f.Values["ignore_own"] = "yes"
	}
	if o.KeepAnswers {
		f.Values["keep_answers"] = "yes"
	}
	if len(f.Sources) == 0 {
		f.Sources = slices.Clone(endpoint.Sources)
	}
	return f
}

// readForm returns the form that was sent.
func readForm(r *ui.Request) endpointForm {
	f := endpointForm{
		Values: map[string]string{}, Groups: triggerGroups(),
		Triggers: r.HTTP.PostForm["triggers"], Sources: r.HTTP.PostForm["sources"],
	}
	for _, name := range slices.Concat(texts, flags) {
		f.Values[name] = strings.TrimSpace(r.Form(name))
	}
	f.Values["filter"] = r.Form("filter")
	return f
}

// settings are the values of a form that have to be read before they can be set.
type settings struct {
	policy  endpoint.Policy
	headers map[string]*string
}

// read reads the values that are not texts, and lists their faults.
func (f *endpointForm) read() (s settings) {
	add := func(field, title, message string) {
		f.Faults = append(f.Faults, ui.Fault{Field: field, Title: title, Message: message})
	}
	const length = "It is not a length of time; write 500ms, 30s or 2m."
	s.policy = endpoint.Policy{Retries: []time.Duration{}, Order: endpoint.Order(f.Values["order"])}
	for _, text := range strings.FieldsFunc(f.Values["retries"], func(r rune) bool { return r == ',' || r == ' ' }) {
		wait, err := time.ParseDuration(text)
		if err != nil {
			add("retries", "Retries", strconv.Quote(text)+" is not a length of time; write 5s, 30s, 2m.")
			break
		}
		s.policy.Retries = append(s.policy.Retries, wait)
	}
	var err error
	if s.policy.Timeout, err = time.ParseDuration(f.Values["timeout"]); err != nil || s.policy.Timeout <= 0 {
		add("timeout", "Timeout", length)
	}
	if s.policy.Concurrency, err = strconv.Atoi(f.Values["concurrency"]); err != nil || s.policy.Concurrency < 1 {
		add("concurrency", "At once", "It is not a number from 1 to 64.")
	}
	if s.policy.RateLimit, err = strconv.ParseFloat(cmp.Or(f.Values["rate_limit"], "0"), 64); err != nil {
		add("rate_limit", "Rate limit", "It is not a number.")
	}
	if len(f.Sources) == 0 {
		add("sources", "Sources", "Choose at least one.")
	}
	s.headers = map[string]*string{}
	for line := range strings.Lines(f.Values["headers"]) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, found := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); !found {
			add("headers", "Headers", "A line has no colon; write Name: value.")
			break
		}
		s.headers[strings.TrimSpace(name)] = &value
	}
	return s
}

// apply sets the settings of an endpoint. Secrets that are hidden stay as they are.
func (f endpointForm) apply(e *endpoint.Endpoint, s settings) {
	v := f.Values
	if e.ID == "" {
		e.URL = v["url"]
	} else if v["url"] != e.URL {
		e.Point(v["url"])
	}
	e.Name, e.Description, e.Filter = v["name"], v["description"], v["filter"]
	e.Triggers, e.Sources = slices.Clone(f.Triggers), slices.Clone(f.Sources)
	e.Clearance, e.IgnoreOwn = casetype.Classification(v["clearance"]), v["ignore_own"] != ""
	e.Policy = s.policy
	e.Options.Payload, e.Options.KeepAnswers = endpoint.Payload(v["payload"]), v["keep_answers"] != ""
	e.Options.AtfinityVersion = v["atfinity_version"]
	change := s.headers
	for _, h := range e.Headers {
		named := func(name string) bool { return strings.EqualFold(name, h.Name) }
		if !slices.ContainsFunc(keys(s.headers), named) {
			change[h.Name] = nil
		}
	}
	e.Headers = endpoint.MergeHeaders(e.Headers, change)
	e.SetAuth(f.auth())
	e.SetTLS(endpoint.TLS{Certificate: lines(v["tls_certificate"]), Key: lines(v["tls_key"]), CA: lines(v["tls_ca"])})
}

// auth returns the authentication of the form, without the fields of other types.
func (f endpointForm) auth() endpoint.Auth {
	v, a := f.Values, endpoint.Auth{Kind: endpoint.AuthKind(f.Values["auth_type"])}
	switch a.Kind {
	case endpoint.BearerAuth:
		a.Token = v["auth_token"]
	case endpoint.BasicAuth:
		a.Username, a.Password = v["auth_username"], v["auth_password"]
	case endpoint.OAuth2Auth:
		a.TokenURL, a.ClientID, a.ClientSecret = v["auth_token_url"], v["auth_client_id"], v["auth_client_secret"]
		a.Scopes, a.Audience, a.ClientAuth = strings.Fields(v["auth_scopes"]), v["auth_audience"], v["auth_client_auth"]
	}
	return a
}

// lines returns a text of a form with the line ends that PEM has here.
func lines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func keys(m map[string]*string) (all []string) {
	for name := range m {
		all = append(all, name)
	}
	return all
}

// endpointFields are the fields' titles.
var endpointFields = map[string]string{
	"name": "Name", "url": "URL", "triggers": "Triggers", "sources": "Sources", "filter": "Filter",
	"clearance": "Clearance", "retries": "Retries", "timeout": "Timeout", "concurrency": "At once", "order": "Order",
	"rate_limit": "Rate limit", "description": "Description", "payload": "Bodies",
	"atfinity_version": "Atfinity version",
	"headers":          "Headers", "auth_type": "Authentication", "tls_certificate": "Certificate", "tls_key": "Key",
	"tls_ca": "Authorities",
}

// endpointField names the field that a fault is about.
func endpointField(path string) (id, title string) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	id = parts[0]
	switch {
	case id == "policy" && len(parts) > 1:
		id = parts[1]
	case (id == "auth" || id == "tls") && len(parts) > 1:
		id += "_" + parts[1]
	case id == "tls":
		id = "tls_certificate"
	}
	if title, known := endpointFields[id]; known {
		return id, title
	}
	if slices.Contains(texts, id) {
		return id, strings.ReplaceAll(strings.TrimPrefix(id, "auth_"), "_", " ")
	}
	return "", path
}

// fault returns what is wrong with a field; empty: nothing.
func (f endpointForm) fault(field string) string {
	for _, one := range f.Faults {
		if one.Field == field {
			return one.Message
		}
	}
	return ""
}

func (h handler) showNewEndpoint(_ context.Context, r *ui.Request) (ui.View, error) {
	f := formOf(endpoint.Endpoint{Clearance: r.Principal.Clearance})
	f.Title = "New endpoint"
	if t := r.Query("trigger"); wire.Known(t) {
		f.Triggers = []string{t}
	}
	return f.view(), nil
}

func (f endpointForm) view() ui.View {
	view := ui.View{Title: f.Title, Section: "/endpoints", Body: endpointFormPage(f), Call: "POST /v1/endpoints"}
	if f.ID != "" {
		view.Call = "PATCH /v1/endpoints/" + f.ID
	}
	if len(f.Faults) > 0 {
		view.Status = http.StatusUnprocessableEntity
	}
	return view
}

// refused shows the form again with the faults of an error.
func (f endpointForm) refused(err error) (ui.View, error) {
	if e := fault.As(err); e.Kind == fault.NotFound || e.Kind == fault.Forbidden {
		return ui.View{}, err
	}
	faults, err := ui.FaultsOf(err, endpointField)
	if err != nil {
		return ui.View{}, err
	}
	f.Faults = faults
	return f.view(), nil
}

// createEndpoint makes an endpoint, and shows its secret once.
func (h handler) createEndpoint(ctx context.Context, r *ui.Request) (ui.View, error) {
	f := readForm(r)
	f.Title = "New endpoint"
	s := f.read()
	if len(f.Faults) > 0 {
		return f.view(), nil
	}
	var e endpoint.Endpoint
	f.apply(&e, s)
	made, err := h.services.Endpoints.CreateEndpoint(ctx, r.Principal, e, authz.Once{})
	if err != nil {
		return f.refused(err)
	}
	return ui.View{
		Title: nameOf(made), Section: "/endpoints", Call: "GET /v1/endpoints/" + made.ID,
		Body: endpointMadePage(made, outbound.FormatKey(made.Secrets[0].Key)),
	}, nil
}

func (h handler) showEditEndpoint(ctx context.Context, r *ui.Request) (ui.View, error) {
	e, err := h.services.Endpoints.Endpoint(ctx, r.Principal, r.Path("id"))
	if err != nil {
		return ui.View{}, err
	}
	return formOf(e).view(), nil
}

// editEndpoint saves an endpoint's settings.
func (h handler) editEndpoint(ctx context.Context, r *ui.Request) (ui.View, error) {
	before, err := h.services.Endpoints.Endpoint(ctx, r.Principal, r.Path("id"))
	if err != nil {
		return ui.View{}, err
	}
	f := readForm(r)
	f.ID, f.Title = before.ID, "Edit "+nameOf(before)
	s := f.read()
	if len(f.Faults) > 0 {
		return f.view(), nil
	}
	_, err = h.services.Endpoints.UpdateEndpoint(ctx, r.Principal, before.ID,
		func(e *endpoint.Endpoint) { f.apply(e, s) })
	if err != nil {
		return f.refused(err)
	}
	return ui.Redirect(pathOf(before.ID, "saved", "")), nil
}

// durations writes waits as a form shows them: "5s, 30s, 2m".
func durations(all []time.Duration) string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = duration(d)
	}
	return strings.Join(texts, ", ")
}

// duration writes a length of time without zeros behind it: "2m", not "2m0s".
func duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// action is where the form is sent.
func (f endpointForm) action() string {
	if f.ID == "" {
		return "/endpoints"
	}
	return "/endpoints/" + f.ID + "/edit"
}

// back is the page before the form.
func (f endpointForm) back() string {
	if f.ID == "" {
		return "/endpoints"
	}
	return "/endpoints/" + f.ID
}

// count returns how many triggers of a vendor are chosen.
func (f endpointForm) count(g triggerGroup) (n int) {
	for _, t := range g.Triggers {
		if slices.Contains(f.Triggers, t.Name) {
			n++
		}
	}
	return n
}

// opens reports whether the triggers of a vendor are shown at first: the first vendor's, and those with a choice.
func (f endpointForm) opens(g triggerGroup) bool { return f.count(g) > 0 || g.Name == f.Groups[0].Name }

func (f endpointForm) chosen(g triggerGroup) string {
	return strconv.Itoa(f.count(g)) + " of " + strconv.Itoa(len(g.Triggers))
}

// faulty reports whether a field whose name has a prefix has a fault.
func (f endpointForm) faulty(prefix string) bool {
	return slices.ContainsFunc(f.Faults, func(one ui.Fault) bool { return strings.HasPrefix(one.Field, prefix) })
}
