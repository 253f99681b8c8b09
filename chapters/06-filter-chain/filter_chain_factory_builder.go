package filterchain

import (
	"fmt"
	"time"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/config"
	"envoywalk/internal/log"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// FilterChainFactoryBuilder builds the chains of one listener. It lives on main, for as long as
// that takes.
//
// Envoy: Server::ListenerFilterChainFactoryBuilder
type FilterChainFactoryBuilder struct {
	seams    *Seams
	listener *listensocket.Listener
}

func (b *FilterChainFactoryBuilder) lane() *trace.Lane { return b.listener.Manager.Instance.Lane() }

// buildFilterChains builds what the listener chooses from. A listener that replaces another one in
// place keeps the chains that did not change.
//
// Envoy: Server::ListenerImpl::buildFilterChains
func buildFilterChains(s *Seams, l *listensocket.Listener) error {
	defer l.Manager.Instance.Lane().Enter(step.BuildFilterChains).Of(l.Name).Exit()
	origin, _ := l.FilterChains.(*FilterChainManager)
	m := newFilterChainManager(l.Address, origin)
	builder := &FilterChainFactoryBuilder{seams: s, listener: l}
	if err := m.addFilterChains(builder.lane(), l.Config, builder.buildFilterChainInternal); err != nil {
		return err
	}
	l.Log().Debug("new fc_contexts has %d filter chains, including %d newly built", len(m.chains), m.built)
	l.FilterChains = m
	return nil
}

// buildFilterChainInternal builds one chain. Its transport is raw_buffer: the configuration was
// refused if it named another one.
//
// Envoy: Server::ListenerFilterChainFactoryBuilder::buildFilterChainInternal
func (b *FilterChainFactoryBuilder) buildFilterChainInternal(c *listenerv3.FilterChain,
	place string) (*FilterChain, error) {
	defer b.lane().Enter(step.BuildFilterChainInternal).Of(c.GetName()).From(b.listener, place).Exit()
	factories, err := b.createNetworkFilterFactoryList(c.GetFilters(), place)
	if err != nil {
		return nil, err
	}
	timeout, err := connectTimeout(c, place)
	if err != nil {
		return nil, err
	}
	return newFilterChain(b.lane(), c.GetName(), factories, timeout), nil
}

// connectTimeout is how long the transport of the chain at place may take to connect; 0 is for ever.
func connectTimeout(c *listenerv3.FilterChain, place string) (time.Duration, error) {
	timeout, err := config.Milliseconds(c.GetTransportSocketConnectTimeout())
	if err != nil {
		return 0, listensocket.Elsewhere(place+".transport_socket_connect_timeout", err)
	}
	return timeout, nil
}

// createNetworkFilterFactoryList looks up who makes each filter, and has that read the filter's
// configuration, once for all connections.
//
// Envoy: Server::ProdListenerComponentFactory::createNetworkFilterFactoryList_
func (b *FilterChainFactoryBuilder) createNetworkFilterFactoryList(filters []*listenerv3.Filter,
	place string) (factories []FilterFactoryCb, err error) {
	defer b.lane().Enter(step.CreateNetworkFilterFactoryList).From(b.listener, place+".filters").Exit()
	for n, f := range filters {
		b.logFilter(n, f)
		context := &FactoryContext{Listener: b.listener, Place: fmt.Sprintf("%s.filters[%d]", place, n)}
		callback, err := b.seams.createFilterFactory(context, f, n == len(filters)-1)
		if err != nil {
			return nil, err
		}
		factories = append(factories, callback)
	}
	return factories, nil
}

func (b *FilterChainFactoryBuilder) logFilter(n int, f *listenerv3.Filter) {
	if !b.listener.Log().Enabled(log.Debug) {
		return
	}
	text, _ := protojson.MarshalOptions{UseProtoNames: true}.Marshal(f.GetTypedConfig())
	b.listener.Log().Debug("  filter #%d:", n)
	b.listener.Log().Debug("    name: %s", f.GetName())
	b.listener.Log().Debug("  config: %s", text)
}

// createFilterFactory has one filter's factory read its configuration.
func (s *Seams) createFilterFactory(context *FactoryContext, f *listenerv3.Filter,
	last bool) (FilterFactoryCb, error) {
	factory, message, err := s.findFactory(f, context.Place, last)
	if err != nil {
		return nil, err
	}
	callback, err := factory.Create(context, message)
	if err != nil {
		return nil, listensocket.Elsewhere(context.Field(), err)
	}
	return callback, nil
}

// findFactory finds one filter's factory by the type of its configuration, which the loader has
// filled in for a filter that was given by name alone. place is where the filter stands.
//
// Envoy: Config::Utility::getAndCheckFactory
func (s *Seams) findFactory(f *listenerv3.Filter, place string,
	last bool) (*NetworkFilterFactory, proto.Message, error) {
	message, err := config.UnpackAny(f.GetTypedConfig())
	if err != nil {
		return nil, nil, listensocket.Elsewhere(place+".typed_config", err)
	}
	factory := s.networkFilter(message)
	if factory == nil {
		return nil, nil, listensocket.Elsewhere(place+".name",
			fmt.Errorf("Didn't find a registered implementation for name: '%s'", f.GetName()),
			"this binary holds no such filter; a later chapter's may")
	}
	if err := validateTerminalFilters(f.GetName(), factory, last); err != nil {
		return nil, nil, listensocket.Elsewhere(place, err, "a terminal filter answers or forwards the "+
			"bytes: nothing comes behind it, and a chain without one would leave them lying")
	}
	return factory, message, nil
}

// validateTerminalFilters: the last filter of a chain is terminal, and no other is.
//
// Envoy: Config::Utility::validateTerminalFilters
func validateTerminalFilters(name string, f *NetworkFilterFactory, last bool) error {
	switch {
	case f.Terminal && !last:
		return fmt.Errorf("Error: terminal filter named %s of type %s must be the last filter in a network "+
			"filter chain.", name, f.Name)
	case !f.Terminal && last:
		return fmt.Errorf("Error: non-terminal filter named %s of type %s is the last filter in a network "+
			"filter chain.", name, f.Name)
	}
	return nil
}

// networkFilter is the factory that takes a configuration of m's type, nil if there is none.
func (s *Seams) networkFilter(m proto.Message) *NetworkFilterFactory {
	for n := range s.NetworkFilters {
		f := &s.NetworkFilters[n]
		if f.Config.ProtoReflect().Descriptor().FullName() == m.ProtoReflect().Descriptor().FullName() {
			return f
		}
	}
	return nil
}
