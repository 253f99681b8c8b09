package wording

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// inOrder holds that the text has the messages, up to their first holes, in this order, and notes them.
func inOrder(t *testing.T, text string, messages ...string) {
	t.Helper()
	var parts []string
	for _, m := range messages {
		part, _, _ := strings.Cut(m, "{}")
		parts = append(parts, part)
	}
	ordered(t, text, parts...)
	for _, m := range messages {
		saw(m)
	}
}

// ordered holds that the text has the parts, each after the one before.
func ordered(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest, found := text, true
	for _, part := range parts {
		if _, rest, found = strings.Cut(rest, part); !found {
			t.Fatalf("%q is missing, or comes too early, in:\n%s", part, text)
		}
	}
}

// TestTheStartUpIsToldInEnvoysOrder: with static clusters the workers start before the main loop's line.
func TestTheStartUpIsToldInEnvoysOrder(t *testing.T) {
	admin := shortDir(t) + "/admin"
	config := walktest.Config(t, adminAt(admin)+static+listener("a", anyPort, ""))
	p := walktest.Start(t, "04", "-c", config)
	p.WaitFor("all workers have all listeners")
	if state := get(t, admin, "/ready"); state != "LIVE\n" {
		t.Errorf("/ready says %q", state)
	}
	p.Stop(syscall.SIGTERM)
	inOrder(t, p.Stderr.String(), epoch, extensions, adminAddress, runtimeIs, loadingTracing, loadingSecrets,
		loadingCluster, loadingListen, loadingStats, noLimit, clustersReady, startingWorkers, startingLoop,
		caughtTerm, shuttingDown, loopExited)
	if strings.Contains(p.Stderr.String(), "access log path is required") {
		t.Error("an admin without access_log_path is accepted")
	}
	for _, number := range []string{say(loadingSecrets, 0), say(loadingCluster, 0), say(loadingListen, 1),
		say(epoch, 0, 0, "disabled")} {
		if !strings.Contains(p.Stderr.String(), number) {
			t.Errorf("%q is missing", number)
		}
	}
}

func TestWithoutAnAdminTheServerSaysSo(t *testing.T) {
	p := walktest.Start(t, "04", "-c", walktest.Config(t, static+listener("a", anyPort, "")))
	hears(t, p, noAdmin)
	p.Stop(syscall.SIGTERM)
}

func TestAConfiguredLimitSilencesItsWarning(t *testing.T) {
	config := walktest.Config(t, "layered_runtime:\n  layers:\n  - name: static\n    static_layer:\n"+
		"      overload: {global_downstream_max_connections: 5}\n"+static+listener("a", anyPort, ""))
	p := walktest.Start(t, "04", "-c", config)
	p.WaitFor("all workers have all listeners")
	p.Stop(syscall.SIGTERM)
	if strings.Contains(p.Stderr.String(), noLimit) {
		t.Error("there is a limit, and the log says there is none")
	}
}

func TestAnUnknownFieldThatIsAllowedIsWarnedOfAndCounted(t *testing.T) {
	admin := shortDir(t) + "/admin"
	config := walktest.Config(t, adminAt(admin)+"nonsense: 1\n"+static+listener("a", anyPort, "    adress: {}\n"))
	p := walktest.Start(t, "04", "-c", config, "--allow-unknown-static-fields")
	p.WaitFor("all workers have all listeners")
	const bootstrap = "envoy.config.bootstrap.v3.Bootstrap"
	hears(t, p, warnUnknown, bootstrap, "nonsense")
	hears(t, p, warnUnknown, bootstrap, "(static_resources.listeners[0]) adress")
	p.WaitFor(`Unknown field: .*at ` + config + `:2:1\)`)
	if got := stat(t, admin, "server.static_unknown_fields"); got != 2 {
		t.Errorf("server.static_unknown_fields: %d, want 2", got)
	}
	p.Stop(syscall.SIGTERM)
}

func TestTheSecondStaticListenerOfANameIsSilentlyIgnored(t *testing.T) {
	admin := shortDir(t) + "/admin"
	config := walktest.Config(t, adminAt(admin)+static+listener("twin", anyPort, "")+
		listener("twin", "{socket_address: {address: 127.0.0.2, port_value: 0}}", ""))
	p := walktest.Start(t, "04", "-c", config, "-l", "debug")
	p.WaitFor("all workers have all listeners")
	hears(t, p, duplicateName, "twin")
	if all := get(t, admin, "/listeners"); strings.Count(all, "twin::") != 1 || !strings.Contains(all, "twin::127.0.0.1:") {
		t.Errorf("want the first twin alone:\n%s", all)
	}
	if got := stat(t, admin, "listener_manager.listener_added"); got != 1 {
		t.Errorf("listener_added: %d, want 1", got)
	}
	p.Stop(syscall.SIGTERM)
}

// shortDir is a folder whose name leaves room for a unix socket's, and that any user may enter.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "w")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o755)
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// adminAt is the YAML of an admin on a unix socket: a name nobody else can take, unlike a port. One line.
func adminAt(path string) string { return "admin: {address: {pipe: {path: " + path + "}}}\n" }

// get asks the admin.
func get(t *testing.T, admin, path string) string {
	t.Helper()
	client := http.Client{Timeout: walktest.Patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", admin)
		}}}
	answer, err := client.Get("http://admin" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

// stat is one number of the admin's.
func stat(t *testing.T, admin, name string) int {
	t.Helper()
	for _, line := range strings.Split(get(t, admin, "/stats"), "\n") {
		if value, found := strings.CutPrefix(line, name+": "); found {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("there is no %s", name)
	return 0
}

// freePort asks the kernel for a port that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	l := listen(t, 0)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func listen(t *testing.T, port int) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// ipAddress is an address in YAML's flow style.
func ipAddress(ip string, port int) string {
	return "{socket_address: {address: '" + ip + "', port_value: " + strconv.Itoa(port) + "}}"
}

func pipeAddress(path string) string { return "{pipe: {path: " + path + "}}" }

// accepts reports whether somebody listens there.
func accepts(network, address string) bool {
	c, err := net.DialTimeout(network, address, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func inDir(dir, name string) string { return filepath.Join(dir, name) }
