package filterchain

import (
	"net/netip"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"envoywalk/internal/network"
)

// prefixTable finds what belongs to the longest prefix that an address is in. Main fills it; then
// it does not change, and any thread may look something up: that allocates nothing and costs one
// map lookup for each length of prefix in use.
//
// Envoy: Network::LcTrie::LcTrie, with exclusive set
type prefixTable[T any] struct {
	at      map[netip.Prefix]*T
	lengths [2][]int // in use, the longest first: of IPv4, of IPv6
	any     *T       // of those that name no prefix
}

// anyPrefix stands for no prefix at all. Every address is in it, but in a written 0.0.0.0/0 first.
func anyPrefix() netip.Prefix { return netip.Prefix{} }

// entry is what belongs to exactly this prefix, made with fresh if there is nothing yet.
func (t *prefixTable[T]) entry(p netip.Prefix, fresh func() *T) *T {
	if p == anyPrefix() {
		if t.any == nil {
			t.any = fresh()
		}
		return t.any
	}
	if t.at == nil {
		t.at = map[netip.Prefix]*T{}
	}
	if t.at[p] == nil {
		t.at[p] = fresh()
		t.use(&t.lengths[familyOf(p.Addr())], p.Bits())
	}
	return t.at[p]
}

func (t *prefixTable[T]) use(lengths *[]int, bits int) {
	if !slices.Contains(*lengths, bits) {
		*lengths = append(*lengths, bits)
		slices.SortFunc(*lengths, func(a, b int) int { return b - a })
	}
}

// find is nil if the address is in no prefix.
func (t *prefixTable[T]) find(a netip.Addr) *T {
	a = a.WithZone("")
	for _, bits := range t.lengths[familyOf(a)] {
		p, _ := a.Prefix(bits)
		if found := t.at[p]; found != nil {
			return found
		}
	}
	return t.any
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return 0
	}
	return 1
}

// ipOf is the IP that rules on prefixes are held against. A unix socket has none: it counts as
// 255.255.255.255.
//
// Envoy: fakeAddress
func ipOf(a *network.Address) netip.Addr {
	if a.IsPipe() {
		return netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	return a.AddrPort().Addr()
}

// cidrRange reads one prefix. Bits behind it do not count, nor does a length beyond the address's.
// It fails with Envoy's `malformed IP address: {}`.
//
// Envoy: Network::Address::CidrRange::create
func cidrRange(c *corev3.CidrRange) (netip.Prefix, error) {
	a, err := network.ParseInternetAddress(c.GetAddressPrefix(), 0, false)
	if err != nil {
		return netip.Prefix{}, err
	}
	ip := a.AddrPort().Addr().WithZone("")
	return ip.Prefix(min(int(c.GetPrefixLen().GetValue()), ip.BitLen()))
}

// empty: nothing was ever put in.
func (t *prefixTable[T]) empty() bool { return t.any == nil && len(t.at) == 0 }
