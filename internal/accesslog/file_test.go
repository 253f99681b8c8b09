package accesslog

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	filev3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	streamv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestALineIsSeenWithoutClosingTheFile(t *testing.T) {
	l, path := newLab(t), inDir(t, "a")
	l.Manager.flushAfter = time.Millisecond
	line(l.create(path, serverName), "x")
	if written, lost := l.settled(); written != 1 || lost != 0 || read(t, path) != "x\n" {
		t.Errorf("%d written, %d lost, the file has %q", written, lost, read(t, path))
	}
	if l.stats.flushedByTimer.Value() != 1 {
		t.Error("it was not the timer that flushed")
	}
}

func TestLogsOfOnePathShareAFile(t *testing.T) {
	l, path := newLab(t), inDir(t, "a")
	one, two := l.create(path, serverName), l.create(path, "two %REQUESTED_SERVER_NAME%\n")
	if one.file != two.file {
		t.Error("two writers would write into each other's lines")
	}
	line(one, "x")
	line(two, "y")
	l.Close()
	if got := read(t, path); got != "x\ntwo y\n" {
		t.Errorf("the file has %q", got)
	}
}

type (
	logFormat  = corev3.SubstitutionFormatString
	dataSource = corev3.DataSource
)

func wrapped(f *logFormat) *filev3.FileAccessLog {
	return &filev3.FileAccessLog{AccessLogFormat: &filev3.FileAccessLog_LogFormat{LogFormat: f}}
}

func sourced(s *dataSource) *logFormat {
	return &logFormat{Format: &corev3.SubstitutionFormatString_TextFormatSource{TextFormatSource: s}}
}

