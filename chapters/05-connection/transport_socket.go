package connection

import (
	"envoywalk/chapters/05-connection/buffer"
)

// TransportSocket stands between a connection and its bytes: raw ones here, TLS records elsewhere.
// The connection's thread alone calls it.
//
// Envoy: Network::TransportSocket
type TransportSocket interface {
	// SetTransportSocketCallbacks is called once, by the connection that owns the socket.
	SetTransportSocketCallbacks(*Connection)
	// DoRead appends what the peer sent, until there is no more or the connection has enough.
	DoRead(into *buffer.Buffer) IoResult
	// DoWrite sends from the front until nothing is left or the kernel takes no more. endStream:
	// after the last byte the peer is told that no more will come.
	DoWrite(from *buffer.Buffer, endStream bool) IoResult
	// OnConnected: a client connection's connect has succeeded.
	OnConnected()
	// CloseSocket: the fd is about to be closed.
	CloseSocket(ConnectionEvent)
	// CanFlushClose says whether what is buffered can still be sent before a close.
	CanFlushClose() bool
}

// IoResult is what a read or a write came to.
//
// Envoy: Network::IoResult
type IoResult struct {
	Bytes     int
	Close     bool // the socket is broken or the peer gone: close it
	EndStream bool // the peer will send no more; of reads only
}
