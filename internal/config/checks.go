package config

import (
	"fmt"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/reflect/protoreflect"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
)

// onlyInterface is the one socket interface that exists.
const onlyInterface = "envoy.extensions.network.socket_interface.default_socket_interface"

// check refuses values that no type and no generated rule refuses.
func (w *walker) check(m protoreflect.Message, n *node, at *place) error {
	switch msg := m.Interface().(type) {
	case *bootstrapv3.Bootstrap:
		if s := msg.GetDefaultSocketInterface(); s != "" && s != onlyInterface {
			return w.checked(n, at, "default_socket_interface", fmt.Sprintf(
				"Didn't find a registered implementation for name: '%s'", s),
				"remove the field, or write "+onlyInterface)
		}
	case *corev3.SocketAddress:
		if s := msg.GetResolverName(); s != "" && s != "envoy.ip" {
			return w.checked(n, at, "resolver_name", "Unknown address resolver: "+s,
				"remove the field: the resolver for plain IP addresses needs no name")
		}
		if msg.GetNamedPort() != "" {
			return w.checked(n, at, "named_port", fmt.Sprintf(
				"IP resolver can't handle port specifier type %d", 4), "write port_value: 80")
		}
	case *clusterv3.Cluster_CustomClusterType:
		return w.checked(n, at, "name", fmt.Sprintf("Didn't find a registered cluster factory "+
			"implementation for name: '%s'", msg.GetName()),
			"write type: STATIC, STRICT_DNS, LOGICAL_DNS or ORIGINAL_DST")
	}
	return nil
}

func (w *walker) checked(n *node, at *place, field, sentence, hint string) error {
	here, pos := at.child(field, -1, n), w.doc.at(n)
	if k := n.entry(field); k != nil {
		pos = w.doc.at(&k.node)
	}
	return &Error{Sentence: sentence, Pos: pos, Path: here.String(), Hint: hint}
}

// refuseUDP refuses `protocol: UDP` wherever an address stands. Envoy proxies UDP; no chapter
// does. A chapter that adds it starts here and in fates/core.txt.
func refuseUDP(pos Position, at *place) error {
	return &Error{Sentence: "socket type datagram not supported", Pos: pos, Path: at.String(),
		Hint: "Envoy proxies UDP, envoywalk walks TCP only: write protocol: TCP"}
}
