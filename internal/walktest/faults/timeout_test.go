package faults

import (
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"envoywalk/internal/walktest/load"
)

// late is how much later than configured a timer may fire on a machine that is busy with other tests. On an idle
// one it is a millisecond.
const late = 500 * time.Millisecond

func onTime(t *testing.T, what string, took, want time.Duration) {
	t.Helper()
	if took < want-2*time.Millisecond || took > want+late {
		t.Errorf("%s: %v passed, and not %v", what, took, want)
	}
}

// Row 6.
func TestAClientThatReadsNothingIsClosedAtTheIdleTimeoutAndItsBytesAreCounted(t *testing.T) {
	t.Parallel()
	const idle = 500 * time.Millisecond
	u := listen(t)
	p := start(t, nil, route{name: "r", hosts: []string{u.address()}, proxy: "idle_timeout: 0.5s"})
	client := p.dial("r")
	server := u.accept()
	greet(t, client, server)
	p.gathers()
	if err := write(server, load.NewStream(1, load.Down), 0, 1<<40); err == nil || os.IsTimeout(err) {
		t.Errorf("sending to a client that reads nothing ended with %v", err)
	}
	p.becomes("tcp.r.idle_timeout", 1)
	p.becomes("listener.127.0.0.1_0.downstream_cx_active", crowdSize)
	discarded := p.stats()["tcp.r.bytes_discarded"]
	spans := p.heals("timer idle_timeout", `writev EAGAIN C\d+`)
	reads := find(spans, `readv( EAGAIN)? C\d+>r`)
	// Half full the write buffer asks for more, so less is left in it only when the upstream had no more to give.
	if dry := strings.Contains(reads[len(reads)-1].line, "EAGAIN"); discarded == 0 || discarded < mib/2 && !dry {
		t.Errorf("%d bytes are counted as discarded, and the upstream had more to read", discarded)
	}
	t.Logf("%d bytes were discarded, and counted", discarded)
	client1, _ := strings.CutPrefix(find(spans, `writev EAGAIN C\d+`)[0].line, "writev EAGAIN ")
	fired, last := find(spans, "timer idle_timeout"), find(spans, "writev "+client1+`|readv C\d+>r`)
	last = slices.DeleteFunc(last, func(s span) bool { return s.begin.After(fired[0].begin) })
	took := fired[0].begin.Sub(last[len(last)-1].end)
	t.Logf("from the last byte to the timer: %v of %v", took, idle)
	onTime(t, "from the last byte to the timer", took, idle)
}

// Row 7. A trickle is as slow as silence, but for the idle timeout: only the maximum duration ends that.
func TestASilentClientIsEndedInWhateverStateItIs(t *testing.T) {
	t.Parallel()
	const timeout = 600 * time.Millisecond
	inspected := "listener_filters_timeout: 0.6s, listener_filters: [{name: envoy.filters.listener.tls_inspector}]"
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("x", 200)
	up := echo(t)
	p := start(t, nil,
		route{name: "inspected", hosts: []string{up}, listener: inspected},
		route{name: "idle", hosts: []string{up}, proxy: "idle_timeout: 0.6s"},
		route{name: "connecting", hosts: []string{blackHole(t)}, cluster: "connect_timeout: 0.6s"},
		route{name: "longest", hosts: []string{up}, proxy: "idle_timeout: 0.5s, max_downstream_connection_duration: 0.6s"},
		route{name: "both", hosts: []string{blackHole(t)}, proxy: "max_downstream_connection_duration: 0.6s"})
	var running sync.WaitGroup
	for _, c := range []struct{ state, route, trickle string }{
		{"silent before the listener filters are done", "inspected", ""},
		{"trickling before the listener filters are done", "inspected", hello},
		{"silent once connected", "idle", ""},
		{"silent while the upstream is a black hole", "connecting", ""},
		{"trickling once connected", "longest", strings.Repeat("y", 200)},
		{"silent for the longest time, with nobody connected", "both", ""},
	} {
		began := time.Now()
		client := p.dial(c.route)
		running.Go(func() {
			go trickle(client, c.trickle)
			ends(t, client)
			onTime(t, c.state, time.Since(began), timeout)
		})
	}
	p.gathers()
	running.Wait()
	s := p.stats()
	for name, want := range map[string]int{"listener.127.0.0.1_0.downstream_pre_cx_timeout": 2, "tcp.idle.idle_timeout": 1,
		"cluster.connecting.upstream_cx_connect_timeout": 1, "tcp.longest.max_downstream_connection_duration": 1,
		"tcp.longest.idle_timeout": 0, "tcp.both.max_downstream_connection_duration": 1} {
		if s[name] != want {
			t.Errorf("%s is %d, and %d was expected", name, s[name], want)
		}
	}
	p.heals("timer listener filters timeout", "timer idle_timeout", "timer connect timeout",
		"timer max_downstream_connection_duration")
}

func trickle(c *net.TCPConn, text string) {
	for i := range text {
		if _, err := io.WriteString(c, text[i:i+1]); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
