package outbound

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
)

// The parts of SOCKS5: RFC 1928 and, for passwords, RFC 1929.
const (
	socksVersion  = 5
	socksConnect  = 1
	socksNone     = 0 // methods of authentication
	socksPassword = 2
	socksIPv4     = 1 // kinds of addresses
	socksName     = 3
	socksIPv6     = 4
)

// socksReplies are the reasons for which a proxy does not connect.
var socksReplies = map[byte]proxyAnswer{
	2: {Proxying, "its rules do not allow this receiver", nil},
	3: {Connect, "it can't reach the receiver's network", nil},
	4: {Connect, "it can't reach the receiver", nil},
	5: {Connect, "the receiver refuses connections", nil},
	6: {Connect, "the receiver is too far away", nil},
}

// socks asks a proxy of SOCKS5 for a connection.
func (p *Proxy) socks(conn net.Conn, address string) *proxyAnswer {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return brokenOff(err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || len(host) > 255 {
		return brokenOff(errors.New("SOCKS5 can't express this address"))
	}
	if failure := p.greet(conn); failure != nil {
		return failure
	}
	ask := []byte{socksVersion, socksConnect, 0}
	if addr, err := netip.ParseAddr(host); err != nil {
		ask = append(append(ask, socksName, byte(len(host))), host...)
	} else if addr.Is4() {
		ask = append(append(ask, socksIPv4), addr.AsSlice()...)
	} else {
		ask = append(append(ask, socksIPv6), addr.AsSlice()...)
	}
	if _, err := conn.Write(binary.BigEndian.AppendUint16(ask, uint16(number))); err != nil {
		return brokenOff(err)
	}
	return reply(conn)
}

// greet agrees on a method of authentication, and authenticates.
func (p *Proxy) greet(conn net.Conn) *proxyAnswer {
	methods := []byte{socksNone}
	if p.user != nil {
		methods = append(methods, socksPassword)
	}
	if _, err := conn.Write(append([]byte{socksVersion, byte(len(methods))}, methods...)); err != nil {
		return brokenOff(err)
	}
	var answer [2]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return brokenOff(err)
	}
	refused := &proxyAnswer{Proxying, "it does not accept this server's credentials",
		fmt.Errorf("it answered % x", answer)}
	switch {
	case answer[0] != socksVersion:
		return brokenOff(errors.New("it does not speak SOCKS5"))
	case answer[1] == socksNone:
		return nil
	case answer[1] != socksPassword || p.user == nil:
		return refused
	}
	name := p.user.Username()
	password, _ := p.user.Password()
	login := append([]byte{1, byte(len(name))}, name...)
	login = append(append(login, byte(len(password))), password...)
	if _, err := conn.Write(login); err != nil {
		return brokenOff(err)
	}
	if _, err := io.ReadFull(conn, answer[:]); err != nil {
		return brokenOff(err)
	}
	if answer[1] != 0 {
		return refused
	}
	return nil
}

// reply reads the answer to a request for a connection.
func reply(conn net.Conn) *proxyAnswer {
	var head [5]byte // the last is the first of the address
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return brokenOff(err)
	}
	if head[0] != socksVersion {
		return brokenOff(errors.New("it does not speak SOCKS5"))
	}
	if head[1] != 0 {
		failure, known := socksReplies[head[1]]
		if !known {
			failure = proxyAnswer{class: Proxying, text: "it fails"}
		}
		failure.cause = fmt.Errorf("its reply is %d", head[1])
		return &failure
	}
	rest := map[byte]int{socksIPv4: 3, socksIPv6: 15, socksName: int(head[4])}
	length, known := rest[head[3]]
	if !known {
		return brokenOff(errors.New("its reply has an unknown kind of address"))
	}
	if _, err := io.ReadFull(conn, make([]byte, length+2)); err != nil {
		return brokenOff(err)
	}
	return nil
}
