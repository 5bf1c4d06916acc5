package server

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/bucket"
	"github.com/casehook/casehook/internal/fault"
	"github.com/casehook/casehook/internal/store"
)

// The places of contents, besides addresses of buckets.
const (
	placeDisk     = "disk"
	placeDatabase = "database"
)

// probeTime is the time in which a bucket has to answer when the server starts.
const probeTime = 30 * time.Second

// usualPlace returns the place of contents where none is configured.
func (c Config) usualPlace() string {
	if c.Database == "" {
		return placeDisk
	}
	return placeDatabase
}

// place returns the configured place of contents.
func (c Config) place() (string, error) {
	if c.Attachments == "" {
		return c.usualPlace(), nil
	}
	return readPlace("attachments", c.Attachments)
}

// readPlace returns the one form of a place that an option names.
func readPlace(option, text string) (string, error) {
	if text == placeDisk || text == placeDatabase {
		return text, nil
	}
	if !strings.HasPrefix(text, "s3:") { // it may have a secret, and is not repeated
		return "", invalid("attachments",
			"--%s says where attachments are: disk, database, or the address of a bucket, s3://BUCKET/PREFIX.", option)
	}
	a, err := bucket.Parse(text)
	if err != nil {
		return "", invalid("attachments", "--%s: %s", option, fault.As(err).Detail)
	}
	return a.String(), nil
}

// openBlobs opens the store of contents, if that is where they are.
func (s *Server) openBlobs(ctx context.Context) (blob.Store, error) {
	place, err := s.config.place()
	if err != nil {
		return nil, err
	}
	s.store.KeepAttachmentsIn(place)
	if err := s.checkPlace(ctx, place); err != nil {
		return nil, err
	}
	blobs, err := s.openPlace(ctx, place, true)
	if err == nil && place == placeDisk && s.store.Nodes() {
		err = s.checkShared(ctx, blobs)
	}
	return blobs, err
}

// checkShared returns an error if there are attachments, and a folder that servers share has none: then it is another.
func (s *Server) checkShared(ctx context.Context, folder blob.Store) error {
	first, err := s.store.Contents(ctx, "", 1)
	if err != nil || len(first) == 0 {
		return err
	}
	found := errors.New("found")
	err = folder.List(ctx, func(string, time.Time) error { return found })
	if errors.Is(err, found) {
		return nil
	}
	return errors.Join(err, fault.New(fault.Conflict, "config.attachments_folder",
		"The database has attachments, and the folder attachments in %s has none of them. Name the folder that all "+
			"servers share with --data.", s.config.Data))
}

// checkPlace returns an error if contents are not in a place, or are being moved.
func (s *Server) checkPlace(ctx context.Context, place string) error {
	recorded, err := s.recordedPlace(ctx, place)
	switch {
	case err != nil:
		return err
	case recorded.Target != "":
		return fault.New(fault.Conflict, "config.attachments_moving",
			"The attachments are being moved from %s to %s. Finish that with casehook attachments move --to '%s', or "+
				"go back with --to '%s'.", recorded.Place, recorded.Target, recorded.Target, recorded.Place)
	case recorded.Place != place:
		return fault.New(fault.Conflict, "config.attachments_elsewhere",
			"The attachments are in %s, and --attachments is %s. Start the server with --attachments '%s', or move "+
				"them first: casehook attachments move --to '%s'.", recorded.Place, place, recorded.Place, place)
	}
	return nil
}

// recordedPlace returns where contents are. If that is not recorded, they are where all versions before kept them; if
// there are none, they will be in the place that is wanted.
func (s *Server) recordedPlace(ctx context.Context, wanted string) (store.AttachmentPlace, error) {
	recorded, err := s.store.AttachmentPlace(ctx)
	if !errors.Is(err, fault.NotFound) {
		return recorded, err
	}
	first, err := s.store.Contents(ctx, "", 1)
	if err != nil {
		return recorded, err
	}
	if len(first) > 0 {
		wanted = s.config.usualPlace()
	}
	return s.store.ClaimAttachmentPlace(ctx, wanted)
}

// openPlace opens the store of contents in a place. A bucket is tried out, if that is asked for.
func (s *Server) openPlace(ctx context.Context, place string, try bool) (blob.Store, error) {
	folder := filepath.Join(s.config.Data, attachmentsName)
	switch {
	case place == placeDatabase:
		return s.store.Blobs(), nil
	case place == placeDisk && s.store.Nodes():
		return blob.NewSharedDisk(folder)
	case place == placeDisk:
		return blob.NewDisk(folder)
	}
	b, err := s.config.openBucket(place)
	if err != nil {
		return nil, err
	}
	s.opened.add(b)
	if try {
		limited, cancel := context.WithTimeout(ctx, probeTime)
		defer cancel()
		if err := b.Probe(limited); err != nil {
			return nil, fault.Wrap(err, fault.Unavailable, "config.attachments_unusable",
				"Attachments can't be kept in %s. %s", place, fault.As(err).Detail)
		}
	}
	return blob.NewS3(b), nil
}
