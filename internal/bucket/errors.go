package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/casehook/casehook/internal/fault"
)

// fault returns the fault of a request, by the code of the server's answer; without an answer the server could not be
// reached. Details name neither the server nor the bucket, since users of the API see them; the cause does.
func (b *Bucket) fault(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("bucket %s: %w", b.address, err)
	if cause := ctx.Err(); cause != nil {
		return errors.Join(cause, err)
	}
	var answer minio.ErrorResponse
	if !errors.As(err, &answer) || answer.Code == "" && answer.StatusCode == 0 {
		return fault.Wrap(err, fault.Unavailable, "bucket.unreachable",
			"The object storage can't be reached. Try again later.")
	}
	switch answer.Code {
	case minio.NoSuchKey:
		return fault.Wrap(err, fault.NotFound, "bucket.not_found", "There is no such object.")
	case minio.PreconditionFailed, "ConditionalRequestConflict":
		return fault.Wrap(err, fault.Conflict, "bucket.exists", "The object exists already.")
	case minio.NoSuchBucket:
		return fault.Wrap(err, fault.Unavailable, "bucket.missing", "The bucket does not exist. Create it first.")
	case minio.AccessDenied, minio.InvalidAccessKeyID, minio.SignatureDoesNotMatch, "ExpiredToken", "InvalidToken",
		"AllAccessDisabled", "AccountProblem":
		return fault.Wrap(err, fault.Unavailable, "bucket.refused",
			"The object storage refuses the credentials (%s).", answer.Code)
	}
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500 {
		return fault.Wrap(err, fault.Unavailable, "bucket.unavailable",
			"The object storage can't do that at present. Try again later.")
	}
	return fault.Wrap(err, fault.Upstream, "bucket.failed", "The object storage refuses the request (%s).", answer.Code)
}
