package startup

import (
	"fmt"
	"io"
	"strings"
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
)

// writeThreads tells, a line each, what the main thread and every worker are doing. Any thread may call
// it; it waits for none of them.
func (i *Instance) writeThreads(w io.Writer, why string) {
	var b strings.Builder
	fmt.Fprintf(&b, "envoywalk %s: %s. What its threads are doing:\n", i.Seams.Chapter.Name, why)
	b.WriteString(threadLine(i.Dispatcher, i.MainGuardDog, "main_thread") + "\n")
	for _, worker := range i.ListenerManager.WorkerInfos() {
		d := worker.Dispatcher
		fmt.Fprintf(&b, "%s, connections %d\n", threadLine(d, i.WorkersGuardDog, d.Name), worker.Connections)
	}
	io.WriteString(w, b.String())
}

func threadLine(d *eventloop.Dispatcher, dog *GuardDog, name string) string {
	p := d.Progress()
	doing := "in a callback"
	if p.Waiting {
		doing = "waiting"
	}
	return fmt.Sprintf("  %s (tid %d): turn %d, %s, posts waiting %d, last sign of life %s",
		name, p.TID, p.Turns, doing, p.Posts, dog.lastSign(name))
}

// lastSign is how long ago the thread gave a sign of life, as finely as the dog looks.
func (g *GuardDog) lastSign(thread string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.watched {
		if w.dog.Name != thread {
			continue
		}
		if w.dog.Look() {
			return "just now"
		}
		return time.Since(w.lastTouch).Round(time.Millisecond).String() + " ago"
	}
	return "unknown"
}
