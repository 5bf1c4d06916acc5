// Package demo plays a story over the real API: it loads two case types, answers their callbacks, receives their
// webhooks, and prints both. It uses the program over HTTP alone, as its users do.
//
// It is a test as well. Each step waits for its webhooks, in their order; one that is missing, unexpected, or has a
// wrong signature ends the story with an error.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/casehook/casehook/internal/client"
)

// Server is a running Casehook.
type Server struct {
	URL   string // without a slash at its end
	Token string // an admin's bearer token
	Data  string // the folder of its data
}

// Options configure a demo.
type Options struct {
	Once  bool      // end after the story; otherwise the server stays up until ctx ends
	Color bool      // Out shows colours
	Out   io.Writer // required

	// Start starts a server that may call loopback addresses and that has these variables for the
	// URLs of callbacks. Stop stops the server and removes its data. Required.
	Start func(ctx context.Context, variables map[string]string) (s Server, stop func() error, err error)

	Wait    time.Duration                   // for the webhooks of one step; default 15 s
	Receive func(http.Handler) http.Handler // wraps the sample receiver; default: it is not wrapped
}

// Run plays the story. It returns when everything that it started has ended.
func Run(ctx context.Context, o Options) (err error) {
	if o.Wait <= 0 {
		o.Wait = 15 * time.Second
	}
	out := &printer{out: o.Out, color: o.Color}
	out.title("Casehook demo")
	asks := newCallbacks()
	asked, err := listen(asks)
	if err != nil {
		return err
	}
	defer asked.close()
	inbox := newReceiver()
	receiver, err := listen(wrapped(inbox, o.Receive))
	if err != nil {
		return err
	}
	defer receiver.close()

	server, stop, err := o.Start(ctx, map[string]string{"CASEHOOK_VAR_CALLBACKS": asked.url})
	if err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	defer func() { err = errors.Join(err, stop()) }()
	out.place("server", server.URL)
	out.place("sample callbacks", asked.url)
	out.place("sample receiver", receiver.url)

	s := &stage{
		api: &client.Client{Server: server.URL, Token: server.Token, Timeout: time.Minute}, out: out, inbox: inbox,
		callbacks: asks,
		wait:      o.Wait, seen: map[string]bool{},
	}
	if err := s.perform(ctx, receiver.url); err != nil {
		if ctx.Err() != nil && !o.Once {
			return nil // interrupted by Ctrl-C
		}
		return fmt.Errorf("the demo: %w", err)
	}
	out.passed(s.arrived, s.questions)
	if o.Once {
		return nil
	}
	broken, err := listen(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the database of this receiver is down", http.StatusServiceUnavailable)
	}))
	if err != nil {
		return err
	}
	defer broken.close()
	signIn, err := s.console(ctx, server.URL, broken.url)
	if err != nil {
		return fmt.Errorf("preparing the console: %w", err)
	}
	out.farewell(server, signIn)
	s.printArrivals(ctx)
	return nil
}

// printArrivals shows further questions and messages, until ctx ends.
func (s *stage) printArrivals(ctx context.Context) {
	for {
		select {
		case q := <-s.callbacks.asked:
			s.out.question(q)
		case a := <-s.inbox.arrivals:
			s.out.arrival(a)
		case <-ctx.Done():
			return
		}
	}
}

// perform sets the stage and plays both stories.
func (s *stage) perform(ctx context.Context, receiver string) error {
	for _, act := range []func() error{
		func() error { return s.setUp(ctx, receiver) },
		func() error { return s.review(ctx) },
		func() error { return s.claim(ctx) },
		s.quiet,
	} {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

func wrapped(h http.Handler, wrap func(http.Handler) http.Handler) http.Handler {
	if wrap == nil {
		return h
	}
	return wrap(h)
}
