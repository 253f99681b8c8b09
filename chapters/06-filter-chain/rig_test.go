package filterchain

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	eventloop "envoywalk/chapters/00-event-loop"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
	"envoywalk/internal/streaminfo"
)

// rig is a connection over a real socket, its loop, and a transcript of what its filters are told.
type rig struct {
	t          *testing.T
	dispatcher *eventloop.Dispatcher
	c          *connection.Connection
	peer       int // the other end
	told       []string
}

func newRig(t *testing.T) *rig {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	here, _ := network.NewPipe("@here", 0)
	r := &rig{t: t, dispatcher: eventloop.New(nil, "rig"), peer: fds[1]}
	thread := &connection.Thread{Dispatcher: r.dispatcher, Slabs: buffer.NewPool(8),
		Log: log.New(io.Discard, func() int { return 0 }).Component(log.Connection)}
	r.c = connection.NewConnection(thread, connection.Socket{FD: fds[0], Local: here, Remote: here},
		connection.CreateTransportSocket(nil), &streaminfo.StreamInfo{}, nil, 1, true)
	t.Cleanup(func() {
		r.c.Close(connection.NoFlush)
		r.turn()
		unix.Close(r.peer)
		r.dispatcher.Close(nil)
	})
	return r
}

// turn runs the loop until nothing is left to do at once.
func (r *rig) turn() {
	for range 3 {
		r.dispatcher.Run(nil, eventloop.NonBlock)
	}
}

// send is the peer's. An empty text is its end of stream.
func (r *rig) send(text string) {
	r.t.Helper()
	var err error
	if text == "" {
		err = unix.Shutdown(r.peer, unix.SHUT_WR)
	} else {
		_, err = unix.Write(r.peer, []byte(text))
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.turn()
}

// received is what has come to the peer; "EOF" stands for the end.
func (r *rig) received() string {
	r.turn()
	b := make([]byte, 4096)
	switch n, err := unix.Read(r.peer, b); {
	case err == unix.EAGAIN:
		return ""
	case err != nil:
		return err.Error()
	case n == 0:
		return "EOF"
	default:
		return string(b[:n])
	}
}

func (r *rig) tell(format string, args ...any) { r.told = append(r.told, fmt.Sprintf(format, args...)) }

// want compares what was told since the last want.
func (r *rig) want(lines ...string) {
	r.t.Helper()
	if got, want := strings.Join(r.told, "\n"), strings.Join(lines, "\n"); got != want {
		r.t.Errorf("the filters were told\n%s\nand not\n%s", got, want)
	}
	r.told = nil
}

// scribe is a filter that writes down what it is told, and then does as it was told.
type scribe struct {
	rig    *rig
	name   string
	onNew  func(*ReadFilterCallbacks) FilterStatus
	onData func(*ReadFilterCallbacks, *buffer.Buffer) FilterStatus
	read   *ReadFilterCallbacks
}

func (s *scribe) InitializeReadFilterCallbacks(r *ReadFilterCallbacks) {
	s.read = r
	s.rig.tell("%s added", s.name)
}

func (s *scribe) OnNewConnection() FilterStatus {
	s.rig.tell("%s new", s.name)
	if s.onNew == nil {
		return Continue
	}
	return s.onNew(s.read)
}

func (s *scribe) OnData(data *buffer.Buffer, endStream bool) FilterStatus {
	b := make([]byte, data.Len())
	data.CopyOut(b)
	end := ""
	if endStream {
		end = " end"
	}
	s.rig.tell("%s data %q%s", s.name, b, end)
	if s.onData == nil {
		return Continue
	}
	return s.onData(s.read, data)
}

func (r *rig) filter(name string) *scribe { return &scribe{rig: r, name: name} }

func stop(*ReadFilterCallbacks) FilterStatus                     { return StopIteration }
func stopData(*ReadFilterCallbacks, *buffer.Buffer) FilterStatus { return StopIteration }
func closeNow(r *ReadFilterCallbacks) FilterStatus {
	r.Connection().Close(connection.NoFlush)
	return Continue
}
func take(_ *ReadFilterCallbacks, data *buffer.Buffer) FilterStatus {
	data.Drain(data.Len())
	return Continue
}

// install adds filters, as a chain does, and lets them know of the connection.
func (r *rig) install(filters ...*scribe) bool {
	var factories []FilterFactoryCb
	for _, f := range filters {
		factories = append(factories, func(c *connection.Connection) { AddReadFilter(c, f) })
	}
	return buildFilterChain(r.c, factories)
}
