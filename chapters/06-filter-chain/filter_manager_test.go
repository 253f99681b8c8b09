package filterchain

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	connection "envoywalk/chapters/05-connection"
	"envoywalk/chapters/05-connection/buffer"
)

func TestReadFiltersRunInOrderAndHearOfTheConnectionOnce(t *testing.T) {
	r := newRig(t)
	b := r.filter("B")
	b.onData = take
	if !r.install(r.filter("A"), b) {
		t.Error("there are read filters, but it says there are none")
	}
	r.send("one")
	r.send("two")
	r.want("A added", "B added", "A new", "B new",
		`A data "one"`, `B data "one"`, `A data "two"`, `B data "two"`)
}

func TestAFilterIsNotToldOfDataThatIsNotThere(t *testing.T) {
	r := newRig(t)
	r.c.EnableHalfClose(true)
	a, b := r.filter("A"), r.filter("B")
	a.onData = take
	r.install(a, b)
	r.send("all of it")
	r.want("A added", "B added", "A new", "B new", `A data "all of it"`)
	r.send("")
	r.want(`A data "" end`, `B data "" end`)
}

func TestWhatNobodyTakesIsSeenAgain(t *testing.T) {
	r := newRig(t)
	r.install(r.filter("A"))
	r.send("one")
	r.send("two")
	r.want("A added", "A new", `A data "one"`, `A data "onetwo"`)
}

// The filters behind one that stops are not even told of the connection.
func TestStopIterationHoldsBackTheFiltersBehind(t *testing.T) {
	r := newRig(t)
	a := r.filter("A")
	a.onNew, a.onData = stop, stopData
	r.install(a, r.filter("B"))
	r.want("A added", "B added", "A new")
	r.send("data")
	r.want(`A data "data"`)
	a.read.ContinueReading()
	r.want("B new", `B data "data"`)
}

func TestContinueReadingGoesOnBehindTheFilterEvenWithoutData(t *testing.T) {
	r := newRig(t)
	a := r.filter("A")
	a.onNew = stop
	r.install(a, r.filter("B"), r.filter("C"))
	r.want("A added", "B added", "C added", "A new")
	a.read.ContinueReading()
	r.want("B new", "C new")
	a.read.ContinueReading()
	r.want()
}

func TestInjectedDataGoesToTheFiltersBehind(t *testing.T) {
	r := newRig(t)
	a := r.filter("A")
	a.onData = func(read *ReadFilterCallbacks, data *buffer.Buffer) FilterStatus {
		var other buffer.Buffer
		other.Init(read.Connection().Thread.Slabs)
		other.AddString("<" + fmt.Sprint(data.Len()) + ">")
		data.Drain(data.Len())
		read.InjectReadDataToFilterChain(&other, false)
		return StopIteration
	}
	b := r.filter("B")
	b.onData = take
	r.install(a, b)
	r.send("four")
	r.want("A added", "B added", "A new", "B new", `A data "four"`, `B data "<4>"`)
}

func TestAFilterThatClosesEndsTheWalk(t *testing.T) {
	r := newRig(t)
	a := r.filter("A")
	a.onNew = closeNow
	r.install(a, r.filter("B"))
	a.read.ContinueReading()
	r.want("A added", "B added", "A new")
	if got := r.received(); got != "EOF" {
		t.Errorf("the peer received %q", got)
	}

	r = newRig(t)
	a = r.filter("A")
	a.onData = func(read *ReadFilterCallbacks, _ *buffer.Buffer) FilterStatus { return closeNow(read) }
	r.install(a, r.filter("B"))
	r.send("data")
	r.want("A added", "B added", "A new", "B new", `A data "data"`)
}

func TestADelayedCloseKeepsDataFromTheFilters(t *testing.T) {
	r := newRig(t)
	a := r.filter("A")
	a.onData = func(read *ReadFilterCallbacks, data *buffer.Buffer) FilterStatus {
		read.Connection().Write(data, false)
		read.Connection().Close(connection.FlushWrite)
		return Continue
	}
	r.install(a, r.filter("B"))
	r.send("last words")
	r.want("A added", "B added", "A new", "B new", `A data "last words"`)
	if got := r.received(); got != "last words" {
		t.Errorf("the peer received %q", got)
	}
}

func TestTheEndOfTheStreamIsRaisedOnce(t *testing.T) {
	r := newRig(t)
	r.c.EnableHalfClose(true)
	r.install(r.filter("A"))
	r.send("data")
	r.send("")
	r.want("A added", "A new", `A data "data"`, `A data "data" end`)
	onRead(r.c)
	r.want()
}

func TestADisabledConnectionTellsItsFiltersNothing(t *testing.T) {
	r := newRig(t)
	r.install(r.filter("A"))
	r.c.ReadBuffer().AddString("read before")
	r.c.ReadDisable(true)
	onRead(r.c)
	r.want("A added", "A new")
	r.c.ReadDisable(false)
	r.turn()
	r.want(`A data "read before"`)
}

