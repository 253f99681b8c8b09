package live

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/internal/step"
	record "envoywalk/trace"
)

func TestAReaderGetsWhatThereIsAndThenWhatComes(t *testing.T) {
	s := serve(t, New())
	s.lines(1, 3)
	r := s.join("")
	h := r.answer.Header
	if r.answer.StatusCode != 200 || h.Get("Content-Type") != "text/event-stream" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", r.answer.StatusCode, h)
	}
	areLines(t, r.until(made(3, 0)), 1, 3)
	if r.id != "3@"+s.run {
		t.Errorf("the id is %s, want that of the last line", r.id)
	}
	s.lines(4, 5)
	areLines(t, r.until(made(5, 0)), 4, 5)
}

func TestWhatComesTogetherIsOneEvent(t *testing.T) {
	s := serve(t, New())
	s.lines(1, 1)
	r := s.join("")
	r.until(made(1, 0))
	s.lines(2, 500)
	if n := len(r.event()); n != 499 {
		t.Errorf("the event has %d lines, want 499", n)
	}
}

func TestAReaderResumesWhereItWas(t *testing.T) {
	s := serve(t, New())
	s.lines(1, 9)
	for name, r := range map[string]*reader{"header": s.join("", "Last-Event-ID", "4"), "query": s.join("?from=4"),
		"both, of which the header is newer": s.join("?from=2", "Last-Event-ID", "4"),
		"of this run":                        s.join("", "Last-Event-ID", "4@"+s.run)} {
		t.Run(name, func(t *testing.T) { areLines(t, r.until(made(9, 0)), 5, 9) })
	}
	r := s.join("?from=9")
	s.lines(10, 10)
	areLines(t, r.until(made(10, 0)), 10, 10)
}

// The server was started again, and the page asks the new process to go on.
func TestALineOfAnotherProcessIsNoPlaceToResume(t *testing.T) {
	s := serve(t, New())
	s.lines(1, 9)
	for name, r := range map[string]*reader{"a number not reached yet": s.join("", "Last-Event-ID", "10"),
		"another run": s.join("", "Last-Event-ID", "4@01234567"), "no number": s.join("?from=all"),
		"negative": s.join("?from=-3")} {
		t.Run(name, func(t *testing.T) { areLines(t, r.until(made(9, 0)), 1, 9) })
	}
}

func TestNothingIsLostOrDoubledOverManyReconnectsUnderLoad(t *testing.T) {
	s := serve(t, New())
	stop, total := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		defer func() { total <- n }()
		for tick := time.NewTicker(200 * time.Microsecond); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				s.lines(n+1, n+20)
				n += 20
			}
		}
	}()
	var got []string
	id := ""
	const reconnects = 30
	for n := range reconnects {
		r := s.join("", "Last-Event-ID", id)
		for range 1 + n%4 {
			got = append(got, r.event()...)
		}
		id = r.id
		r.leave() // there may be half an event on its way
	}
	close(stop)
	last := <-total + 1
	s.lines(last, last) // something is still to come
	got = append(got, s.join("", "Last-Event-ID", id).until(made(last, 0))...)
	areLines(t, got, 1, last)
	t.Logf("%d lines over %d reconnects", last, reconnects)
}

// silent joins by hand and never reads.
func (s *serving) silent() net.Conn {
	s.t.Helper()
	at, _ := url.Parse(s.URL)
	conn, err := net.Dial("tcp", at.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", EventsPath)
	return conn
}

func TestASlowReaderDelaysNeitherTheRecorderNorOthers(t *testing.T) {
	s := serve(t, New())
	s.silent()
	r := s.join("")
	eventually(t, "both watch", func() bool { return s.watching() == 2 })
	const lines, length = 20000, 1 << 10
	waited := make(chan time.Duration, 1)
	go func() {
		longest := time.Duration(0)
		for n := 1; n <= lines; n++ {
			began := time.Now()
			s.Line([]byte(made(n, length)))
			longest = max(longest, time.Since(began))
		}
		waited <- longest
	}()
	if got := r.until(made(lines, length)); len(got) != lines {
		t.Errorf("%d lines, want %d", len(got), lines)
	}
	longest := <-waited
	if longest > time.Second {
		t.Errorf("the recorder waited for %v", longest)
	}
	t.Logf("the longest wait was %v", longest)
}

func TestAReaderThatStandsStillIsLetGo(t *testing.T) {
	h := New()
	h.patience = 200 * time.Millisecond
	for n := range 20000 {
		h.Line([]byte(made(n+1, 1<<10)))
	}
	closed := make(chan struct{})
	s := serve(t, h, func(s *http.Server) {
		s.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				close(closed)
			}
		}
	})
	s.silent()
	eventually(t, "it watches", func() bool { return s.watching() == 1 })
	eventually(t, "it is let go", func() bool { return s.watching() == 0 })
	select {
	case <-closed:
	case <-time.After(wait):
		t.Error("its connection stays")
	}
}

