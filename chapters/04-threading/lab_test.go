package threading

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"

	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/encoding/protojson"

	eventloop "envoywalk/chapters/00-event-loop"
	startup "envoywalk/chapters/01-startup"
	listensocket "envoywalk/chapters/02-listen-socket"
	"envoywalk/internal/kernel"
	"envoywalk/internal/step"
)

const labVariable = "ENVOYWALK_TEST_LAB"

// lab is chapter 04 with its open seams filled by the test: connections are held, an overload
// manager obeys, the kernel's answers can be scripted, and listeners come and go. It takes its
// commands, a line each, from the environment before main and from stdin afterwards, and says what
// came of them on stdout.
type lab struct {
	seams    *Seams
	instance *startup.Instance
	manager  *listensocket.ListenerManager
	viaAPI   bool     // static listeners count as brought by the API
	first    []string // commands to run when the first listener is there
	stopping []func(bool)
	reject   []func(float64)
	script   scripted
	busy     chan struct{}
}

func runLab() int {
	l := &lab{seams: Wire(), busy: make(chan struct{})}
	l.seams.ListenerManager = func(i *startup.Instance) startup.ListenerManager {
		l.manager = listensocket.NewListenerManager(i, l.seams.Seams.Seams)
		return managed{l.manager, l}
	}
	l.seams.OverloadManager = func(i *startup.Instance) startup.OverloadManager {
		l.instance = i
		return overloading{l}
	}
	for _, line := range strings.Split(strings.TrimSpace(os.Getenv(labVariable)), "\n") {
		l.prepare(line)
	}
	kernel.SetScript(l.script.answer)
	go l.obey(os.Stdin)
	return l.seams.Main(os.Args)
}

// prepare obeys one command before main.
func (l *lab) prepare(line string) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "hold", "hold-fast":
		l.seams.Connections = func(a *ActiveTcpListener) Connections {
			return &holding{a, map[*AcceptedSocket]*eventloop.FileEvent{}, verb == "hold-fast"}
		}
	case "watch":
		l.seams.ListenTrigger = map[string]eventloop.Trigger{"edge": eventloop.Edge,
			"exclusive": eventloop.Exclusive}[rest]
	case "via-api":
		l.viaAPI = true
	case "then":
		l.first = append(l.first, rest)
	case "script":
		l.script.add(rest)
	case "steal": // another one listens first where the next listen call would
		l.script.steal = true
	}
}

// obey runs each line of stdin on main. The answer names the line's number.
func (l *lab) obey(in io.Reader) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if line == "free" { // main may be gone by then
			close(l.busy)
			fmt.Printf("command %d: freed.\n", n)
			continue
		}
		l.instance.Dispatcher.PostOutside(nil, "", func() {
			l.command(line, func(answer string) { fmt.Printf("command %d: %s.\n", n, answer) })
		})
	}
}

func (l *lab) command(line string, done func(answer string)) {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb {
	case "script": // not for an accept loop that is still at work
		l.whenAllHeard(func(answer string) {
			l.script.add(rest)
			done(answer)
		})
	case "stop-accepting":
		for _, stop := range l.stopping {
			stop(rest == "true")
		}
		l.whenAllHeard(done)
	case "reject":
		fraction, _ := strconv.ParseFloat(rest, 64)
		for _, reject := range l.reject {
			reject(fraction)
		}
		l.whenAllHeard(done)
	case "remove":
		done(fmt.Sprint(l.manager.RemoveListener(rest)))
	case "stop":
		l.stop(rest, done)
	case "stop-listeners":
		l.manager.StopListeners(rest == "inbound")
		l.whenAllHeard(done)
	case "busy": // the worker runs one callback until it is freed
		began := make(chan struct{})
		index, _ := strconv.Atoi(rest)
		d := l.manager.Workers[index].Info().Dispatcher
		d.Post(l.instance.Dispatcher, step.None, func() { close(began); <-l.busy })
		<-began
		done("busy")
	case "exit": // the end without a stop before it
		l.instance.Dispatcher.Exit(l.instance.Dispatcher)
		done("exiting")
	case "add":
		done(l.add(rest))
	default:
		done("unknown")
	}
}

// whenAllHeard answers when every worker has run what was posted to it so far.
func (l *lab) whenAllHeard(done func(string)) {
	l.instance.ThreadLocal.RunOnAllThreads("a round", func(*eventloop.Dispatcher) {}, func() { done("heard") })
}

