package grade

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

// patience is how long a program may take for one act, and to end. It runs out once: then nothing more is waited
// for but the end, and half as long.
const patience = 15 * time.Second

// scene is one run of a program, with its clients, and what the kernel said while it ran.
type scene struct {
	exercise *exercise.Exercise
	dir      string // of this run: the configuration as it was given, the trace
	program  string
	config   string // "" for none
	story    *Story
	heard    int64                      // how much of the trace file the story is made of
	said     map[*exercise.Check]Answer // by the kernel
	met      []meeting                  // what each client met
	waited   []exercise.Words           // what was waited for in vain
	exit     int                        // -1: it was ended by a signal
	late     bool                       // patience ran out
	killed   bool                       // it did not end when it was asked to
	cutShort bool                       // it ended before it had taken itself down
	stderr   lockedText

	cmd      *exec.Cmd
	process  *witness.Process
	witness  func(pid int) (*witness.Process, error)
	unseen   error // why the kernel's witness could not look at the program at all
	ended    chan struct{}
	held     []net.Conn
	stopped  bool
	waiting  func(exercise.Words) // as Grader.Waiting
	patience time.Duration
	upstream *upstream
}

func (s *scene) traceFile() string { return filepath.Join(s.dir, "trace.jsonl") }

// play runs the program through the exercise's script. The error is ours, never the learner's.
func (s *scene) play(ctx context.Context) error {
	s.said = map[*exercise.Check]Answer{}
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.stop()
	for _, act := range s.exercise.Script {
		if s.isOver() && act.Look == "" {
			break // it ended by itself: the checks say what is missing
		}
		s.do(act)
	}
	s.look("")
	s.stop()
	s.story = s.read()
	s.cutShort = s.exit >= 0 && !s.has(&exercise.Spans{Kind: moment.KindThread, Thread: "main_thread"})
	s.lookBack()
	return nil
}

func (s *scene) do(act exercise.Act) {
	switch {
	case act.Look != "":
		s.look(act.Look)
	case s.late: // nothing more is asked of it
	case act.Wait != nil:
		s.wait(act.Wait)
	case act.Connect != nil:
		s.connect(act.Connect)
	case act.End:
		s.waitForTheEnd()
	case act.Signal != "":
		s.cmd.Process.Signal(signals[act.Signal])
	}
}

func (s *scene) start(ctx context.Context) error {
	args := append([]string{"--trace", "otlp=" + s.traceFile()}, s.exercise.Args...)
	if s.config != "" {
		config, err := s.giveConfig()
		if err != nil {
			return err
		}
		args = append(args, "-c", config)
	}
	s.cmd = exec.CommandContext(ctx, s.program, args...)
	s.cmd.Dir, s.cmd.Stderr, s.cmd.Stdout = s.dir, &s.stderr, io.Discard
	s.cmd.WaitDelay = time.Second
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		s.cmd.Wait()
		close(s.ended)
	}()
	s.process, s.unseen = s.witness(s.cmd.Process.Pid) // without it no kernel claim can be looked at
	return nil
}

var upstreamPort = regexp.MustCompile(`port_value:\s*7\b`)

// giveConfig writes the configuration as the program gets it: port 7 is the upstream that the grader
// plays, as in a run without a configuration.
func (s *scene) giveConfig() (string, error) {
	text, err := os.ReadFile(s.config)
	if err != nil {
		return "", err
	}
	if upstreamPort.Match(text) {
		if s.upstream, err = playUpstream(); err != nil {
			return "", err
		}
		text = upstreamPort.ReplaceAll(text, []byte("port_value: "+strconv.Itoa(s.upstream.port())))
	}
	path := filepath.Join(s.dir, "envoy.yaml")
	return path, os.WriteFile(path, text, 0o600)
}

func (s *scene) isOver() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// endsNow: what cannot be looked at may be about to end.
func (s *scene) endsNow() bool {
	select {
	case <-s.ended:
		return true
	case <-time.After(patience / 30):
		return false
	}
}

// stop ends the program as an operator would, and notes how it ended. Twice is once.
func (s *scene) stop() {
	if s.stopped {
		return
	}
	s.stopped = true
	for _, c := range s.held {
		c.Close()
	}
	s.held = nil
	if !s.isOver() {
		s.cmd.Process.Signal(syscall.SIGTERM)
	}
	most := s.patience
	if s.late {
		most /= 2
	}
	if !s.endsWithin(most) {
		s.kill()
	}
	if s.exit = s.cmd.ProcessState.ExitCode(); s.killed {
		s.exit = -1
	}
	if s.process != nil {
		s.process.Close()
		s.process = nil
	}
	if s.upstream != nil {
		s.upstream.stop()
	}
}

