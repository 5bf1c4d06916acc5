package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
)

// zeros is a file of n bytes that takes no memory.
func zeros(n int64) io.Reader { return io.LimitReader(zero{}, n) }

type zero struct{}

func (zero) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// allocated returns the bytes that a function allocates, freed or not.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestUploadsAndDownloadsAreStreamed(t *testing.T) {
	const size, bound = 50 << 20, 8 << 20
	w := start(t)
	w.putTypes()
	path := w.open(`{}`)
	head := "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\npassport\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"big\"\r\n\r\n"
	var file answer
	for name, body := range map[string]struct {
		query, contentType string
		reader             io.Reader
	}{
		"as a form":   {"", "multipart/form-data; boundary=b", io.MultiReader(strings.NewReader(head), zeros(size), strings.NewReader("\r\n--b--\r\n"))},
		"as the body": {"?key=passport&filename=big", "application/octet-stream", zeros(size)},
	} {
		used := allocated(func() {
			file = w.do("POST", path+"/proofs"+body.query, body.reader, "Content-Type", body.contentType).is(201, "")
		})
		if file.text("size") != fmt.Sprint(size) || used > bound {
			t.Errorf("%s: %s bytes arrived, and %d were allocated", name, file.text("size"), used)
		}
	}
	used := allocated(func() {
		r, err := http.NewRequestWithContext(t.Context(), "GET", w.server.URL+file.header.Get("Location"), nil)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+w.bearer)
		response, err := w.server.Client().Do(r)
		must(t, err)
		defer response.Body.Close()
		if n, err := io.Copy(io.Discard, response.Body); n != size || err != nil {
			t.Errorf("%d bytes came back: %v", n, err)
		}
	})
	if used > bound {
		t.Errorf("the download allocated %d bytes", used)
	}
}

// A client that breaks off leaves nothing behind.
func TestABrokenUploadIsNotSaved(t *testing.T) {
	w := start(t)
	w.putTypes()
	path := w.open(`{}`)
	conn, err := net.Dial("tcp", w.server.Listener.Addr().String())
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn,
		"POST %s/proofs?key=passport&filename=x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: "+
			"1000\r\n\r\nonly this", path, w.bearer)
	must(t, conn.(*net.TCPConn).CloseWrite())
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer response.Body.Close()
	if response.StatusCode < 400 { // 400, or 503 when the server noticed first that the client is gone
		t.Errorf("it answers %s", response.Status)
	}
	if all := w.get(path + "/proofs").items(); len(all) != 0 {
		t.Errorf("something was saved: %v", all)
	}
}
