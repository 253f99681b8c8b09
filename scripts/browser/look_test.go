package browser

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"envoywalk/internal/walktest"
)

// The browser's own tree for screen readers: what can be used must have a name.
func TestEverythingThatCanBeUsedHasAName(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	for _, lang := range []string{"en", "zh"} {
		tree, err := chromedp.Call(tab.ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			t.Fatal(err)
		}
		controls := 0
		for _, n := range tree.Nodes {
			if n.Ignored || n.Role == nil || !slices.Contains([]string{"button", "textbox", "searchbox", "link", "list",
				"spinbutton", "checkbox", "combobox", "img", "image"}, word(n.Role)) {
				continue
			}
			controls++
			if strings.TrimSpace(word(n.Name)) == "" && word(n.Role) != "list" {
				t.Errorf("%s: a %s has no name (node %s)", lang, word(n.Role), n.NodeID)
			}
		}
		if controls < 20 {
			t.Errorf("only %d controls were found", controls)
		}
		press(t, tab, "l")
	}
}

func word(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	return strings.Trim(string(v.Value), `"`)
}

func TestTabReachesEveryControl(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	eval[bool](t, tab, `(document.activeElement?.blur(), window.reached = new Set(),
		document.addEventListener("focusin", e => reached.add(e.target)), true)`)
	n := eval[int](t, tab, `document.querySelectorAll("button, input, a[href], select, [tabindex]").length`)
	for range n + 5 {
		press(t, tab, kb.Tab)
	}
	missed := eval[[]string](t, tab, `[...document.querySelectorAll("button, input, a[href], select")]
		.filter(e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0 && !reached.has(e))
		.map(e => e.outerHTML.slice(0, 90))`)
	for _, m := range missed {
		t.Errorf("Tab never came to %s", m)
	}
}

// inSight: the row of the step where the reader stands is in view, once the next frame is drawn.
const inSight = `(() => { const a = document.querySelector("[aria-current=step]").getBoundingClientRect(),
	b = document.querySelector("#twin").getBoundingClientRect();
	return a.top >= b.top - 1 && a.bottom <= b.bottom + 1; })()`

func TestTheTwinIsAListAndTellsWhereTheReaderStands(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	if tag := eval[string](t, tab, `document.querySelector("#twin").tagName`); tag != "OL" {
		t.Errorf("it is a %s", tag)
	}
	for _, s := range r.oracle.sample(10) {
		jump(t, tab, s.seq)
		at := eval[[]int64](t, tab, `[...document.querySelectorAll("[aria-current=step]")].map(e => Number(e.dataset.seq))`)
		if !slices.Equal(at, []int64{s.seq}) {
			t.Errorf("at %d aria-current is on %v", s.seq, at)
		}
		wait(t, tab, inSight)
	}
}

// The browser tells of a scroll one frame later. Whoever jumps again within that frame must not be taken back.
func TestTheListFollowsWhoeverJumpsInEveryFrame(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	spans := r.oracle.spans
	for n := range 10 {
		from, to := spans[len(spans)*n/10].seq, spans[len(spans)*((n+5)%10)/10].seq
		eval[bool](t, tab, `(async () => {
			envoywalk.goSeq(%d);
			await new Promise(requestAnimationFrame);
			await new Promise(done => setTimeout(done));
			envoywalk.goSeq(%d);
			return true;
		})()`, from, to)
		wait(t, tab, inSight)
	}
}

// wrongTongue are the texts that a screen reader would read out in the wrong language. Names, calls and sources are the
// same in both.
const wrongTongue = `(() => {
	const chinese = envoywalk.lang === "zh", wrong = [];
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let text; text = walk.nextNode();) {
		const box = text.parentElement;
		if (box.closest("noscript, script, #source .lines, #lang, .section") || !/\p{Script=Han}/u.test(text.data) === chinese) continue;
		if (chinese !== (box.closest("[lang]")?.lang === "zh-CN")) wrong.push(box.closest("[id]").id + ": " + text.data);
	}
	return wrong;
})()`

