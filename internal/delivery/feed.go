package delivery

import (
	"context"
	"sync"
	"time"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
	"github.com/casehook/casehook/internal/wire"
)

// Feed is the journal as clients read it, each from its own position. Clients read the engine's tail, so that an entry
// is read and encoded once for all of them. A Feed is safe for concurrent use, and a slow client does not delay the
// others.
type Feed struct {
	tail   *tail
	ranges chan struct{} // a semaphore for clients that read far behind the end
}

// The bounds of one Read.
const (
	feedSpan   = 4096 // positions, in the database
	feedBatch  = 64   // entries that are read from there at once
	feedRounds = 16   // reads, if few messages pass the filter
	feedRanges = 4    // clients that read from there at once
)

// Feed returns a feed of the engine's journal. While the engine does not run, clients can read, but nothing wakes them.
func (e *Engine) Feed() *Feed {
	return &Feed{tail: e.tail, ranges: make(chan struct{}, feedRanges)}
}

// Position is a message's place in the journal. A client has read all messages before it.
type Position struct {
	Seq  int64 `json:"s"`
	Part int   `json:"p,omitempty"` // which message of the entry
}

// FeedMessage is a message for an audience. It holds no reference to its entry, which may be large.
type FeedMessage struct {
	Message *wire.Message
	Subject string
	Version int64 // of the subject
	At      time.Time
	Source  event.Source
	Next    Position // after it
	shown   *encoding
}

// encoding is a message as encoded for clients, which is done once.
type encoding struct {
	once sync.Once
	text []byte
	err  error
}

// Encoded returns the message as encoded by encode. It calls encode once for all clients, so the result must not
// depend on the client.
func (m FeedMessage) Encoded(encode func(FeedMessage) ([]byte, error)) ([]byte, error) {
	m.shown.once.Do(func() { m.shown.text, m.shown.err = encode(m) })
	return m.shown.text, m.shown.err
}

// Batch is the result of a Read: messages, and the position to continue from.
type Batch struct {
	Messages []FeedMessage
	Next     Position // after all entries that were read, wanted or not
	More     bool     // more entries can be read now
}

// Now returns the position of the first entry that is committed from now on.
func (f *Feed) Now(ctx context.Context) (Position, error) {
	if err := f.tail.catchUp(ctx); err != nil {
		return Position{}, err
	}
	return Position{Seq: f.tail.end() + 1}, nil
}

// Since returns the position of the first entry that was committed at or after a time.
func (f *Feed) Since(ctx context.Context, at time.Time) (Position, error) {
	before, err := f.tail.store.Before(ctx, at)
	return Position{Seq: before + 1}, err
}

// Oldest returns the position of the oldest entry that is kept.
func (f *Feed) Oldest(ctx context.Context) (Position, error) {
	floor, _, err := f.tail.store.Floor(ctx)
	return Position{Seq: floor + 1}, err
}

// Catch makes all earlier commits readable, even if this process was not notified of them.
func (f *Feed) Catch(ctx context.Context) error { return f.tail.catchUp(ctx) }

// Wait returns a channel that is closed when a tenant has new entries. Call it before you read, so that you miss none.
func (f *Feed) Wait(tenant int64) <-chan struct{} { return f.tail.wait(tenant) }

// Read returns up to limit messages from a position on, of roughly up to size bytes in all, but at least one if there
// is any. The size includes the entries of the messages, which had to be read. Read reads a bounded part of the
// journal, so that a batch may be empty although there is more.
func (f *Feed) Read(ctx context.Context, a *filter.Audience, from Position, limit, size int) (Batch, error) {
	b := Batch{Next: from}
	for range feedRounds {
		entries, upTo, end, err := f.entries(ctx, a, b.Next.Seq-1)
		if err != nil {
			return b, err
		}
		for _, e := range entries {
			if ctx.Err() != nil { // the client has gone: don't evaluate its filter
				return b, fault.Cancelled(ctx.Err())
			}
			if b.add(e, a, limit, &size) {
				b.More = true
				return b, nil
			}
		}
		b.Next = Position{Seq: upTo + 1}
		if end {
			return b, nil
		}
	}
	b.More = true
	return b, nil
}

// add adds an entry's messages to the batch, and reports whether it is full.
func (b *Batch) add(e *tailEntry, a *filter.Audience, limit int, size *int) (full bool) {
	first, journal := 0, e.entry.Journal
	if journal.Seq == b.Next.Seq {
		first = b.Next.Part
	}
	messages, counted := e.entry.Messages(a.View()), false
	for part := first; part < len(messages); part++ {
		m := messages[part]
		if !a.Subscribes(journal, m) {
			continue
		}
		if passes, err := e.entry.Passes(a, part); !passes || err != nil { // after an error it is not sent, either
			continue
		}
		cost := len(m.Body)
		if !counted {
			cost += journal.Size()
		}
		if len(b.Messages) >= limit || len(b.Messages) > 0 && *size < cost {
			b.Next = Position{Seq: journal.Seq, Part: part}
			return true
		}
		*size -= cost
		counted = true
		next := Position{Seq: journal.Seq, Part: part + 1}
		if next.Part == len(messages) {
			next = Position{Seq: journal.Seq + 1}
		}
		b.Messages = append(b.Messages, FeedMessage{
			Message: m,
			Subject: journal.Subject,
			Version: journal.Version,
			At:      journal.At,
			Source:  journal.Actor.Source,
			Next:    next,
			shown:   &e.encodings(a.View(), len(messages))[part],
		})
	}
	b.Next = Position{Seq: journal.Seq + 1}
	return false
}

// entries returns a tenant's next entries, and the position up to which there are no others; end reports that it is
// the journal's end.
func (f *Feed) entries(
	ctx context.Context, a *filter.Audience, after int64,
) (entries []*tailEntry, upTo int64, end bool, err error) {
	if entries, upTo, ok := f.tail.recentShown(a.Tenant, after); ok {
		return entries, upTo, len(entries) < readBatch, nil
	}
	select {
	case f.ranges <- struct{}{}:
		defer func() { <-f.ranges }()
	case <-ctx.Done():
		return nil, after, false, fault.Cancelled(ctx.Err())
	}
	head := f.tail.end() // before reading: all entries up to it are in the database
	span := min(after+feedSpan, head)
	found, err := f.tail.store.FeedRange(ctx, a.Tenant, after, span, feedBatch)
	if err != nil {
		return nil, after, false, err
	}
	if err := f.kept(ctx, after); err != nil {
		return nil, after, false, err
	}
	for _, e := range found.Entries {
		entries = append(entries, f.tail.wrap(e))
	}
	if found.More {
		span = found.Last()
	}
	return entries, max(span, after), span >= head, nil
}

// kept returns an error if entries above a position have been removed. It is called after reading: if it returns nil,
// no entry was removed before it was read.
func (f *Feed) kept(ctx context.Context, after int64) error {
	floor, oldest, err := f.tail.store.Floor(ctx)
	if err != nil || after >= floor {
		return err
	}
	return fault.New(fault.Gone, "journal.removed",
		"Entries from before %s have been removed. Continue with after=beginning, which starts at the oldest entry "+
			"that is left.",
		wire.Timestamp(oldest))
}
