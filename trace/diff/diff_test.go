package diff_test

import (
	"bytes"
	stdcontext "context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"envoywalk/trace/diff"
	"envoywalk/trace/page"
	"envoywalk/trace/saved"
)

var update = flag.Bool("update", false, "write testdata anew, for this test and the page's")

func compare(a, b start, o diff.Options) *diff.Result {
	return diff.Compare(diff.FromSpans(a.spans()), diff.FromSpans(b.spans()), o)
}

func expect(t *testing.T, r *diff.Result, want ...string) {
	t.Helper()
	lines := r.Lines("en")[1:]
	if len(lines) != len(want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	for i, w := range want {
		for _, part := range strings.Split(w, "|") {
			if !strings.Contains(lines[i], part) {
				t.Errorf("%q lacks %q", lines[i], part)
			}
		}
	}
}

func TestTheSameRunIsNoDifference(t *testing.T) {
	for _, o := range []diff.Options{{}, {Calls: true}} {
		r := compare(start{}, start{}, o)
		expect(t, r)
		if !r.Equal() || r.Same < 9 {
			t.Errorf("%+v: %d the same", o, r.Same)
		}
	}
}

func TestWhichWorkerAcceptedIsNoDifference(t *testing.T) {
	expect(t, compare(start{}, start{accepts: 1}, diff.Options{}))
	expect(t, compare(start{}, start{accepts: 1}, diff.Options{Calls: true}))
}

func TestHowOftenALoopTurnedIsNoDifference(t *testing.T) {
	expect(t, compare(start{}, start{idle: 7}, diff.Options{}))
}

func TestAMissingPostIsOneLineWithAllThatCameOfIt(t *testing.T) {
	r := compare(start{}, start{unposted: true}, diff.Options{})
	expect(t, r, "- 9 main post #2 -> worker_1|and 5 inside")
	expect(t, compare(start{unposted: true}, start{}, diff.Options{}), "+ 9 main post #2|and 5 inside")
}

func TestACallTooManyIsExtra(t *testing.T) {
	expect(t, compare(start{}, start{twice: true}, diff.Options{}), "+ 5 main setsockopt(10<echo>, SOL_SOCKET")
	expect(t, compare(start{twice: true}, start{}, diff.Options{Calls: true}), "- 5 main setsockopt(10<echo>")
}

func TestACallWithAnotherNumberOrFlagIsAnotherCall(t *testing.T) {
	expect(t, compare(start{}, start{deaf: true}, diff.Options{}),
		"- 17 worker_0 listen(12<echo/w0>, -1)", "- 18 worker_0 epoll_ctl(|{EPOLLIN}", "-", "-",
		"+ 17 worker_0 listen(12<echo/w0>, 0)", "+ 18 worker_0 epoll_ctl(|{EPOLLOUT}", "+", "+")
	expect(t, compare(start{}, start{deaf: true}, diff.Options{Calls: true}))
}

func TestTwoCallsInTheOtherOrderAreTold(t *testing.T) {
	for _, o := range []diff.Options{{}, {Calls: true}} {
		expect(t, compare(start{}, start{bindFirst: true}, o),
			`~ 4->5 main setsockopt(|was before "bind(10<echo>`)
	}
}

func TestAConnectionMoreIsExtraAsAWhole(t *testing.T) {
	one, two := start{}.spans(), start{}.spans()
	r := diff.Compare(diff.FromSpans(one[:len(one)-20]), diff.FromSpans(two), diff.Options{})
	if r.Equal() || len(r.Missing) != 0 || len(r.Lines("en")) > 4 {
		t.Errorf("%s", strings.Join(r.Lines("en"), "\n"))
	}
}

// The same two traces as lines of the page: web/test/diff.test.mjs reads them and must print the same.
func TestThePageSaysTheSame(t *testing.T) {
	left := start{}
	right := start{accepts: 1, unposted: true, bindFirst: true, idle: 3}
	right2 := start{twice: true, accepts: 1, deaf: true}
	golden(t, "left.jsonl", lines(left.spans()))
	golden(t, "right.jsonl", lines(right.spans()))
	golden(t, "twice.jsonl", lines(right2.spans()))
	for name, b := range map[string]start{"right": right, "twice": right2} {
		golden(t, name+".en.txt", text(compare(left, b, diff.Options{}), "en"))
		golden(t, name+".zh.txt", text(compare(left, b, diff.Options{}), "zh"))
		golden(t, name+".calls.txt", text(compare(left, b, diff.Options{Calls: true}), "en"))
	}
}

func text(r *diff.Result, lang string) []byte {
	return []byte(strings.Join(r.Lines(lang), "\n") + "\n")
}

// lines are what the page has of the spans.
func lines(spans []sdk.ReadOnlySpan) []byte {
	var b bytes.Buffer
	e := page.NewEncoder(time.Unix(1, 0), func(line []byte) {
		if !bytes.Contains(line[:min(len(line), 14)], []byte(`"file"`)) {
			b.Write(append(line, '\n'))
		}
	})
	(&saved.Trace{Spans: spans}).Play(toEncoder{e})
	return b.Bytes()
}

type toEncoder struct{ *page.Encoder }

func (e toEncoder) OnStart(_ stdcontext.Context, s sdk.ReadWriteSpan) { e.Start(s) }
func (e toEncoder) OnEnd(s sdk.ReadOnlySpan)                          { e.End(s) }
func (toEncoder) Shutdown(stdcontext.Context) error                   { return nil }
func (toEncoder) ForceFlush(stdcontext.Context) error                 { return nil }

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is stale (go test ./trace/diff -update writes it anew): %v\n%s", name, err, got)
	}
}
