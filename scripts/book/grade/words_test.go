package grade

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"envoywalk/scripts/book/exercise"
	"envoywalk/scripts/book/witness"
	record "envoywalk/trace"
	"envoywalk/trace/moment"
	"envoywalk/trace/saved"
)

func TestSpansAreNamedAsTheTreeOrStraceWritesThem(t *testing.T) {
	bind := &exercise.Spans{Call: "bind", FD: "echo"}
	for _, x := range []struct {
		q      exercise.Spans
		en, zh string
	}{
		{exercise.Spans{Call: "setsockopt", FD: "echo", Args: `SO_REUSEPORT, \[1\]`, Before: bind},
			"setsockopt(<echo>, ..., SO_REUSEPORT, [1], ...) before bind(<echo>, ...)",
			"bind(<echo>, ...) 之前的 setsockopt(<echo>, ..., SO_REUSEPORT, [1], ...)"},
		{exercise.Spans{Call: "socket", Made: "v6", Args: "AF_INET6,"}, "socket(AF_INET6, ...) = <v6>", ""},
		{exercise.Spans{Call: "listen", FD: "echo/*", Args: ", -1$"}, "listen(<echo/*>, -1)", ""},
		{exercise.Spans{Call: "epoll_ctl", Args: `EPOLL_CTL_ADD, \d+<shared[/>].*EPOLLET`},
			"epoll_ctl(..., EPOLL_CTL_ADD, N<shared>...EPOLLET, ...)", ""},
		{exercise.Spans{Step: "connection-close-no-filters", FD: "C[24]"}, "ConnectionImpl::close on <C2/C4>",
			"ConnectionImpl::close <C2/C4>"},
		{exercise.Spans{Kind: moment.KindRun, Object: "are you there?", Thread: "wrk:*"},
			`run of a post "are you there?" on thread wrk:*`, `线程 wrk:* 上的 post 的执行 "are you there?"`},
		{exercise.Spans{Kind: moment.KindLater, Text: "worker threads"}, "later: worker threads", ""},
		{exercise.Spans{Kind: moment.KindPost, Inside: &exercise.Spans{Kind: moment.KindRun}, Object: "x"},
			`post "x" inside run of a post`, `post 的执行之内的 post "x"`},
		{exercise.Spans{Kind: moment.KindStory}, "connection", "连接"},
		{exercise.Spans{Kind: moment.KindCall, Made: "own*"}, "a call that makes <own*>", "创建 <own*> 的调用"},
	} {
		if x.zh == "" {
			x.zh = x.en
		}
		if got := wanted(&x.q); got.En != x.en || got.Zh != x.zh {
			t.Errorf("%+v, want %q, %q", got, x.en, x.zh)
		}
	}
}

// Every exercise's spans are told, and its leads given, without a pattern, an id of the map or English among the Chinese.
func TestNoReaderIsShownAPattern(t *testing.T) {
	all, err := exercise.All(root(t))
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`\\|\.\*|\[/|\$|\b[a-z]+-[a-z]+-[a-z]+\b`)
	english := regexp.MustCompile(`\b(article|the|and) |README[,:]`)
	for _, e := range all {
		spans := []*exercise.Spans{}
		for i := range e.Checks {
			spans = append(spans, e.Checks[i].Span)
		}
		for _, act := range e.Script {
			if act.Wait != nil {
				spans = append(spans, act.Wait)
			}
		}
		for _, lead := range e.ReadIn("zh") {
			if english.MatchString(lead) {
				t.Errorf("%s: to a Chinese reader, read says %q", e.ID, lead)
			}
		}
		for _, q := range spans {
			if w := wanted(q); pattern.MatchString(w.En) || w.Zh == "" || strings.Contains(w.Zh, " before ") {
				t.Errorf("%s: %q, %q", e.ID, w.En, w.Zh)
			}
		}
	}
}

// lines are a story of calls on one thread each.
func lines(calls ...string) *Story {
	var spans []sdk.ReadOnlySpan
	for i, call := range calls {
		var thread, name, label string
		fmt.Sscan(call, &thread, &name, &label)
		stub := tracetest.SpanStub{Name: name, Attributes: []attribute.KeyValue{
			record.KeyKind.String(moment.KindCall), record.KeyThreadName.String(thread), record.KeySeqStart.Int(i + 1),
			record.KeySyscall.String(name), record.KeyFD.Int(3), record.KeyFDLabel.String(label)}}
		spans = append(spans, stub.Snapshot())
	}
	return newStory(&saved.Trace{Spans: spans})
}

func TestWhatWorksButOtherwiseThanAskedIsToldSo(t *testing.T) {
	q := &exercise.Spans{Call: "write", FD: "bell", Thread: "main", Before: &exercise.Spans{Call: "bind"},
		Count: exercise.Count{Set: true, Min: 2, Max: 2}}
	for _, x := range []struct {
		story *Story
		want  Amiss
	}{
		{lines("main bind x"), Untold}, {nil, Untold},
		{lines("main write bell", "main bind x"), TooFew},
		{lines("main write bell", "main write bell", "main write bell", "main bind x"), TooMany},
		{lines("main bind x", "main write bell"), Order},
		{lines("wrk write bell", "wrk bind x"), OnThread},
	} {
		if got, near := x.story.amiss(q); got != x.want || (near == nil) != (got == Untold) {
			t.Errorf("%+v is %d, want %d", x.story, got, x.want)
		}
	}
	q.Thread, q.Before, q.Inside = "", nil, &exercise.Spans{Step: "x"}
	if got, _ := lines("main write bell").amiss(q); got != Elsewhere {
		t.Errorf("outside of what was asked it is %d", got)
	}
	s := &scene{story: lines("main bind x", "main write bell")}
	q = &exercise.Spans{Call: "write", Before: &exercise.Spans{Call: "bind"}}
	if a := s.askSpans(q); !strings.Contains(a.Text.Zh, "没有 bind(...) 之前的 write(...)；有的是 ") {
		t.Errorf("%+v", a.Text)
	}
}

func TestWhyNobodyCouldLookIsChinese(t *testing.T) {
	err := fmt.Errorf("%w: pidfd_open: operation not permitted", witness.ErrCannotLook)
	if w := unlookable(err); w.Zh != "没能看到：pidfd_open：operation not permitted（不允许）" || w.En != err.Error() {
		t.Errorf("%+v", w)
	}
	s := &scene{}
	for _, r := range unlookable(s.whyUnseen()).Zh {
		if unicode.Is(unicode.Latin, r) {
			t.Errorf("there is English in %q", unlookable(s.whyUnseen()).Zh)
			break
		}
	}
}
