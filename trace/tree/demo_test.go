//go:build linux && (amd64 || arm64)

package tree_test

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"testing"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/trace/sink"
)

var numbered = regexp.MustCompile(`^[m0●│◀▶─┼┆ ]* (main|worker_0) +(\d+) ( *)(.*?)(?:  .*)?$`)

// said is one line of a tree.
type said struct {
	thread string
	seq    int
	depth  int
	text   string
	whole  string
}

// demo is chapter 00's own, run for real.
func demo(t *testing.T) (lines []said) {
	t.Helper()
	var out bytes.Buffer
	if err := eventloop.Demo([]string{"tree"}, sink.Options{Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if f := numbered.FindStringSubmatch(strings.TrimSuffix(line, "\n")); f != nil {
			seq, _ := strconv.Atoi(f[2])
			lines = append(lines, said{f[1], seq, len(f[3]), f[4], line})
		}
	}
	if t.Cleanup(func() {
		if t.Failed() {
			t.Log(out.String())
		}
	}); len(lines) < 40 {
		t.Fatalf("%d lines", len(lines))
	}
	return lines
}

func TestARealRunIsInOrderAndNamesTheThreadOfEveryLine(t *testing.T) {
	for i, lines := 1, demo(t); i < len(lines); i++ {
		if lines[i].seq <= lines[i-1].seq {
			t.Errorf("%d comes after %d", lines[i].seq, lines[i-1].seq)
		}
	}
}

func TestEveryRunIsNumberedLikeItsPost(t *testing.T) {
	posts, runs := map[string]said{}, 0
	post := regexp.MustCompile(`post (#\d+) -> (\w+)`)
	run := regexp.MustCompile(`run (#\d+) +posted by (\w+) at (\d+)`)
	for _, l := range demo(t) {
		if f := post.FindStringSubmatch(l.whole); f != nil {
			posts[f[1]] = l
			if !strings.Contains(f[2], l.thread) != strings.Contains(l.whole, "─") &&
				!strings.Contains(l.whole, "loop not running") {
				t.Errorf("an arrow is missing or too much: %s", l.whole)
			}
		}
		if f := run.FindStringSubmatch(l.whole); f != nil {
			runs++
			p, ok := posts[f[1]]
			if !ok || p.thread != f[2] || strconv.Itoa(p.seq) != f[3] || p.thread == l.thread {
				t.Errorf("the post of %q is %q", l.whole, p.whole)
			}
		}
	}
	if len(posts) != 3 || runs != 3 {
		t.Errorf("%d posts, %d runs", len(posts), runs)
	}
}

// The bell is rung on main, heard on the worker, and the reason stands above it.
func TestWhyTheBellWasRead(t *testing.T) {
	var above []said
	for _, l := range demo(t) {
		if l.thread != "worker_0" {
			continue
		}
		for len(above) > 0 && above[len(above)-1].depth >= l.depth {
			above = above[:len(above)-1]
		}
		above = append(above, l)
		if !strings.HasPrefix(l.text, "read(") || !strings.Contains(l.text, "<bell>") {
			continue
		}
		var why []string
		for _, a := range above {
			why = append(why, strings.Fields(a.text)[0])
		}
		want := "DispatcherImpl::run LibeventScheduler::run event_base_loop turn file " +
			"FileEventImpl::mergeInjectedEventsAndRunCb DispatcherImpl::createFileEvent read("
		if got := strings.Join(why, " "); !strings.HasPrefix(got, want) {
			t.Errorf("the way to %q is %q", l.text, got)
		}
		return
	}
	t.Error("nobody read the bell")
}
