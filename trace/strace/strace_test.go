package strace_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	record "envoywalk/trace"
	"envoywalk/trace/strace"
)

var at = time.Unix(1795383895, 504_321_987)

// tell starts and ends one span.
func tell(p sdk.SpanProcessor, kind string, kvs ...attribute.KeyValue) {
	kvs = append(kvs, record.KeyKind.String(kind))
	_, s := sdk.NewTracerProvider(sdk.WithSpanProcessor(p)).Tracer("test").Start(context.Background(), kind,
		trace.WithAttributes(kvs...), trace.WithTimestamp(at))
	s.End()
}

func call(tid int, name, args string, ret int64, more ...attribute.KeyValue) []attribute.KeyValue {
	return append(more, record.KeyThreadID.Int(tid), record.KeySyscall.String(name), record.KeyArgs.String(args),
		record.KeyRet.Int64(ret))
}

func TestACallIsSpelledAsStraceSpellsIt(t *testing.T) {
	var out bytes.Buffer
	w := strace.New(&out)
	tell(w, "syscall", call(3076, "socket", "AF_INET, SOCK_STREAM, IPPROTO_IP", 7, record.KeyRetLabel.String("echo"))...)
	tell(w, "function", record.KeyThreadID.Int(3076))
	tell(w, "syscall", call(3080, "accept4", "5<echo/w0>, NULL, SOCK_CLOEXEC", -1, record.KeyErrorType.String("EAGAIN"))...)
	tell(w, "syscall", call(3080, "readv", "26<C1>, [{iov_base=..., iov_len=16384}, ...], 4", 16,
		record.KeyFD.Int(26), record.KeyFDLabel.String("C1"))...)
	tell(w, "syscall", call(0, "close", "9", 0)...)
	tell(w, "syscall", call(1, "ioctl", "9", -1, record.KeyErrorType.String("E999"))...)
	want := `3076 1795383895.504321 socket(AF_INET, SOCK_STREAM, IPPROTO_IP) = 7<echo>
3080 1795383895.504321 accept4(5<echo/w0>, NULL, SOCK_CLOEXEC) = -1 EAGAIN (Resource temporarily unavailable)
3080 1795383895.504321 readv(26<C1>, [{iov_base=..., iov_len=16384}, ...], 4) = 16
1795383895.504321 close(9) = 0
1 1795383895.504321 ioctl(9) = -1 E999
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

// strace writes a bracket inside of a path as its octal number, and so the end of a label can be found.
func TestABracketInALabelDoesNotEndIt(t *testing.T) {
	var out bytes.Buffer
	w := strace.New(&out)
	tell(w, "syscall", call(1, "connect", "28<C2>echo>, 127.0.0.1:7", -1, record.KeyErrorType.String("EINPROGRESS"),
		record.KeyFD.Int(28), record.KeyFDLabel.String("C2>echo"))...)
	tell(w, "syscall", call(1, "epoll_ctl", "17<ep:w>, EPOLL_CTL_ADD, 28<C2>echo>, {EPOLLIN}", 0,
		record.KeyFD.Int(17), record.KeyFDLabel.String("ep:w"))...)
	tell(w, "syscall", call(1, "socket", "AF_INET", 28, record.KeyRetLabel.String("C2>echo"))...)
	tell(w, "syscall", call(1, "read", "3<a> b\n<>, [...], 8", 1, record.KeyFD.Int(3), record.KeyFDLabel.String("a> b\n<"))...)
	want := `1 1795383895.504321 connect(28<C2\76echo>, 127.0.0.1:7) = -1 EINPROGRESS (Operation now in progress)
1 1795383895.504321 epoll_ctl(17<ep:w>, EPOLL_CTL_ADD, 28<C2\76echo>, {EPOLLIN}) = 0
1 1795383895.504321 socket(AF_INET) = 28<C2\76echo>
1 1795383895.504321 read(3<a\76 b\n\74>, [...], 8) = 1
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

type broken struct{ writes int }

var errFull = errors.New("no space left on device")

func (b *broken) Write([]byte) (int, error) { b.writes++; return 0, errFull }

func TestTheWritersErrorComesBack(t *testing.T) {
	var b broken
	w := strace.New(&b)
	for range 2 {
		tell(w, "syscall", call(1, "close", "9", 0)...)
	}
	if err := w.Shutdown(t.Context()); !errors.Is(err, errFull) || !errors.Is(w.ForceFlush(t.Context()), errFull) || b.writes != 1 {
		t.Error(err, b.writes)
	}
}
