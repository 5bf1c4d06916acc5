//go:build unix

package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/casehook/casehook/internal/bucket"
	"github.com/casehook/casehook/internal/bucket/s3test"
	"github.com/casehook/casehook/internal/fault"
)

func TestBucket(t *testing.T) {
	server := s3test.Start(t)
	for name, test := range map[string]func(*testing.T, *bucket.Bucket){
		"objects of any size come back":              comeBack,
		"a new object replaces none":                 replacesNone,
		"of many that put a new object one wins":     oneWins,
		"a reader that fails leaves nothing":         leavesNothing,
		"a list has the objects of its prefix alone": listsPrefix,
		"deleting twice is no error":                 deletesTwice,
		"a probe leaves nothing":                     probes,
	} {
		t.Run(name, func(t *testing.T) { test(t, server.Open(t)) })
	}
	t.Run("no parts are left", func(t *testing.T) { noParts(t, server) })
	t.Run("errors have kinds", func(t *testing.T) { errorsHaveKinds(t, server) })
}

func comeBack(t *testing.T, b *bucket.Bucket) {
	for _, size := range []int{0, 1, 64 << 10, 64<<10 + 1, bucket.PartSize, bucket.PartSize + 1, 2 * bucket.PartSize} {
		content := bytes.Repeat([]byte("abcdefghijk"), size/11+1)[:size]
		if err := b.Put(t.Context(), "folder/an object é+%", iotest.HalfReader(bytes.NewReader(content))); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if got := get(t, b, "folder/an object é+%"); !bytes.Equal(got, content) {
			t.Errorf("%d bytes were put, other %d came back", size, len(got))
		}
	}
}

func replacesNone(t *testing.T, b *bucket.Bucket) {
	for _, size := range []int{5, bucket.PartSize + 5} {
		name := "new"
		if err := b.PutNew(t.Context(), name, zeros(size)); err != nil {
			t.Fatal(err)
		}
		for _, again := range []int{6, bucket.PartSize + 6} {
			wantFault(t, b.PutNew(t.Context(), name, zeros(again)), fault.Conflict, "bucket.exists")
		}
		if got := get(t, b, name); len(got) != size {
			t.Errorf("%d bytes came back, want %d", len(got), size)
		}
		if err := b.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
}

func oneWins(t *testing.T, b *bucket.Bucket) {
	won := make(chan int, 8)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			switch err := b.PutNew(t.Context(), "new", zeros(i)); {
			case err == nil:
				won <- i
			case !errors.Is(err, fault.Conflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d have put the new object", len(won))
	}
	if want, got := <-won, get(t, b, "new"); len(got) != want {
		t.Errorf("the object has %d bytes; those of the winner are %d", len(got), want)
	}
}

func leavesNothing(t *testing.T, b *bucket.Bucket) {
	cut := errors.New("cut")
	for _, after := range []int{0, 10, bucket.PartSize + 10} {
		err := b.PutNew(t.Context(), "cut", io.MultiReader(zeros(after), iotest.ErrReader(cut)))
		if !errors.Is(err, cut) {
			t.Errorf("after %d bytes: %v, want the error of the reader", after, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	stop := iotest.ErrReader(io.EOF)
	err := b.Put(ctx, "cut", io.MultiReader(zeros(bucket.PartSize+10), readerFunc(func(p []byte) (int, error) {
		cancel()
		return stop.Read(p)
	})))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ends: %v", err)
	}
	wantNames(t, b, "")
}

func listsPrefix(t *testing.T, b *bucket.Bucket) {
	before := time.Now().Add(-time.Minute)
	for _, name := range []string{"a/1", "a/2", "b/3"} {
		if err := b.Put(t.Context(), name, strings.NewReader(name)); err != nil {
			t.Fatal(err)
		}
	}
	wantNames(t, b, "", "a/1", "a/2", "b/3")
	wantNames(t, b, "a/", "a/1", "a/2")
	for item, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if item.Size != 3 || item.Modified.Before(before) {
			t.Errorf("%+v", item)
		}
		break // ends the list
	}
}

func deletesTwice(t *testing.T, b *bucket.Bucket) {
	if err := b.Put(t.Context(), "gone", zeros(3)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := b.Delete(t.Context(), "gone"); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := b.Get(t.Context(), "gone")
	wantFault(t, err, fault.NotFound, "bucket.not_found")
}

func probes(t *testing.T, b *bucket.Bucket) {
	if err := b.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	wantNames(t, b, "")
}

// noParts checks that the tests before it, some of which failed in the middle of an object, have left no part.
func noParts(t *testing.T, server *s3test.Server) {
	err := filepath.WalkDir(filepath.Join(server.Dir, "buckets"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.Contains(path, "multipart") {
			t.Errorf("left: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func errorsHaveKinds(t *testing.T, server *s3test.Server) {
	wrongKey := func(name string) string {
		if name == "AWS_SECRET_ACCESS_KEY" {
			return "another"
		}
		return server.Getenv(name)
	}
	gone := s3test.Start(t)
	gone.Stop()
	elsewhere := strings.Replace(server.URL(""), s3test.Bucket, "another-bucket", 1)
	for _, test := range []struct {
		name, url string
		getenv    func(string) string
		code      string
	}{
		{"no such bucket", elsewhere, server.Getenv, "bucket.missing"},
		{"wrong secret", server.URL(""), wrongKey, "bucket.refused"},
		{"nobody listens", gone.URL(""), server.Getenv, "bucket.unreachable"},
	} {
		address, err := bucket.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bucket.Open(address, test.getenv)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		err = b.Probe(t.Context())
		wantFault(t, err, fault.Unavailable, test.code)
		if strings.Contains(err.Error(), s3test.SecretKey) {
			t.Errorf("%s: the error has the secret: %v", test.name, err)
		}
		for _, err := range b.List(t.Context(), "") {
			wantFault(t, err, fault.Unavailable, test.code)
		}
	}
}

func get(t *testing.T, b *bucket.Bucket, name string) []byte {
	t.Helper()
	r, size, err := b.Get(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil || int64(len(content)) != size {
		t.Fatalf("%d bytes of %d, %v", len(content), size, err)
	}
	return content
}

func wantNames(t *testing.T, b *bucket.Bucket, prefix string, want ...string) {
	t.Helper()
	var names []string
	for item, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, item.Name)
	}
	if !slices.Equal(names, want) {
		t.Errorf("%q lists %q, want %q", prefix, names, want)
	}
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if f := fault.As(err); err == nil || f.Kind != kind || f.Code != code {
		t.Errorf("error %v; want %v with code %s", err, kind, code)
	}
}

func zeros(n int) io.Reader { return bytes.NewReader(make([]byte, n)) }

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
