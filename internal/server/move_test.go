//go:build unix

package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casehook/casehook/internal/blob"
	"github.com/casehook/casehook/internal/bucket/s3test"
	"github.com/casehook/casehook/internal/cases"
	"github.com/casehook/casehook/internal/casetype"
	"github.com/casehook/casehook/internal/event"
	"github.com/casehook/casehook/internal/id"
	"github.com/casehook/casehook/internal/observe"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/store"
	"github.com/casehook/casehook/internal/waits"
)

// moveTest is an installation with attachments, whose server does not run.
type moveTest struct {
	t      *testing.T
	config Config
	s3     *s3test.Server
	all    map[string]string // contents by their keys
}

const manyContents = 25

func newMoveTest(t *testing.T, s3 *s3test.Server, database string) *moveTest {
	m := &moveTest{t: t, s3: s3, all: map[string]string{}, config: Config{
		Data:        filepath.Join(t.TempDir(), "data"),
		Database:    database,
		Key:         base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, keySize)),
		Environment: s3.Getenv,
	}}
	_, stop := start(t, m.config)
	stop()
	m.in(m.config.usualPlace(), func(s *Server, blobs blob.Store) {
		for i := range manyContents {
			a := cases.Attachment{ID: fmt.Sprintf("att_%02d", i), CaseID: 1, Key: "passport", Filename: "a.txt",
				MediaType: "text/plain", Blob: id.New("blob"), Clearance: casetype.Public,
				By: event.Actor{Source: event.API}, At: time.Now()}
			content := strings.Repeat(a.ID, i*1000)
			info, err := blobs.Put(t.Context(), a.Blob, strings.NewReader(content), 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			a.Size, a.SHA256 = info.Size, hex.EncodeToString(info.SHA256[:])
			err = s.store.Update(t.Context(), func(tx *store.Tx) error {
				return tx.AddAttachment(t.Context(), 1, cases.Proof, a)
			})
			if err != nil {
				t.Fatal(err)
			}
			m.all[a.Blob] = content
		}
	})
	return m
}

