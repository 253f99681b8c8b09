package network

import (
	"fmt"
	"math"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ipResolver is the only address resolver there is, and the one meant when none is named.
const ipResolver = "envoy.ip"

// Type says how a socket carries data.
//
// Envoy: Network::Socket::Type
type Type int

// The socket types.
const (
	Stream Type = iota
	Datagram
)

// String is the name that Envoy's messages print.
func (t Type) String() string {
	if t == Datagram {
		return "Datagram"
	}
	return "Stream"
}

// SocketType reads from a configured address which type of socket it wants: what its protocol says,
// TCP if it says nothing, a stream for everything that is not a socket_address.
//
// Envoy: Network::Utility::protobufAddressSocketType (step: protobuf-address-socket-type)
func SocketType(a *corev3.Address) Type {
	if a.GetSocketAddress().GetProtocol() == corev3.SocketAddress_UDP {
		return Datagram
	}
	return Stream
}

// Resolve turns a configured address into one that can be bound or connected to.
//
// It fails with Envoy's sentences for an address that is not set, an unknown resolver_name, a
// named_port, a host name where an IP is wanted, and what NewPipe refuses.
//
// Envoy: Network::Address::resolveProtoAddress
func Resolve(a *corev3.Address) (*Address, error) {
	switch kind := a.GetAddress().(type) {
	case *corev3.Address_SocketAddress:
		return resolveSocketAddress(kind.SocketAddress)
	case *corev3.Address_Pipe:
		return NewPipe(kind.Pipe.GetPath(), kind.Pipe.GetMode())
	case nil:
		return nil, fmt.Errorf("Address must be set: ") // Envoy prints the address here: it is empty
	default:
		return nil, fmt.Errorf("envoy_internal_address is not rebuilt here")
	}
}

// resolveSocketAddress does what Envoy's one built-in resolver does. A port not given is port 0.
//
// Envoy: Network::Address::resolveProtoSocketAddress, IpResolver::resolve
func resolveSocketAddress(s *corev3.SocketAddress) (*Address, error) {
	if name := s.GetResolverName(); name != "" && name != ipResolver {
		return nil, fmt.Errorf("Unknown address resolver: %s", name)
	}
	if _, named := s.GetPortSpecifier().(*corev3.SocketAddress_NamedPort); named {
		return nil, fmt.Errorf("IP resolver can't handle port specifier type %d",
			portSpecifier(s).Number())
	}
	port := s.GetPortValue()
	if port > math.MaxUint16 {
		return nil, fmt.Errorf("port_value %d is above %d", port, math.MaxUint16)
	}
	return ParseInternetAddress(s.GetAddress(), uint16(port), !s.GetIpv4Compat())
}

// portSpecifier is the field of the port_specifier that is set; its number is what Envoy prints.
func portSpecifier(s *corev3.SocketAddress) protoreflect.FieldDescriptor {
	m := s.ProtoReflect()
	return m.WhichOneof(m.Descriptor().Oneofs().ByName("port_specifier"))
}
