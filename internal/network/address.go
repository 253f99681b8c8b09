// Package network holds addresses: IPv4 and IPv6 with a port, and Unix sockets by path or by
// abstract name. It makes no system call; sockets belong to the chapters, calls to the kernel
// door. An address goes to the kernel and comes back from it as the raw bytes of a sockaddr.
package network

import (
	"net/netip"
	"strconv"
	"strings"
)

// Address is one address. It never changes once made, so any thread may share it; two addresses
// are the same address if their String is.
// Connections keep two of them for their whole life: it is small, and its text is made when asked
// for.
//
// Envoy: Network::Address::Instance
type Address struct {
	ip     netip.AddrPort // the zone is the scope id in digits; zero for a pipe
	path   string         // path, or abstract name with its leading NUL; "" for an unnamed pipe
	mode   uint32
	family uint8 // afInet, afInet6 or afUnix
	v6only bool
}

// newIP makes an IP address. addr is a plain IPv4 or an IPv6 one; a v4-mapped one stays IPv6.
func newIP(addr netip.Addr, port uint16, v6only bool) *Address {
	a := &Address{family: afInet, ip: netip.AddrPortFrom(addr, port)}
	if addr.Is6() {
		a.family, a.v6only = afInet6, v6only
	}
	return a
}

// textOf6 writes an IPv6 address as inet_ntop(3) does: as Go does, except for the old
// IPv4-compatible form ::1.2.3.4.
func textOf6(addr netip.Addr) string {
	b := addr.As16()
	last4 := netip.AddrFrom4([4]byte(b[12:]))
	inLastFour := addr.WithZone("") == compatible(last4) && (b[12] != 0 || b[13] != 0)
	if !inLastFour {
		return addr.String()
	}
	text := "::" + last4.String()
	if zone := addr.Zone(); zone != "" {
		text += "%" + zone
	}
	return text
}

// compatible is the IPv6 address whose last 32 bits are v4 and whose others are 0.
func compatible(v4 netip.Addr) netip.Addr {
	var b [16]byte
	four := v4.As4()
	copy(b[12:], four[:])
	return netip.AddrFrom16(b)
}

// String writes the address as Envoy's logs and stats do: 127.0.0.1:80, [::1]:80, /path, @name
// (each NUL of an abstract name is an @), and "" for an unnamed pipe. A scope id follows its
// address: [fe80::1%2]:80.
//
// Envoy: Instance::asString
func (a *Address) String() string {
	switch {
	case a == nil:
		return ""
	case a.IsPipe():
		return strings.ReplaceAll(a.path, "\x00", "@")
	case a.family == afInet6:
		return "[" + textOf6(a.ip.Addr()) + "]:" + strconv.Itoa(int(a.Port()))
	}
	return a.ip.String()
}

// AppendTo appends what String says; for an IPv4 address, without a string in between.
func (a *Address) AppendTo(dst []byte) []byte {
	if a != nil && a.family == afInet {
		return a.ip.AppendTo(dst)
	}
	return append(dst, a.String()...)
}

// IsIP says whether the address has an IP and a port.
func (a *Address) IsIP() bool { return a.family != afUnix }

// IsPipe says whether the address is a Unix socket's.
func (a *Address) IsPipe() bool { return a.family == afUnix }

// IsAbstract says whether the address is a Unix socket's name outside the file system.
func (a *Address) IsAbstract() bool { return strings.HasPrefix(a.path, "\x00") }

// Path is the pipe's path, the abstract name as String writes it, or "" if there is neither.
func (a *Address) Path() string {
	if a.IsIP() {
		return ""
	}
	return a.String()
}

// Mode is the file mode a pipe asks for; 0 asks for none.
func (a *Address) Mode() uint32 { return a.mode }

// AddrPort is the address as the standard library has it; invalid for a pipe. A scope id is its
// zone, in digits.
func (a *Address) AddrPort() netip.AddrPort { return a.ip }

// Port is the port in host order; 0 for a pipe.
func (a *Address) Port() uint16 { return a.ip.Port() }

// Version is 4 or 6; 0 for a pipe.
func (a *Address) Version() int {
	switch a.family {
	case afInet:
		return 4
	case afInet6:
		return 6
	}
	return 0
}

// V6only says whether an IPv6 socket must not take IPv4 traffic; false for all other addresses.
func (a *Address) V6only() bool { return a.v6only }

// Family is the number of the address family, as socket(2) wants it.
func (a *Address) Family() int { return int(a.family) }

// IsAnyAddress says whether the IP stands for all of the machine's: 0.0.0.0 or ::.
func (a *Address) IsAnyAddress() bool {
	return a.IsIP() && a.ip.Addr().WithZone("").IsUnspecified()
}

// IsLoopback says whether the IP is 127.0.0.1 or ::1; the rest of 127.0.0.0/8 is not, as in Envoy.
//
// Envoy: Utility::isLoopbackAddress
func (a *Address) IsLoopback() bool {
	addr := a.ip.Addr().WithZone("")
	return addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || addr == netip.IPv6Loopback()
}

// WithPort is the same IP with another port; a pipe has none and comes back as it is.
func (a *Address) WithPort(port uint16) *Address {
	if a.IsPipe() {
		return a
	}
	return newIP(a.ip.Addr(), port, a.v6only)
}

// Unmapped is the IPv4 address inside a v4-mapped IPv6 one (::ffff:1.2.3.4); any other address
// comes back as it is.
func (a *Address) Unmapped() *Address {
	if a.IsPipe() || !a.ip.Addr().Is4In6() {
		return a
	}
	return newIP(a.ip.Addr().Unmap(), a.Port(), false)
}

// ListenURL names a stream listener's socket to a hot-restart parent: tcp://ip:port or
// unix://path.
func (a *Address) ListenURL() string {
	if a.IsPipe() {
		return "unix://" + a.String()
	}
	return "tcp://" + a.String()
}
