package upstream

import (
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/kernel"
)

// FailureReason says why a pool gave no connection.
//
// Envoy: ConnectionPool::PoolFailureReason
type FailureReason int

const (
	Overflow                FailureReason = iota // a circuit breaker is open
	LocalConnectionFailure                       // the trouble is on our side: no socket, no port
	RemoteConnectionFailure                      // the host refused, or could not be reached
	Timeout                                      // the host did not answer in connect_timeout
)

// Callbacks are told what became of a request for a connection. Each method may ask for another.
//
// Envoy: Tcp::ConnectionPool::Callbacks
type Callbacks interface {
	// OnPoolReady: the connection is the caller's until it is closed. SetCallbacks comes first.
	OnPoolReady(*UpstreamConnection)
	// OnPoolFailure: there will be none. host is nil if none was asked.
	OnPoolFailure(reason FailureReason, host *Host)
}

// ConnPool is a host chosen for one downstream connection, and the way to a connection to it. It is
// its thread's.
//
// Envoy keeps one pool for each host and thread, and gives a connection that its owner released to
// the next who asks. Here each connection has one owner from its socket() to its close(), as
// tcp_proxy never releases one, and belongs to its owner's story. So there is no list of idle
// connections, and the first to connect is not given to the first who waited.
//
// Envoy: Tcp::OriginalConnPoolImpl
type ConnPool struct {
	Host *Host

	cluster *ThreadLocalCluster
	context LoadBalancerContext
}

// NewConnection asks for a connection and returns at once. nil: cb was told within this call that
// there is none. Otherwise cb is told later, once, unless it cancels.
//
// When the circuit breaker is open and the host has connections of this thread, Envoy lets the
// caller wait for one of them to end. Here that is Overflow: nothing would bound the wait.
//
// Envoy: OriginalConnPoolImpl::newConnection
func (p *ConnPool) NewConnection(cb Callbacks) *Pending {
	info, d := p.Host.Cluster, p.cluster.dispatcher
	limits, stats := info.Resources(Default), info.Stats
	if !limits.PendingRequests.CanCreate(d) {
		p.cluster.poolLog.Debug("max pending requests overflow")
		stats.UpstreamRqPendingOverflow.Inc()
		cb.OnPoolFailure(Overflow, nil)
		return nil
	}
	if !limits.Connections.CanCreate(d) {
		stats.UpstreamCxOverflow.Inc()
		if p.cluster.connections[p.Host] > 0 { // a host without any gets one whatever the limit
			cb.OnPoolFailure(Overflow, nil)
			return nil
		}
	}
	p.cluster.poolLog.Debug("creating a new connection")
	u, errno := newUpstreamConnection(p, cb)
	if errno != 0 {
		p.noSocket(cb, errno)
		return nil
	}
	return (*Pending)(u)
}

// noSocket: the process has no fd or the kernel no memory for another connection.
func (p *ConnPool) noSocket(cb Callbacks, errno kernel.Errno) {
	p.cluster.poolLog.Warn("no socket for a connection to %s: %s", p.Host.Address(),
		kernel.Describe(errno))
	p.Host.Cluster.Stats.UpstreamCxConnectFail.Inc()
	cb.OnPoolFailure(LocalConnectionFailure, p.Host)
}

// Pending is a request that has not been answered yet: the connection made for it, as who waits sees
// it.
//
// Envoy: OriginalConnPoolImpl::PendingRequest
type Pending UpstreamConnection

// Cancel takes the request back: its callbacks will not be called. The connection is closed; nobody
// else would want it. Only before the answer.
//
// Envoy: OriginalConnPoolImpl::onPendingRequestCancel, with CancelPolicy::CloseExcess
func (p *Pending) Cancel() {
	u := (*UpstreamConnection)(p)
	if u.request == nil {
		return
	}
	u.cluster.poolLog.Debug("canceling pending request")
	u.Host.Cluster.Stats.UpstreamRqCancelled.Inc()
	u.answered()
	u.Connection.Close(connection.NoFlush)
}
