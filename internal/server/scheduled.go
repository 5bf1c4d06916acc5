package server

import (
	"context"
	"errors"
	"time"

	"github.com/casehook/casehook/internal/backup"
)

// Backups says which backups a server makes by itself. Nodes that share a database take turns.
type Backups struct {
	To    string        // a folder, or the address of a bucket; empty: none are made
	Every time.Duration // default a day
	Keep  time.Duration // older ones are removed, but the newest; default 30 days
}

// The defaults, and how soon a backup that failed is tried again, at most.
const (
	backupEvery = 24 * time.Hour
	backupKeep  = 30 * 24 * time.Hour
	backupRetry = 10 * time.Minute
)

// look returns how often a server looks whether a backup is due.
func (b Backups) look() time.Duration { return min(max(b.Every/10, time.Second), time.Minute) }

// backUp makes backups until ctx ends.
func (s *Server) backUp(ctx context.Context) {
	b := s.config.Backups
	if b.To == "" {
		return
	}
	ticker := time.NewTicker(b.look())
	defer ticker.Stop()
	for {
		mine, err := s.store.TakeBackupTurn(ctx, b.Every)
		if err == nil && mine {
			s.backUpOnce(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.config.Log.Warn("it is unknown whether a backup is due; trying again later", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// backUpOnce makes one backup, and removes old ones.
func (s *Server) backUpOnce(ctx context.Context) {
	b, log, started := s.config.Backups, s.config.Log, time.Now()
	made, pruned, err := s.config.backUp(ctx)
	s.metrics.Backup(err == nil, time.Now())
	if err == nil {
		log.Info("backup made", "backup", made.Manifest.ID(), "to", b.To, "written_bytes", made.Written,
			"took", time.Since(started).Round(time.Millisecond), "removed_backups", pruned.Backups)
		return
	}
	retry := min(b.Every/4, backupRetry)
	if ctx.Err() != nil { // the server stops: the next one makes it
		retry = 0
	} else {
		log.Error("the backup failed", "to", b.To, "error", err, "next_try_in", retry, "advice",
			"Look at the cause and the free space there. casehook backup makes one at once.")
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace)
	defer cancel()
	if err := s.store.RepeatBackup(limited, b.Every, retry); err != nil {
		log.Warn("the next backup comes at its usual time", "error", err)
	}
}

func (c Config) backUp(ctx context.Context) (made backup.Result, pruned backup.Pruned, err error) {
	place, closer, err := OpenPlace(c.Backups.To, c.Environment)
	if err != nil {
		return made, pruned, err
	}
	defer func() { err = errors.Join(err, closer.Close()) }()
	if made, err = Backup(ctx, c, place, nil); err != nil {
		return made, pruned, err
	}
	key, err := BackupKey(c)
	if err != nil {
		return made, pruned, err
	}
	pruned, err = backup.Prune(ctx, place, key, time.Now().Add(-c.Backups.Keep))
	return made, pruned, err
}
