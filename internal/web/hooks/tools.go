package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/hooks"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/secrets"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/web/ui"
	"github.com/casehook/casehook/internal/wire"
)

// filterTest is a filter that is tried on recent messages before it is saved.
type filterTest struct {
	Filter  string
	Tried   bool
	Changed bool // it differs from the endpoint's
	Fault   string
	Entries int
	Kept    int
	Out     int
	Failed  int
	Results []filterResult
}

// filterResult is the result of a filter for a message.
type filterResult struct {
	hooks.FilterResult
	About subject
}

// testedEntries is how many of the newest entries a filter is tried on.
const testedEntries = 50

// filterTest tries the filter that the address has.
func (h handler) filterTest(ctx context.Context, r *ui.Request, e endpoint.Endpoint) (filterTest, error) {
	t := filterTest{Filter: e.Filter}
	if !r.HTTP.URL.Query().Has("filter") {
		return t, nil
	}
	t.Tried, t.Filter = true, r.Query("filter")
	t.Changed = t.Filter != e.Filter
	source := t.Filter
	if source == "" {
		source = "true" // all messages pass
	}
	results, entries, err := h.services.Journal.PreviewFilter(ctx, r.Principal, source,
		hooks.JournalSelection{Endpoint: e.ID}, testedEntries)
	if err != nil {
		faults, err := ui.FaultsOf(err, func(path string) (string, string) { return "filter", "Filter" })
		if err != nil {
			return t, err
		}
		t.Fault = faults[0].Message
		return t, nil
	}
	t.Entries = entries
	for _, result := range results {
		switch {
		case result.Err != nil:
			t.Failed++
		case result.Passes:
			t.Kept++
		default:
			t.Out++
		}
		t.Results = append(t.Results, filterResult{result, subjectOf(result.Subject)})
	}
	t.Results = t.Results[:min(testedEntries, len(t.Results))]
	var named []*subject
	for i := range t.Results {
		named = append(named, &t.Results[i].About)
	}
	return t, h.nameSubjects(ctx, r, named...)
}

