package startup

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

// adminClient hands one end of a connected pair to the admin, as chapter 04 hands over what it accepts.
func adminClient(t *testing.T, d *Demo) net.Conn {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fds[0]), "client")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(walktest.Patience))
	d.OnMain(func() { d.Instance.Admin.serve(fds[1]) })
	return conn
}

const askReady = "GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n"

func askOver(t *testing.T, conn net.Conn, request string) (*http.Response, string) {
	t.Helper()
	io.WriteString(conn, request)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Error(err)
		return &http.Response{}, ""
	}
	body, _ := io.ReadAll(answer.Body)
	return answer, string(body)
}

// withAdmin serves with an admin, whose access logs are given as YAML fields.
func withAdmin(t *testing.T, logs string, during func(*Demo)) (int, []string) {
	t.Helper()
	const address = "  address: { socket_address: { address: 127.0.0.1, port_value: 0 } }\n"
	return serve(t, "admin:\n"+address+logs, nil, during)
}

func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

func TestTheAccessLogHasEnvoysDefaultFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access")
	withAdmin(t, "  access_log_path: "+path+"\n", func(d *Demo) {
		conn := adminClient(t, d)
		askOver(t, conn, "GET /ready?x=1 HTTP/1.1\r\nHost: localhost:9901\r\nUser-Agent: curl/8\r\n"+
			"X-Request-Id: 7\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n")
		askOver(t, conn, "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello")
		askOver(t, conn, "GET /runtime_modify HTTP/1.0\r\n\r\n")
	})
	const when = `^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] `
	lines := strings.Split(strings.TrimSpace(read(path)), "\n")
	for n, want := range []string{
		`"GET /ready\?x=1 HTTP/1.1" 200 - 0 5 \d+ - "10.0.0.1" "curl/8" "7" "localhost:9901" "-"$`,
		`"POST /nothing HTTP/1.1" 404 - 5 \d+ \d+ - "-" "-" "-" "localhost" "-"$`,
		`"GET /runtime_modify HTTP/1.0" 405 - 0 \d\d \d+ - "-" "-" "-" "-" "-"$`} {
		if n >= len(lines) || !regexp.MustCompile(when+want).MatchString(lines[n]) {
			t.Errorf("line %d of %q, want %s", n, lines, want)
		}
	}
	if len(lines) != 3 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestEveryConfiguredAccessLogIsWritten(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "format")
	os.WriteFile(source, []byte("source %RESPONSE_CODE% 100%%\n"), 0o644)
	const file = `"@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog`
	logs := fmt.Sprintf(`  access_log_path: %[1]s/a
  access_log:
  - name: envoy.access_loggers.file
    typed_config: { %[2]s, path: %[1]s/b, format: "old %%PROTOCOL%%\n" }
  - name: envoy.access_loggers.file
    typed_config:
      %[2]s
      path: %[1]s/c
      log_format: { text_format: "%%REQ(A?B):3%% %%RESP(CONTENT-TYPE):4%%\n" }
  - name: envoy.access_loggers.file
    typed_config: { %[2]s, path: %[1]s/d, log_format: { text_format_source: { filename: %[3]s } } }
  - { name: envoy.access_loggers.file, typed_config: { %[2]s, path: /dev/null } }
`, dir, file, source)
	withAdmin(t, logs, func(d *Demo) {
		if n := len(d.Instance.Admin.logs); n != 4 {
			t.Errorf("%d logs: /dev/null must cost nothing", n)
		}
		askOver(t, adminClient(t, d), "GET /ready HTTP/1.1\r\nHost: localhost\r\nB: abcdef\r\n\r\n")
	})
	for name, want := range map[string]string{
		"b": "old HTTP/1.1\n", "c": "abc text\n", "d": "source 200 100%\n"} {
		if got := read(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(read(filepath.Join(dir, "a")), `"GET /ready HTTP/1.1" 200`) {
		t.Error("access_log_path:", read(filepath.Join(dir, "a")))
	}
}

func TestAccessLogsOnStandardStreams(t *testing.T) {
	const stream = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3."
	s := startServer(t, tcpAdmin[:len(tcpAdmin)-2]+`, access_log: [
  {name: envoy.access_loggers.stdout, typed_config: {"@type": `+stream+`StdoutAccessLog}},
  {name: envoy.access_loggers.stderr, typed_config: {"@type": `+stream+
		`StderrAccessLog, log_format: {text_format: "asked %REQ(:PATH)%\n"}}}] }`+oneListener)
	s.expect("GET", "/ready", 200, "LIVE")
	s.WaitFor(`"GET /ready HTTP/1.1" 200 - 0 5 \d+ - "-" "test" "-" "127.0.0.1:\d+" "-"\n`)
	s.WaitFor("asked /ready\n")
}

func TestAnAccessLogThatCannotBeKeptEndsTheStart(t *testing.T) {
	const file = `access_log: [{name: envoy.access_loggers.file, typed_config: {"@type": ` +
		`type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, ` +
		`path: /dev/null, format: "%s"}}]`
	for logs, want := range map[string]string{
		"access_log_path: /nowhere/x":      "unable to open file '/nowhere/x': No such file or directory",
		"access_log_path: /":               "unable to open file '/': Is a directory",
		fmt.Sprintf(file, "%%NOTHING%%"):   "Not supported field in StreamInfo: NOTHING",
		fmt.Sprintf(file, "%%REQ(A):x%%"):  "Couldn't find valid command at position 0",
		fmt.Sprintf(file, "50%% of %%REQ"): "Couldn't find valid command at position 2",
		fmt.Sprintf(file, "%%REQ"):         "Couldn't find valid command at position 0",
	} {
		logs = strings.ReplaceAll(logs, "%%", "%")
		code, log := withAdmin(t, "  "+logs+"\n", func(*Demo) { t.Error(logs, "serves") })
		if code != 1 || !strings.Contains(strings.Join(only(log, "error init"), ""), want) {
			t.Errorf("%s: status %d, %q, want %q", logs, code, only(log, "error init"), want)
		}
	}
}

func TestAnAccessLogIsReopenedAfterARename(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access")
	s := startServer(t, tcpAdmin[:len(tcpAdmin)-2]+", access_log_path: "+path+" }"+oneListener)
	s.expect("GET", "/ready?1", 200, "")
	os.Rename(path, path+".1")
	s.expect("GET", "/ready?2", 200, "")
	s.Cmd.Process.Signal(syscall.SIGUSR1)
	eventually(t, "the new file", func() bool { _, err := os.Stat(path); return err == nil })
	s.expect("GET", "/ready?3", 200, "")
	s.Stop(syscall.SIGTERM)
	both := read(path+".1") + "|" + read(path)
	same(t, regexp.MustCompile(`/ready\?\d`).FindAllString(both, -1), []string{"/ready?1", "/ready?2", "/ready?3"})
	if !strings.Contains(read(path), "/ready?3") {
		t.Error("the new file:", read(path))
	}
}

func TestASlowHeaderIsCutOffAndNeverBlocksMain(t *testing.T) {
	withAdmin(t, "", func(d *Demo) {
		d.OnMain(func() { d.Instance.Admin.http.ReadHeaderTimeout = 20 * time.Millisecond })
		slow := adminClient(t, d)
		fmt.Fprint(slow, "GET /ready HTTP/1.1\r\nHost:")
		if answer, _ := askOver(t, adminClient(t, d), askReady); answer.StatusCode != 200 {
			t.Error("meanwhile:", answer.Status)
		}
		if rest, err := io.ReadAll(slow); err != nil || strings.Contains(string(rest), "200") {
			t.Errorf("%q %v", rest, err)
		}
	})
}

func TestReadyTellsEveryOtherStateWith503(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "drain"), nil, 0o644)
	withAdmin(t, "flags_path: "+dir+"\n", func(d *Demo) {
		answer, body := askOver(t, adminClient(t, d), askReady)
		if answer.StatusCode != 503 || body != "DRAINING\n" {
			t.Error(answer.StatusCode, body)
		}
	})
}

func TestMoreConnectionsThanTheAdminHasAreClosed(t *testing.T) {
	_, log := withAdmin(t, "", func(d *Demo) {
		var all []net.Conn
		for range maxAdminConnections + 1 {
			all = append(all, adminClient(t, d))
		}
		last := all[len(all)-1]
		if n, err := last.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Error("the last one was not closed")
		}
		all[0].Close()
		a := d.Instance.Admin
		eventually(t, "room again", func() bool { return a.open.Load() < maxAdminConnections })
		if answer, _ := askOver(t, adminClient(t, d), askReady); answer.StatusCode != 200 {
			t.Error(answer.Status)
		}
	})
	if len(only(log, "more than 256 admin connections")) != 1 {
		t.Error(only(log, "admin"))
	}
}
