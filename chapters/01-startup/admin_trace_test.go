package startup

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

func TestWithoutATraceThePageSaysHowToHaveOne(t *testing.T) {
	const how = "This server is not being traced for a page.\n" +
		"Start it with --trace live, or with --trace html=FILE to keep the page too, and come back.\n"
	lines := whileAdminServes(t, "", nil, func(a asking) {
		a.expect("GET", "/trace", 404, how)
		a.expect("GET", "/trace/events", 404, how)
		a.expect("POST", "/trace/arm?connections=3", 404, how)
	})
	same(t, only(lines, "live trace"), nil)
}

func TestWithoutAnAdminNobodyCanWatch(t *testing.T) {
	page := "html=" + filepath.Join(t.TempDir(), "page")
	_, lines := serve(t, "{}", nil, func(d *Demo) {
		if d.Instance.live == nil {
			t.Error("the page records for a hub too")
		}
	}, "--trace", page)
	same(t, only(lines, "nobody can watch", "live trace"), nil) // the page has its file
}

// liveLine is what these tests read of a line of the page.
type liveLine struct {
	K, I, X, Th, N string
	Kind           string `json:"-"`
	Armed          int    `json:"-"`
	text           string
	came           time.Time
}

// UnmarshalJSON: encoding/json does not tell k from K, and n is a name here and a number there.
func (l *liveLine) UnmarshalJSON(text []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, to := range map[string]*string{"k": &l.K, "i": &l.I, "x": &l.X, "th": &l.Th, "n": &l.N, "K": &l.Kind} {
		json.Unmarshal(fields[name], to)
	}
	json.Unmarshal(fields["n"], &l.Armed)
	return nil
}

// watcher is a page that shows the lines of a server: what its EventSource would get.
type watcher struct {
	lines chan liveLine
	leave func()
}

func (s *server) watch() *watcher {
	s.t.Helper()
	ctx, leave := context.WithCancel(s.t.Context())
	s.t.Cleanup(leave)
	r, _ := http.NewRequestWithContext(ctx, "GET", s.admin+"/trace/events", nil)
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if kind := answer.Header.Get("Content-Type"); answer.StatusCode != 200 || kind != "text/event-stream" {
		s.t.Fatal(answer.StatusCode, kind)
	}
	w := &watcher{make(chan liveLine, 1<<16), leave}
	go func() {
		defer close(w.lines)
		defer answer.Body.Close()
		for in := bufio.NewReader(answer.Body); ; {
			text, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if data, ok := strings.CutPrefix(text, "data: "); ok {
				l := liveLine{text: data, came: time.Now()}
				json.Unmarshal([]byte(data), &l)
				w.lines <- l
			}
		}
	}()
	return w
}

// until returns the lines up to the one that is.
func (s *server) until(w *watcher, what string, is func(liveLine) bool) (all []liveLine) {
	s.t.Helper()
	for deadline := time.After(walktest.Patience); ; {
		select {
		case l, ok := <-w.lines:
			if !ok {
				s.t.Fatalf("the stream ended without %s", what)
			}
			if all = append(all, l); is(l) {
				return all
			}
		case <-deadline:
			s.t.Fatalf("never: %s", what)
		}
	}
}

// connect connects to a listener and waits until the server has closed the connection.
func (s *server) connect(listener string) {
	s.t.Helper()
	conn, err := net.Dial("tcp", listener)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(walktest.Patience))
	io.Copy(io.Discard, conn)
}

// startLive starts a server that can be watched, and tells where its listener is.
func startLive(t *testing.T) (s *server, listener string) {
	t.Helper()
	s = startServer(t, tcpAdmin+"\nstats_flush_interval: 299s"+oneListener, "--concurrency", "2",
		"--trace", "html="+filepath.Join(t.TempDir(), "page"))
	s.WaitFor(`\[info\]\[admin\] .*live trace: ` + s.admin + `/trace\n`)
	return s, strings.TrimPrefix(strings.TrimSpace(s.expect("GET", "/listeners", 200, "^echo::")), "echo::")
}

func begins(text string) func(liveLine) bool {
	return func(l liveLine) bool { return l.K == "b" && strings.Contains(l.X, text) }
}

func isRoot(l liveLine) bool { return l.K == "b" && l.Kind == "story" }

