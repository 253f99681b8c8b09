package push_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"envoywalk/trace/otlp/push"
)

// sink is a collector: it reads what it is sent and answers as the test wants.
type sink struct {
	collector.UnimplementedTraceServiceServer

	mu       sync.Mutex
	spans    []*tracepb.Span
	batches  []int
	headers  http.Header
	answer   func(request int) (status int, rejected int64) // nil: all is well
	requests int
	arrived  chan struct{} // something did
}

func (s *sink) take(r *collector.ExportTraceServiceRequest) (status int, answer *collector.ExportTraceServiceResponse) {
	s.mu.Lock()
	s.requests++
	request, decide := s.requests, s.answer
	s.mu.Unlock()
	status, answer = http.StatusOK, &collector.ExportTraceServiceResponse{}
	if decide != nil {
		var rejected int64
		if status, rejected = decide(request); rejected > 0 {
			answer.PartialSuccess = &collector.ExportTracePartialSuccess{RejectedSpans: rejected, ErrorMessage: "too old"}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if status == http.StatusOK {
		n := len(s.spans)
		for _, of := range r.ResourceSpans {
			for _, in := range of.ScopeSpans {
				s.spans = append(s.spans, in.Spans...)
			}
		}
		s.batches = append(s.batches, len(s.spans)-n)
	}
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	return status, answer
}

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(body)
	}
	text, err := io.ReadAll(body)
	var request collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(text, &request) != nil || r.URL.Path != "/v1/traces" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.headers = r.Header
	s.mu.Unlock()
	status, answer := s.take(&request)
	text, _ = proto.Marshal(answer)
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.WriteHeader(status)
	w.Write(text)
}

// Export implements the collector's service for gRPC.
func (s *sink) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	_, answer := s.take(r)
	return answer, nil
}

func (s *sink) names() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, span := range s.spans {
		all = append(all, span.Name)
	}
	return all
}

// listen starts the collector and tells the environment of it.
func listen(t *testing.T, s *sink) *httptest.Server {
	t.Helper()
	s.arrived = make(chan struct{}, 1)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	return server
}

// told is what the pusher says as it happens.
type told struct {
	mu    sync.Mutex
	lines []string
}

func (o *told) tell(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
}

func (o *told) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.lines, "\n")
}

// more: it said more than how many spans were pushed.
func (o *told) more() bool {
	return strings.Contains(o.String(), "\n") || !strings.HasPrefix(o.String(), "trace: pushed ")
}

func start(t *testing.T) (*push.Pusher, trace.Tracer, *told) {
	t.Helper()
	said := &told{}
	p, err := push.New(said.tell)
	if err != nil {
		t.Fatal(err)
	}
	return p, sdk.NewTracerProvider(sdk.WithSpanProcessor(p)).Tracer("test"), said
}

func emit(tracer trace.Tracer, n int, more ...attribute.KeyValue) {
	for i := range n {
		_, s := tracer.Start(context.Background(), fmt.Sprintf("span %d", i), trace.WithAttributes(more...))
		s.End()
	}
}

func TestEverySpanArrivesInBatches(t *testing.T) {
	s := &sink{}
	listen(t, s)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "tenant=walk")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	p, tracer, said := start(t)
	const n = 3000
	emit(tracer, n, attribute.Int64("fd", 7), attribute.String("fd.label", "echo"))
	if err := p.Shutdown(t.Context()); err != nil || p.Err() != nil || said.more() {
		t.Fatal(err, p.Err(), said)
	}
	for i, name := range s.names() {
		if name != fmt.Sprintf("span %d", i) {
			t.Fatalf("%s stands at %d", name, i)
		}
	}
	if len(s.spans) != n || len(s.batches) > n/200 || s.headers.Get("tenant") != "walk" || s.headers.Get("Content-Encoding") != "gzip" {
		t.Errorf("%d spans in batches of %v with %v", len(s.spans), s.batches, s.headers)
	}
	if a := s.spans[0].Attributes; len(a) != 2 || a[0].Value.GetIntValue() != 7 || a[1].Value.GetStringValue() != "echo" {
		t.Errorf("attributes %v", a)
	}
	emit(tracer, 1)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "1 spans were not taken") {
		t.Errorf("after the end: %v", err)
	}
}

func TestASpanDoesNotWaitForTheNext(t *testing.T) {
	s := &sink{}
	listen(t, s)
	p, tracer, _ := start(t)
	emit(tracer, 1)
	select {
	case <-s.arrived:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
	}
	emit(tracer, 2)
	if err := p.ForceFlush(t.Context()); err != nil || len(s.names()) != 3 {
		t.Errorf("%v, %v", err, s.names())
	}
	p.Shutdown(t.Context())
	if err := p.ForceFlush(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestOneBrokenByteRefusesNoBatch(t *testing.T) {
	s := &sink{}
	listen(t, s)
	p, tracer, _ := start(t)
	_, span := tracer.Start(t.Context(), "a\xff", trace.WithAttributes(attribute.String("k", "\xed\xa0\x80"),
		attribute.StringSlice("list", []string{"\xc0", "b"}), attribute.String("key\xff", "v")),
		trace.WithLinks(trace.Link{SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1},
			SpanID: trace.SpanID{1}}), Attributes: []attribute.KeyValue{attribute.String("l", "\xfe")}}))
	span.AddEvent("e\xff", trace.WithAttributes(attribute.String("k", "\xff")))
	span.SetName("b\xff")
	span.End()
	emit(tracer, 1)
	if err := p.Shutdown(t.Context()); err != nil || p.Err() != nil || len(s.spans) != 2 || s.spans[0].Name != "b\ufffd" {
		t.Errorf("%v, %v, %v", err, p.Err(), s.spans)
	}
}

