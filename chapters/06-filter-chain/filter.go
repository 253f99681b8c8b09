// Package filterchain is chapter 06: from an accepted connection to the filters that treat it.
//
// It follows the article on downstream requests as far as its part four, 4.2: how the chains of a
// listener are built and chosen, how the filter manager of a connection runs its filters, and
// tcp_proxy, which carries the bytes to a cluster. Clusters and upstream connections are the
// package upstream. HTTP is chapter 07's.
package filterchain

import (
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
)

// FilterStatus is what a filter says about those after it. Listener filters say the same.
//
// Envoy: Network::FilterStatus
type FilterStatus = connection.FilterStatus

// Continue lets the next filter have its turn; StopIteration keeps it waiting.
const (
	Continue      = connection.Continue
	StopIteration = connection.StopIteration
)

// ReadFilter sees what a connection reads. Every method runs on the connection's thread, and may
// close the connection.
//
// Envoy: Network::ReadFilter
type ReadFilter interface {
	// InitializeReadFilterCallbacks is called once, when the filter is added.
	InitializeReadFilterCallbacks(*ReadFilterCallbacks)
	// OnNewConnection is called once, before any data. After StopIteration neither this filter nor
	// those behind it see anything, until data comes or somebody continues.
	OnNewConnection() FilterStatus
	// OnData lends the connection's read buffer: what the filter consumes it takes out. endStream:
	// the peer sends no more. Called only if there is data or it is the end.
	OnData(data *buffer.Buffer, endStream bool) FilterStatus
}

// WriteFilter sees what is written to a connection, before it is sent.
//
// Envoy: Network::WriteFilter
type WriteFilter interface {
	InitializeWriteFilterCallbacks(*WriteFilterCallbacks)
	// OnWrite may change data. After StopIteration nothing of it is sent.
	OnWrite(data *buffer.Buffer, endStream bool) FilterStatus
}

// FilterFactoryCb adds new filters of one kind to a connection. Made on main, called on workers.
//
// Envoy: Network::FilterFactoryCb
type FilterFactoryCb func(*connection.Connection)

// ReadFilterCallbacks is a read filter's place in its manager, and what it may ask for.
//
// Envoy: Network::FilterManagerImpl::ActiveReadFilter, behind the interface
// Network::ReadFilterCallbacks
type ReadFilterCallbacks struct {
	manager     *FilterManager
	filter      ReadFilter
	next        *ReadFilterCallbacks
	initialized bool // had its OnNewConnection
}

// Connection is the connection that the filter belongs to.
func (r *ReadFilterCallbacks) Connection() *connection.Connection { return r.manager.connection }

// ContinueReading goes on behind this filter, with what the connection has read so far.
func (r *ReadFilterCallbacks) ContinueReading() {
	c := r.manager.connection
	r.manager.onContinueReading(r, c.ReadBuffer(), c.ReadEndStream())
}

// InjectReadDataToFilterChain goes on behind this filter, with other data.
func (r *ReadFilterCallbacks) InjectReadDataToFilterChain(data *buffer.Buffer, endStream bool) {
	r.manager.onContinueReading(r, data, endStream)
}

// SetUpstreamHost tells the other filters, and the access log, where the bytes go.
func (r *ReadFilterCallbacks) SetUpstreamHost(host *network.Address) {
	r.manager.connection.Info.UpstreamHost = host
}

// UpstreamHost is where the bytes go, nil as long as nobody has said.
func (r *ReadFilterCallbacks) UpstreamHost() *network.Address {
	return r.manager.connection.Info.UpstreamHost
}

// onNewConnection is the filter's first call.
func (r *ReadFilterCallbacks) onNewConnection() FilterStatus {
	defer r.manager.connection.Lane().Enter(step.OnNewConnection).Exit()
	r.initialized = true
	return r.filter.OnNewConnection()
}

// onData gives the filter what was read.
func (r *ReadFilterCallbacks) onData(data *buffer.Buffer, endStream bool) FilterStatus {
	defer r.manager.connection.Lane().Enter(step.ReadFilterOnData).Exit()
	return r.filter.OnData(data, endStream)
}

// WriteFilterCallbacks is a write filter's place in its manager.
//
// Envoy: Network::FilterManagerImpl::ActiveWriteFilter, behind the interface
// Network::WriteFilterCallbacks
type WriteFilterCallbacks struct {
	manager *FilterManager
	filter  WriteFilter
	next    *WriteFilterCallbacks
}

// Connection is the connection that the filter belongs to.
func (w *WriteFilterCallbacks) Connection() *connection.Connection { return w.manager.connection }
