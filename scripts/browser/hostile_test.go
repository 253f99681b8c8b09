package browser

import (
	"context"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"envoywalk/internal/step"
	"envoywalk/trace"
	"envoywalk/trace/sink"
)

// hostile is what a peer may have put where a span shows it: a server name, a path, an address of a PROXY header.
type hostile string

func (h hostile) String() string { return string(h) }

var worst = []string{"</script>", "<script>hacked=1</script>", "<!--", "-->", "]]>", "<img src=x onerror=hacked=1>",
	"\u2028", "\u2029", "\x1b[31m", "\x1b]0;t\x07", "\xff", "\xc0\x80", "\xed\xa0\x80", "\u202e", "\u2066", "\ufeff", "\x00",
	"\r\n", "\n{\"k\":\"b\"}\n", "\"", "\\", "'", "`${hacked=1}`", "%s%n", "\u009b", "é", "漢", "🙂", " ", "\t", "\x7f",
	"\u200b", "&lt;b&gt;", "javascript:hacked=1", "__proto__", "constructor", "data: x\n\n", "</title>", "<svg onload=hacked=1>"}

func hostileText(r *rand.Rand) hostile {
	var b strings.Builder
	for range 1 + r.IntN(8) {
		if r.IntN(3) == 0 {
			b.WriteByte(byte(r.Uint32()))
			continue
		}
		b.WriteString(worst[r.IntN(len(worst))])
	}
	if r.IntN(1000) == 0 {
		b.WriteString(strings.Repeat("\x1b\xff<", 5_000))
	}
	return hostile(b.String())
}

// tellHostile tells of one text in one of the ways that a lane has.
func tellHostile(l *trace.Lane, n int, text hostile) {
	fd := 3 + n%50
	story := l.BeginStory(uint64(n+1), 0)
	span := l.EnterStory(story, step.OnReadReady)
	switch n % 8 {
	case 0:
		l.Endpoints(story, text, text)
	case 1:
		l.Label(fd, string(text))
		tell(l, readCall, fd, 7, string(text))
	case 2:
		l.LabelUpstream(fd, uint64(n), string(text))
		span.On(fd)
	case 3:
		span.Of(string(text))
	case 4:
		l.EnterTimer(string(text), false).Exit()
	case 5:
		to := "worker_0"
		if n%400 == 5 {
			to = string(text) // some: a thousand dispatchers are another test's matter
		}
		id, at := l.Posting()
		l.Posted(id, at, step.OnAcceptWorker, to, string(text), trace.PostOutcome{Queued: 1})
		l.EnterRun(step.OnAcceptWorker, to, string(text), id).Exit()
	case 6:
		l.HandOver(fd, string(text))
		l.Later(7, string(text))
	case 7:
		l.Label(fd, string(text))
		tell(l, acceptCall, 3, int64(fd), "")
		l.Note(string(text), 1)
	}
	span.Exit()
	l.EndStory(story, false)
}

func hostileRun(t *testing.T, texts int) (url string, o *oracle, tree map[int64]string) {
	t.Helper()
	dir := t.TempDir()
	file := func(kind string) string { return filepath.Join(dir, "hostile."+kind) }
	var said strings.Builder
	s, err := sink.Open([]string{"html=" + file("html"), "json=" + file("json"), "tree"},
		sink.Options{Stdout: &said, All: true})
	if err != nil {
		t.Fatal(err)
	}
	r := trace.New(trace.Config{Service: "</script><!--\x1b\u2028", Processors: s.Processors, Blocks: 4096})
	random := rand.New(rand.NewPCG(1, 2))
	lane := r.Thread("</title>\u202e\xff", 1, 0)
	lane.StartupDone()
	for n := range texts {
		tellHostile(lane, n, hostileText(random))
	}
	lane.End()
	if stats, err := r.Close(context.Background()); err != nil || stats.Dropped > 0 {
		t.Fatal(stats, err)
	}
	if _, err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return "file://" + file("html"), readOracle(t, file("json")), treeLines(said.String())
}

var _ io.Writer = (*strings.Builder)(nil)

func TestTenThousandHostileTextsAreTextOnThePage(t *testing.T) {
	url, o, _ := hostileRun(t, 10_000)
	tab := open(t, url)
	if n := data(t, tab, "events"); n != strconv.Itoa(len(o.spans)) {
		t.Errorf("%d spans, %s events", len(o.spans), n)
	}
	items := twin(t, tab)
	if len(items) != len(o.spans) {
		t.Fatalf("%d spans, %d entries", len(o.spans), len(items))
	}
	if n := data(t, tab, "flows"); n != strconv.Itoa(len(o.posts())) {
		t.Errorf("%d posts ran, %s flows", len(o.posts()), n)
	}
	var said strings.Builder
	for _, i := range items {
		said.WriteString(i.Text)
	}
	for _, want := range []string{"</script>", "<!--", "<img src=x onerror=hacked=1>", `\u2028`, `\x1b[31m`, `\u202e`} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q does not appear as text", want)
		}
	}
	if i := strings.IndexFunc(said.String(), func(r rune) bool { return r < ' ' || r == '\u202e' || r == '\u2028' || r == 0x9b }); i >= 0 {
		t.Errorf("a character that acts came through: %q", said.String()[max(0, i-20):i+20])
	}
	visitHostile(t, tab, o)
	if got := tab.Requests(); !slices.Equal(got, []string{url}) {
		t.Errorf("the page asked for %q", got)
	}
}

// visitHostile looks at every pane of many of these moments, and searches for them.
func visitHostile(t *testing.T, tab *Tab, o *oracle) {
	t.Helper()
	pressAt(t, tab, "j", o.sample(40))
	pressAt(t, tab, "f", o.sample(20))
	for _, text := range []string{"</script>", "<img", `\u202e`, "__proto__"} {
		press(t, tab, "/")
		press(t, tab, text)
		press(t, tab, enter)
		press(t, tab, escape)
	}
	press(t, tab, "q")
	press(t, tab, escape)
	foreign := eval[[]string](t, tab, `[...document.querySelectorAll("img, iframe, svg[onload], object, embed, base, form[action]")]
		.map(e => e.outerHTML.slice(0, 80))`)
	if len(foreign) > 0 {
		t.Errorf("elements that nobody made: %q", foreign)
	}
	if eval[bool](t, tab, `"hacked" in window`) {
		t.Error("a peer's code ran")
	}
}
