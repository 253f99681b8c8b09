package upstream

import (
	"fmt"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
)

// clusterSocketOptions are what a cluster asks of the socket of each connection, in Envoy's order.
// Only those for before the bind are ever set: there is no other moment.
//
// Envoy: parseClusterSocketOptions
func clusterSocketOptions(c *clusterv3.Cluster) (all []*listensocket.SocketOption) {
	bind := c.GetUpstreamBindConfig()
	if bind.GetFreebind().GetValue() {
		all = append(all, &listensocket.SocketOption{Field: "upstream_bind_config.freebind",
			State: listensocket.Prebind, Level: kernel.IPPROTO_IP, Name: kernel.IP_FREEBIND, Value: 1,
			V6: [2]int{kernel.IPPROTO_IPV6, kernel.IPV6_FREEBIND}})
	}
	if k := c.GetUpstreamConnectionOptions().GetTcpKeepalive(); k != nil {
		all = append(all, tcpKeepalive(k)...)
	}
	for n, o := range bind.GetSocketOptions() {
		literal := &listensocket.SocketOption{State: o.GetState(), Level: int(o.GetLevel()),
			Name: int(o.GetName()), Field: fmt.Sprintf("upstream_bind_config.socket_options[%d]", n)}
		switch v := o.GetValue().(type) {
		case *corev3.SocketOption_IntValue:
			literal.Value = int(v.IntValue)
		case *corev3.SocketOption_BufValue:
			literal.Bytes = v.BufValue
		}
		all = append(all, literal)
	}
	return all
}

// warnOfLostOptions says what Envoy keeps to itself.
func warnOfLostOptions(l *log.Component, info *ClusterInfo) {
	for _, o := range info.options {
		if o.State != listensocket.Prebind {
			l.Warn("cluster '%s': %s has state %s, and as in Envoy is never set: "+
				"the only state of a connection's socket is STATE_PREBIND", info.Name, o.Field, o.State)
		}
	}
}

// tcpKeepalive asks the kernel to look after a silent peer; what is not said is the system's choice.
//
// Envoy: Network::SocketOptionFactory::buildTcpKeepaliveOptions
func tcpKeepalive(k *corev3.TcpKeepalive) []*listensocket.SocketOption {
	option := func(level, name int, value uint32) *listensocket.SocketOption {
		return &listensocket.SocketOption{Field: "upstream_connection_options.tcp_keepalive",
			State: listensocket.Prebind, Level: level, Name: name, Value: int(value)}
	}
	all := []*listensocket.SocketOption{option(kernel.SOL_SOCKET, kernel.SO_KEEPALIVE, 1)}
	if n := k.GetKeepaliveProbes(); n != nil {
		all = append(all, option(kernel.IPPROTO_TCP, kernel.TCP_KEEPCNT, n.GetValue()))
	}
	if n := k.GetKeepaliveInterval(); n != nil {
		all = append(all, option(kernel.IPPROTO_TCP, kernel.TCP_KEEPINTVL, n.GetValue()))
	}
	if n := k.GetKeepaliveTime(); n != nil {
		all = append(all, option(kernel.IPPROTO_TCP, kernel.TCP_KEEPIDLE, n.GetValue()))
	}
	return all
}
