// Package gate is the exercise 06/gate: see task.md.
package gate

import (
	"google.golang.org/protobuf/proto"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	filterchain "envoywalk/chapters/06-filter-chain"
)

// Gate is a read filter that lets nobody pass whose first byte is no printable character.
type Gate struct {
	callbacks *filterchain.ReadFilterCallbacks
}

// Fill puts a Gate in front of every direct_response: who makes the filters of a connection now makes two.
func Fill(s *filterchain.Seams) {
	for n := range s.NetworkFilters {
		if f := &s.NetworkFilters[n]; f.Name == "envoy.filters.network.direct_response" {
			f.Create = behindGate(f.Create)
		}
	}
}

// create makes a filter's factory, once for each chain; the factory makes the filter of each connection.
type create = func(*filterchain.FactoryContext, proto.Message) (filterchain.FilterFactoryCb, error)

func behindGate(create create) create {
	return func(in *filterchain.FactoryContext, config proto.Message) (filterchain.FilterFactoryCb, error) {
		behind, err := create(in, config)
		return func(c *connection.Connection) {
			filterchain.AddReadFilter(c, &Gate{})
			behind(c)
		}, err
	}
}

// InitializeReadFilterCallbacks implements filterchain.ReadFilter.
func (g *Gate) InitializeReadFilterCallbacks(r *filterchain.ReadFilterCallbacks) { g.callbacks = r }

// OnNewConnection implements filterchain.ReadFilter: the connection is there, and no byte of it.
func (g *Gate) OnNewConnection() filterchain.FilterStatus {
	// Your code: may the filter behind, which answers at once, hear of the connection yet?
	// 你的代码：后面的过滤器一听说有连接就作答，现在能让它听说吗？
	return filterchain.Continue
}

// OnData implements filterchain.ReadFilter. data is the connection's: what stays in it, the next filter sees.
func (g *Gate) OnData(data *buffer.Buffer, endStream bool) filterchain.FilterStatus {
	// Your code: data.CopyOut shows bytes and leaves them; g.callbacks.Connection() can be closed.
	// 你的代码：data.CopyOut 只看字节，不取走；g.callbacks.Connection() 可以关闭。
	return filterchain.Continue
}