func TestEveryFormOfAFormatIsTaken(t *testing.T) {
	sent := structpb.NewStringValue("%BYTES_SENT%")
	object := &structpb.Struct{Fields: map[string]*structpb.Value{"n": sent}}
	sparse := &structpb.Struct{Fields: map[string]*structpb.Value{"n": sent,
		"p": structpb.NewStringValue("%PROTOCOL%"), "o": structpb.NewStructValue(&structpb.Struct{})}}
	source := inDir(t, "source")
	os.WriteFile(source, []byte("s%BYTES_SENT%"), 0o644)
	for want, c := range map[string]*filev3.FileAccessLog{
		"f0":           {AccessLogFormat: &filev3.FileAccessLog_Format{Format: "f%BYTES_SENT%"}},
		`{"n":"0"}`:    {AccessLogFormat: &filev3.FileAccessLog_JsonFormat{JsonFormat: object}},
		`{"n":0}`:      {AccessLogFormat: &filev3.FileAccessLog_TypedJsonFormat{TypedJsonFormat: object}},
		"t0-":          {AccessLogFormat: textOf("t%BYTES_SENT%%PROTOCOL%")},
		`[-] "- - -" `: {},

		"s0": wrapped(sourced(&dataSource{Specifier: &corev3.DataSource_Filename{Filename: source}})),
		"i0": wrapped(sourced(&dataSource{
			Specifier: &corev3.DataSource_InlineString{InlineString: "i%BYTES_SENT%"}})),
		"b0": wrapped(sourced(&dataSource{
			Specifier: &corev3.DataSource_InlineBytes{InlineBytes: []byte("b%BYTES_SENT%")}})),
		"o0.": wrapped(&logFormat{OmitEmptyValues: true,
			Format: &corev3.SubstitutionFormatString_TextFormat{TextFormat: "o%BYTES_SENT%%PROTOCOL%."}}),
		`{"n":0,"o":{}}`: wrapped(&logFormat{OmitEmptyValues: true,
			Format: &corev3.SubstitutionFormatString_JsonFormat{JsonFormat: sparse}}),
	} {
		l := newLab(t)
		c.Path = inDir(t, "a")
		made, err := l.Create(configured(t, c))
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		line(made, "")
		l.Close()
		if got := read(t, c.Path); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatCannotBeMadeIsRefusedInEnvoysWords(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	syscall.Mkfifo(fifo, 0o600)
	broken := &streamv3.StdoutAccessLog_LogFormat{LogFormat: textOf("%X%").LogFormat}
	missing := &streamv3.StderrAccessLog_LogFormat{LogFormat: sourced(
		&dataSource{Specifier: &corev3.DataSource_Filename{Filename: "/nowhere"}})}
	for _, c := range []struct {
		config proto.Message
		want   string
	}{
		{&filev3.FileAccessLog{Path: "/nowhere/x"},
			"unable to open file '/nowhere/x': No such file or directory"},
		{&filev3.FileAccessLog{Path: dir}, "unable to open file '" + dir + "': Is a directory"},
		{&filev3.FileAccessLog{Path: fifo}, "unable to open file '" + fifo + "': No such device or address"},
		{&filev3.FileAccessLog{Path: "/dev/null", AccessLogFormat: textOf("%")},
			"Incorrect configuration: %. Couldn't find valid command at position 0"},
		{&streamv3.StdoutAccessLog{AccessLogFormat: broken}, "Not supported field in StreamInfo: X"},
		{&streamv3.StderrAccessLog{AccessLogFormat: missing}, "unable to read file: /nowhere"},
		{&routerv3.Router{}, "Didn't find a registered implementation for name: 'log'"},
	} {
		if _, err := newLab(t).Create(configured(t, c.config)); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
		err, unopened := Check(configured(t, c.config)), strings.HasPrefix(c.want, "unable to open")
		if unopened && err != nil || !unopened && (err == nil || err.Error() != c.want) {
			t.Errorf("Check says %v of what Create refuses with %s", err, c.want)
		}
	}
	_, err := newLab(t).Create(&accesslogv3.AccessLog{ConfigType: &accesslogv3.AccessLog_TypedConfig{
		TypedConfig: &anypb.Any{TypeUrl: "type.googleapis.com/none"}}})
	if err == nil || !strings.HasPrefix(err.Error(), "Unable to unpack as none") {
		t.Errorf("an unknown type: %v", err)
	}
}

func TestHintsFitTheirErrors(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct {
		config *filev3.FileAccessLog
		want   string
	}{{&filev3.FileAccessLog{Path: "/nowhere/x"}, "writable"},
		{&filev3.FileAccessLog{AccessLogFormat: textOf("%X%")}, "%NAME%"},
		{&filev3.FileAccessLog{AccessLogFormat: textOf("%REQ(a?b?c)%")}, ""}} {
		_, err := l.Create(configured(t, c.config))
		if hint := Hint(err); !strings.Contains(hint, c.want) || c.want == "" && hint != "" {
			t.Errorf("%v has the hint %q", err, hint)
		}
	}
}

func TestDevNullCostsNothing(t *testing.T) {
	l := newLab(t)
	null := l.create("/dev/null", serverName)
	line(null, "x")
	if !null.Discards() || l.stats.writeBuffered.Value() != 0 || len(l.files) != 0 {
		t.Error("a line for /dev/null was put together")
	}
}

func TestNoLineIsLostAcrossRenames(t *testing.T) {
	l, path := newLab(t), inDir(t, "a")
	log := l.create(path, serverName)
	const writers, each, renames = 4, 3000, 40
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := range each {
				line(log, fmt.Sprintf("%d %d", w, n))
				for l.stats.writeTotalBuffered.Value() > maxWaiting/2 {
					time.Sleep(time.Millisecond) // the disk is slow today; more would be lost by design
				}
			}
		})
	}
	var files []string
	for n := range renames {
		moved := fmt.Sprintf("%s.%d", path, n)
		if err := os.Rename(path, moved); err != nil {
			t.Fatal(err)
		}
		files = append(files, moved)
		l.Reopen()
		eventually(t, "the new file", func() bool { _, err := os.Stat(path); return err == nil })
	}
	all.Wait()
	l.Close()
	next := [writers]int{}
	for _, file := range append(files, path) {
		for _, text := range strings.Split(strings.TrimSuffix(read(t, file), "\n"), "\n") {
			var w, n int
			if text == "" {
				continue // nothing was written between two renames
			}
			if _, err := fmt.Sscanf(text, "%d %d", &w, &n); err != nil || n != next[w] {
				t.Fatalf("%s: line %q, want number %d", file, text, next[w])
			}
			next[w]++
		}
	}
	for w, n := range next {
		if n != each {
			t.Errorf("writer %d: %d lines of %d", w, n, each)
		}
	}
}

// TestAReopenStandsBetweenTwoLines: the goroutine sees both lines and the request at once, and
// still puts each line where it belongs.
func TestAReopenStandsBetweenTwoLines(t *testing.T) {
	l, path := newLab(t), inDir(t, "a")
	l.Manager.flushAfter = time.Hour
	log := l.create(path, serverName)
	line(log, "before")
	os.Rename(path, path+".1")
	log.file.mu.Lock() // the goroutine cannot take anything yet
	log.file.reopenAt = len(log.file.pending.ends)
	log.file.pending.add([]byte("after\n"))
	log.file.mu.Unlock()
	l.Close()
	if old, new := read(t, path+".1"), read(t, path); old != "before\n" || new != "after\n" {
		t.Errorf("the old file has %q, the new one %q", old, new)
	}
}

