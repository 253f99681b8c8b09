package filterchain

import (
	"fmt"
	"os"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	directv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/direct_response/v3"
	"google.golang.org/protobuf/proto"

	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
)

// DirectResponseFilter says one thing, the same to everybody, and closes.
//
// Envoy: Extensions::NetworkFilters::DirectResponse::DirectResponseFilter
type DirectResponseFilter struct {
	response  string
	callbacks *ReadFilterCallbacks
}

// directResponseFactory is the factory of direct_response.
//
// Envoy: Extensions::NetworkFilters::DirectResponse::DirectResponseConfigFactory
func directResponseFactory() NetworkFilterFactory {
	return NetworkFilterFactory{Name: "envoy.filters.network.direct_response", Config: &directv3.Config{},
		Terminal: true, Check: checkDirectResponse, Create: createDirectResponse}
}

func checkDirectResponse(config proto.Message, field string) error {
	_, err := readResponse(config, field)
	return err
}

// createDirectResponse reads the response now, and not, as Envoy does, for each connection: a
// worker never waits for a disk, and a file that is missing is told at the start.
func createDirectResponse(context *FactoryContext, config proto.Message) (FilterFactoryCb, error) {
	response, err := readResponse(config, context.Field())
	if err != nil {
		return nil, err
	}
	return func(c *connection.Connection) { AddReadFilter(c, &DirectResponseFilter{response: response}) }, nil
}

func readResponse(config proto.Message, field string) (string, error) {
	response, err := readDataSource(config.(*directv3.Config).GetResponse())
	if err != nil {
		return "", listensocket.Elsewhere(field+".response", err)
	}
	return response, nil
}

// readDataSource is what a data source holds; none holds nothing.
//
// Envoy: Config::DataSource::read
func readDataSource(s *corev3.DataSource) (string, error) {
	switch from := s.GetSpecifier().(type) {
	case *corev3.DataSource_Filename:
		text, err := os.ReadFile(from.Filename)
		if err != nil {
			return "", fmt.Errorf("unable to read file: %s", from.Filename)
		}
		return string(text), nil
	case *corev3.DataSource_InlineBytes:
		return string(from.InlineBytes), nil
	}
	return s.GetInlineString(), nil
}

// InitializeReadFilterCallbacks implements ReadFilter. A client that has asked, and says that it will
// ask no more, wants its answer all the same.
func (f *DirectResponseFilter) InitializeReadFilterCallbacks(r *ReadFilterCallbacks) {
	f.callbacks = r
	r.Connection().EnableHalfClose(true)
}

// OnNewConnection sends the response, if it is not empty, and closes when it is sent.
//
// Envoy: Extensions::NetworkFilters::DirectResponse::DirectResponseFilter::onNewConnection
func (f *DirectResponseFilter) OnNewConnection() FilterStatus {
	c := f.callbacks.Connection()
	c.Thread.Log.Trace("[C%d] direct_response: new connection", c.ID)
	if f.response != "" {
		f.respond(c)
	}
	c.Info.ResponseCodeDetails = "direct_response"
	c.Close(connection.FlushWrite)
	return StopIteration
}

func (f *DirectResponseFilter) respond(c *connection.Connection) {
	var data buffer.Buffer
	data.Init(c.Thread.Slabs)
	data.AddString(f.response)
	c.Write(&data, true)
}

// OnData takes what still comes, and forgets it.
func (f *DirectResponseFilter) OnData(data *buffer.Buffer, _ bool) FilterStatus {
	data.Drain(data.Len())
	return StopIteration
}
