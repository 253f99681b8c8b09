package wording

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"envoywalk/internal/walktest"
)

// mistake is what a user does, and what the binary must answer.
type mistake struct {
	name    string
	chapter string // whose binary; 04 if empty
	yaml    string
	args    []string // besides -c

	sentence string // with holes
	values   []any  // for the holes
	at       string // line:column in the configuration; "file" for the file as a whole
	path     string
	hint     string // a part of it
}

// answer runs the binary and checks all of what it says. The process must end, with status 1.
func (m mistake) answer(t *testing.T) {
	t.Helper()
	config := walktest.Config(t, m.yaml)
	p := walktest.Start(t, m.binary(), append([]string{"-c", config}, m.args...)...)
	m.refused(t, p, config)
}

func (m mistake) binary() string {
	if m.chapter == "" {
		return "04"
	}
	return m.chapter
}

// refused checks a process that was given a wrong configuration.
func (m mistake) refused(t *testing.T, p *walktest.Process, config string) {
	t.Helper()
	if status := p.Wait(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	err, sentence := p.Stderr.String(), say(m.sentence, m.values...)
	logged := say(initFailed, strings.TrimPrefix(config, "--config-yaml"), sentence)
	critical := slices.ContainsFunc(strings.Split(err, "\n"), func(line string) bool {
		return strings.Contains(line, "[critical][main]") && strings.Contains(line, logged)
	})
	if !critical {
		t.Errorf("no critical line says %q:\n%s", logged, err)
	}
	told := after(err, sentence)
	if told == nil {
		t.Fatalf("no line begins with %q:\n%s", sentence, err)
	}
	m.checkPlace(t, told, config)
	if !t.Failed() {
		saw(m.sentence)
		saw(initFailed)
	}
}

func (m mistake) checkPlace(t *testing.T, told []string, config string) {
	t.Helper()
	want := []string{"  at " + config + ":" + m.at}
	if m.at == "file" {
		want[0] = "  at " + config
	}
	if m.at == "" {
		want = nil
	}
	if m.path != "" {
		want = append(want, "  path: "+m.path)
	}
	for _, line := range want {
		if !slices.Contains(told, line) {
			t.Errorf("%q is missing in:\n%s", line, strings.Join(told, "\n"))
		}
	}
	if m.hint != "" && !slices.ContainsFunc(told, func(s string) bool {
		return strings.HasPrefix(s, "  hint: ") && strings.Contains(s, m.hint)
	}) {
		t.Errorf("no hint says %q in:\n%s", m.hint, strings.Join(told, "\n"))
	}
}

// after returns the lines of text from the last one on that begins with the sentence, nil if none does: what
// main prints when it gives up.
func after(text, sentence string) []string {
	lines := strings.Split(text, "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], sentence) {
			return lines[i:]
		}
	}
	return nil
}

// all runs each of them as a test of its own.
func all(t *testing.T, mistakes []mistake) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			m.answer(t)
		})
	}
}

// hears waits until the process has logged the message and notes it.
func hears(t *testing.T, p *walktest.Process, m string, values ...any) {
	t.Helper()
	p.WaitFor(regexp.QuoteMeta(say(m, values...)))
	saw(m)
}

// command is the chapter's binary with arguments, not started.
func command(t *testing.T, chapter string, args ...string) *exec.Cmd {
	return exec.Command(walktest.Binary(t, chapter), args...)
}

// listener is one listener's YAML below static_resources.listeners, its address given in YAML's flow style.
func listener(name, address, more string) string {
	return "  - name: " + name + "\n    address: " + address + "\n" + more + "    filter_chains: [{}]\n"
}

const (
	static  = "static_resources:\n  listeners:\n"
	anyPort = "{socket_address: {address: 127.0.0.1, port_value: 0}}"
	reuse   = "    reuse_port: true\n"
)

// places are where the listener's parts stand in static + listener(...).
const (
	address0 = "static_resources.listeners[0].address"
	atName   = "3:5"
	atAddr   = "4:5"
)