func (l *lab) stop(name string, done func(string)) {
	waiting := len(l.manager.Workers)
	for _, one := range l.manager.Active {
		if one.Name != name {
			continue
		}
		for _, w := range l.manager.Workers {
			w.StopListener(one, func() {
				if waiting--; waiting == 0 {
					done("stopped")
				}
			})
		}
	}
}

func (l *lab) add(json string) string {
	c := &listenerv3.Listener{}
	if err := protojson.Unmarshal([]byte(json), c); err != nil {
		return err.Error()
	}
	changed, err := l.manager.AddOrUpdate(c, "test", true)
	if err != nil {
		return "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return fmt.Sprintf("changed %v", changed)
}

// managed is the listener manager with what the tests do to it before the workers start.
type managed struct {
	*listensocket.ListenerManager
	lab *lab
}

func (m managed) AddOrUpdateListener(c *listenerv3.Listener, place string) (bool, error) {
	changed, err := m.AddOrUpdate(c, place, m.lab.viaAPI)
	for _, line := range m.lab.first {
		m.lab.command(line, func(answer string) { fmt.Printf("before main runs: %s.\n", answer) })
	}
	m.lab.first = nil
	return changed, err
}

// overloading is an overload manager whose pressure the test makes.
type overloading struct{ lab *lab }

func (overloading) Start()                             {}
func (overloading) Stop()                              {}
func (o overloading) OnStopAccepting(f func(bool))     { o.lab.stopping = append(o.lab.stopping, f) }
func (o overloading) OnRejectFraction(f func(float64)) { o.lab.reject = append(o.lab.reject, f) }

// holding stands where chapter 05 will: a connection lives until its client leaves.
type holding struct {
	listener *ActiveTcpListener
	open     map[*AcceptedSocket]*eventloop.FileEvent
	fast     bool // to what a flush asks for
}

func (h *holding) OnAcceptedSocket(s *AcceptedSocket) {
	d, name := h.listener.handler.dispatcher, h.listener.config.Name
	fmt.Printf("%s holds C%d of %s from %s\n", d.Name, s.Connection, name, s.Remote)
	h.open[s], _ = d.CreateFileEvent(s.FD, eventloop.Edge, eventloop.Closed, func(eventloop.FileReady) {
		h.open[s].Close()
		delete(h.open, s)
		s.Close()
		fmt.Printf("%s lets C%d go\n", d.Name, s.Connection)
	})
}

// Flush: nothing was ever read, unless the test says that there are bytes which nobody takes.
func (h *holding) Flush() {
	if !h.fast {
		h.Close()
	}
}

func (h *holding) Open() int { return len(h.open) }

func (h *holding) Close() {
	for s, event := range h.open {
		event.Close()
		s.Close()
	}
	clear(h.open)
}

// scripted is what the kernel is made to answer: CALL ERRNO SKIP COUNT, one after the other.
type scripted struct {
	mu      sync.Mutex
	answers []*scriptedAnswer
	steal   bool
}

type scriptedAnswer struct {
	call        string
	errno       kernel.Errno
	skip, count int
}

func (s *scripted) add(line string) {
	a := &scriptedAnswer{}
	var name string
	if _, err := fmt.Sscan(line, &a.call, &name, &a.skip, &a.count); err != nil {
		panic(err)
	}
	for n := kernel.Errno(1); n < 133; n++ {
		if unix.ErrnoName(n) == name {
			a.errno = n
		}
	}
	if a.errno == 0 {
		panic("no errno is called " + name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, a)
}

func (s *scripted) answer(call string, fd, _ int) (int, kernel.Errno, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call == "listen" && s.steal {
		s.steal = !stolen(fd)
	}
	for _, a := range s.answers {
		switch {
		case a.call != call || a.count == 0:
		case a.skip > 0:
			a.skip--
		default:
			a.count--
			return -1, a.errno, true
		}
	}
	return 0, 0, false
}

// stolen listens on the port that fd is only bound to: SO_REUSEADDR lets two bind, and the first to
// listen has it. A unix socket cannot be stolen so.
func stolen(fd int) bool {
	name, err := unix.Getsockname(fd)
	at, isIP := name.(*unix.SockaddrInet4)
	if err != nil || !isIP {
		return false
	}
	thief, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptInt(thief, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = unix.Bind(thief, at)
	}
	if err == nil {
		err = unix.Listen(thief, 1)
	}
	if err != nil {
		panic(err)
	}
	return true
}

// tell sends the laboratory a command and returns its answer.
func (s *server) tell(line string) string {
	s.t.Helper()
	s.asked++
	fmt.Fprintln(s.stdin, line)
	return s.WaitFor(fmt.Sprintf(`command %d: (.*)\.\n`, s.asked))[1]
}
