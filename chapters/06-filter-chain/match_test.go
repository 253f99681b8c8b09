package filterchain

import (
	"fmt"
	"strings"
	"testing"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/encoding/protojson"

	threading "envoywalk/chapters/04-threading"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/network"
)

// managed builds a listener's chains of their matches, each named by its match; "default" is the
// default chain's.
func managed(t *testing.T, origin *FilterChainManager, matches ...string) (*FilterChainManager, error) {
	t.Helper()
	l := &listenerv3.Listener{}
	for _, text := range matches {
		c := &listenerv3.FilterChain{Name: text}
		if text == "default" {
			l.DefaultFilterChain = c
			continue
		}
		c.FilterChainMatch = &listenerv3.FilterChainMatch{}
		if err := protojson.Unmarshal([]byte("{"+text+"}"), c.FilterChainMatch); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		l.FilterChains = append(l.FilterChains, c)
	}
	m := newFilterChainManager(address(t, "0.0.0.0:80"), origin)
	return m, m.addFilterChains(nil, l, func(c *listenerv3.FilterChain, _ string) (*FilterChain, error) {
		return newFilterChain(nil, c.GetName(), nil, 0), nil
	})
}

// address reads ip:port, or a path.
func address(t testing.TB, text string) *network.Address {
	t.Helper()
	var a *network.Address
	var err error
	if colon := strings.LastIndexByte(text, ':'); colon < 0 {
		a, err = network.NewPipe(text, 0)
	} else {
		var port uint16
		fmt.Sscan(text[colon+1:], &port)
		a, err = network.ParseInternetAddress(strings.Trim(text[:colon], "[]"), port, false)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// client is a socket from one address to another; the further words are sni=, alpn=, transport=.
func client(t testing.TB, from, to string, more ...string) *connection.ActiveTcpSocket {
	t.Helper()
	s := &connection.ActiveTcpSocket{TransportProtocol: "raw_buffer",
		Accepted: &threading.AcceptedSocket{FD: -1, Local: address(t, to), Remote: address(t, from)}}
	for _, word := range more {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "sni":
			s.ServerName = value
		case "alpn":
			s.ApplicationProtocols = strings.Split(value, ",")
		case "transport":
			s.TransportProtocol = value
		}
	}
	return s
}

func chosen(m *FilterChainManager, s *connection.ActiveTcpSocket) string {
	if chain := m.choose(s); chain != nil {
		return chain.Name()
	}
	return "none"
}

const (
	port443  = `"destinationPort": 443`
	port80   = `"destinationPort": 80`
	ten      = `"prefixRanges": [{"addressPrefix": "10.0.0.0", "prefixLen": 8}]`
	tenOne   = `"prefixRanges": [{"addressPrefix": "10.1.255.255", "prefixLen": 16}]`
	tenOne2  = `"prefixRanges": [{"addressPrefix": "10.1.2.3", "prefixLen": 32}]`
	allOf4   = `"prefixRanges": [{"addressPrefix": "0.0.0.0"}]`
	six      = `"prefixRanges": [{"addressPrefix": "fd00::", "prefixLen": 8}]`
	www      = `"serverNames": ["www.example.com"]`
	anyOfEx  = `"serverNames": ["*.example.com"]`
	anyOfCom = `"serverNames": ["*.com"]`
	overTLS  = `"transportProtocol": "tls"`
	h2       = `"applicationProtocols": ["h2"]`
	http11   = `"applicationProtocols": ["http/1.1"]`
	local    = `"sourceType": "SAME_IP_OR_LOOPBACK"`
	external = `"sourceType": "EXTERNAL"`
	from192  = `"sourcePrefixRanges": [{"addressPrefix": "192.168.0.0", "prefixLen": 16}]`
	from1921 = `"sourcePrefixRanges": [{"addressPrefix": "192.168.1.0", "prefixLen": 24}]`
	fromPort = `"sourcePorts": [1234, 1235]`
)

func TestTheMostSpecificChainIsChosenInEachDimension(t *testing.T) {
	const stranger, here = "203.0.113.9:5000", "10.1.2.3:443"
	for _, c := range []struct {
		what   string
		chains []string
		from   string
		to     string
		more   []string
		chosen string
	}{
		{"the exact port before any port", []string{"", port443}, stranger, here, nil, port443},
		{"any port if none is exact", []string{"", port443}, stranger, "10.1.2.3:80", nil, ""},
		{"the longest prefix", []string{ten, tenOne2, tenOne, ""}, stranger, here, nil, tenOne2},
		{"bits behind the prefix do not count", []string{ten, tenOne}, stranger, "10.1.9.9:443", nil, tenOne},
		{"a shorter prefix outside the longer", []string{ten, tenOne}, stranger, "10.2.0.1:443", nil, ten},
		{"no prefix if none fits", []string{ten, ""}, stranger, "11.0.0.1:443", nil, ""},
		{"a written 0.0.0.0/0 before no prefix", []string{"", allOf4}, stranger, here, nil, allOf4},
		{"IPv6 has prefixes of its own", []string{six, allOf4}, "[fd01::1]:5000", "[fd00::1]:443", nil, six},
		{"0.0.0.0/0 takes no IPv6", []string{allOf4}, "[fd01::1]:5000", "[fd00::1]:443", nil, "none"},
		{"the exact name", []string{anyOfCom, anyOfEx, www, ""}, stranger, here, []string{"sni=www.example.com"}, www},
		{"the longer wildcard", []string{anyOfCom, anyOfEx, ""}, stranger, here,
			[]string{"sni=a.b.example.com"}, anyOfEx},
		{"the shorter wildcard", []string{anyOfCom, anyOfEx}, stranger, here, []string{"sni=example.com"}, anyOfCom},
		{"a wildcard is not the bare name", []string{anyOfEx, ""}, stranger, here, []string{"sni=example.com"}, ""},
		{"a name that nobody has", []string{www, ""}, stranger, here, []string{"sni=example.org"}, ""},
		{"a client that names nobody", []string{www, anyOfCom, ""}, stranger, here, nil, ""},
		{"the exact transport", []string{overTLS, ""}, stranger, here, []string{"transport=tls"}, overTLS},
		{"any transport", []string{overTLS, ""}, stranger, here, nil, ""},
		{"the client's first protocol that has an entry", []string{http11, h2}, stranger, here,
			[]string{"alpn=h3,h2,http/1.1"}, h2},
		{"a client of no known protocol", []string{http11, ""}, stranger, here, []string{"alpn=h3"}, ""},
		{"loopback is local", []string{local, external, ""}, "127.0.0.1:5000", here, nil, local},
		{"IPv6 loopback is local", []string{local, external}, "[::1]:5000", here, nil, local},
		{"one's own address is local", []string{local, external}, "10.1.2.3:5000", here, nil, local},
		{"the rest of 127/8 is not", []string{local, external}, "127.0.0.2:5000", here, nil, external},
		{"a stranger is external", []string{local, external, ""}, stranger, here, nil, external},
		{"any source if there is none of its type", []string{local, ""}, stranger, here, nil, ""},
		{"the longest source prefix", []string{from192, from1921}, "192.168.1.7:5000", here, nil, from1921},
		{"the shorter source prefix", []string{from192, from1921}, "192.168.2.7:5000", here, nil, from192},
		{"the exact source port", []string{fromPort, ""}, "192.168.2.7:1235", here, nil, fromPort},
		{"any source port", []string{fromPort, ""}, "192.168.2.7:1236", here, nil, ""},
		{"the default for whom nobody wants", []string{port80, "default"}, stranger, here, nil, "default"},
		{"the default only then", []string{"", "default"}, stranger, here, nil, ""},
		{"none without a default", []string{port80}, stranger, here, nil, "none"},
		{"a unix socket has no port", []string{port443, ""}, "/run/a", "/run/b", nil, ""},
		{"a unix socket is 255.255.255.255", []string{allOf4, ten}, "/run/a", "/run/b", nil, allOf4},
		{"a unix socket's peer is local", []string{local, external}, "/run/a", "/run/b", nil, local},
	} {
		m, err := managed(t, nil, c.chains...)
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := chosen(m, client(t, c.from, c.to, c.more...)); got != c.chosen {
			t.Errorf("%s: it chose %q, not %q", c.what, got, c.chosen)
		}
	}
}

func TestEarlierDimensionsWeighMore(t *testing.T) {
	order := []struct{ rule, word string }{{port443, ""}, {tenOne, ""}, {www, "sni=www.example.com"},
		{overTLS, "transport=tls"}, {h2, "alpn=h2"}, {local, ""}, {from192, ""}, {fromPort, ""}}
	for n, first := range order[:len(order)-1] {
		for _, second := range order[n+1:] {
			m, err := managed(t, nil, second.rule, first.rule)
			if err != nil {
				t.Fatal(err)
			}
			s := client(t, "192.168.1.1:1234", "10.1.2.3:443", "sni=www.example.com", "transport=tls", "alpn=h2")
			if second.rule == local || first.rule == local {
				s.Accepted.Local = s.Accepted.Remote.WithPort(443) // one's own address
				if first.rule == tenOne || second.rule == tenOne {
					continue // 192.168.1.1 is not in 10.1/16
				}
			}
			if got := chosen(m, s); got != first.rule {
				t.Errorf("of %s and %s it chose %s", first.rule, second.rule, got)
			}
		}
	}
}

// What fits at one level is never taken back because of what does not fit below it.
func TestAMoreSpecificBranchIsNeverBacktracked(t *testing.T) {
	const stranger, here = "203.0.113.9:5000", "10.1.2.3:443"
	for _, c := range []struct {
		specific string // fits up to its second rule, which does not
		more     []string
	}{
		{port443 + "," + www, nil},
		{tenOne + "," + overTLS, nil},
		{www + "," + overTLS, []string{"sni=www.example.com"}},
		{anyOfEx + "," + h2, []string{"sni=a.example.com"}},
		{overTLS + "," + h2, []string{"transport=tls"}},
		{h2 + "," + local, []string{"alpn=h2"}},
		{external + "," + from192, nil},
		{`"sourcePrefixRanges": [{"addressPrefix": "203.0.113.0", "prefixLen": 24}],` + fromPort, nil},
	} {
		m, err := managed(t, nil, c.specific, "", "default")
		if err != nil {
			t.Fatal(err)
		}
		if got := chosen(m, client(t, stranger, here, c.more...)); got != "default" {
			t.Errorf("%s does not fit, but it chose %q and not the default chain", c.specific, got)
		}
	}
}

func TestTheOrderOfTheChainsDoesNotMatter(t *testing.T) {
	chains := []string{"", port443, port443 + "," + ten, port443 + "," + tenOne + "," + www}
	s := client(t, "203.0.113.9:5000", "10.1.2.3:443", "sni=www.example.com")
	for range len(chains) {
		chains = append(chains[1:], chains[0])
		m, err := managed(t, nil, chains...)
		if err != nil {
			t.Fatal(err)
		}
		if got := chosen(m, s); got != port443+","+tenOne+","+www {
			t.Errorf("%q: it chose %q", chains, got)
		}
	}
}

func TestChainsThatCannotBeToldApartAreRefusedInEnvoysWords(t *testing.T) {
	for _, c := range []struct {
		chains []string
		want   string
	}{
		{[]string{"", ""},
			"error adding listener '0.0.0.0:80': filter chain '' has the same matching rules defined as ''"},
		{[]string{www, port80, www}, "error adding listener '0.0.0.0:80': filter chain '" + www +
			"' has the same matching rules defined as '" + www + "'"},
		{[]string{www, `"serverNames": ["a.com", "www.example.com"]`},
			"error adding listener '0.0.0.0:80': multiple filter chains with overlapping matching rules are defined"},
		{[]string{tenOne, `"prefixRanges": [{"addressPrefix": "10.1.0.0", "prefixLen": 16}]`},
			"error adding listener '0.0.0.0:80': multiple filter chains with overlapping matching rules are defined"},
		{[]string{fromPort, `"sourcePorts": [1235]`},
			"error adding listener '0.0.0.0:80': multiple filter chains with overlapping matching rules are defined"},
		{[]string{`"serverNames": ["www.*.com"]`},
			`error adding listener '0.0.0.0:80': partial wildcards are not supported in "server_names"`},
		{[]string{`"serverNames": ["*w.example.com"]`},
			`error adding listener '0.0.0.0:80': partial wildcards are not supported in "server_names"`},
		{[]string{`"prefixRanges": [{"addressPrefix": "ten", "prefixLen": 8}]`}, "malformed IP address: ten"},
		{[]string{`"sourcePrefixRanges": [{"addressPrefix": "10.0.0", "prefixLen": 8}]`},
			"malformed IP address: 10.0.0"},
	} {
		if _, err := managed(t, nil, c.chains...); err == nil || err.Error() != c.want {
			t.Errorf("%q: got\n  %v, want\n  %s", c.chains, err, c.want)
		}
	}
}

func TestAnUnchangedChainMovesToTheNextListener(t *testing.T) {
	before, _ := managed(t, nil, port80, port443, "default")
	after, err := managed(t, before, port443, www, "default")
	if err != nil {
		t.Fatal(err)
	}
	at443 := client(t, "203.0.113.9:5000", "10.1.2.3:443")
	if before.choose(at443) != after.choose(at443) {
		t.Error("the chain that did not change was built again")
	}
	if before.defaultChain != after.defaultChain {
		t.Error("the default chain, which did not change, was built again")
	}
	if after.origin != nil {
		t.Error("it keeps the whole past alive")
	}
}

func TestAChoiceAllocatesNothing(t *testing.T) {
	m, err := managed(t, nil, "", port443, port443+","+tenOne, port443+","+tenOne+","+anyOfCom+","+overTLS+","+h2+
		","+external+","+`"sourcePrefixRanges": [{"addressPrefix": "203.0.113.0", "prefixLen": 24}],`+fromPort)
	if err != nil {
		t.Fatal(err)
	}
	s := client(t, "203.0.113.9:1234", "10.1.2.3:443", "sni=a.b.c.example.com", "transport=tls", "alpn=h3,h2")
	if got := chosen(m, s); !strings.HasSuffix(got, fromPort) {
		t.Fatalf("it chose %q", got)
	}
	if n := testing.AllocsPerRun(100, func() { m.choose(s) }); n > 0 {
		t.Errorf("a choice allocates %v times", n)
	}
}
