package hooks

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/casehook/casehook/internal/access"
	"github.com/casehook/casehook/internal/api/rest"
	"github.com/casehook/casehook/internal/delivery"
)

// streamAnswer is the answer that starts a stream.
type streamAnswer struct {
	Type    string `header:"Content-Type"`
	Buffers string `header:"X-Accel-Buffering" doc:"no: proxies pass each event on at once."`
	Body    func(huma.Context)
}

// The bounds of a batch.
const (
	streamBatch = 256       // messages
	streamText  = 256 << 10 // bytes of them and their entries
)

// The sizes of writes to a stream, in bytes.
const (
	streamPart  = 16 << 10 // smaller texts are buffered
	streamPiece = 64 << 10 // buffered until they are flushed
)

func (h journalHandler) openStream(ctx context.Context, in *struct {
	InJournal
	LastEventID string `header:"Last-Event-ID" maxLength:"500" doc:"The id of the last event that the client has; it wins over after."`
}) (*streamAnswer, error) {
	after := in.After
	if in.LastEventID != "" {
		after = in.LastEventID
	}
	f, err := h.follow(ctx, access.StreamJournal, in.InJournal, after)
	if err != nil {
		return nil, err
	}
	if _, err := h.feed.Read(ctx, &f.audience, f.position, 1, 1); err != nil {
		return nil, err // such as 410, which can't be sent once the stream has started
	}
	done, err := h.followers.Enter(f.principal)
	if err != nil {
		return nil, err
	}
	return &streamAnswer{Type: "text/event-stream", Buffers: "no", Body: func(hc huma.Context) {
		defer done()
		r, w := humago.Unwrap(hc)
		if r.Method == http.MethodHead {
			return
		}
		s := &stream{follower: f, w: w, control: http.NewResponseController(w)}
		s.run(r.Context())
	}}, nil
}

// stream is a client's open stream.
type stream struct {
	follower *follower
	w        http.ResponseWriter
	control  *http.ResponseController
	sent     delivery.Position // where the client would resume
	text     bytes.Buffer      // to write at the next flush
}

// run streams until an error or a limit ends the stream. It reports no reason: the client resumes with the last id
// that it has.
func (s *stream) run(ctx context.Context) {
	alive := time.NewTicker(s.follower.handler.followers.KeepAlive)
	defer alive.Stop()
	end := time.NewTimer(s.follower.handler.followers.Lifetime)
	defer end.Stop()
	if s.comment("retry: 2000\n") != nil {
		return
	}
	already := make(chan struct{})
	close(already)
	for {
		if s.follower.recheckIfChanged(ctx) != nil {
			return
		}
		var ready <-chan struct{} = s.follower.handler.feed.Wait(s.follower.principal.Tenant)
		more, err := s.sendNext(ctx)
		if err != nil {
			return
		}
		if more {
			ready = already
		}
		select {
		case <-ready:
		case <-s.follower.rightsChanged:
		case <-s.follower.expiry():
			if s.follower.recheck(ctx) != nil {
				return
			}
		case <-alive.C:
			if s.follower.recheck(ctx) != nil || s.comment(": alive\n") != nil {
				return
			}
		case <-end.C:
			return
		case <-s.follower.handler.followers.Stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// sendNext sends the next batch, and reports whether there is more.
func (s *stream) sendNext(ctx context.Context) (more bool, err error) {
	if err := s.follower.recheckAudience(ctx); err != nil {
		return false, err
	}
	batch, texts, err := s.next(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.follower.handler.kernel.Problem(ctx, err) // logs internal errors
		}
		return false, err
	}
	defer rest.ExchangeOf(ctx).Release()
	for i, m := range batch.Messages {
		id, err := s.follower.cursor(m.Next)
		if err != nil {
			return false, err
		}
		for _, part := range []string{"id: ", id, "\nevent: ", m.Message.Trigger, "\ndata: "} {
			s.text.WriteString(part)
		}
		if err := s.write(texts[i]); err != nil {
			return false, err
		}
		texts[i] = nil
		s.text.WriteString("\n\n")
		s.sent = m.Next
	}
	s.follower.position = batch.Next
	return batch.More, s.flush()
}

// next reads the next batch, encodes its messages, and reserves memory for them.
func (s *stream) next(ctx context.Context) (b delivery.Batch, texts [][]byte, err error) {
	b, done, err := s.follower.read(ctx, streamBatch, streamText)
	if err != nil {
		return b, nil, err
	}
	defer done()
	size := 0
	for _, m := range b.Messages {
		text, err := m.Encoded(encodeMessage)
		if err != nil {
			return b, nil, err
		}
		size += len(text)
		texts = append(texts, text)
	}
	return b, texts, s.follower.handler.kernel.Reserve(ctx, size)
}

// write sends the text of a message. Small texts are buffered first.
func (s *stream) write(text []byte) error {
	if len(text) < streamPart {
		s.text.Write(text)
		if s.text.Len() < streamPiece {
			return nil
		}
		return s.flush()
	}
	if err := s.flush(); err != nil {
		return err
	}
	_, err := s.w.Write(text)
	return err
}

// comment sends a line that keeps the stream alive. If the stream has passed messages that the client does not want,
// it sends their position, too: a client ignores an event without data, but keeps its id.
func (s *stream) comment(line string) error {
	s.text.WriteString(line)
	if s.follower.position != s.sent {
		id, err := s.follower.cursor(s.follower.position)
		if err != nil {
			return err
		}
		s.text.WriteString("id: " + id + "\n")
		s.sent = s.follower.position
	}
	s.text.WriteString("\n")
	return s.flush()
}

// flush sends the text. As with any answer, the server closes the connection of a client
// that does not read it.
func (s *stream) flush() error {
	if s.text.Len() == 0 {
		return nil
	}
	_, err := s.text.WriteTo(s.w)
	s.text.Reset()
	if err != nil {
		return err
	}
	return s.control.Flush()
}
