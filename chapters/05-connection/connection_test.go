package connection

import (
	"bytes"
	"io"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"envoywalk/chapters/05-connection/buffer"
	"envoywalk/internal/kernel"
)

func TestWhatIsReadGoesToTheFiltersAndBack(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.echoing = true; e.EnableHalfClose(true) })
	sent := pattern(3<<20, 1)
	go func() { peer.Write(sent); peer.CloseWrite() }()
	peer.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes came back: %v", len(got), len(sent), err)
	}
	l.wait(e.closed, "both sides have ended")
	if e.events[0] != RemoteClose && e.events[0] != LocalClose {
		t.Error(e.events)
	}
	e.until("the fd is closed", func() bool { return !isOpen(fd) })
}

func TestWithoutHalfCloseThePeersEndClosesAfterItsData(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	peer.Write([]byte("last words"))
	peer.CloseWrite()
	l.wait(e.closed, "closed")
	if e.got.String() != "last words" || e.sawEnd || e.events[0] != RemoteClose {
		t.Errorf("%q, end %v, %v", e.got.String(), e.sawEnd, e.events)
	}
}

func TestWithHalfCloseTheEndIsToldOnceAndTheOtherDirectionGoesOn(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.EnableHalfClose(true) })
	peer.CloseWrite()
	e.until("the end is told", func() bool { return e.sawEnd })
	reply := pattern(5<<20, 2)
	e.send(reply, true)
	peer.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, reply) {
		t.Fatalf("%d of %d bytes: %v", len(got), len(reply), err)
	}
	l.wait(e.closed, "both sides have ended")
	if e.reads != 1 {
		t.Errorf("the filters were told %d times", e.reads)
	}
}

// Row 4 of the faults: a close() with unread input makes the kernel reset, and throws away what was sent.
func TestACloseWithUnreadInputLosesNothingOfWhatWasSent(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.ReadDisable(true) }) // what the peer sends stays unread
	peer.Write(pattern(64<<10, 3))
	sent := pattern(1<<20, 4)
	e.send(sent, false)
	l.on(func() { e.Close(FlushWrite) })
	time.AfterFunc(50*time.Millisecond, func() { peer.Write(pattern(64<<10, 5)) }) // and more, after the close
	peer.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes arrived: %v", len(got), len(sent), err)
	}
	l.wait(e.closed, "closed")
	peer.Close()
	e.until("the fd is closed once the peer is", func() bool { return !isOpen(fd) })
}

func TestAPeerThatNeverClosesIsLeftAfterASecondOfSilence(t *testing.T) {
	l := newLab(t)
	fd, _ := l.pair()
	e := l.connect(fd)
	e.send([]byte("bye"), false)
	e.until("sent", func() bool { return e.WriteBuffer().Len() == 0 })
	l.on(func() { e.Close(FlushWrite) })
	l.wait(e.closed, "the owner is done at once")
	if !isOpen(fd) {
		t.Error("the fd does not wait for the peer")
	}
	e.until("the fd is closed", func() bool { return !isOpen(fd) })
}

func TestNoFlushDropsWhatTheKernelDoesNotTakeAndCountsIt(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	e.send(pattern(32<<20, 6), false)
	e.until("the kernel is full", func() bool { n := e.WriteBuffer().Len(); return n > 0 && n < 32<<20 })
	l.on(func() { e.Close(NoFlush) })
	l.wait(e.closed, "closed")
	got, _ := io.Copy(io.Discard, peer)
	if int(got)+e.Discarded != 32<<20 || e.Discarded == 0 {
		t.Errorf("%d arrived, %d were discarded, %d were sent", got, e.Discarded, 32<<20)
	}
	if isOpen(fd) {
		t.Error("the fd is open")
	}
}

// Row 5: watermarks pause as often as they resume, and the read buffer stays within limit and one read.
func TestWatermarksPauseAndResume(t *testing.T) {
	const limit = 128 << 10
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.SetBufferLimits(limit) })
	for range 5 {
		e.send(pattern(16<<20, 7), false)
		e.until("paused", func() bool { return e.paused > e.resumed })
		io.CopyN(io.Discard, peer, 16<<20)
		e.until("resumed", func() bool { return e.paused == e.resumed })
	}
	l.on(func() { e.taking = false })
	go peer.Write(pattern(8<<20, 8))
	most := 0
	e.until("reading stops by itself", func() bool { most = max(most, e.ReadBuffer().Len()); return !e.ReadEnabled() })
	if most > limit+readSize {
		t.Errorf("%d bytes were read, over %d", most, limit+readSize)
	}
	total := 0
	e.until("all arrives, once somebody takes it", func() bool {
		total += e.ReadBuffer().Len()
		e.ReadBuffer().Drain(e.ReadBuffer().Len())
		return total == 8<<20
	})
}

