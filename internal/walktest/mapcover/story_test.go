package mapcover

import (
	"slices"
	"strings"
	"testing"
)

// proxied is the story of the demo's one connection: one request through tcp_proxy, end to end.
type proxied struct {
	t    *testing.T
	byID map[string]*span
	root *span
	all  []*span // of the run, in order
	part []*span // of the story, in order
}

func story(t *testing.T) *proxied {
	t.Helper()
	p := &proxied{t: t, byID: map[string]*span{}}
	for _, s := range spans(t) {
		if s.run != theDemo {
			continue
		}
		p.all, p.byID[s.id] = append(p.all, s), s
		if s.kind == "story" && s.name == "connection C1" {
			p.root = s
		}
	}
	if p.root == nil {
		t.Fatal("the demo has no connection C1")
	}
	slices.SortFunc(p.all, func(a, b *span) int { return a.begun - b.begun })
	for _, s := range p.all {
		if s.trace == p.root.trace && s != p.root {
			p.part = append(p.part, s)
		}
	}
	return p
}

// ownFD: the client's connection, or the one that was made for it.
func (s *span) ownFD() bool { return s.fd == "C1" || s.fd == "C2>echo" }

// turnOf is the turn of the loop that a span on a thread's stack is in.
func (p *proxied) turnOf(s *span) *span {
	for ; s != nil && s.kind != "turn"; s = p.byID[s.parent] {
	}
	return s
}

func TestAProxiedRequestIsOneTraceFromItsFirstCallToItsLast(t *testing.T) {
	p := story(t)
	var said []string
	for _, s := range p.part {
		if s.kind == "syscall" && !slices.Contains(said, s.said) {
			said = append(said, s.said)
		}
	}
	// The order in which a proxy must do them; what else it does may stand between.
	want := []string{"setsockopt C1 = 0", "socket C2>echo = ", "connect C2>echo = -1 EINPROGRESS",
		"getsockopt C2>echo = 0", "readv C1 = 16", "writev C2>echo = 16", "readv C2>echo = 16", "writev C1 = 16",
		"readv C1 = 0", "shutdown C2>echo = 0", "readv C2>echo = 0", "close C2>echo = 0"}
	rest := said
	for _, w := range want {
		at := slices.IndexFunc(rest, func(s string) bool { return strings.HasPrefix(s, w) })
		if at < 0 {
			t.Fatalf("%q is missing, or comes too early, in\n%s", w, strings.Join(said, "\n"))
		}
		rest = rest[at+1:]
	}
	if !slices.Contains(said, "close C1 = 0") {
		t.Errorf("C1 is never closed in\n%s", strings.Join(said, "\n"))
	}
}

func TestNoCallOnAConnectionIsOutsideOfItsTrace(t *testing.T) {
	p, calls := story(t), 0
	for _, s := range p.all {
		if s.kind != "syscall" || !s.ownFD() || s.name == "accept4" {
			continue
		}
		if calls++; s.trace != p.root.trace {
			t.Errorf("%s (%d) is in another trace, below %s", s.said, s.begun, p.byID[s.parent].name)
		}
	}
	if calls < 15 {
		t.Errorf("only %d calls", calls)
	}
}

func TestAConnectionsTraceEndsAfterAllThatIsInIt(t *testing.T) {
	p := story(t)
	for _, s := range p.part {
		if s.begun < p.root.begun || s.ended > p.root.ended {
			t.Errorf("%s is from %d to %d, and its connection from %d to %d", s.said, s.begun, s.ended,
				p.root.begun, p.root.ended)
		}
	}
}

// TestAConnectionBeginsWithTheAcceptThatWokeTheListener: its root links to it.
func TestAConnectionBeginsWithTheAcceptThatWokeTheListener(t *testing.T) {
	p := story(t)
	if len(p.root.links) != 1 || p.root.thread != "" && p.byID[p.root.parent] != nil {
		t.Fatalf("the root has %d links and the parent %q", len(p.root.links), p.root.parent)
	}
	accept := p.byID[p.root.links[0]]
	if accept == nil || !strings.HasPrefix(accept.said, "accept4 C1 = ") {
		t.Fatalf("it links to %+v", accept)
	}
	var event *span
	for s := accept; s != nil; s = p.byID[s.parent] {
		if s.kind == "event" {
			event = s
		}
	}
	if event == nil || !strings.HasPrefix(event.fd, "echo/w") || p.turnOf(event) == nil || accept.trace == p.root.trace {
		t.Errorf("accept4 is in the event %+v", event)
	}
}

// TestWhatEachTurnDoesForAConnectionHangsOnItsRootAndLinksToTheTurn, and all else of it is inside of that.
func TestWhatEachTurnDoesForAConnectionHangsOnItsRootAndLinksToTheTurn(t *testing.T) {
	p, turns := story(t), map[string]bool{}
	for _, s := range p.part {
		if s.parent != p.root.id {
			if inside := p.byID[s.parent]; inside == nil || inside.trace != s.trace || inside.thread != s.thread {
				t.Errorf("%s is inside of %+v", s.said, inside)
			}
			continue
		}
		if len(s.links) != 2 || p.byID[s.links[0]] == nil || p.byID[s.links[1]] == nil {
			t.Errorf("%s has the links %v", s.said, s.links)
			continue
		}
		called, turn := p.byID[s.links[0]], p.byID[s.links[1]]
		if turn.kind != "turn" || p.turnOf(called) != turn || called.thread != s.thread {
			t.Errorf("%s was called in %s and is linked to %s", s.said, called.said, turn.said)
		}
		turns[turn.id] = true
	}
	if len(turns) < 4 {
		t.Errorf("only %d turns", len(turns))
	}
}