func TestAConnectionIsOnThePageAsItIsMade(t *testing.T) {
	s, listener := startLive(t)
	s.expect("GET", "/trace", 200, `<meta name="envoywalk-live" content="/trace/events">`)
	w := s.watch()
	start := s.until(w, "the start", begins("InstanceImpl::startWorkers callback"))
	if start[0].K != "head" {
		t.Errorf("the first line is %.80s", start[0].text)
	}
	shown := 0
	for _, l := range start {
		made := strings.HasPrefix(l.X, "bind(") || strings.HasPrefix(l.X, "listen(")
		if l.K == "b" && made && strings.Contains(l.X, "<admin>") {
			shown++
		}
	}
	if shown != 2 {
		t.Errorf("of bind and listen of the admin's own socket %d are shown", shown)
	}
	var longest time.Duration
	for range 10 {
		began := time.Now()
		s.connect(listener)
		all := s.until(w, "the connection", isRoot)
		longest = max(longest, all[len(all)-1].came.Sub(began))
	}
	t.Logf("the longest of 10 took %v from connect to the page", longest.Round(time.Millisecond))
	if longest > 2*time.Second {
		t.Errorf("it took %v", longest)
	}
}

func TestThePageDoesNotWatchItself(t *testing.T) {
	s, listener := startLive(t)
	w := s.watch()
	s.until(w, "the start", begins("InstanceImpl::startWorkers callback"))
	onMain := func(l liveLine) bool { return l.Th == "main_thread" && begins("run #")(l) }
	s.until(w, "what the test asked for its listener", onMain)
	for range 20 { // each in a connection of its own
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		for _, path := range [...]string{"/trace", "/stats?filter=nothing", "/trace/arm"} {
			answer, err := client.Get(s.admin + path)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
		s.watch().leave()
	}
	s.connect(listener)
	all := s.until(w, "a connection that is no page's", isRoot)
	for _, l := range all[:len(all)-1] {
		// A signal of the Go runtime's may end a wait of main's, and nothing but its own wait is in that turn.
		if l.K == "b" && l.Th == "main_thread" && !strings.Contains(l.text, "EINTR") && l.Kind != "turn" {
			t.Errorf("it shows %s", l.text)
		}
	}
	// What a page of the admin has main do is shown.
	s.expect("POST", "/healthcheck/fail", 200, "OK")
	s.until(w, "the post", begins("post #"))
	s.until(w, "its run on main", onMain)
}

func TestArmingShowsSoManyConnections(t *testing.T) {
	s, listener := startLive(t)
	w := s.watch()
	s.expect("POST", "/trace/arm?connections=3", 200, `^\{"n":3\}\n$`)
	armed := func(n int) func(liveLine) bool {
		return func(l liveLine) bool { return l.K == "armed" && l.Armed == n }
	}
	s.until(w, "it is armed", armed(3))
	for range 7 {
		s.watch().leave() // the page's own connections do not count
		s.connect(listener)
	}
	s.expect("POST", "/trace/arm?connections=all", 200, `^\{"n":-1\}\n$`)
	lines := s.until(w, "all are told", armed(-1))
	s.connect(listener)
	last := s.until(w, "one more", isRoot)
	var told []string
	for _, l := range lines {
		switch {
		case l.K == "armed":
			told = append(told, fmt.Sprint(l.Armed))
		case isRoot(l):
			told = append(told, "story")
		}
	}
	if got := strings.Join(told, " "); got != "2 story 1 story 0 story -1" {
		t.Errorf("told were %s, and then %s", got, last[len(last)-1].X)
	}
	if code := s.Stop(syscall.SIGTERM); code != 0 {
		t.Error("status", code)
	}
	s.WaitFor(`left out \d+ spans of connections that nobody asked for`)
}

func TestOpenStreamsDoNotHoldUpTheStop(t *testing.T) {
	s, _ := startLive(t)
	var watchers []*watcher
	for range 20 {
		watchers = append(watchers, s.watch())
	}
	silent := s.dial()
	fmt.Fprint(silent, "GET /trace/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	s.until(watchers[0], "the start", begins("InstanceImpl::startWorkers callback"))
	began := time.Now()
	if code := s.Stop(syscall.SIGTERM); code != 0 {
		t.Error("status", code)
	}
	took := time.Since(began)
	t.Logf("the stop took %v", took.Round(time.Millisecond))
	if took > time.Second {
		t.Errorf("the stop took %v", took)
	}
	for _, w := range watchers {
		for range w.lines { // up to its end
		}
	}
}

func TestStreamsLeaveRoomForOtherQuestions(t *testing.T) {
	s, _ := startLive(t)
	for range 64 {
		s.watch()
	}
	s.expect("GET", "/trace/events", 503, `^As many pages watch as may`)
	s.expect("GET", "/ready", 200, "LIVE")
}