func TestAConnectionWithoutReadFiltersSaysSo(t *testing.T) {
	r := newRig(t)
	if r.install() {
		t.Error("there are none, but it says there are")
	}
	onlyWrites := func(c *connection.Connection) { AddWriteFilter(c, &writer{rig: r, name: "W"}) }
	if buildFilterChain(r.c, []FilterFactoryCb{onlyWrites}) {
		t.Error("a write filter does not read")
	}
}

// writer is a scribe for what is written.
type writer struct {
	rig     *rig
	name    string
	onWrite func(*WriteFilterCallbacks, *buffer.Buffer) FilterStatus
	write   *WriteFilterCallbacks
}

func (w *writer) InitializeWriteFilterCallbacks(c *WriteFilterCallbacks) { w.write = c }

func (w *writer) OnWrite(data *buffer.Buffer, endStream bool) FilterStatus {
	w.rig.tell("%s write %d %v", w.name, data.Len(), endStream)
	if w.onWrite == nil {
		return Continue
	}
	return w.onWrite(w.write, data)
}

// say writes to the connection, as a filter would.
func (r *rig) say(text string, endStream bool) {
	var data buffer.Buffer
	data.Init(r.c.Thread.Slabs)
	data.AddString(text)
	r.c.Write(&data, endStream)
}

func TestWriteFiltersRunInReverseOrderAndMayChangeTheBytes(t *testing.T) {
	r := newRig(t)
	first, second := &writer{rig: r, name: "A"}, &writer{rig: r, name: "B"}
	second.onWrite = func(_ *WriteFilterCallbacks, data *buffer.Buffer) FilterStatus {
		data.AddString("!")
		return Continue
	}
	AddWriteFilter(r.c, first)
	AddWriteFilter(r.c, second)
	r.say("hello", true)
	r.want("B write 5 true", "A write 6 true")
	if got := r.received() + r.received(); got != "hello!EOF" {
		t.Errorf("the peer received %q", got)
	}
	if n := r.c.Info.BytesSent; n != 6 {
		t.Errorf("%d bytes were sent, it says", n)
	}
}

func TestAWriteFilterThatStopsOrClosesKeepsTheBytes(t *testing.T) {
	for _, how := range []func(*WriteFilterCallbacks, *buffer.Buffer) FilterStatus{
		func(*WriteFilterCallbacks, *buffer.Buffer) FilterStatus { return StopIteration },
		func(w *WriteFilterCallbacks, _ *buffer.Buffer) FilterStatus {
			w.Connection().Close(connection.NoFlush)
			return Continue
		},
	} {
		r := newRig(t)
		AddWriteFilter(r.c, &writer{rig: r, name: "A"})
		AddWriteFilter(r.c, &writer{rig: r, name: "B", onWrite: how})
		r.say("secret", false)
		r.want("B write 6 false")
		if got := r.received(); got != "" && got != "EOF" {
			t.Errorf("the peer received %q", got)
		}
		if n := r.c.Info.BytesSent; n != 0 {
			t.Errorf("%d bytes were sent, it says", n)
		}
	}
}

// flusher is a filter that knows how to end.
type flusher struct {
	*scribe
}

func (f flusher) Flush() { f.rig.tell("%s flush", f.name) }

func TestFlushIsLeftToTheFilterThatKnowsHow(t *testing.T) {
	r := newRig(t)
	AddReadFilter(r.c, r.filter("A"))
	AddReadFilter(r.c, flusher{r.filter("B")})
	r.c.Filters.(connection.Flusher).Flush()
	r.want("A added", "B added", "B flush")

	r = newRig(t)
	AddReadFilter(r.c, r.filter("A"))
	r.say("the rest", false)
	r.c.Filters.(connection.Flusher).Flush()
	if got := r.received() + r.received(); got != "the restEOF" {
		t.Errorf("the peer received %q", got)
	}
}

func TestAnEventCostsTheFiltersNoMemory(t *testing.T) {
	r := newRig(t)
	AddReadFilter(r.c, &EchoFilter{})
	initializeReadFilters(r.c)
	r.c.ID = 1 << 40
	text := strings.Repeat("x", 1000)
	n := testing.AllocsPerRun(100, func() {
		r.c.ReadBuffer().AddString(text)
		onRead(r.c)
		r.c.WriteBuffer().Drain(len(text))
	})
	if n > 0 {
		t.Errorf("a read allocates %v times", n)
	}
	size := unsafe.Sizeof(FilterManager{}) + unsafe.Sizeof(ReadFilterCallbacks{}) + unsafe.Sizeof(EchoFilter{})
	if size > 80 {
		t.Errorf("the filters of an idle connection take %d bytes", size)
	}
}
