package listensocket

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"envoywalk/internal/accesslog"
	"envoywalk/internal/streaminfo"
)

// logging is a listener's access_log: a file with a line of its format, and /dev/null.
func logging(path, format string) string {
	const file = `{"typed_config": {"@type": ` +
		`"type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": "`
	return `, "access_log": [` + file + `/dev/null"}}, ` + file + path + `", "format": "` + format + `"}}]`
}

func TestAListenerBuildsItsAccessLogs(t *testing.T) {
	m := newManager(t, &parent{})
	m.Instance.AccessLogs = accesslog.NewManager(m.log, m.Instance.Stats)
	path := filepath.Join(t.TempDir(), "a")
	l := m.mustAdd(t, configured(t, "logging", ip("127.0.0.1", 0, ""), logging(path, "%BYTES_SENT%")))
	if len(l.AccessLogs) != 1 {
		t.Fatalf("%d logs: /dev/null must cost nothing", len(l.AccessLogs))
	}
	l.AccessLogs[0].Write(&streaminfo.StreamInfo{BytesSent: 7})
	m.Instance.AccessLogs.Close()
	if got, err := os.ReadFile(path); string(got) != "7" {
		t.Errorf("the file has %q, %v", got, err)
	}
}

func TestAnAccessLogThatCannotBeBuiltSaysWhich(t *testing.T) {
	m := newManager(t, &parent{})
	m.Instance.AccessLogs = accesslog.NewManager(m.log, m.Instance.Stats)
	defer m.Instance.AccessLogs.Close()
	for _, c := range []struct{ path, format, sentence, hint string }{
		{"/nowhere/x", "", "unable to open file '/nowhere/x': No such file or directory", "folder"},
		{"/dev/null", "%X%", "Not supported field in StreamInfo: X", "%NAME%"},
	} {
		_, err := newListener(m, configured(t, "logging", ip("127.0.0.1", 0, ""), logging(c.path, c.format)),
			"logging", 1, "test", true)
		var other *elsewhere
		if !errors.As(err, &other) || other.field != ".access_log[1]" || other.Error() != c.sentence ||
			!strings.Contains(other.hint, c.hint) {
			t.Errorf("%s: %v at %+v", c.path, err, other)
		}
	}
}