func TestOnlySoManyMayWatch(t *testing.T) {
	s := serve(t, New())
	s.lines(1, 1)
	readers := make([]*reader, maxReaders)
	for n := range readers {
		readers[n] = s.join("")
		areLines(t, readers[n].until(made(1, 0)), 1, 1)
	}
	for range 10 {
		r := s.join("")
		if body, _ := io.ReadAll(r.answer.Body); r.answer.StatusCode != 503 || r.answer.Header.Get("Retry-After") == "" ||
			string(body) != "As many pages watch as may. Close one of them.\n" {
			t.Errorf("%d %q", r.answer.StatusCode, body)
		}
	}
	readers[7].leave()
	eventually(t, "there is room again", func() bool { return s.watching() < maxReaders })
	areLines(t, s.join("").until(made(1, 0)), 1, 1)
	s.lines(2, 2)
	for n, r := range readers {
		if n != 7 {
			areLines(t, r.until(made(2, 0)), 2, 2)
		}
	}
}

// The server's own timeouts, here a tenth of a second, are for requests that should be over.
func TestAStreamOutlivesTheServersTimeouts(t *testing.T) {
	h := New()
	h.heartbeat = 50 * time.Millisecond
	s := serve(t, h, func(s *http.Server) {
		s.ReadTimeout, s.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	})
	r := s.join("")
	for comments := 0; comments < 8; {
		text, err := r.in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if text == ":\n" {
			comments++
		}
	}
	s.lines(1, 1)
	areLines(t, r.until(made(1, 0)), 1, 1)
}

func TestAllStreamsEndWhenTheServerStops(t *testing.T) {
	before := runtime.NumGoroutine()
	s := serve(t, New())
	for n := range 20000 {
		s.Line([]byte(made(n+1, 1<<10)))
	}
	var readers []*reader
	for range 20 {
		readers = append(readers, s.join("?from=20000"))
	}
	s.silent() // stands still in the middle of an event
	eventually(t, "all watch", func() bool { return s.watching() == 21 })
	s.lines(20001, 20002)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	if err := s.Config.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("it took %v", took)
	} else {
		t.Logf("it took %v", took)
	}
	for _, r := range readers {
		areLines(t, r.until(made(20002, 0)), 20001, 20002) // what there was, they were given
		if lines := r.event(); lines != nil {
			t.Errorf("and then %q", lines)
		}
	}
	if s.watching() != 0 {
		t.Errorf("%d still watch", s.watching())
	}
	s.Hub.Close() // once more does nothing
	s.Client().CloseIdleConnections()
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestWhoComesAfterTheEndGetsWhatThereWasAndTheEnd(t *testing.T) {
	s := serve(t, New())
	s.lines(1, 3)
	s.Hub.Close()
	r := s.join("")
	areLines(t, r.until(made(3, 0)), 1, 3)
	if lines := r.event(); lines != nil {
		t.Errorf("and then %q", lines)
	}
}

func TestAPageOfAnotherOriginMayNotWatch(t *testing.T) {
	s := serve(t, New())
	for site, want := range map[string]int{"same-origin": 200, "none": 200, "cross-site": 403, "same-site": 403} {
		if r := s.join("", "Sec-Fetch-Site", site); r.answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", site, r.answer.StatusCode, want)
		} else {
			r.leave()
		}
	}
}

func TestWhoAsksOnlyForTheHeadGetsIt(t *testing.T) {
	s := serve(t, New())
	answer, err := s.Client().Head(s.URL + EventsPath)
	if err != nil || answer.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatal(answer, err)
	}
	eventually(t, "nobody watches", func() bool { return s.watching() == 0 })
}

func TestManyJoinAndLeaveWhileLinesCome(t *testing.T) {
	s := serve(t, New())
	stop := make(chan struct{})
	var writer, all sync.WaitGroup
	writer.Go(func() {
		for n := 1; ; n++ {
			select {
			case <-stop:
				return
			default:
				s.lines(n, n)
				time.Sleep(50 * time.Microsecond)
			}
		}
	})
	for range 16 {
		all.Go(func() {
			for range 10 {
				r := s.join("")
				first := r.event()
				if len(first) == 0 || first[0] != made(1, 0) {
					t.Errorf("%.1q", first)
				}
				r.event()
				r.leave()
			}
		})
	}
	all.Wait()
	close(stop)
	writer.Wait()
	eventually(t, "all have left", func() bool { return s.watching() == 0 })
}

