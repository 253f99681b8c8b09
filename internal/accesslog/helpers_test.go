package accesslog

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"envoywalk/internal/log"
	"envoywalk/internal/stats"
	"envoywalk/internal/streaminfo"
)

// lab is a manager whose log and stats can be read.
type lab struct {
	*Manager
	t    *testing.T
	told *told
}

type told struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *told) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// count is how many lines of the log hold a text.
func (o *told) count(text string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Count(o.text.String(), text)
}

func (o *told) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// newLab makes a manager for which an incident is over as soon as a line is written.
func newLab(t *testing.T) *lab {
	o := &told{}
	m := NewManager(log.New(o, os.Getpid).Component(log.Main), stats.NewStore())
	m.flushAfter, m.quiet, m.patience = 0, 0, 50*time.Millisecond
	t.Cleanup(m.Close)
	return &lab{m, t, o}
}

// serverName is a format that writes one text of the test's choice a line.
const serverName = "%REQUESTED_SERVER_NAME%\n"

func (l *lab) create(path, format string) *Log {
	l.t.Helper()
	made, err := l.Create(configured(l.t, &filev3.FileAccessLog{Path: path, AccessLogFormat: textOf(format)}))
	if err != nil {
		l.t.Fatal(err)
	}
	return made
}

func textOf(format string) *filev3.FileAccessLog_LogFormat {
	return &filev3.FileAccessLog_LogFormat{LogFormat: &corev3.SubstitutionFormatString{
		Format: &corev3.SubstitutionFormatString_TextFormat{TextFormat: format}}}
}

func configured(t *testing.T, m proto.Message) *accesslogv3.AccessLog {
	t.Helper()
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return &accesslogv3.AccessLog{Name: "log", ConfigType: &accesslogv3.AccessLog_TypedConfig{TypedConfig: a}}
}

func line(l *Log, text string) { l.Write(&streaminfo.StreamInfo{RequestedServerName: text}) }

// settled waits until every line handed over is written or lost, and returns how many are which.
func (l *lab) settled() (written, lost uint64) {
	l.t.Helper()
	eventually(l.t, "all lines to be written or lost", func() bool {
		written, lost = l.stats.writeCompleted.Value(), l.stats.writeFailed.Value()
		return written+lost == l.stats.writeBuffered.Value() && l.stats.writeTotalBuffered.Value() == 0
	})
	return written, lost
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func inDir(t *testing.T, name string) string { return filepath.Join(t.TempDir(), name) }