func TestAFileThatCannotBeReopenedIsWrittenOn(t *testing.T) {
	l, dir := newLab(t), filepath.Join(t.TempDir(), "d")
	os.Mkdir(dir, 0o755)
	log := l.create(dir+"/a", serverName)
	os.Rename(dir, dir+".moved")
	l.Reopen()
	eventually(t, "the failure", func() bool { return l.stats.reopenFailed.Value() == 1 })
	line(log, "x")
	l.Close()
	if got := read(t, dir+".moved/a"); got != "x\n" {
		t.Errorf("the old file has %q", got)
	}
	if l.told.count("cannot reopen the access log: unable to open file '"+dir+"/a': No such file") != 1 {
		t.Errorf("told %s", l.told)
	}
}

func TestAFullDiskIsToldOnceAndCounted(t *testing.T) {
	l := newLab(t)
	log := l.create("/dev/full", serverName)
	for n := range 50 {
		line(log, fmt.Sprint(n))
		l.settled()
	}
	if written, lost := l.settled(); written != 0 || lost != 50 {
		t.Errorf("%d written, %d lost", written, lost)
	}
	const told = "cannot write access log '/dev/full': No space left on device"
	if l.told.count(told) != 1 || l.told.count("\n") != 1 {
		t.Errorf("told %s", l.told)
	}
}

// TestABrokenLineIsTakenBack runs a child whose files may have 100 bytes, and later more.
func TestABrokenLineIsTakenBack(t *testing.T) {
	if path := os.Getenv("ACCESSLOG_LIMITED"); path != "" {
		limited(t, path)
		return
	}
	path := inDir(t, "a")
	os.WriteFile(path, []byte("there before\n"), 0o644)
	child := exec.Command(os.Args[0], "-test.run=^TestABrokenLineIsTakenBack$", "-test.v")
	child.Env = append(os.Environ(), "ACCESSLOG_LIMITED="+path)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := "there before\n" + strings.Repeat(strings.Repeat("x", 29)+"\n", 2) + "later\n"
	if got := read(t, path); got != want {
		t.Errorf("the file has %q, want %q", got, want)
	}
}

func limited(t *testing.T, path string) {
	limit := func(bytes uint64) {
		var r syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_FSIZE, &r)
		r.Cur = bytes
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &r); err != nil {
			t.Fatal(err)
		}
	}
	limit(100)
	l := newLab(t)
	log := l.create(path, serverName)
	log.file.mu.Lock() // all five lines are written with one call
	for range 5 {
		l.stats.writeBuffered.Inc()
		l.stats.writeTotalBuffered.Add(30)
		log.file.pending.add([]byte(strings.Repeat("x", 29) + "\n"))
	}
	log.file.mu.Unlock()
	notify(log.file.now)
	if written, lost := l.settled(); written != 2 || lost != 3 {
		t.Errorf("%d written, %d lost", written, lost)
	}
	if info, _ := os.Stat(path); info.Size() != 13+60 {
		t.Errorf("%d bytes", info.Size())
	}
	limit(1 << 20)
	line(log, "later")
	if written, lost := l.settled(); written != 3 || lost != 3 {
		t.Errorf("later %d written, %d lost", written, lost)
	}
	l.Close()
	if l.told.count("File too large: lines are lost") != 1 || l.told.count("is written again; lines lost: 3") != 1 {
		t.Errorf("told %s", l.told)
	}
}

// TestNobodyElsesLineIsTakenBack: a process that is about to hand over may append to the same file.
func TestNobodyElsesLineIsTakenBack(t *testing.T) {
	l, path := newLab(t), inDir(t, "a")
	f := l.create(path, serverName).file
	os.WriteFile(path, []byte("ours oursthe other's\n"), 0o644)
	if f.takeBack(0, 9, 5); read(t, path) != "ours oursthe other's\n" {
		t.Errorf("the file has %q", read(t, path))
	}
	os.WriteFile(path, []byte("ours\nours"), 0o644)
	if f.takeBack(0, 9, 5); read(t, path) != "ours\n" {
		t.Errorf("the file has %q", read(t, path))
	}
}

// stuck is a FIFO that has a reader who does not read.
func stuck(t *testing.T) (path string, reader *os.File) {
	t.Helper()
	path = inDir(t, "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return path, reader
}

func TestAPipeThatNobodyReadsBlocksNobody(t *testing.T) {
	l := newLab(t)
	path, _ := stuck(t)
	log, other := l.create(path, serverName), l.create(inDir(t, "a"), serverName)
	text := strings.Repeat("x", 1023)
	for range 3 << 10 {
		line(log, text)
		if waiting := l.stats.writeTotalBuffered.Value(); waiting > maxWaiting {
			t.Fatalf("%d bytes wait", waiting)
		}
	}
	eventually(t, "the loss to be told", func() bool { return l.told.count("more waits to be written") == 1 })
	before := l.stats.writeCompleted.Value()
	line(other, "x")
	eventually(t, "the other log's line", func() bool { return l.stats.writeCompleted.Value() > before })
	began := time.Now()
	l.Close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("closing took %v", took)
	}
	written, lost := l.settled()
	if sum := l.stats.writeBuffered.Value(); written+lost != sum || sum != 3<<10+1 || lost < 1<<10 {
		t.Errorf("%d written, %d lost of %d", written, lost, sum)
	}
	if l.told.count("lines are lost") != 1 || l.told.count("nobody takes the last") != 1 {
		t.Errorf("told %s", l.told)
	}
}

