package config

import (
	"strings"

	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	origdstv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/original_dst/v3"
	proxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	tlsinspv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	directv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/direct_response/v3"
	echov3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/echo/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	snicv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/sni_cluster/v3"
	tcpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	rawv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/raw_buffer/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The messages that hold an extension as name and typed_config.
const (
	networkFilter   protoreflect.FullName = "envoy.config.listener.v3.Filter"
	listenerFilter  protoreflect.FullName = "envoy.config.listener.v3.ListenerFilter"
	transportSocket protoreflect.FullName = "envoy.config.core.v3.TransportSocket"
	accessLog       protoreflect.FullName = "envoy.config.accesslog.v3.AccessLog"
	httpFilter      protoreflect.FullName = "envoy.extensions.filters.network." +
		"http_connection_manager.v3.HttpFilter"
)

// extension is one filter, socket or logger that the project rebuilds.
type extension struct {
	holder  protoreflect.FullName
	chapter int // that runs it; the chapter of the holding field counts too, the later one wins
	what    string
	msg     proto.Message
	v2      string   // its type in the v2 API, for the message that says what to write now
	names   []string // registered names: the well-known one first, then the deprecated
}

// extensions is everything that an Any may hold. Access loggers count from chapter 1, because
// admin has one; those of listeners and filters come with the fields that hold them.
//
// Envoy: the REGISTER_FACTORY of each extension
var extensions = []extension{
	{networkFilter, 6, "sends bytes back", &echov3.Echo{},
		"", []string{"envoy.filters.network.echo", "envoy.echo"}},
	{networkFilter, 6, "answers with a fixed text and closes", &directv3.Config{},
		"envoy.config.filter.network.direct_response.v2.Config",
		[]string{"envoy.filters.network.direct_response"}},
	{networkFilter, 6, "proxies TCP to a cluster", &tcpv3.TcpProxy{},
		"envoy.config.filter.network.tcp_proxy.v2.TcpProxy",
		[]string{"envoy.filters.network.tcp_proxy", "envoy.tcp_proxy"}},
	{networkFilter, 6, "takes the cluster's name from the SNI", &snicv3.SniCluster{},
		"", []string{"envoy.filters.network.sni_cluster"}},
	{networkFilter, 7, "reads HTTP and routes it", &hcmv3.HttpConnectionManager{},
		"envoy.config.filter.network.http_connection_manager.v2.HttpConnectionManager",
		[]string{"envoy.filters.network.http_connection_manager",
			"envoy.http_connection_manager"}},
	{httpFilter, 7, "sends requests to clusters", &routerv3.Router{},
		"envoy.config.filter.http.router.v2.Router",
		[]string{"envoy.filters.http.router", "envoy.router"}},
	{listenerFilter, 5, "finds the address before redirection", &origdstv3.OriginalDst{},
		"", []string{"envoy.filters.listener.original_dst", "envoy.listener.original_dst"}},
	{listenerFilter, 5, "peeks for SNI and ALPN", &tlsinspv3.TlsInspector{},
		"", []string{"envoy.filters.listener.tls_inspector", "envoy.listener.tls_inspector"}},
	{listenerFilter, 5, "reads the PROXY header", &proxyv3.ProxyProtocol{},
		"", []string{"envoy.filters.listener.proxy_protocol", "envoy.listener.proxy_protocol"}},
	{transportSocket, 5, "reads and writes the socket as it is", &rawv3.RawBuffer{},
		"", []string{"envoy.transport_sockets.raw_buffer", "raw_buffer"}},
	{accessLog, 1, "writes to a file", &filev3.FileAccessLog{},
		"envoy.config.accesslog.v2.FileAccessLog",
		[]string{"envoy.access_loggers.file", "envoy.file_access_log"}},
	{accessLog, 1, "writes to stdout", &streamv3.StdoutAccessLog{},
		"", []string{"envoy.access_loggers.stdout"}},
	{accessLog, 1, "writes to stderr", &streamv3.StderrAccessLog{},
		"", []string{"envoy.access_loggers.stderr"}},
}

// holder says whether a message is one of those that hold an extension.
func holder(md protoreflect.MessageDescriptor) bool {
	switch md.FullName() {
	case networkFilter, listenerFilter, transportSocket, accessLog, httpFilter:
		return true
	}
	return false
}

// byType finds an extension by the type in its Any, nil if there is none in this place.
func byType(in, typ protoreflect.FullName) *extension {
	for i := range extensions {
		if e := &extensions[i]; e.holder == in && e.typeName() == typ {
			return e
		}
	}
	return nil
}

// byName finds an extension by its registered name.
func byName(in protoreflect.FullName, name string) *extension {
	for i := range extensions {
		for _, n := range extensions[i].names {
			if extensions[i].holder == in && n == name {
				return &extensions[i]
			}
		}
	}
	return nil
}

func (e *extension) typeName() protoreflect.FullName {
	return e.msg.ProtoReflect().Descriptor().FullName()
}

// Extensions lists what is linked in, a line a category: what start-up logs.
func Extensions() []string {
	names := map[protoreflect.FullName][]string{}
	for _, e := range extensions {
		names[e.holder] = append(names[e.holder], e.names...)
	}
	var lines []string
	for _, c := range [...]struct {
		holder   protoreflect.FullName
		category string
	}{{accessLog, "envoy.access_loggers"}, {httpFilter, "envoy.filters.http"},
		{listenerFilter, "envoy.filters.listener"}, {networkFilter, "envoy.filters.network"},
		{transportSocket, "envoy.transport_sockets.downstream"}} {
		lines = append(lines, c.category+": "+strings.Join(names[c.holder], ", "))
	}
	return lines
}
