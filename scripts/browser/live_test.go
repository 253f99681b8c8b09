package browser

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"envoywalk/internal/walktest"
)

const liveConfig = `
admin:
  access_log_path: /dev/null
  address: {socket_address: {address: 127.0.0.1, port_value: 0}}
static_resources:
  listeners:
  - name: echo
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.tcp_proxy
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
          stat_prefix: echo
          cluster: back
  clusters:
  - name: back
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: back
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: %d}}}}]}]
`

// served is a running proxy, and where it listens.
type served struct {
	*walktest.Process
	admin, listener string
}

// serveLive starts chapter 06 before an upstream of the test's own, which answers HTTP.
func serveLive(t *testing.T) *served {
	t.Helper()
	back, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	upstream := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "hello from behind\n")
	})}
	go upstream.Serve(back)
	t.Cleanup(func() { upstream.Close() })
	p := walktest.Start(t, "06", "-c", walktest.Config(t, liveConfig, back.Addr().(*net.TCPAddr).Port),
		"--concurrency", "2", "--trace", "live")
	p.Ready()
	s := &served{Process: p, admin: p.WaitFor(`live trace: http://(127\.0\.0\.1:\d+)/trace`)[1]}
	s.listener = regexp.MustCompile(`echo::(127\.0\.0\.1:\d+)`).FindStringSubmatch(get(t, "http://"+s.admin+"/listeners"))[1]
	return s
}

func get(t testing.TB, url string) string {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: Patience}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func openLive(t *testing.T, admin string) *Tab {
	t.Helper()
	tab := open(t, "http://"+admin+"/trace")
	wait(t, tab, `document.documentElement.dataset.live === "open" && document.querySelectorAll("#twin li").length > 100`)
	return tab
}

// count is how many entries of the list say this.
func count(t testing.TB, tab *Tab, says string) int {
	t.Helper()
	return eval[int](t, tab, `[...document.querySelectorAll("#twin li")].filter(li => li.textContent.includes(%q)).length`, says)
}

func TestALivePageAsksOnlyForItsEvents(t *testing.T) {
	s := serveLive(t)
	tab := openLive(t, s.admin)
	get(t, "http://"+s.listener)
	wait(t, tab, `[...document.querySelectorAll("#twin li")].some(li => li.textContent.includes("= 11<C") || li.textContent.includes("accept4("))`)
	for _, url := range tab.Requests()[1:] {
		if !strings.HasPrefix(url, "http://"+s.admin+"/trace/events") {
			t.Errorf("the page asked for %s", url)
		}
	}
	if n := count(t, tab, "127.0.0.1:"+s.admin[strings.LastIndex(s.admin, ":")+1:]+") ="); n > 3 {
		t.Errorf("%d entries speak of the admin's address: the page watches itself", n)
	}
}

// watch has the page note when an entry of the list first says that a connection was accepted.
const watch = `(() => {
	const before = document.querySelectorAll("#twin li").length;
	window.seen = new Promise(done => {
		const look = () => {
			const li = [...document.querySelectorAll("#twin li")].slice(before).find(li => /accept4\(.*= \d+</.test(li.textContent));
			if (li) { observer.disconnect(); done(Date.now()); }
		};
		const observer = new MutationObserver(look);
		observer.observe(document.querySelector("#twin"), {childList: true, subtree: true});
	});
	return true;
})()`

func TestACurlIsOnThePageWithin200Milliseconds(t *testing.T) {
	s := serveLive(t)
	tab := openLive(t, s.admin)
	var took []time.Duration
	for range 10 {
		eval[bool](t, tab, watch)
		begin := time.Now()
		if text := get(t, "http://"+s.listener); text != "hello from behind\n" {
			t.Fatalf("the proxy answered %q", text)
		}
		at := eval[int64](t, tab, `window.seen`)
		took = append(took, time.UnixMilli(at).Sub(begin.Truncate(time.Millisecond)))
		time.Sleep(60 * time.Millisecond) // into the collector's idle rhythm, as a reader's hand would
	}
	slices.Sort(took)
	t.Logf("from the start of the request to the entry in the list: median %v, all %v", took[5], took)
	if took[5] >= 200*time.Millisecond {
		t.Errorf("the median is %v", took[5])
	}
}

// cable is a way to the admin that can be cut.
type cable struct {
	net.Listener
	to    string
	mu    sync.Mutex
	open  []net.Conn
	isCut bool
}

func newCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{Listener: l, to: to}
	go c.serve()
	t.Cleanup(func() { l.Close(); c.cut() })
	return c
}

func (c *cable) serve() {
	for {
		near, err := c.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", c.to)
		if err != nil || !c.keep(near, far) {
			near.Close()
			continue
		}
		go io.Copy(far, near)
		go func() { io.Copy(near, far); near.Close() }()
	}
}

func (c *cable) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = append(c.open, conns...)
	return !c.isCut
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	for _, conn := range c.open {
		conn.Close()
	}
	c.open = nil
}

func (c *cable) mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = false
}

func TestAPageThatWasCutOffMissesNothing(t *testing.T) {
	s := serveLive(t)
	way := newCable(t, s.admin)
	tab := openLive(t, way.Addr().String())
	whole := openLive(t, s.admin)
	for round := range 3 {
		way.cut()
		wait(t, tab, `document.documentElement.dataset.live === "reconnecting"`)
		get(t, "http://"+s.listener)
		way.mend()
		wait(t, tab, `document.documentElement.dataset.live === "open"`)
		get(t, "http://"+s.listener)
		t.Logf("round %d", round)
	}
	if code := s.Stop(syscall.SIGTERM); code != 0 {
		t.Fatalf("exit %d", code)
	}
	for _, x := range []*Tab{tab, whole} {
		wait(t, x, `document.documentElement.dataset.live === "reconnecting"`)
	}
	a, b := twin(t, tab), twin(t, whole)
	if len(a) < len(b)-60 { // what came in the last moment of the process
		t.Errorf("the page that was cut off has %d entries, the other %d", len(a), len(b))
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("entry %d: %+v after the cuts, %+v without", i, a[i], b[i])
		}
	}
	if n := eval[int](t, tab, `envoywalk.model.lost.length`); n > 0 {
		t.Errorf("%d losses are told", n)
	}
	for _, x := range []*Tab{tab, whole} { // the browser tells of the connections that failed: that is the test
		eval[bool](t, x, `(envoywalk.live.source.close(), true)`)
		forgive(t, x, "Failed to load resource")
	}
}

func TestArmingShowsTheNextConnectionsAndNoMore(t *testing.T) {
	s := serveLive(t)
	tab := openLive(t, s.admin)
	eval[bool](t, tab, `(document.querySelector("#arm-n").value = 2, document.querySelector("#arm").requestSubmit(), true)`)
	wait(t, tab, `document.querySelector("#armed").textContent.includes("2")`)
	before := eval[int](t, tab, stories)
	for range 5 {
		get(t, "http://"+s.listener)
	}
	wait(t, tab, `%s === %d`, stories, before+2)
	wait(t, tab, `envoywalk.model.armed === 0`)
	eval[bool](t, tab, `(document.querySelector("#arm-all").click(), true)`)
	wait(t, tab, `envoywalk.model.armed === -1`)
	get(t, "http://"+s.listener)
	wait(t, tab, `%s === %d`, stories, before+3)
}

const stories = `envoywalk.model.events.filter(e => e.kind === "story").length`

// The page's table against the kernel's own, while the process lives.
func TestTheLiveTableHoldsOnlyDescriptorsThatTheKernelHas(t *testing.T) {
	s := serveLive(t)
	tab := openLive(t, s.admin)
	conn, err := net.Dial("tcp", s.listener)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	conn.Read(make([]byte, 1))
	wait(t, tab, `envoywalk.model.events.some(e => e.call?.name === "writev")`)
	time.Sleep(200 * time.Millisecond) // both sides at rest
	press(t, tab, end)
	kernel := map[int64]bool{}
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.Cmd.Process.Pid), "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		n, _ := strconv.ParseInt(e.Name(), 10, 64)
		kernel[n] = true
	}
	rows := tableNow(t, tab)
	if len(rows) < 10 {
		t.Errorf("only %v", rows)
	}
	var labels []string
	for _, f := range rows {
		labels = append(labels, f.Label)
		if !strings.Contains(f.State, "closed") && !kernel[f.FD] {
			t.Errorf("the page has %+v, the kernel has no such descriptor", f)
		}
	}
	for _, want := range []string{`^echo$`, `^echo/w0$`, `^C\d+$`, `^C\d+>back$`} {
		if !slices.ContainsFunc(labels, regexp.MustCompile(want).MatchString) {
			t.Errorf("nothing called %s is in the table: %q", want, labels)
		}
	}
}
