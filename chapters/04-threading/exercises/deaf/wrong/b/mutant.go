//go:build ignore

package threading

func initializeFileEvent(d *eventloop.Dispatcher, h *listensocket.IoSocketHandle, t eventloop.Trigger,
	ready eventloop.FileReady, callback func(eventloop.FileReady)) (*eventloop.FileEvent, kernel.Errno) {
	defer d.Lane().Enter(step.IoHandleInitializeFileEvent).On(h.FD).Exit()
	return d.CreateFileEvent(h.FD, t, eventloop.Write, callback)
}
