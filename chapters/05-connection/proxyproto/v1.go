package proxyproto

import (
	"net/netip"
	"strconv"
	"strings"
)

// parseV1 reads a line with its end: PROXY TCP4|TCP6 SOURCE DESTINATION PORT PORT, or PROXY UNKNOWN
// and whatever follows.
//
// Envoy: ProxyProtocol::Filter::parseV1Header
func parseV1(line []byte) (Header, error) {
	words := strings.Split(strings.TrimRight(string(line), " \t\n\v\f\r"), " ")
	switch {
	case len(words) < 2 || words[0] != "PROXY":
		return Header{}, ErrV1
	case words[1] == "UNKNOWN":
		return Header{Local: true, Length: len(line)}, nil
	case len(words) != 6 || words[1] != "TCP4" && words[1] != "TCP6":
		return Header{}, ErrV1
	}
	is4 := words[1] == "TCP4"
	source, ok := endpoint(words[2], words[4], is4)
	destination, also := endpoint(words[3], words[5], is4)
	if !ok || !also {
		return Header{}, ErrV1
	}
	return checked(Header{Source: source, Destination: destination, Length: len(line)})
}

// endpoint reads an address as inet_pton(3) does, which knows no scope, and a port.
func endpoint(ip, port string, is4 bool) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(ip)
	if err != nil || a.Is4() != is4 || a.Zone() != "" {
		return netip.AddrPort{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return netip.AddrPortFrom(a, uint16(n)), err == nil
}
