// Package coalesce is the exercise 00/coalesce: see task.md.
package coalesce

import (
	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/kernel"
	"envoywalk/trace"
)

// Bell wakes one loop. Many may ring it at once; the loop answers.
type Bell struct {
	loop   *eventloop.Dispatcher
	fd     int // an eventfd, which the loop watches
	onRing func()
}

// New hangs a bell beside a loop. onRing will run on the loop's thread.
func New(loop *eventloop.Dispatcher, onRing func()) *Bell {
	fd, errno := kernel.Eventfd(loop.Lane())
	if errno != 0 {
		panic(errno)
	}
	loop.Lane().Label(fd, "bell")
	b := &Bell{loop: loop, fd: fd, onRing: onRing}
	if _, errno := loop.CreateFileEvent(fd, eventloop.Level, eventloop.Read, b.answer); errno != 0 {
		panic(errno)
	}
	return b
}

// Ring asks for an answer. Any thread may call it; lane is that of the caller. It never blocks.
//
// However often it is called before the loop answers, the eventfd is written once.
func (b *Bell) Ring(lane *trace.Lane) {
	// Your code: kernel.EventfdWrite(lane, b.fd), once in a burst. The struct may get a field.
	// 你的代码：kernel.EventfdWrite(lane, b.fd)，连摇一阵只写一次。可以给结构体加一个字段。
}

// answer runs on the loop's thread, each time the eventfd is ready.
func (b *Bell) answer(eventloop.FileReady) {
	// Your code: kernel.EventfdRead(b.loop.Lane(), b.fd). What else, and in which order?
	// 你的代码：kernel.EventfdRead(b.loop.Lane(), b.fd)。还要做什么，按什么顺序？
	b.onRing()
}
