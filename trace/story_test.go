package trace

import (
	"slices"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

func TestParentIsTheCallOnTheSameThread(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	o := l.Enter(outer)
	i := l.Enter(inner)
	l.call(readCall, 7, 1)
	i.Exit()
	l.call(closeCall, 7, 0)
	o.Exit()
	l.End()
	ss := b.finish()
	isChildOf(t, ss.one(t, "read"), ss.one(t, nameOf(inner)))
	isChildOf(t, ss.one(t, nameOf(inner)), ss.one(t, nameOf(outer)))
	isChildOf(t, ss.one(t, "close"), ss.one(t, nameOf(outer)))
	isChildOf(t, ss.one(t, nameOf(outer)), ss.one(t, "thread main"))
	if ss.one(t, "thread main").Parent().IsValid() {
		t.Error("a thread's life is inside of nothing")
	}
}

func TestAPartOfAStoryHasItsRootAsParentAndLinksToWhereItRan(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("worker_0")
	turn := l.EnterTurn()
	l.call(acceptCall, 5, 9)
	story := l.BeginStory(7, l.LastID())
	part := l.EnterStory(story, inner)
	nested := l.Enter(outer)
	nested.Exit()
	part.Exit()
	turn.Exit()
	l.EndStory(story, false)
	l.End()
	ss := b.finish()
	root := ss.one(t, "connection C7")
	isChildOf(t, ss.one(t, nameOf(inner)), root)
	isLinkedTo(t, ss.one(t, nameOf(inner)), ss.one(t, "turn"))
	isChildOf(t, ss.one(t, nameOf(outer)), ss.one(t, nameOf(inner)))
	isLinkedTo(t, root, ss.one(t, "accept4"))
	if n := len(ss.one(t, nameOf(outer)).Links()); n != 0 {
		t.Errorf("inside the story there is nothing to link: %d links", n)
	}
	isChildOf(t, ss.one(t, "turn"), ss.one(t, "thread worker_0"))
}

// The loop of main is called by its start-up; its turns are of its life.
func TestATurnAfterTheStartUpHasItsThreadAsParentAndNoLostCause(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main_thread")
	loop := l.EnterStory(StoryStartup, outer)
	turn := l.EnterTurn()
	turn.Exit()
	loop.Exit()
	l.End()
	ss := b.finish()
	isChildOf(t, ss.one(t, "turn"), ss.one(t, "thread main_thread"))
	isLinkedTo(t, ss.one(t, "turn"), ss.one(t, nameOf(outer)))
	if attr(ss.one(t, "turn"), KeyCauseLost) != "" {
		t.Error("its cause is said to be lost")
	}
}

// Who follows a connection from turn to turn need not climb through the functions between.
func TestAPartOfAStoryLinksToItsTurnAcrossTheFunctionsBetween(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("worker_0")
	story := l.BeginStory(7, 0)
	l.EnterTurn().Exit()
	turn := l.EnterTurn()
	around := l.Enter(outer)
	part := l.EnterStory(story, inner)
	l.call(readCall, 7, 1)
	part.Exit()
	around.Exit()
	turn.Exit()
	l.EnterStory(story, inner).Exit()
	l.EndStory(story, false)
	ss := b.finish()
	turns, parts := ss.all("turn"), ss.all(nameOf(inner))
	isLinkedTo(t, parts[0], ss.one(t, nameOf(outer)))
	isLinkedTo(t, parts[0], turns[1])
	if n := len(parts[0].Links()); n != 2 {
		t.Errorf("%d links, want 2", n)
	}
	isLinkedTo(t, parts[1], ss.one(t, "thread worker_0"))
	if n := len(parts[1].Links()); n != 1 {
		t.Errorf("between two turns there is none to link: %d links", n)
	}
}

func TestAStoryThatMovesToAnotherThreadStaysOneTrace(t *testing.T) {
	b := newBench(Config{})
	first, second := b.thread("worker_0"), b.thread("worker_1")
	story := first.BeginStory(7, 0)
	turn := second.EnterTurn()
	second.EnterStory(story, inner).Exit()
	turn.Exit()
	second.EndStory(story, false)
	ss := b.finish()
	isChildOf(t, ss.one(t, nameOf(inner)), ss.one(t, "connection C7"))
	isLinkedTo(t, ss.one(t, nameOf(inner)), ss.one(t, "turn"))
	if got := attr(ss.one(t, nameOf(inner)), KeyThreadName); got != "worker_1" {
		t.Errorf("the span is on thread %q", got)
	}
	if attr(ss.one(t, "connection C7"), KeyUnfinished) != "" {
		t.Error("the story was ended, by the other thread")
	}
}

func TestNoStoryIsTheThreadsOwn(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	o := l.Enter(outer)
	l.EnterStory(0, inner).Exit()
	o.Exit()
	ss := b.finish()
	isChildOf(t, ss.one(t, nameOf(inner)), ss.one(t, nameOf(outer)))
}

func TestStartupIsOneTraceAndTurnsAfterItAreTheThreads(t *testing.T) {
	b := newBench(Config{})
	l := b.Thread("main", 1, 0)
	main := l.EnterStory(StoryStartup, outer)
	l.EnterTurn().Exit()
	l.Enter(inner).Exit()
	l.StartupDone()
	turn := l.EnterTurn()
	l.call(readCall, 7, 1)
	turn.Exit()
	main.Exit()
	l.End()
	ss := b.finish()
	root := ss.one(t, nameOf(outer))
	if root.Parent().IsValid() {
		t.Error("start-up's root is main itself")
	}
	isLinkedTo(t, root, ss.one(t, "thread main"))
	isChildOf(t, ss.one(t, nameOf(inner)), root)
	turns := ss.all("turn")
	isChildOf(t, turns[0], root)
	isChildOf(t, turns[1], ss.one(t, "thread main"))
	isLinkedTo(t, turns[1], root)
	isChildOf(t, ss.one(t, "read"), turns[1])
}

func TestAThreadIsLinkedToWhatCreatedIt(t *testing.T) {
	b := newBench(Config{})
	main := b.thread("main")
	create := main.Enter(outer)
	worker := b.Thread("worker_0", 2, main.LastID())
	create.Exit()
	worker.End()
	ss := b.finish()
	isLinkedTo(t, ss.one(t, "thread worker_0"), ss.one(t, nameOf(outer)))
	if ss.one(t, "thread worker_0").Parent().IsValid() {
		t.Error("a parent across threads")
	}
}

func post(from *Lane, to string) (id uint64) {
	id, at := from.Posting()
	from.Posted(id, at, outer, to, "", PostOutcome{Queued: 1, Running: true, Woke: true})
	return id
}

func TestARunIsLinkedToItsPost(t *testing.T) {
	b := newBench(Config{})
	main, worker := b.thread("main"), b.thread("worker_0")
	id := post(main, "worker_0")
	worker.EnterRun(outer, "worker_0", "", id).Exit()
	ss := b.finish()
	p, run := ss.one(t, "post worker_0"), ss.one(t, "run worker_0")
	isLinkedTo(t, run, p)
	if p.SpanKind() != trace.SpanKindProducer || run.SpanKind() != trace.SpanKindConsumer {
		t.Errorf("kinds are %v and %v", p.SpanKind(), run.SpanKind())
	}
	if attr(p, KeyPostID) != attr(run, KeyPostID) || attr(p, KeyWoke) != "true" || attr(p, KeyRunning) != "true" {
		t.Errorf("the post says %v, the run %v", p.Attributes(), run.Attributes())
	}
}

func TestAPostAndItsRunSayWhatTheyAreAbout(t *testing.T) {
	b := newBench(Config{})
	main, worker := b.thread("main"), b.thread("worker_0")
	for _, subject := range []string{"cluster echo", "", "a\x00b\xff"} {
		id, at := main.Posting()
		main.Posted(id, at, 0, "worker_0", subject, PostOutcome{})
		worker.EnterRun(0, "worker_0", subject, id).Exit()
	}
	ss := b.finish()
	for _, name := range []string{"post worker_0", "run worker_0"} {
		var about []string
		for _, s := range ss.all(name) {
			about = append(about, attr(s, KeyObject))
			if to := attr(s, KeyPostTo); to != "worker_0" {
				t.Errorf("%s goes to %q", name, to)
			}
		}
		if !slices.Equal(about, []string{"cluster echo", "", "a\x00b?"}) {
			t.Errorf("%s: %q", name, about)
		}
	}
}

// The poster keeps its block long after the run was read.
func TestARunWaitsForItsPostHoweverLateThePosterHandsItOver(t *testing.T) {
	b := newBench(Config{})
	main, worker := b.thread("main"), b.thread("worker_0")
	id := post(main, "worker_0")
	worker.call(readCall, 7, 8)
	worker.EnterRun(outer, "worker_0", "", id).Exit()
	worker.Flush()
	b.laterOn()
	b.laterOn()
	early := spans(b.sink.Ended())
	if len(early.all("read")) != 1 || len(early.all("run worker_0")) != 0 {
		t.Fatalf("before the post is known, %v is told", early.names())
	}
	main.Flush()
	b.laterOn()
	ss := spans(b.sink.Ended())
	isLinkedTo(t, ss.one(t, "run worker_0"), ss.one(t, "post worker_0"))
	if p, r := ss.one(t, "post worker_0"), ss.one(t, "run worker_0"); number(p, KeySeqEnd) >= number(r, KeySeqStart) {
		t.Errorf("post ends at %d, run starts at %d", number(p, KeySeqEnd), number(r, KeySeqStart))
	}
}

func TestARunDoesNotWaitForAPostThatWasTakenBack(t *testing.T) {
	b := newBench(Config{Blocks: 2})
	main, worker := b.thread("main"), b.thread("worker_0")
	id := post(main, "worker_0")
	overflow(main)
	main.Flush()
	worker.EnterRun(outer, "worker_0", "", id).Exit()
	worker.Flush()
	b.laterOn()
	run := spans(b.sink.Ended()).one(t, "run worker_0")
	if attr(run, KeyCauseLost) != "true" || len(run.Links()) != 0 {
		t.Errorf("a lost cause is said to be lost, not guessed: %v %v", run.Attributes(), run.Links())
	}
}

func TestRunsOfThreadsThatPostToEachOtherAllFollowTheirPosts(t *testing.T) {
	b := newBench(Config{Blocks: 64})
	lanes := []*Lane{b.thread("a"), b.thread("b"), b.thread("c")}
	ids := make([]uint64, 3)
	for round := range 300 {
		for i, l := range lanes {
			if id := ids[(i+2)%3]; id != 0 {
				l.EnterRun(outer, "x", "", id).Exit()
			}
			ids[i] = post(l, "y")
		}
		lanes[round%3].Flush()
		if round%7 == 0 {
			b.laterOn()
		}
	}
	posted := map[string]int64{}
	for _, s := range b.finish() {
		id := attr(s, KeyPostID)
		switch s.Name() {
		case "post y":
			posted[id] = number(s, KeySeqEnd)
		case "run x":
			if end, ok := posted[id]; !ok || end >= number(s, KeySeqStart) {
				t.Fatalf("run of post %s comes before it", id)
			}
		}
	}
	if len(posted) != 900 {
		t.Errorf("%d posts told", len(posted))
	}
}

func TestATurnIsLinkedToTheWriteThatWokeIt(t *testing.T) {
	b := newBench(Config{})
	main, worker := b.thread("main"), b.thread("worker_0")
	cause := main.NextID()
	main.call(readCall, 9, 8)
	turn := worker.EnterTurn()
	worker.call(waitCall, 4, 1)
	worker.Cause(cause)
	turn.Exit()
	ss := b.finish()
	isLinkedTo(t, ss.one(t, "turn"), ss.one(t, "read"))
}

// The woken thread may be quicker than the waker, which reads the clock after its call.
func TestAWakeWaitsForTheWriteThatCausedIt(t *testing.T) {
	b := newBench(Config{})
	worker, main := b.thread("worker_0"), b.thread("main")
	cause, began := main.NextID(), main.Now()
	turn := worker.EnterTurn()
	worker.call(waitCall, 4, 1)
	worker.Cause(cause)
	turn.Exit()
	thread := b.Thread("worker_1", 3, cause)
	main.Call(readCall, 0, began, [4]int64{9}, 8, "")
	worker.Flush()
	thread.Flush()
	b.laterOn()
	if early := spans(b.sink.Ended()); len(early.all("turn")) != 0 {
		t.Errorf("before the write is known, %v is told", early.names())
	}
	ss := b.finish()
	isLinkedTo(t, ss.one(t, "turn"), ss.one(t, "read"))
	isLinkedTo(t, ss.one(t, "thread worker_1"), ss.one(t, "read"))
}

func TestIDsAreUniqueAcrossThreadsAndStories(t *testing.T) {
	b := newBench(Config{Blocks: 64})
	for i := range 4 {
		l := b.thread("t")
		for n := range 200 {
			story := l.BeginStory(uint64(1000*i+n+1), 0)
			l.EnterStory(story, inner).Exit()
			l.call(readCall, 7, 1)
			post(l, "x")
			l.EndStory(story, false)
		}
		l.End()
	}
	seen := map[trace.SpanID]string{}
	for _, s := range b.finish() {
		id := s.SpanContext().SpanID()
		if other, ok := seen[id]; ok || !id.IsValid() {
			t.Fatalf("%v is %q and %q", id, other, s.Name())
		}
		seen[id] = s.Name()
	}
	if want := 4 * (1 + 200*4); len(seen) != want {
		t.Errorf("%d spans, want %d", len(seen), want)
	}
}

func TestAPanicEndsTheSpansItUnwinds(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	func() {
		defer func() { recover() }()
		defer l.Enter(outer).Exit()
		func() {
			defer l.Enter(inner).Exit()
			l.EnterTurn() // never exited: a door without a defer
			panic("broken")
		}()
	}()
	l.call(readCall, 7, 1)
	l.End()
	ss := b.finish()
	isChildOf(t, ss.one(t, "turn"), ss.one(t, nameOf(inner)))
	isChildOf(t, ss.one(t, nameOf(inner)), ss.one(t, nameOf(outer)))
	isChildOf(t, ss.one(t, "read"), ss.one(t, "thread main"))
	for _, s := range ss {
		if attr(s, KeyUnfinished) != "" {
			t.Errorf("%q was left open", s.Name())
		}
	}
}

func TestWhatIsOpenAtCloseIsEndedFromTheInsideAndSaysSo(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("main")
	l.BeginStory(7, 0)
	l.Enter(outer)
	l.Enter(inner)
	l.call(readCall, 7, 1)
	ss := b.finish()
	last := int64(0)
	for _, name := range []string{nameOf(inner), nameOf(outer), "connection C7", "thread main"} {
		s := ss.one(t, name)
		if attr(s, KeyUnfinished) != "true" || s.EndTime().IsZero() || number(s, KeySeqEnd) <= last {
			t.Errorf("%s ends at %d, after %d: %v", name, number(s, KeySeqEnd), last, s.Attributes())
		}
		last = number(s, KeySeqEnd)
	}
	if attr(ss.one(t, "read"), KeyUnfinished) != "" {
		t.Error("a call that is over is finished")
	}
}

type text string

func (t text) String() string { return string(t) }

func TestAConnectionsRootNamesBothEnds(t *testing.T) {
	b := newBench(Config{})
	l := b.thread("w")
	story := l.BeginStory(7, 0)
	l.Endpoints(story, text("[::1]:40000"), text("/run/x.sock"))
	l.EndStory(story, false)
	l.End()
	root := b.finish().one(t, "connection C7")
	for key, want := range map[string]string{"network.peer.address": "::1", "network.peer.port": "40000",
		"network.local.address": "/run/x.sock"} {
		if got := attr(root, attribute.Key(key)); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}
