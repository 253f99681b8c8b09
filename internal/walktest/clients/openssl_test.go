package clients

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

// serveTLS starts openssl's server with a certificate of this name.
func serveTLS(t *testing.T, dir, name string, args ...string) (port string) {
	t.Helper()
	key, certificate := dir+"/"+name+".key", dir+"/"+name+".crt"
	said(t, "", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
		"-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN="+name, "-addext", "subjectAltName=DNS:"+name)
	args = append([]string{"s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate, "-www"}, args...)
	return walktest.StartCommand(t, exec.Command("openssl", args...)).WaitFor(`ACCEPT \S+:(\d+)`)[1]
}

var (
	subject  = regexp.MustCompile(`(?m)^subject=CN = (\S+)$`)
	protocol = regexp.MustCompile(`(?m)^ALPN protocol: (\S+)$`)
)

func group(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

func TestOpensslIsLedByTheNameItAsksFor(t *testing.T) {
	need(t, "openssl", "openssl")
	dir := folder(t)
	one := serveTLS(t, dir, "one.example")
	two := serveTLS(t, dir, "x.two.example", "-alpn", "h2,http/1.1")
	p := start(t, dir, upstreams{"8002": one, "8003": two})
	for _, c := range []struct{ args, server, protocol, cluster, name string }{
		{"-servername one.example", "one.example", "", "one", "one.example"},
		{"-servername ONE.Example", "one.example", "", "one", "one.example"},
		{"-servername x.two.example -alpn http/1.1", "x.two.example", "http/1.1", "two", "x.two.example"},
		{"-noservername -alpn h2", "x.two.example", "h2", "two", "-"},
		{"-servername three.example", "one.example", "", "three.example", "three.example"},
		{"-servername one.example -tls1_2", "one.example", "", "one", "one.example"},
		{"-servername two.example", "", "", "-", "two.example"},
		{"-noservername", "", "", "-", "-"},
	} {
		args := []string{"openssl", "s_client", "-connect", "127.0.0.1:" + p.ports["tls"]}
		got, flags := run(t, "", append(args, strings.Fields(c.args)...)...), "-"
		if server := group(subject, got.out); server != c.server {
			t.Errorf("%s: the server is %q\n%s%s", c.args, server, got.out, got.err)
		}
		if alpn := group(protocol, got.out); alpn != c.protocol {
			t.Errorf("%s: the protocol is %q", c.args, alpn)
		}
		if c.server == "" {
			flags = "NR"
		}
		p.logged(fmt.Sprintf(`%s from=127.0.0.1 sni=%s in=\d+ out=\d+ flags=%s`,
			regexp.QuoteMeta(c.cluster), regexp.QuoteMeta(c.name), flags))
	}
	p.ends()
}

func TestCurlVerifiesTheServerThroughTheProxy(t *testing.T) {
	need(t, "openssl", "openssl")
	need(t, "curl", "curl")
	dir := folder(t)
	p := start(t, dir, upstreams{"8002": serveTLS(t, dir, "one.example")})
	port := p.ports["tls"]
	got := said(t, "", "curl", "-sS", "--cacert", dir+"/one.example.crt",
		"--resolve", "one.example:"+port+":127.0.0.1", "https://one.example:"+port)
	if !strings.Contains(got, "s_server -accept 127.0.0.1:0") {
		t.Errorf("curl got %q", got)
	}
	if c := run(t, "hello\r\n", "curl", "-sS", "http://127.0.0.1:"+port); c.status == 0 {
		t.Errorf("a client without TLS got %q", c.out)
	}
	p.ends()
}