func TestEveryTextSaysWhichLanguageItIsIn(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	for _, lang := range []string{"en", "zh"} {
		for eval[string](t, tab, `envoywalk.lang`) != lang {
			press(t, tab, "l")
		}
		wait(t, tab, `document.documentElement.lang.startsWith(envoywalk.lang)`)
		for _, s := range r.oracle.sample(8) {
			jump(t, tab, s.seq)
			for _, w := range eval[[]string](t, tab, wrongTongue) {
				t.Errorf("%s, at %d: %s", lang, s.seq, w)
			}
		}
		for _, key := range []string{"?", "q"} {
			press(t, tab, key)
			for _, w := range eval[[]string](t, tab, wrongTongue) {
				t.Errorf("%s, behind %s: %s", lang, key, w)
			}
			press(t, tab, escape)
		}
	}
}

// A new theme comes to what is in view first. Nothing that one sees may wait for it, and nothing waits for long.
func TestANewThemeKeepsNobodyInViewWaiting(t *testing.T) {
	r := long(t, 20_000)
	tab := open(t, r.url)
	for _, s := range r.oracle.sample(4) {
		jump(t, tab, s.seq)
		wait(t, tab, inSight)
		waiting := eval[[]int](t, tab, `(() => {
			envoywalk.turnTheme();
			const later = [...document.querySelectorAll("#twin .later, #source .later")];
			const seen = later.filter(part => {
				const box = part.closest("#twin, #source").getBoundingClientRect(), at = part.getBoundingClientRect();
				return at.bottom > box.top && at.top < box.bottom;
			});
			return [later.length, seen.length];
		})()`)
		if waiting[0] == 0 || waiting[1] != 0 {
			t.Errorf("at %d: %d parts wait, %d of them in view", s.seq, waiting[0], waiting[1])
		}
		wait(t, tab, `document.querySelectorAll(".later").length === 0`)
	}
}

// contrast returns every visible text whose colour stands out from what is behind it by less than 4.5 to 1 (3 to 1
// where it is large), as WCAG counts.
const contrast = `(() => {
	const rgb = c => { const x = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
		x.fillStyle = c; x.fillRect(0, 0, 1, 1); return [...x.getImageData(0, 0, 1, 1).data]; };
	const over = (a, b) => a.slice(0, 3).map((v, i) => v * a[3] / 255 + b[i] * (1 - a[3] / 255)).concat(255);
	const light = c => c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
		.reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
	const known = new Map(), colour = c => known.get(c) ?? known.set(c, rgb(c)).get(c);
	const behind = e => { const layers = [];
		for (; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor); layers.push(c); if (c[3] === 255) break; }
		return layers.reduceRight((b, a) => over(a, b), [255, 255, 255, 255]); };
	const bad = new Map();
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
		if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true}) || e.closest("[aria-hidden=true], noscript")) continue;
		const s = getComputedStyle(e), back = behind(e), front = over(colour(s.color), back);
		const [a, b] = [light(front), light(back)], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		const size = parseFloat(s.fontSize), large = size >= 24 || size >= 18.6 && s.fontWeight >= 700;
		if (ratio < (large ? 3 : 4.5)) bad.set((e.id || e.className || e.tagName) + " " + s.color + " on " + back.slice(0, 3),
			ratio.toFixed(2));
	}
	return [...bad].map(([k, v]) => k + ": " + v);
})()`

func TestTextStandsOutInBothThemes(t *testing.T) {
	r := demo(t, "06")
	for _, theme := range []string{"light", "dark"} {
		tab := open(t, r.url)
		if err := tab.Media("screen", "prefers-reduced-motion: reduce"); err != nil { // colours on their way are none
			t.Fatal(err)
		}
		for data(t, tab, "theme") != theme {
			press(t, tab, "m")
		}
		weak := map[string]bool{}
		for _, s := range r.oracle.sample(12) {
			jump(t, tab, s.seq)
			for _, w := range eval[[]string](t, tab, contrast) {
				weak[w] = true
			}
		}
		for _, key := range []string{"?", "q"} {
			press(t, tab, key)
			for _, w := range eval[[]string](t, tab, contrast) {
				weak[w] = true
			}
			press(t, tab, escape)
		}
		for w := range weak {
			t.Errorf("%s: %s", theme, w)
		}
	}
}

