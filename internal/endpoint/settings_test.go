package endpoint_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/weburl"
)

// faultsOf checks an endpoint that is otherwise valid, and returns the paths of its faults.
func faultsOf(e endpoint.Endpoint) (paths []string) {
	e.URL, e.Triggers = "https://example.com", []string{"x"}
	for _, f := range e.Check([]string{"x"}) {
		paths = append(paths, f.Path)
	}
	return paths
}

func TestReservedHeadersCanNotBeSet(t *testing.T) {
	for _, name := range []string{
		"webhook-id", "Webhook-Signature", "WEBHOOK-ANYTHING", "Content-Type", "content-length", "Host", "User-Agent", "Transfer-Encoding", "Connection",
		"Keep-Alive", "TE", "Trailer", "Upgrade", "Expect", "Accept-Encoding", "Proxy-Authorization", "X-atfinity-event", "x-ATFINITY-new", "Event-Name",
		"traceparent", "Tracestate", "Idempotency-Key", "X-Idempotency-Key", "Cookie", "X-Forwarded-For", "X-Casehook-Anything", ":path",
	} {
		if got := faultsOf(endpoint.Endpoint{Headers: []endpoint.Header{{Name: name, Value: "v"}}}); len(got) != 1 {
			t.Errorf("%s: faults %v, want one", name, got)
		}
	}
}

func TestTheVersionThatAReceiverExpectsIsVisibleASCII(t *testing.T) {
	for _, fine := range []string{"", "2.4.1", "v2-beta+7~(x)", strings.Repeat("9", 64)} {
		if got := faultsOf(endpoint.Endpoint{Options: endpoint.Options{AtfinityVersion: fine}}); got != nil {
			t.Errorf("%q: faults %v", fine, got)
		}
	}
	for _, wrong := range []string{
		" ", "2 4", " 2.4", "2.4\t", "2\r\nHost: b", "2\x00", "2\x7f", "ü", strings.Repeat("9", 65),
	} {
		if got := faultsOf(endpoint.Endpoint{Options: endpoint.Options{AtfinityVersion: wrong}}); len(got) != 1 ||
			got[0] != "/atfinity_version" {
			t.Errorf("%q: faults %v", wrong, got)
		}
	}
}

