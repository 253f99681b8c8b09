package filterchain

import (
	"os"
	"sync/atomic"
	"testing"

	"envoywalk/internal/kernel"
)

// answers lets the kernel's door answer one call; every says how often: 1 is always.
func answers(t *testing.T, call string, ret int, errno kernel.Errno, every int64) {
	var n atomic.Int64
	t.Cleanup(kernel.SetScript(func(c string, _, _ int) (int, kernel.Errno, bool) {
		if c != call || n.Add(1)%every != 0 {
			return 0, 0, false
		}
		return ret, errno, true
	}))
}

// open is how many fds the process has.
func openFDs(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestWithoutAnFDForTheUpstreamTheClientIsToldAndNothingLeaks(t *testing.T) {
	for call, errno := range map[string]kernel.Errno{"socket": kernel.EMFILE, "connect": kernel.ENETUNREACH} {
		t.Run(call, func(t *testing.T) {
			config, path := fileLog(t)
			u := listen(t)
			p := scene{proxy: "max_connect_attempts: 3, " + config, hosts: []string{u.address()}}.start(t)
			answers(t, call, -1, errno, 1)
			before := openFDs(t)
			client := p.dial()
			ends(t, client)
			client.Close()
			flags := map[string]string{"socket": "URX", "connect": "UF,URX"}[call]
			same(t, "the log", p.logged(path), flags+" 0 0 "+u.address()+" c D")
			same(t, "failures", p.counter("cluster.c.upstream_cx_connect_fail"), 3)
			p.eventually("no fd is left over", func() bool { return openFDs(t) == before })
		})
	}
}

// through sends size bytes each way and wants them to arrive, under whatever the kernel is made to
// answer.
func through(t *testing.T, size int) {
	t.Helper()
	u := listen(t)
	p := scene{hosts: []string{u.address()}, quiet: true}.start(t)
	client := p.dial()
	server := u.accept()
	there, back := newStream(size), newStream(size+1)
	sent := there.send(client, client.CloseWrite)
	receive(t, server, there, size)
	same(t, "sending there", <-sent, error(nil))
	sent = back.send(server, server.CloseWrite)
	receive(t, client, back, size+1)
	same(t, "sending back", <-sent, error(nil))
}

func TestShortCountsLoseAndRepeatNothing(t *testing.T) {
	t.Run("reads", func(t *testing.T) {
		answers(t, "readv", 7, kernel.AtMost, 1)
		through(t, 256<<10)
	})
	t.Run("writes", func(t *testing.T) {
		answers(t, "writev", 7, kernel.AtMost, 1)
		through(t, 256<<10)
	})
}

func TestAKernelShortOfMemoryIsAskedAgain(t *testing.T) {
	for _, call := range []string{"readv", "writev"} {
		t.Run(call, func(t *testing.T) {
			answers(t, call, -1, kernel.ENOBUFS, 10)
			through(t, 4*mib)
		})
	}
}

func TestInterruptedCallsAreMadeAgain(t *testing.T) {
	for _, call := range []string{"readv", "writev"} {
		t.Run(call, func(t *testing.T) {
			answers(t, call, -1, kernel.EINTR, 2)
			through(t, 8*mib)
		})
	}
}
