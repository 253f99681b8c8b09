package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// openFDs are the file descriptors of which the spans say that the process still has them at the end, by number.
func openFDs(o *oracle) map[int64]string {
	fds := map[int64]string{}
	for _, s := range o.spans {
		switch {
		case s.kind == "handover":
			delete(fds, s.number("fd"))
		case s.kind != "syscall" || s.text("error.type") != "":
		case s.name == "close":
			delete(fds, s.number("fd"))
		case s.text("syscall.ret.label") != "":
			fds[s.number("syscall.ret")] = s.text("syscall.ret.label")
		}
	}
	return fds
}

// row is a file descriptor as the page knows it.
type row struct {
	FD           int64
	Label, State string
}

func tableNow(t testing.TB, tab *Tab) []row {
	t.Helper()
	return eval[[]row](t, tab, `envoywalk.stateNow.fds.map(f => ({FD: f.fd, Label: f.label, State: f.state ?? ""}))`)
}

func TestTheTableOfDescriptorsEndsAsTheSpansDo(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		r := demo(t, chapter)
		tab := open(t, r.url)
		press(t, tab, end)
		want, got := openFDs(r.oracle), tableNow(t, tab)
		for _, f := range got {
			if strings.Contains(f.State, "closed") {
				continue
			}
			if _, ok := want[f.FD]; !ok && f.State != "handed" {
				t.Errorf("%s: the page still has %+v", chapter, f)
			}
			delete(want, f.FD)
		}
		if len(want) > 0 {
			t.Errorf("%s: the page misses %v; it has %v", chapter, want, got)
		}
		text := eval[string](t, tab, `document.querySelector("#fds").textContent`)
		for _, f := range got {
			if !strings.Contains(text, f.Label) {
				t.Errorf("%s: the table does not show %s", chapter, f.Label)
			}
		}
	}
}

// The queue of each dispatcher at each post: what was posted to it and has not run.
func TestTheQueuesHoldWhatWasPostedAndHasNotRun(t *testing.T) {
	for _, chapter := range []string{"04", "06"} {
		r := demo(t, chapter)
		tab := open(t, r.url)
		for _, p := range r.oracle.posts() {
			jump(t, tab, p[0].seq)
			want := waiting(r.oracle, p[0].n)
			got := eval[[]int64](t, tab, `envoywalk.stateNow.queues.flatMap(q => q.posts.map(p => p.seq))`)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%s: at post %d the queues hold %v, not %v", chapter, p[0].seq, got, want)
			}
		}
	}
}

// waiting are the posts that were made up to n and ran after it.
func waiting(o *oracle, n int) (seqs []int64) {
	for _, s := range o.spans[:n+1] {
		if s.kind == "post" && (o.runOf[s.id] == nil || o.runOf[s.id].n > n) {
			seqs = append(seqs, s.seq)
		}
	}
	return seqs
}

// Each worker with nothing to do is blocked in its wait, and no other way.
func TestAThreadIsBlockedInTheWaitThatEndsNext(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	for _, s := range r.oracle.sample(60) {
		jump(t, tab, s.seq)
		type doing struct {
			Thread  string
			Blocked int64
		}
		for _, d := range eval[[]doing](t, tab, `envoywalk.stateNow.threads.map(x =>
			({Thread: x.thread.name, Blocked: x.blocked ? x.blocked.seq : 0}))`) {
			next := r.oracle.from(s.n+1, 1, func(x *span) bool { return x.thread == d.Thread })
			if d.Blocked != 0 && (next == nil || next.seq != d.Blocked && next.kind != "turn") {
				t.Errorf("at %d %s is said to be blocked in %d, its next event is %+v", s.seq, d.Thread, d.Blocked, next)
			}
			if next != nil && strings.HasPrefix(next.name, "epoll_") && next.text("syscall.args") != "" &&
				next.name == "epoll_pwait" && d.Blocked != next.seq {
				t.Errorf("at %d %s waits in %d, the page says %d", s.seq, d.Thread, next.seq, d.Blocked)
			}
		}
	}
}

const stateText = `["fds", "queues", "epolls", "threads", "sentence", "why", "source", "envoy", "meaning"]
	.map(id => document.querySelector("#" + id).innerHTML).join("\n")`

func TestThereAndBackIsTheSameState(t *testing.T) {
	r := demo(t, "04")
	tab := open(t, r.url)
	for _, s := range r.oracle.sample(25) {
		jump(t, tab, s.seq)
		at := eval[string](t, tab, stateText)
		for _, way := range []string{"jk", "kj", "njN", home + end} {
			press(t, tab, way)
			jump(t, tab, s.seq)
			if again := eval[string](t, tab, stateText); again != at {
				t.Errorf("at %d, after %q the page shows another state:\n%s", s.seq, way, firstOther(at, again))
			}
		}
	}
}

func firstOther(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	from := max(0, i-60)
	return fmt.Sprintf("%q\n%q", a[from:min(len(a), i+120)], b[from:min(len(b), i+120)])
}