// in calls a function with the store of contents in a place.
func (m *moveTest) in(place string, do func(*Server, blob.Store)) {
	m.t.Helper()
	s := &Server{config: m.config.withDefaults(), metrics: observe.New("dev")}
	defer func() {
		if err := s.opened.Close(); err != nil {
			m.t.Error(err)
		}
	}()
	if _, err := s.openStore(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
	blobs, err := s.openPlace(m.t.Context(), place, false)
	if err != nil {
		m.t.Fatal(err)
	}
	do(s, blobs)
}

// wantIn checks that a place has n of the contents, as they were.
func (m *moveTest) wantIn(place string, n int) {
	m.t.Helper()
	m.in(place, func(_ *Server, blobs blob.Store) {
		found := 0
		err := blobs.List(m.t.Context(), func(key string, _ time.Time) error {
			found++
			r, _, err := blobs.Open(m.t.Context(), key)
			if err != nil {
				return err
			}
			defer r.Close()
			var content bytes.Buffer
			if _, err := content.ReadFrom(r); err != nil || content.String() != m.all[key] {
				m.t.Errorf("%s in %s is not as it was: %v", key, place, err)
			}
			return nil
		})
		if err != nil || found != n {
			m.t.Errorf("%s has %d contents, %v; want %d", place, found, err, n)
		}
	})
}

// move moves the contents.
func (m *moveTest) move(move AttachmentMove) (MoveReport, error) {
	return MoveAttachments(m.t.Context(), m.config, move)
}

func (m *moveTest) mustMove(to string) MoveReport {
	m.t.Helper()
	report, err := m.move(AttachmentMove{To: to})
	if err != nil {
		m.t.Fatal(err)
	}
	return report
}

// starts checks whether a server starts with a place; code is that of its error, or empty.
func (m *moveTest) starts(place, code string) {
	m.t.Helper()
	c := m.config
	c.Attachments, c.Listen = place, "127.0.0.1:0"
	ctx, cancel := context.WithCancel(m.t.Context())
	defer cancel()
	s, err := Start(ctx, c)
	if code != "" {
		wantCode(m.t, err, code)
		return
	}
	if err != nil {
		m.t.Fatal(err)
	}
	cancel()
	if err := s.Wait(); err != nil {
		m.t.Error(err)
	}
}

func TestAttachmentsMove(t *testing.T) {
	s3 := s3test.Start(t)
	for name, test := range map[string]func(*moveTest, string){
		"from each place to each other":              movesEverywhere,
		"on, after it was cut off":                   movesOnAfterACut,
		"back, after it was cut off":                 movesBackAfterACut,
		"nothing between two names of one place":     movesNothingWithinAPlace,
		"all but broken contents, and then stops":    stopsAtBrokenContents,
		"and keeps what is in the old place":         keepsTheOldPlace,
		"not into a bucket that can't be used":       refusesABadBucket,
		"what an interrupted deletion left, at last": deletesTheRest,
	} {
		t.Run(name, func(t *testing.T) {
			test(newMoveTest(t, s3, ""), s3.URL(strings.ToLower(id.New("move"))))
		})
	}
}

func movesEverywhere(m *moveTest, bucket string) {
	m.starts("database", "config.attachments_elsewhere")
	at := "disk"
	for _, to := range []string{bucket, "database", bucket, "disk", "database", "disk"} {
		report := m.mustMove(to)
		all := report.Progress.AllBytes
		want := MoveReport{From: at, To: to, Deleted: manyContents, Progress: MoveProgress{
			Contents: manyContents, AllContents: manyContents, Bytes: all, AllBytes: all}}
		if diff := cmp.Diff(want, report); diff != "" {
			m.t.Errorf("%s to %s:\n%s", at, to, diff)
		}
		m.wantIn(to, manyContents)
		m.wantIn(at, 0)
		m.starts(at, "config.attachments_elsewhere")
		m.starts(to, "")
		at = to
	}
	if report := m.mustMove(at); report.From != at || report.Progress.Contents != 0 {
		m.t.Errorf("where it is already: %+v", report)
	}
}

// cutOff begins a move, and cuts it off after some contents.
func (m *moveTest) cutOff(to string) {
	m.t.Helper()
	ctx, cancel := context.WithCancel(m.t.Context())
	defer cancel()
	_, err := MoveAttachments(ctx, m.config, AttachmentMove{To: to, Progress: func(p MoveProgress) {
		if p.Contents == 5 {
			cancel()
		}
	}})
	if err == nil {
		m.t.Fatal("the move was not cut off")
	}
	m.wantIn("disk", manyContents)
	m.starts("disk", "config.attachments_moving")
	m.starts(to, "config.attachments_moving")
}

func movesOnAfterACut(m *moveTest, bucket string) {
	m.cutOff(bucket)
	_, err := m.move(AttachmentMove{To: "database"})
	wantCode(m.t, err, "config.attachments_moving")
	if report := m.mustMove(bucket); report.Progress.Present < 5 || report.Progress.Contents != manyContents {
		m.t.Errorf("%+v", report)
	}
	m.wantIn(bucket, manyContents)
	m.wantIn("disk", 0)
	m.starts(bucket, "")
}

func movesBackAfterACut(m *moveTest, bucket string) {
	m.cutOff(bucket)
	if report := m.mustMove("disk"); report.Deleted < 5 || report.Progress.Contents != 0 {
		m.t.Errorf("%+v", report)
	}
	m.wantIn("disk", manyContents)
	m.wantIn(bucket, 0)
	m.starts("disk", "")
}

func movesNothingWithinAPlace(m *moveTest, bucket string) {
	m.mustMove(bucket)
	other := strings.Replace(bucket, "127.0.0.1", "localhost", 1)
	if report := m.mustMove(other); report.Progress.Present != manyContents || report.Deleted != 0 {
		m.t.Errorf("%+v", report)
	}
	m.wantIn(other, manyContents)
	m.starts(bucket, "config.attachments_elsewhere")
	m.starts(other, "")
}

func stopsAtBrokenContents(m *moveTest, bucket string) {
	var gone, cut string
	for key, content := range m.all {
		switch {
		case gone == "":
			gone = key
		case cut == "" && content != "":
			cut = key
		}
	}
	path := func(key string) string {
		return filepath.Join(m.config.Data, "attachments", key[len(key)-2:], key)
	}
	if err := os.Remove(path(gone)); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path(cut), []byte("?"), 0o600); err != nil {
		m.t.Fatal(err)
	}
	_, err := m.move(AttachmentMove{To: bucket})
	wantCode(m.t, err, "config.attachments_broken")
	for _, key := range []string{gone, cut} {
		if !strings.Contains(err.Error(), key) {
			m.t.Errorf("%v does not name %s", err, key)
		}
	}
	m.wantIn(bucket, manyContents-2)
	for _, key := range []string{gone, cut} { // from the backup
		if err := os.WriteFile(path(key), []byte(m.all[key]), 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
	if report := m.mustMove(bucket); report.Progress.Present != manyContents-2 {
		m.t.Errorf("%+v", report)
	}
	m.wantIn(bucket, manyContents)
}

func keepsTheOldPlace(m *moveTest, bucket string) {
	if _, err := m.move(AttachmentMove{To: bucket, Keep: true}); err != nil {
		m.t.Fatal(err)
	}
	m.wantIn("disk", manyContents)
	m.wantIn(bucket, manyContents)
	m.starts(bucket, "")
	if report := m.mustMove("disk"); report.Progress.Present != manyContents {
		m.t.Errorf("%+v", report)
	}
	m.wantIn(bucket, 0)
}

func refusesABadBucket(m *moveTest, bucket string) {
	missing := strings.Replace(bucket, s3test.Bucket, "no-such-bucket", 1)
	_, err := m.move(AttachmentMove{To: missing})
	wantCode(m.t, err, "config.attachments_unusable")
	m.starts("disk", "") // nothing has begun
	for _, to := range []string{"", "tape", "s3://key:secret@files"} {
		_, err := m.move(AttachmentMove{To: to})
		wantCode(m.t, err, "config.attachments")
		if strings.Contains(err.Error(), "secret") {
			m.t.Errorf("%v", err)
		}
	}
	m.mustMove(bucket)
	m.config.Environment = func(string) string { return "wrong" }
	m.starts(bucket, "config.attachments_unusable")
}

func deletesTheRest(m *moveTest, bucket string) {
	if _, err := m.move(AttachmentMove{To: bucket, Keep: true}); err != nil {
		m.t.Fatal(err)
	}
	m.in(bucket, func(s *Server, _ blob.Store) { // as if it had been killed after the switch
		err := s.store.MoveAttachmentPlace(m.t.Context(), store.AttachmentPlace{Place: bucket},
			store.AttachmentPlace{Place: bucket, Former: "disk"})
		if err != nil {
			m.t.Fatal(err)
		}
	})
	m.starts(bucket, "")
	if report := m.mustMove(bucket); report.Deleted != manyContents {
		m.t.Errorf("%+v", report)
	}
	m.wantIn("disk", 0)
	m.wantIn(bucket, manyContents)
}

func TestAttachmentsOfPostgreSQLMoveWhileNoServerRuns(t *testing.T) {
	m := newMoveTest(t, s3test.Start(t), pgtest.URL(t))
	running, stop := start(t, m.config)
	waits.Poll(t, "the server is known to the database", func() bool {
		nodes, err := running.store.LiveNodes(t.Context())
		return err != nil || nodes > 0
	})
	_, err := m.move(AttachmentMove{To: "disk"})
	wantCode(t, err, "config.attachments_in_use")
	stop()
	m.mustMove("disk")
	m.wantIn("disk", manyContents)
	m.wantIn("database", 0)
	m.starts("disk", "")
	shared := m.config.Data
	m.config.Data = t.TempDir()
	m.starts("disk", "config.attachments_folder")
	m.config.Data = shared
	bucket := m.s3.URL("postgres")
	m.mustMove(bucket)
	m.starts(bucket, "")
}
