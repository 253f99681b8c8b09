package clients

import (
	"io"
	"os/exec"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

func TestNcMayCloseItsHalfBeforeTheAnswer(t *testing.T) {
	needNc(t)
	need(t, "python3", "python3")
	dir := folder(t)
	_, port := serveWeb(t, dir, "")
	p := start(t, dir, upstreams{"8001": port})
	got := said(t, "GET / HTTP/1.0\r\n\r\n", "nc", "-N", "127.0.0.1", p.ports["web"])
	if !strings.HasSuffix(got, "\r\n\r\n"+page) {
		t.Errorf("nc got %q", got)
	}
	p.ends()
}

// Two nc, each on a unix socket. The client says nothing before it has all from the server, whose end of stream is
// long through by then: the way there must still be open. (The other way round nc itself gives up: one that
// listens ends when its client's half does.)
func TestTwoNcTalkThroughUnixSockets(t *testing.T) {
	needNc(t)
	dir, there, back := folder(t), noise(2, 2<<20), noise(3, 2<<20)
	listen := exec.Command("nc", "-v", "-N", "-l", "-U", dir+"/nc_upstream.sock")
	listen.Stdin = strings.NewReader(back)
	server := walktest.StartCommand(t, listen)
	server.WaitFor("Listening on")
	p := start(t, dir, nil)
	connect := exec.Command("nc", "-N", "-U", dir+"/nc.sock")
	say, err := connect.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	client := walktest.StartCommand(t, connect)
	p.eventually("the client has not got all", func() bool { return client.Stdout.String() == back })
	io.WriteString(say, there)
	say.Close()
	if status := client.Wait(); status != 0 {
		t.Errorf("the client ended with %d: %s", status, client.Stderr)
	}
	if status := server.Wait(); status != 0 || server.Stdout.String() != there {
		t.Errorf("the server ended with %d and %d bytes", status, len(server.Stdout.String()))
	}
	p.logged(`nc from=\S*nc.sock sni=- in=2097152 out=2097152 flags=-`)
	p.ends()
}
