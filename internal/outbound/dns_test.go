package outbound_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casehook/casehook/internal/outbound"
)

// zone is a name server. For each name it has a list of answers, which are addresses or an alias.
// It returns one after the other, and repeats the last.
type zone struct {
	t     *testing.T
	conn  net.PacketConn
	names map[string][]string

	mu     sync.Mutex
	asked  map[string]int // questions for IPv4 addresses
	from   []net.Conn     // the resolvers' connections
	closed bool
}

// serve starts a name server.
func serve(t *testing.T, names map[string][]string) *zone {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{t: t, conn: conn, names: names, asked: map[string]int{}}
	done := make(chan struct{})
	go func() { defer close(done); z.run() }()
	t.Cleanup(func() { z.close(); <-done })
	return z
}

// resolver returns a resolver that asks this server, whatever the system's settings are.
func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "udp", z.conn.LocalAddr().String())
		if err != nil {
			return nil, err
		}
		z.mu.Lock()
		defer z.mu.Unlock()
		if z.from = append(z.from, conn); z.closed {
			conn.Close()
		}
		return conn, nil
	}}
}

// close stops everybody who waits for an answer.
func (z *zone) close() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.closed = true
	z.conn.Close()
	for _, conn := range z.from {
		conn.Close()
	}
}

func (z *zone) use(config *outbound.Config) { config.Resolver = z.resolver() }

func (z *zone) questions(name string) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked[name]
}

func (z *zone) run() {
	packet := make([]byte, 2048)
	for {
		n, from, err := z.conn.ReadFrom(packet)
		if err != nil {
			return
		}
		if answer := z.answer(packet[:n]); answer != nil {
			z.conn.WriteTo(answer, from)
		}
	}
}

// The parts of a message of the protocol: RFC 1035, section 4.
const (
	headSize  = 12
	typeA     = 1
	typeCNAME = 5
	typeAAAA  = 28
	classIN   = 1
	noSuch    = 3 // the answer's code
)

// answer returns the answer to a question; nil: none.
func (z *zone) answer(packet []byte) []byte {
	question := packet[headSize:]
	var labels []string
	for question[0] != 0 {
		labels = append(labels, string(question[1:1+question[0]]))
		question = question[1+question[0]:]
	}
	name, kind := strings.Join(labels, "."), binary.BigEndian.Uint16(question[1:])
	end := len(packet) - len(question) + 5 // the question; the rest is optional

	var records []byte
	count, code := 0, byte(0)
	for turn := z.turn(name, kind); ; count++ {
		next := z.records(name, turn)
		if next == "silence" {
			return nil
		}
		if next == "" {
			code = noSuch
			break
		}
		other, isName := strings.CutPrefix(next, "= ")
		if !isName {
			for _, address := range addresses(kind, next) {
				records = append(records, record(name, kind, address)...)
				count++
			}
			break
		}
		if records = append(records, record(name, typeCNAME, encoded(other))...); count > 8 { // names in a circle
			break
		}
		name = other
	}
	head := []byte{packet[0], packet[1], 0x85, 0x80 | code, 0, 1, 0, byte(count), 0, 0, 0, 0}
	return slices.Concat(head, packet[headSize:end], records)
}

func encoded(name string) (raw []byte) {
	for label := range strings.SplitSeq(name, ".") {
		raw = append(append(raw, byte(len(label))), label...)
	}
	return append(raw, 0)
}

func record(name string, kind uint16, data []byte) []byte {
	raw := binary.BigEndian.AppendUint16(encoded(name), kind)
	raw = binary.BigEndian.AppendUint16(raw, classIN)
	raw = binary.BigEndian.AppendUint32(raw, 0) // the time to live
	raw = binary.BigEndian.AppendUint16(raw, uint16(len(data)))
	return append(raw, data...)
}

// addresses returns the addresses of one kind in a list.
func addresses(kind uint16, list string) (found [][]byte) {
	for field := range strings.FieldsSeq(list) {
		if addr := netip.MustParseAddr(field); addr.Is4() == (kind == typeA) {
			found = append(found, addr.AsSlice())
		}
	}
	return found
}

// turn counts the questions for a name, from 0. Both kinds of addresses are requested at once; only
// those for IPv4 are counted.
func (z *zone) turn(name string, kind uint16) int {
	z.mu.Lock()
	defer z.mu.Unlock()
	n := z.asked[name]
	if kind == typeA {
		z.asked[name]++
	}
	return n
}

func (z *zone) records(name string, turn int) string {
	answers := z.names[name]
	if len(answers) == 0 {
		return ""
	}
	return answers[min(turn, len(answers)-1)]
}

// inside listens on the same port of an allowed address and of a forbidden one, and counts the
// connections to each.
func inside(t *testing.T) (port string, intruders *atomic.Int64) {
	t.Helper()
	intruders = new(atomic.Int64)
	for range 100 {
		public, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ = net.SplitHostPort(public.Addr().String())
		private, err := net.Listen("tcp", "127.0.0.2:"+port)
		if err != nil {
			public.Close()
			continue // the port is in use there
		}
		server := &http.Server{ReadHeaderTimeout: time.Second,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "close") // so that each request resolves the name
				io.WriteString(w, r.Host)
			})}
		var all sync.WaitGroup
		all.Go(func() { server.Serve(public) })
		all.Go(func() {
			for {
				conn, err := private.Accept()
				if err != nil {
					return
				}
				intruders.Add(1)
				conn.Close()
			}
		})
		t.Cleanup(func() { server.Close(); private.Close(); all.Wait() })
		return port, intruders
	}
	t.Fatal("no port is free on both addresses")
	return "", nil
}

