package clients

import (
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

const page = "hello from the upstream\n"

// noise is bytes that nothing compresses and nobody mixes up.
func noise(seed int64, n int) string {
	b := make([]byte, n)
	rand.New(rand.NewSource(seed)).Read(b)
	return string(b)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// serveWeb starts python3's HTTP server in a folder of dir with a page and a big file.
func serveWeb(t *testing.T, dir, big string) (server *walktest.Process, port string) {
	t.Helper()
	www := filepath.Join(dir, "www")
	if err := os.Mkdir(www, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, www+"/index.html", page)
	write(t, www+"/big", big)
	cmd := exec.Command("python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", www)
	server = walktest.StartCommand(t, cmd)
	return server, server.WaitFor(`Serving HTTP on 127.0.0.1 port (\d+)`)[1]
}

func TestCurlGetsWhatThePythonServerServes(t *testing.T) {
	need(t, "curl", "curl")
	need(t, "python3", "python3")
	dir, big := folder(t), noise(1, 4<<20)
	_, port := serveWeb(t, dir, big)
	p := start(t, dir, upstreams{"8001": port})
	url := "http://127.0.0.1:" + p.ports["web"]
	if got := said(t, "", "curl", "-sS", url); got != page {
		t.Errorf("curl got %q", got)
	}
	if got := said(t, "", "curl", "-sS", url+"/big"); got != big {
		t.Errorf("curl got %d bytes that are not the file's %d", len(got), len(big))
	}
	many := said(t, "", "curl", "-sSZ", "--parallel-max", "20", url+"/?[1-60]")
	if many != strings.Repeat(page, 60) {
		t.Errorf("60 requests, 20 at a time, got %d bytes", len(many))
	}
	p.logged(`web from=127.0.0.1 sni=- in=\d+ out=4194\d+ flags=-`)
	p.ends()
}

func TestCurlHearsOfAStoppedServer(t *testing.T) {
	need(t, "curl", "curl")
	need(t, "python3", "python3")
	dir := folder(t)
	server, port := serveWeb(t, dir, "")
	p := start(t, dir, upstreams{"8001": port})
	url := "http://127.0.0.1:" + p.ports["web"]
	said(t, "", "curl", "-sS", url)
	server.Stop(syscall.SIGINT)
	const nothing, reset = 52, 56 // curl's: an empty reply; a connection that was cut off
	if c := run(t, "", "curl", "-sS", url); c.status != nothing && c.status != reset {
		t.Errorf("curl ended with %d: %s%s", c.status, c.out, c.err)
	}
	p.logged(`web from=127.0.0.1 sni=- in=0 out=0 flags=UF,URX`)
	p.ends()
}

func TestCurlSpeaksTheProxyProtocol(t *testing.T) {
	need(t, "curl", "curl")
	need(t, "python3", "python3")
	needNc(t)
	dir := folder(t)
	_, port := serveWeb(t, dir, "")
	p := start(t, dir, upstreams{"8001": port})
	behind := p.ports["web_behind_a_proxy"]
	if got := said(t, "", "curl", "-sS", "--haproxy-protocol", "http://127.0.0.1:"+behind); got != page {
		t.Errorf("curl got %q", got)
	}
	if c := run(t, "", "curl", "-sS", "http://127.0.0.1:"+behind); c.status == 0 {
		t.Errorf("without the header curl got %q", c.out)
	}
	said(t, "PROXY TCP4 203.0.113.9 192.0.2.1 5000 80\r\nGET / HTTP/1.0\r\n\r\n", "nc", "-N", "127.0.0.1", behind)
	p.logged(`web from=127.0.0.1 sni=- in=\d+ out=\d\d+ flags=-`)
	p.logged(`web from=203.0.113.9 sni=- in=18 out=\d\d+ flags=-`)
	p.ends()
}
