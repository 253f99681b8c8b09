package filterchain

import (
	"google.golang.org/protobuf/proto"

	listensocket "envoywalk/chapters/02-listen-socket"
)

// NetworkFilterFactory knows one kind of network filter.
//
// Envoy: Server::Configuration::NamedNetworkFilterConfigFactory
type NetworkFilterFactory struct {
	Name     string        // what it is registered as, such as envoy.filters.network.echo
	Config   proto.Message // an empty one of its configuration's type
	Terminal bool          // must be the last of its chain; one that is not must not
	// Check, if there is one, finds what Create would refuse, without a server: for --mode validate,
	// and before anything is opened. Its errors are Create's. field is where config stands.
	Check func(config proto.Message, field string) error
	// Create is called on main, once for each chain. config is the caller's and does not change. An
	// error is Envoy's sentence; listensocket.Elsewhere tells which field of the listener it means,
	// context.Field() and what comes below it.
	Create func(context *FactoryContext, config proto.Message) (FilterFactoryCb, error)
}

// FactoryContext is what a filter's factory may know of where its filter stands.
//
// Envoy: Server::Configuration::FilterChainFactoryContext
type FactoryContext struct {
	Listener *listensocket.Listener
	Place    string // the filter in its listener: .filter_chains[0].filters[1]
}

// Field is where in the listener the filter's own configuration stands.
func (c *FactoryContext) Field() string { return c.Place + ".typed_config" }
