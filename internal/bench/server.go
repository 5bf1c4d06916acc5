package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/casehook/casehook/internal/client"
)

// server is a Casehook under test: one node or several on one database.
type server struct {
	nodes []*node
	api   api
	admin *client.Client // of the first node
	data  database

	peak    float64       // bytes of memory of all nodes, as far as is known
	started time.Duration // from the start of the first node until it was ready
}

// node is one process.
type node struct {
	process *keptProcess
	url     string
}

// database is where a server keeps its data.
type database struct {
	url  string // of PostgreSQL; empty: SQLite in the folder of the server
	drop func() error
}

// metricsToken is for /metrics of a server that lives for minutes and that this machine alone can reach.
const metricsToken = "of-this-benchmark-alone"

var servesAt = regexp.MustCompile(`listens on (http://\S+)$`)

// startServer starts a server of so many nodes on an empty database.
func (b *bench) startServer(ctx context.Context, nodes int) (*server, error) {
	s := &server{}
	if b.postgres != nil {
		var err error
		if s.data, err = b.postgres.create(ctx); err != nil {
			return nil, err
		}
	}
	for range nodes {
		folder, err := b.folder("server")
		if err == nil {
			err = b.startNode(ctx, s, folder)
		}
		if err != nil {
			return nil, errors.Join(err, s.stop())
		}
	}
	if err := s.prepare(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

// startNode starts another node of a server, in a folder that may have data already.
func (b *bench) startNode(ctx context.Context, s *server, folder string) error {
	token := filepath.Join(folder, "token")
	command := []string{b.options.Program, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(folder, "data"),
		"--token-file", token, "--allow-address", "127.0.0.0/8", "--log-level", "error", "--log-format", "text",
		"--grace", "5s"}
	environment := []string{"CASEHOOK_METRICS_TOKEN=" + metricsToken, callbackVariable + "=" + b.receiverURL}
	if s.data.url != "" {
		environment = append(environment, "CASEHOOK_DATABASE="+s.data.url, "CASEHOOK_KEY="+b.key)
	}
	begun := time.Now()
	process, err := startKept(b.options.Program, "the server", folder, environment, command...)
	if err != nil {
		return err
	}
	n := &node{process: process}
	s.nodes = append(s.nodes, n)
	if n.url, err = process.await(ctx, servesAt); err != nil {
		return err
	}
	if s.api.Token == "" {
		secret, err := os.ReadFile(token)
		if err != nil {
			return fmt.Errorf("the server's first token: %w", err)
		}
		s.api.Token = strings.TrimSpace(string(secret))
	}
	s.api.Servers = append(s.api.Servers, n.url)
	one := &client.Client{Server: n.url, Token: s.api.Token, Timeout: time.Minute}
	if err := one.Get(ctx, "/readyz", nil); err != nil {
		return err
	}
	if s.admin == nil {
		s.admin, s.started = one, time.Since(begun)
	}
	return nil
}

// prepare puts the case types.
func (s *server) prepare(ctx context.Context) error {
	for _, key := range []string{plainType, askedType} {
		err := s.admin.Call(ctx, client.Request{Method: http.MethodPut, Path: "/v1/case-types/" + key,
			Body: definitionOf(key), ContentType: "application/yaml"}, nil)
		if err != nil {
			return err
		}
	}
	return nil
}

// restart stops the only node of a server and starts it again on its data.
func (b *bench) restart(ctx context.Context, s *server) error {
	return b.restartAfter(ctx, s, func(string) error { return nil })
}

// restartAfter is restart with something that is done in between with the data, in the folder of the server.
func (b *bench) restartAfter(ctx context.Context, s *server, do func(folder string) error) error {
	if _, err := s.usage(ctx); err != nil { // notes the most memory until now
		return err
	}
	folder := s.nodes[0].process.folder
	if err := s.nodes[0].process.stop(true); err != nil {
		return errors.Join(err, os.RemoveAll(folder))
	}
	if err := do(folder); err != nil {
		s.nodes = nil
		return errors.Join(err, os.RemoveAll(folder))
	}
	s.nodes, s.admin, s.api.Servers = nil, nil, nil
	return b.startNode(ctx, s, folder)
}

// stop ends all nodes and removes their data.
func (s *server) stop() error {
	var all []error
	for _, n := range s.nodes {
		all = append(all, n.process.stop(false))
	}
	if s.data.drop != nil {
		all = append(all, s.data.drop())
	}
	return errors.Join(all...)
}

// usage is what the processes of a server have used.
type usage struct {
	cpu    time.Duration // since they started
	memory float64       // bytes, now
}

// usage reads the metrics of all nodes.
func (s *server) usage(ctx context.Context) (u usage, err error) {
	for _, n := range s.nodes {
		metrics := &client.Client{Server: n.url, Token: metricsToken, Timeout: time.Minute}
		a, err := metrics.Do(ctx, client.Request{Method: http.MethodGet, Path: "/metrics"})
		if err != nil {
			return u, err
		}
		if a.Status != http.StatusOK {
			return u, fmt.Errorf("the server's metrics: status %d", a.Status)
		}
		values := gauges(a.Body)
		u.cpu += time.Duration(values["process_cpu_seconds_total"] * float64(time.Second))
		u.memory += max(values["process_resident_memory_bytes"], n.peak())
	}
	s.peak = max(s.peak, u.memory)
	return u, nil
}

// gauges reads the values of metrics without labels.
func gauges(text []byte) map[string]float64 {
	values := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if number, err := strconv.ParseFloat(value, 64); err == nil && !strings.ContainsAny(name, "#{") {
			values[name] = number
		}
	}
	return values
}

// peak returns the most memory that a node has used, in bytes, where the system tells (Linux); else 0.
func (n *node) peak() float64 {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(n.process.pid) + "/status")
	if err != nil {
		return 0
	}
	found := highWater.FindSubmatch(status)
	if found == nil {
		return 0
	}
	kib, _ := strconv.ParseFloat(string(found[1]), 64)
	return kib * 1024
}

