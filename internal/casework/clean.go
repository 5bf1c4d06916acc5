package casework

import (
	"context"
	"time"

	"github.com/casehook/casehook/internal/authz"
	"github.com/casehook/casehook/internal/store"
)

// leftoverAge is the age from which contents count as leftovers: no upload takes as long.
const leftoverAge = 24 * time.Hour

// Clean removes answers that are no longer repeated, documents of fields that no case names, and contents without an
// attachment, which a process left when it ended.
func (s *Files) Clean(ctx context.Context) error {
	now := s.now()
	for more := true; more; {
		err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
			more, err = tx.PurgeAnswers(ctx, now.Add(-authz.AnswersLast))
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := s.store.FoldTexts(ctx); err != nil {
		return err
	}
	if err := s.documents.clean(ctx); err != nil {
		return err
	}
	return s.blobs.List(ctx, func(key string, modified time.Time) error {
		if modified.After(now.Add(-leftoverAge)) {
			return nil
		}
		used, err := s.store.BlobUsed(ctx, key)
		if err != nil || used {
			return err
		}
		return s.blobs.Delete(ctx, key)
	})
}
