// Package streaminfo holds what is known of one stream: a connection, or a request on one. It is
// plain data for the access logs, filled in by the stream's thread while the stream lives.
package streaminfo

import (
	"time"

	"envoywalk/internal/network"
)

// StreamInfo is what is known of one stream. The thread that works on the stream writes and reads
// it; nobody else does. A field without a value has not happened, or does not apply. There is one
// in every connection, so it stays small: what only HTTP has is behind a pointer.
//
// Envoy: StreamInfo::StreamInfoImpl
type StreamInfo struct {
	Start    time.Time
	Duration time.Duration // from Start to the end; 0 until Complete

	BytesReceived, BytesSent uint64 // from and to downstream
	ConnectionID             uint64
	Flags                    Flag

	DownstreamRemote       *network.Address // may be told by a PROXY header
	DownstreamDirectRemote *network.Address // the peer of the socket
	DownstreamLocal        *network.Address
	UpstreamHost           *network.Address
	UpstreamLocal          *network.Address

	UpstreamCluster     string
	RequestedServerName string // SNI, as the client sent it: any bytes
	RouteName           string
	TransportFailure    string // why the upstream transport socket failed
	TerminationDetails  string // why this proxy ended the connection
	ResponseCodeDetails string

	FilterState map[string]string // what filters leave for each other; nil while empty
	HTTP        *HTTP             // nil for TCP
}

// Complete notes that the stream has ended. A second call does nothing.
//
// Envoy: StreamInfoImpl::onRequestComplete
func (s *StreamInfo) Complete(now time.Time) {
	if s.Duration == 0 {
		s.Duration = max(now.Sub(s.Start), 1) // a clock may stand still; the end has happened
	}
}

// Set adds a response flag.
//
// Envoy: StreamInfoImpl::setResponseFlag
func (s *StreamInfo) Set(f Flag) { s.Flags |= f }

// Has says whether one of these flags is set.
//
// Envoy: StreamInfoImpl::hasResponseFlag, intersectResponseFlags
func (s *StreamInfo) Has(f Flag) bool { return s.Flags&f != 0 }

// SetFilterState leaves a value for other filters and for the access logs.
//
// Envoy: StreamInfo::FilterStateImpl::setData
func (s *StreamInfo) SetFilterState(key, value string) {
	if s.FilterState == nil {
		s.FilterState = map[string]string{}
	}
	s.FilterState[key] = value
}

// HTTP is what only a stream of HTTP has: a request, and what became of it.
type HTTP struct {
	Protocol     string // HTTP/1.1
	ResponseCode int    // 0: none was sent

	// Nil where there are none.
	Request, Response, Trailers Headers

	// Each counts from Start; 0 has not happened.
	LastDownstreamRxByte, FirstUpstreamRxByte, LastDownstreamTxByte time.Duration
}

// Headers is a header map. Names are in lower case; a request's first line has :method, :path and
// :authority.
type Headers interface {
	// Get returns the first value of that name.
	Get(name string) (value string, found bool)
}
