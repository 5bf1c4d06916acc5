package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// cleanEvery is the longest time between two removals of leftovers.
const cleanEvery = time.Hour

// run serves until ctx ends or a part fails, and then stops all parts.
func (s *Server) run(ctx context.Context) {
	defer close(s.done)
	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	working, rest := context.WithCancel(context.WithoutCancel(ctx))
	defer rest()

	var parts sync.WaitGroup
	var errDelivery error
	parts.Go(func() {
		errDelivery = s.deliver(working)
		stop(errDelivery)
	})
	parts.Go(func() { s.clean(working) })
	parts.Go(func() { s.sumUp(working) })
	parts.Go(func() { s.backUp(working) })
	parts.Go(func() { s.keepCertificates(working) })
	parts.Go(func() { s.casework.Jobs.Run(working) })
	parts.Go(func() { s.casework.Owed.Run(working) })
	parts.Go(func() { s.casework.Shadows.Run(working) })
	parts.Go(func() {
		if err := s.serve(); !errors.Is(err, http.ErrServerClosed) {
			stop(fmt.Errorf("serving: %w", err))
		}
	})
	s.config.Log.Info("serving", "url", s.url, "version", s.config.Version)
	s.warnHeld()

	<-serving.Done()
	s.config.Log.Info("stopping")
	close(s.draining)
	s.letGo(ctx)
	failure := context.Cause(serving)
	if ctx.Err() != nil {
		failure = nil // the end was requested
	}
	late := s.finishRequests(ctx)
	rest()
	parts.Wait()
	if failure == nil {
		failure = errDelivery
	}
	s.err = errors.Join(failure, late, s.opened.Close())
	s.config.Log.Info("stopped")
}

// warnHeld logs that this server sends nothing, and how to change that.
func (s *Server) warnHeld() {
	if !s.config.Hold {
		return
	}
	s.config.Log.Warn("deliveries and callbacks are held: this server sends nothing to endpoints, and refuses " +
		"every change that needs a callback. Pause or change the endpoints that must not get these messages, and " +
		"start the server without --hold; it sends the waiting messages then")
}

// letGo waits for DrainDelay, so that load balancers can notice that the server is not ready.
func (s *Server) letGo(ctx context.Context) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.DrainDelay)
	defer cancel()
	<-limited.Done()
}

// deliver runs the delivery. It returns no error if ctx ended during the start.
func (s *Server) deliver(ctx context.Context) error {
	err := s.engine.Run(ctx)
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return fmt.Errorf("delivery: %w", err)
}

// finishRequests waits for requests under way, and cuts off those that take too long.
func (s *Server) finishRequests(ctx context.Context) error {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace)
	defer cancel()
	err := s.http.Shutdown(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		s.config.Log.Warn("requests were cut off: they took longer than the grace period", "grace", s.config.Grace)
		return s.http.Close()
	}
	return err
}

// cleanEvery returns the time between two removals, which is shorter if little is kept.
func (c Config) cleanEvery() time.Duration {
	every := cleanEvery
	for _, kept := range []time.Duration{c.KeepAttempts, c.KeepJournal} {
		if kept > 0 {
			every = min(every, max(kept/4, time.Second))
		}
	}
	return every
}

// clean removes leftovers and expired records, at the start and then regularly.
func (s *Server) clean(ctx context.Context) {
	ticker := time.NewTicker(s.config.cleanEvery())
	defer ticker.Stop()
	for {
		if err := s.casework.Files.Clean(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("leftovers can't be removed; trying again later", "error", err)
		}
		if err := s.casework.CaseTypes.IndexFields(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("cases can't be indexed by their fields; trying again later", "error", err)
		}
		if err := s.casework.Jobs.Clean(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("old jobs can't be removed; trying again later", "error", err)
		}
		if err := s.casework.Presences.Clean(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("those who have left cases can't be removed; trying again later", "error", err)
		}
		if err := s.casework.Workers.Clean(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("questions whose time is over can't be removed; trying again later", "error", err)
		}
		if err := s.people.Users.Clean(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("sessions that are over can't be removed; trying again later", "error", err)
		}
		if err := s.hooks.Journal.Purge(ctx); err != nil && ctx.Err() == nil {
			s.config.Log.Warn("old attempts and entries can't be removed; trying again later", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.casework.CaseTypes.Unindexed():
		case <-ticker.C:
		}
	}
}

// sumEvery is the time between two records of repeated notes in the audit.
const sumEvery = time.Minute

// sumUp records repeated notes in the audit regularly, and once at the end.
func (s *Server) sumUp(ctx context.Context) {
	ticker := time.NewTicker(sumEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace)
		if err := s.guard.SumUp(limited, ctx.Err() != nil); err != nil {
			s.config.Log.Warn("the audit could not be written", "error", err)
		}
		cancel()
	}
}
