package network

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxPathSize is the room for a path in a sockaddr_un, its closing NUL included, in bytes.
const maxPathSize = 108

// ParseInternetAddress reads an IPv4 or IPv6 address as inet_pton(3) does: no host names, no
// ports, no leading zeros. A scope id is accepted in digits (fe80::1%2), not as an interface's
// name, which only the kernel could resolve. v6only matters to IPv6 alone.
//
// It fails with Envoy's `malformed IP address: {}`.
//
// Envoy: Network::Utility::parseInternetAddress
func ParseInternetAddress(ip string, port uint16, v6only bool) (*Address, error) {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return nil, fmt.Errorf("malformed IP address: %s", ip)
	}
	if zone := addr.Zone(); zone != "" {
		scope, err := strconv.ParseUint(zone, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("malformed IP address: %s", ip)
		}
		addr = withScope(addr, uint32(scope))
	}
	return newIP(addr, port, v6only), nil
}

// withScope puts a scope id into an IPv6 address; scope 0 is none.
func withScope(addr netip.Addr, scope uint32) netip.Addr {
	if scope == 0 {
		return addr.WithZone("")
	}
	return addr.WithZone(strconv.FormatUint(uint64(scope), 10))
}

// NewPipe makes a Unix socket's address: of a path, or of the abstract name that follows a
// leading '@'. NULs inside an abstract name belong to it. mode is the file mode to set after bind;
// 0 leaves it to the umask.
//
// It fails with Envoy's sentences: the path is too long, has a NUL inside, or the name is abstract
// and has a mode. An empty path, which Envoy's proto rules refuse, is refused here too.
//
// Envoy: Network::Address::PipeInstance
func NewPipe(path string, mode uint32) (*Address, error) {
	switch abstract := strings.HasPrefix(path, "@"); {
	case path == "":
		return nil, fmt.Errorf("UNIX domain socket pathname is empty")
	case len(path) >= maxPathSize:
		return nil, fmt.Errorf("Path \"%s\" exceeds maximum UNIX domain socket path size of %d.",
			path, maxPathSize)
	case abstract && mode != 0:
		return nil, fmt.Errorf("Cannot set mode for Abstract AF_UNIX sockets")
	case abstract:
		return newPipe("\x00"+path[1:], 0), nil
	case strings.Contains(path, "\x00"):
		return nil, fmt.Errorf("UNIX domain socket pathname contains embedded null characters")
	}
	return newPipe(path, mode), nil
}

// newPipe makes a pipe of a path, or of an abstract name that begins with NUL.
func newPipe(path string, mode uint32) *Address {
	return &Address{family: afUnix, path: path, mode: mode}
}