// onlyOne allows one address and not the other.
func onlyOne(config *outbound.Config) {
	config.AllowPrefixes = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
}

func TestTheAddressThatIsJudgedIsTheOneDialled(t *testing.T) {
	testJudgedAddresses(t, func(*outbound.Config) {})
}

// A proxy changes nothing: it is asked for the judged address alone.
func TestTheAddressThatIsJudgedIsTheOneThatAProxyDials(t *testing.T) {
	for name, g := range gateways(t) {
		t.Run(name, func(t *testing.T) { testJudgedAddresses(t, g.use) })
	}
}

func testJudgedAddresses(t *testing.T, way func(*outbound.Config)) {
	port, intruders := inside(t)
	const public, private = "127.0.0.1", "127.0.0.2"
	for name, c := range map[string]struct {
		answers []string
		want    []outbound.Class // of consecutive requests
	}{
		"it turns private":             {[]string{public, private}, []outbound.Class{"", outbound.Refused, outbound.Refused}},
		"it turns public":              {[]string{private, public}, []outbound.Class{outbound.Refused, "", ""}},
		"it changes each time":         {[]string{public, private, public, private}, []outbound.Class{"", outbound.Refused, "", outbound.Refused}},
		"private in IPv6":              {[]string{"::1"}, []outbound.Class{outbound.Refused}},
		"private, as IPv4 in IPv6":     {[]string{"::ffff:127.0.0.2"}, []outbound.Class{outbound.Refused}},
		"private behind NAT64":         {[]string{"64:ff9b::7f00:2"}, []outbound.Class{outbound.Refused}},
		"public, and private too":      {[]string{public + " " + private}, []outbound.Class{""}},
		"private, and public too":      {[]string{private + " " + public}, []outbound.Class{""}},
		"private in IPv6, public too":  {[]string{"fd00::1 ::1 fe80::1 " + public}, []outbound.Class{""}},
		"many private ones":            {[]string{strings.Repeat(private+" 10.0.0.1 169.254.169.254 ", 10)}, []outbound.Class{outbound.Refused}},
		"the metadata of a cloud":      {[]string{"169.254.169.254"}, []outbound.Class{outbound.Refused}},
		"a name of nothing":            {[]string{""}, []outbound.Class{outbound.DNS}},
		"a name without addresses":     {[]string{" "}, []outbound.Class{outbound.DNS}},
		"another name of a public one": {[]string{"= public.test"}, []outbound.Class{""}},
		"names that end private":       {[]string{"= a.test"}, []outbound.Class{outbound.Refused}},
		"names in a circle":            {[]string{"= circle.test"}, []outbound.Class{outbound.DNS}},
		"another name, then private":   {[]string{"= public.test", private}, []outbound.Class{"", outbound.Refused}},
	} {
		t.Run(name, func(t *testing.T) {
			z := serve(t, map[string][]string{
				"hook.test": c.answers, "public.test": {public}, "a.test": {"= b.test"}, "b.test": {"= c.test"}, "c.test": {private}, "circle.test": {"= hook.test"},
			})
			client := client(t, onlyOne, z.use, way)
			for i, want := range c.want {
				r := client.Post(t.Context(),
					outbound.Request{URL: "http://hook.test:" + port + "/", Timeout: 10 * time.Second})
				if r.Class != want ||
					want == "" && (string(r.Body) != "hook.test:"+port || r.Address != public+":"+port) {
					t.Errorf("request %d: class %q of %s, %v; want %q", i+1, r.Class, r.Address, r.Err, want)
				}
				if n := z.questions("hook.test"); n != i+1 {
					t.Errorf("after %d requests the name was asked for %d times: what is judged may not be what is "+
						"dialled", i+1, n)
				}
			}
		})
	}
	if n := intruders.Load(); n != 0 {
		t.Errorf("%d connections came to the address that may not be called", n)
	}
}

func TestANameServerThatIsSilentEndsByTheDeadline(t *testing.T) {
	z := serve(t, map[string][]string{"hook.test": {"silence"}})
	r := client(t, z.use).Post(t.Context(), outbound.Request{URL: "http://hook.test/", Timeout: 100 * time.Millisecond})
	if r.Class != outbound.Timeout {
		t.Errorf("class %q, %v", r.Class, r.Err)
	}
}

func TestAConnectionIsNotKeptForAnotherName(t *testing.T) {
	port, intruders := inside(t)
	z := serve(t, map[string][]string{"one.test": {"127.0.0.1"}, "two.test": {"127.0.0.2"}})
	c := client(t, onlyOne, z.use)
	for i, want := range []outbound.Class{"", outbound.Refused, "", outbound.Refused} {
		name := []string{"one.test", "two.test"}[i%2]
		if r := c.Post(t.Context(), outbound.Request{URL: fmt.Sprintf("http://%s:%s/", name, port)}); r.Class != want {
			t.Errorf("%s: class %q, %v; want %q", name, r.Class, r.Err, want)
		}
	}
	if n := intruders.Load(); n != 0 {
		t.Errorf("%d connections came to the address that may not be called", n)
	}
}
