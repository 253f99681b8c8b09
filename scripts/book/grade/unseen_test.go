package grade

import (
	"fmt"
	"testing"
	"time"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
)

func TestWhereTheKernelMayNotBeAskedNobodySaysNo(t *testing.T) {
	s := &scene{exercise: &exercise.Exercise{}, ended: make(chan struct{}), said: map[*exercise.Check]Answer{},
		unseen: fmt.Errorf("%w: pidfd_open: operation not permitted", witness.ErrCannotLook)}
	claims := []*exercise.Kernel{{Sockets: &exercise.Sockets{}}, {Sockets: &exercise.Sockets{Connected: new(bool)}},
		{Epoll: &exercise.Epoll{Listener: "echo"}}, {Threads: &exercise.Threads{Name: "*"}},
		{Backlog: &exercise.Backlog{Listener: "echo"}}, {Clients: &exercise.Clients{Met: metAnswered}}}
	for i, k := range claims {
		s.exercise.Checks = []exercise.Check{{Kernel: k}}
		c := &s.exercise.Checks[0]
		if isLive(k) {
			s.said[c] = s.ask(k)
		} else {
			s.lookBack()
		}
		a := s.said[c]
		if a.Could || a.Text.En != s.unseen.Error() {
			t.Errorf("claim %d: %+v", i, a)
		}
		if v := verdict(a, Answer{Could: true, Holds: true}); v != CannotLook {
			t.Errorf("claim %d: with a span that holds it is %d", i, v)
		}
	}
}

// A program that is ending shows the kernel's witness less and less. That says that it ends, not that nobody may look.
func TestAProgramThatEndsWhileItIsLookedAtHasEnded(t *testing.T) {
	s := &scene{exercise: &exercise.Exercise{}, ended: make(chan struct{}), process: &witness.Process{PID: -1}}
	time.AfterFunc(patience/300, func() { close(s.ended) })
	if a := s.ask(&exercise.Kernel{Counter: &exercise.Counter{Label: "answers"}}); !a.Could || a.Holds ||
		a.Text.En != "the program has ended" {
		t.Errorf("%+v", a)
	}
}

func TestWhereNobodyCouldLookNobodyGuesses(t *testing.T) {
	check := exercise.Check{Kernel: &exercise.Kernel{Sockets: &exercise.Sockets{}}, Span: &exercise.Spans{}}
	s := &scene{exercise: &exercise.Exercise{Checks: []exercise.Check{check},
		LooksLike: []exercise.Likely{{Say: same("a guess")}}}, said: map[*exercise.Check]Answer{}}
	for could, want := range map[bool]string{true: "a guess", false: ""} {
		s.said[&s.exercise.Checks[0]] = Answer{Asked: true, Could: could}
		if r := s.report(""); r.Likely.En != want {
			t.Errorf("could look: %v; told %q", could, r.Likely.En)
		}
	}
}

func TestAListenerOnAllAddressesTakesTheConnectionsOfItsPort(t *testing.T) {
	for _, x := range []struct {
		listener, local string
		want            bool
	}{
		{"127.0.0.1:80", "127.0.0.1:80", true}, {"0.0.0.0:80", "127.0.0.1:80", true}, {"[::]:80", "[::1]:80", true},
		{"0.0.0.0:80", "127.0.0.1:81", false}, {"127.0.0.1:80", "127.0.0.2:80", false}, {"/tmp/s", "/tmp/s", true},
	} {
		if takes(x.listener, x.local) != x.want {
			t.Errorf("%s takes %s: not %t", x.listener, x.local, x.want)
		}
	}
}
