package filterchain

import (
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	startup "envoywalk/chapters/01-startup"
)

const tryNext = "Next: write an envoy.yaml with a tcp_proxy to a server of yours, run this with -c " +
	"envoy.yaml, and curl its listener; then stop the server and curl again."

// patience is how long the client waits for anything.
const patience = 5 * time.Second

// demo is a run without a configuration: an upstream of its own, which sends back what it gets, and
// a client that talks to it through the proxy.
type demo struct{ upstream net.Listener }

// prepare opens the upstream and puts its port into the configuration, for the proxy must know it
// before it starts.
func (d *demo) prepare(config string) string {
	var err error
	if d.upstream, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return config // port 7: the client then sees how a refused connect ends
	}
	port := d.upstream.Addr().(*net.TCPAddr).Port
	return strings.Replace(config, "port_value: 7", fmt.Sprintf("port_value: %d", port), 1)
}

// run is the client.
func (d *demo) run(server *startup.Demo) {
	if d.upstream != nil {
		defer d.upstream.Close()
		go echo(d.upstream)
	}
	for _, l := range server.Listeners() {
		answer, err := talk(l.Address.String(), "hello, upstream\n")
		if err != nil {
			server.Say("%s listens on %s, but nothing came back: %v", l.Name, l.Address, err)
			continue
		}
		server.Say("%s listens on %s: %q went through to the upstream and came back; then the client's end "+
			"of stream went the same way, and the upstream's came back.", l.Name, l.Address, answer)
	}
}

// echo is the upstream, until it is closed.
func echo(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			io.Copy(conn, conn)
		}()
	}
}

// talk says something, waits for as much to come back, says that it is done, and waits for the
// other side to be done, too.
func talk(address, line string) (string, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, line)
	answer := make([]byte, len(line))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return "", err
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return "", err
	}
	_, err = io.Copy(io.Discard, conn)
	return strings.TrimSpace(string(answer)), err
}
