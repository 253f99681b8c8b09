package diff_test

import (
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	record "envoywalk/trace"
)

const mainThread = "main_thread"

func workerThread(i int) string { return fmt.Sprintf("wrk:worker_%d", i) }

// spans plays the start-up.
func (s start) spans() []sdk.ReadOnlySpan {
	w := &walk{open: map[string][]*tracetest.SpanStub{}}
	posts := map[int]*tracetest.SpanStub{}
	life := w.add(mainThread, "thread", "thread main_thread")
	w.in(life, mainThread, func() { s.main(w, posts) })
	lives := [2]*tracetest.SpanStub{}
	for i := range lives {
		lives[i] = w.add(workerThread(i), "thread", "thread "+workerThread(i))
		lives[i].SpanContext = context(byte(10+i), uint64(100+i))
		lives[i].Links = []sdk.Link{{SpanContext: posts[2].SpanContext}}
		w.open[workerThread(i)] = append(w.open[workerThread(i)], lives[i])
		if posts[i] != nil {
			s.addListener(w, i, posts[i])
		}
	}
	for range s.idle {
		w.turn(workerThread(0), 0, 0, func() {})
	}
	s.connection(w)
	for i := range lives {
		w.end(lives[i])
	}
	return w.snapshots()
}

func (s start) main(w *walk, posts map[int]*tracetest.SpanStub) {
	config := []attribute.KeyValue{attribute.String("config.file", "envoy.yaml"),
		attribute.Int("config.line", 9), attribute.String("config.text", "- name: echo")}
	name := "ListenerManagerImpl::addOrUpdateListener"
	listener := w.function(mainThread, "add-or-update-listener", name, "echo", func() {
		w.call(mainThread, "socket", "AF_INET, SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_IP", 10,
			record.KeyRetLabel.String("echo"))
		reuse := func() {
			w.callOn(mainThread, "setsockopt", 10, "echo", "SOL_SOCKET, SO_REUSEADDR, [1], 4", 0)
		}
		bind := func() { w.callOn(mainThread, "bind", 10, "echo", "127.0.0.1:10000", 0) }
		if s.bindFirst {
			bind()
			reuse()
		} else {
			reuse()
			if s.twice {
				reuse()
			}
			bind()
		}
	})
	listener.Attributes = append(listener.Attributes[:len(listener.Attributes)-1:len(listener.Attributes)-1],
		append(config, listener.Attributes[len(listener.Attributes)-1])...)
	posts[2] = w.function(mainThread, "start-workers", "ListenerManagerImpl::startWorkers", "", func() {
		posts[0] = w.post(mainThread, "worker_0", "worker-add-listener", 1)
		if !s.unposted {
			posts[1] = w.post(mainThread, "worker_1", "worker-add-listener", 2)
		}
	})
}

func (s start) addListener(w *walk, i int, post *tracetest.SpanStub) {
	thread, label := workerThread(i), fmt.Sprintf("echo/w%d", i)
	backlog, mask := "-1", "{EPOLLIN}"
	if s.deaf {
		backlog, mask = "0", "{EPOLLOUT}"
	}
	w.function(thread, "run-post-callbacks", "DispatcherImpl::runPostCallbacks", "", func() {
		w.run(thread, fmt.Sprintf("worker_%d", i), post, "worker-add-listener", int64(i+1), func() {
			name := "ConnectionHandlerImpl::addListener"
			w.function(thread, "connection-handler-add-listener", name, "echo", func() {
				w.callOn(thread, "fcntl", 10, "echo", "F_DUPFD_CLOEXEC, 0", 12+i,
					record.KeyRetLabel.String(label))
				w.callOn(thread, "listen", 12+i, label, backlog, 0)
				w.callOn(thread, "epoll_ctl", 20+i, fmt.Sprintf("ep:worker_%d", i),
					fmt.Sprintf("EPOLL_CTL_ADD, %d<%s>, %s", 12+i, label, mask), 0)
			})
		})
	})
}

// connection is accepted by one worker; the other is woken too and finds nothing, if it listens.
func (s start) connection(w *walk) {
	i := s.accepts
	thread, label := workerThread(i), fmt.Sprintf("echo/w%d", i)
	w.turn(thread, i, 1, func() {
		set := on(12+i, label)
		event := w.add(thread, "event", "file event", append(set.ToSlice(), record.KeyEvents.String("READ"))...)
		w.in(event, thread, func() { s.accept(w, thread, 12+i, label) })
	})
	if !s.unposted {
		other := 1 - i
		thread, label := workerThread(other), fmt.Sprintf("echo/w%d", other)
		w.turn(thread, other, 1, func() {
			set := on(12+other, label)
			event := w.add(thread, "event", "file event", append(set.ToSlice(), record.KeyEvents.String("READ"))...)
			w.in(event, thread, func() {
				w.function(thread, "on-socket-event", "TcpListenerImpl::onSocketEvent", "", func() {
					w.callOn(thread, "accept4", 12+other, label, "NULL, SOCK_CLOEXEC", -1,
						record.KeyErrorType.String("EAGAIN"))
				})
			})
		})
	}
}

func (s start) accept(w *walk, thread string, fd int, label string) {
	w.function(thread, "on-socket-event", "TcpListenerImpl::onSocketEvent", "", func() {
		accept := w.callOn(thread, "accept4", fd, label, "127.0.0.1:40000, SOCK_CLOEXEC", 15,
			record.KeyRetLabel.String("C1"))
		story := w.add("", "story", "connection C1", record.KeyConnection.Int(1))
		story.SpanContext = context(99, 999)
		story.Links = []sdk.Link{{SpanContext: accept.SpanContext}}
		open := w.open[thread]
		part := w.add(thread, "function", "ActiveTcpListener::onAccept",
			record.KeyStep.String("on-accept"))
		part.Parent = story.SpanContext
		part.SpanContext = part.SpanContext.WithTraceID(story.SpanContext.TraceID())
		// It links to the function around it and to the turn.
		for _, outer := range []*tracetest.SpanStub{open[len(open)-1], open[len(open)-3]} {
			part.Links = append(part.Links, sdk.Link{SpanContext: outer.SpanContext})
		}
		w.in(part, thread, func() {
			w.callOn(thread, "setsockopt", 15, "C1", "SOL_TCP, TCP_NODELAY, [1], 4", 0)
			w.callOn(thread, "close", 15, "C1", "", 0)
		})
		w.end(story)
		w.callOn(thread, "accept4", fd, label, "NULL, SOCK_CLOEXEC", -1,
			record.KeyErrorType.String("EAGAIN"))
	})
}
