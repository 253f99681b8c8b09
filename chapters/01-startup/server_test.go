package startup

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"envoywalk/internal/walktest"
)

var milestones = []string{"all clusters initialized", "all dependencies initialized", "all workers have",
	"starting main dispatch loop"}

func TestWithStaticClustersWorkersStartBeforeTheMainLoop(t *testing.T) {
	_, log := serve(t, "{}", nil, nil)
	same(t, only(log, milestones...), []string{
		"all clusters initialized. initializing init manager",
		"all dependencies initialized. starting workers",
		"all workers have all listeners",
		"starting main dispatch loop"})
}

func TestWithClustersThatTakeTimeTheMainLoopComesFirst(t *testing.T) {
	_, log := serve(t, "{}", func(s *Seams) {
		s.ClusterManager = func(i *Instance) (ClusterManager, error) {
			return &clusters{initialized: func(done func()) { onLoop(i, done) }}, nil
		}
	}, nil)
	same(t, only(log, milestones...), []string{
		"starting main dispatch loop",
		"all clusters initialized. initializing init manager",
		"all dependencies initialized. starting workers",
		"all workers have all listeners"})
}

func TestAShutdownDuringInitializationStartsNothingMore(t *testing.T) {
	for name, stop := range map[string]func(i *Instance, done func()){
		"before the clusters are there": func(i *Instance, done func()) {
			onLoop(i, i.Shutdown)
			onLoop(i, done)
		},
		"before the loop runs": func(i *Instance, done func()) { i.Shutdown(); done() },
		"while a target is awaited": func(i *Instance, done func()) {
			var target *InitTarget
			target = NewInitTarget("slow", func() {
				onLoop(i, i.Shutdown)
				onLoop(i, func() { target.Ready() })
			})
			i.InitManager.Add(target)
			done()
		},
	} {
		code, log := serve(t, "{}", func(s *Seams) {
			s.ClusterManager = func(i *Instance) (ClusterManager, error) {
				return &clusters{initialized: func(done func()) { stop(i, done) }}, nil
			}
		}, func(*Demo) { t.Error(name, ": it serves") })
		if started := only(log, "starting workers", "all workers have"); code != 0 || len(started) > 0 {
			t.Errorf("%s: status %d, %q", name, code, started)
		}
		same(t, log[len(log)-2:], []string{"main dispatch loop exited", "exiting"})
	}
}

func TestStatesFollowTheInitManager(t *testing.T) {
	var s story
	tell := func(i *Instance) { s.tells(i.State().String())() }
	serve(t, "{}", func(seams *Seams) {
		seams.ClusterManager = func(i *Instance) (ClusterManager, error) {
			var target *InitTarget
			target = NewInitTarget("test", func() {
				tell(i)
				onLoop(i, func() { tell(i); target.Ready(); tell(i) })
			})
			i.InitManager.Add(target)
			tell(i)
			return &clusters{initialized: func(done func()) { onLoop(i, done) }}, nil
		}
	}, nil)
	same(t, s, []string{"PRE_INITIALIZING", "INITIALIZING", "INITIALIZING", "LIVE"})
}

func TestADrainFileMakesTheServerDrain(t *testing.T) {
	dir := t.TempDir()
	state := func() (s State) {
		serve(t, "{flags_path: '"+dir+"'}", nil, func(d *Demo) {
			d.OnMain(func() { s = d.Instance.State() })
		})
		return s
	}
	if s := state(); s != Live {
		t.Error("without the file:", s)
	}
	if err := os.WriteFile(filepath.Join(dir, "drain"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if s := state(); s != Draining {
		t.Error("with the file:", s)
	}
}

// With nothing open a second SIGTERM, at any moment until the process is gone, changes nothing.
func TestASecondSIGTERMDoesNoHarm(t *testing.T) {
	kill := func() { // this very thread: another may take a signal of the process when it likes
		unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTERM)
	}
	code, log := serve(t, "{}", func(s *Seams) {
		s.ClusterManager = func(i *Instance) (ClusterManager, error) {
			i.RegisterCallback(StageShutdownExit, func(done func()) { kill(); onLoop(i, done) })
			return &clusters{initialized: func(done func()) { done() }, shutdown: kill}, nil
		}
	}, func(*Demo) { kill() })
	if code != 0 || len(only(log, "shutting down server instance")) != 1 || log[len(log)-1] != "exiting" {
		t.Errorf("status %d: %q", code, log)
	}
}

func TestSignalsOfTheRealServer(t *testing.T) {
	config := walktest.Config(t, "admin: {}\n")
	for _, s := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := walktest.Start(t, "01", "-c", config)
		p.Ready()
		p.Cmd.Process.Signal(syscall.SIGHUP)
		p.WaitFor("caught and eating SIGHUP. See documentation for how to hot restart.")
		if code := p.Stop(s); code != 0 {
			t.Errorf("%v: status %d", s, code)
		}
		p.WaitFor("main dispatch loop exited")
	}
}

// SIGUSR1 after a rename: every line is in the old file or the new, in order.
func TestSIGUSR1LosesNoLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	p := walktest.Start(t, "01", "-c", walktest.Config(t, "admin: {}\n"), "--log-path", path)
	has := func(file, word string) func() bool {
		return func() bool { return len(only(messages(file), word)) > 0 }
	}
	eventually(t, "main loop", has(path, "starting main dispatch loop"))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	p.Cmd.Process.Signal(syscall.SIGHUP)
	eventually(t, "a line in the old file", has(path+".1", "SIGHUP"))
	p.Cmd.Process.Signal(syscall.SIGUSR1)
	eventually(t, "the new file", func() bool { _, err := os.Stat(path); return err == nil })
	p.Stop(syscall.SIGTERM)
	all := append(messages(path+".1"), messages(path)...)
	same(t, only(all, "starting main", "SIG", "shutting down", "exit"), []string{
		"starting main dispatch loop",
		"caught and eating SIGHUP. See documentation for how to hot restart.",
		"caught SIGUSR1. Reopening access logs.",
		"caught " + terminated,
		"shutting down server instance", "main dispatch loop exited", "exiting"})
}

