package bucket

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/fault"
)

// opened opens a bucket at an endpoint whose requests end after a short time without progress.
func opened(t *testing.T, endpoint string) *Bucket {
	t.Helper()
	keys := func(string) string { return "key" }
	b, err := open(Address{Bucket: "files", Endpoint: endpoint}, keys, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func wantStalled(t *testing.T, doing string, err error) {
	t.Helper()
	if f := fault.As(err); f.Code != "bucket.unreachable" || !errors.Is(err, errStalled) {
		t.Errorf("%s: %v; want bucket.unreachable, since nothing moves", doing, err)
	}
}

func TestAServerThatSwallowsEverythingHangsNobody(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // the kernel takes the connections, and nobody reads from them
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b := opened(t, "http://"+l.Addr().String())
	wantStalled(t, "putting", b.Put(t.Context(), "a", io.LimitReader(zeroes{}, PartSize)))
	wantStalled(t, "deleting", b.Delete(t.Context(), "a"))
	_, _, err = b.Get(t.Context(), "a")
	wantStalled(t, "getting", err)
	for _, err := range b.List(t.Context(), "") {
		wantStalled(t, "listing", err)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAnObjectThatStopsInTheMiddleHangsNobody(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		<-release
	}))
	defer server.Close()
	defer close(release)
	r, _, err := opened(t, server.URL).Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	wantStalled(t, "reading", err)
	if string(got) != "half" {
		t.Errorf("%q came", got)
	}
}

// A server that carries out a request and then fails must not make PutNew refuse its own object.
func TestPutNewRecognisesItsObjectAfterALostAnswer(t *testing.T) {
	var mark string
	puts := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPut && puts == 0:
			puts++
			mark = r.Header.Get("X-Amz-Meta-" + markName)
			w.WriteHeader(http.StatusInternalServerError)
		case r.Method == http.MethodPut:
			puts++
			w.WriteHeader(http.StatusPreconditionFailed)
		default:
			w.Header().Set("X-Amz-Meta-"+markName, mark)
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		}
	}))
	defer server.Close()
	if err := opened(t, server.URL).PutNew(t.Context(), "a", strings.NewReader("content")); err != nil || puts != 2 {
		t.Errorf("after %d tries: %v", puts, err)
	}
	mark = "that of another"
	err := opened(t, server.URL).PutNew(t.Context(), "a", strings.NewReader("content"))
	if !errors.Is(err, fault.Conflict) {
		t.Errorf("an object of another: %v", err)
	}
}