var highWater = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// listener is an endpoint of the server under test.
type listener struct {
	ID   string `json:"id"`
	name string // at the receiver
}

// subscription says what an endpoint wants, and how it is served.
type subscription struct {
	path        string // of the receiver; default pathHook
	triggers    []string
	concurrency int
	order       string
	start       string // "beginning": all that there has been
	timeout     string
}

// subscribe creates an endpoint.
func (b *bench) subscribe(ctx context.Context, s *server, want subscription) (listener, error) {
	b.listeners++
	return b.subscribeAs(ctx, s, want, b.listeners)
}

// subscribeAs creates the endpoint of a number.
func (b *bench) subscribeAs(ctx context.Context, s *server, want subscription, number int) (listener, error) {
	l := listener{name: strconv.Itoa(number)}
	path := want.path
	if path == "" {
		path = pathHook
	}
	policy := map[string]any{}
	for name, value := range map[string]string{"order": want.order, "timeout": want.timeout} {
		if value != "" {
			policy[name] = value
		}
	}
	if want.concurrency > 0 {
		policy["concurrency"] = min(want.concurrency, mostConcurrency)
	}
	body := map[string]any{"url": b.receiverURL + path + l.name, "triggers": want.triggers, "policy": policy}
	if want.start != "" {
		body["start"] = want.start
	}
	err := s.admin.Post(ctx, "/v1/endpoints", body, &l)
	return l, err
}

// mostConcurrency is the highest concurrency that an endpoint may have.
const mostConcurrency = 64

// unsubscribe deletes endpoints.
func (s *server) unsubscribe(ctx context.Context, all []listener) error {
	for _, l := range all {
		if err := s.admin.Delete(ctx, "/v1/endpoints/"+l.ID); err != nil {
			return err
		}
	}
	return nil
}

// settled waits until nothing waits for some endpoints: their cursors, as they are saved, have passed every entry. It
// ends after a while, because messages that were lost are counted, not waited for.
func (s *server) settled(ctx context.Context, all []listener) error {
	ctx, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	for _, l := range all {
		for {
			var lag struct{ Entries, Parked, Dead int64 }
			if err := s.admin.Get(ctx, "/v1/endpoints/"+l.ID+"/lag", &lag); err != nil {
				return err
			}
			if lag.Entries == 0 && lag.Parked == 0 {
				break
			}
			select {
			case <-time.After(2 * time.Millisecond):
			case <-ctx.Done():
				return fmt.Errorf("the server has not settled all within %s: %d entries wait, and %d lanes are parked",
					quiet, lag.Entries, lag.Parked)
			}
		}
	}
	return nil
}

// quiet is how long nothing may happen until what is missing is given up.
const quiet = 15 * time.Second

func randomKey() string {
	key := make([]byte, 32)
	rand.Read(key)
	return base64.StdEncoding.EncodeToString(key)
}
