package startup

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"envoywalk/internal/log"
)

func TestFailedHealthChecksShowEverywhereAndCanBeUndone(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		a.expect("POST", "/healthcheck/fail", 200, "OK\n")
		a.expect("GET", "/ready", 503, "DRAINING\n")
		a.expect("GET", "/server_info", 200, `/"state": "DRAINING"/`)
		if live, state := a.stat("server.live"), a.stat("server.state"); live != "0" || state != "1" {
			t.Errorf("server.live %s, server.state %s", live, state)
		}
		a.expect("POST", "/healthcheck/ok", 200, "OK\n")
		a.expect("GET", "/ready", 200, "LIVE\n")
		if live, state := a.stat("server.live"), a.stat("server.state"); live != "1" || state != "0" {
			t.Errorf("server.live %s, server.state %s", live, state)
		}
	})
}

// loggingUsage is what Envoy 1.17 says to a /logging request that it does not understand.
const loggingUsage = "usage: /logging?<name>=<level> (change single level)\n" +
	"usage: /logging?level=<level> (change all levels)\n" +
	"levels: trace debug info warning error critical off \n"

func TestLogLevelsReallyChange(t *testing.T) {
	lines := whileAdminServes(t, "", nil, func(a asking) {
		main := a.instance.Log.Component(log.Main)
		main.Debug("not shown: before")
		list := a.expect("POST", "/logging", 200, "/^active loggers:\n  admin: info\n.*  wasm: info\n\n$/")
		a.expect("POST", "/logging?main=debug", 200, strings.Replace(list, "main: info", "main: debug", 1))
		main.Debug("shown: main alone")
		a.instance.Log.Component(log.Config).Debug("not shown: another component")
		a.expect("POST", "/logging?level=error", 200, strings.ReplaceAll(list, ": info", ": error"))
		main.Info("not shown: after")
		a.expect("POST", "/logging?level=info", 200, list)
		for _, wrong := range [...]string{"level=loud", "level=warn", "nobody=info", "level=info&main=info", "level"} {
			a.expect("POST", "/logging?"+wrong, 404, loggingUsage+list)
		}
	})
	same(t, only(lines, "shown: "), []string{"shown: main alone"})
}

func TestCountersAreResetAndNothingElse(t *testing.T) {
	whileAdminServes(t, "", nil, func(a asking) {
		counter, gauge := a.instance.Stats.Scope("t").Counter("c"), a.instance.Stats.Scope("t").Gauge("g")
		counter.Add(5)
		gauge.Set(6)
		a.expect("POST", "/reset_counters", 200, "OK\n")
		a.expect("GET", "/stats?filter=^t%5C.", 200, "t.c: 0\nt.g: 6\n")
	})
}

func TestQuitQuitQuitAnswersAndEndsTheServer(t *testing.T) {
	lines := whileAdminServes(t, "", nil, func(a asking) { a.expect("POST", "/quitquitquit", 200, "OK\n") })
	if len(only(lines, "shutting down server instance")) != 1 || lines[len(lines)-1] != "exiting" {
		t.Errorf("the log ends with %q", lines[len(lines)-3:])
	}
}

func TestReopenLogsLetsAMovedFileGo(t *testing.T) {
	var path string
	whileAdminServes(t, "", nil, func(a asking) {
		path = a.instance.Options.LogPath
		if err := os.Rename(path, path+".1"); err != nil {
			t.Error(err)
		}
		a.expect("POST", "/reopen_logs", 200, "OK\n")
		a.instance.Log.Component(log.Main).Info("in the new file")
	})
	if text, _ := os.ReadFile(path); !strings.Contains(string(text), "in the new file") {
		t.Errorf("the new file has %q", text)
	}
}

// stopping notes how it is asked to stop.
type stopping struct {
	*countingListeners
	asked []bool
}

func (s *stopping) StopListeners(inboundOnly bool) { s.asked = append(s.asked, inboundOnly) }

