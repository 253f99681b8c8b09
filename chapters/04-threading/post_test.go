package threading

import (
	"testing"

	"golang.org/x/sys/unix"

	eventloop "envoywalk/chapters/00-event-loop"
	listensocket "envoywalk/chapters/02-listen-socket"
)

// A socket on its way to another worker may find the listener gone there: it is closed, and counts
// nowhere.
func TestASocketThatArrivesTooLateIsClosed(t *testing.T) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[1])
	both, l := &shared{balancer: balancer{exact: true}}, &listensocket.Listener{Name: "a", Tag: 7}
	here := &ActiveTcpListener{handler: loop(t, "worker_0"), config: l, shared: both}
	there := &ActiveTcpListener{handler: loop(t, "worker_1"), config: l, shared: both}
	both.balancer.register(here)
	both.balancer.register(there)
	here.count(1) // so that the balancer prefers the other
	late := &AcceptedSocket{FD: pair[0], Connection: 1, process: &process{}}
	late.process.accepted.Add(1)

	here.onAcceptWorker(late, false)
	if there.open.Load() != 1 || both.open.Load() != 2 {
		t.Errorf("on its way it counts %d there and %d in all, want 1 and 2", there.open.Load(),
			both.open.Load())
	}
	there.handler.dispatcher.Run(nil, eventloop.NonBlock)
	if n, err := unix.Read(pair[1], make([]byte, 1)); n != 0 || err != nil {
		t.Errorf("the client reads %d, %v, want the end of file", n, err)
	}
	left := []int64{there.open.Load(), there.handler.NumConnections(), late.process.accepted.Load(),
		both.open.Load()}
	for n, want := range []int64{0, 0, 0, 1} {
		if left[n] != want {
			t.Errorf("afterwards the counts are %v, want only the one here", left)
		}
	}
}

// loop is a connection handler whose dispatcher nobody runs yet.
func loop(t *testing.T, name string) *ConnectionHandler {
	d := eventloop.New(nil, name)
	t.Cleanup(func() { d.Close(nil) })
	return newConnectionHandler(nil, nil, d)
}