// read is what the spans say so far; nil where there are none. A file that has not grown says what it said.
func (s *scene) read() *Story {
	file, err := os.Stat(s.traceFile())
	if err != nil || s.story != nil && file.Size() == s.heard {
		return s.story
	}
	t, err := saved.Open(s.traceFile())
	if err != nil {
		return nil
	}
	s.heard = file.Size()
	return newStory(t)
}

// kill ends a program that does not end when it is asked to. Before that it is asked where it stands: SIGQUIT makes
// a Go program say so of every goroutine.
func (s *scene) kill() {
	s.killed = true
	s.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-s.ended:
	case <-time.After(patience / 5):
		s.cmd.Process.Kill()
		<-s.ended
	}
}

// wait lasts until the spans are there, the program ends, or patience does.
func (s *scene) wait(q *exercise.Spans) {
	defer s.waitsFor(wanted(q))()
	for deadline := time.Now().Add(s.patience); ; {
		s.story = s.read()
		if n, _ := s.story.count(q); q.Count.Holds(n) {
			return
		}
		if s.late = time.Now().After(deadline); s.late || s.isOver() {
			s.waited = append(s.waited, wanted(q))
			return
		}
		select {
		case <-s.ended:
		case <-time.After(40 * time.Millisecond):
		}
	}
}

var theEnd = exercise.Words{En: "the end of the program", Zh: "程序的结束"}

// waitForTheEnd lasts until the program ends by itself, or patience does.
func (s *scene) waitForTheEnd() {
	if s.late = !s.endsWithin(s.patience); s.late {
		s.waited = append(s.waited, theEnd)
	}
}

func (s *scene) endsWithin(most time.Duration) bool {
	defer s.waitsFor(theEnd)()
	select {
	case <-s.ended:
		return true
	case <-time.After(most):
		return false
	}
}

// waitsFor tells, after some seconds, what is waited for. What it returns is to be called when that is over.
func (s *scene) waitsFor(what exercise.Words) (over func()) {
	if s.waiting == nil {
		return func() {}
	}
	done, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-done:
		case <-time.After(s.patience / 5):
			s.waiting(what)
			<-done
			s.waiting(exercise.Words{})
		}
	}()
	return func() { close(done); <-told }
}

// address is where a listener of that name can be reached, as the kernel says it.
func (s *scene) address(listener string) (string, error) {
	sockets, err := s.socketsOf(listener)
	if err != nil {
		return "", err
	}
	for _, socket := range sockets {
		if socket.Local != "" {
			return socket.Local, nil
		}
	}
	return "", fmt.Errorf("no socket of %s has an address", listener)
}

// socketsOf are the sockets of a listener: those whose fd the spans call so, and those that have the same
// address. "" is every socket that no connection has.
func (s *scene) socketsOf(listener string) (ours []witness.Socket, err error) {
	if s.process == nil {
		return nil, s.whyUnseen()
	}
	all, err := s.process.Sockets()
	if err != nil {
		return nil, err
	}
	s.story = s.read()
	labels := map[int]string{}
	if s.story != nil {
		labels = s.story.labels()
	}
	addresses := map[string]bool{}
	for _, socket := range all {
		if isOf(labels[socket.FD], listener) && isBound(socket.Local) {
			addresses[socket.Local] = true
		}
	}
	for _, socket := range all {
		named := isOf(labels[socket.FD], listener) || addresses[socket.Local]
		if socket.Peer == "" && (listener == "" || named) {
			ours = append(ours, socket)
		}
	}
	return ours, nil
}

// whyUnseen says why there is no process to ask the kernel about.
func (s *scene) whyUnseen() error {
	if s.unseen != nil {
		return s.unseen
	}
	return fmt.Errorf("%w: the program has ended", witness.ErrCannotLook)
}

// isOf: echo and echo/w0 are the listener echo's.
func isOf(label, listener string) bool {
	name, _, _ := strings.Cut(label, "/")
	return listener != "" && (label == listener || name == listener)
}

func isBound(local string) bool { return local != "" && !strings.HasSuffix(local, ":0") }

// lockedText is a program's stderr: written while it runs, read when it is over.
type lockedText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
