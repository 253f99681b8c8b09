package startup

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"envoywalk/internal/accesslog"
	"envoywalk/internal/network"
	"envoywalk/internal/streaminfo"
)

// openAccessLogs opens what admin.access_log_path and admin.access_log name.
func (a *Admin) openAccessLogs() error {
	i := a.instance
	admin := i.Bootstrap().GetAdmin()
	if path := admin.GetAccessLogPath(); path != "" {
		if err := a.addAccessLog(i.AccessLogs.CreateFile(path)); err != nil {
			return i.At(err, "admin.access_log_path", accesslog.Hint(err))
		}
	}
	for n, c := range admin.GetAccessLog() {
		if err := a.addAccessLog(i.AccessLogs.Create(c)); err != nil {
			return i.At(err, fmt.Sprintf("admin.access_log[%d]", n), accesslog.Hint(err))
		}
	}
	return nil
}

func (a *Admin) addAccessLog(l *accesslog.Log, err error) error {
	if err == nil && !l.Discards() {
		a.logs = append(a.logs, l)
	}
	return err
}

// answeredRequest is an admin request and what became of it: what an access log line is made of.
type answeredRequest struct {
	http.ResponseWriter
	request        *http.Request
	code           int
	received, sent int64
	began          time.Time
}

func (r *answeredRequest) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}

func (r *answeredRequest) Write(p []byte) (int, error) {
	n, err := r.ResponseWriter.Write(p)
	r.sent += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController at the connection.
func (r *answeredRequest) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// writeAccessLogs runs on a goroutine of net/http, when a request has been answered.
func (a *Admin) writeAccessLogs(r *answeredRequest) {
	if len(a.logs) == 0 {
		return
	}
	info := r.streamInfo()
	for _, l := range a.logs {
		l.Write(info)
	}
}

// streamInfo is the request as an access log sees it. Nobody proxies an admin request, so nothing
// in it is upstream.
func (r *answeredRequest) streamInfo() *streaminfo.StreamInfo {
	local, _ := r.request.Context().Value(http.LocalAddrContextKey).(net.Addr)
	remote := peerAddress(r.request.RemoteAddr)
	s := &streaminfo.StreamInfo{Start: r.began, BytesReceived: uint64(r.received),
		BytesSent: uint64(r.sent), DownstreamRemote: remote, DownstreamDirectRemote: remote,
		HTTP: &streaminfo.HTTP{Protocol: r.request.Proto, ResponseCode: r.code,
			Request: requestHeaders{r.request}, Response: headers(r.Header())}}
	if local != nil {
		s.DownstreamLocal = peerAddress(local.String())
	}
	s.Complete(time.Now())
	return s
}

// peerAddress is an address that net/http knows as text; nil if it has none.
func peerAddress(text string) *network.Address {
	var a *network.Address
	if ip, err := netip.ParseAddrPort(text); err == nil {
		a, _ = network.ParseInternetAddress(ip.Addr().String(), ip.Port(), false)
	} else {
		a, _ = network.NewPipe(text, 0)
	}
	return a
}

// headers are net/http's; it refuses those with line breaks.
type headers http.Header

func (h headers) Get(name string) (string, bool) {
	values := http.Header(h).Values(name)
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// requestHeaders adds the parts of the request line, under the names that HTTP/2 has for them.
type requestHeaders struct{ request *http.Request }

func (h requestHeaders) Get(name string) (value string, found bool) {
	switch strings.ToLower(name) {
	case ":method":
		value = h.request.Method
	case ":path":
		value = h.request.RequestURI
	case ":authority":
		value = h.request.Host
	case ":scheme":
		value = "http"
	default:
		return headers(h.request.Header).Get(name)
	}
	return value, value != ""
}
