package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// connected returns functions to call a worker in this process, and to hang up.
func connected(t *testing.T, m methods) (do func(method string, arguments any) answer, hangUp func()) {
	t.Helper()
	in, orders := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- answerCalls(t.Context(), in, out, m); out.Close() }()
	t.Cleanup(func() {
		orders.Close()
		go io.Copy(io.Discard, answers)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	decoder := json.NewDecoder(answers)
	return func(method string, arguments any) (a answer) {
		t.Helper()
		raw, _ := json.Marshal(arguments)
		if err := json.NewEncoder(orders).Encode(call{method, raw}); err != nil {
			t.Fatal(err)
		}
		if err := decoder.Decode(&a); err != nil {
			t.Fatal(err)
		}
		return a
	}, func() { orders.Close() }
}

func TestAWorkerAnswersCallsUntilNobodyIsThereAnyMore(t *testing.T) {
	begun := make(chan struct{})
	do, hangUp := connected(t, methods{
		"double": method(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
		"fail":   method(func(context.Context, struct{}) (int, error) { return 0, errors.New("it broke") }),
		"hang": method(func(ctx context.Context, _ struct{}) (int, error) {
			close(begun)
			<-ctx.Done()
			return 0, ctx.Err()
		}),
	})
	if a := do("double", 21); a.Error != "" || string(a.Result) != "42" {
		t.Errorf("double answers %+v", a)
	}
	if a := do("fail", struct{}{}); a.Error != "it broke" {
		t.Errorf("fail answers %+v", a)
	}
	if a := do("halve", 1); !strings.Contains(a.Error, `no method "halve"`) {
		t.Errorf("halve answers %+v", a)
	}
	if a := do("double", "x"); a.Error == "" {
		t.Errorf("double of a text answers %+v", a)
	}
	go func() {
		<-begun
		hangUp()
	}()
	if a := do("hang", struct{}{}); a.Error != context.Canceled.Error() {
		t.Errorf("a call under way is not broken off: %+v", a)
	}
}

func TestTheReceiverLogsWhatArrived(t *testing.T) {
	r := &receiver{changed: make(chan struct{}), samples: map[string][]sample{}}
	post := func(path, subject, version string) int {
		t.Helper()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader("{}"))
		request.Header.Set("webhook-subject", subject)
		request.Header.Set("webhook-sequence", version)
		answered := httptest.NewRecorder()
		r.ServeHTTP(answered, request)
		return answered.Code
	}
	waited := make(chan error, 1)
	go func() {
		_, err := r.wait(t.Context(), expectation{Count: 2, Quiet: time.Minute})
		waited <- err
	}()
	for path, want := range map[string]int{pathHook + "7": 204, pathDead + "8": 503, pathCallback: 200} {
		if got := post(path, "case/4539148803436467", "3"); got != want {
			t.Errorf("%s answers %d, want %d", path, got, want)
		}
	}
	post(pathHook+"9", "case/2", "1")
	if err := <-waited; err != nil {
		t.Fatal(err)
	}
	got, _ := r.take(t.Context(), struct{}{})
	for i := range got.Arrivals {
		if got.Arrivals[i].At == 0 {
			t.Error("an arrival has no time")
		}
		got.Arrivals[i].At = 0
	}
	want := arrivals{Questions: 1, Arrivals: []arrival{{"7", 4539148803436467, 3, 0}, {"9", 2, 1, 0}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again, _ := r.take(t.Context(), struct{}{}); len(again.Arrivals) > 0 || again.Questions > 0 {
		t.Errorf("it was taken already: %+v", again)
	}
	if all, _ := r.samplesOf(t.Context(), pathHook); len(all) != 2 || string(all[0].Body) != "{}" {
		t.Errorf("the samples are %+v", all)
	}
	if _, err := r.wait(t.Context(), expectation{Count: 1, Quiet: time.Millisecond}); err != nil {
		t.Errorf("nothing arrives any more: %v", err)
	}
}

func TestOnlyMetricsWithoutLabelsAreRead(t *testing.T) {
	got := gauges([]byte("# HELP a_total 5\na_total 1.5e3\nb{c=\"d\"} 4\nprocess_cpu_seconds_total 0.25\nbroken\n"))
	if diff := cmp.Diff(map[string]float64{"a_total": 1500, "process_cpu_seconds_total": 0.25}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheLastOfWhatAProcessSaidIsKept(t *testing.T) {
	said := new(tail)
	if got := said.indented(); got != "" {
		t.Errorf("nothing was said: %q", got)
	}
	io.WriteString(said, strings.Repeat("x", 2*mostTail))
	io.WriteString(said, "\nlast words\n")
	if got := said.indented(); len(got) > mostTail+10 || !strings.HasSuffix(got, "x\n  last words") {
		t.Errorf("it keeps %d bytes: ...%q", len(got), got[len(got)-20:])
	}
}