func TestDrainListenersStopsWhatItIsAskedTo(t *testing.T) {
	listeners := &stopping{}
	change := func(s *Seams) {
		s.ListenerManager = func(i *Instance) ListenerManager {
			listeners.countingListeners = &countingListeners{instance: i}
			return listeners
		}
	}
	whileAdminServes(t, "", change, func(a asking) {
		a.expect("POST", "/drain_listeners", 200, "OK\n")
		a.expect("POST", "/drain_listeners?inboundonly", 200, "OK\n")
		a.OnMain(func() {
			if got := listeners.asked; len(got) != 2 || got[0] || !got[1] {
				t.Errorf("asked to stop: %v", got)
			}
		})
		a.expect("POST", "/drain_listeners?graceful", 200, "OK\n")
		a.expect("POST", "/drain_listeners?graceful&inboundonly", 200, "OK\n") // it drains already
		a.OnMain(func() {
			if len(listeners.asked) != 2 || !a.instance.DrainManager.Draining() {
				t.Errorf("with ?graceful nothing stops before its time: %v", listeners.asked)
			}
		})
	})
}

func TestTheServerTellsWhatItWaitsFor(t *testing.T) {
	waits := func(m *InitManager, names ...string) {
		t.Helper()
		dump := &adminv3.UnreadyTargetsDumps{}
		m.dumpUnreadyTargets(dump)
		one := dump.GetUnreadyTargetsDumps()[0]
		same(t, append([]string{one.GetName()}, one.GetTargetNames()...), append([]string{"Server"}, names...))
	}
	m := NewInitManager("Server")
	one, two := NewInitTarget("one", func() {}), NewInitTarget("two", func() {})
	m.Add(one)
	m.Add(two)
	waits(m, "one", "two")
	m.Initialize(func() {})
	one.Ready()
	waits(m, "two")
	two.Ready()
	waits(m)
}

func TestWhoeverBindsTheAdminWhereOthersReachItIsWarned(t *testing.T) {
	for address, exposed := range map[string]bool{"127.0.0.1": false, "127.8.8.8": false, "'::1'": false,
		"'::ffff:127.0.0.1'": false, "0.0.0.0": true, "'::'": true, "10.0.0.1": true} {
		_, lines := serve(t, strings.Replace(adminOnly, "127.0.0.1", address, 1), nil, nil)
		warned := only(lines, "is not a loopback address: whoever can reach it can stop this server")
		if (len(warned) == 1) != exposed {
			t.Errorf("%s: %q", address, warned)
		}
	}
	pipe := "admin: { address: { pipe: { path: " + filepath.Join(t.TempDir(), "a") + " } } }"
	if _, lines := serve(t, pipe, nil, nil); len(only(lines, "loopback")) != 0 {
		t.Error("a unix socket is not exposed")
	}
}

func TestNetHTTPComplainsInTheServersLog(t *testing.T) {
	lines := whileAdminServes(t, "", nil, func(a asking) {
		a.http.ErrorLog.Print("http: a client misbehaved")
		a.http.ErrorLog.Print("http: panic serving somebody")
	})
	// The other line is for -l debug.
	same(t, only(lines, "misbehaved", "panic serving"), []string{"http: panic serving somebody"})
}

func TestAPageWhoseAnswerCannotBeHadSaysSo(t *testing.T) {
	var ended asking
	whileAdminServes(t, "", nil, func(a asking) {
		ended = a
		w := httptest.NewRecorder()
		a.WriteProto(w, &anypb.Any{TypeUrl: "type.googleapis.com/nobody.knows.This"})
		if w.Code != 503 || !strings.Contains(w.Body.String(), "nobody.knows.This") {
			t.Errorf("%d %q", w.Code, w.Body)
		}
	})
	for _, path := range [...]string{"/ready", "/config_dump", "/init_dump", "/server_info", "/listeners",
		"/runtime"} {
		ended.expect("GET", path, 503, "the main thread does not answer\n")
	}
	for _, path := range [...]string{"/healthcheck/fail", "/drain_listeners", "/runtime_modify?a=b"} {
		ended.expect("POST", path, 503, "the main thread does not answer\n")
	}
}
