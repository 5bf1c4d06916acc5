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

// streaming is an answer that goes on.
type streaming struct {
	Type    string `header:"Content-Type"`
	Buffers string `header:"X-Accel-Buffering" doc:"no: proxies pass each event on at once."`
	Body    func(huma.Context)
}

// The bounds of what is read between two looks at what else there is: messages, and
// the bytes of them and their entries.
const (
	streamBatch = 256
	streamText  = 256 << 10
)

// The sizes of what is written to a stream, in bytes: what is smaller than a part is
// gathered until it fills a piece.
const (
	streamPart  = 16 << 10
	streamPiece = 64 << 10
)

func (h journalHandler) openStream(ctx context.Context, in *struct {
	InJournal
	LastEventID string `header:"Last-Event-ID" maxLength:"500" doc:"The id of the last event that the client has; it wins over after."`
}) (*streaming, error) {
	after := in.After
	if in.LastEventID != "" {
		after = in.LastEventID
	}
	f, err := h.follow(ctx, access.StreamJournal, in.InJournal, after)
	if err != nil {
		return nil, err
	}
	if _, err := h.feed.Read(ctx, &f.audience, f.at, 1, 1); err != nil {
		return nil, err // it is gone; later there is no telling
	}
	done, err := h.followers.enter(f.principal)
	if err != nil {
		return nil, err
	}
	return &streaming{Type: "text/event-stream", Buffers: "no", Body: func(hc huma.Context) {
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
	*follower
	w       http.ResponseWriter
	control *http.ResponseController
	told    delivery.Position // where the client goes on if it ends now
	text    bytes.Buffer
}

// run streams until something ends it. Whatever that is, the client resumes with
// the last id that it has, so that nothing more is told of it.
func (s *stream) run(ctx context.Context) {
	alive := time.NewTicker(s.bounds.KeepAlive)
	defer alive.Stop()
	end := time.NewTimer(s.bounds.Lifetime)
	defer end.Stop()
	if s.sign("retry: 2000\n") != nil {
		return
	}
	already := make(chan struct{})
	close(already)
	for {
		if s.reviewed(ctx) != nil {
			return
		}
		var ready <-chan struct{} = s.feed.Wait(s.principal.Tenant)
		more, err := s.tell(ctx)
		if err != nil {
			return
		}
		if more {
			ready = already
		}
		select {
		case <-ready:
		case <-s.revised:
		case <-s.expiry():
			if s.again(ctx) != nil {
				return
			}
		case <-alive.C:
			if s.again(ctx) != nil || s.sign(": alive\n") != nil {
				return
			}
		case <-end.C:
			return
		case <-s.bounds.Stop:
			return
		case <-ctx.Done():
			return
		}
	}
}

// tell sends what there is, and reports whether there is more.
func (s *stream) tell(ctx context.Context) (more bool, err error) {
	if err := s.keepUp(ctx); err != nil {
		return false, err
	}
	batch, texts, err := s.look(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.kernel.Problem(ctx, err) // logs what is ours
		}
		return false, err
	}
	defer rest.ExchangeOf(ctx).Release()
	for i, m := range batch.Messages {
		id, err := s.token(m.Next)
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
		s.told = m.Next
	}
	s.at = batch.Next
	return batch.More, s.flush()
}

// look reads the next messages and encodes them, and makes room for them.
func (s *stream) look(ctx context.Context) (b delivery.Batch, texts [][]byte, err error) {
	b, done, err := s.read(ctx, streamBatch, streamText)
	if err != nil {
		return b, nil, err
	}
	defer done()
	size := 0
	for _, m := range b.Messages {
		text, err := m.Encoded(encodeHeard)
		if err != nil {
			return b, nil, err
		}
		size += len(text)
		texts = append(texts, text)
	}
	return b, texts, s.kernel.Reserve(ctx, size)
}

// write sends a message's text. The buffer stays small.
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

// sign sends a sign of life, with an id if the stream is behind what was not
// wanted: an event without data is none, but its id counts.
func (s *stream) sign(line string) error {
	s.text.WriteString(line)
	if s.at != s.told {
		id, err := s.token(s.at)
		if err != nil {
			return err
		}
		s.text.WriteString("id: " + id + "\n")
		s.told = s.at
	}
	s.text.WriteString("\n")
	return s.flush()
}

// flush sends what was written. A client that does not take it is cut off, as it
// is with any answer.
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
