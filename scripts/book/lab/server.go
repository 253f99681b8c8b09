package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"envoywalk/scripts/book/witness"
)

// patience is how long a server may take to begin, to answer, and to end.
const patience = 20 * time.Second

// server is one arrangement at work.
type server struct {
	*Arrangement
	cmd     *exec.Cmd
	process *witness.Process
	trace   string
	said    bytes.Buffer // its stderr, complete when it has ended
	ended   chan struct{}
	workers int
	address string
	look    Look
	sets    map[int]int // by an epoll set's fd, the fd of the listener that it watches
}

// Look is what the kernel says of how the workers listen.
type Look struct {
	Sockets int      `json:"sockets"` // inodes that listen
	Sets    int      `json:"sets"`    // epoll sets that watch one of them
	Masks   []uint32 `json:"masks"`   // how, set by set
}

func (l *Lab) start(ctx context.Context, a *Arrangement) (*server, error) {
	s := &server{Arrangement: a, workers: a.workers(l.Workers), trace: filepath.Join(l.Dir, "trace.jsonl"),
		ended: make(chan struct{})}
	config := filepath.Join(l.Dir, "envoy.yaml")
	if err := os.WriteFile(config, []byte(a.config()), 0o600); err != nil {
		return nil, err
	}
	program := l.programs[0]
	if a.Watch != "" {
		program = l.programs[1]
	}
	args := append(a.args(), "-c", config, "--concurrency", strconv.Itoa(s.workers), "-l", "error",
		"--trace", "otlp="+s.trace)
	s.cmd = exec.CommandContext(ctx, program, args...)
	s.cmd.Stderr, s.cmd.WaitDelay = &s.said, time.Second
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.cmd.Wait()
		close(s.ended)
	}()
	open := l.Witness
	if open == nil {
		open = witness.Open
	}
	var err error
	if s.process, err = open(s.cmd.Process.Pid); err == nil {
		err = s.waitReady()
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// waitReady lasts until, by the kernel's word, every worker's epoll watches a socket that listens.
func (s *server) waitReady() error {
	for deadline := time.Now().Add(patience); ; {
		if err := s.lookAround(); err != nil {
			return err
		}
		if s.look.Sets == s.workers {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended: %s", strings.TrimSpace(s.said.String()))
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %s only %d of %d workers listen", patience, s.look.Sets, s.workers)
		}
	}
}

func (s *server) lookAround() error {
	sockets, err := s.process.Sockets()
	if err != nil {
		return err
	}
	sets, err := s.process.EpollSets()
	if err != nil {
		return err
	}
	s.look, s.sets = Look{}, map[int]int{}
	listening, inodes := map[int]witness.Socket{}, map[uint64]bool{}
	for _, socket := range sockets {
		if socket.Listening {
			listening[socket.FD], inodes[socket.Inode] = socket, true
			s.address = socket.Local
		}
	}
	s.look.Sockets = len(inodes)
	for _, set := range sets {
		for fd, mask := range set.Watched {
			if _, is := listening[fd]; is {
				s.look.Sets++
				s.look.Masks = append(s.look.Masks, mask)
				s.sets[set.FD] = fd
			}
		}
	}
	return nil
}

// connections are, by epoll set, how many sockets that have a peer it watches.
func (s *server) connections() (map[int]int, error) {
	sockets, err := s.process.Sockets()
	if err != nil {
		return nil, err
	}
	sets, err := s.process.EpollSets()
	if err != nil {
		return nil, err
	}
	connected, counts := map[int]bool{}, map[int]int{}
	for _, socket := range sockets {
		connected[socket.FD] = socket.Peer != ""
	}
	for _, set := range sets {
		for fd := range set.Watched {
			if connected[fd] {
				counts[set.FD]++
			}
		}
	}
	return counts, nil
}

// switches is how often each worker's thread has gone to sleep.
func (s *server) switches() ([]uint64, error) {
	threads, err := s.process.Threads()
	if err != nil {
		return nil, err
	}
	counts := make([]uint64, s.workers)
	for _, thread := range threads {
		if n, ok := workerOf(thread.Name); ok && n < len(counts) {
			if counts[n], err = s.process.Switches(thread.TID); err != nil {
				return nil, err
			}
		}
	}
	return counts, nil
}

func workerOf(thread string) (int, bool) {
	number, is := strings.CutPrefix(thread, "wrk:worker_")
	n, err := strconv.Atoi(number)
	return n, is && err == nil
}

// stop ends the server as an operator would. Twice is once.
func (s *server) stop() {
	if s.process != nil {
		s.process.Close()
		s.process = nil
	}
	select {
	case <-s.ended:
		return
	default:
	}
	s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.cmd.Process.Kill()
		<-s.ended
	}
}

var droppedLine = regexp.MustCompile(`(?m)^trace: .*dropped (\d+) records`)

// errDropped: the trace has gaps, so nothing can be counted from it.
var errDropped = errors.New("the trace could not keep up")

// whole says whether the trace, now that the server has ended, has everything.
func (s *server) whole() error {
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("the server ended with status %d: %s", code, strings.TrimSpace(s.said.String()))
	}
	if droppedLine.Match(s.said.Bytes()) {
		return fmt.Errorf("%w: %s", errDropped, strings.TrimSpace(s.said.String()))
	}
	return nil
}
