package pgtest

import (
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Proxy is a connection to a cluster that can be interrupted: cut, or made to swallow data.
type Proxy struct {
	listener net.Listener
	socket   string // the cluster's
	all      sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	cut   bool
	lose  bool          // answers
	open  chan struct{} // closed when bytes flow
}

// Proxy starts a way to the cluster, until the test ends.
func (c *Cluster) Proxy(t testing.TB) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, socket: filepath.Join(c.dir, ".s.PGSQL.5432"), conns: map[net.Conn]bool{},
		open: make(chan struct{})}
	close(p.open)
	p.all.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.Cut()
		p.all.Wait()
	})
	return p
}

// URL leads to the same database as another URL of the cluster does.
func (p *Proxy) URL(t testing.TB, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal("pgtest: the database's URL can't be read")
	}
	u.Host = p.listener.Addr().String()
	q := u.Query()
	q.Del("host")
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	return u.String()
}

// Cut ends all connections, and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	for conn := range p.conns {
		conn.Close()
	}
	p.flow()
}

// LoseAnswers passes data on to the cluster, and closes the connection instead of returning the answer.
func (p *Proxy) LoseAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = true
}

func (p *Proxy) losesAnswers() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lose
}

// Swallow holds back what is sent in both directions, and says nothing.
func (p *Proxy) Swallow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default:
	}
}

// Mend lets everything through again, what was held back included.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.lose = false, false
	p.flow()
}

func (p *Proxy) flow() {
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

func (p *Proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("unix", p.socket)
		if err != nil {
			near.Close()
			continue
		}
		p.mu.Lock()
		if p.cut {
			near.Close()
			far.Close()
		} else {
			p.conns[near], p.conns[far] = true, true
			p.all.Go(func() { p.copy(near, far, p.losesAnswers) })
			p.all.Go(func() { p.copy(far, near, func() bool { return false }) })
		}
		p.mu.Unlock()
	}
}

// copy passes on the data of one side, unless it is to be lost. When that side ends, both do.
func (p *Proxy) copy(to, from net.Conn, lost func() bool) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, conn := range []net.Conn{to, from} {
			conn.Close()
			delete(p.conns, conn)
		}
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		open := p.open
		p.mu.Unlock()
		<-open
		if n > 0 && lost() {
			return
		}
		if _, wrong := to.Write(buffer[:n]); wrong != nil || err != nil {
			return
		}
	}
}
