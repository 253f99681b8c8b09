// Package receipt compares a trace with what strace saw of the same process: the trace asks for no
// trust.
//
// The law. Per thread, the system calls that the spans tell and the system calls that strace saw on
// every fd we own, during its life, are the same calls with the same first argument and the same
// result, in the same order. Nothing is missing, nothing is extra, nothing was dropped.
//
// Whose an fd is. A life begins when the call that makes the fd returns and ends when its close
// starts. It is ours if a span on the same thread tells the call that made it, and stays ours until
// a hand-over span gives it away. So the Go runtime's own calls (its epoll, its eventfd, files, the
// log, the sinks) fall out by thread and life; a name decides nothing. What no life can decide is
// decided so:
//
//   - A thread that names itself (prctl PR_SET_NAME) has a lane and runs nobody else's code from
//     there to its last call on an fd of ours. A socket, an epoll instance, an eventfd or a
//     duplicate made meanwhile and told by no span is missing, unless it is the runtime's poller
//     (the first epoll instance no span tells), an fd the poller watches, or a probe of package net
//     (a socket that asks for TCP by number, which the kernel door never does).
//   - PR_SET_NAME has no fd: it counts on every thread that has spans.
//   - unlinkat and fchmodat have no fd: they count where a span on the same thread names the same
//     path, and then every such call counts. Files that only the standard library removes stay out.
//   - A call that never returned, because the process ended in it, is no call: no span can tell it.
//   - A call that strace shows as restarted (ERESTARTSYS, ERESTARTNOINTR) counts once, the last
//     time: Go installs every handler with SA_RESTART, so the caller never learnt of the first.
//
// A row of idle turns is one span with repeat = n; it accounts for n equal calls in a row.
package receipt
