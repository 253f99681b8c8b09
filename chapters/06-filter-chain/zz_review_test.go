package filterchain

import (
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"
	"io"

	"golang.org/x/sys/unix"
)

func cpu() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestZZSpin(t *testing.T) {
	u := listen(t)
	p := scene{hosts: []string{u.address()}, quiet: true, listener: limited, cluster: limited}.start(t)
	measure := func(name string) {
		time.Sleep(50 * time.Millisecond)
		b := cpu()
		time.Sleep(400 * time.Millisecond)
		t.Logf("%s: %v cpu in 400ms", name, cpu()-b)
	}
	measure("idle")
	{ // paused downstream, then reset
		c := p.dial()
		s := u.accept()
		c.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		c.Write(make([]byte, 64*mib))
		reset(c)
		measure("client reset while paused")
		io.Copy(io.Discard, s)
		s.Close()
	}
	{
		c := p.dial()
		s := u.accept()
		s.CloseWrite()
		time.Sleep(10 * time.Millisecond)
		reset(s)
		measure("upstream fin, then reset")
		c.Close()
	}
	{
		c := p.dial()
		s := u.accept()
		c.CloseWrite()
		time.Sleep(10 * time.Millisecond)
		reset(c)
		measure("client fin, then reset")
		s.Close()
	}
	{
		c := p.dial()
		s := u.accept()
		s.Close()
		measure("client lingers")
		c.Close()
	}
}

func TestZZAllocs(t *testing.T) {
	u := listen(t)
	p := scene{hosts: []string{u.address()}, quiet: true}.start(t)
	to, _ := net.ResolveTCPAddr("tcp", p.address)
	fd := rawDial(t, to)
	s := u.accept()
	raw, _ := s.SyscallConn()
	var sfd int
	raw.Control(func(n uintptr) { sfd, _ = unix.Dup(int(n)) })
	unix.SetNonblock(sfd, false)
	b := make([]byte, 1000)
	ping := func(n int) {
		for range n {
			unix.Write(fd, b)
			for got := 0; got < len(b); {
				n, _ := unix.Read(sfd, b)
				got += n
			}
			unix.Write(sfd, b)
			for got := 0; got < len(b); {
				n, _ := unix.Read(fd, b)
				got += n
			}
		}
	}
	ping(1000)
	var m, m2 runtime.MemStats
	runtime.ReadMemStats(&m)
	ping(5000)
	runtime.ReadMemStats(&m2)
	t.Logf("%d mallocs in 5000 pingpongs", m2.Mallocs-m.Mallocs)
	unix.Close(fd)
	unix.Close(sfd)
}

func TestZZLeak(t *testing.T) {
	u := listen(t)
	p := scene{hosts: []string{u.address()}, quiet: true}.start(t)
	to, _ := net.ResolveTCPAddr("tcp", p.address)
	go func() {
		for {
			c, err := u.AcceptTCP()
			if err != nil {
				return
			}
			c.SetLinger(0)
			c.Close()
		}
	}()
	n := 0
	round := func(k int) {
		for range k {
			fd := rawDial(t, to)
			unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
			unix.Close(fd)
		}
		n += k
		p.becomes(p.counter, "listener.127.0.0.1_0.downstream_cx_destroy", n)
	}
	for range 5 {
		round(4000)
		t.Logf("heap %d fds %d", heap(), openFDs(t))
	}
}
