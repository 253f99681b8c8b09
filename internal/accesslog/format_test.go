package accesslog

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"envoywalk/internal/network"
	"envoywalk/internal/streaminfo"
)

func ip(t testing.TB, host string, port uint16) *network.Address {
	t.Helper()
	a, err := network.ParseInternetAddress(host, port, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func pipe(t testing.TB, path string) *network.Address {
	t.Helper()
	a, err := network.NewPipe(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// start is a Saturday, the 4th of a month, in the morning.
var start = time.Date(2026, 4, 4, 9, 5, 7, 8_009_010, time.UTC)

// proxied is a connection that was proxied, with everything that a connection can have.
func proxied(t testing.TB) *streaminfo.StreamInfo {
	s := &streaminfo.StreamInfo{Start: start, BytesReceived: 123, BytesSent: 4567, ConnectionID: 89,
		DownstreamRemote: ip(t, "10.0.0.7", 5000), DownstreamDirectRemote: ip(t, "::1", 6000),
		DownstreamLocal: ip(t, "127.0.0.1", 10000), UpstreamHost: ip(t, "127.0.0.2", 80),
		UpstreamLocal: ip(t, "127.0.0.3", 7000), UpstreamCluster: "service",
		RequestedServerName: "example.com", RouteName: "r", TransportFailure: "TLS error",
		TerminationDetails: "rbac", ResponseCodeDetails: "details"}
	s.Set(streaminfo.UpstreamConnectionFailure | streaminfo.UpstreamRetryLimitExceeded)
	s.SetFilterState("envoy.tcp_proxy.cluster", `se"rvice`)
	s.Complete(start.Add(1234*time.Millisecond + 567*time.Microsecond))
	return s
}

// some is a header map.
type some map[string]string

func (h some) Get(name string) (string, bool) { v, found := h[name]; return v, found }

// requested is a request that was answered.
func requested(t testing.TB) *streaminfo.StreamInfo {
	s := proxied(t)
	s.HTTP = &streaminfo.HTTP{Protocol: "HTTP/1.1", ResponseCode: 503,
		Request: some{":method": "GET", ":path": "/x", ":authority": "h", "a": "first", "empty": "",
			"x-envoy-original-path": "/original", "user-agent": "curl"},
		Response: some{"content-type": "text/plain", "x-envoy-upstream-service-time": "7"},
		Trailers: some{"t": "tail", "grpc-status": "5"}, LastDownstreamRxByte: 2 * time.Millisecond,
		FirstUpstreamRxByte: 5 * time.Millisecond, LastDownstreamTxByte: 9 * time.Millisecond}
	return s
}

func textLine(t testing.TB, format string, s *streaminfo.StreamInfo) string {
	t.Helper()
	f, err := parseText(format, false)
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return string(f.appendLine(nil, s))
}

// TestTheDefaultFormatIsEnvoys compares with the example in Envoy's documentation, whose text form
// of the default is in configuration/observability/access_log/usage.rst.
func TestTheDefaultFormatIsEnvoys(t *testing.T) {
	const documented = `[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"
%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION%
%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%"
"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n`
	want := strings.ReplaceAll(strings.ReplaceAll(documented, "\n", " "), `\n`, "\n")
	if DefaultFormat != want {
		t.Errorf("got  %q\nwant %q", DefaultFormat, want)
	}
	if got, want := textLine(t, DefaultFormat, proxied(t)), `[2026-04-04T09:05:07.008Z] "- - -" 0 `+
		`UF,URX 123 4567 1234 - "-" "-" "-" "-" "127.0.0.2:80"`+"\n"; got != want {
		t.Errorf("TCP: %s, want %s", got, want)
	}
	if got, want := textLine(t, DefaultFormat, requested(t)), `[2026-04-04T09:05:07.008Z] `+
		`"GET /original HTTP/1.1" 503 UF,URX 123 4567 1234 7 "-" "curl" "-" "h" "127.0.0.2:80"`+
		"\n"; got != want {
		t.Errorf("HTTP: %s, want %s", got, want)
	}
}

// operators are all of Envoy 1.17's, with what they give for a proxied connection, for a stream of
// which nothing is known, and for a request.
var operators = []struct{ name, tcp, nothing, http string }{
	{"START_TIME", "2026-04-04T09:05:07.008Z", "-", "2026-04-04T09:05:07.008Z"},
	{"START_TIME(%Y/%m/%d)", "2026/04/04", "-", "2026/04/04"},
	{"REQUEST_DURATION", "-", "-", "2"},
	{"RESPONSE_DURATION", "-", "-", "5"},
	{"RESPONSE_TX_DURATION", "-", "-", "4"},
	{"DURATION", "1234", "-", "1234"},
	{"BYTES_RECEIVED", "123", "0", "123"},
	{"BYTES_SENT", "4567", "0", "4567"},
	{"PROTOCOL", "-", "-", "HTTP/1.1"},
	{"RESPONSE_CODE", "0", "0", "503"},
	{"RESPONSE_CODE_DETAILS", "details", "-", "details"},
	{"CONNECTION_TERMINATION_DETAILS", "rbac", "-", "rbac"},
	{"RESPONSE_FLAGS", "UF,URX", "-", "UF,URX"},
	{"ROUTE_NAME", "r", "-", "r"},
	{"UPSTREAM_HOST", "127.0.0.2:80", "-", "127.0.0.2:80"},
	{"UPSTREAM_CLUSTER", "service", "-", "service"},
	{"UPSTREAM_LOCAL_ADDRESS", "127.0.0.3:7000", "-", "127.0.0.3:7000"},
	{"UPSTREAM_TRANSPORT_FAILURE_REASON", "TLS error", "-", "TLS error"},
	{"DOWNSTREAM_LOCAL_ADDRESS", "127.0.0.1:10000", "-", "127.0.0.1:10000"},
	{"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", "127.0.0.1", "-", "127.0.0.1"},
	{"DOWNSTREAM_LOCAL_PORT", "10000", "-", "10000"},
	{"DOWNSTREAM_REMOTE_ADDRESS", "10.0.0.7:5000", "-", "10.0.0.7:5000"},
	{"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "10.0.0.7", "-", "10.0.0.7"},
	{"DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "[::1]:6000", "-", "[::1]:6000"},
	{"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", "::1", "-", "::1"},
	{"CONNECTION_ID", "89", "0", "89"},
	{"REQUESTED_SERVER_NAME", "example.com", "-", "example.com"},
	{"REQ(A)", "-", "-", "first"},
	{"REQ(NONE?A):3", "-", "-", "fir"},
	{"REQ(EMPTY?A)", "-", "-", ""},
	{"REQ()", "-", "-", "-"},
	{"RESP(Content-Type):99999999999999999999"[:25], "-", "-", "text/plain"},
	{"TRAILER(T)", "-", "-", "tail"},
	{"TRAILER(T):0", "-", "-", ""},
	{"GRPC_STATUS", "-", "-", "NotFound"},
	{"LOCAL_REPLY_BODY", "", "", ""},
	{"DYNAMIC_METADATA(ns:key):3", "-", "-", "-"},
	{"FILTER_STATE(envoy.tcp_proxy.cluster:PLAIN)", `se"rvice`, "-", `se"rvice`},
	{"FILTER_STATE(envoy.tcp_proxy.cluster:PLAIN):4", `se"r`, "-", `se"r`},
	{"FILTER_STATE(envoy.tcp_proxy.cluster:TYPED)", `"se\"rvice"`, "-", `"se\"rvice"`},
	{"FILTER_STATE(envoy.tcp_proxy.cluster)", `"se\"rvice"`, "-", `"se\"rvice"`},
	{"FILTER_STATE(other)", "-", "-", "-"},
	{"DOWNSTREAM_PEER_URI_SAN", "-", "-", "-"},
	{"DOWNSTREAM_LOCAL_URI_SAN", "-", "-", "-"},
	{"DOWNSTREAM_PEER_SUBJECT", "-", "-", "-"},
	{"DOWNSTREAM_LOCAL_SUBJECT", "-", "-", "-"},
	{"DOWNSTREAM_TLS_SESSION_ID", "-", "-", "-"},
	{"DOWNSTREAM_TLS_CIPHER", "-", "-", "-"},
	{"DOWNSTREAM_TLS_VERSION", "-", "-", "-"},
	{"DOWNSTREAM_PEER_FINGERPRINT_256", "-", "-", "-"},
	{"DOWNSTREAM_PEER_FINGERPRINT_1", "-", "-", "-"},
	{"DOWNSTREAM_PEER_SERIAL", "-", "-", "-"},
	{"DOWNSTREAM_PEER_ISSUER", "-", "-", "-"},
	{"DOWNSTREAM_PEER_CERT", "-", "-", "-"},
	{"DOWNSTREAM_PEER_CERT_V_START", "-", "-", "-"},
	{"DOWNSTREAM_PEER_CERT_V_END(%s)", "-", "-", "-"},
}

func TestEveryOperatorOfEnvoy(t *testing.T) {
	seen := map[string]bool{"HOSTNAME": true}
	for _, op := range operators {
		name, _, _ := strings.Cut(op.name, "(")
		seen[name] = true
		for _, c := range []struct {
			what, want string
			s          *streaminfo.StreamInfo
		}{{"TCP", op.tcp, proxied(t)}, {"nothing", op.nothing, &streaminfo.StreamInfo{}},
			{"HTTP", op.http, requested(t)}} {
			if got := textLine(t, "%"+op.name+"%", c.s); got != c.want {
				t.Errorf("%s of %s is %q, want %q", op.name, c.what, got, c.want)
			}
		}
	}
	for name := range fields {
		if !seen[name] {
			t.Errorf("%s is not tried here", name)
		}
	}
	host, _ := os.Hostname()
	if got := textLine(t, "%HOSTNAME%%%", &streaminfo.StreamInfo{}); got != host+"%" {
		t.Errorf("HOSTNAME is %q", got)
	}
}

func TestAPipeHasNoPort(t *testing.T) {
	s := &streaminfo.StreamInfo{DownstreamLocal: pipe(t, "@name")}
	const all = "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_PORT%."
	if got := textLine(t, all, s); got != "@name @name ." {
		t.Errorf("got %q", got)
	}
}

func TestAClusterIsKnownOnceAHostIs(t *testing.T) {
	s := &streaminfo.StreamInfo{UpstreamCluster: "c"}
	if got := textLine(t, "%UPSTREAM_CLUSTER%", s); got != "-" {
		t.Errorf("without a host: %q", got)
	}
}

func TestGrpcStatusComesFromTrailersHeadersOrCode(t *testing.T) {
	for _, c := range []struct {
		trailers, response streaminfo.Headers
		code               int
		want               string
	}{
		{some{"grpc-status": "0"}, some{"grpc-status": "1"}, 200, "OK"},
		{some{}, some{"grpc-status": "16"}, 200, "Unauthenticated"},
		{some{"grpc-status": "17"}, nil, 0, "17"}, {some{"grpc-status": "x"}, nil, 0, "-1"},
		{nil, nil, 400, "Internal"}, {nil, nil, 401, "Unauthenticated"},
		{nil, nil, 403, "PermissionDenied"}, {nil, nil, 404, "Unimplemented"},
		{nil, nil, 429, "Unavailable"}, {nil, nil, 200, "Unknown"}, {nil, nil, 0, "-"},
	} {
		s := &streaminfo.StreamInfo{HTTP: &streaminfo.HTTP{ResponseCode: c.code,
			Trailers: c.trailers, Response: c.response}}
		if got := textLine(t, "%GRPC_STATUS%", s); got != c.want {
			t.Errorf("%+v gives %s", c, got)
		}
	}
}

func TestABrokenFormatIsRefusedInEnvoysWords(t *testing.T) {
	for format, want := range map[string]string{
		"%":             "Incorrect configuration: %. Couldn't find valid command at position 0",
		"a %b% c":       "Incorrect configuration: a %b% c. Couldn't find valid command at position 2",
		"%% %REQ(A":     "Incorrect configuration: %% %REQ(A. Couldn't find valid command at position 3",
		"%REQ(A):%":     "Incorrect configuration: %REQ(A):%. Couldn't find valid command at position 0",
		"%REQ(A)X%":     "Incorrect configuration: %REQ(A)X%. Couldn't find valid command at position 0",
		"%NOTHING%":     "Not supported field in StreamInfo: NOTHING",
		"%REQ%":         "Not supported field in StreamInfo: REQ",
		"%DURATION:3%":  "Not supported field in StreamInfo: DURATION:3",
		"%START_TIMES%": "Not supported field in StreamInfo: START_TIMES",

		"%START_TIME(%Y):3%":                         "Not supported field in StreamInfo: START_TIME(%Y):3",
		"%START_TIME(%-5En)%":                        errNewline.Error(),
		"%REQ(A\nB)%":                                errNewline.Error(),
		"%RESP(A?B?C)%":                              "More than 1 alternative header specified in token: RESP(A?B?C)",
		"%REQ(A):99999999999999999999%":              "Length must be an integer, given: 99999999999999999999",
		"%DYNAMIC_METADATA(a):99999999999999999999%": "Length must be an integer, given: 99999999999999999999",
		"%FILTER_STATE(a):99999999999999999999%":     "Length must be an integer, given: 99999999999999999999",
		"%FILTER_STATE()%":                           "Invalid filter state configuration, key cannot be empty.",
		"%FILTER_STATE(k:JSON)%":                     "Invalid filter state serialize type, only support PLAIN/TYPED.",
	} {
		if _, err := parseText(format, false); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", format, err, want)
		}
	}
}

// TestTimesAreWrittenAsStrftimeDoes: the wanted texts were written by glibc's strftime, but for
// those conversions that only absl and Envoy have.
func TestTimesAreWrittenAsStrftimeDoes(t *testing.T) {
	for format, want := range map[string]string{
		"%a %A %b %B %h":      "Sat Saturday Apr April Apr",
		"%c|%x|%X|%D|%F|%T|":  "Sat Apr  4 09:05:07 2026|04/04/26|09:05:07|04/04/26|2026-04-04|09:05:07|",
		"%C %d %e %g %G":      "20 04  4 26 2026",
		"%H %I %j %k %l":      "09 09 094  9  9",
		"%m %M %p %P %r %R":   "04 05 AM am 09:05:07 AM 09:05",
		"%s %S %u %U %V":      "1775293507 07 6 13 14",
		"%w %W %y %Y %z %Z":   "6 13 26 2026 +0000 UTC",
		"%-d %_d %05d %-H":    "4  4 00004 9",
		"%_H %010Y %_5m %-j":  " 9 0000002026     4 94",
		"%^a %#a %#p %#Z":     "SAT SAT am utc",
		"%10a|%010a|%Ey|%Od":  "       Sat|0000000Sat|26|04",
		"%f|%3f|%6f|%9f|%1f":  "008009010|008|008009|008009010|0",
		"%E3S %E*S %E2f %E*f": "07.008 07.00800901 00 00800901",
		"%E4Y %Ez %E*z %ET":   "2026 +00:00 +00:00:00 T",
		"%E12S":               "07.008009010000",
		"%% %Q %":             "% %Q %",
		"%E3d %12f %5":        "%E3d %12f %5",
		"%1000d":              "%1000d",
		"plain":               "plain",
	} {
		if got := textLine(t, "%START_TIME("+format+")%", proxied(t)); got != want {
			t.Errorf("%s gives %q, want %q", format, got, want)
		}
	}
	whole := &streaminfo.StreamInfo{Start: start.Truncate(time.Second)}
	if got := textLine(t, "%START_TIME(%E*S %E*f %3f)%", whole); got != "07 0 000" {
		t.Errorf("a whole second is %q", got)
	}
	if got := textLine(t, "%START_TIME(%t)%", whole); got != `\t` {
		t.Errorf("a tab is %q", got)
	}
}

func TestTimesAreUTC(t *testing.T) {
	s := &streaminfo.StreamInfo{Start: start.In(time.FixedZone("far", 3600*9))}
	if got := textLine(t, "%START_TIME% %START_TIME(%H)%", s); got != "2026-04-04T09:05:07.008Z 09" {
		t.Errorf("got %s", got)
	}
}

func TestHostileBytesStayInTheirLine(t *testing.T) {
	s := &streaminfo.StreamInfo{RequestedServerName: "a\nb\x1b[31m\xff\u202e\"",
		DownstreamRemote: pipe(t, "@x\ny")}
	got := textLine(t, "%REQUESTED_SERVER_NAME% %DOWNSTREAM_REMOTE_ADDRESS% é\n", s)
	if want := `a\nb\x1b[31m\xff\xe2\x80\xae" @x\ny é` + "\n"; got != want {
		t.Errorf("text: %q, want %q", got, want)
	}
	got = jsonLine(t, `{"n": "%REQUESTED_SERVER_NAME%", "m": "<%REQUESTED_SERVER_NAME%>"}`, jsonStyle{}, s)
	if want := `{"m":"\u003ca\nb\u001b[31m�\u202e\"\u003e","n":"a\nb\u001b[31m�\u202e\""}` + "\n"; got != want {
		t.Errorf("JSON: %s, want %s", got, want)
	}
}

func jsonLine(t testing.TB, format string, style jsonStyle, s *streaminfo.StreamInfo) string {
	t.Helper()
	c := &structpb.Struct{}
	if err := protojson.Unmarshal([]byte(format), c); err != nil {
		t.Fatal(err)
	}
	f, err := parseJSON(c, style)
	if err != nil {
		t.Fatal(err)
	}
	line := string(f.appendLine(nil, s))
	if !json.Valid([]byte(line)) || strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
		t.Fatalf("not a line of JSON: %q", line)
	}
	return line
}

func TestJSONKeepsTypesAndNesting(t *testing.T) {
	const format = `{"b": {"sent": "%BYTES_SENT%", "both": "%BYTES_SENT%/%PROTOCOL%"}, "code": "%RESPONSE_CODE%",
		"took": "%DURATION%", "protocol": "%PROTOCOL%", "only": {"server": "%REQUESTED_SERVER_NAME%"},
		"text": "x", "nothing": "", "state": "%FILTER_STATE(k)%", "percent%": "%%"}`
	s := &streaminfo.StreamInfo{BytesSent: 1 << 60, FilterState: map[string]string{"k": "v"}}
	for _, c := range []struct {
		style jsonStyle
		want  string
	}{
		{jsonStyle{}, `{"b":{"both":"1152921504606846976/-","sent":"1152921504606846976"},"code":"0",` +
			`"nothing":"","only":{"server":"-"},"percent%":"%","protocol":"-","state":"\"v\"","text":"x","took":"-"}`},
		{jsonStyle{typed: true}, `{"b":{"both":"1152921504606846976/-","sent":1152921504606846976},"code":0,` +
			`"nothing":"","only":{"server":null},"percent%":"%","protocol":null,"state":"v","text":"x","took":null}`},
		{jsonStyle{typed: true, omitEmpty: true}, `{"b":{"both":"1152921504606846976/","sent":1152921504606846976},` +
			`"code":0,"nothing":"","only":{},"percent%":"%","state":"v","text":"x"}`},
	} {
		if got := jsonLine(t, format, c.style, s); got != c.want+"\n" {
			t.Errorf("%+v\n got %s want %s", c.style, got, c.want)
		}
	}
	if got := jsonLine(t, `{}`, jsonStyle{}, s); got != "{}\n" {
		t.Errorf("no member: %q", got)
	}
}

func TestJSONOfAnythingButTextIsRefused(t *testing.T) {
	const sentence = "Only string values or nested structs are supported in structured access log format."
	for format, want := range map[string]string{
		`{"a": 1}`: sentence, `{"a": ["%DURATION%"]}`: sentence, `{"a": {"b": null}}`: sentence,
		`{"a": {"b": "%X%"}}`: "Not supported field in StreamInfo: X"} {
		c := &structpb.Struct{}
		if err := protojson.Unmarshal([]byte(format), c); err != nil {
			t.Fatal(err)
		}
		if _, err := parseJSON(c, jsonStyle{}); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", format, err, want)
		}
	}
}

func TestALineCostsNoAllocation(t *testing.T) {
	text, _ := parseText(DefaultFormat+"%FILTER_STATE(envoy.tcp_proxy.cluster)% %START_TIME(%Y %3f)%", false)
	object, _ := parseJSON(&structpb.Struct{Fields: map[string]*structpb.Value{
		"a": structpb.NewStringValue("%BYTES_SENT%"), "b": structpb.NewStringValue("%UPSTREAM_HOST%")}},
		jsonStyle{typed: true})
	s, buffer := proxied(t), make([]byte, 0, 1024)
	delete(s.FilterState, "envoy.tcp_proxy.cluster") // its quote would have to be escaped
	s.SetFilterState("envoy.tcp_proxy.cluster", "service")
	for _, f := range []formatter{text, object} {
		if n := testing.AllocsPerRun(100, func() { buffer = f.appendLine(buffer[:0], s) }); n != 0 {
			t.Errorf("%T: %v allocations", f, n)
		}
	}
}

func FuzzFormat(f *testing.F) {
	f.Add(DefaultFormat, "example.com")
	f.Add("%START_TIME(%E3S%-5d%^a%9f)%", "\x1b\n")
	f.Add("%REQ(A?B):3%%FILTER_STATE(k:PLAIN):2%%%", "\xff\u2028")
	for _, op := range operators {
		f.Add("%"+op.name+"%", "x")
	}
	f.Fuzz(func(t *testing.T, format, hostile string) {
		pieces, err := parse(format)
		if err != nil {
			return
		}
		s := requested(t)
		s.RequestedServerName = hostile
		s.SetFilterState("k", hostile)
		s.HTTP.Request = some{"a": hostile, "b": hostile}
		text := &textFormat{pieces: pieces, empty: "-"}
		got := string(text.appendLine(nil, s))
		if most := strings.Count(format, "\n"); strings.Count(got, "\n") > most {
			t.Errorf("%q with %q is more than its lines: %q", format, hostile, got)
		}
		c := &structpb.Struct{Fields: map[string]*structpb.Value{format: structpb.NewStringValue(format)}}
		for _, style := range []jsonStyle{{}, {typed: true}, {typed: true, omitEmpty: true}} {
			j, err := parseJSON(c, style)
			if err != nil {
				t.Fatal(err)
			}
			if line := j.appendLine(nil, s); !json.Valid(line) || !utf8.Valid(line) {
				t.Errorf("%q with %q is no JSON: %s", format, hostile, line)
			}
		}
	})
}