func TestRefusedSpansAreCountedAndToldOnce(t *testing.T) {
	s := &sink{answer: func(int) (int, int64) { return http.StatusOK, 3 }}
	server := listen(t, s)
	p, tracer, said := start(t)
	for range 2 {
		emit(tracer, 10)
		p.ForceFlush(t.Context())
	}
	p.Shutdown(t.Context())
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "push to "+server.URL+": 6 spans were not taken: ") ||
		!strings.Contains(err.Error(), "too old") || strings.Count(said.String(), "refuses spans") != 1 {
		t.Errorf("%v; %s", err, said)
	}
}

func TestABadRequestIsNotTriedAgain(t *testing.T) {
	s := &sink{answer: func(int) (int, int64) { return http.StatusForbidden, 0 }}
	listen(t, s)
	p, tracer, said := start(t)
	emit(tracer, 5)
	p.Shutdown(t.Context())
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "5 spans were not taken") || s.requests != 1 ||
		!strings.Contains(said.String(), "403") {
		t.Errorf("%v; %d requests; %s", err, s.requests, said)
	}
}

func TestABusyCollectorIsAskedAgain(t *testing.T) {
	s := &sink{answer: func(request int) (int, int64) {
		if request == 1 {
			return http.StatusServiceUnavailable, 0
		}
		return http.StatusOK, 0
	}}
	listen(t, s)
	p, tracer, said := start(t)
	emit(tracer, 5)
	if err := p.Shutdown(t.Context()); err != nil || p.Err() != nil || len(s.spans) != 5 || said.more() {
		t.Errorf("%v, %v, %d spans, %s", err, p.Err(), len(s.spans), said)
	}
}

// While a batch is on its way, who tells of more spans than fit waits, and none is lost.
func TestASlowCollectorIsWaitedFor(t *testing.T) {
	gate := make(chan struct{})
	s := &sink{answer: func(request int) (int, int64) {
		<-gate
		return http.StatusOK, 0
	}}
	listen(t, s)
	p, tracer, _ := start(t)
	const n = 5000
	done := make(chan struct{})
	var emitted int
	go func() {
		defer close(done)
		for ; emitted < n; emitted++ {
			emit(tracer, 1)
		}
	}()
	select {
	case <-done:
		t.Fatal("nobody waited")
	case <-time.After(300 * time.Millisecond):
		close(gate)
	}
	<-done
	if err := p.Shutdown(t.Context()); err != nil || p.Err() != nil || len(s.spans) != n {
		t.Errorf("%v, %v, %d spans of %d", err, p.Err(), len(s.spans), emitted)
	}
}

func TestACollectorThatIsGoneIsGivenUpInBoundedTime(t *testing.T) {
	for name, address := range map[string]string{"refuses": refusing(t), "is silent": silent(t)} {
		t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://"+address)
		t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
		p, tracer, said := start(t)
		begin := time.Now()
		const n = 20_000
		emit(tracer, n)
		if err := p.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		took := time.Since(begin)
		err := p.Err()
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint(n, " spans were not taken")) || took > 5*time.Second ||
			strings.Count(said.String(), "cannot push to http://"+address) != 1 {
			t.Errorf("%s: %v after %v; %s", name, err, took, said)
		}
	}
}

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// silent accepts and says nothing.
func silent(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

func TestACollectorThatComesBackIsTold(t *testing.T) {
	address := refusing(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address)
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "100")
	p, tracer, said := start(t)
	emit(tracer, 4)
	p.ForceFlush(t.Context())
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("somebody else has taken the port")
	}
	s := &sink{}
	server := &http.Server{Handler: s}
	go server.Serve(l)
	defer server.Close()
	for end := time.Now().Add(10 * time.Second); len(s.names()) == 0; {
		if time.Now().After(end) {
			t.Fatal("nothing comes any more")
		}
		emit(tracer, 1)
		p.ForceFlush(t.Context())
		time.Sleep(50 * time.Millisecond)
	}
	p.Shutdown(t.Context())
	if err := p.Err(); err == nil || !strings.Contains(said.String(), "works again; spans lost: ") {
		t.Errorf("%v; %s", err, said)
	}
}

func TestGRPCIsSpokenToo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{arrived: make(chan struct{}, 1)}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, s)
	go server.Serve(l)
	defer server.Stop()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	p, tracer, said := start(t)
	emit(tracer, 600)
	if err := p.Shutdown(t.Context()); err != nil || p.Err() != nil || len(s.spans) != 600 || said.more() {
		t.Errorf("%v, %v, %d spans, %s", err, p.Err(), len(s.spans), said)
	}
}

func TestAnUnknownProtocolIsRefusedInASentence(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "carrier-pigeon")
	if _, err := push.New(func(string) {}); err == nil || !strings.Contains(err.Error(), `"carrier-pigeon": there is http/protobuf`) {
		t.Error(err)
	}
}

func TestAShutdownThatMayNotWaitDoesNot(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+silent(t))
	p, tracer, _ := start(t)
	emit(tracer, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.ForceFlush(ctx); err == nil {
		t.Error("flushed")
	}
	if err := p.Shutdown(ctx); err == nil {
		t.Error("shut down")
	}
}