func TestReadDisableCounts(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.EnableHalfClose(true); e.ReadDisable(true); e.ReadDisable(true) })
	peer.Write([]byte("waits"))
	peer.CloseWrite()
	l.on(func() { e.ReadDisable(false) })
	if l.on(func() {}); e.reads != 0 {
		t.Error("it read while one had it disabled")
	}
	l.on(func() { e.ReadDisable(false) })
	e.until("read", func() bool { return e.got.String() == "waits" && e.sawEnd })
}

func TestAnEarlyCloseIsNoticedWhileReadingIsDisabled(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.ReadDisable(true) })
	peer.Close()
	l.wait(e.closed, "noticed")
	if e.events[0] != RemoteClose {
		t.Error(e.events)
	}
}

func TestAResetClosesOnce(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.EnableHalfClose(true) })
	peer.SetLinger(0)
	peer.Close()
	l.wait(e.closed, "closed")
	if len(e.events) != 1 || e.events[0] != RemoteClose || e.LastError() != kernel.ECONNRESET {
		t.Error(e.events, e.LastError())
	}
}

// Row 10 of the faults: the loop hears of data and reset at once, and writes before it reads.
func TestWhatAPeerSentBeforeItsResetIsReadThoughAWriteMeetsTheResetFirst(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	sent := pattern(32<<10, 9)
	l.on(func() {
		e.EnableHalfClose(true)
		peer.Write(sent)
		peer.SetLinger(0)
		peer.Close()
		var b buffer.Buffer
		b.Init(l.thread.Slabs)
		b.AddString("too late")
		e.Write(&b, false)
	})
	l.wait(e.closed, "closed")
	if !bytes.Equal(e.got.Bytes(), sent) || len(e.events) != 1 || e.events[0] != RemoteClose {
		t.Errorf("%d of %d bytes were read: %v", e.got.Len(), len(sent), e.events)
	}
	e.until("the fd is closed", func() bool { return !isOpen(fd) })
	if e.Discarded != len("too late") {
		t.Errorf("%d bytes were discarded", e.Discarded)
	}
}

func TestADelayedCloseWaitsForThePeerOrItsTimeout(t *testing.T) {
	for _, peerCloses := range []bool{true, false} {
		l := newLab(t)
		fd, peer := l.pair()
		e := l.connect(fd)
		l.on(func() { e.SetDelayedCloseTimeout(200 * time.Millisecond) })
		e.send([]byte("answer"), false)
		began := time.Now()
		l.on(func() {
			if e.Close(FlushWriteAndDelay); e.State() != Closing {
				t.Error("state", e.State())
			}
		})
		want := LocalClose
		if peerCloses {
			l.on(func() { e.SetDelayedCloseTimeout(time.Hour); e.ending.timer.Enable(time.Hour) })
			peer.Close()
			want = RemoteClose
		}
		l.wait(e.closed, "closed")
		if e.events[0] != want {
			t.Errorf("peer closes %v: %v", peerCloses, e.events)
		}
		if !peerCloses && time.Since(began) < 200*time.Millisecond {
			t.Error("too early")
		}
	}
}

func TestAFlushThatMakesNoProgressIsBounded(t *testing.T) {
	l := newLab(t)
	fd, _ := l.pair()
	e := l.connect(fd)
	l.on(func() { e.SetDelayedCloseTimeout(100 * time.Millisecond) })
	e.send(pattern(32<<20, 9), false)
	l.on(func() { e.Close(FlushWrite) })
	l.wait(e.closed, "closed")
	if e.Discarded == 0 {
		t.Error("a peer that reads nothing had it all?")
	}
}

// Row 20: every byte once, whatever the kernel takes at a time.
func TestOneByteAtATimeIsByteExact(t *testing.T) {
	var calls atomic.Int64
	defer kernel.SetScript(func(call string, _, _ int) (int, kernel.Errno, bool) {
		if call == "writev" {
			calls.Add(1)
			return 1, kernel.AtMost, true
		}
		return 0, 0, false
	})()
	size := 1 << 20
	if os.Getenv("ENVOYWALK_SOAK") != "" {
		size = 10 << 20
	}
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.echoing = true; e.EnableHalfClose(true) })
	sent := pattern(size, 10)
	go func() { peer.Write(sent); peer.CloseWrite() }()
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes came back: %v", len(got), len(sent), err)
	}
	t.Logf("%d bytes there and back in %d calls", size, calls.Load())
}

