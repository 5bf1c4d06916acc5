package main

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"

	"github.com/casehook/casehook/internal/demo"
	"github.com/casehook/casehook/internal/outbound"
	"github.com/casehook/casehook/internal/server"
)

// demoCmd plays the demo.
type demoCmd struct {
	Once bool `help:"Exit after the story, with a status other than 0 if a webhook or a question is missing."`
}

func (c *demoCmd) Run(ctx context.Context, s stdio) error {
	return demo.Run(ctx, demo.Options{Once: c.Once, Color: colored(s.out), Out: s.out, Start: startDemo})
}

// startDemo starts a server with an embedded database in a temporary folder, on a free port. The
// server may call this machine, where the demo's receivers run.
func startDemo(ctx context.Context, variables map[string]string) (demo.Server, func() error, error) {
	data, err := os.MkdirTemp("", "casehook-demo-")
	if err != nil {
		return demo.Server{}, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s, err := server.Start(ctx, server.Config{
		Version: version, Listen: "127.0.0.1:0", Data: data,
		Allow:    []outbound.AllowedPrefix{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}},
		Variable: func(name string) (string, bool) { value, ok := variables[name]; return value, ok },
	})
	if err != nil {
		cancel()
		return demo.Server{}, nil, errors.Join(err, os.RemoveAll(data))
	}
	stop := func() error {
		cancel()
		return errors.Join(s.Wait(), os.RemoveAll(data))
	}
	return demo.Server{URL: s.URL(), Token: s.Token(), Data: data}, stop, nil
}

// colored reports whether to write colours to w: it is a terminal, and neither NO_COLOR nor TERM=dumb is set.
func colored(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
