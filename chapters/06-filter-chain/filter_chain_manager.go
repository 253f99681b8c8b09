package filterchain

import (
	"fmt"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/proto"

	listensocket "envoywalk/chapters/02-listen-socket"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// FilterChainManager is a listener's filter chains, and the rules by which one is chosen. Main
// builds it; then it does not change: workers read it without a lock.
//
// Envoy: Server::FilterChainManagerImpl
type FilterChainManager struct {
	address *network.Address    // the listener's, for messages
	origin  *FilterChainManager // of the listener that is replaced: equal chains move over
	built   int                 // of the chains: the others moved over

	chains         map[string]*FilterChain // by their whole configuration
	rules          destinationPorts
	defaultChain   *FilterChain
	defaultMessage *listenerv3.FilterChain
}

func newFilterChainManager(address *network.Address, origin *FilterChainManager) *FilterChainManager {
	return &FilterChainManager{address: address, origin: origin, chains: map[string]*FilterChain{},
		rules: destinationPorts{}}
}

// chainBuilder makes a chain of its configuration. place is where that stands in the listener.
type chainBuilder func(c *listenerv3.FilterChain, place string) (*FilterChain, error)

// addFilterChains takes all chains of a listener. On an error the manager is of no use.
//
// Envoy: Server::FilterChainManagerImpl::addFilterChains
func (m *FilterChainManager) addFilterChains(lane *trace.Lane, l *listenerv3.Listener,
	build chainBuilder) error {
	defer lane.Enter(step.FilterChainManagerAdd).Of(l.GetName()).Exit()
	seen := map[string]int{}
	for n, c := range l.GetFilterChains() {
		if err := m.addFilterChain(l, n, seen, build); err != nil {
			return err
		}
		seen[messageKey(c.GetFilterChainMatch())] = n
	}
	err := m.copyOrRebuildDefaultFilterChain(l.GetDefaultFilterChain(), build)
	m.origin = nil
	return err
}

// addFilterChain takes chain n. seen are the matches of those before it.
func (m *FilterChainManager) addFilterChain(l *listenerv3.Listener, n int, seen map[string]int,
	build chainBuilder) error {
	c, place := l.GetFilterChains()[n], fmt.Sprintf(".filter_chains[%d]", n)
	field := place + ".filter_chain_match"
	if other, ok := seen[messageKey(c.GetFilterChainMatch())]; ok {
		err := fmt.Errorf("filter chain '%s' has the same matching rules defined as '%s'", c.GetName(),
			l.GetFilterChains()[other].GetName())
		return m.refuse(field, err, fmt.Sprintf("the other one is filter_chains[%d]: a chain is chosen by "+
			"its match, so no two are alike; default_filter_chain is for what no other one takes", other))
	}
	rules, err := newMatch(c.GetFilterChainMatch(), field)
	if err != nil {
		return err
	}
	if err := checkServerNames(c.GetFilterChainMatch().GetServerNames()); err != nil {
		return m.refuse(field+".server_names", err, "a wildcard is the whole first label: *.example.com")
	}
	chain := m.origin.existing(c)
	if chain == nil {
		if chain, err = build(c, place); err != nil {
			return err
		}
		m.built++
	}
	if m.rules.add(rules, chain) != nil {
		return m.refuse(field, errOverlap, "a list in a match means any of these: one of them leads to "+
			"an earlier chain as well")
	}
	m.chains[messageKey(c)] = chain
	return nil
}

// copyOrRebuildDefaultFilterChain: the chain of those that no other chain takes.
//
// Envoy: Server::FilterChainManagerImpl::copyOrRebuildDefaultFilterChain
func (m *FilterChainManager) copyOrRebuildDefaultFilterChain(c *listenerv3.FilterChain,
	build chainBuilder) (err error) {
	m.defaultMessage = c
	switch {
	case c == nil:
	case m.origin != nil && proto.Equal(m.origin.defaultMessage, c):
		m.defaultChain = m.origin.defaultChain
	default:
		m.defaultChain, err = build(c, ".default_filter_chain")
	}
	return err
}

// existing is the chain that was built of an equal configuration before.
//
// Envoy: Server::FilterChainManagerImpl::findExistingFilterChain
func (m *FilterChainManager) existing(c *listenerv3.FilterChain) *FilterChain {
	if m == nil {
		return nil
	}
	return m.chains[messageKey(c)]
}

// refuse is an error of the listener's, as Envoy begins them. An err that knows its place keeps it.
func (m *FilterChainManager) refuse(field string, err error, hint string) error {
	err = fmt.Errorf("error adding listener '%s': %w", m.address, err)
	return listensocket.Elsewhere(field, err, hint)
}

// messageKey tells whether two configurations are the same.
func messageKey(m proto.Message) string {
	b, _ := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	return string(b)
}

// findFilterChain chooses the chain of an accepted socket: by the rules, else the default one. Nil
// is none. Workers call it; it neither locks nor allocates.
//
// Envoy: Server::FilterChainManagerImpl::findFilterChain
func (m *FilterChainManager) findFilterChain(s *connection.ActiveTcpSocket) *FilterChain {
	defer s.Lane().Enter(step.FindFilterChain).On(s.FD()).Exit()
	return m.choose(s)
}

func (m *FilterChainManager) choose(s *connection.ActiveTcpSocket) *FilterChain {
	if chain := m.rules.find(s); chain != nil {
		return chain
	}
	return m.defaultChain
}
