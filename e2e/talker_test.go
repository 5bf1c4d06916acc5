//go:build unix

package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// newTalker starts a receiver that accepts everything, and sends a text after each of its answers.
func newTalker(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "talker NAME TEXT")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				for r := bufio.NewReader(conn); ; {
					request, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					io.Copy(io.Discard, request.Body)
					fmt.Fprintf(conn, "HTTP/1.1 204 No Content\r\n\r\n%s", args[1])
				}
			})
		}
	})
	ts.Defer(func() { listener.Close(); all.Wait() })
	ts.Setenv(args[0]+"_URL", "http://"+listener.Addr().String())
}
