package browser

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// The keys that move, pressed at many moments: what the page does against what the spans say.
func TestEveryKeyThatMovesLandsWhereTheSpansSay(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		r := demo(t, chapter)
		tab := open(t, r.url)
		for _, key := range []string{"j", arrowDown, "k", arrowUp, "n", "N", enter, "u", backspace, "o", home, end} {
			for _, s := range r.oracle.sample(4) {
				jump(t, tab, s.seq)
				press(t, tab, key)
				if got, want := seqNow(t, tab), r.oracle.press(key, s).seq; got != want {
					t.Errorf("%s: %q at %d %q led to %d, not to %d", chapter, key, s.seq, s.name, got, want)
				}
			}
		}
	}
}

// names of the keys in a KeyboardEvent.
var eventKey = map[string]string{arrowDown: "ArrowDown", arrowUp: "ArrowUp", backspace: "Backspace", enter: "Enter",
	home: "Home", end: "End", escape: "Escape", arrowLeft: "ArrowLeft", arrowRight: "ArrowRight"}

// pressAt presses key at each of the moments, inside the page, and returns where it led.
func pressAt(t testing.TB, tab *Tab, key string, at []*span) []int64 {
	t.Helper()
	name := key
	if n, ok := eventKey[key]; ok {
		name = n
	}
	var seqs []int64
	for _, s := range at {
		seqs = append(seqs, s.seq)
	}
	list, _ := json.Marshal(seqs)
	return eval[[]int64](t, tab, `%s.map(seq => {
		envoywalk.goSeq(seq);
		document.body.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}));
		return Number(document.documentElement.dataset.seq);
	})`, list, name)
}

// The same at many more moments of the run, with events made in the page.
func TestEveryKeyThatMovesLandsThereFromManyMoments(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		r := demo(t, chapter)
		tab := open(t, r.url)
		for _, key := range []string{"j", "k", "n", "N", enter, "u", "o", home, end} {
			wrong := 0
			some := r.oracle.sample(40)
			for i, got := range pressAt(t, tab, key, some) {
				s := some[i]
				if want := r.oracle.press(key, s).seq; got != want && wrong < 5 {
					wrong++
					t.Errorf("%s: %q at %d %q led to %d, not to %d", chapter, key, s.seq, s.name, got, want)
				}
			}
		}
	}
}

func TestFollowLeadsFromAPostToItsRunAndBack(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		r := demo(t, chapter)
		tab := open(t, r.url)
		for _, p := range r.oracle.posts() {
			jump(t, tab, p[0].seq)
			press(t, tab, "f")
			if got := seqNow(t, tab); got != p[1].seq {
				t.Errorf("%s: f at post %d led to %d, its run is %d", chapter, p[0].seq, got, p[1].seq)
				continue
			}
			press(t, tab, "f")
			if got := seqNow(t, tab); got != p[0].seq {
				t.Errorf("%s: f at run %d led to %d, its post is %d", chapter, p[1].seq, got, p[0].seq)
			}
		}
	}
}

// causes are the other pairs that f knows: what links to what.
func causes(o *oracle) (pairs [][2]*span) {
	for _, s := range o.spans {
		if s.kind != "thread" && s.kind != "story" {
			continue
		}
		for _, id := range s.links {
			if c := o.byID[id]; c != nil {
				pairs = append(pairs, [2]*span{c, s})
			}
		}
	}
	return pairs
}

func TestFollowLeadsFromAThreadToWhoMadeItAndFromAConnectionToItsAccept(t *testing.T) {
	r := demo(t, "06")
	tab := open(t, r.url)
	pairs := causes(r.oracle)
	if len(pairs) < 4 {
		t.Fatalf("only %d threads and connections", len(pairs))
	}
	for _, p := range pairs {
		jump(t, tab, p[1].seq)
		press(t, tab, "f")
		if got := seqNow(t, tab); got != p[0].seq {
			t.Errorf("f at %d %q led to %d, it came from %d %q", p[1].seq, p[1].name, got, p[0].seq, p[0].name)
			continue
		}
		press(t, tab, "f")
		if got := seqNow(t, tab); got != p[1].seq {
			t.Errorf("f back at %d %q led to %d", p[0].seq, p[0].name, got)
		}
	}
}

