package filterchain

import (
	"strings"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/network"
)

// find walks the tree with what is known of a socket. At each level the most specific entry that
// fits is taken, and never taken back: if nothing fits below it there is no chain, even if a less
// specific entry would have led to one. Nil is no chain.
//
// Envoy: Server::FilterChainManagerImpl::findFilterChain
func (ports destinationPorts) find(s *connection.ActiveTcpSocket) *FilterChain {
	ips := ports[0]
	if exact := ports[s.Local().Port()]; exact != nil && s.Local().IsIP() {
		ips = exact
	}
	if ips == nil {
		return nil
	}
	names := ips.find(ipOf(s.Local()))
	if names == nil {
		return nil
	}
	return names.find(s)
}

// find takes the exact name, then the wildcards from the longest to the shortest: .b.example.com,
// .example.com, .com; then the chains that name none.
//
// Envoy: Server::FilterChainManagerImpl::findFilterChainForServerName
func (names serverNames) find(s *connection.ActiveTcpSocket) *FilterChain {
	if exact, ok := names[s.ServerName]; ok {
		return exact.find(s)
	}
	for suffix := parent(s.ServerName); suffix != ""; suffix = parent(suffix) {
		if wildcard, ok := names[suffix]; ok {
			return wildcard.find(s)
		}
	}
	return names[""].find(s)
}

// parent cuts the first label off a name: .example.com of www.example.com, "" of .com.
func parent(name string) string {
	if name == "" {
		return ""
	}
	dot := strings.IndexByte(name[1:], '.')
	if dot < 0 || dot+2 == len(name) {
		return ""
	}
	return name[dot+1:]
}

// Envoy: Server::FilterChainManagerImpl::findFilterChainForTransportProtocol
func (t transportProtocols) find(s *connection.ActiveTcpSocket) *FilterChain {
	if exact, ok := t[s.TransportProtocol]; ok {
		return exact.find(s)
	}
	return t[""].find(s)
}

// find takes the first of the client's protocols that has an entry.
//
// Envoy: Server::FilterChainManagerImpl::findFilterChainForApplicationProtocols
func (a applicationProtocols) find(s *connection.ActiveTcpSocket) *FilterChain {
	for _, name := range s.ApplicationProtocols {
		if exact := a[name]; exact != nil {
			return exact.find(s)
		}
	}
	if any := a[""]; any != nil {
		return any.find(s)
	}
	return nil
}

// find takes local or external, whichever the client is, and else any.
//
// Envoy: Server::FilterChainManagerImpl::findFilterChainForSourceTypes
func (types *sourceTypes) find(s *connection.ActiveTcpSocket) *FilterChain {
	kind := listenerv3.FilterChainMatch_EXTERNAL
	if isSameIpOrLoopback(s.Local(), s.Remote()) {
		kind = listenerv3.FilterChainMatch_SAME_IP_OR_LOOPBACK
	}
	if types[kind].empty() {
		kind = listenerv3.FilterChainMatch_ANY
	}
	ports := types[kind].find(ipOf(s.Remote()))
	if ports == nil {
		return nil
	}
	return ports.find(s.Remote().Port())
}

// isSameIpOrLoopback: a client on this machine, as far as its address tells.
//
// Envoy: Network::Utility::isSameIpOrLoopback
func isSameIpOrLoopback(local, remote *network.Address) bool {
	if remote.IsPipe() || remote.IsLoopback() {
		return true
	}
	return local.IsIP() && local.AddrPort().Addr() == remote.AddrPort().Addr()
}

// Envoy: Server::FilterChainManagerImpl::findFilterChainForSourceIpAndPort
func (ports sourcePorts) find(port uint16) *FilterChain {
	if exact := ports[port]; exact != nil {
		return exact
	}
	return ports[0]
}
