package moment

import (
	"fmt"
	"strings"
)

// Hint says after a line what its numbers mean, for who sees them the first time; "" where there is
// nothing to say. lang is "en" or "zh".
func (m *Moment) Hint(lang string) string {
	h := english
	if lang == "zh" {
		h = chinese
	}
	hint := h.of(m)
	if m.Lost == 0 {
		return hint
	}
	lost := fmt.Sprintf(h.lost, m.Lost)
	if hint == "" {
		return lost
	}
	return lost + h.and + hint
}

func (h *hints) of(m *Moment) string {
	switch m.Kind {
	case KindCall:
		if m.Repeat > 1 {
			return ""
		}
		return h.call(m)
	case KindPost:
		return h.post(m)
	case KindRun:
		return h.run(m)
	}
	return ""
}

// hints are the words of one language.
type hints struct {
	notRunning, woken, wokenAlready, ownLoop string // of a post; %d is the queue's length
	postedBy, postedByOther                  string
	nobodyWaits, notNow, underWay            string
	signal, anySignal                        string
	noFD, taken                              string
	backlog, peerFinished, weFinished        string
	connected, whyNot                        string
	ready, nothing, onlyALook, nothingIn     string
	lost, and                                string // %d is how many records
}

var english = &hints{
	notRunning: "queue %d, loop not running: no wake", woken: "queue %d: wake the loop",
	wokenAlready: "queue %d: woken already", ownLoop: "queue %d, own loop: no wake",
	postedBy: "posted by %s at %d", postedByOther: "posted by a thread that is not traced",
	nobodyWaits: "nobody else is waiting", notNow: "nothing now: the loop will be told",
	underWay: "under way: WRITE will tell", signal: "a signal, mostly the Go runtime's own",
	anySignal: "a signal",
	noFD:      "no fd is left", taken: "somebody else has this address",
	backlog: "-1: as many as the kernel allows", peerFinished: "the peer has finished",
	weFinished: "we have finished: the peer will read 0",
	connected:  "the connect has succeeded", whyNot: "why the connect has failed",
	ready: "%d ready", nothing: "nothing ready", onlyALook: "only a look: nothing ready",
	nothingIn: "%s ms: nothing became ready",
	lost:      "records of this thread lost before this: %d", and: "; ",
}

var chinese = &hints{
	notRunning: "队列长 %d，循环尚未运行：不必唤醒", woken: "队列长 %d：唤醒循环",
	wokenAlready: "队列长 %d：已经唤醒过了", ownLoop: "队列长 %d，投给自己的循环：不必唤醒",
	postedBy: "由 %s 在第 %d 步投递", postedByOther: "投递它的线程不在跟踪之列",
	nobodyWaits: "没有别的连接在排队了", notNow: "现在还没有：就绪时循环会得到通知",
	underWay: "正在进行：可写时就知道结果", signal: "一个信号，多半是 Go 运行时自己的",
	anySignal: "一个信号",
	noFD:      "fd 用完了", taken: "这个地址已被别人占用",
	backlog: "-1：内核允许多长就多长", peerFinished: "对端已经发完",
	weFinished: "我方已经发完：对端会读到 0",
	connected:  "连接成功了", whyNot: "连接失败的原因",
	ready: "%d 个就绪", nothing: "没有就绪的", onlyALook: "只看一眼：没有就绪的",
	nothingIn: "%s 毫秒内没有任何 fd 就绪",
	lost:      "此前丢失了这个线程的 %d 条记录", and: "；",
}

// post is what the poster saw under the queue's lock.
func (h *hints) post(m *Moment) string {
	switch {
	case !m.Running:
		return fmt.Sprintf(h.notRunning, m.Queued)
	case m.Woke:
		return fmt.Sprintf(h.woken, m.Queued)
	case m.Queued > 1:
		return fmt.Sprintf(h.wokenAlready, m.Queued)
	}
	return fmt.Sprintf(h.ownLoop, m.Queued)
}

func (h *hints) run(m *Moment) string {
	switch {
	case m.PostedAt > 0:
		return fmt.Sprintf(h.postedBy, Clean(m.PostedBy), m.PostedAt)
	case m.PostID == 0:
		return h.postedByOther
	}
	return ""
}

func (h *hints) call(m *Moment) string {
	c := &m.Call
	switch c.Errno {
	case "":
		return h.result(c)
	case "EAGAIN":
		if c.Name == "accept4" {
			return h.nobodyWaits
		}
		return h.notNow
	case "EINPROGRESS":
		return h.underWay
	case "EINTR":
		if m.PID != 0 {
			return h.anySignal // whose, nobody knows
		}
		return h.signal
	case "EMFILE", "ENFILE":
		return h.noFD
	case "EADDRINUSE":
		return h.taken
	}
	return ""
}

func (h *hints) result(c *Call) string {
	switch c.Name {
	case "epoll_pwait":
		return h.wait(c)
	case "listen":
		if strings.HasSuffix(c.Args, ", -1") {
			return h.backlog
		}
	case "read", "readv", "recvfrom":
		if c.Ret == 0 {
			return h.peerFinished
		}
	case "shutdown":
		if strings.HasSuffix(c.Args, "SHUT_WR") {
			return h.weFinished
		}
	case "getsockopt":
		return h.connect(c.Args)
	}
	return ""
}

// connect: SO_ERROR is asked once, when WRITE tells that a connect is over.
func (h *hints) connect(args string) string {
	_, answer, asked := strings.Cut(args, "SO_ERROR, [")
	switch {
	case !asked:
		return ""
	case strings.HasPrefix(answer, "0]"):
		return h.connected
	}
	return h.whyNot
}

// wait: the fourth argument is how long the wait may last, in ms.
func (h *hints) wait(c *Call) string {
	args := strings.Split(c.Args, ", ")
	switch {
	case c.Ret > 0:
		return fmt.Sprintf(h.ready, c.Ret)
	case len(args) < 4:
		return h.nothing
	case args[3] == "0":
		return h.onlyALook
	}
	return fmt.Sprintf(h.nothingIn, Clean(args[3]))
}
