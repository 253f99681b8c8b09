package upstream

import (
	"net/netip"
	"testing"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/internal/network"
)

// redirected is a downstream connection whose client wanted to go somewhere else.
type redirected struct {
	thread *thread
	to     *network.Address
}

func (r redirected) DownstreamConnection() *connection.Connection {
	return &connection.Connection{Thread: r.thread.Thread,
		Socket: connection.Socket{Local: r.to, LocalRestored: r.to != nil}}
}

func (redirected) HashKey() (uint64, bool) { return 0, false }

// choose is the host that a worker of the lab chooses for a client who wanted to go there.
func (l *lab) choose(worker int, to *network.Address) (h *Host) {
	w := l.workers[worker]
	w.do(func() { h = l.m.Get(w.Dispatcher, "o").ChooseHost(redirected{w, to}) })
	return h
}

func address(t *testing.T, text string) *network.Address {
	a := netip.MustParseAddrPort(text)
	parsed, err := network.ParseInternetAddress(a.Addr().String(), a.Port(), true)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestOriginalDstGoesWhereTheClientWantedTo(t *testing.T) {
	l := newLab(t, 2, nil, "  - {name: o, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED}\n").initialized()
	to := address(t, "10.1.2.3:443")
	h := l.choose(0, to)
	if h == nil || h.Address().String() != "10.1.2.3:443" || h.Hostname != "o10.1.2.3:443" {
		t.Fatalf("the host is %v", h)
	}
	l.expect("o.membership_total", "1")
	if again := l.choose(0, to); again != h {
		t.Error("the thread made the host twice")
	}
	l.eventually("the other thread has the same host", func() bool { return l.choose(1, to) == h })
	if l.choose(0, nil) != nil {
		t.Error("a host for a client that nobody redirected")
	}
	if pipe, _ := network.NewPipe("@x", 0); l.choose(0, pipe) != nil {
		t.Error("a host for a client of a unix socket")
	}
	l.main.do(func() {
		o := l.m.clusters[0].source.(*originalDstCluster)
		o.addHost(newHost(h.Cluster, "", to, 1)) // another thread was as quick
		if len(o.hosts) != 1 {
			t.Error("one destination has two hosts")
		}
	})
}

func TestAHostThatNobodyWantsIsCleanedUp(t *testing.T) {
	l := newLab(t, 1, nil, "  - {name: o, type: ORIGINAL_DST, lb_policy: CLUSTER_PROVIDED, cleanup_interval: 3600s}\n").
		initialized()
	kept, dropped := address(t, "10.0.0.1:1"), address(t, "10.0.0.2:2")
	l.choose(0, kept)
	l.choose(0, dropped)
	l.expect("o.membership_total", "2")
	o := l.m.clusters[0].source.(*originalDstCluster)
	l.main.do(o.cleanup)
	l.expect("o.membership_total", "2") // both were used since they were made
	l.choose(0, kept)
	l.main.do(o.cleanup)
	l.expect("o.membership_total", "1", "o.membership_change", "3")
	if h := l.m.clusters[0].hosts[0]; h.Address() != kept {
		t.Errorf("%s was kept", h.Address())
	}
}