func TestHeadersThatCanNotBeSentAreRefused(t *testing.T) {
	fine := []endpoint.Header{
		{Name: "X-Api-Key", Value: "a b;c=\"d\""}, {Name: "x.y~z", Value: ""},
		{Name: "Y", Value: strings.Repeat("v", endpoint.MaxHeaderValue)}, {Name: "Z", Value: "!~"},
		{Name: "azAZ09!#$%&'*+-.^_`|~", Value: "v"}, {Name: strings.Repeat("n", 100), Value: "v"},
	}
	if got := faultsOf(endpoint.Endpoint{Headers: fine}); got != nil {
		t.Errorf("faults %v", got)
	}
	for _, h := range []endpoint.Header{
		{Name: "", Value: "v"}, {Name: "a b", Value: "v"}, {Name: "a:b", Value: "v"}, {Name: "a\r\nHost", Value: "v"}, {Name: "ä", Value: "v"}, {Name: strings.Repeat("n", 101), Value: "v"},
		{Name: "a{", Value: "v"}, {Name: "[A", Value: "v"}, {Name: "@A", Value: "v"}, {Name: "0:", Value: "v"},
		{Name: "N", Value: "a\r\nHost: b"}, {Name: "N", Value: "a\nb"}, {Name: "N", Value: "a\x00"}, {Name: "N", Value: "ü"}, {Name: "N", Value: " v"}, {Name: "N", Value: "v\t"},
		{Name: "N", Value: strings.Repeat("v", endpoint.MaxHeaderValue+1)}, {Name: "N", Value: endpoint.Hidden},
	} {
		if got := faultsOf(endpoint.Endpoint{Headers: []endpoint.Header{h}}); len(got) != 1 ||
			got[0] != "/headers/"+h.Name {
			t.Errorf("%q: faults %q", h, got)
		}
	}
	if got := faultsOf(endpoint.Endpoint{Headers: []endpoint.Header{
		{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"},
	}}); len(got) != 1 || got[0] != "/headers/x-a" {
		t.Errorf("given twice: %v", got)
	}
	var many, large []endpoint.Header
	for _, size := range []int{endpoint.MaxHeaderBytes, endpoint.MaxHeaderBytes + 1} { // as they are sent
		sized := []endpoint.Header{
			{Name: "A", Value: strings.Repeat("v", 2000)}, {Name: "BB", Value: strings.Repeat("v", 2000)},
			{Name: "CCC", Value: strings.Repeat("v", 2000)},
		}
		sent := len("A: \r\nBB: \r\nCCC: \r\nD: \r\n") + 6000
		sized = append(sized, endpoint.Header{Name: "D", Value: strings.Repeat("v", size-sent)})
		if got := faultsOf(endpoint.Endpoint{Headers: sized}); (got == nil) != (size == endpoint.MaxHeaderBytes) {
			t.Errorf("%d bytes: %v", size, got)
		}
	}
	for i := range endpoint.MaxHeaders + 1 {
		many = append(many, endpoint.Header{Name: "X-" + strings.Repeat("n", i+1)})
		if i < 4 {
			large = append(large,
				endpoint.Header{Name: "X-" + strings.Repeat("n", i+1), Value: strings.Repeat("v", 2000)})
		}
	}
	for _, headers := range [][]endpoint.Header{many, large} {
		if got := faultsOf(endpoint.Endpoint{Headers: headers}); len(got) != 1 || got[0] != "/headers" {
			t.Errorf("%d headers: %v", len(headers), got)
		}
	}
	if got := faultsOf(endpoint.Endpoint{Headers: many[:endpoint.MaxHeaders]}); got != nil {
		t.Errorf("%d headers: %v", endpoint.MaxHeaders, got)
	}
}

func TestDescriptionAndMetadataAreBounded(t *testing.T) {
	fine := endpoint.Endpoint{
		Description: "Two\nlines\tof ü" + strings.Repeat("ü", 985),
		Metadata:    map[string]string{"team/crm~1": "", "k": strings.Repeat("ü", 500), strings.Repeat("ü", 40): ""},
	}
	if got := faultsOf(fine); got != nil {
		t.Errorf("faults %v", got)
	}
	for _, test := range []struct {
		e    endpoint.Endpoint
		want string
	}{
		{endpoint.Endpoint{Description: strings.Repeat("ü", 1001)}, "/description"},
		{endpoint.Endpoint{Description: "a\x00b"}, "/description"},
		{endpoint.Endpoint{Description: "\xff"}, "/description"},
		{endpoint.Endpoint{Metadata: map[string]string{"": "x"}}, "/metadata/"},
		{endpoint.Endpoint{Metadata: map[string]string{"a/b": "x\ny"}}, "/metadata/a~1b"},
		{endpoint.Endpoint{Metadata: map[string]string{"k": strings.Repeat("ü", 501)}}, "/metadata/k"},
		{endpoint.Endpoint{Metadata: map[string]string{strings.Repeat("k", 41): ""}}, "/metadata/" + strings.Repeat("k", 41)},
	} {
		if got := faultsOf(test.e); len(got) != 1 || got[0] != test.want {
			t.Errorf("faults %q, want one at %s", got, test.want)
		}
	}
	many := map[string]string{}
	for i := range endpoint.MaxMetadata + 1 {
		many[strings.Repeat("k", i%10)+strings.Repeat("l", i/10+1)] = ""
	}
	if got := faultsOf(endpoint.Endpoint{Metadata: many}); len(got) != 1 || got[0] != "/metadata" {
		t.Errorf("%d members: %v", len(many), got)
	}
	delete(many, "l")
	if got := faultsOf(endpoint.Endpoint{Metadata: many}); len(many) != endpoint.MaxMetadata || got != nil {
		t.Errorf("%d members: %v", len(many), got)
	}
}

func TestHeadersAreMergedByNameWhateverItsCase(t *testing.T) {
	text := func(s string) *string { return &s }
	had := []endpoint.Header{
		{Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}, {Name: "X-C", Value: "3"}, {Name: "X-D", Value: "4"},
	}
	e := endpoint.Endpoint{Triggers: []string{"x"}, Headers: endpoint.MergeHeaders(had, map[string]*string{
		"x-a": text("new"), "x-b": nil, "X-C": text(endpoint.Hidden), "X-E": text("5"), "X-F": nil, "X-G": text(endpoint.Hidden),
	})}
	e.Normalise()
	want := []endpoint.Header{
		{Name: "X-C", Value: "3"}, {Name: "X-D", Value: "4"}, {Name: "X-E", Value: "5"},
		{Name: "X-G", Value: endpoint.Hidden}, {Name: "x-a", Value: "new"},
	}
	if diff := cmp.Diff(want, e.Headers); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"/headers/X-G"}, faultsOf(e)); diff != "" {
		t.Errorf("the mask is accepted as a value: %s", diff)
	}
	metadata := endpoint.MergeMetadata(map[string]string{"a": "1", "b": "2"},
		map[string]*string{"a": nil, "c": text("3")})
	if diff := cmp.Diff(map[string]string{"b": "2", "c": "3"}, metadata); diff != "" {
		t.Error(diff)
	}
}

func TestSecretsDoNotFollowAnEndpointToAnotherHost(t *testing.T) {
	for _, test := range []struct {
		to    string
		keeps bool
	}{
		{"https://a.example/other?x=1", true}, {"https://A.example:443/x", true},
		{"https://b.example/x", false}, {"http://a.example/x", false}, {"https://a.example:8443/x", false}, {"https://a.example.evil.example/x", false},
	} {
		before := endpoint.Endpoint{
			URL: "https://a.example/x", Headers: []endpoint.Header{{Name: "X-Api-Key", Value: "secret"}},
		}
		after := before.Clone()
		after.Point(test.to)
		after.Triggers = []string{"x"}
		type move struct {
			URL    string
			Keeps  bool
			Before string
		}
		got := move{after.URL, len(faultsOf(after)) == 0, before.Headers[0].Value}
		if diff := cmp.Diff(move{weburl.Stored(test.to), test.keeps, "secret"}, got); diff != "" {
			t.Errorf("to %s: %s", test.to, diff)
		}
	}
}

func TestAChangedCopyLeavesTheOriginal(t *testing.T) {
	e := endpoint.Endpoint{
		Triggers: []string{"x"}, Metadata: map[string]string{"a": "1"},
		Headers: []endpoint.Header{{Name: "X-A", Value: "1"}},
	}
	c := e.Clone()
	c.Metadata["a"], c.Headers[0].Value, c.Triggers[0] = "2", "2", "y"
	got := []string{e.Metadata["a"], e.Headers[0].Value, e.Triggers[0]}
	if diff := cmp.Diff([]string{"1", "1", "x"}, got); diff != "" {
		t.Errorf("the original: %s", diff)
	}
	c.Revision = 7
	if same := e.Clone(); e.Same(c) || !e.Same(same) {
		t.Error("Same is wrong")
	}
}
