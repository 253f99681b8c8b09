package sink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/sys/unix"

	"envoywalk/trace/sink"
)

// opened is one sink that writes to a file, and what makes spans for it. told is what stderr is told.
type opened struct {
	*sink.Sinks
	provider *sdk.TracerProvider
	told     *watched
}

func open(t *testing.T, spec string) *opened {
	t.Helper()
	o := &opened{told: &watched{}}
	var err error
	o.Sinks, err = sink.Open([]string{spec}, sink.Options{Stdout: &bytes.Buffer{}, Nonblock: syscall.O_NONBLOCK,
		Tell: func(line string) { fmt.Fprintln(o.told, line) }})
	if err != nil {
		t.Fatal(err)
	}
	o.provider = sdk.NewTracerProvider(sdk.WithSpanProcessor(o.Processors[0]))
	return o
}

func (o *opened) emit(n int) {
	for range n {
		_, span := o.provider.Tracer("test").Start(context.Background(), "aSpan")
		span.End()
	}
}

func (o *opened) close() (int64, error) {
	o.provider.Shutdown(context.Background())
	return o.Close()
}

func (w *watched) count(text string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.b.String(), text)
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// lines are the whole lines of a file. Each of them must be JSON, unless it is a tree's.
func lines(t *testing.T, path, name string) (n int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasSuffix(line, "\n") || name != "tree" && !json.Valid([]byte(line)) {
			t.Fatalf("%s has a broken line: %.80q", path, line)
		}
		n += strings.Count(line, "aSpan")
	}
	return n
}

// Row 30.
func TestNoSpanIsLostAcrossRenames(t *testing.T) {
	for _, name := range []string{"tree", "json", "otlp"} {
		path := filepath.Join(t.TempDir(), name)
		s := open(t, name+"="+path)
		const rounds, each = 40, 100
		var writing sync.WaitGroup
		writing.Go(func() {
			for range rounds {
				s.emit(each)
			}
		})
		found := 0
		for n := range 15 {
			moved := fmt.Sprintf("%s.%d", path, n)
			if err := os.Rename(path, moved); err != nil {
				t.Fatal(err)
			}
			s.Reopen()
			s.Reopen() // twice is once
			eventually(t, "the new file is there", func() bool { _, err := os.Stat(path); return err == nil })
		}
		writing.Wait()
		if _, err := s.close(); err != nil || s.told.len() > 0 {
			t.Errorf("%v, %s", err, &s.told.b)
		}
		files, _ := filepath.Glob(path + "*")
		for _, file := range files {
			found += lines(t, file, name)
		}
		if found != rounds*each || len(files) != 16 {
			t.Errorf("%s: %d spans of %d in %d files", name, found, rounds*each, len(files))
		}
	}
}

func TestAReopenKeepsWhatIsInTheFileAlready(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	os.WriteFile(path, []byte("of another run"), 0o600)
	s := open(t, "json="+path)
	s.emit(3)
	s.Reopen() // nobody has moved it
	eventually(t, "it is flushed", func() bool { return lines(t, path, "json") == 3 })
	s.emit(4)
	s.close()
	s.Reopen() // too late
	if n := lines(t, path, "json"); n != 7 {
		t.Errorf("%d spans", n)
	}
}

func TestATraceThatCannotBeReopenedGoesOnInItsOldFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	os.Mkdir(dir, 0o700)
	s := open(t, "json="+dir+"/trace")
	os.Rename(dir, dir+".moved")
	s.Reopen()
	eventually(t, "it is told", func() bool { return s.told.count("cannot reopen "+dir+"/trace") == 1 })
	s.emit(5)
	s.close()
	if n := lines(t, dir+".moved/trace", "json"); n != 5 {
		t.Errorf("%d spans", n)
	}
}

// Row 30: whoever asks for it is an event loop.
func TestAReopenWaitsForNoWriteHoweverLongThatTakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	syscall.Mkfifo(path, 0o600)
	if _, err := sink.Open([]string{"json=" + path}, sink.Options{Nonblock: syscall.O_NONBLOCK}); err == nil {
		t.Fatal("a FIFO that nobody reads was opened")
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, "json="+path)
	stuck := make(chan struct{})
	go func() { s.emit(2000); close(stuck) }()
	eventually(t, "the FIFO is full", func() bool {
		n, err := unix.IoctlGetInt(int(reader.Fd()), unix.TIOCINQ)
		return err == nil && n > 60<<10
	})
	for range 1000 {
		s.Reopen()
	}
	select {
	case <-stuck:
		t.Fatal("the FIFO took everything")
	default:
	}
	reader.Close() // and then it goes on, without anybody to read it
	<-stuck
	if _, err := s.close(); err == nil || !strings.Contains(err.Error(), "broken pipe") {
		t.Error(err)
	}
}

// Row 48: there is room for so many bytes, and later for more.
func TestAFullDiskIsToldTwiceAndTheTraceGoesOnWhenThereIsRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	s := open(t, "json="+path)
	var old syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old)
	limit := func(n uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: old.Max}); err != nil {
			t.Fatal(err)
		}
	}
	limit(100_000)
	emitted := 3000
	s.emit(emitted)
	if n := s.told.count("cannot write to " + path + ": "); n != 1 || s.told.count("file too large") != 1 {
		t.Errorf("it was told %d times:\n%s", n, &s.told.b)
	}
	before, _ := os.Stat(path)
	limit(old.Cur)
	eventually(t, "it is written again", func() bool {
		s.emit(1)
		emitted++
		time.Sleep(10 * time.Millisecond)
		return s.told.count(" is written again; lines lost: ") == 1
	})
	bytes, err := s.close()
	lost := regexp.MustCompile(`: (\d+) lines, \d+ bytes could not be written: .*file too large`).FindStringSubmatch(
		fmt.Sprint(err))
	if lost == nil {
		t.Fatal(err)
	}
	n, _ := strconv.Atoi(lost[1])
	if found := lines(t, path, "json"); found+n != emitted || n == 0 {
		t.Errorf("%d spans in the file and %d lost of %d", found, n, emitted)
	}
	if info, _ := os.Stat(path); info.Size() != bytes || before.Size() > 100_000 || before.Size() < 64_000 {
		t.Errorf("%d bytes when it was full, %d at the end, which says %d", before.Size(), info.Size(), bytes)
	}
}
