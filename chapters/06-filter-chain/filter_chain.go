package filterchain

import (
	"time"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// FilterChain is one way to treat a connection: how its bytes travel, and the factories of its
// filters. It does not change; all connections of all workers that chose it share it.
//
// Envoy: Server::FilterChainImpl
type FilterChain struct {
	name           string // as configured, may be empty
	factories      []FilterFactoryCb
	connectTimeout time.Duration
}

// Envoy: Server::FilterChainImpl::FilterChainImpl
func newFilterChain(lane *trace.Lane, name string, factories []FilterFactoryCb,
	connectTimeout time.Duration) *FilterChain {
	defer lane.Enter(step.FilterChainImplCtor).Of(name).Exit()
	return &FilterChain{name: name, factories: factories, connectTimeout: connectTimeout}
}

// Name is the chain's name in the configuration; it may have none.
func (f *FilterChain) Name() string { return f.name }

// CreateTransportSocket makes a connection's transport: raw bytes, the only one that is rebuilt.
func (f *FilterChain) CreateTransportSocket(lane *trace.Lane) connection.TransportSocket {
	return connection.CreateTransportSocket(lane)
}

// TransportSocketConnectTimeout is how long the transport may take to connect; 0 is for ever.
func (f *FilterChain) TransportSocketConnectTimeout() time.Duration { return f.connectTimeout }
