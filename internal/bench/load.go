package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/casehook/casehook/internal/client"
	"github.com/casehook/casehook/webhook"
)

// load makes requests as users of the API do, and as a bare client does that only signs and posts.
type load struct {
	ids  atomic.Int64
	made []submission // by the last call of submit
}

func (l *load) methods() methods {
	return methods{"bare": method(l.bare), "submit": method(l.submit), "made": method(l.takeMade),
		"read":      method(l.read),
		"subscribe": method(l.subscribe)}
}

// latencies are the times that requests took.
type latencies struct {
	Count int           `json:"count"`
	Took  time.Duration `json:"took"`
	P50   time.Duration `json:"p50"`
	P99   time.Duration `json:"p99"`
}

func (t latencies) rate() float64 { return quotient(float64(t.Count), t.Took.Seconds()) }

// stopwatch gathers how long requests took, by client.
type stopwatch [][]time.Duration

func (s stopwatch) note(client int, since time.Time) {
	s[client] = append(s[client], time.Since(since))
}

func (s stopwatch) timed(took time.Duration) latencies {
	var all []time.Duration
	for _, one := range s {
		all = append(all, one...)
	}
	return latencies{Count: len(all), Took: took, P50: percentile(all, 0.50), P99: percentile(all, 0.99)}
}

// transport keeps a connection open for each of so many clients.
func transport(clients int) *http.Transport {
	return &http.Transport{
		MaxIdleConns: clients, MaxIdleConnsPerHost: clients, IdleConnTimeout: time.Minute, DisableCompression: true,
	}
}

// bareLoad says what a bare client posts.
type bareLoad struct {
	Pace    pace     `json:"pace"`
	URL     string   `json:"url"`
	Secret  string   `json:"secret"`
	Samples []sample `json:"samples"` // whose bodies and headers it sends
}

// bare signs and posts, and does nothing else. Every request has to be taken.
func (l *load) bare(ctx context.Context, b bareLoad) (latencies, error) {
	if len(b.Samples) == 0 {
		return latencies{}, errors.New("nothing has arrived that could be sent again")
	}
	direct := transport(b.Pace.Clients)
	defer direct.CloseIdleConnections()
	poster := &http.Client{Transport: direct, Timeout: requestLimit}
	watch := make(stopwatch, b.Pace.Clients)
	took, err := b.Pace.run(ctx, func(ctx context.Context, client int, due time.Time) error {
		n := l.ids.Add(1)
		s := b.Samples[int(n)%len(b.Samples)]
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL, bytes.NewReader(s.Body))
		if err != nil {
			return err
		}
		r.Header = s.Header.Clone()
		if err := webhook.Sign(r.Header, b.Secret, "msg_"+strconv.FormatInt(n, 10), time.Now(), s.Body); err != nil {
			return err
		}
		response, err := poster.Do(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if err == nil && response.StatusCode/100 != 2 {
			err = fmt.Errorf("the receiver answered %s", response.Status)
		}
		watch.note(client, due)
		return err
	})
	return watch.timed(took), err
}

// requestLimit is how long one request may take.
const requestLimit = 30 * time.Second

// api is a server, or several on one database.
type api struct {
	Servers []string `json:"servers"` // URLs
	Token   string   `json:"token"`
}

// clients returns so many clients, spread over the servers.
func (a api) clients(count int) []*client.Client {
	shared := transport(count)
	all := make([]*client.Client, count)
	for i := range all {
		all[i] = &client.Client{Server: a.Servers[i%len(a.Servers)], Token: a.Token, Timeout: requestLimit,
			Transport: shared}
	}
	return all
}

// submitLoad says what is submitted.
type submitLoad struct {
	API   api     `json:"api"`
	Pace  pace    `json:"pace"`
	Type  string  `json:"type"`
	Edits int     `json:"edits,omitempty"` // of a case that was created, before the client creates the next; 0: none
	Cases []int64 `json:"cases,omitempty"` // edit these, each by one client, and create none
}

