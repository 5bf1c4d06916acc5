//go:build unix

package delivery_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
)

// BenchmarkDelivery measures messages delivered per second, and in the same run those of a bare client that only
// signs and posts. The ratio of the two is the cost of reliable delivery in order. The processor time of a message
// includes the receiver's, in both; it depends less on what else the machine does.
func BenchmarkDelivery(b *testing.B) {
	for name, options := range map[string]func(*testing.B) store.Options{
		"sqlite": func(b *testing.B) store.Options {
			return store.Options{Path: filepath.Join(b.TempDir(), "casehook.db")}
		},
		"postgres": func(b *testing.B) store.Options { return store.Options{URL: pgtest.URL(b)} },
	} {
		b.Run(name, func(b *testing.B) {
			b.Run("one", func(b *testing.B) { benchmarkDelivery(b, options(b), 1) })
			b.Run("ten", func(b *testing.B) { benchmarkDelivery(b, options(b), 10) })
		})
	}
}

const benchConcurrency = 16

// benchmarkDelivery delivers b.N messages in all, to this many endpoints.
func benchmarkDelivery(b *testing.B, o store.Options, endpoints int) {
	o.Key = make([]byte, 32)
	st, err := store.Open(b.Context(), o)
	if err != nil {
		b.Fatal(err)
	}
	defer st.Close()
	x := &bench{
		TB: b, store: st, committed: new(atomic.Int64), progress: waits.NewProgress(b),
		key: []byte("0123456789abcdef0123456789abcdef"),
	}
	x.update(func(tx *store.Tx) (err error) {
		x.tenant, err = tx.CreateTenant(b.Context(), "acme", "Acme", time.Now())
		return err
	})
	entries := (b.N + endpoints - 1) / endpoints
	messages := entries * endpoints
	count := &counter{all: make(chan struct{}), want: int64(messages)}
	listening := make([]endpoint.Endpoint, endpoints)
	for i := range listening { // each with its own host
		listening[i] = x.listen(count.serve(b), endpoint.Policy{Concurrency: benchConcurrency})
	}
	x.fillJournal(entries)
	b.ReportAllocs()
	b.ResetTimer()
	begun, used := time.Now(), processorTime(b)
	x.start()
	<-count.all
	took := time.Since(begun)
	used = processorTime(b) - used
	b.StopTimer()
	for _, e := range listening {
		x.served(e)
	}
	x.stop()
	bareUsed := processorTime(b)
	bare := x.bare(listening[0].URL, messages)
	bareUsed = processorTime(b) - bareUsed
	b.ReportMetric(float64(messages)/took.Seconds(), "messages/s")
	b.ReportMetric(bare.Seconds()/took.Seconds(), "of-bare-client")
	b.ReportMetric(perMessage(used, messages), "cpu-µs/message")
	b.ReportMetric(perMessage(bareUsed, messages), "bare-cpu-µs/message")
}

func perMessage(used time.Duration, messages int) float64 {
	return float64(used.Nanoseconds()) / 1000 / float64(messages)
}

// processorTime returns the processor time that this process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fillJournal commits n messages of 500 cases, many at once.
func (b *bench) fillJournal(n int) {
	b.Helper()
	var version int64
	for done := 0; done < n; {
		version++
		b.update(func(tx *store.Tx) error {
			for c := int64(1); c <= 500 && done < n; c, done = c+1, done+1 {
				if _, err := tx.Append(b.Context(), b.commented(c, version)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// bare posts n signed messages and does nothing else.
func (b *bench) bare(url string, n int) time.Duration {
	client := outbound.New(b.outbound())
	defer client.Close()
	body := []byte(fmt.Sprintf("%0300d", 1))
	var left atomic.Int64
	left.Store(int64(n))
	begun := time.Now()
	var posting sync.WaitGroup
	for range benchConcurrency {
		posting.Go(func() {
			for left.Add(-1) >= 0 {
				client.Post(context.Background(), outbound.Request{
					URL:     url,
					Body:    body,
					ID:      "msg_1",
					Attempt: 1,
					At:      time.Now(),
					Keys:    [][]byte{b.key},
					Timeout: time.Second,
				})
			}
		})
	}
	posting.Wait()
	return time.Since(begun)
}

// counter is a receiver that only counts.
type counter struct {
	got, want int64
	all       chan struct{}
}

func (c *counter) serve(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if atomic.AddInt64(&c.got, 1) == c.want {
			close(c.all)
		}
	})}
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { _ = s.Close() })
	return "http://" + l.Addr().String()
}
