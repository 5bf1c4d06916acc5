package demo

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

// host is an HTTP server on a free loopback port.
type host struct {
	url    string
	server *http.Server
	done   chan struct{}
}

func listen(h http.Handler) (*host, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening on a loopback port: %w", err)
	}
	s := &host{
		url: "http://" + l.Addr().String(), done: make(chan struct{}),
		server: &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second},
	}
	go func() {
		defer close(s.done)
		s.server.Serve(l) // returns when it is closed
	}()
	return s, nil
}

func (s *host) close() {
	s.server.Close()
	<-s.done
}
