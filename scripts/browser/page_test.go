package browser

import (
	"compress/gzip"
	"encoding/base64"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// item is an entry of the text twin.
type item struct {
	Seq  int64
	N    int
	Text string
}

// twin reads the whole list, as a reader's Ctrl-F would.
func twin(t testing.TB, tab *Tab) []item {
	t.Helper()
	return eval[[]item](t, tab, `[...document.querySelectorAll("#twin li")].map(li =>
		({Seq: Number(li.dataset.seq), N: Number(li.dataset.n), Text: li.textContent.trim()}))`)
}

func TestAPageOfARealRunAsksForNothingAndComplainsOfNothing(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		t.Run(chapter, func(t *testing.T) {
			r := demo(t, chapter)
			tab := open(t, r.url)
			for _, key := range []string{"j", "j", "n", "f", "c", "c", "c", "t", "+", "w", "q", escape, "?", escape, "l", "l", "m", "m"} {
				press(t, tab, key)
			}
			if got := tab.Requests(); !slices.Equal(got, []string{r.url}) {
				t.Errorf("the page asked for %q", got)
			}
			if c := tab.Complaints(); len(c) > 0 {
				t.Errorf("it complained: %q", c)
			}
		})
	}
}

func TestEverySpanIsAnEventAndAnEntryOfTheList(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		t.Run(chapter, func(t *testing.T) {
			r := demo(t, chapter)
			tab := open(t, r.url)
			items := twin(t, tab)
			if n := data(t, tab, "events"); n != strconv.Itoa(len(r.oracle.spans)) || len(items) != len(r.oracle.spans) {
				t.Fatalf("%d spans, %s events, %d entries", len(r.oracle.spans), n, len(items))
			}
			for n, s := range r.oracle.spans {
				if items[n].Seq != s.seq || items[n].N != n {
					t.Fatalf("entry %d is %+v, the span there has seq %d", n, items[n], s.seq)
				}
			}
			if n := data(t, tab, "flows"); n != strconv.Itoa(len(r.oracle.posts())) {
				t.Errorf("%s flows, %d posts have a run", n, len(r.oracle.posts()))
			}
		})
	}
}

func TestTheListSaysWhatTheTerminalSaid(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		t.Run(chapter, func(t *testing.T) {
			r := demo(t, chapter)
			compared := 0
			for _, i := range twin(t, open(t, r.url)) {
				line, told := r.tree[i.Seq]
				if !told {
					continue
				}
				compared++
				said := strings.TrimSpace(line)
				if rest, ok := strings.CutPrefix(said, i.Text); !ok || rest != "" && rest[0] != ' ' {
					t.Errorf("seq %d: the page says %q, the terminal %q", i.Seq, i.Text, said)
				}
			}
			if compared < len(r.oracle.spans)*9/10 {
				t.Errorf("only %d of %d were comparable", compared, len(r.oracle.spans))
			}
		})
	}
}

func TestThePolicyOfThePageRefusesWhatItDidNotBring(t *testing.T) {
	tab := open(t, demo(t, "04").url)
	policy := eval[string](t, tab, `document.querySelector("meta[http-equiv=Content-Security-Policy]").content`)
	for _, want := range []string{"default-src 'none'", "script-src 'sha256-", "style-src 'sha256-"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	// img-src data: is for the empty icon, without which a browser asks the host for one.
	for _, hole := range []string{"unsafe-", "http", "*", "blob:", "file:", "script-src data:", "strict-dynamic"} {
		if strings.Contains(policy, hole) {
			t.Errorf("the policy has a hole, %s: %s", hole, policy)
		}
	}
	refused := eval[[]string](t, tab, `(async () => {
		const refused = [];
		document.addEventListener("securitypolicyviolation", e => refused.push(e.effectiveDirective));
		const add = (tag, props) => document.body.append(Object.assign(document.createElement(tag), props));
		add("script", {textContent: "window.hacked = true"});
		add("img", {src: "https://127.0.0.1:1/x.png"});
		add("div", {innerHTML: "<b style='color:red' onclick='window.hacked = true'>x</b>"});
		document.querySelector("body > div:last-child b").click();
		await fetch("https://127.0.0.1:1/").catch(() => 0);
		setTimeout(() => { // out of the debugger's reach, which may evaluate what a page may not
			try { new Function("window.hacked = true")() } catch { refused.push("eval") }
		});
		await new Promise(r => setTimeout(r, 50));
		if (window.hacked) refused.push("NOT REFUSED");
		return refused.sort();
	})()`)
	for _, want := range []string{"connect-src", "eval", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"} {
		if !slices.Contains(refused, want) {
			t.Errorf("%s was not refused; these were: %q", want, refused)
		}
	}
	if slices.Contains(refused, "NOT REFUSED") {
		t.Error("foreign code ran")
	}
	tab.Complaints() // this is what the test was for
}

// The page of a start with two workers, for an attachment to a mail.
func TestThePageOfAStartIsSmall(t *testing.T) {
	info, err := os.Stat(demo(t, "04").page)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() >= 400_000 {
		t.Errorf("%d bytes", info.Size())
	}
}

var chunk = regexp.MustCompile(`<script type="application/x-envoywalk"[^>]*>([^<]*)</script>`)

// lines unpacks the lines of a page.
func lines(t testing.TB, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, m := range chunk.FindAllStringSubmatch(string(text), -1) {
		z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(m[1])))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, z); err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// rewrite makes a page of other lines out of a page, in one chunk.
func rewrite(t testing.TB, page, to, text string) {
	t.Helper()
	old, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var packed strings.Builder
	b := base64.NewEncoder(base64.StdEncoding, &packed)
	z := gzip.NewWriter(b)
	io.WriteString(z, text)
	z.Close()
	b.Close()
	first := true
	made := chunk.ReplaceAllStringFunc(string(old), func(string) string {
		if !first {
			return ""
		}
		first = false
		return `<script type="application/x-envoywalk" data-lines="` + strconv.Itoa(strings.Count(text, "\n")) + `">` +
			packed.String() + `</script>`
	})
	if err := os.WriteFile(to, []byte(made), 0o644); err != nil {
		t.Fatal(err)
	}
}
