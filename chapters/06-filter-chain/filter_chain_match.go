package filterchain

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"

	listensocket "envoywalk/chapters/02-listen-socket"
)

// The tree of rules by which a chain is chosen, one type for each of its levels, from the root.
// Main builds it; from then on it does not change, and every worker reads it.
type (
	destinationPorts     map[uint16]*prefixTable[serverNames] // 0: any
	serverNames          map[string]transportProtocols        // ".example.com" for *.example.com, "": any
	transportProtocols   map[string]applicationProtocols      // "": any
	applicationProtocols map[string]*sourceTypes              // "": any
	sourceTypes          [3]prefixTable[sourcePorts]          // by FilterChainMatch.ConnectionSourceType
	sourcePorts          map[uint16]*FilterChain              // 0: any
)

// What the tree cannot take: a path that leads to two chains, and a name that it could not find.
var (
	errOverlap         = errors.New("multiple filter chains with overlapping matching rules are defined")
	errPartialWildcard = errors.New(`partial wildcards are not supported in "server_names"`)
)

// match is one chain's rules, as the tree wants them: an empty list has become the one entry that
// stands for any.
type match struct {
	destinationPort uint16
	destinationIPs  []netip.Prefix
	serverNames     []string
	transport       string
	applications    []string
	sourceType      listenerv3.FilterChainMatch_ConnectionSourceType
	sourceIPs       []netip.Prefix
	sourcePorts     []uint16
}

// newMatch reads a chain's rules, their server names checked. field is where they stand in the
// listener.
func newMatch(m *listenerv3.FilterChainMatch, field string) (*match, error) {
	to, err := cidrRanges(m.GetPrefixRanges(), field+".prefix_ranges")
	if err != nil {
		return nil, err
	}
	from, err := cidrRanges(m.GetSourcePrefixRanges(), field+".source_prefix_ranges")
	if err != nil {
		return nil, err
	}
	ports := []uint16{}
	for _, port := range m.GetSourcePorts() {
		ports = append(ports, uint16(port))
	}
	return &match{
		destinationPort: uint16(m.GetDestinationPort().GetValue()),
		destinationIPs:  orAny(to),
		serverNames:     orAny(m.GetServerNames()),
		transport:       m.GetTransportProtocol(),
		applications:    orAny(m.GetApplicationProtocols()),
		sourceType:      m.GetSourceType(),
		sourceIPs:       orAny(from),
		sourcePorts:     orAny(ports),
	}, nil
}

// orAny: a rule that names nothing takes everything, which the tree keeps under the zero value.
func orAny[T any](names []T) []T {
	if len(names) == 0 {
		return make([]T, 1)
	}
	return names
}

// checkServerNames: a wildcard is the whole first label, or it is none.
func checkServerNames(names []string) error {
	for _, name := range names {
		if strings.Contains(name, "*") && !isWildcardServerName(name) {
			return errPartialWildcard
		}
	}
	return nil
}

// Envoy: Server::FilterChainManagerImpl::isWildcardServerName
func isWildcardServerName(name string) bool { return strings.HasPrefix(name, "*.") }

func cidrRanges(ranges []*corev3.CidrRange, field string) (prefixes []netip.Prefix, err error) {
	for n, r := range ranges {
		p, err := cidrRange(r)
		if err != nil {
			return nil, listensocket.Elsewhere(fmt.Sprintf("%s[%d].address_prefix", field, n), err,
				"write an IP address here, and how many of its bits count as prefix_len")
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// add puts a chain into the tree wherever its rules may lead.
//
// Envoy: Server::FilterChainManagerImpl::addFilterChainForDestinationPorts, and
// addFilterChainForDestinationIPs
func (ports destinationPorts) add(m *match, chain *FilterChain) error {
	ips := ports[m.destinationPort]
	if ips == nil {
		ips = &prefixTable[serverNames]{}
		ports[m.destinationPort] = ips
	}
	for _, ip := range m.destinationIPs {
		names := ips.entry(ip, func() *serverNames { return &serverNames{} })
		if err := names.add(m, chain); err != nil {
			return err
		}
	}
	return nil
}

// Envoy: Server::FilterChainManagerImpl::addFilterChainForServerNames
func (names serverNames) add(m *match, chain *FilterChain) error {
	for _, name := range m.serverNames {
		if isWildcardServerName(name) {
			name = name[1:]
		}
		if names[name] == nil {
			names[name] = transportProtocols{}
		}
		if err := names[name].add(m, chain); err != nil {
			return err
		}
	}
	return nil
}

// Envoy: Server::FilterChainManagerImpl::addFilterChainForApplicationProtocols
func (t transportProtocols) add(m *match, chain *FilterChain) error {
	if t[m.transport] == nil {
		t[m.transport] = applicationProtocols{}
	}
	applications := t[m.transport]
	for _, name := range m.applications {
		if applications[name] == nil {
			applications[name] = &sourceTypes{}
		}
		if err := applications[name].add(m, chain); err != nil {
			return err
		}
	}
	return nil
}

// Envoy: Server::FilterChainManagerImpl::addFilterChainForSourceTypes, and
// addFilterChainForSourceIPs
func (types *sourceTypes) add(m *match, chain *FilterChain) error {
	for _, ip := range m.sourceIPs {
		ports := types[m.sourceType].entry(ip, func() *sourcePorts { return &sourcePorts{} })
		if err := ports.add(m, chain); err != nil {
			return err
		}
	}
	return nil
}

// Envoy: Server::FilterChainManagerImpl::addFilterChainForSourcePorts
func (ports sourcePorts) add(m *match, chain *FilterChain) error {
	for _, port := range m.sourcePorts {
		if ports[port] != nil {
			return errOverlap
		}
		ports[port] = chain
	}
	return nil
}
