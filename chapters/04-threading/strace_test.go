package threading

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// underStrace are strace's flags, or the test is left out, and says so. Only the named calls stop
// the process.
func underStrace(t *testing.T, calls string, more ...string) []string {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("SKIPPED: strace is not installed: what the kernel says was not compared")
	}
	flags := append([]string{"-f", "--seccomp-bpf", "-qq", "-s", "8", "-e", "trace=" + calls}, more...)
	probe := exec.Command("strace", append(flags, "-o", "/dev/null", "true")...)
	if out, err := probe.CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: strace may not trace here: %v: %s", err, out)
	}
	return flags
}

func TestInjectedAcceptErrorsLoseNobody(t *testing.T) {
	for _, c := range []struct{ errno, when, stat string }{
		{"ENOBUFS", "1..3", "accept_paused"}, {"ENFILE", "1..2", "accept_paused"},
		{"ECONNABORTED", "1..4", "accept_skipped"}, {"EPROTO", "2..3", "accept_skipped"},
		{"EPERM", "1..2", "accept_skipped"}, {"EINTR", "1..9", "accept_skipped"},
	} {
		t.Run(c.errno, func(t *testing.T) {
			t.Parallel()
			inject := "inject=accept4:error=" + c.errno + ":when=" + c.when
			s := setup{concurrency: 2, listeners: []string{anyPort("a"), anyPort("b")},
				strace: underStrace(t, "accept4", "-e", inject, "-o", "/dev/null")}.start(t)
			at := s.addresses()
			fds, threads := s.settled()
			blow(t, at["a"], 20)
			s.wantServing(at["b"], at["a"])
			if got := s.stat(c.stat); got < 2 {
				t.Errorf("%s %d, want the injected ones", c.stat, got)
			}
			s.wantIdle()
			s.wantBackTo(fds, threads)
			s.stop()
		})
	}
}

func TestInterruptedWaitsLoseNobody(t *testing.T) {
	s := setup{concurrency: 2, listeners: []string{anyPort("a")}, strace: underStrace(t,
		"epoll_pwait", "-e", "inject=epoll_pwait:error=EINTR:when=2+3", "-o", "/dev/null")}.start(t)
	address := s.addresses()["a"]
	fds, threads := s.settled()
	blow(t, address, 100)
	s.wantServing(address)
	s.wantBackTo(fds, threads)
	s.stop()
}

// call is a line of strace's.
type call struct {
	tid  int
	name string
	fd   int // its first argument
}

var straceLine = regexp.MustCompile(`^(\d+)\s+(?:<\.\.\. )?(\w+)(?:\((\d+)| resumed>)`)

// calls reads what strace wrote. A call that was interrupted by another thread's is two lines: the
// first counts.
func calls(t *testing.T, path string) (all []call) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		m := straceLine.FindStringSubmatch(lines.Text())
		if m == nil || strings.Contains(lines.Text(), " resumed>") {
			continue
		}
		tid, _ := strconv.Atoi(m[1])
		fd, _ := strconv.Atoi(m[3])
		all = append(all, call{tid: tid, name: m[2], fd: fd})
	}
	return all
}

// A post wakes a loop only if it runs and sleeps: the kernel's count of wakes is the trace's, and
// before a worker's loop waits for the first time nobody wrote it one.
func TestPostsBeforeTheLoopRunsWriteNoWake(t *testing.T) {
	out := filepath.Join(t.TempDir(), "strace")
	set := setup{concurrency: workers, listeners: []string{anyPort("a"), anyPort("b")},
		strace: underStrace(t, "write,epoll_pwait", "-o", out)}
	trace := set.traced(t)
	s := set.start(t)
	blow(t, s.addresses()["a"], 20)
	s.stop()
	spans := trace.all()
	wakes, loops, posted := wakesOf(spans)
	waited, written := map[int]bool{}, map[int]int{}
	for _, c := range calls(t, out) {
		switch label := wakes[c.fd]; {
		case c.name == "epoll_pwait":
			waited[c.tid] = true
		case c.name == "write" && label != "":
			written[c.fd]++
			if tid := loops[label]; tid != 0 && !waited[tid] {
				t.Errorf("%s was written before its loop waited", label)
			}
		}
	}
	for _, w := range byName(spans, "write") {
		written[w.number("fd")]--
	}
	for fd, left := range written {
		if left != 0 {
			t.Errorf("%s: strace saw %d writes more than the trace", wakes[fd], left)
		}
	}
	if len(wakes) < workers+1 || len(loops) != workers || posted < 3*workers {
		t.Errorf("%d eventfds, %d loops, %d early posts: too few to mean anything", len(wakes),
			len(loops), posted)
	}
	t.Logf("%d posts before the loops ran wrote nothing; %d wakes, as strace counts", posted,
		len(byName(spans, "write")))
}

// wakesOf reads off the trace: the eventfds and their labels, the threads of the workers' loops by
// their eventfd's label, and how many posts found a worker's loop not running.
func wakesOf(spans []span) (wakes map[int]string, loops map[string]int, early int) {
	wakes, loops = map[int]string{}, map[string]int{}
	for _, s := range byName(spans, "eventfd2") {
		wakes[s.number("syscall.ret")] = s.text("syscall.ret.label")
	}
	for _, s := range spans {
		worker, isWorker := strings.CutPrefix(s.text("thread.name"), "wrk:")
		if isWorker {
			loops["wake:"+worker] = s.number("thread.id")
		}
		if strings.HasPrefix(s.Name, "post worker_") && s.text("dispatcher.running") == "false" {
			early++
		}
	}
	return wakes, loops, early
}
