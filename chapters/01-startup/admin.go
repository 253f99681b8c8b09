package startup

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"time"

	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// Admin answers questions about the server. Its socket is bound, listened on and accepted like every other;
// from the accepted fd on, Go's net/http speaks HTTP, on goroutines outside the walk. What they ask of
// the server they ask by post.
//
// Envoy: Server::AdminImpl
type Admin struct {
	instance *Instance
	log      *log.Component
	http     http.Server
	accepted chan net.Conn
	closed   chan struct{}
	served   sync.WaitGroup

	mu   sync.Mutex  // the lane's
	lane *trace.Lane // shared by the goroutines that post
}

// Envoy: Server::AdminImpl::AdminImpl
func newAdmin(i *Instance) *Admin {
	a := &Admin{instance: i, log: i.Log.Component(log.Admin), accepted: make(chan net.Conn, 64),
		closed: make(chan struct{})}
	a.http = http.Server{Handler: a.handlers(), ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	return a
}

// start begins to serve what serve will be given.
func (a *Admin) start(address *network.Address) {
	a.lane = a.instance.Recorder.Thread("admin_http", 0, a.instance.Lane().Current())
	a.served.Go(func() { a.http.Serve(handedOver{a, address}) })
}

// serve takes over an accepted fd. Called on main, which never waits for it.
func (a *Admin) serve(fd int) {
	a.instance.Lane().HandOver(fd, "net/http")
	file := os.NewFile(uintptr(fd), "admin")
	conn, err := net.FileConn(file) // a second fd: the first is closed with the file
	file.Close()
	if err != nil {
		a.log.Warn("admin connection lost: %v", err)
		return
	}
	select {
	case a.accepted <- conn:
	default:
		conn.Close() // more at once than anybody asks by hand
	}
}

// handedOver is the listener that net/http sees.
type handedOver struct {
	*Admin
	address *network.Address
}

func (h handedOver) Accept() (net.Conn, error) {
	select {
	case c := <-h.accepted:
		return c, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

func (h handedOver) Close() error   { return nil }
func (h handedOver) Addr() net.Addr { return adminAddr{h.address.String()} }

type adminAddr struct{ text string }

func (adminAddr) Network() string  { return "tcp" }
func (a adminAddr) String() string { return a.text }

var errNoAnswer = errors.New("the main thread does not answer")

// onMain runs f on the main thread and waits for it. Envoy's handlers run there to begin with.
func (a *Admin) onMain(f func()) error {
	done := make(chan struct{})
	a.post(func() {
		f()
		close(done)
	})
	select {
	case <-done:
		return nil
	case <-a.closed:
		return errNoAnswer
	case <-time.After(5 * time.Second):
		return errNoAnswer
	}
}

func (a *Admin) post(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	a.lane.Adopt(kernel.Gettid())
	a.instance.Dispatcher.PostOutside(a.lane, step.None, f)
	a.lane.Flush()
}

// close ends the serving; connections that are in the middle of an answer get a second.
func (a *Admin) close() {
	if a == nil {
		return
	}
	close(a.closed)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	a.http.Shutdown(ctx)
	a.http.Close()
	a.served.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lane.End()
	a.lane = nil
}
