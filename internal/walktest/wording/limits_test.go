package wording

import (
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// Bounds on a machine that is busy with other tests; alone each takes a tenth of it.
const (
	hugeFile = 20 * time.Second
	huge10k  = 20 * time.Second
)

// TestAConfigurationOfTenMebibytesIsReadInBoundedTime, and one above the limit is refused before it is parsed.
func TestAConfigurationOfTenMebibytesIsReadInBoundedTime(t *testing.T) {
	var b strings.Builder
	b.WriteString("static_resources:\n  secrets:\n")
	for n := 0; b.Len() < 10<<20; n++ {
		fmt.Fprintf(&b, "  - name: secret-%d # %s\n", n, strings.Repeat("x", 200))
	}
	config, began := walktest.Config(t, b.String()), time.Now()
	p := walktest.Start(t, "04", "-c", config, "--mode", "validate")
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d: %.500s", status, p.Stderr)
	}
	if took := time.Since(began); took > hugeFile {
		t.Errorf("10 MiB took %v", took)
	} else {
		t.Logf("10 MiB: %v", took)
	}
	m := mistake{yaml: "# " + strings.Repeat("x", 16<<20) + "\n", sentence: notAMap,
		values: []any{"the source is too large"}, at: "file", hint: "16 MiB"}
	m.answer(t)
}

// TestTenThousandListenersStartInBoundedTime: the last of them answers. All but that one have abstract names:
// what the kernel takes to find ten thousand free ports is not ours to bound.
func TestTenThousandListenersStartInBoundedTime(t *testing.T) {
	if testing.Short() {
		t.Skip("ten thousand listeners")
	}
	var limit syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	n := 10000
	if limit.Max < uint64(2*n+1000) {
		n = int(limit.Max-1000) / 2
		t.Logf("the limit of fds is %d: %d listeners", limit.Max, n)
	}
	var b strings.Builder
	b.WriteString(static)
	for i := range n - 1 {
		b.WriteString(listener(fmt.Sprintf("l%d", i), pipeAddress(fmt.Sprintf("'@wording-%d-%d'", os.Getpid(), i)), ""))
	}
	b.WriteString(listener(fmt.Sprintf("l%d", n-1), anyPort, ""))
	config, began := walktest.Config(t, b.String()), time.Now()
	p := walktest.Start(t, "04", "-c", config, "--concurrency", "1", "-l", "debug")
	p.WaitFor("all workers have all listeners")
	took := time.Since(began)
	last := p.WaitFor(fmt.Sprintf(`Set listener l%d socket factory local address to (\S+)`, n-1))[1]
	c, err := net.Dial("tcp", last)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if took > huge10k {
		t.Errorf("%d listeners took %v", n, took)
	}
	t.Logf("%d listeners: %v", n, took)
}
