package server

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/testclient"
)

var (
	pagesTime    = flag.Duration("pages.time", 0, "how long large lists are read; 0: each client reads a few pages")
	pagesClients = flag.Int("pages.clients", 8, "how many read large lists at once")
	pagesCases   = flag.Int("pages.cases", 80, "cases of 1 MB in the lists")
)

// mostOver bounds the growth of the heap while lists are read, in bytes, for any number of readers.
// It includes garbage, and is less than all cases would take if each client held them at once.
const mostOver = 256 << 20

// The server's memory stays within a fixed share, however many clients read lists of large cases,
// entries and messages at once.
func TestListsOfLargeCasesStayWithinAFixedShare(t *testing.T) {
	s, _ := start(t, Config{Data: filepath.Join(t.TempDir(), "data")})
	history := s.fill(t, *pagesCases, 1_000_000)
	lists := []string{
		"/v1/cases?limit=200", history + "/history?limit=200", "/v1/journal?after=beginning&limit=1000", history,
		history + "/deliveries?limit=200", "/v1/filter-preview?filter=true&entries=200",
	}

	defer debug.SetGCPercent(debug.SetGCPercent(100)) // as servers run
	until := time.Now().Add(*pagesTime)
	before, peak := sampleHeap(t)
	var read, pages atomic.Int64
	var all sync.WaitGroup
	for i := range *pagesClients {
		all.Go(func() {
			for round := 0; (round < 2 || time.Now().Before(until)) && !t.Failed(); round++ {
				path := lists[0] // first all read the same list
				if round > 0 {
					path = lists[(i+round)%len(lists)]
				}
				next := path
				for page := 0; next != "" && page < 3; page++ {
					n, cursor := s.discard(t, next)
					read.Add(n)
					pages.Add(1)
					if next = ""; cursor != "" {
						next = path + "&cursor=" + cursor
					}
				}
			}
		})
	}
	all.Wait()
	over := peak() - before
	t.Logf("%d clients read %d large pages, %d MB; the heap grew by %d MiB at most",
		*pagesClients, pages.Load(), read.Load()/1e6, over>>20)
	if over > mostOver {
		t.Errorf("the heap grew by %d MiB", over>>20)
	}
}

// fill saves large cases, and as many entries about the first of them. It returns the path of that
// one.
func (s *Server) fill(t *testing.T, n, size int) (path string) {
	t.Helper()
	note, err := casetype.Parse("note.json", []byte(`{"key": "note",
		"fields": {"type": "object", "properties": {"text": {"type": "string"}}},
		"states": [{"key": "open"}], "transitions": [{"key": "write", "to": "open"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var tenant int64
	save := func(do func(tx *store.Tx) error) {
		if err := s.store.Update(t.Context(), do); err != nil {
			t.Fatal(err)
		}
	}
	tenants, err := s.store.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tenant = tenants[0].ID
	save(func(tx *store.Tx) error {
		return tx.CreateCaseType(t.Context(), tenant, store.CaseType{
			Key: "note", Version: 1, Definition: note.JSON(), CreatedAt: time.Now(), Clearance: casetype.Restricted,
		})
	})
	text := strings.Repeat("x", size)
	const first = 4539148803436467
	add := func(tx *store.Tx, i int) error {
		c := cases.Case{
			ID: first + int64(i), Tenant: tenant, Type: "note", TypeVersion: 1, Reference: fmt.Sprint(i), State: "open",
			Version: 1, Revision: 1, Classification: casetype.Public, Data: map[string]any{"text": text},
			CreatedAt: time.Now(), ModifiedAt: time.Now(), LastActivity: cases.Activity{At: time.Now()},
		}
		if err := tx.InsertCase(t.Context(), c, note); err != nil {
			return err
		}
		snapshot, err := c.Snapshot(note, "https://cases.example")
		if err != nil {
			return err
		}
		_, err = tx.Append(t.Context(), event.Entry{
			Tenant: tenant, Subject: event.CaseSubject(first), Version: int64(i + 1), At: time.Now(),
			Actor:    event.Actor{Source: event.API, Name: "robot"},
			Facts:    []event.Fact{event.CaseCreated.New(event.Creation{})},
			Snapshot: snapshot,
		})
		return err
	}
	for i := 0; i < n; {
		save(func(tx *store.Tx) error {
			for end := min(i+20, n); i < end; i++ {
				if err := add(tx, i); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return fmt.Sprint("/v1/cases/", first)
}

var nextCursor = regexp.MustCompile(`"next":"([^"]+)"[^"]*\}\s*$`)

// discard reads an answer without keeping it, and returns its size and its next cursor.
func (s *Server) discard(t *testing.T, path string) (n int64, next string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+path, nil)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	r.Header.Set("Authorization", "Bearer "+s.Token())
	answer, err := testclient.Client.Do(r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer answer.Body.Close()
	var end bytes.Buffer
	piece := make([]byte, 32<<10)
	for {
		m, err := answer.Body.Read(piece)
		n += int64(m)
		end.Write(piece[:m])
		if over := end.Len() - 1000; over > 0 {
			end.Next(over)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Errorf("%s breaks off: %v", path, err)
			return n, ""
		}
	}
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s: %d %s", path, answer.StatusCode, end.String())
	}
	if found := nextCursor.FindSubmatch(end.Bytes()); found != nil {
		next = string(found[1])
	}
	return n, next
}

// sampleHeap returns the size of the heap, and a function that returns its maximum since then.
func sampleHeap(t *testing.T) (before int64, peak func() int64) {
	t.Helper()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	runtime.GC()
	before = heap()
	most, stop, stopped := before, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				most = max(most, heap())
			}
		}
	}()
	return before, func() int64 {
		close(stop)
		<-stopped
		return most
	}
}
