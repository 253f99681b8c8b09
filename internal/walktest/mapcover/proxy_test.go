package mapcover

import (
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// proxying asks for all that chapters 05 and 06 act on: %d is the port of an upstream.
const proxying = `
static_resources:
  listeners:
  - name: balanced
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    connection_balance_config: {exact_balance: {}}
    filter_chains:
    - transport_socket_connect_timeout: 5s
      filters: [{name: envoy.filters.network.echo}]
  - name: proxied
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config: {"@type": &tcp type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy,
          stat_prefix: up, cluster: up, idle_timeout: 0.2s}
  - name: refused
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config: {"@type": *tcp, stat_prefix: down, cluster: down}
  - name: unmatched
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filter_chain_match: {destination_port: 1}
      filters: [{name: envoy.filters.network.echo}]
  - name: impatient
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    listener_filters: [{name: envoy.filters.listener.tls_inspector}]
    listener_filters_timeout: 0.05s
    filter_chains: [{filters: [{name: envoy.filters.network.echo}]}]
  - name: restoring
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    use_original_dst: true
    listener_filters: [{name: envoy.filters.listener.proxy_protocol}]
    filter_chains: [{}]
  - name: hidden
    bind_to_port: false
    address: {socket_address: {address: 127.0.0.9, port_value: 9}}
    filter_chains: [{filters: [{name: envoy.filters.network.echo}]}]
  clusters:
  - name: up
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: up
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
  - name: down
    type: STATIC
    connect_timeout: 5s
    load_assignment:
      cluster_name: down
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]
`

// proxy runs a server that serves: each client takes another way through it.
func proxy(t *testing.T, sink string) {
	p := walktest.Start(t, youngest, "--trace", sink, "-c", walktest.Config(t, proxying, upstream(t)),
		"--concurrency", "3", "-l", "debug")
	p.WaitFor("all workers have all listeners")
	to := func(name string) net.Conn {
		address := p.WaitFor(`Set listener ` + name + ` socket factory local address to (\S+)`)[1]
		c, err := net.DialTimeout("tcp", address, walktest.Patience)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(walktest.Patience))
		return c
	}
	var held []net.Conn // at once, so that the balancer has something to balance
	for range 32 {
		held = append(held, to("balanced"))
	}
	for _, c := range append(held, to("proxied")) {
		answers(t, c, "")
	}
	answers(t, to("restoring"), "PROXY TCP4 192.0.2.1 127.0.0.9 1000 9\r\n")
	for _, silent := range []string{"proxied", "refused", "unmatched", "impatient"} {
		c := to(silent)
		io.Copy(io.Discard, c) // until the idle timeout, the refusal, the want of a chain, the filters' timeout
		c.Close()
	}
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Fatalf("exit status %d: %s", status, p.Stderr)
	}
}

// answers says something after a header, and reads it back.
func answers(t *testing.T, c net.Conn, header string) {
	t.Helper()
	defer c.Close()
	io.WriteString(c, header+"hello")
	back := make([]byte, len("hello"))
	if n, err := io.ReadFull(c, back); string(back) != "hello" {
		t.Fatalf("%q came back, %v", back[:n], err)
	}
}

// upstream sends back what it is sent, and returns its port.
func upstream(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}
