package eventloop

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"envoywalk/internal/step"
	"envoywalk/trace"
)

func TestPostsRunInTheOrderTheyCame(t *testing.T) {
	d := quiet(t)
	var order []int
	for i := range 5 {
		d.Post(nil, step.None, func() { order = append(order, i) })
	}
	same(t, "before Run", len(order), 0)
	d.Run(nil, Block)
	same(t, "order", order, "[0 1 2 3 4]")
}

func TestPostsOfManyThreadsEachRunOnceAndInTheirPostersOrder(t *testing.T) {
	const posters, each = 10, 10_000
	for _, raw := range []bool{false, true} {
		d := quiet(t)
		d.RawWaits = raw
		join := start(d, nil, RunUntilExit)
		next, wrong := [posters]int{}, 0 // only the loop's thread touches them
		var wg sync.WaitGroup
		for p := range posters {
			wg.Go(func() {
				for i := range each {
					d.Post(nil, step.None, func() {
						if next[p] != i {
							wrong++
						}
						next[p] = i + 1
					})
				}
			})
		}
		wg.Wait()
		d.Post(nil, step.None, func() { d.Exit(d) })
		within(t, time.Minute, join)
		for p := range posters {
			same(t, fmt.Sprint("posts of ", p), next[p], each)
		}
		same(t, "out of order", wrong, 0)
	}
}

func TestAPostMadeInAPostRunsInALaterBatch(t *testing.T) {
	d := quiet(t)
	var order []string
	say := func(s string) func() { return func() { order = append(order, s) } }
	d.Post(d, step.None, func() {
		say("first")()
		d.Post(d, step.None, say("made in first"))
		d.DeferredDelete(say("delete")) // which comes before the next batch
	})
	d.Post(d, step.None, say("second"))
	d.Run(nil, Block)
	same(t, "order", order, "[first second delete made in first]")
}

// Envoy's test of this name: a post is run and destroyed before the next one is run.
func TestPostExecuteAndDestructOrder(t *testing.T) {
	d := quiet(t)
	var held [3]weak.Pointer[[64]byte]
	for i := range held {
		object := new([64]byte)
		held[i] = weak.Make(object)
		d.Post(nil, step.None, func() {
			runtime.GC()
			for earlier := range i {
				if held[earlier].Value() != nil {
					t.Errorf("post %d runs while post %d still holds its object", i, earlier)
				}
			}
			object[0]++
		})
	}
	d.Run(nil, Block)
	runtime.GC()
	for i := range held {
		if held[i].Value() != nil {
			t.Errorf("the object of post %d is held after Run", i)
		}
	}
}

func TestPostBeforeRunWritesNoWake(t *testing.T) {
	w := newWorld(t)
	worker := New(w.lane, "worker")
	ran := 0
	for range 3 {
		worker.Post(w.Dispatcher, step.None, func() { ran++ })
	}
	join := start(worker, w.rec, Block)
	join()
	worker.Close(w.lane)
	ss := w.ended()
	same(t, "ran", ran, 3)
	same(t, "wakes", len(ss.calls("write", "wake:worker")), 0)
	for i, s := range ss.all("post worker") {
		same(t, "queued", attr(s, trace.KeyQueued), i+1)
		same(t, "running, woke", attr(s, trace.KeyRunning)+attr(s, trace.KeyWoke), "falsefalse")
	}
	same(t, "posts told", len(ss.all("post worker")), 3)
	same(t, "runs told", len(ss.all("run worker")), 3)
}

func TestABurstToARunningLoopWritesOneWake(t *testing.T) {
	w := newWorld(t)
	worker := New(w.lane, "worker")
	join := start(worker, w.rec, RunUntilExit)
	release := busy(worker)
	ran := 0
	for range 50 {
		worker.Post(w.Dispatcher, step.None, func() { ran++ })
	}
	worker.Post(w.Dispatcher, step.None, func() { worker.Exit(worker) })
	release()
	join()
	worker.Close(w.lane)
	ss := w.ended()
	same(t, "ran", ran, 50)
	same(t, "wakes", len(ss.calls("write", "wake:worker")), 1)
	woke := 0
	for _, s := range ss.all("post worker") {
		if attr(s, trace.KeyWoke) == "true" {
			woke++
		}
	}
	same(t, "posts that say they woke", woke, 1)
}

func TestAPostFromTheLoopItselfWritesNoWake(t *testing.T) {
	w := newWorld(t)
	n := 0
	var again func()
	again = func() {
		if n++; n < 10 {
			w.Post(w.Dispatcher, step.None, again)
		}
	}
	w.CreateTimer("first", again).Enable(0)
	w.Run(w.lane, Block)
	ss := w.ended()
	same(t, "ran", n, 10)
	same(t, "wakes", len(ss.calls("write", "wake:main")), 0)
}

func TestAPostAndItsRunSayWhatTheyAreAbout(t *testing.T) {
	w := newWorld(t)
	w.PostAbout(w.Dispatcher, "cluster echo", func() {})
	w.PostOutside(w.lane, "dns answer for echo", func() {})
	w.Post(w.Dispatcher, step.None, func() {})
	w.Run(w.lane, NonBlock)
	ss := w.ended()
	for _, name := range []string{"post main", "run main"} {
		var about []string
		for _, s := range ss.all(name) {
			about = append(about, attr(s, trace.KeyObject))
		}
		same(t, name, fmt.Sprintf("%q", about), `["cluster echo" "dns answer for echo" ""]`)
	}
}