func TestThePageIsServedWithItsPolicy(t *testing.T) {
	s := serve(t, New())
	answer, err := http.Get(s.URL + PagePath)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	meta := `<meta name="envoywalk-live" content="/trace/events">`
	if !strings.Contains(string(body), meta) {
		t.Errorf("it does not say where its lines are: %s", meta)
	}
	h := answer.Header
	policy, inside := h.Get("Content-Security-Policy"), "connect-src 'self'"
	own, ok := strings.CutSuffix(policy, "; frame-ancestors 'none'")
	if !ok || !strings.Contains(policy, inside) || !strings.Contains(string(body), own) {
		t.Errorf("its policy is %q", policy)
	}
	if h.Get("Content-Type") != "text/html; charset=UTF-8" || h.Get("Cache-Control") != "no-store" {
		t.Error(h)
	}
}

func TestArmingIsAskedForAndTold(t *testing.T) {
	h := New()
	var asked []int64
	h.Arms(func(n int64) { asked = append(asked, n) })
	s := serve(t, h)
	for query, want := range map[string]string{"?connections=3": `200 {"n":3}`, "?connections=0": `200 {"n":0}`,
		"?connections=all": `200 {"n":-1}`} {
		if got := s.post(query); got != want+"\n" {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if len(asked) != 3 || asked[0]+asked[1]+asked[2] != 2 {
		t.Errorf("the recorder was asked for %v", asked)
	}
	usage := "400 usage: /trace/arm?connections=N  or  /trace/arm?connections=all\n"
	for _, query := range [...]string{"", "?connections=", "?connections=-1", "?connections=x", "?connections=1e3",
		"?connections=99999999999999999999"} {
		if got := s.post(query); got != usage {
			t.Errorf("%s: %q", query, got)
		}
	}
	if len(asked) != 3 {
		t.Errorf("the recorder was asked for %v", asked)
	}
	h.Armed(2)
	if got := s.join("").event(); len(got) != 1 || got[0] != `{"k":"armed","n":2}` {
		t.Errorf("%q", got)
	}
}

func (s *serving) post(query string) string {
	s.t.Helper()
	answer, err := http.Post(s.URL+ArmPath+query, "", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return fmt.Sprintf("%d %s", answer.StatusCode, body)
}

func TestAHubThatIsOffKeepsNothing(t *testing.T) {
	h := New()
	p := h.Processor(time.Time{})
	r := record.New(record.Config{Processors: []sdk.SpanProcessor{p}})
	l := r.Thread("main_thread", 1, 0)
	l.Enter(step.OnAccept).Exit()
	l.Flush()
	eventually(t, "there are lines", func() bool { return h.count() > 0 })
	h.Off()
	l.Enter(step.OnAccept).Exit()
	l.End()
	if _, err := r.Close(t.Context()); err != nil || h.count() != 0 {
		t.Errorf("%d lines are kept, %v", h.count(), err)
	}
}

func TestThePagesHearWhatTheRecorderLost(t *testing.T) {
	h := New()
	s := serve(t, h)
	var lost atomic.Uint64
	h.Losses(lost.Load)
	r := record.New(record.Config{Processors: []sdk.SpanProcessor{h.Processor(time.Time{})}})
	l := r.Thread("main_thread", 1, 0)
	l.Enter(step.OnAccept).Exit()
	lost.Store(7)
	l.End()
	if _, err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for at := s.join(""); len(got) < h.count(); {
		got = append(got, at.event()...)
	}
	if !slices.Contains(got, `{"k":"stats","dropped":7,"admin":0}`) {
		t.Error(strings.Join(got, "\n"))
	}
}

// What comes out of the hub is the page's: the spans of a recorder, as page.Read would have them.
func TestSpansBecomeLines(t *testing.T) {
	h := New()
	s := serve(t, h)
	r := record.New(record.Config{Processors: []sdk.SpanProcessor{h.Processor(time.Time{})}, Armed: h.Armed})
	h.Arms(r.Arm)
	l := r.Thread("main_thread", 1, 0)
	l.Enter(step.OnAccept).Exit()
	if got := s.post("?connections=5"); got != "200 {\"n\":5}\n" {
		t.Error(got)
	}
	l.End()
	if _, err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for at := s.join(""); len(kinds) < h.count(); {
		for _, line := range at.event() {
			kinds = append(kinds, kindOf([]byte(line)))
		}
	}
	got := strings.Join(kinds, " ") // when it was armed is another matter
	if strings.Replace(got, " armed", "", 1) != "head b step file b e e" || !strings.Contains(got, " armed") {
		t.Errorf("the lines are %s", got)
	}
}
