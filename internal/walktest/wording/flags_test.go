package wording

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"envoywalk/internal/walktest"
)

func TestAMistakeOnTheCommandLineIsToldInEnvoysWords(t *testing.T) {
	for _, m := range []struct {
		args     []string
		sentence string
		values   []any
	}{
		{[]string{"--mode", "nonsense"}, unknownMode, []any{"nonsense"}},
		{[]string{"-l", "loud"}, badLevel, []any{"loud"}},
		{[]string{"--component-log-level", "main:loud"}, badLevel, []any{"loud"}},
		{[]string{"--component-log-level", "nobody:info"}, badComponent, []any{"nobody"}},
		{[]string{"--component-log-level", "main"}, badComponentList, []any{"main"}},
		{[]string{"--restart-epoch", "1", "--use-dynamic-base-id"}, epochAndDynamic, []any{1}},
		{[]string{"--use-dynamic-base-id", "--restart-epoch", "2"}, epochAndDynamic, []any{2}},
		{[]string{"--conncurrency", "2"}, parseError, []any{"--conncurrency"}},
		{[]string{"--concurrency"}, parseError, []any{"--concurrency"}},
		{[]string{"--concurrency", "many"}, parseError, []any{"(--concurrency)"}},
	} {
		t.Run(strings.Join(m.args, " "), func(t *testing.T) {
			t.Parallel()
			p := walktest.Start(t, "04", m.args...)
			if status := p.Wait(); status != 1 {
				t.Errorf("exit status %d, want 1", status)
			}
			if out := p.Stdout.String(); out != "" {
				t.Errorf("stdout is for who asked for it, and has %q", out)
			}
			if first, _, _ := strings.Cut(p.Stderr.String(), "\n"); first != say(m.sentence, m.values...) {
				t.Fatalf("the first line is %q, want %q", first, say(m.sentence, m.values...))
			}
			saw(m.sentence)
		})
	}
}

func TestAFlagOfEnvoysThatWouldDoNothingIsRefusedByName(t *testing.T) {
	for _, args := range [][]string{{"--use-dynamic-base-id"}, {"--restart-epoch", "1"},
		{"--socket-path", "@somewhere"}, {"--hot-restart-version"}, {"--drain-strategy", "gradual"}} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			p := walktest.Start(t, "04", args...)
			if status := p.Wait(); status != 1 || !strings.Contains(p.Stderr.String(), args[0]) {
				t.Errorf("exit status %d, %s", status, p.Stderr)
			}
		})
	}
}

func TestNoConfigurationIsADemoToServeAndAnErrorToValidate(t *testing.T) {
	p := walktest.Start(t, "04")
	if status := p.Wait(); status != 0 || !strings.Contains(p.Stdout.String(), "-c envoy.yaml") {
		t.Errorf("the demo ended with %d and did not say what to do next:\n%s", status, p.Stdout)
	}
	v := walktest.Start(t, "04", "--mode", "validate")
	mistake{sentence: noConfig, hint: "-c"}.refused(t, v, "")
}

func TestValidateSaysOKOnStdoutAndOpensNothing(t *testing.T) {
	port := freePort(t)
	for _, chapter := range []string{"01", "02", "03", "04"} {
		config := walktest.Config(t, static+listener("a", ipAddress("127.0.0.1", port), ""))
		taken := listen(t, port) // if validate opened the port, it would fail
		p := walktest.Start(t, chapter, "-c", config, "--mode", "validate")
		if status, out := p.Wait(), p.Stdout.String(); status != 0 || out != say(validateOK, config)+"\n" {
			t.Errorf("chapter %s: exit status %d, %q\n%s", chapter, status, out, p.Stderr)
		}
		taken.Close()
	}
	saw(validateOK)
}

// TestWhatServeRefusesForTheConfigurationsSakeValidateRefuses: a configuration that validate calls OK must not
// be refused later for what was written in it.
func TestWhatServeRefusesForTheConfigurationsSakeValidateRefuses(t *testing.T) {
	for _, m := range configurationMistakes() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.args = append(m.args, "--mode", "validate")
			m.answer(t)
		})
	}
}

func TestInitOnlyBuildsTheServerAndEndsWell(t *testing.T) {
	config := walktest.Config(t, static+listener("a", anyPort, ""))
	p := walktest.Start(t, "04", "-c", config, "--mode", "init_only", "-l", "debug")
	if status := p.Wait(); status != 0 {
		t.Errorf("exit status %d, %s", status, p.Stderr)
	}
	if err := p.Stderr.String(); !strings.Contains(err, "socket factory local address to 127.0.0.1:") ||
		strings.Contains(err, startingWorkers) {
		t.Errorf("want the listener bound and no worker started:\n%s", err)
	}
}

func TestEverySignalIsAnsweredInEnvoysWords(t *testing.T) {
	config := walktest.Config(t, static+listener("a", anyPort, ""))
	for _, s := range []struct {
		signal   os.Signal
		sentence string
	}{{syscall.SIGTERM, caughtTerm}, {syscall.SIGINT, caughtInt}} {
		p := walktest.Start(t, "04", "-c", config)
		p.WaitFor("all workers have all listeners")
		p.Cmd.Process.Signal(syscall.SIGHUP)
		hears(t, p, eatsSIGHUP)
		p.Cmd.Process.Signal(syscall.SIGUSR1)
		hears(t, p, reopens)
		if status := p.Stop(s.signal); status != 0 {
			t.Errorf("%v: exit status %d", s.signal, status)
		}
		inOrder(t, p.Stderr.String(), s.sentence, shuttingDown, loopExited)
	}
}
