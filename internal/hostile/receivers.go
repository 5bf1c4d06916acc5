package hostile

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"strings"
	"time"
)

func secure(address string) string { return "https://" + address }

// byName asks the server by a name instead of its address.
func byName(address string) string {
	return "https://" + strings.Replace(address, "127.0.0.1", "localhost", 1)
}

// Receivers lists all ways to misbehave.
func Receivers() []Receiver {
	var all []Receiver
	for _, group := range [][]Receiver{absent(), slow(), endless(), broken(), odd(), untrusted()} {
		all = append(all, group...)
	}
	return all
}

func absent() []Receiver {
	return []Receiver{
		{Name: "refuses connections", Class: "connect", Blunt: true},
		{Name: "closes at once", Class: "closed", Blunt: true, serve: func(c *conn) { c.r.Peek(1) }},
		{Name: "resets at once", Class: "closed", Blunt: true, serve: func(c *conn) { c.r.Peek(1); reset("")(c) }},
		{Name: "closes without a word", Class: "closed", serve: say("")},
		{Name: "resets without a word", Class: "closed", serve: reset("")},
	}
}

func slow() []Receiver {
	const ok, compressed = "HTTP/1.1 200 OK\r\n", "Content-Encoding: gzip\r\n"
	all := []Receiver{
		{Name: "never reads", Blunt: true, serve: func(c *conn) { <-c.server.closing }},
		{Name: "never answers", serve: stall("")},
		{Name: "stalls in the status line", serve: stall("HTTP/1.1 20")},
		{Name: "stalls in the headers", serve: stall(ok + "X: ")},
		{Name: "drips headers", serve: drip(ok+"X: ", "x")},
		{Name: "says 100 and no more", serve: stall("HTTP/1.1 100 Continue\r\n\r\n")},
		{Name: "drips 100s", serve: drip("", "HTTP/1.1 100 Continue\r\n\r\n")},
		{Name: "stalls in the body", Status: 200, serve: stall(ok + "Content-Length: 5\r\n\r\nab")},
		{Name: "stalls before the body", Status: 200, serve: stall(ok + "\r\n")},
		{Name: "stalls in a chunk", Status: 200, serve: stall(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nab")},
		{Name: "stalls before the trailers", Status: 200, serve: stall(ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n")},
		{Name: "drips a body", Status: 200, serve: drip(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n")},
		{Name: "stalls in a gzip header", Status: 200, serve: stall(ok + compressed + "\r\n\x1f\x8b\x08")},
		{Name: "stalls in the TLS handshake", url: secure, Blunt: true, serve: func(c *conn) { <-c.server.closing }},
		{Name: "drips a TLS handshake", url: secure, Blunt: true, serve: drip("\x16\x03\x03\x40\x00", "\x02")},
	}
	for i := range all {
		all[i].Class, all[i].Slow = "timeout", true
	}
	return all
}

// gzipHead begins a gzip stream; each of its blocks may then be repeated.
const gzipHead = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// bomb is a deflated block that unfolds to a MiB of zeros.
func bomb() string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(make([]byte, 1<<20))
	w.Flush()
	return out.String()[len(gzipHead):]
}

func endless() []Receiver {
	const ok = "HTTP/1.1 200 OK\r\n"
	chunk := "8000\r\n" + strings.Repeat("x", 0x8000) + "\r\n"
	all := []Receiver{
		{Name: "answers gigabytes", serve: repeat(ok+"\r\n", "x")},
		{Name: "answers gigabytes, and says so", serve: repeat(ok+"Content-Length: 1099511627776\r\n\r\n", "x")},
		{Name: "answers gigabytes in chunks", serve: repeat(ok+"Transfer-Encoding: chunked\r\n\r\n", chunk)},
		{Name: "answers a gzip that yields nothing", serve: repeat(ok+"Content-Encoding: gzip\r\n\r\n"+gzipHead, "\x00\x00\x00\xff\xff")},
		{Name: "answers a gzip bomb", serve: repeat(ok+"Content-Encoding: gzip\r\n\r\n"+gzipHead, bomb())},
	}
	for i := range all {
		all[i].Status, all[i].Long = 200, true
	}
	return all
}

func broken() []Receiver {
	const ok, chunked, compressed = "HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n\r\n",
		"Content-Encoding: gzip\r\n"
	const last = "Connection: close\r\n"
	all := []Receiver{
		{Name: "answers garbage", serve: say("\x00\xff\xfe\x01\r\n\r\n\x80")},
		{Name: "answers garbage for ever", serve: repeat("", "\x00\xff\xfe\x01\r\n")},
		{Name: "speaks SSH", serve: say("SSH-2.0-OpenSSH_9.2\r\n\r\n")},
		{Name: "speaks HTTP/0.9", serve: say("<html>welcome</html>\r\n\r\n")},
		{Name: "speaks HTTP/2", serve: say("\x00\x00\x00\x04\x00\x00\x00\x00\x00\r\n\r\n")},
		{Name: "answers TLS to plain HTTP", serve: say("\x15\x03\x01\x00\x02\x02\x16\r\n\r\n")},
		{Name: "sends no status", serve: say("HTTP/1.1 \r\n\r\n")},
		{Name: "sends a status that is none", serve: say("HTTP/1.1 2000 OK\r\n\r\n")},
		{Name: "sends a header without a name", serve: say(ok + ": x\r\n\r\n")},
		{Name: "sends an endless header", serve: repeat(ok+"X: ", "x")},
		{Name: "sends headers without end", serve: repeat(ok, "X: y\r\n")},
		{Name: "sends early hints without end", serve: repeat("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")},
		{Name: "sends a negative length", serve: say(ok + "Content-Length: -1\r\n\r\n")},
		{Name: "sends two lengths", serve: say(ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")},
		{Name: "sends a bad chunk", Status: 200, serve: say(ok + chunked + "zz\r\n")},
		{Name: "sends a chunk of too much", Status: 200, serve: say(ok + chunked + "fffffffffffffffff\r\n")},
		{Name: "sends an endless chunk extension", Status: 200, serve: repeat(ok+chunked+"5;", "x")},
		{Name: "sends trailers without end", Status: 200, serve: repeat(ok+chunked+"0\r\n", "X: y\r\n")},
		{Name: "says gzip and sends none", Status: 200, serve: say(ok + last + compressed + "Content-Length: 18\r\n\r\nhello hello hello!")},
		{Name: "sends a gzip of nonsense", Status: 200, serve: say(ok + last + compressed + "Content-Length: 14\r\n\r\n" + gzipHead + "\xff\xff\xff\xff")},
	}
	for i := range all {
		all[i].Class = "protocol"
	}
	for name, serve := range map[string]func(*conn){
		"in the headers": say(ok + "X: "), "in the body": say(ok + "Content-Length: 5\r\n\r\nab"), "in a chunk": say(ok + chunked + "5\r\nab"),
		"between chunks": say(ok + chunked + "2\r\nab\r\n"), "in a gzip": say(ok + compressed + "Content-Length: 99\r\n\r\n" + gzipHead),
	} {
		r := Receiver{Name: "closes " + name, Class: "closed", serve: serve}
		if name != "in the headers" {
			r.Status = 200
		}
		all = append(all, r)
	}
	return append(all, Receiver{Name: "resets in the body", Class: "closed", Status: 200,
		serve: reset(ok + "Content-Length: 5\r\n\r\nab")})
}

// odd are strange but valid answers. They announce that they close the connection: otherwise the next request on it
// might fail or not.
func odd() []Receiver {
	return []Receiver{
		{Name: "sends more than it says", Status: 200, serve: say("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok, and more")},
		{Name: "sends 204 with a body", Status: 204, serve: say("HTTP/1.1 204 No Content\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")},
		{Name: "sends 304 with a body", Status: 304, serve: say("HTTP/1.1 304 Not Modified\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello")},
		{Name: "answers twice", Status: 202, serve: say("HTTP/1.1 202 Accepted\r\nConnection: close\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")},
		{Name: "redirects to itself", Status: 307, serve: say("HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")},
		{Name: "redirects to the metadata", Status: 302, serve: say("HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n")},
		{Name: "switches protocols", Status: 101, serve: stall("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")},
		{Name: "switches protocols and floods", Status: 101, serve: repeat("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "x")},
		{Name: "switches protocols and sends chunks", Status: 101, serve: stall("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")},
		{Name: "speaks HTTP/1.0", Status: 200, serve: say("HTTP/1.0 200 OK\r\n\r\nok")},
		{Name: "sends early hints first", Status: 200, serve: say("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")},
		{Name: "sends text that is none", Status: 200, serve: say("HTTP/1.1 200 \x00\xff\r\nConnection: close\r\nX-Odd: \xff\xfe\r\nContent-Length: 4\r\n\r\n\x00\xff\xfe\x00")},
		{Name: "says it is gone in a huge answer", Status: 500, serve: say("HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 999999\r\n\r\n" + strings.Repeat("\x00", 999999))},
	}
}

// untrusted are those to whom no TLS connection may be made. [Roots] is who
// signs certificates.
func untrusted() []Receiver {
	now := time.Now()
	all := []Receiver{
		{Name: "has a certificate of its own", serve: shake(config(certificate(signedByItself, now.Add(-time.Hour), now.Add(time.Hour))))},
		{Name: "has a certificate that ran out", serve: shake(config(certificate(signed, now.Add(-2*time.Hour), now.Add(-time.Hour))))},
		{Name: "has a certificate of tomorrow", serve: shake(config(certificate(signed, now.Add(24*time.Hour), now.Add(48*time.Hour))))},
		{Name: "has a certificate of another host", url: byName, serve: shake(config(certificate(signed, now.Add(-time.Hour), now.Add(time.Hour))))},
		{Name: "speaks old TLS alone", serve: shake(&tls.Config{
			Certificates: config(certificate(signed, now.Add(-time.Hour), now.Add(time.Hour))).Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
		})},
		{Name: "speaks plain HTTP where TLS is asked for", serve: say("HTTP/1.1 400 Bad Request\r\n\r\n")},
		{Name: "closes in the TLS handshake", serve: func(c *conn) { c.r.Peek(1) }},
		{Name: "answers garbage to a TLS handshake", serve: say("\x16\x03\x03\x00\x04\x02\x00\x00\x00")},
	}
	for i := range all {
		all[i].Class, all[i].Blunt = "tls", true
		if all[i].url == nil {
			all[i].url = secure
		}
	}
	return all
}
