// Package proxyproto reads the header that a proxy in front puts before a connection's first byte: the
// addresses that the client really has and meant, in the PROXY protocol's version 1 (a line of text) or 2
// (binary). It only parses; sockets are the business of the filter that calls it.
package proxyproto

import (
	"bytes"
	"errors"
	"net/netip"
)

// Limits, in bytes.
const (
	// MaxHeader is the longest header, without extensions. Envoy takes version 2's longest for both
	// versions, though a line of version 1 has at most 107.
	MaxHeader = v2Fixed + 216

	v2Fixed = 16      // signature, version and command, family and transport, length
	v2Inet  = 2*4 + 4 // two addresses, two ports
	v2Inet6 = 2*16 + 4
)

const (
	v1Signature = "PROXY "
	v2Signature = "\r\n\r\n\x00\r\nQUIT\n"
)

// ErrNeedMore: all bytes so far belong to a header, and more must come.
var ErrNeedMore = errors.New("the header goes on")

// Why bytes are not a header that can be used. They are the sentences that Envoy logs.
var (
	ErrV1        = errors.New("failed to read proxy protocol")
	ErrSignature = errors.New("failed to read proxy protocol (exceed max v1 header len)")
	ErrTooLong   = errors.New("failed to read proxy protocol (exceed max v2 header len)")
	ErrVersion   = errors.New("Unsupported V2 proxy protocol version")
	ErrFamily    = errors.New("Unsupported V2 proxy protocol address family")
	ErrShort     = errors.New("failed to read proxy protocol (insufficient data)")
	ErrCommand   = errors.New("Unsupported command or address family or transport")
)

// Header is what a header said.
type Header struct {
	// Local: the header names nobody (LOCAL, UNKNOWN), the socket's own addresses hold.
	Local               bool
	Source, Destination netip.AddrPort // of the same family, both unicast
	Length              int            // bytes of the header itself
	Extensions          int            // bytes behind it that still belong to it: TLVs, not looked at
}

// Parse reads the header at the beginning of a connection. b is all that arrived so far, from the
// first byte; it may end anywhere, also behind the header. The error is ErrNeedMore or says what is
// wrong; more bytes then change nothing.
//
// Envoy: ProxyProtocol::Filter::readProxyHeader
func Parse(b []byte) (Header, error) {
	if len(b) >= v2Fixed {
		if bytes.HasPrefix(b, []byte(v2Signature)) {
			return parseV2(b)
		}
		if !bytes.HasPrefix(b, []byte(v1Signature)) {
			return Header{}, ErrSignature
		}
	}
	line := b[:min(len(b), MaxHeader)]
	end := bytes.Index(line, []byte("\r\n"))
	switch {
	case end > 0:
		return parseV1(line[:end+2])
	case len(b) >= MaxHeader:
		return Header{}, ErrTooLong
	}
	return Header{}, ErrNeedMore // none, or at 0: version 2 begins so, and version 1 cannot
}

// checked: a TCP connection has one address at each end, never a group.
//
// Envoy: ProxyProtocol::Filter::onReadWorker
func checked(h Header) (Header, error) {
	if !unicast(h.Source.Addr()) || !unicast(h.Destination.Addr()) {
		return Header{}, ErrV1
	}
	return h, nil
}

// Envoy: Network::Address::Ip::isUnicastAddress
func unicast(a netip.Addr) bool {
	broadcast := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return !a.IsUnspecified() && a != broadcast && (a.Is4In6() || !a.IsMulticast())
}
