package faults

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
)

// BenchmarkWithATraceThatNobodyReads is row 47's figure: words there and back through the proxy, without a trace
// and with one to a FIFO that nobody reads. The collector then stands still; the loop goes on recording. Compare
// the two lines, or take `-count 10` and benchstat.
func BenchmarkWithATraceThatNobodyReads(b *testing.B) {
	for _, kind := range []string{"none", "blocked"} {
		b.Run(kind, func(b *testing.B) {
			dir, sink := b.TempDir(), "none"
			if kind == "blocked" {
				fifo := filepath.Join(dir, "fifo")
				unix.Mkfifo(fifo, 0o600)
				reader, err := os.OpenFile(fifo, os.O_RDWR, 0)
				if err != nil {
					b.Fatal(err)
				}
				defer reader.Close()
				sink = "json=" + fifo
			}
			c := throughProxy(b, sink)
			word := make([]byte, 64)
			exchange := func() {
				c.Write(word)
				if _, err := io.ReadFull(c, word); err != nil {
					b.Fatal(err)
				}
			}
			for range 20_000 { // the FIFO and the ring are full
				exchange()
			}
			for b.Loop() {
				exchange()
			}
		})
	}
}

// throughProxy is a connection to an echo, through a proxy with that trace.
func throughProxy(b *testing.B, sink string) net.Conn {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		if c, err := l.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	socket := filepath.Join(b.TempDir(), "s")
	config := walktest.Config(b, `static_resources:
  listeners: [{name: l, address: {pipe: {path: %s}}, filter_chains: [{filters: [{name: t, typed_config:
    {%sfilters.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: c}}]}]}]
  clusters: [{name: c, type: STATIC, connect_timeout: 1s, load_assignment: {cluster_name: c, endpoints: [{lb_endpoints:
    [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}}]
`, socket, extension, l.Addr().(*net.TCPAddr).Port)
	p := walktest.Start(b, "06", "-c", config, "--concurrency", "1", "--trace", sink, "-l", "info")
	p.WaitFor("all workers have all listeners")
	c, err := net.DialTimeout("unix", socket, walktest.Patience)
	if err != nil {
		b.Fatal(fmt.Errorf("%w\n%s", err, p.Stderr))
	}
	b.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * walktest.Patience))
	return c
}
