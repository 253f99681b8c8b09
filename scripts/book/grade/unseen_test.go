package grade

import (
	"fmt"
	"testing"

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
		if a.Could || a.Text != s.unseen.Error() {
			t.Errorf("claim %d: %+v", i, a)
		}
		if v := verdict(a, Answer{Could: true, Holds: true}); v != CannotLook {
			t.Errorf("claim %d: with a span that holds it is %d", i, v)
		}
	}
}