func TestAReaderThatComesBackIsWrittenToAgain(t *testing.T) {
	l := newLab(t)
	path, reader := stuck(t)
	log := l.create(path, serverName)
	reader.Close()
	line(log, "nobody")
	if _, lost := l.settled(); lost != 1 {
		t.Errorf("%d lost", lost)
	}
	again, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	line(log, "somebody")
	l.settled()
	b := make([]byte, 100)
	if n, err := again.Read(b); err != nil || string(b[:n]) != "somebody\n" {
		t.Errorf("%q %v", b[:n], err)
	}
	if l.told.count("Broken pipe") != 1 || l.told.count("is written again; lines lost: 1") != 1 {
		t.Errorf("told %s", l.told)
	}
}

func TestAStandardStreamThatNobodyReadsDoesNotHoldUpTheEnd(t *testing.T) {
	l := newLab(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	log, err := l.toStream(writer, "stdout", defaultFormat())
	if err != nil {
		t.Fatal(err)
	}
	for range 10_000 {
		line(log, "x")
	}
	eventually(t, "a full pipe", func() bool { return l.stats.writeTotalBuffered.Value() > 0 })
	l.Close()
	if l.told.count("access log 'stdout': nobody takes the last") != 1 {
		t.Errorf("told %s", l.told)
	}
	reader.Close()
	<-log.file.ended
	if _, err := writer.Stat(); err != nil {
		t.Error("a standard stream was closed:", err)
	}
	writer.Close()
}

func TestStandardStreamsAreWritten(t *testing.T) {
	l := newLab(t)
	reader, writer, _ := os.Pipe()
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = writer, writer
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	one, err1 := l.Create(configured(t, &streamv3.StdoutAccessLog{}))
	two, err2 := l.Create(configured(t, &streamv3.StderrAccessLog{}))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	l.Reopen() // does nothing to them
	line(one, "")
	line(two, "")
	l.Close()
	b := make([]byte, 1000)
	if n, _ := reader.Read(b); strings.Count(string(b[:n]), `"- - -" 0 -`) != 2 {
		t.Errorf("%q", b[:n])
	}
}

// Opened a second time by its path, a file behind stdout would be written at two places at once.
func TestThePathsOfTheStandardStreamsAreTheStreams(t *testing.T) {
	l := newLab(t)
	file, err := os.Create(inDir(t, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = file
	defer func() { os.Stdout = stdout }()
	file.WriteString("somebody else's line\n")
	line(l.create("/dev/stdout", serverName), "ours")
	l.Close()
	file.WriteString("and another\n")
	if got := read(t, file.Name()); got != "somebody else's line\nours\nand another\n" {
		t.Errorf("%q", got)
	}
}

func TestAfterCloseLinesAreLostAndCounted(t *testing.T) {
	l, path := newLab(t), inDir(t, "a")
	log := l.create(path, serverName)
	l.Close()
	l.Close()
	line(log, "late")
	line(l.create(path+"2", serverName), "later")
	if written, lost := l.settled(); written != 0 || lost != 2 || read(t, path)+read(t, path+"2") != "" {
		t.Errorf("%d written, %d lost", written, lost)
	}
	if l.told.String() != "" {
		t.Errorf("told %s", l.told)
	}
}

func TestALineLongerThanEverythingIsLost(t *testing.T) {
	l, path := newLab(t), inDir(t, "a")
	log := l.create(path, serverName)
	line(log, strings.Repeat("x", maxWaiting))
	line(log, "short")
	l.create(path, "%REQUESTED_SERVER_NAME%") // an empty line is no line
	log.file.write(nil)
	if written, lost := l.settled(); written != 1 || lost != 1 {
		t.Errorf("%d written, %d lost", written, lost)
	}
	l.Close()
	if read(t, path) != "short\n" {
		t.Errorf("the file has %d bytes", len(read(t, path)))
	}
}

func TestALineHandedOverCostsNoAllocation(t *testing.T) {
	l := newLab(t)
	l.Manager.flushAfter = time.Hour
	f := l.create(inDir(t, "a"), serverName).file
	f.pending = batch{text: make([]byte, 0, minFlush), ends: make([]int, 0, 1000)}
	if n := testing.AllocsPerRun(100, func() { f.write([]byte("a line\n")) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
