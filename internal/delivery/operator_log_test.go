package delivery_test

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/endpoint"
)

// record is a log that may be read while it is written.
type record struct {
	out     io.Writer
	written func() // nil: nobody waits
	mu      sync.Mutex
	all     bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	r.all.Write(p)
	r.mu.Unlock()
	if r.written != nil {
		r.written()
	}
	return r.out.Write(p)
}

// has reports whether a line has all these texts.
func (r *record) has(text ...string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(r.all.String()) {
		all := true
		for _, part := range text {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

func TestFailuresAreInTheOperatorsLog(t *testing.T) {
	onBothEngines(t, func(b *bench) {
		log := &record{out: b.Output(), written: b.progress.Made}
		b.log = log
		b.stop()
		b.start()
		refusing := b.receiver(func(arrival) int { return 400 })
		e := b.listen(refusing.url, endpoint.Policy{Retries: []time.Duration{time.Millisecond}})
		b.comment(1, 1)
		b.eventually("a dead message is in the log", func() bool {
			return log.has("level=WARN", "messages were given up", "endpoint="+e.ID, "count=1", "subject=case/1",
				"400 Bad Request")
		})
		away := b.receiver(func(arrival) int { return 503 })
		e = b.listen(away.url, endpoint.Policy{})
		for id := range int64(8) {
			b.comment(100+id, 1)
		}
		b.eventually("an endpoint that fails is in the log", func() bool {
			return log.has("level=WARN", "takes nothing", "endpoint="+e.ID, "url="+away.url, "503 Service Unavailable")
		})
	})
}