// saveFilter saves a filter. A filter with a fault is shown with it.
func (h handler) saveFilter(ctx context.Context, r *ui.Request) (ui.View, error) {
	before := ""
	_, err := h.services.Endpoints.UpdateEndpoint(ctx, r.Principal, r.Path("id"),
		func(e *endpoint.Endpoint) { before, e.Filter = e.Filter, r.Form("filter") })
	if err == nil {
		path := pathOf(r.Path("id"), "", "")
		return r.RedirectUndo(path+"#filter-part", ui.Undo{
			Note: endpointNotes["saved"], Path: path + "/filter", Form: map[string]string{"filter": before},
		})
	}
	faults, err := ui.FaultsOf(err, func(path string) (string, string) { return "filter", "Filter" })
	if err != nil || fault.As(err).Kind == fault.NotFound {
		return ui.View{}, err
	}
	d, err := h.endpointDetail(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	d.Tester = filterTest{Filter: r.Form("filter"), Fault: faults[0].Message, Changed: true}
	view := d.view()
	view.Status = http.StatusUnprocessableEntity
	return view, nil
}

// testSend is a sample that can be sent, and the answer to the last one.
type testSend struct {
	Trigger string
	Own     []string // the endpoint's triggers, which are offered first
	Others  []string
	Body    string
	Edited  bool
	Result  *hooks.TestResult
	Answer  answer
	Fault   string
}

// newTestSend returns a sample of a trigger; of the endpoint's first one where none is named.
func newTestSend(e endpoint.Endpoint, trigger string) testSend {
	t := testSend{Trigger: trigger, Own: e.Triggers}
	if !wire.Known(t.Trigger) && len(e.Triggers) > 0 {
		t.Trigger = e.Triggers[0]
	}
	own := map[string]bool{}
	for _, name := range e.Triggers {
		own[name] = true
	}
	for _, name := range wire.Names() {
		if !own[name] {
			t.Others = append(t.Others, name)
		}
	}
	t.Body = sampleOf(t.Trigger)
	return t
}

// sampleOf returns the body of a trigger's sample, indented.
func sampleOf(trigger string) string {
	if !wire.Known(trigger) {
		return ""
	}
	examples := wire.Examples(trigger, "")
	if len(examples) == 0 {
		return ""
	}
	var out bytes.Buffer
	if json.Indent(&out, examples[0].Body, "", "  ") != nil {
		return string(examples[0].Body)
	}
	return out.String()
}

// testSend sends a sample, and shows the answer on the endpoint's page.
func (h handler) testSend(ctx context.Context, r *ui.Request) (ui.View, error) {
	trigger, body := r.Form("trigger"), r.Form("body")
	test := hooks.Test{Endpoint: r.Path("id"), Trigger: trigger, Send: h.config.Tester.Send}
	if r.Form("sample") != trigger || r.Portal() {
		body = sampleOf(trigger) // the body was another trigger's, or receivers send the sample as it is
	}
	edited := compacted(body) != compacted(sampleOf(trigger))
	if edited {
		test.Body = []byte(compacted(body))
	}
	result, err := h.services.Messages.TestEndpoint(ctx, r.Principal, test, authz.Once{})
	failed := ""
	if err != nil {
		if e := fault.As(err); e.Kind != fault.TooMany && e.Kind != fault.Unprocessable {
			return ui.View{}, err
		}
		faults, err := ui.FaultsOf(err, func(string) (string, string) { return "test-body", "The body" })
		if err != nil {
			return ui.View{}, err
		}
		failed = faults[0].Title + " " + faults[0].Message
	}
	d, err := h.endpointDetail(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	d.Test = newTestSend(d.Endpoint, trigger)
	d.Test.Body, d.Test.Edited, d.Test.Fault = body, edited, failed
	view := d.viewOf(&result, failed)
	return view, nil
}

// viewOf returns the page with the result of a test.
func (d endpointDetail) viewOf(result *hooks.TestResult, failed string) ui.View {
	if failed == "" {
		d.Test.Result, d.Test.Answer = result, answerOf(result.Attempt)
	}
	view := d.view()
	if failed != "" {
		view.Status = http.StatusUnprocessableEntity
	}
	return view
}

// compacted returns JSON without spaces; other text as it is.
func compacted(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return text
	}
	return out.String()
}

// overlaps are the times for which the secrets so far go on signing, as the form offers them.
var overlaps = []struct {
	Value string
	Name  string
}{{"24h", "for 24 hours"}, {"168h", "for 7 days"}, {"1h", "for an hour"}, {"0s", "not at all"}}

// rotateSecret makes a secret, and shows it once.
func (h handler) rotateSecret(ctx context.Context, r *ui.Request) (ui.View, error) {
	q := secrets.Request{Kind: endpoint.V1, Overlap: endpoint.DefaultOverlap}
	if overlap, err := time.ParseDuration(r.Form("overlap")); err == nil {
		q.Overlap = overlap
	}
	made, err := h.services.Endpoints.RotateEndpointSecret(ctx, r.Principal, r.Path("id"), q, authz.Once{})
	if err != nil {
		return ui.View{}, err
	}
	d, err := h.endpointDetail(ctx, r)
	if err != nil {
		return ui.View{}, err
	}
	d.Made = outbound.FormatKey(made.Key)
	return d.view(), nil
}

// testSecret sends a sample of the endpoint's first trigger that a secret alone signs.
func (h handler) testSecret(ctx context.Context, r *ui.Request) (ui.View, error) {
	return onEndpoint(r, "tested", "secrets", func(id string) error {
		e, err := h.services.Endpoints.Endpoint(ctx, r.Principal, id)
		if err != nil {
			return err
		}
		test := hooks.Test{Endpoint: id, Secret: r.Path("secret"), Send: h.config.Tester.Send}
		if len(e.Triggers) > 0 {
			test.Trigger = e.Triggers[0]
		}
		_, err = h.services.Messages.TestEndpoint(ctx, r.Principal, test, authz.Once{})
		return err
	})
}

// outcomeOfTest describes the outcome of a sample that a secret alone signed.
func outcomeOfTest(t endpoint.SecretTest) outcome {
	return outcomeOf(store.Attempt{Status: t.Status, Class: t.Class, Delivered: t.Delivered})
}

func (h handler) endSecret(ctx context.Context, r *ui.Request) (ui.View, error) {
	return onEndpoint(r, "ended", "secrets", func(id string) error {
		return h.services.Endpoints.DeleteEndpointSecret(ctx, r.Principal, id, r.Path("secret"))
	})
}
