package tree_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	record "envoywalk/trace"
	"envoywalk/trace/tree"
)

var update = flag.Bool("update", false, "record the transcripts anew, to be read in the diff")

const m, w0, w1 = "main_thread", "wrk:worker_0", "wrk:worker_1"

// startUp is chapters 01 and 04 in short: two workers, a listener for each.
func startUp(s *script) {
	s.thread(m, 100)
	s.fn(m, "01-startup", "MainCommon::MainCommon")
	s.fn(m, "00-event-loop", "DispatcherImpl::DispatcherImpl")
	s.call(m, "epoll_create1", "EPOLL_CLOEXEC", 5, "", record.KeyRetLabel.String("ep:main"))
	s.end(m)
	s.call(m, "openat", `AT_FDCWD, "/nowhere", O_RDONLY`, -1, "ENOENT")
	s.end(m)
	s.fn(m, "02-listen-socket", "ListenerManagerImpl::addOrUpdateListener",
		record.KeyObject.String("echo"))
	s.call(m, "socket", "AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0", 10, "",
		record.KeyRetLabel.String("echo"))
	s.end(m)
	s.fn(m, "04-threading", "ListenerManagerImpl::startWorkers")
	s.post(m, "worker_0", 71, "worker-add-listener", 1, false, false)
	s.post(m, "worker_1", 72, "worker-add-listener", 1, false, false)
	s.end(m)
	for i, w := range []string{w0, w1} {
		worker(s, w, fmt.Sprintf("worker_%d", i), int64(71+i))
	}
}

func worker(s *script, thread, dispatcher string, id int64) {
	s.thread(thread, int(id)+100)
	s.call(thread, "prctl", fmt.Sprintf("PR_SET_NAME, %q", thread), 0, "")
	s.fn(thread, "00-event-loop", "DispatcherImpl::run")
	s.fn(thread, "00-event-loop", "DispatcherImpl::runPostCallbacks")
	s.run(thread, dispatcher, id, "worker-add-listener")
	s.fn(thread, "04-threading", "ConnectionHandlerImpl::addListener", record.KeyObject.String("echo"))
	s.call(thread, "listen", "12<echo/w0>, -1", 0, "")
	s.end(thread)
	s.post(thread, "main_thread", id+100, "add-listener-completion", 1, true, true)
	s.call(thread, "write", "8<wake:main_thread>, [...], 8", 8, "")
	s.end(thread)
	s.end(thread)
}

// accept is one connection on worker_0, up to what chapter 05 will do with it.
func accept(s *script) {
	s.begin(w0, "turn", "turn", record.KeyRepeat.Int(14), record.KeyTimers.Int(3))
	s.call(w0, "epoll_pwait", "6<ep:w0>, [...], 128, -1, NULL, 8", 0, "", record.KeyRepeat.Int(14))
	s.end(w0)
	s.begin(w0, "turn", "turn")
	s.call(w0, "epoll_pwait", "6<ep:w0>, [...], 128, -1, NULL, 8", 1, "")
	s.begin(w0, "event", "FileEventImpl::assignEvents callback", record.KeyFD.Int(12),
		record.KeyFDLabel.String("echo/w0"), record.KeyEvents.String("READ"),
		record.KeyChapter.String("00-event-loop"))
	s.fn(w0, "00-event-loop", "FileEventImpl::mergeInjectedEventsAndRunCb")
	s.fn(w0, "04-threading", "TcpListenerImpl::onSocketEvent")
	s.call(w0, "accept4", "12<echo/w0>, 127.0.0.1:40000, SOCK_CLOEXEC", 13, "",
		record.KeyRetLabel.String("C1"))
	root := s.story(1)
	s.inStory(w0, "04-threading", "ActiveTcpListener::onAccept", root)
	span := s.start(w0, "later", "later: the connection gets its filters",
		record.KeyLaterChapter.Int(5))
	span.End()
	s.call(w0, "close", "13<C1>", 0, "")
	s.end(w0)
	s.storyEnd(root, true)
	s.call(w0, "accept4", "12<echo/w0>, NULL, SOCK_CLOEXEC", -1, "EAGAIN")
	s.end(w0, record.KeyLine.Int(1))
	for range 3 {
		s.end(w0)
	}
}

func stopAll(s *script) {
	for _, thread := range []string{w0, w1, m} {
		for len(s.stacks[thread]) > 0 {
			s.end(thread)
		}
	}
}