func TestARunIsLinkedToItsPostAndTheTurnToTheWrite(t *testing.T) {
	w := newWorld(t)
	worker := New(w.lane, "worker")
	join := start(worker, w.rec, RunUntilExit)
	asleep(worker)
	release := busy(worker)
	worker.Post(w.Dispatcher, step.RunPostCallbacks, func() { worker.Exit(worker) })
	release()
	join()
	worker.Close(w.lane)
	ss := w.ended()
	post, write := ss.all("post worker")[0], ss.calls("write", "wake:worker")[0]
	linked := map[string]bool{}
	for _, s := range ss {
		for _, l := range s.Links() {
			switch l.SpanContext.SpanID() {
			case post.SpanContext().SpanID():
				linked[s.Name()+" to post"] = true
			case write.SpanContext().SpanID():
				linked[s.Name()+" to write"] = true
			}
		}
	}
	same(t, "links", linked, "map[run worker to post:true turn to write:true]")
}

func TestWhatIsPostedAfterTheLastRunIsDroppedAndCounted(t *testing.T) {
	d := New(nil, "main")
	d.Run(nil, Block)
	for range 3 {
		d.Post(nil, step.None, func() { t.Error("ran") })
	}
	d.Close(nil)
	same(t, "dropped", d.Dropped, 3)
	d.Post(nil, step.None, func() { t.Error("ran") })
	d.Exit(nil)
}

func TestPostsBetweenTwoRunsWaitForTheSecond(t *testing.T) {
	d := quiet(t)
	d.Run(nil, Block)
	ran := false
	d.Post(nil, step.None, func() { ran = true })
	same(t, "before", ran, false)
	d.Run(nil, NonBlock)
	same(t, "after", ran, true)
}

// The first post of a burst writes; here the poster is held between its post and its write, and nobody is lost.
func TestAWakeThatComesLateIsHarmless(t *testing.T) {
	d := quiet(t)
	ran := 0
	d.posts.start()
	d.posts.mu.Lock()
	d.posts.tasks = append(d.posts.tasks, task{run: func() { ran++ }}) // posted, and not yet written
	d.posts.mu.Unlock()
	d.Post(nil, step.None, func() { ran++ }) // the list is not empty: this one does not write
	turns(d, 1)                              // takes both
	same(t, "ran", ran, 2)
	d.wake(nil)
	turns(d, 1)
	same(t, "ran", ran, 2)
}

func TestSteadyPostingAllocatesNothing(t *testing.T) {
	d := quiet(t)
	f := func() {}
	for range 100 {
		d.Post(d, step.None, f)
	}
	turns(d, 2)
	n := testing.AllocsPerRun(100, func() {
		for range 50 {
			d.Post(d, step.None, f)
		}
		d.runPostCallbacks()
	})
	same(t, "allocations", n, 0)
}

// wakes is what strace looks at: it prints the wake eventfd of a worker and how often it must be written.
func wakes() {
	d := New(nil, "worker")
	for range 100 {
		d.Post(nil, step.None, func() {}) // before the loop: no write
	}
	running := make(chan struct{})
	d.Post(nil, step.None, func() { close(running) })
	join := start(d, nil, RunUntilExit)
	<-running
	bursts := 0
	burst := func() {
		done, left := make(chan struct{}), 100
		own := func() {
			if left--; left == 0 {
				close(done)
			}
		}
		release := busy(d) // its own post finds the list empty: one write
		for range left {
			d.Post(nil, step.None, func() { d.Post(d, step.None, own) }) // one write, and none from the loop
		}
		release()
		<-done
		asleep(d) // one write
		bursts++
	}
	asleep(d) // one write
	for range 5 {
		burst()
	}
	d.Exit(nil) // one write
	join()
	fmt.Println(d.scheduler.eventfd, 1+3*bursts+1)
	d.Close(nil)
}

func TestMain(m *testing.M) {
	if os.Getenv("ENVOYWALK_WAKES") != "" {
		wakes()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Kernel truth: strace counts what the loop's eventfd was given.
func TestTheKernelSeesOneWritePerBurst(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("SKIPPED: strace is not installed, so the wakes were counted in the trace alone and not by the kernel")
	}
	log := filepath.Join(t.TempDir(), "strace")
	if out, err := exec.Command(strace, "-f", "-o", log, "true").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: strace may not trace here, so the wakes were counted in the trace alone: %v: %s", err, out)
	}
	cmd := exec.Command(strace, "-f", "-e", "trace=write", "-o", log, os.Args[0])
	cmd.Env = append(os.Environ(), "ENVOYWALK_WAKES=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var fd, want int
	fmt.Sscan(string(out), &fd, &want)
	file, err := os.Open(log)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	writes := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.Contains(lines.Text(), fmt.Sprintf(" write(%d, \"\\1\\0\\0", fd)) {
			writes++
		}
	}
	if writes != want || want < 10 {
		t.Errorf("the kernel was given %d writes on %d, want %d", writes, fd, want)
	}
}