// shown are the entries of the list that a reader sees.
func shown(t testing.TB, tab *Tab) []int64 {
	t.Helper()
	return eval[[]int64](t, tab, `[...document.querySelectorAll("#twin li")]
		.filter(li => getComputedStyle(li).display !== "none").map(li => Number(li.dataset.seq))`)
}

func TestKeys1To5HideKindsAndStepsPassThemBy(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	for key, kinds := range kindKeys {
		hidden := func(s *span) bool { return slices.Contains(kinds, s.kind) }
		press(t, tab, key)
		if p := eval[string](t, tab, `document.querySelector("#kinds [data-kind='%s']").ariaPressed`, key); p != "false" {
			t.Errorf("%s: aria-pressed is %s", key, p)
		}
		var want []int64
		for _, s := range r.oracle.spans {
			if !hidden(s) {
				want = append(want, s.seq)
			}
		}
		if got := shown(t, tab); !slices.Equal(got, want) {
			t.Errorf("%s: %d entries are shown, %d should be", key, len(got), len(want))
		}
		some := r.oracle.sample(40)
		for i, got := range pressAt(t, tab, "j", some) {
			next := r.oracle.from(some[i].n+1, 1, func(s *span) bool { return !hidden(s) })
			if next != nil && got != next.seq {
				t.Errorf("%s hidden: j at %d led to %d, not to %d", key, some[i].seq, got, next.seq)
				break
			}
		}
		press(t, tab, key)
		if got := shown(t, tab); len(got) != len(r.oracle.spans) {
			t.Errorf("%s again: %d entries", key, len(got))
		}
	}
}

func TestSearchGoesToTheBestMatchWhileTypingAndEnterToTheNext(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	items := twin(t, tab)
	for _, words := range []string{"listen(", "epoll_ctl", "post #", "ADDLISTENER", "accept4"} {
		var hits []int64
		for _, i := range items {
			if strings.Contains(strings.ToLower(i.Text), strings.ToLower(words)) {
				hits = append(hits, i.Seq)
			}
		}
		jump(t, tab, r.oracle.spans[0].seq)
		press(t, tab, "/")
		if at := eval[string](t, tab, `document.activeElement.id`); at != "search" {
			t.Fatalf("/ left the focus on %q", at)
		}
		press(t, tab, words)
		wait(t, tab, `document.querySelector("#search").value === %q`, words)
		first := seqNow(t, tab)
		if !slices.Contains(hits, first) {
			t.Errorf("typing %q led to %d, which does not say it; hits %v", words, first, hits)
		}
		seen := map[int64]bool{first: true}
		for range r.oracle.spans { // the search also looks at what is not in the text, such as names of threads
			press(t, tab, enter)
			if seqNow(t, tab) == first {
				break
			}
			seen[seqNow(t, tab)] = true
		}
		for _, h := range hits {
			if !seen[h] {
				t.Errorf("%q: Enter never led to %d", words, h)
			}
		}
		last := seqNow(t, tab)
		press(t, tab, enter)
		shiftEnter(t, tab)
		if got := seqNow(t, tab); len(hits) > 1 && got != last {
			t.Errorf("%q: Enter and Shift+Enter from %d ended at %d", words, last, got)
		}
		press(t, tab, escape)
		if at := eval[string](t, tab, `document.activeElement.id`); at == "search" {
			t.Error("Esc did not leave the search")
		}
		before := seqNow(t, tab)
		press(t, tab, "j")
		if seqNow(t, tab) == before {
			t.Error("keys are dead after a search")
		}
		eval[bool](t, tab, `(document.querySelector("#search").value = "", true)`)
	}
}

func shiftEnter(t testing.TB, tab *Tab) {
	t.Helper()
	if err := tab.Key(enter, chromedpShift); err != nil {
		t.Fatal(err)
	}
}

func TestGoLeadsToASeq(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	for _, s := range r.oracle.sample(4) {
		press(t, tab, "g")
		for range 8 { // what an earlier search left
			press(t, tab, backspace)
		}
		press(t, tab, "#")
		press(t, tab, itoa(s.seq))
		press(t, tab, enter)
		if got := seqNow(t, tab); got != s.seq {
			t.Errorf("g %d led to %d", s.seq, got)
		}
		press(t, tab, escape)
	}
}