func TestTranscripts(t *testing.T) {
	for name, o := range map[string]tree.Options{
		"chapter04":       {Chapter: 4},
		"chapter04_all":   {Chapter: 4, All: true},
		"chapter04_80":    {Chapter: 4, Width: 80},
		"chapter04_envoy": {Chapter: 4, Width: 120, Envoy: true},
		"chapter04_color": {Chapter: 4, Color: true},
		"chapter06":       {Chapter: 6},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := newScript(&out, o)
			startUp(s)
			accept(s)
			stopAll(s)
			s.close(t)
			golden(t, name, out.String())
			if o.Width > 0 {
				fits(t, out.String(), o.Width)
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is now (record with -update)\n%s", file, got)
	}
}

func fits(t *testing.T, out string, width int) {
	t.Helper()
	for line := range strings.Lines(out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestManyThreadsAreNumbered(t *testing.T) {
	var out bytes.Buffer
	s := newScript(&out, tree.Options{})
	s.thread(m, 1)
	for i := range 10 {
		s.thread(fmt.Sprintf("wrk:worker_%d", i), i+2)
	}
	s.post(m, "worker_9", 1, "", 1, true, true)
	s.run("wrk:worker_9", "worker_9", 1, "")
	s.close(t)
	golden(t, "many", out.String())
}

// A guard dog's thread is named otherwise than its dispatcher, and its name is cut.
func TestAnArrowFindsTheThreadThatRunsTheDispatcher(t *testing.T) {
	var out bytes.Buffer
	s := newScript(&out, tree.Options{})
	s.thread(m, 1)
	s.thread("dog:workers_gua", 2)
	s.fn("dog:workers_gua", "00-event-loop", "DispatcherImpl::run",
		record.KeyStep.String("dispatcher-run"), record.KeyObject.String("workers_guarddog"))
	s.post(m, "workers_guarddog", 1, "", 1, true, true)
	s.run("dog:workers_gua", "workers_guarddog", 0, "")
	s.close(t)
	golden(t, "dog", out.String())
}

func TestAPostAndItsRunSayWhatTheyAreAbout(t *testing.T) {
	var out bytes.Buffer
	s := newScript(&out, tree.Options{})
	s.thread(m, 1)
	s.thread(w0, 2)
	about := record.KeyObject.String("cluster echo")
	s.post(m, "worker_0", 1, "", 1, true, true, about)
	s.run(w0, "worker_0", 1, "", about)
	s.close(t)
	for _, want := range []string{`post #1 -> worker_0 "cluster echo"  `, `run #1 "cluster echo"  `} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}

func TestLinesAreWrittenWhileTheProgramRuns(t *testing.T) {
	var out bytes.Buffer
	s := newScript(&out, tree.Options{})
	s.thread(m, 1)
	s.call(m, "close", "3", 0, "")
	if !strings.Contains(out.String(), "close(3) = 0") {
		t.Errorf("before the end there is only\n%s", out.String())
	}
}

func TestHostileTextNeverReachesTheTerminal(t *testing.T) {
	evil := "a\x1b[31m\x07\r\nb\x00\xff\xc0\u2028\u202e\u009b\u200b\x7f\ufeff"
	var out bytes.Buffer
	s := newScript(&out, tree.Options{All: true})
	s.begin(evil, "thread", "thread "+evil)
	s.fn(evil, evil, evil, record.KeyObject.String(evil), record.KeyFD.Int(3),
		record.KeyFDLabel.String(evil))
	s.call(evil, evil, evil, 3, evil, record.KeyRetLabel.String(evil))
	s.post(evil, evil, 1, "", 1, true, true, record.KeyObject.String(evil))
	s.run(evil, evil, 1, "", record.KeyObject.String(evil))
	s.begin(evil, "timer", "timer "+evil)
	s.begin(evil, "event", "e", record.KeyEvents.String(evil))
	s.start(evil, "later", "later: "+evil).End()
	s.start(evil, "handover", "hand over to "+evil).End()
	for len(s.stacks[evil]) > 0 {
		s.end(evil, record.KeyFunction.String(evil))
	}
	s.close(t)
	for line := range strings.Lines(out.String()) {
		for _, r := range strings.TrimSuffix(line, "\n") {
			if r < ' ' || r == utf8.RuneError || r >= 0x7f && r < 0xa0 ||
				strings.ContainsRune("\u2028\u202e\u200b\ufeff", r) {
				t.Fatalf("%q in %q", r, line)
			}
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 14 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}

// What a full ring takes back are begins and ends; the indentation must not drift.
func TestLostEndsDoNotIndent(t *testing.T) {
	var out bytes.Buffer
	s := newScript(&out, tree.Options{})
	s.thread(m, 1)
	s.fn(m, "00-event-loop", "event_base_loop")
	for range 3 {
		s.begin(m, "turn", "turn")
		s.call(m, "close", "3", 0, "")
		s.stacks[m] = s.stacks[m][:2] // the end is lost
	}
	s.begin(m, "turn", "turn")
	s.end(m)
	s.stacks[m][1].SetAttributes(record.KeySeqEnd.Int64(0))
	s.finish(s.stacks[m][1], truncated)
	s.close(t)
	golden(t, "lost", out.String())
}

var truncated = record.KeySeqEnd.Int64(0)

func init() { truncated.Key, truncated.Value = "story.truncated", record.KeyWoke.Bool(true).Value }

type brokenPipe struct{ writes int }

func (b *brokenPipe) Write([]byte) (int, error) {
	b.writes++
	return 0, errors.New("broken pipe")
}

func TestAWriterThatFailsIsLeftAlone(t *testing.T) {
	b := &brokenPipe{}
	s := newScript(b, tree.Options{})
	startUp(s)
	if err := s.provider.Shutdown(t.Context()); err == nil || b.writes != 1 {
		t.Errorf("error %v after %d writes", err, b.writes)
	}
}

// proxied is a request as chapter 06 sees it: its reads and writes are asked for by functions of chapter 05.
func proxied(s *script) {
	s.thread(w0, 171)
	s.fn(w0, "00-event-loop", "DispatcherImpl::run")
	turn(s, "READ", 12, "echo/w0")
	s.fn(w0, "04-threading", "TcpListenerImpl::onSocketEvent")
	s.call(w0, "accept4", "12<echo/w0>, 127.0.0.1:40000, SOCK_CLOEXEC", 13, "", record.KeyRetLabel.String("C1"))
	root := s.story(1)
	s.inStory(w0, "05-connection", "ActiveTcpListener::newConnection", root)
	s.call(w0, "setsockopt", "13<C1>, SOL_TCP, TCP_NODELAY, [1], 4", 0, "")
	s.fn(w0, "06-filter-chain", "TcpProxy::Filter::onNewConnection")
	s.call(w0, "connect", "14<C2>echo>, 127.0.0.1:7", -1, "EINPROGRESS")
	s.end(w0)
	unwind(s, 2)
	turn(s, "WRITE", 14, "C2>echo")
	s.inStory(w0, "05-connection", "ConnectionImpl::onFileEvent", root)
	s.call(w0, "getsockopt", "14<C2>echo>, SOL_SOCKET, SO_ERROR, [0], [4]", 0, "")
	unwind(s, 2)
	turn(s, "READ", 13, "C1")
	s.inStory(w0, "05-connection", "ConnectionImpl::onFileEvent", root)
	s.fn(w0, "05-connection", "ConnectionImpl::onReadReady")
	s.call(w0, "readv", "13<C1>, [{iov_base=..., iov_len=16384}], 1", 16, "")
	s.fn(w0, "05-connection", "IoSocketHandleImpl::read")
	s.call(w0, "readv", "13<C1>, [{iov_base=..., iov_len=16368}], 1", -1, "EAGAIN")
	s.end(w0)
	s.fn(w0, "06-filter-chain", "TcpProxy::Filter::onData")
	s.fn(w0, "05-connection", "ConnectionImpl::write")
	unwind(s, 2)
	turn(s, "WRITE", 14, "C2>echo")
	s.inStory(w0, "05-connection", "ConnectionImpl::onWriteReady", root)
	s.call(w0, "writev", "14<C2>echo>, [{iov_base=..., iov_len=16}], 1", 16, "")
	s.call(w0, "shutdown", "14<C2>echo>, SHUT_WR", 0, "")
	s.call(w0, "close", "13<C1>", 0, "")
	unwind(s, 2)
	s.storyEnd(root, false)
}

// turn begins a turn of worker_0 with one event; unwind ends all but the outermost spans.
func turn(s *script, events string, fd int, label string) {
	s.begin(w0, "turn", "turn")
	s.call(w0, "epoll_pwait", "6<ep:w0>, [...], 128, -1, NULL, 8", 1, "")
	s.begin(w0, "event", "event", record.KeyFD.Int(fd), record.KeyFDLabel.String(label),
		record.KeyEvents.String(events), record.KeyChapter.String("00-event-loop"))
	s.fn(w0, "00-event-loop", "FileEventImpl::mergeInjectedEventsAndRunCb")
}

func unwind(s *script, to int) {
	for len(s.stacks[w0]) > to {
		s.end(w0)
	}
}

func TestTheCallsOfAConnectionAreOpenWhereTheFunctionsAroundAreFolded(t *testing.T) {
	for name, o := range map[string]tree.Options{"proxied": {Chapter: 6}, "proxied_7": {Chapter: 7, Width: 100}} {
		var out bytes.Buffer
		s := newScript(&out, o)
		proxied(s)
		stopAll(s)
		s.close(t)
		golden(t, name, out.String())
		for _, call := range []string{"accept4", "connect", "getsockopt", "readv", "writev", "shutdown", "close"} {
			if !strings.Contains(out.String(), " "+call+"(") {
				t.Errorf("%s: no %s", name, call)
			}
		}
	}
}
