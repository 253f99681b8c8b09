package filterchain

import (
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/later"
)

// httpLater stands in for chapter 07: it closes the connection where HTTP would begin.
type httpLater struct{ callbacks *ReadFilterCallbacks }

func httpLaterFactory() NetworkFilterFactory {
	return NetworkFilterFactory{Name: "envoy.filters.network.http_connection_manager",
		Config: &hcmv3.HttpConnectionManager{}, Terminal: true, Create: createHTTPLater}
}

func createHTTPLater(context *FactoryContext, _ proto.Message) (FilterFactoryCb, error) {
	later.Chapter(context.Listener.Manager.Instance.Lane(), 7, "the HTTP connection manager of "+
		context.Listener.Name+" would read its routes here")
	return func(c *connection.Connection) { AddReadFilter(c, &httpLater{}) }, nil
}

func (f *httpLater) InitializeReadFilterCallbacks(r *ReadFilterCallbacks) { f.callbacks = r }

func (f *httpLater) OnNewConnection() FilterStatus { return Continue }

func (f *httpLater) OnData(data *buffer.Buffer, _ bool) FilterStatus {
	c := f.callbacks.Connection()
	later.Chapter(c.Lane(), 7, "HTTP would be read here; the connection is closed instead")
	data.Drain(data.Len())
	c.Close(connection.NoFlush)
	return StopIteration
}