const terminated = "ENVOY_SIGTERM" // as Envoy 1.17 says it

func TestExitLeavesNothingBehind(t *testing.T) {
	run := func() { serve(t, demoConfig, nil, nil) }
	run() // what is made once a process
	before := held()
	for range 3 {
		run()
	}
	eventually(t, "as many goroutines, threads and fds as before", func() bool {
		now := held()
		return now.goroutines <= before.goroutines && now.fds <= before.fds && now.threads <= before.threads+2
	})
}

func TestAStartThatFailsLeavesNothingBehind(t *testing.T) {
	bad := walktest.Config(t, "{admin: {address: {socket_address: {address: localhost, port_value: 0}}}}")
	worse := walktest.Config(t, "{layered_runtime: {layers: [{name: a, static_layer: {k: [1]}}]}}")
	runs := [][]string{{"-c", bad}, {"-c", worse}, {"-c", "/nowhere"}, {"--log-format", "%Q"},
		{"--component-log-level", "nobody:debug"}, {"-c", bad, "--mode", "validate"}}
	fail := func() {
		for _, args := range runs {
			if code, _ := serve(t, "{}", nil, func(*Demo) { t.Error(args, "serves") }, args...); code != 1 {
				t.Errorf("%v: status %d", args, code)
			}
		}
	}
	fail()
	before := held()
	fail()
	eventually(t, "as many goroutines and fds as before", func() bool {
		now := held()
		return now.goroutines <= before.goroutines && now.fds <= before.fds
	})
}

type holdings struct{ goroutines, threads, fds int }

func held() holdings {
	count := func(dir string) int {
		entries, _ := os.ReadDir(dir)
		return len(entries)
	}
	return holdings{runtime.NumGoroutine(), count("/proc/self/task"), count("/proc/self/fd")}
}

func TestTheThreeModes(t *testing.T) {
	good := walktest.Config(t, "admin: {}\n")
	bad := walktest.Config(t, "amdin: {}\n")
	for _, c := range []struct {
		mode, config string
		code         int
		stdout       string
	}{{"validate", good, 0, "configuration '" + good + "' OK\n"}, {"validate", bad, 1, ""},
		{"init_only", good, 0, ""}, {"init_only", bad, 1, ""}, {"serve", bad, 1, ""}} {
		p := walktest.Start(t, "01", "--mode", c.mode, "-c", c.config)
		if code := p.Wait(); code != c.code || p.Stdout.String() != c.stdout {
			t.Errorf("%s %s: status %d, says %q", c.mode, c.config, code, p.Stdout)
		}
		if looped := strings.Contains(p.Stderr.String(), "main dispatch loop"); looped {
			t.Errorf("%s: it ran the main loop", c.mode)
		}
	}
}

func TestTheServerStatsAreEnvoys(t *testing.T) {
	found := map[string]string{}
	serve(t, "{enable_dispatcher_stats: true}", nil, func(d *Demo) {
		d.OnMain(func() {}) // a turn for the loop's own stats to count
		d.OnMain(d.Instance.updateServerStats)
		d.Instance.Stats.Each(func(kind, name, value string, _ bool) { found[name] = kind + " " + value })
	}, "--concurrency", "3")
	for name, want := range map[string]string{"concurrency": "gauge 3",
		"days_until_first_cert_expiring": "gauge 2147483647",
		"debug_assertion_failures":       "counter 0", "dynamic_unknown_fields": "counter 0",
		"envoy_bug_failures": "counter 0", "hot_restart_epoch": "gauge 0", "live": "gauge 1",
		"parent_connections": "gauge 0", "seconds_until_first_ocsp_response_expiring": "gauge 0",
		"state": "gauge 0", "static_unknown_fields": "counter 0", "stats_recent_lookups": "gauge 0",
		"total_connections": "gauge 0", "version": "gauge 6062107",
		"main_thread.watchdog_miss": "counter 0", "main_thread.watchdog_mega_miss": "counter 0"} {
		if got := found["server."+name]; got != want {
			t.Errorf("server.%s: %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"server.memory_allocated", "server.memory_heap_size",
		"server.memory_physical_size", "server.uptime", "server.initialization_time_ms",
		"server.dispatcher.loop_duration_us", "server.dispatcher.poll_delay_us",
		"main_thread.watchdog_miss", "workers.watchdog_mega_miss", "runtime.num_layers"} {
		if found[name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if !strings.HasPrefix(found["server.dispatcher.loop_duration_us"], "histogram P0(") {
		t.Error("loop_duration_us:", found["server.dispatcher.loop_duration_us"])
	}
}

func TestMemoryStatsAreInOrder(t *testing.T) {
	serve(t, "{}", nil, func(d *Demo) {
		d.OnMain(d.Instance.updateServerStats)
		s := d.Instance.server
		used, kept, asked := s.allocated.Value(), s.physicalSize.Value(), s.heapSize.Value()
		if used == 0 || used > kept || kept > asked {
			t.Errorf("in use %d, kept %d, asked for %d", used, kept, asked)
		}
	})
}
