package threading

import (
	"time"

	eventloop "envoywalk/chapters/00-event-loop"
	"envoywalk/internal/step"
	"envoywalk/trace"
)

// emptyCheck is how often a worker that shall end looks whether its last connection is gone.
const emptyCheck = 5 * time.Millisecond

// WhenEmpty runs done on main, once, as soon as the worker has no connection: now if it has none.
func (w *Worker) WhenEmpty(done func()) {
	var again *eventloop.Timer
	look := func() {
		if w.handler.Open() > 0 {
			again.Enable(emptyCheck)
			return
		}
		w.instance.Dispatcher.Post(w.dispatcher, step.None, done)
	}
	again = w.dispatcher.CreateTimer("connections left?", look)
	again.Housekeeping = true
	w.dispatcher.Post(w.instance.Dispatcher, step.None, look)
}

// Flush has every connection close as soon as all that was read is written.
func (w *Worker) Flush() {
	w.dispatcher.Post(w.instance.Dispatcher, step.None, w.handler.Flush)
}

// closeConnections ends what the thread still has when its loop is over. In an orderly stop that is
// nothing.
func (w *Worker) closeConnections(lane *trace.Lane) {
	if w.cut = w.handler.Open(); w.cut > 0 {
		w.handler.Flush()
		w.dispatcher.Run(lane, eventloop.NonBlock) // what can be written at once still is
	}
	w.handler.Close()
	if w.handler.NumConnections() > 0 {
		w.dispatcher.Run(lane, eventloop.NonBlock) // what another worker sent here meets no listener: closed
	}
}
