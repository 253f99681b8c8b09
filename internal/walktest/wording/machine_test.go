package wording

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

// What a test needs of the machine, and may not get.

const nobody = 65534

// startAsNobody starts a binary as a user without rights.
func startAsNobody(t *testing.T, chapter string, args ...string) *walktest.Process {
	t.Helper()
	cmd := command(t, chapter, args...)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		cmd.Dir = "/"
		probe := exec.Command("/bin/true")
		probe.SysProcAttr = cmd.SysProcAttr
		if err := probe.Run(); err != nil {
			skip(t, "no process may be started as user %d: %v", nobody, err)
		}
	} else if rights(t) != 0 {
		skip(t, "this user has capabilities, and is not root to give them up")
	}
	return walktest.StartCommand(t, cmd)
}

// rights are the effective capabilities of this process.
func rights(t *testing.T) uint64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "CapEff:")
	set, err := strconv.ParseUint(strings.TrimSpace(strings.SplitN(rest, "\n", 2)[0]), 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// privilegedPort is one that only who may bind below the limit can have.
func privilegedPort(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		skip(t, "%v", err)
	}
	start, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || start <= 1 {
		skip(t, "net.ipv4.ip_unprivileged_port_start is %q: every port is everybody's", text)
	}
	return start - 1
}

// startWithoutIPv6 starts a binary in a network namespace of its own, in which IPv6 is off.
func startWithoutIPv6(t *testing.T, chapter string, args ...string) *walktest.Process {
	t.Helper()
	const off = `echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && exec "$@"`
	for _, unshare := range [][]string{{"unshare", "-n"}, {"unshare", "-rn"}} {
		in := append(unshare, "sh", "-c", off, "sh")
		if exec.Command(in[0], append(in[1:], "true")...).Run() != nil {
			continue
		}
		all := append(append(in, walktest.Binary(t, chapter)), args...)
		return walktest.StartCommand(t, exec.Command(all[0], all[1:]...))
	}
	skip(t, "unshare -n with IPv6 off is not permitted here")
	return nil
}

// startWithFault starts a binary under strace, which answers a system call in the kernel's place.
func startWithFault(t *testing.T, call, errno, chapter string, args ...string) *walktest.Process {
	t.Helper()
	in := []string{"strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
		"inject=" + call + ":error=" + errno}
	if err := exec.Command(in[0], append(in[1:], "true")...).Run(); err != nil {
		skip(t, "strace cannot inject %s into %s here: %v", errno, call, err)
	}
	all := append(append(in, walktest.Binary(t, chapter)), args...)
	return walktest.StartCommand(t, exec.Command(all[0], all[1:]...))
}