// A key, what it changes, and that it changes back.
func TestEveryKeyThatSwitchesSwitchesAndBack(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	root := `document.documentElement.dataset.`
	for _, k := range []struct {
		key, what string
		states    []string
	}{
		{"t", root + "axis", []string{"order", "time", "order"}},
		{"c", root + "causal", []string{"off", "past", "future", "off"}},
		{"l", `document.querySelector("#head").lang`, []string{"en", "zh-CN", "en"}},
		{"m", root + "theme", []string{"light", "dark", "light"}},
		{"s", "envoywalk.sourceFirst", []string{"go", "envoy", "go"}},
	} {
		for i, want := range k.states {
			if i > 0 {
				press(t, tab, k.key)
			}
			if got := eval[string](t, tab, k.what); got != want {
				t.Errorf("%s pressed %d times: %s is %q, not %q", k.key, i, k.what, got, want)
			}
		}
	}
}

func TestDialogsOpenByTheirKeyAndCloseByEscape(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	for key, dialog := range map[string]string{"?": "help", "q": "questions"} {
		isOpen := func() bool { return eval[bool](t, tab, `document.querySelector("#%s").open`, dialog) }
		press(t, tab, key)
		if !isOpen() {
			t.Errorf("%s opened nothing", key)
		}
		if text := eval[string](t, tab, `document.querySelector("#%s").textContent.trim()`, dialog); len(text) < 40 {
			t.Errorf("%s says only %q", dialog, text)
		}
		press(t, tab, escape)
		if isOpen() {
			t.Errorf("Esc did not close %s", dialog)
		}
	}
	press(t, tab, end) // at the first event too, where there is nothing to say but that it began
	press(t, tab, home)
	press(t, tab, "w")
	if !eval[bool](t, tab, `document.querySelector("#why").contains(document.activeElement)`) {
		t.Errorf("w left the focus on %q", eval[string](t, tab, `document.activeElement.outerHTML.slice(0, 80)`))
	}
	press(t, tab, escape)
	before := seqNow(t, tab)
	press(t, tab, "j")
	if seqNow(t, tab) == before {
		t.Error("keys are dead after the dialogs")
	}
}

func TestTheTourGreetsAFirstVisitOnlyAndHasFiveSteps(t *testing.T) {
	r := demo(t, "04")
	tab := window(t)
	if err := tab.Load(r.url); err != nil {
		t.Fatal(err)
	}
	if !eval[bool](t, tab, `document.querySelector("#tour").open`) {
		t.Fatal("a first visit sees no tour")
	}
	seen := map[string]bool{}
	for range 5 {
		seen[eval[string](t, tab, `document.querySelector("#tour").textContent`)] = true
		press(t, tab, arrowRight)
	}
	if len(seen) != 5 {
		t.Errorf("%d different steps: %v", len(seen), seen)
	}
	press(t, tab, escape)
	if eval[bool](t, tab, `document.querySelector("#tour").open`) {
		t.Error("Esc did not end the tour")
	}
	if err := tab.Load(r.url + "#9"); err != nil {
		t.Fatal(err)
	}
	eval[bool](t, tab, `(window.before = true, location.reload(), true)`)
	if err := tab.Wait(`!window.before && document.documentElement.dataset.ready === "true"`); err != nil {
		t.Fatal(err)
	}
	if eval[bool](t, tab, `document.querySelector("#tour").open`) {
		t.Error("a second visit sees the tour again")
	}
}

// what the canvas shows, as one number.
const drawn = `(() => { const c = document.querySelector("#lanes");
	return c.getContext("2d").getImageData(0, 0, c.width, c.height).data.reduce((h, b) => (h * 31 + b) | 0, 7); })()`

func TestZoomAndPanChangeThePictureAndFitBringsItBack(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	settle := func() int {
		return eval[int](t, tab, `new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r))).then(() => `+drawn+`)`)
	}
	press(t, tab, "0")
	fit := settle()
	last := fit
	for _, key := range []string{"+", "+", arrowRight, arrowLeft, "-"} {
		press(t, tab, key)
		now := settle()
		if now == last {
			t.Errorf("%q changed nothing", key)
		}
		last = now
	}
	press(t, tab, "0")
	if settle() != fit {
		t.Error("0 did not bring the whole back")
	}
	forgive(t, tab, "willReadFrequently") // who reads it is this test
}