// Row 17 and 19: nothing spins, nothing is lost, whatever the kernel answers at first.
func TestStormsOfEAGAINAndEINTRLoseNothing(t *testing.T) {
	var calls atomic.Int64
	defer kernel.SetScript(func(call string, _, _ int) (int, kernel.Errno, bool) {
		if call != "writev" && call != "readv" {
			return 0, 0, false
		}
		switch k := calls.Add(1); {
		case k%3 == 0:
			return -1, kernel.EINTR, true
		case k%7 == 0:
			return -1, kernel.ENOBUFS, true
		}
		return 0, 0, false
	})()
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.echoing = true; e.EnableHalfClose(true) })
	sent := pattern(1<<20, 11)
	go func() { peer.Write(sent); peer.CloseWrite() }()
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d of %d bytes came back: %v", len(got), len(sent), err)
	}
}

// Row 16: an fd that epoll has no memory for is closed, and the owner told.
func TestAnFdThatCannotBeWatchedIsClosed(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	restore := kernel.SetScript(func(call string, _, _ int) (int, kernel.Errno, bool) {
		return -1, kernel.ENOMEM, call == "epoll_ctl"
	})
	e := l.connect(fd)
	restore()
	l.wait(e.closed, "closed")
	if e.events[0] != LocalClose || isOpen(fd) {
		t.Error(e.events, isOpen(fd))
	}
	if n, err := peer.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("the peer was not told")
	}
}

// Nobody would take what it read, nor count it.
func TestAClosingConnectionReadsNothingThoughItsWriteIsTriedAgain(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() { e.EnableHalfClose(true) })
	sent := pattern(16<<20, 10)
	e.send(sent, false)
	e.until("the kernel is full", func() bool { n := e.WriteBuffer().Len(); return n > 0 && n < len(sent) })
	l.on(func() { e.Close(FlushWrite) })
	peer.Write([]byte("nobody asked"))
	refused := atomic.Bool{}
	defer kernel.SetScript(func(call string, on, _ int) (int, kernel.Errno, bool) {
		return -1, kernel.ENOBUFS, call == "writev" && on == fd && !refused.Swap(true)
	})()
	peer.SetReadDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(peer)
	if err != nil || !bytes.Equal(got, sent) || !refused.Load() {
		t.Errorf("%d of %d bytes arrived: %v", len(got), len(sent), err)
	}
	l.wait(e.closed, "closed")
	if e.reads != 0 {
		t.Errorf("%d bytes were read", e.got.Len())
	}
}

func TestAPeerThatNeverStopsHoldsUpNobodyElseOnItsThread(t *testing.T) {
	const endless = 500
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	reads, readsBefore, others := 0, 0, make(chan struct{})
	defer kernel.SetScript(func(call string, on, n int) (int, kernel.Errno, bool) {
		if call != "readv" || on != fd || reads > endless {
			return 0, 0, false
		}
		if reads++; reads == 1 {
			l.thread.Dispatcher.Post(l.thread.Dispatcher, 0, func() { readsBefore = reads; close(others) })
		}
		return n, 0, true
	})()
	l.on(func() { e.taking = false; e.onRead = func() { e.read.Drain(e.read.Len()) } })
	peer.Write([]byte("the first of very many"))
	l.wait(others, "somebody else has his turn")
	if readsBefore >= endless {
		t.Errorf("only after %d reads of 64 KiB", readsBefore)
	}
}

func TestAWriteIsNotSentInItsOwnCall(t *testing.T) {
	l := newLab(t)
	fd, peer := l.pair()
	e := l.connect(fd)
	l.on(func() {
		var b buffer.Buffer
		b.Init(l.thread.Slabs)
		b.AddString("later")
		e.Write(&b, false)
		if e.WriteBuffer().Len() != 5 || b.Len() != 0 {
			t.Error("it was sent, or not taken")
		}
	})
	got := make([]byte, 5)
	if _, err := io.ReadFull(peer, got); err != nil || string(got) != "later" {
		t.Error(string(got), err)
	}
}
