package server

import (
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/backup"
	"github.com/casehook/casehook/internal/pgtest"
	"github.com/casehook/casehook/internal/waits"
)

// Nodes that share a database make backups by themselves, in turns, and remove old ones. Each can be restored.
func TestServersMakeBackupsInTurns(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), newSignalLog(t)
	c := Config{
		Log:      slog.New(slog.NewJSONHandler(log, nil)),
		Database: pgtest.URL(t), Key: base64.StdEncoding.EncodeToString(make([]byte, 32)),
		Backups: Backups{To: dir, Every: 2 * time.Second, Keep: time.Millisecond},
	}
	began := time.Now()
	one, stopOne := start(t, c)
	_, stopTwo := start(t, c)
	place, err := backup.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	log.progress.Until(t, "three backups", func() bool { return strings.Count(log.String(), "backup made") >= 3 })
	token := one.Token()
	stopOne()
	stopTwo()
	all, err := backup.List(t.Context(), place)
	if err != nil || len(all) > 2 { // one may be made while the other is removed
		t.Errorf("%d backups are kept: %v", len(all), err)
	}
	if times := strings.Count(log.String(), "backup made"); times > 3+int(time.Since(began)/(2*time.Second)) {
		t.Errorf("%d backups were made since %v", times, time.Since(began))
	}
	restored := Config{Database: pgtest.URL(t), Key: c.Key}
	if _, err := Restore(t.Context(), restored, Restoration{From: place}); err != nil {
		t.Fatal(err)
	}
	three, _ := start(t, restored)
	if status, body := get(t, three, "/v1/cases", token); status != 200 {
		t.Errorf("after the restoration: %d %s", status, body)
	}
}

// A backup that fails is logged with advice, and counted.
func TestABackupThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log := newSignalLog(t)
	s, stop := start(t, Config{
		Data: filepath.Join(t.TempDir(), "data"), Log: slog.New(slog.NewJSONHandler(log, nil)),
		MetricsToken: "a-token-for-metrics", Backups: Backups{To: filepath.Join(file, "backups")},
	})
	log.progress.Until(t, "a failure", func() bool { return strings.Contains(log.String(), "the backup failed") })
	if _, body := get(t, s, "/metrics", "a-token-for-metrics"); !strings.Contains(body,
		`casehook_backups_total{result="failed"} 1`) {
		t.Errorf("the failure is not counted:\n%s", body)
	}
	stop()
	if text := log.String(); !strings.Contains(text, `"advice":`) {
		t.Errorf("there is no advice:\n%s", text)
	}
}

// signalLog tells a test that a line was logged.
type signalLog struct {
	lockedLog
	progress *waits.Progress
}

func newSignalLog(t *testing.T) *signalLog { return &signalLog{progress: waits.NewProgress(t)} }

func (l *signalLog) Write(line []byte) (int, error) {
	defer l.progress.Made()
	return l.lockedLog.Write(line)
}
