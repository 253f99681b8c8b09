package upstream

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/config"
	"envoywalk/internal/kernel"
	"envoywalk/internal/log"
	"envoywalk/internal/stats"
	"envoywalk/internal/step"
	"envoywalk/internal/walktest"
)

// lab is a cluster manager at work: a main thread and some workers, each with its loop.
type lab struct {
	t       *testing.T
	i       *startup.Instance
	m       *ClusterManager
	main    *thread
	workers []*thread
	log     *lines
	last    atomic.Uint64
}

// thread is a running loop, with what its connections share.
type thread struct {
	*connection.Thread
	t     *testing.T
	ended chan struct{}
}

// lines is a log that a test can read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

var prefix = regexp.MustCompile(`(?m)^(\[[^\]]*\])+ \[[^\]]*\] `)

// containing are the messages that contain one of the words.
func (l *lines) containing(words ...string) (kept []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range strings.Split(prefix.ReplaceAllString(l.text.String(), ""), "\n") {
		for _, w := range words {
			if strings.Contains(line, w) {
				kept = append(kept, line)
				break
			}
		}
	}
	return kept
}

// newLab starts everything; clusters is the YAML of a list. It ends with the test.
func newLab(t *testing.T, workers int, resolver *net.Resolver, clusters string) *lab {
	t.Helper()
	l := prepare(t, workers, clusters)
	m, err := NewClusterManager(l.i, resolver)
	if err != nil {
		t.Fatal(err)
	}
	l.m = m
	t.Cleanup(l.stop)
	l.main.start()
	for _, w := range l.workers {
		w.start()
	}
	return l
}

// prepare makes the threads, none of which runs yet.
func prepare(t *testing.T, workers int, clusters string) *lab {
	t.Helper()
	loaded, err := config.Load(config.Options{Chapter: 6,
		YAML: "static_resources:\n  clusters:\n" + clusters})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, log: &lines{}}
	logger := log.New(l.log, os.Getpid)
	logger.SetLevel(log.Trace)
	l.i = &startup.Instance{Config: loaded, Stats: stats.NewStore(), Log: logger}
	l.main = l.newThread("main")
	l.i.Dispatcher = l.main.Dispatcher
	l.i.ThreadLocal = startup.NewThreadLocal(l.i.Dispatcher)
	for n := range workers {
		w := l.newThread(fmt.Sprintf("worker_%d", n))
		l.i.ThreadLocal.RegisterThread(nil, w.Dispatcher)
		l.workers = append(l.workers, w)
	}
	return l
}

func (l *lab) newThread(name string) *thread {
	return &thread{t: l.t, Thread: &connection.Thread{Dispatcher: eventloop.New(nil, name),
		Slabs: buffer.NewPool(4), Log: l.i.Log.Component(log.Connection),
		NextID: func() uint64 { return l.last.Add(1) }}}
}

func (th *thread) start() {
	th.ended = make(chan struct{})
	go func() {
		defer close(th.ended)
		th.Dispatcher.Run(eventloop.LockThread(nil, th.Dispatcher.Name, 0), eventloop.RunUntilExit)
	}()
}

// do runs f on the thread and waits for it.
func (th *thread) do(f func()) {
	th.t.Helper()
	done := make(chan struct{})
	th.Dispatcher.Post(nil, step.None, func() { f(); close(done) })
	select {
	case <-done:
	case <-time.After(walktest.Patience):
		th.t.Fatal("the loop does not answer")
	}
}

// stop takes everything down in a server's order.
func (l *lab) stop() {
	for _, w := range l.workers {
		w.do(func() { l.i.ThreadLocal.ShutdownThread(w.Dispatcher) })
		w.Dispatcher.Exit(nil)
		<-w.ended
		w.Dispatcher.Close(nil)
	}
	l.main.do(l.m.Shutdown)
	l.main.Dispatcher.Exit(nil)
	<-l.main.ended
	l.main.Dispatcher.Close(nil)
}

// initialized waits until all clusters know their first hosts, and every thread knows them.
func (l *lab) initialized() *lab {
	l.t.Helper()
	done := make(chan struct{})
	l.main.do(func() { l.m.SetInitializedCb(func() { close(done) }) })
	select {
	case <-done:
	case <-time.After(walktest.Patience):
		l.t.Fatal("the clusters are not initialized")
	}
	for _, w := range l.workers {
		w.do(func() {})
	}
	return l
}

