package log

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A line is written whole or not at all; what is lost is told when it begins and when it is over.
func TestALogThatIsFullIsToldTwiceAndGoesOnWhenThereIsRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := Open(path, tid)
	if err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	l.loss.to = &told
	var old unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_FSIZE, &old)
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1000, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	const written = 50
	for n := range written {
		l.Component(Main).Info("number %d", n)
	}
	unix.Setrlimit(unix.RLIMIT_FSIZE, &old)
	want := fmt.Sprintf("cannot write log-file '%s': write %s: file too large: lines are lost\n", path, path)
	if told.String() != want {
		t.Errorf("told %q, want %q", told.String(), want)
	}
	l.loss.last = l.loss.last.Add(-time.Minute)
	l.Component(Main).Info("again")
	l.Close()
	text, _ := os.ReadFile(path)
	kept := strings.Count(string(text), "\n")
	lost := regexp.MustCompile(`log-file '.*' is written again; lines lost: (\d+)\n$`).FindStringSubmatch(told.String())
	if lost == nil || lost[1] != fmt.Sprint(written+1-kept) || len(text) < 900 {
		t.Errorf("%d lines, %d bytes, told %s", kept, len(text), told.String())
	}
	for n, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		if want := fmt.Sprintf(" number %d", n); n < kept-1 && !strings.HasSuffix(line, want) {
			t.Errorf("line %d is %q", n, line)
		}
	}
}

func TestAPipeThatNobodyReadsIsAnErrorAndNotAWait(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	unix.Mkfifo(path, 0o600)
	if _, err := Open(path, tid); err == nil || !strings.HasPrefix(err.Error(), "Failed to open log-file") {
		t.Errorf("opening it gave %v", err)
	}
	os.Remove(path)
	l, err := Open(path, tid)
	if err != nil {
		t.Fatal(err)
	}
	os.Rename(path, path+".old")
	unix.Mkfifo(path, 0o600)
	if err := l.Reopen(); err == nil {
		t.Error("it was reopened")
	}
	l.Component(Main).Info("kept")
	if got := tails(t, path+".old"); got != "kept" {
		t.Errorf("the old file has %q", got)
	}
}
