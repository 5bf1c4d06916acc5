// Package blobtest says, as tests, what a [blob.Store] promises. Every store
// runs it.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
)

// Run runs the suite. Open returns an empty store, and cleans up with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s blob.Store)
	}{
		{"what was put is read back with its size and hash", putAndOpen},
		{"a content may have exactly the limit and no byte more", limits},
		{"a key is written once", writtenOnce},
		{"a missing key is not found", missing},
		{"a deleted content is gone, and deleting it again is no error", deletes},
		{"a reader that fails midway leaves nothing", failingReader},
		{"a context that ends midway leaves nothing", endingContext},
		{"list gives every key and its time, and may delete", lists},
		{"list stops when it is told to", listStops},
		{"many may put at once", concurrentPuts},
		{"of many that put the same key one wins", concurrentSameKey},
		{"big contents are never held in memory", streams},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

const mib = 1 << 20

func putAndOpen(t *testing.T, s blob.Store) {
	for _, content := range [][]byte{
		{}, []byte("x"), []byte("line\r\n\x00\xff"), bytes.Repeat([]byte("0123456789"), mib/8),
	} {
		key := id.New("blob")
		// The last bytes and EOF come together, as some readers do.
		info, err := s.Put(t.Context(), key, iotest.DataErrReader(bytes.NewReader(content)), 2*mib)
		if err != nil {
			t.Fatal(err)
		}
		if want := (blob.Info{Size: int64(len(content)), SHA256: sha256.Sum256(content)}); info != want {
			t.Errorf("Put(%d bytes) = %+v, want %+v", len(content), info, want)
		}
		if got := read(t, s, key); !bytes.Equal(got, content) {
			t.Errorf("%d bytes were put, other %d came back", len(content), len(got))
		}
	}
}

func limits(t *testing.T, s blob.Store) {
	const limit = 100_000
	exact, over := id.New("blob"), id.New("blob")
	if _, err := s.Put(t.Context(), exact, iotest.OneByteReader(zeros(limit)), limit); err != nil {
		t.Errorf("a content of exactly the limit: %v", err)
	}
	_, err := s.Put(t.Context(), over, zeros(limit+1), limit)
	wantFault(t, err, fault.TooLarge, "blob.too_large")
	wantKeys(t, s, exact)
	if _, err := s.Put(t.Context(), over, zeros(3), 1<<63-1); err != nil {
		t.Errorf("the largest limit: %v", err)
	}
	if got := read(t, s, over); len(got) != 3 {
		t.Errorf("with the largest limit %d of 3 bytes were kept", len(got))
	}
}

func writtenOnce(t *testing.T, s blob.Store) {
	key := put(t, s, "first")
	_, err := s.Put(t.Context(), key, bytes.NewReader([]byte("second")), mib)
	wantFault(t, err, fault.Conflict, "blob.exists")
	if got := read(t, s, key); string(got) != "first" {
		t.Errorf("a refused Put left %q", got)
	}
}

func missing(t *testing.T, s blob.Store) {
	_, _, err := s.Open(t.Context(), id.New("blob"))
	wantFault(t, err, fault.NotFound, "blob.not_found")
}

func deletes(t *testing.T, s blob.Store) {
	gone, kept := put(t, s, "gone"), put(t, s, "kept")
	for range 2 {
		if err := s.Delete(t.Context(), gone); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := s.Open(t.Context(), gone)
	wantFault(t, err, fault.NotFound, "blob.not_found")
	wantKeys(t, s, kept)
}

func failingReader(t *testing.T, s blob.Store) {
	cut := errors.New("connection cut")
	for _, after := range []int64{0, 10, 3 * mib} {
		key := id.New("blob")
		_, err := s.Put(t.Context(), key, io.MultiReader(zeros(after), iotest.ErrReader(cut)), 10*mib)
		if !errors.Is(err, cut) {
			t.Errorf("after %d bytes: %v, want the reader's error", after, err)
		}
		_, _, err = s.Open(t.Context(), key)
		wantFault(t, err, fault.NotFound, "blob.not_found")
		if _, err := s.Put(t.Context(), key, zeros(1), 1); err != nil {
			t.Errorf("the key can't be used again: %v", err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
	wantKeys(t, s)
}

func endingContext(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	endless := at(zeros(1<<40), 3*mib, cancel)
	if _, err := s.Put(ctx, id.New("blob"), endless, 1<<40); !errors.Is(err, context.Canceled) {
		t.Errorf("Put = %v, want context.Canceled", err)
	}
	wantKeys(t, s)
}

func lists(t *testing.T, s blob.Store) {
	wantKeys(t, s)
	before := time.Now().Add(-time.Minute) // clocks and file times are coarse
	var keys []string
	for i := range 300 {
		keys = append(keys, put(t, s, fmt.Sprint(i)))
	}
	wantKeys(t, s, keys...)
	err := s.List(t.Context(), func(key string, modified time.Time) error {
		if modified.Before(before) || modified.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s was put at %v, it says", key, modified)
		}
		return s.Delete(t.Context(), key)
	})
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, s)
}

func listStops(t *testing.T, s blob.Store) {
	put(t, s, "a")
	put(t, s, "b")
	enough, calls := errors.New("enough"), 0
	err := s.List(t.Context(), func(string, time.Time) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("List = %v after %d calls; want the caller's error after one", err, calls)
	}
}

func concurrentPuts(t *testing.T, s blob.Store) {
	const n = 16
	keys := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		keys[i] = id.New("blob")
		wg.Go(func() {
			content := bytes.Repeat([]byte{byte(i)}, 50_000+i)
			if _, err := s.Put(t.Context(), keys[i], bytes.NewReader(content), mib); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i, key := range keys {
		if got := read(t, s, key); !bytes.Equal(got, bytes.Repeat([]byte{byte(i)}, 50_000+i)) {
			t.Errorf("content %d came back as another", i)
		}
	}
	wantKeys(t, s, keys...)
}

func concurrentSameKey(t *testing.T, s blob.Store) {
	key, won := id.New("blob"), make(chan byte, 8)
	var wg sync.WaitGroup
	for i := range byte(8) {
		wg.Go(func() {
			_, err := s.Put(t.Context(), key, bytes.NewReader(bytes.Repeat([]byte{i}, 10_000)), mib)
			if err == nil {
				won <- i
			} else {
				wantFault(t, err, fault.Conflict, "blob.exists")
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("%d wrote the same key", len(won))
	}
	if got := read(t, s, key); !bytes.Equal(got, bytes.Repeat([]byte{<-won}, 10_000)) {
		t.Error("the content is not the winner's")
	}
}

func streams(t *testing.T, s blob.Store) {
	const size, most = 20 * mib, 8 * mib
	key, before := id.New("blob"), liveHeap()
	check := func() {
		if grown := liveHeap() - before; grown > most {
			t.Errorf("the live heap grew by %d bytes over a content of %d", grown, size)
		}
	}
	info, err := s.Put(t.Context(), key, at(zeros(size), size-mib, check), size)
	if err != nil || info.Size != size {
		t.Fatalf("Put = %+v, %v", info, err)
	}
	r, n, err := s.Open(t.Context(), key)
	if err != nil || n != size {
		t.Fatalf("Open = %d bytes, %v", n, err)
	}
	defer r.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, at(r, size-mib, check)); err != nil {
		t.Fatal(err)
	}
	if [32]byte(hash.Sum(nil)) != info.SHA256 {
		t.Error("what came back has another hash")
	}
}

func put(t *testing.T, s blob.Store, content string) string {
	t.Helper()
	key := id.New("blob")
	if _, err := s.Put(t.Context(), key, bytes.NewReader([]byte(content)), mib); err != nil {
		t.Fatal(err)
	}
	return key
}

func read(t *testing.T, s blob.Store, key string) []byte {
	t.Helper()
	r, size, err := s.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(content)) != size {
		t.Errorf("Open said %d bytes, and there are %d", size, len(content))
	}
	return content
}

func wantKeys(t *testing.T, s blob.Store, want ...string) {
	t.Helper()
	var got []string
	err := s.List(t.Context(), func(key string, _ time.Time) error { got = append(got, key); return nil })
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		t.Errorf("the store lists %v, want %v", got, want)
	}
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if f := fault.As(err); err == nil || f.Kind != kind || f.Code != code {
		t.Errorf("error %v; want %v with code %s", err, kind, code)
	}
}

// zeros reads as n zero bytes.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// at reads r, and calls do once when n bytes have gone by.
func at(r io.Reader, n int64, do func()) io.Reader {
	return io.MultiReader(io.LimitReader(r, n), readerFunc(func([]byte) (int, error) { do(); return 0, io.EOF }), r)
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func liveHeap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