// stat is the value of a cluster's counter or gauge.
func (l *lab) stat(name string) (value string) {
	l.t.Helper()
	l.i.Stats.Each(func(_, full, v string, _ bool) {
		if full == "cluster."+name {
			value = v
		}
	})
	if value == "" {
		l.t.Fatalf("there is no cluster.%s", name)
	}
	return value
}

// expect compares stats: name and value in turn. They may be a moment late.
func (l *lab) expect(pairs ...string) {
	l.t.Helper()
	for n := 0; n < len(pairs); n += 2 {
		l.eventually(pairs[n]+" is "+pairs[n+1], func() bool { return l.stat(pairs[n]) == pairs[n+1] })
	}
}

func (l *lab) eventually(what string, ok func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("never: %s", what)
		}
	}
}

// session is the owner of a connection: who asks a pool, and is told. All on one worker.
type session struct {
	l        *lab
	worker   *thread
	pending  *Pending
	upstream *UpstreamConnection
	failed   chan FailureReason
	ready    chan *Host
	ended    chan connection.ConnectionEvent
	received chan string
	host     *Host // that a failure named
}

// ask asks the named cluster's pool on a worker.
func (l *lab) ask(worker int, cluster string) *session {
	l.t.Helper()
	s := &session{l: l, worker: l.workers[worker], failed: make(chan FailureReason, 1),
		ready: make(chan *Host, 1), ended: make(chan connection.ConnectionEvent, 1),
		received: make(chan string, 16)}
	s.worker.do(func() {
		pool := l.m.Get(s.worker.Dispatcher, cluster).TCPConnPool(s)
		if pool == nil {
			l.t.Error("there is no host")
			return
		}
		s.pending = pool.NewConnection(s)
	})
	return s
}

// DownstreamConnection is one of which the upstream side needs only the thread.
func (s *session) DownstreamConnection() *connection.Connection {
	return &connection.Connection{Thread: s.worker.Thread}
}

func (s *session) HashKey() (uint64, bool) { return 0, false }

func (s *session) OnPoolReady(u *UpstreamConnection) {
	s.upstream = u
	u.Connection.EnableHalfClose(true)
	u.SetCallbacks(s)
	s.ready <- u.Host
}

func (s *session) OnPoolFailure(reason FailureReason, h *Host) {
	s.host = h
	s.failed <- reason
}

func (s *session) OnUpstreamData(data *buffer.Buffer, end bool) {
	p := make([]byte, data.Len())
	data.CopyOut(p)
	data.Drain(len(p))
	if end {
		p = append(p, '.')
	}
	s.received <- string(p)
}

func (s *session) OnEvent(e connection.ConnectionEvent) { s.ended <- e }
func (s *session) OnAboveWriteBufferHighWatermark()     {}
func (s *session) OnBelowWriteBufferLowWatermark()      {}

// write sends through the connection; close closes it.
func (s *session) write(text string, end bool) {
	s.worker.do(func() {
		var b buffer.Buffer
		b.Init(s.worker.Slabs)
		b.AddString(text)
		s.upstream.Connection.Write(&b, end)
	})
}

func (s *session) close() {
	s.worker.do(func() { s.upstream.Connection.Close(connection.NoFlush) })
}

func next[T any](t *testing.T, what string, c chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(walktest.Patience):
		t.Fatal("nothing came: " + what)
	}
	return v
}

// connected waits until the session has its connection.
func (s *session) connected() *session {
	s.l.t.Helper()
	next(s.l.t, "a connection", s.ready)
	return s
}

// fails waits for the failure, and checks its reason.
func (s *session) fails(want FailureReason) {
	s.l.t.Helper()
	if got := next(s.l.t, "a failure", s.failed); got != want {
		s.l.t.Errorf("it failed for reason %d, want %d", got, want)
	}
}

// listen opens a real upstream; serve gets each connection, and may be nil: nobody accepts then.
func listen(t *testing.T, serve func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if serve != nil {
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go serve(c)
			}
		}()
	}
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// static is a cluster of one host; more is the rest of a flow mapping.
func static(name string, port uint16, more string) string {
	return fmt.Sprintf("  - {name: %s, type: STATIC, load_assignment: {cluster_name: %s, endpoints: [{lb_endpoints: "+
		"[{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]}%s}\n",
		name, name, port, more)
}

// script answers one system call in the kernel's place for as long as the test runs.
func script(t *testing.T, call string, errno kernel.Errno) {
	t.Cleanup(kernel.SetScript(func(c string, fd, n int) (int, kernel.Errno, bool) {
		return -1, errno, c == call
	}))
}

// openFiles is how many fds the process has.
func openFiles(t *testing.T) int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}
