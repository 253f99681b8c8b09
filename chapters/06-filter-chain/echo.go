package filterchain

import (
	echov3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/echo/v3"
	"google.golang.org/protobuf/proto"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/log"
)

// EchoFilter sends back what it gets, and gets no more while the client does not take it. (In Envoy
// 1.17 such a client fills the memory.)
//
// Envoy: Extensions::NetworkFilters::Echo::EchoFilter
type EchoFilter struct{ callbacks *ReadFilterCallbacks }

// echoFactory is the factory of echo.
//
// Envoy: Extensions::NetworkFilters::Echo::EchoConfigFactory
func echoFactory() NetworkFilterFactory {
	return NetworkFilterFactory{Name: "envoy.filters.network.echo", Config: &echov3.Echo{}, Terminal: true,
		Create: func(*FactoryContext, proto.Message) (FilterFactoryCb, error) {
			return func(c *connection.Connection) { AddReadFilter(c, &EchoFilter{}) }, nil
		}}
}

// InitializeReadFilterCallbacks implements ReadFilter. With half-close the end comes back behind the
// last byte. Envoy 1.17 leaves it off here: what comes together with the client's end is then never
// sent back.
func (f *EchoFilter) InitializeReadFilterCallbacks(r *ReadFilterCallbacks) {
	f.callbacks = r
	r.Connection().EnableHalfClose(true)
	r.Connection().AddConnectionCallbacks(f)
}

// OnEvent implements connection.ConnectionCallbacks.
func (f *EchoFilter) OnEvent(connection.ConnectionEvent) {}

// OnAboveWriteBufferHighWatermark implements connection.ConnectionCallbacks.
func (f *EchoFilter) OnAboveWriteBufferHighWatermark() { f.callbacks.Connection().ReadDisable(true) }

// OnBelowWriteBufferLowWatermark implements connection.ConnectionCallbacks.
func (f *EchoFilter) OnBelowWriteBufferLowWatermark() { f.callbacks.Connection().ReadDisable(false) }

// OnNewConnection implements ReadFilter.
func (f *EchoFilter) OnNewConnection() FilterStatus { return Continue }

// OnData sends back all of it, and the end if it is the end.
//
// Envoy: Extensions::NetworkFilters::Echo::EchoFilter::onData
func (f *EchoFilter) OnData(data *buffer.Buffer, endStream bool) FilterStatus {
	c := f.callbacks.Connection()
	if l := c.Thread.Log; l.Enabled(log.Trace) {
		l.Trace("[C%d] echo: got %d bytes", c.ID, data.Len())
	}
	c.Write(data, endStream)
	return StopIteration
}
