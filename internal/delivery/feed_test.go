package delivery

import (
	"context"
	"testing"

	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/filter"
)

func TestAReadEndsWithItsReader(t *testing.T) {
	tail := newTail(nil, "1.0.0")
	tail.from = 0
	for seq := range int64(100) {
		tail.append([]*event.Entry{{Seq: seq + 1, Tenant: 1}})
	}
	feed := &Feed{tail: tail}
	ctx, leave := context.WithCancel(t.Context())
	if b, err := feed.Read(ctx, &filter.Audience{Tenant: 1}, Position{Seq: 1}, 1, 1); err != nil || b.Next.Seq != 101 {
		t.Fatalf("read up to %v, %v", b.Next, err)
	}
	leave()
	if b, err := feed.Read(ctx, &filter.Audience{Tenant: 1}, Position{Seq: 1}, 1,
		1); fault.As(err).Code != "request.cancelled" || b.Next.Seq != 1 {
		t.Errorf("whoever is gone reads up to %v, %v", b.Next, err)
	}
}
