package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const aTree = `envoywalk 04-threading
● the thread of the line  │ another thread  ─▶ a post to it
m thread      seq m is main_thread                                            Go code
● main          1 thread main_thread begins, tid 100
┆ main          2 ▸ 00-event-loop 1 step, 1 system call
●─▶ main       12   post #1 -> worker_0 addListener   queue 1, loop not running: no wake
m 0 thread      seq 0 is wrk:worker_0
│ ● worker_0     15 thread wrk:worker_0 begins, tid 171
│ ● worker_0     19   run #1   posted by main at 12                            post.go:78
│ ● worker_0     20     listen(12<echo>, -1) = 0                               socket.go:60
│ ● worker_0     21   turn                                                     loop.go:81
│ ● worker_0     22     epoll_pwait(9<ep>, [...], 128, 2, NULL, 8) = 1
● │ main         23   turn                                                     loop.go:81
● │ main         24     epoll_pwait(5<ep>, [...], 128, 2, NULL, 8) = 1
● │ main         25     read(8<wake:main_thread>, [...], 8) = 8
● │ main         26     close(12<echo>) = 0
`

// anotherTree is the same walk: other numbers, another order between threads, other turns.
const anotherTree = `envoywalk 04-threading
● the thread of the line  │ another thread  ─▶ a post to it
m thread      seq m is main_thread                                            Go code
● main          1 thread main_thread begins, tid 20100
┆ main          2 ▸ 00-event-loop 2 steps, 3 system calls
●─▶ main      112   post #1 -> worker_0 addListener   queue 1: wake the loop
● main        113   write(11<wake:worker_0>, [...], 8) = 8
m 0 thread      seq 0 is wrk:worker_0
│ ● worker_0    115 thread wrk:worker_0 begins, tid 7
● │ main        (4) event_base_loop
● │ main        116   turn                                                     loop.go:81
● │ main        117     epoll_pwait(5<ep>, [...], 128, 2, NULL, 8) = 1
● │ main        118     close(14<echo>) = 0
│ ● worker_0    119   run #1   posted by main at 112                           post.go:78
│ ● worker_0    120     listen(14<echo>, -1) = 0                               socket.go:60
│ ● worker_0    121     turn x 3 (idle: nothing but waits and housekeeping)    loop.go:81
│ ● worker_0    122       epoll_pwait(9<ep>, [...], 128, 2, NULL, 8) = 0 x 3
`

func TestTheSameWalkInAnotherOrderIsTheSame(t *testing.T) {
	if a, b := firstDifference(causal(aTree), causal(anotherTree)); a != b {
		t.Errorf("there %q\nnow   %q", a, b)
	}
}

func TestAnotherWalkIsNot(t *testing.T) {
	for _, change := range [][2]string{
		{"post #1 -> worker_0", "post #1 -> main_thread"},
		{"19   run #1   posted by main", "19   run #1   posted by admin"},
		{"listen(12<echo>, -1) = 0", "listen(12<echo>, -1) = -1 EINVAL"},
		{"    close(12<echo>) = 0", ""},
	} {
		changed := strings.Replace(aTree, change[0], change[1], 1)
		if changed == aTree {
			t.Fatalf("%q is not in the tree", change[0])
		}
		if a, b := firstDifference(causal(aTree), causal(changed)); a == b {
			t.Errorf("%q to %q went unnoticed", change[0], change[1])
		}
	}
}

// readme makes a checkout of one chapter whose README holds text, and a book about it.
func readme(t *testing.T, text string) (b *book, path string, out *strings.Builder) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "chapters", "04-threading")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "README.zh.md")
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	out = &strings.Builder{}
	b = &book{module: filepath.Dir(filepath.Dir(dir)), text: &english, out: out, err: out}
	return b, path, out
}

func shows(tree string) func() (string, error) {
	return func() (string, error) { return tree, nil }
}

func TestAWrittenTreeIsUpToDateAndTheRestUntouched(t *testing.T) {
	b, path, out := readme(t, "before\n<!-- tree:04 -->\nold\n<!-- /tree -->\nafter\n")
	if code := b.writeTree("04-threading", shows(aTree)); code != pass {
		t.Fatal(code, out)
	}
	data, _ := os.ReadFile(path)
	want := "before\n<!-- tree:04 -->" + fenced(aTree) + "<!-- /tree -->\nafter\n"
	if string(data) != want {
		t.Errorf("got %s", data)
	}
	if code := b.checkTree("04-threading", shows(anotherTree), 1); code != pass {
		t.Error(code, out)
	}
}

func TestAStaleTreeIsToldAndARacingOneIsNot(t *testing.T) {
	b, _, out := readme(t, "<!-- tree:04 -->"+fenced(aTree)+"<!-- /tree -->\n")
	other := strings.Replace(aTree, "addListener", "removeListener", 1)
	code := b.checkTree("04-threading", shows(other), 3)
	if code != notYet || !strings.Contains(out.String(), "removeListener") {
		t.Error("a stale tree:", code, out)
	}
	runs := 0
	racing := func() (string, error) {
		if runs++; runs < 3 {
			return other, nil
		}
		return aTree, nil
	}
	if code := b.checkTree("04-threading", racing, 3); code != pass {
		t.Error("the third run was the same:", code, out)
	}
	failing := func() (string, error) { return "last words", errors.New("exit status 1") }
	if code := b.checkTree("04-threading", failing, 3); code != couldNotLook {
		t.Error("a run that failed:", code, out)
	}
}

func TestAReadmeWithoutMarkersCouldNotBeLookedAt(t *testing.T) {
	b, _, out := readme(t, "no tree here\n<!-- tree:04 --> never closed\n")
	if code := b.checkTree("04-threading", shows(aTree), 1); code != couldNotLook {
		t.Error(code, out)
	}
	if code := b.writeTree("04-threading", shows(aTree)); code != couldNotLook {
		t.Error(code, out)
	}
}
