package threading

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheExactBalancerSpreadsConnectionsEvenly(t *testing.T) {
	const each = 10
	set := setup{concurrency: workers, lab: []string{"hold"}, listeners: []string{
		anyPort("a", "connection_balance_config: {exact_balance: {}}"),
		anyPort("b", "connection_balance_config: {exact_balance: {}}", "reuse_port: true")}}
	trace := set.traced(t, "ActiveTcpListener::", "connection C", "post worker_", "run worker_")
	s := set.start(t)
	at := s.addresses()
	a := connect(t, at["a"], workers*each)
	s.wantHeld(workers * each)
	s.wantPerWorker(each)
	connect(t, at["b"], workers*each)
	s.wantHeld(2 * workers * each)
	s.wantPerWorker(2 * each)
	for _, c := range a {
		c.Close()
	}
	s.wantHeld(workers * each)
	s.wantPerWorker(each)
	connect(t, at["a"], workers*each)
	s.wantHeld(2 * workers * each)
	s.wantPerWorker(2 * each)
	s.stop()
	wantStoriesWhole(t, trace.all(), 3*workers*each)
}

// What the accept lab changes, by the kernel's word; and that everybody is accepted all the same.
func TestAListenFdIsWatchedAsTheSeamSays(t *testing.T) {
	for watch, mask := range map[string]uint64{"level": 0, "exclusive": unix.EPOLLEXCLUSIVE, "edge": unix.EPOLLET} {
		set := setup{concurrency: workers, lab: []string{"hold", "watch " + watch}, listeners: []string{anyPort("a")}}
		s := set.start(t)
		found := 0
		files := s.descriptors()
		for _, set := range s.epolls() {
			for _, w := range set {
				if !strings.HasPrefix(files[w.fd], "socket:") {
					continue
				}
				found++
				if got := w.events & (unix.EPOLLEXCLUSIVE | unix.EPOLLET); got != mask {
					t.Errorf("%s: %s is watched with %#x", watch, files[w.fd], w.events)
				}
			}
		}
		connect(t, s.addresses()["a"], 20)
		s.wantHeld(20)
		s.stop()
		if found < workers {
			t.Errorf("%s: %d sockets are watched", watch, found)
		}
	}
}

func (s *server) wantPerWorker(n int) {
	s.t.Helper()
	count := map[string]int{}
	for _, worker := range s.held() {
		count[worker]++
	}
	for worker, got := range count {
		if got != n {
			s.t.Errorf("%s holds %d connections, want %d: %v", worker, got, n, count)
		}
	}
	if len(count) != workers {
		s.t.Errorf("%d workers hold connections, want %d", len(count), workers)
	}
}

// wantStoriesWhole: a connection that moved to another worker tells one story. What happened to it
// there has its root as parent, and the run there is linked to the post here.
func wantStoriesWhole(t *testing.T, all []span, connections int) {
	t.Helper()
	root, posts := map[string]span{}, map[string]span{}
	for _, s := range all {
		switch {
		case s.text("walk.kind") == "story" && strings.HasPrefix(s.Name, "connection C"):
			root[s.SpanContext.TraceID] = s
		case s.text("walk.kind") == "post" && strings.HasPrefix(s.Name, "post worker_"):
			posts[s.SpanContext.SpanID] = s
		}
	}
	moved, stayed := 0, 0
	for id, story := range threadsOf(all, "ActiveTcpListener::onAcceptWorker") {
		if slices.Contains(story, "main_thread") {
			continue // the admin's
		}
		if _, ok := root[id]; !ok {
			t.Errorf("onAcceptWorker on %v in a trace that is no connection's", story)
			continue
		}
		switch {
		case len(story) == 1:
			stayed++
		case len(story) == 2 && story[0] != story[1]:
			moved++
		default:
			t.Errorf("%s: onAcceptWorker on %v", root[id].Name, story)
		}
	}
	runs := 0
	for _, s := range all {
		if s.text("walk.step") != "active-tcp-listener-post" || s.text("walk.kind") != "run" {
			continue
		}
		runs++
		from := slices.IndexFunc(s.Links, func(l struct{ SpanContext spanID }) bool {
			_, ok := posts[l.SpanContext.SpanID]
			return ok
		})
		if from < 0 {
			t.Errorf("%s on %s is linked to no post", s.Name, s.text("thread.name"))
		}
	}
	if moved+stayed != connections || moved == 0 || runs != moved {
		t.Errorf("%d stayed and %d moved by %d runs, want %d in all, and some moved", stayed, moved,
			runs, connections)
	}
	t.Logf("%d connections stayed where they were accepted, %d were posted to another worker",
		stayed, moved)
}

// threadsOf are, by trace, the threads on which a function ran.
func threadsOf(all []span, name string) map[string][]string {
	threads := map[string][]string{}
	for _, s := range byName(all, name) {
		threads[s.SpanContext.TraceID] = append(threads[s.SpanContext.TraceID], s.text("thread.name"))
	}
	return threads
}
