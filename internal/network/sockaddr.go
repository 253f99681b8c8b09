package network

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Linux's address families and the sizes of their sockaddrs in bytes.
const (
	afUnix  = 1
	afInet  = 2
	afInet6 = 10

	familySize   = 2
	inetSize     = 16
	inet6MinSize = 24 // before scope ids; the kernel still accepts it
	inet6Size    = 28
	unixSize     = familySize + maxPathSize
)

// errShort is a sockaddr that ends before its family's fields do.
var errShort = errors.New("sockaddr is too short")

// FromSockaddr reads a raw Linux sockaddr, as accept4(2), getsockname(2) and getpeername(2) leave
// it; b must end where the length they return says, for that is all that marks the end of an
// abstract name. b is not kept. A v4-mapped address stays IPv6: ask for Unmapped.
//
// It fails with Envoy's `Unexpected sockaddr family: {}`, or if b is too short or too long for
// its family.
//
// Envoy: Network::Address::addressFromSockAddr
func FromSockaddr(b []byte) (*Address, error) {
	if len(b) < familySize {
		return nil, fmt.Errorf("%w: %d bytes", errShort, len(b))
	}
	switch family := binary.NativeEndian.Uint16(b); family {
	case afInet:
		return fromInet(b)
	case afInet6:
		return fromInet6(b)
	case afUnix:
		return fromUnix(b)
	default:
		return nil, fmt.Errorf("Unexpected sockaddr family: %d", family)
	}
}

func fromInet(b []byte) (*Address, error) {
	if len(b) < inetSize {
		return nil, fmt.Errorf("%w: %d bytes of an IPv4 one", errShort, len(b))
	}
	return newIP(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:]), false), nil
}

func fromInet6(b []byte) (*Address, error) {
	if len(b) < inet6MinSize {
		return nil, fmt.Errorf("%w: %d bytes of an IPv6 one", errShort, len(b))
	}
	addr := netip.AddrFrom16([16]byte(b[8:24]))
	if len(b) >= inet6Size {
		addr = withScope(addr, binary.NativeEndian.Uint32(b[24:]))
	}
	return newIP(addr, binary.BigEndian.Uint16(b[2:]), false), nil
}

// fromUnix reads the three kinds of Unix names: none, abstract (a leading NUL, ends with b), and a
// path (ends at its NUL, or with b if it fills the field).
func fromUnix(b []byte) (*Address, error) {
	name := string(b[familySize:])
	if !strings.HasPrefix(name, "\x00") {
		name, _, _ = strings.Cut(name, "\x00")
	}
	if len(name) > maxPathSize {
		return nil, fmt.Errorf("sockaddr is too long: %d bytes of a Unix one", len(b))
	}
	return newPipe(name, 0), nil
}

// Sockaddr returns the bytes that bind(2) and connect(2) get, in a slice of the caller's own: 16
// for IPv4, 28 for IPv6, 110 for a path padded with NULs, exactly family and name for an abstract
// one, the family alone for an unnamed one.
//
// Envoy: Instance::sockAddr, sockAddrLen
func (a *Address) Sockaddr() []byte {
	switch a.family {
	case afInet:
		b := a.header(inetSize)
		addr := a.ip.Addr().As4()
		copy(b[4:], addr[:])
		return b
	case afInet6:
		b := a.header(inet6Size)
		addr := a.ip.Addr().As16()
		copy(b[8:], addr[:])
		binary.NativeEndian.PutUint32(b[24:], a.scope())
		return b
	}
	size := unixSize
	if a.IsAbstract() || a.path == "" {
		size = familySize + len(a.path)
	}
	b := make([]byte, size)
	binary.NativeEndian.PutUint16(b, afUnix)
	copy(b[familySize:], a.path)
	return b
}

// header makes an IP sockaddr of size bytes with family and port filled in.
func (a *Address) header(size int) []byte {
	b := make([]byte, size)
	binary.NativeEndian.PutUint16(b, uint16(a.family))
	binary.BigEndian.PutUint16(b[2:], a.Port())
	return b
}

// scope is the IPv6 scope id; 0 is none.
func (a *Address) scope() uint32 {
	scope, _ := strconv.ParseUint(a.ip.Addr().Zone(), 10, 32) // made by withScope: digits or ""
	return uint32(scope)
}
