package wording

import (
	"net"
	"os"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

// abandoned leaves a socket's file that nobody listens on.
func abandoned(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestASocketThatNobodyListensOnIsReplaced(t *testing.T) {
	path := inDir(shortDir(t), "s")
	abandoned(t, path)
	p := walktest.Start(t, "04", "-c", walktest.Config(t, static+
		listener("a", "{pipe: {path: "+path+", mode: 0640}}", "")))
	p.WaitFor("all workers have all listeners")
	if !accepts("unix", path) {
		t.Error("nobody listens on the path")
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info, err)
	}
	if status := p.Stop(syscall.SIGTERM); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func TestASocketThatSomebodyListensOnIsRefused(t *testing.T) {
	path := inDir(shortDir(t), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mistake{yaml: static + listener("a", pipeAddress(path), ""), sentence: cannotBind,
		values: []any{path, "Address already in use"}, at: atAddr, path: address0, hint: "ss -lx"}.answer(t)
	if !accepts("unix", path) {
		t.Error("the one who listened cannot be reached any more")
	}
}

func TestAFileThatIsNoSocketIsNeverRemoved(t *testing.T) {
	path := inDir(shortDir(t), "precious")
	if err := os.WriteFile(path, []byte("data"), 0o644); err != nil {
		t.Fatal(err)
	}
	mistake{yaml: static + listener("a", pipeAddress(path), ""), sentence: cannotBind,
		values: []any{path, "Address already in use"}, at: atAddr, path: address0, hint: "no socket"}.answer(t)
	if text, err := os.ReadFile(path); string(text) != "data" {
		t.Errorf("the file was %q, %v", text, err)
	}
}

func TestAPathThatCannotBeMadeEndsTheStart(t *testing.T) {
	dir := shortDir(t)
	nowhere := inDir(dir, "none/s")
	mistake{yaml: static + listener("a", pipeAddress(nowhere), ""), sentence: cannotBind,
		values: []any{nowhere, "No such file or directory"}, at: atAddr, path: address0, hint: "folder"}.answer(t)
	forbidden := inDir(dir, "s")
	p := startAsNobody(t, "04", "--config-yaml", static+listener("a", pipeAddress(forbidden), ""))
	mistake{sentence: cannotBind, values: []any{forbidden, "Permission denied"}, at: atAddr, path: address0,
		hint: "folder"}.refused(t, p, "--config-yaml")
}

func TestAModeThatCannotBeSetEndsTheStartAndLeavesNoFile(t *testing.T) {
	path := inDir(shortDir(t), "s")
	config := walktest.Config(t, static+listener("a", "{pipe: {path: "+path+", mode: 0600}}", ""))
	p := startWithFault(t, "fchmodat", "EPERM", "04", "-c", config)
	mistake{sentence: modeFailed, values: []any{0o600, "Operation not permitted"}, at: atAddr,
		path: address0}.refused(t, p, config)
	if exists(path) {
		t.Error("the socket's file was left behind")
	}
}

// TestARefusedStartLeavesNoSocketBehind: neither the admin's nor those of the listeners before the bad one.
func TestARefusedStartLeavesNoSocketBehind(t *testing.T) {
	dir := shortDir(t)
	admin, first := inDir(dir, "admin"), inDir(dir, "first")
	mistake{yaml: adminAt(admin) + static + listener("a", pipeAddress(first), "") +
		listener("b", ipAddress(notOurs, 0), ""), sentence: cannotBind,
		values: []any{notOurs + ":0", "Cannot assign requested address"}, at: "8:5",
		path: "static_resources.listeners[1].address"}.answer(t)
	if exists(admin) || exists(first) {
		t.Errorf("left behind: admin %v, listener %v", exists(admin), exists(first))
	}
}

// TestARefusedStartRemovesOnlyWhatItMade: chapter 02 binds nothing, so no file at the path is its own.
func TestARefusedStartRemovesOnlyWhatItMade(t *testing.T) {
	dir := shortDir(t)
	path := inDir(dir, "s")
	for _, chapter := range []string{"02", "03", "04"} {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		p := walktest.Start(t, chapter, "-c", walktest.Config(t, static+listener("a", pipeAddress(path), "")+
			listener("b", anyPort, "    socket_options: [{level: 77, name: 77, int_value: 1}]\n")))
		if chapter == "02" { // it has no options before bind to fail at
			p.WaitFor(startingLoop)
			p.Stop(syscall.SIGTERM)
		} else if status := p.Wait(); status != 1 {
			t.Errorf("chapter %s: exit status %d", chapter, status)
		}
		if !accepts("unix", path) {
			t.Errorf("chapter %s took somebody's socket away", chapter)
		}
		l.Close()
	}
}
