package witness

import (
	"encoding/binary"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestACounterIsSeenAndNothingIsTakenFromIt(t *testing.T) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 20 {
		if _, err := unix.Write(fd, binary.NativeEndian.AppendUint64(nil, 1)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for range 2 {
		if got := find(t, p, fd); got.Kind != "eventfd" || got.Counter != 20 {
			t.Errorf("fd %d is %+v, want an eventfd that stands at 20", fd, got)
		}
	}
}

func TestAnEpollSetIsNoEventfd(t *testing.T) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	p, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := find(t, p, fd); got.Kind != "eventpoll" {
		t.Errorf("fd %d is %+v, want an eventpoll", fd, got)
	}
}

// Between the moment when an fd is listed and the one when it is asked, it may be gone, and may be another.
func TestWhatIsClosedMeanwhileIsNotThereAndHindersNobody(t *testing.T) {
	p, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	enough, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-enough:
				return
			default:
			}
			counter, _ := unix.Eventfd(0, unix.EFD_CLOEXEC)
			unix.Close(counter)
			epoll, _ := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
			unix.Close(epoll)
			socket, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
			unix.Close(socket)
		}
	}()
	for range 2000 {
		if _, err := p.Fds(); err != nil {
			t.Fatal(err)
		}
		if _, err := p.EpollSets(); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Sockets(); err != nil {
			t.Fatal(err)
		}
	}
	close(enough)
	<-ended
}

func find(t *testing.T, p *Process, fd int) Fd {
	t.Helper()
	all, err := p.Fds()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.FD == fd {
			return f
		}
	}
	t.Fatalf("fd %d is not among %v", fd, all)
	return Fd{}
}
