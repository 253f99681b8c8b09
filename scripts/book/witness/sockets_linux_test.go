package witness

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAUnixSocketWithoutANameHasNoAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	p, err := Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	all, err := p.Sockets()
	if err != nil {
		t.Fatal(err)
	}
	unnamed := slices.IndexFunc(all, func(s Socket) bool { return s.FD == pair[0] })
	if unnamed < 0 || all[unnamed].Family != "unix" || all[unnamed].Local != "" {
		t.Errorf("a socket that was never bound: %+v", all)
	}
	if !slices.ContainsFunc(all, func(s Socket) bool { return s.Local == path && s.Listening }) {
		t.Errorf("%s is not among %+v", path, all)
	}
}
