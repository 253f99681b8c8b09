package proxyproto

import (
	"encoding/binary"
	"net/netip"
)

// The nibbles of version 2's bytes 12 and 13.
const (
	version2 = 2

	local    = 0
	onBehalf = 1

	inet  = 1
	inet6 = 2

	stream   = 1
	datagram = 2
)

// parseV2 reads a header whose fixed part is complete.
//
// Envoy: ProxyProtocol::Filter::lenV2Address, parseV2Header
func parseV2(b []byte) (Header, error) {
	version, command := b[12]>>4, b[12]&15
	family, transport := b[13]>>4, b[13]&15
	length := int(binary.BigEndian.Uint16(b[14:]))
	if version != version2 {
		return Header{}, ErrVersion
	}
	if command == local {
		return Header{Local: true, Length: v2Fixed, Extensions: length}, nil
	}
	var addresses int
	switch family {
	case inet:
		addresses = v2Inet
	case inet6:
		addresses = v2Inet6
	default:
		return Header{}, ErrFamily // a Unix socket among them, as in Envoy
	}
	switch {
	case length < addresses:
		return Header{}, ErrShort
	case len(b) < v2Fixed+addresses:
		return Header{}, ErrNeedMore
	case command != onBehalf, transport != stream && transport != datagram:
		return Header{}, ErrCommand
	}
	source, destination := endpoints(b[v2Fixed : v2Fixed+addresses])
	return checked(Header{Source: source, Destination: destination,
		Length: v2Fixed + addresses, Extensions: length - addresses})
}

// endpoints: both addresses, then both ports.
func endpoints(b []byte) (source, destination netip.AddrPort) {
	n := (len(b) - 4) / 2
	from, _ := netip.AddrFromSlice(b[:n])
	to, _ := netip.AddrFromSlice(b[n : 2*n])
	return netip.AddrPortFrom(from, binary.BigEndian.Uint16(b[2*n:])),
		netip.AddrPortFrom(to, binary.BigEndian.Uint16(b[2*n+2:]))
}
