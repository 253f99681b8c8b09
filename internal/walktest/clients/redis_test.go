package clients

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

// redis is a server on a unix socket and, on a port, the proxy before it.
type redis struct {
	*proxy
	server *walktest.Process
}

func startRedis(t *testing.T) *redis {
	t.Helper()
	need(t, "redis-tools", "redis-cli", "redis-benchmark")
	need(t, "redis-server", "redis-server")
	dir := folder(t)
	server := walktest.StartCommand(t, exec.Command("redis-server", "--port", "0", "--save", "", "--dir", dir,
		"--unixsocket", dir+"/redis.sock"))
	server.WaitFor("ready to accept connections at")
	return &redis{start(t, dir, nil), server}
}

// cli is what redis-cli says, without the last newline.
func (r *redis) cli(stdin string, args ...string) string {
	r.t.Helper()
	out := said(r.t, stdin, append([]string{"redis-cli", "-p", r.ports["redis"]}, args...)...)
	return strings.TrimSuffix(out, "\n")
}

func TestRedisCliSetsAndGets(t *testing.T) {
	r := startRedis(t)
	if got := r.cli("", "PING"); got != "PONG" {
		t.Errorf("PING: %s", got)
	}
	big := noise(4, 8<<20)
	if got := r.cli(big, "-x", "SET", "big"); got != "OK" {
		t.Errorf("SET: %.100s", got)
	}
	if got := r.cli("", "GET", "big"); got != big {
		t.Errorf("GET: %d bytes that are not the %d that were set", len(got), len(big))
	}
	var pipeline strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&pipeline, "SET key%d value%d\r\n", i, i)
	}
	if got := r.cli(pipeline.String(), "--pipe"); !strings.HasSuffix(got, "errors: 0, replies: 20000") {
		t.Errorf("--pipe: %s", got)
	}
	if got := r.cli("", "DBSIZE"); got != "20001" {
		t.Errorf("DBSIZE: %s", got)
	}
	r.ends()
}

func TestRedisBenchmarkPipelinesOnFiftyConnections(t *testing.T) {
	r := startRedis(t)
	out := said(t, "", "redis-benchmark", "-p", r.ports["redis"], "-c", "50", "-P", "16", "-n", "20000", "-r", "1000",
		"-d", "100", "-t", "set,get,lrange_100", "--csv")
	rows := regexp.MustCompile(`(?m)^"([^"]+)","[\d.]+"`).FindAllStringSubmatch(out, -1)
	if len(rows) != 4 { // SET, GET, LPUSH to have a list, LRANGE
		t.Errorf("redis-benchmark said:\n%s", out)
	}
	for _, row := range rows {
		t.Log(row[0], "requests per second")
	}
	r.ends()
}

func TestARedisSubscriberHearsUntilTheServerEnds(t *testing.T) {
	r := startRedis(t)
	subscriber := walktest.StartCommand(t, exec.Command("redis-cli", "-p", r.ports["redis"], "SUBSCRIBE", "news"))
	subscriber.WaitFor(`subscribe\nnews\n1\n`)
	if got := r.cli("", "PUBLISH", "news", "rain"); got != "1" {
		t.Errorf("PUBLISH reached %s subscribers", got)
	}
	subscriber.WaitFor(`message\nnews\nrain\n`)
	r.server.Stop(syscall.SIGTERM)
	subscriber.WaitFor("Server closed the connection")
	subscriber.Wait()
	r.ends()
}
