package startup

import (
	"context"
	"errors"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"envoywalk/internal/accesslog"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/network"
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
	pages    []Page    // sorted by path; no more are added once the main loop runs
	loaded   time.Time // when the bootstrap was
	bound    *network.Address
	origins  http.CrossOriginProtection
	logs     []*accesslog.Log
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
		accepted: make(chan net.Conn, maxAdminConnections),
		loaded:   time.Now()}
	a.addPages()
	a.trackOwnParts()
	a.http = http.Server{Handler: a, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		ErrorLog: stdlog.New(complaints{a.log}, "", 0),
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				a.open.Add(-1)
			}
		}}
	return a
}

// complaints are what net/http has to say, in the server's own log: of its clients, or of a page that
// panicked.
type complaints struct{ log *log.Component }

func (c complaints) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	if strings.HasPrefix(text, "http: panic serving") {
		c.log.Error("%s", text)
	} else {
		c.log.Debug("%s", text)
	}
	return len(line), nil
}

// start begins to serve what serve will be given.
func (a *Admin) start(address *network.Address) {
	a.bound = address
	a.warnIfExposed()
	a.tellWhereToWatch()
	a.instance.Lane().OwnStories() // nobody else connects to main
	a.lane = a.instance.Recorder.Thread("admin_http", 0, a.instance.Lane().Current())
	a.lane.StartupDone()
	a.lane.Flush()
	if hub := a.instance.live; hub != nil {
		a.http.RegisterOnShutdown(hub.Close)
	}
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

// OnMain runs f on the main thread and waits for it: whatever a page tells of the server, or changes
// in it, it asks for or does in f. Envoy's handlers run there to begin with. Called by pages, off
// the main thread. With an error f may not have run.
func (a *Admin) OnMain(f func()) error {
	done := make(chan struct{})
	a.post(func() {
		f()
		close(done)
	})
	select {
	case <-done:
		return nil
	case <-a.closed:
	case <-time.After(5 * time.Second):
	}
	select {
	case <-done: // f may have been what closed the admin
		return nil
	default:
		return errNoAnswer
	}
}

func (a *Admin) post(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	a.lane.Adopt(kernel.Gettid())
	a.instance.Dispatcher.PostOutside(a.lane, "", f)
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
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lane.End()
	a.lane = nil
}
