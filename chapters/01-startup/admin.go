package startup

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// Admin answers questions about the server. Its socket is bound, listened on and accepted like
// every other; from the accepted fd on, Go's net/http speaks HTTP, on goroutines outside the
// walk. What they ask of the server they ask by post.
//
// Envoy: Server::AdminImpl
type Admin struct {
	instance *Instance
	log      *log.Component
	pages    []adminPage
	logs     []*accessLog
	http     http.Server
	accepted chan net.Conn
	open     atomic.Int64 // connections, from accept to close
	closed   chan struct{}
	served   sync.WaitGroup

	mu   sync.Mutex  // the lane's
	lane *trace.Lane // shared by the goroutines that post
}

// maxAdminConnections bounds what asking may cost: each open connection is an fd and a goroutine.
const maxAdminConnections = 256

// Envoy: Server::AdminImpl::AdminImpl
func newAdmin(i *Instance) *Admin {
	a := &Admin{instance: i, log: i.Log.Component(log.Admin), closed: make(chan struct{}),
		accepted: make(chan net.Conn, maxAdminConnections)}
	a.pages = a.allPages()
	a.http = http.Server{Handler: a, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				a.open.Add(-1)
			}
		}}
	return a
}

// start begins to serve what serve will be given.
func (a *Admin) start(address *network.Address) {
	a.lane = a.instance.Recorder.Thread("admin_http", 0, a.instance.Lane().Current())
	a.lane.StartupDone()
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
	if a.open.Add(1) > maxAdminConnections {
		a.open.Add(-1)
		conn.Close()
		a.log.Warn("more than %d admin connections: one was closed", maxAdminConnections)
		return
	}
	a.accepted <- conn // there is room for as many as may be open
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
	for len(a.accepted) > 0 {
		(<-a.accepted).Close()
	}
	for _, l := range a.logs {
		l.close()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lane.End()
	a.lane = nil
}
