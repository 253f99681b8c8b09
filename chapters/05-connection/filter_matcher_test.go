package connection_test

import (
	"fmt"
	"net"
	"testing"

	"envoywalk/internal/walktest"
)

func TestADisabledFilterIsPassedBy(t *testing.T) {
	const all = "destination_port_range: {start: 1, end: 65536}"
	const none = "destination_port_range: {start: 1, end: 2}"
	rules := map[string]struct {
		rule     string
		disabled bool
	}{
		"any": {"any_match: true", true}, "not": {"not_match: {any_match: true}", false},
		"inside": {all, true}, "outside": {none, false},
		"or":      {"or_match: {rules: [{" + none + "}, {" + all + "}]}", true},
		"neither": {"or_match: {rules: [{" + none + "}, {" + none + "}]}", false},
		"and":     {"and_match: {rules: [{" + all + "}, {any_match: true}]}", true},
		"notboth": {"and_match: {rules: [{" + all + "}, {not_match: {" + all + "}}]}", false},
	}
	filter := func(rule string) string {
		return fmt.Sprintf("listener_filters: [{name: envoy.filters.listener.proxy_protocol, "+
			"filter_disabled: {%s}}]", rule)
	}
	pipe := t.TempDir() + "/pipe"
	listeners := []string{"name: pipe, address: {pipe: {path: " + pipe + "}}, " + filter(none)}
	for name, r := range rules {
		listeners = append(listeners, any4(name, filter(r.rule)))
	}
	lab := startFilterLab(t, "", listeners...)
	for name, r := range rules {
		c := lab.dial(name)
		c.send(v1Header)
		if r.disabled {
			c.wantHead(name, "", "", raw)
			c.wantEcho(v1Header)
		} else {
			c.wantHead(name, "5.6.7.8:2222", "1.2.3.4:1111", raw)
			c.wantEcho("")
		}
	}
	wantPipeHead(t, pipe, "pipe")
	lab.stop()
}

// wantPipeHead: a client of a Unix socket, which has no name, gets a connection that both ends name
// after the listener's path.
func wantPipeHead(t *testing.T, path, listener string) {
	t.Helper()
	c, err := net.DialTimeout("unix", path, walktest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, want := make([]byte, 200), fmt.Sprintln(listener, path, path, raw)
	if n, err := c.Read(got); err != nil || string(got[:n]) != want {
		t.Fatalf("the connection is %q, %v, want %q", got[:n], err, want)
	}
}
