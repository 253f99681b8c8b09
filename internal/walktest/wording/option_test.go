package wording

import (
	"fmt"
	"regexp"
	"testing"

	"envoywalk/internal/walktest"
)

const (
	option0 = "static_resources.listeners[0].socket_options[0]"
	// nonsense is an option that no kernel knows.
	nonsense = "    socket_options:\n    - {level: 77, name: 77, int_value: 1, state: STATE_%s}\n"
	refusal  = ": option 77/77: protocol not available"
)

func option(state string) string { return fmt.Sprintf(nonsense, state) }

func TestASocketOptionThatTheKernelRefusesIsToldWithItsPlace(t *testing.T) {
	all(t, []mistake{
		{name: "before bind", yaml: static + listener("a", anyPort, option("PREBIND")), sentence: prebindOption,
			at: "6:7", path: option0},
		{name: "before bind, in chapter 03", chapter: "03", yaml: static + listener("a", anyPort, option("PREBIND")),
			sentence: prebindOption, at: "6:7", path: option0},
		{name: "after bind", yaml: static + listener("a", anyPort, option("BOUND")), sentence: boundOption,
			values: []any{"a"}, at: "6:7", path: option0},
		{name: "after bind, in chapter 02", chapter: "02", yaml: static + listener("a", anyPort, option("BOUND")),
			sentence: boundOption, values: []any{"a"}, at: "6:7", path: option0},
	})
}

// TestAnOptionThatTheKernelRefusesOnAWorkerCostsTheListenerOnly: with reuse_port every worker sets them.
func TestAnOptionThatTheKernelRefusesOnAWorkerCostsTheListenerOnly(t *testing.T) {
	for _, c := range []struct{ state, sentence, at string }{
		{"PREBIND", prebindOption, "8:7"}, {"BOUND", boundOption, "8:7"}, {"LISTENING", listeningOption, "8:7"},
	} {
		t.Run(c.state, func(t *testing.T) {
			t.Parallel()
			port := freePort(t)
			address := fmt.Sprintf("127.0.0.1:%d", port)
			value := map[string]string{"BOUND": "broken", "LISTENING": address}[c.state]
			failsOnAWorker(t, walktest.Start, failing{listener("broken", ipAddress("127.0.0.1", port),
				reuse+option(c.state)), address, say(c.sentence, value) + refusal, c.at, ""})
			saw(c.sentence)
		})
	}
}

// TestASharedSocketNeverGetsItsListeningOptions: the workers' copies have none, as in 1.17.
func TestASharedSocketNeverGetsItsListeningOptions(t *testing.T) {
	p := walktest.Start(t, "04", "-c", walktest.Config(t, static+listener("a", anyPort, option("LISTENING"))))
	p.WaitFor("all workers have all listeners")
	if regexp.MustCompile(`failed to`).MatchString(p.Stderr.String()) {
		t.Errorf("an option was set that 1.17 does not set:\n%s", p.Stderr)
	}
}