func TestTheFirstThemeIsTheReaders(t *testing.T) {
	r := demo(t, "04")
	for _, theme := range []string{"light", "dark"} {
		tab := window(t)
		if err := tab.Media("screen", "prefers-color-scheme: "+theme); err != nil {
			t.Fatal(err)
		}
		if err := tab.Load(r.url); err != nil {
			t.Fatal(err)
		}
		if got := data(t, tab, "theme"); got != theme {
			t.Errorf("who prefers %s is shown %s", theme, got)
		}
	}
}

func TestOnPaperThereIsTheWholeListAndNoControl(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	if err := tab.Media("print"); err != nil {
		t.Fatal(err)
	}
	visible := func(selector string) bool {
		return eval[bool](t, tab, `document.querySelector("%s").checkVisibility()`, selector)
	}
	for _, hidden := range []string{"#search", "#kinds", "#lang", "#forward", "#hints"} {
		if visible(hidden) {
			t.Errorf("%s is printed", hidden)
		}
	}
	if !visible("#twin") || !visible("#twin li:last-of-type") {
		t.Error("the list is not printed")
	}
	if clipped := eval[bool](t, tab, `(e => e.scrollHeight > e.clientHeight + 2)(document.querySelector("#twin"))`); clipped {
		t.Error("the list is cut off at the bottom of its box")
	}
}

// frameWords are the words of the frame: what is not the trace's own text.
const frameWords = `[...document.querySelectorAll("[data-say], [data-say-title], [data-say-hint]")].flatMap(e => [
	e.dataset.say && [e.dataset.say, e.textContent], e.dataset.sayTitle && [e.dataset.sayTitle, e.title || e.ariaLabel],
	e.dataset.sayHint && [e.dataset.sayHint, e.placeholder]]).filter(Boolean)`

func TestNoWordOfTheFrameStaysUntranslated(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	english := eval[[][2]string](t, tab, frameWords)
	press(t, tab, "l")
	chinese := eval[[][2]string](t, tab, frameWords)
	if len(english) < 30 || len(english) != len(chinese) {
		t.Fatalf("%d words, %d in Chinese", len(english), len(chinese))
	}
	for i, e := range english {
		if e[1] == "" || chinese[i][1] == "" {
			t.Errorf("%s says nothing", e[0])
		}
		if e[0] != "otherLanguage" && strings.ContainsFunc(e[1], letter) && e[1] == chinese[i][1] {
			t.Errorf("%s is %q in both languages", e[0], e[1])
		}
	}
	press(t, tab, "l")
	if again := eval[[][2]string](t, tab, frameWords); !slices.Equal(again, english) {
		t.Error("back in English other words stand there")
	}
}

func letter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func TestBothLanguagesHaveTheSameWords(t *testing.T) {
	var text strings.Builder
	for _, module := range []string{"lessons.js", "words.js"} {
		part, err := os.ReadFile(filepath.Join(walktest.Root(), "trace/page/web", module))
		if err != nil {
			t.Fatal(err)
		}
		text.Write(regexp.MustCompile(`(?m)^(import .*|export )`).ReplaceAll(part, nil))
	}
	tab := window(t)
	if err := tab.do(chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	problems := eval[[]string](t, tab, `(() => { %s
		const problems = [], holes = s => [...String(s).matchAll(/\{\d+\}/g)].map(String).sort().join();
		for (const key of new Set([...Object.keys(words.en), ...Object.keys(words.zh)])) {
			if (!(key in words.en) || !(key in words.zh)) problems.push(key + " is in one language only");
			else if (holes(words.en[key]) !== holes(words.zh[key])) problems.push(key + " takes other arguments");
		}
		return problems;
	})()`, text.String())
	for _, p := range problems {
		t.Error(p)
	}
}
