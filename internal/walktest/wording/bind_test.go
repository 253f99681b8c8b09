package wording

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

const notOurs = "192.0.2.1" // TEST-NET-1: nobody's

// TestAPortThatIsTakenEndsTheStart, in the chapters that bind, and what was bound before is free again.
func TestAPortThatIsTakenEndsTheStart(t *testing.T) {
	for _, chapter := range []string{"03", "04"} {
		t.Run(chapter, func(t *testing.T) {
			before, taken := freePort(t), freePort(t)
			listen(t, taken)
			m := mistake{chapter: chapter, sentence: cannotBind,
				yaml: static + listener("first", ipAddress("127.0.0.1", before), "") +
					listener("second", ipAddress("127.0.0.1", taken), ""),
				values: []any{fmt.Sprintf("127.0.0.1:%d", taken), "Address already in use"},
				at:     "7:5", path: "static_resources.listeners[1].address", hint: "ss -ltnp"}
			m.answer(t)
			listen(t, before)
		})
	}
}

func TestAnAddressThatIsNotOursEndsTheStart(t *testing.T) {
	all(t, []mistake{
		{name: "of a listener", yaml: static + listener("a", ipAddress(notOurs, 0), ""), sentence: cannotBind,
			values: []any{notOurs + ":0", "Cannot assign requested address"}, at: atAddr, path: address0,
			hint: "bind_to_port: false"},
		{name: "of the admin", yaml: "admin:\n  address: " + ipAddress(notOurs, 0) + "\n", sentence: cannotBind,
			values: []any{notOurs + ":0", "Cannot assign requested address"}, at: "2:3", path: "admin.address",
			hint: "not this machine's"},
	})
}

func TestAPrivilegedPortEndsTheStartOfWhoHasNoPrivilege(t *testing.T) {
	port := privilegedPort(t)
	m := mistake{sentence: cannotBind, values: []any{fmt.Sprintf("127.0.0.1:%d", port), "Permission denied"},
		at: atAddr, path: address0, hint: "net.ipv4.ip_unprivileged_port_start"}
	p := startAsNobody(t, "04", "--config-yaml", static+listener("a", ipAddress("127.0.0.1", port), ""))
	m.refused(t, p, "--config-yaml")
}

// TestOnAWorkerOnlyTheListenerFails: with reuse_port the bind is the workers', and the process lives on.
func TestOnAWorkerOnlyTheListenerFails(t *testing.T) {
	taken := freePort(t)
	listen(t, taken)
	for _, f := range []struct{ name, ip, why, hint string }{
		{"the port is taken", "127.0.0.1", "Address already in use", "ss -ltnp"},
		{"the address is not ours", notOurs, "Cannot assign requested address", "not this machine's"},
	} {
		t.Run(f.name, func(t *testing.T) {
			address := fmt.Sprintf("%s:%d", f.ip, taken)
			failsOnAWorker(t, walktest.Start, failing{listener("broken", ipAddress(f.ip, taken), reuse), address,
				say(cannotBind, address, f.why), "4:5", f.hint})
			saw(cannotBind)
		})
	}
}

// starter is walktest.Start, or one that starts a binary in another way.
type starter func(t testing.TB, chapter string, args ...string) *walktest.Process

// failing is a listener named broken, the first of two, which stand from the third line on.
type failing struct{ yaml, address, why, at, hint string }

// failsOnAWorker starts a server with a listener that fails, and another, which must serve.
func failsOnAWorker(t *testing.T, start starter, f failing) {
	t.Helper()
	dir := shortDir(t)
	admin, good := inDir(dir, "admin"), inDir(dir, "good")
	config := walktest.Config(t, adminAt(admin)+static+f.yaml+listener("good", pipeAddress(good), ""))
	p := start(t, "04", "-c", config, "--concurrency", "2")
	p.WaitFor("all workers have all listeners")
	hears(t, p, addFailed, f.why)
	hears(t, p, listenFailed, "broken", f.address)
	ordered(t, p.Stderr.String(), say(addFailed, f.why), say(listenFailed, "broken", f.address),
		"at "+config+":"+f.at, "path: static_resources.listeners[0]")
	if !strings.Contains(p.Stderr.String(), f.hint) {
		t.Errorf("no hint says %q:\n%s", f.hint, p.Stderr)
	}
	if !accepts("unix", good) {
		t.Error("the other listener does not serve")
	}
	for name, want := range map[string]int{"listener_create_failure": 1, "listener_create_success": 2,
		"total_listeners_active": 1, "workers_started": 1} {
		if got := stat(t, admin, "listener_manager."+name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if all := get(t, admin, "/listeners"); strings.Contains(all, "broken") || !strings.Contains(all, "good") {
		t.Errorf("want the good listener alone:\n%s", all)
	}
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d", status)
	}
	if n := strings.Count(p.Stderr.String(), say(listenFailed, "broken", f.address)); n != 1 {
		t.Errorf("the failure is told %d times, want once for all workers", n)
	}
}

// TestWithIPv6OffOnlyItsListenerFails: the kernel still makes IPv6 sockets, and has no address for them.
func TestWithIPv6OffOnlyItsListenerFails(t *testing.T) {
	start := func(t testing.TB, chapter string, args ...string) *walktest.Process {
		return startWithoutIPv6(t.(*testing.T), chapter, args...)
	}
	failsOnAWorker(t, start, failing{listener("broken", ipAddress("::1", 10000), reuse), "[::1]:10000",
		say(cannotBind, "[::1]:10000", "Cannot assign requested address"), "4:5", "not this machine's"})
}

func TestAMachineWithoutIPv6IsToldApart(t *testing.T) {
	config := walktest.Config(t, static+listener("a", ipAddress("::1", 0), ""))
	p := startWithFault(t, "socket", "EAFNOSUPPORT", "04", "-c", config)
	m := mistake{sentence: noIPv6, values: []any{"[::1]:0"}, at: atAddr, path: address0}
	m.refused(t, p, config)
}

// TestAFailureOnEveryWorkerLeavesAProcessThatServesNothing: Envoy's does not end either.
func TestAFailureOnEveryWorkerLeavesAProcessThatServesNothing(t *testing.T) {
	port := freePort(t)
	listen(t, port)
	config := walktest.Config(t, static+listener("only", ipAddress("127.0.0.1", port), reuse))
	p := walktest.Start(t, "04", "-c", config)
	p.WaitFor("all workers have all listeners")
	if status := p.Stop(os.Interrupt); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
