package connection

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/internal/streaminfo"
)

const patience = 10 * time.Second

// lab is a thread with a loop, for connections over real sockets.
type lab struct {
	t      *testing.T
	thread *Thread
	ended  chan struct{}
}

func newLab(t *testing.T) *lab {
	t.Helper()
	d := eventloop.New(nil, "worker_0")
	d.RawWaits = true
	id := atomic.Uint64{}
	l := &lab{t: t, ended: make(chan struct{}), thread: &Thread{Dispatcher: d, Slabs: buffer.NewPool(16),
		Log: log.New(io.Discard, syscall.Gettid).Component(log.Connection), NextID: func() uint64 { return id.Add(1) }}}
	go func() {
		defer close(l.ended)
		runtime.LockOSThread()
		d.Run(nil, eventloop.RunUntilExit)
	}()
	t.Cleanup(func() {
		d.Exit(nil)
		<-l.ended
		d.Close(nil)
		if n := l.thread.Slabs.Lent(); n != 0 {
			t.Errorf("%d slabs are still lent", n)
		}
	})
	return l
}

// on runs f on the thread and waits for it.
func (l *lab) on(f func()) {
	l.t.Helper()
	done := make(chan struct{})
	l.thread.Dispatcher.Post(nil, step.None, func() { defer close(done); f() })
	l.wait(done, "the thread answers")
}

func (l *lab) wait(c <-chan struct{}, what string) {
	l.t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		buf := make([]byte, 1<<16)
		l.t.Fatalf("timed out: %s\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

// pair is a connected socket, and its other end as a client has it.
func (l *lab) pair() (fd int, peer *net.TCPConn) {
	l.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		l.t.Fatal(err)
	}
	accepted, err := listener.Accept()
	if err != nil {
		l.t.Fatal(err)
	}
	raw, _ := accepted.(*net.TCPConn).SyscallConn()
	raw.Control(func(n uintptr) {
		fd, err = syscall.Dup(int(n))
		syscall.SetNonblock(fd, true)
	})
	accepted.Close()
	l.t.Cleanup(func() { client.Close() })
	return fd, client.(*net.TCPConn)
}

// end is a connection of the lab with a filter that keeps what it reads, and what it was told.
type end struct {
	*Connection
	lab     *lab
	fd      int
	got     bytes.Buffer
	sawEnd  bool
	taking  bool // takes what is read; otherwise it stays in the read buffer
	echoing bool
	events  []ConnectionEvent
	paused  int
	resumed int
	closed  chan struct{}
	reads   int
	onRead  func()
}

// connect makes a connection of fd.
func (l *lab) connect(fd int) *end {
	l.t.Helper()
	e := &end{lab: l, fd: fd, taking: true, closed: make(chan struct{})}
	l.on(func() {
		local, _ := network.ParseInternetAddress("127.0.0.1", 1, false)
		e.Connection = NewConnection(l.thread, Socket{FD: fd, Local: local, Remote: local},
			CreateTransportSocket(nil), &streaminfo.StreamInfo{}, nil, l.thread.NextID(), true)
		e.Filters = e
		e.AddConnectionCallbacks(e)
	})
	l.t.Cleanup(func() {
		l.on(func() {
			if e.State() != Closed {
				e.Close(NoFlush)
			}
			if e.event != nil {
				e.endLingering()
			}
		})
	})
	return e
}

func (e *end) OnRead(c *Connection) {
	e.reads++
	end := c.TakeEndStream()
	e.sawEnd = e.sawEnd || end
	switch {
	case e.echoing:
		c.Write(c.ReadBuffer(), end)
	case e.taking:
		p := make([]byte, c.ReadBuffer().Len())
		c.ReadBuffer().CopyOut(p)
		c.ReadBuffer().Drain(len(p))
		e.got.Write(p)
	}
	if e.onRead != nil {
		e.onRead()
	}
}

func (e *end) OnWrite(*Connection, *buffer.Buffer, bool) bool { return true }

func (e *end) OnEvent(ev ConnectionEvent) {
	e.events = append(e.events, ev)
	if ev != Connected {
		close(e.closed)
	}
}

func (e *end) OnAboveWriteBufferHighWatermark() { e.paused++ }
func (e *end) OnBelowWriteBufferLowWatermark()  { e.resumed++ }

// send writes on the connection's thread.
func (e *end) send(p []byte, endStream bool) {
	e.lab.t.Helper()
	e.lab.on(func() {
		var b buffer.Buffer
		b.Init(e.lab.thread.Slabs)
		b.Add(p)
		e.Write(&b, endStream)
	})
}

// until waits until ok, asked on the thread, holds.
func (e *end) until(what string, ok func() bool) {
	e.lab.t.Helper()
	deadline := time.Now().Add(patience)
	for holds := false; !holds; {
		e.lab.on(func() { holds = ok() })
		if !holds && time.Now().After(deadline) {
			e.lab.t.Fatalf("timed out: %s", what)
		}
		if !holds {
			runtime.Gosched()
		}
	}
}

// pattern is n bytes that differ from place to place.
func pattern(n int, key uint64) []byte {
	p := make([]byte, n)
	x := key*2862933555777941757 + 3037000493
	for i := range p {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		p[i] = byte(x)
	}
	return p
}

// isOpen asks the kernel whether this process has the fd.
func isOpen(fd int) bool {
	var st syscall.Stat_t
	return syscall.Fstat(fd, &st) == nil
}
