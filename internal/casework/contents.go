package casework

import (
	"context"
	"encoding/hex"
	"io"
	"log/slog"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/id"
)

// contents are the contents of attachments.
type contents struct {
	blobs blob.Store
	log   *slog.Logger
}

// keep stores an attachment's contents, and sets their size, hash and media type.
func (s *contents) keep(ctx context.Context, a *cases.Attachment, contents io.Reader, limit int64) error {
	a.Blob = id.New("blob")
	info, err := s.blobs.Put(ctx, a.Blob, contents, limit)
	a.Size, a.SHA256 = info.Size, hex.EncodeToString(info.SHA256[:])
	return err
}

// discard deletes contents that nothing refers to any more. Clean finds those that it can't delete. It goes on if the
// caller leaves.
func (s *contents) discard(ctx context.Context, blobs ...string) {
	for _, blob := range blobs {
		if err := s.blobs.Delete(context.WithoutCancel(ctx), blob); err != nil {
			s.log.WarnContext(ctx, "contents left behind", "blob", blob, "code", fault.As(err).Code)
		}
	}
}