// submit creates or edits cases. Every submission has to succeed.
func (l *load) submit(ctx context.Context, s submitLoad) (latencies, error) {
	if len(s.Cases) > 0 {
		s.Pace.Clients = min(s.Pace.Clients, len(s.Cases)) // a case that two edit at once would be a conflict
	}
	clients := make([]*submitter, s.Pace.Clients)
	for i, c := range s.API.clients(s.Pace.Clients) {
		clients[i] = &submitter{client: c, path: "/v1/case-types/" + s.Type + "/cases", edits: s.Edits}
	}
	for i, one := range s.Cases {
		of := clients[i%len(clients)]
		of.own = append(of.own, one)
	}
	watch := make(stopwatch, len(clients))
	took, err := s.Pace.run(ctx, func(ctx context.Context, client int, due time.Time) error {
		if err := clients[client].next(ctx, due, l.ids.Add(1)); err != nil {
			return err
		}
		watch.note(client, due)
		return nil
	})
	l.made = nil
	for _, c := range clients {
		c.client.Transport.(*http.Transport).CloseIdleConnections()
		l.made = append(l.made, c.done...)
	}
	return watch.timed(took), err
}

// takeMade returns what the last call of submit has submitted. It is a call of its own, so that no clock runs
// meanwhile.
func (l *load) takeMade(context.Context, struct{}) ([]submission, error) { return l.made, nil }

// submitter is one client, and the cases that it alone edits.
type submitter struct {
	client  *client.Client
	path    string // at which cases are created
	edits   int
	own     []int64 // cases to edit in turn
	turn    int
	current int64 // the case that was created last
	left    int   // edits of it
	done    []submission
}

// next makes the client's next submission.
func (s *submitter) next(ctx context.Context, due time.Time, number int64) error {
	r := client.Request{Method: http.MethodPost, Path: s.path, Body: content(number)}
	switch {
	case len(s.own) > 0:
		r.Method, r.Path = http.MethodPatch, casePath(s.own[s.turn%len(s.own)])
		s.turn++
	case s.left > 0:
		r.Method, r.Path = http.MethodPatch, casePath(s.current)
		s.left--
	}
	var saved struct{ ID, Version int64 }
	if err := s.client.Call(ctx, r, &saved); err != nil {
		return err
	}
	if r.Method == http.MethodPost {
		s.current, s.left = saved.ID, s.edits
	}
	s.done = append(s.done, submission{saved.ID, saved.Version, due.UnixNano()})
	return nil
}

func casePath(id int64) string { return "/v1/cases/" + strconv.FormatInt(id, 10) }

// readLoad says what is read, in turn.
type readLoad struct {
	API   api      `json:"api"`
	Pace  pace     `json:"pace"`
	Paths []string `json:"paths"`
}

// read reads paths of the API. Every answer has to be good.
func (l *load) read(ctx context.Context, r readLoad) (latencies, error) {
	clients := r.API.clients(r.Pace.Clients)
	watch := make(stopwatch, len(clients))
	took, err := r.Pace.run(ctx, func(ctx context.Context, client int, due time.Time) error {
		path := r.Paths[int(l.ids.Add(1))%len(r.Paths)]
		if err := clients[client].Get(ctx, path, nil); err != nil {
			return err
		}
		watch.note(client, due)
		return nil
	})
	return watch.timed(took), err
}

// subscribeLoad says which endpoints are made.
type subscribeLoad struct {
	API     api    `json:"api"`
	Pace    pace   `json:"pace"`
	URL     string `json:"url"`
	Trigger string `json:"trigger"`
}

// subscribe makes endpoints that are alike.
func (l *load) subscribe(ctx context.Context, s subscribeLoad) (struct{}, error) {
	clients := s.API.clients(s.Pace.Clients)
	body := map[string]any{"url": s.URL, "triggers": []string{s.Trigger}}
	_, err := s.Pace.run(ctx, func(ctx context.Context, client int, _ time.Time) error {
		return clients[client].Post(ctx, "/v1/endpoints", body, nil)
	})
	return struct{}{}, err
}
