package filterchain

import (
	"net"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// rawDial is a client without any memory of Go's.
func rawDial(t *testing.T, to *net.TCPAddr) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte(to.IP.To4()), Port: to.Port}); err != nil {
		t.Fatal(err)
	}
	return fd
}

// heap is what lives, once nothing else does.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what had a finalizer, too
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestAnIdleProxiedConnectionCostsAtMostTwoKiB(t *testing.T) {
	const most, n = 2048, 1000
	u := listen(t) // nobody accepts: the kernel's queue holds them
	backlog, _ := u.SyscallConn()
	backlog.Control(func(fd uintptr) { unix.Listen(int(fd), 2*n) })
	p := scene{hosts: []string{u.address()}, cluster: "circuit_breakers: {thresholds: [{max_connections: 5000}]}",
		quiet: true}.start(t)
	to, _ := net.ResolveTCPAddr("tcp", p.address)
	var clients []int
	open := func(n int) {
		for range n {
			clients = append(clients, rawDial(t, to))
		}
		p.becomes(p.counter, "cluster.c.upstream_rq_total", len(clients))
	}
	defer func() {
		for _, fd := range clients {
			unix.Close(fd)
		}
	}()
	open(n) // what grows once has grown
	before := heap()
	open(n)
	if each := (heap() - before) / n; each > most {
		t.Errorf("a connection costs %d bytes of heap, both sides together", each)
	} else {
		t.Logf("%d bytes", each)
	}
}
