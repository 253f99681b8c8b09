package startup

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// defaultAccessLogFormat is Envoy's: when, what, how it ended, bytes, how long, who asked.
//
// Envoy: Formatter::SubstitutionFormatUtils::DEFAULT_FORMAT
const defaultAccessLogFormat = `[%START_TIME%] ` +
	`"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" ` +
	`%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ` +
	`%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ` +
	`"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"` + "\n"

// answeredRequest is an admin request and what became of it: what an access log line is made of.
type answeredRequest struct {
	http.ResponseWriter
	request        *http.Request
	code           int
	received, sent int64
	began          time.Time
	took           time.Duration
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

// accessLogFormat is a format string taken apart: each piece gives its part of the line.
//
// Envoy: Formatter::FormatterImpl
type accessLogFormat []func(*answeredRequest) string

// parseAccessLogFormat takes a format string apart. It fails at the first operator that is not
// rebuilt.
//
// Envoy: Formatter::SubstitutionFormatParser::parse
func parseAccessLogFormat(format string) (f accessLogFormat, err error) {
	for rest := format; rest != ""; {
		text, after, found := strings.Cut(rest, "%")
		f = append(f, func(*answeredRequest) string { return text })
		if !found {
			break
		}
		operator, next, closed := strings.Cut(after, "%")
		switch {
		case !closed:
			return nil, fmt.Errorf("Incorrect configuration: %s. Couldn't find valid command at position %d",
				format, len(format)-len(after)-1)
		case operator == "":
			f = append(f, func(*answeredRequest) string { return "%" })
		default:
			piece, err := accessLogOperator(operator)
			if err != nil {
				return nil, err
			}
			f = append(f, orDash(piece))
		}
		rest = next
	}
	return f, nil
}

func orDash(piece func(*answeredRequest) string) func(*answeredRequest) string {
	return func(r *answeredRequest) string {
		if s := piece(r); s != "" {
			return s
		}
		return "-"
	}
}

func accessLogOperator(operator string) (func(*answeredRequest) string, error) {
	name, parameter, _ := strings.Cut(operator, "(")
	parameter, length, _ := strings.Cut(parameter, ")")
	if piece := plainOperators[operator]; piece != nil {
		return piece, nil
	}
	if name != "REQ" && name != "RESP" || parameter == "" {
		return nil, fmt.Errorf("Not supported field in StreamInfo: %s", operator)
	}
	most, limited := strings.CutPrefix(length, ":")
	longest, err := strconv.Atoi(most)
	if limited && err != nil || !limited && length != "" {
		return nil, fmt.Errorf("Length must be an integer, given: %s", most)
	}
	first, second, _ := strings.Cut(parameter, "?")
	return func(r *answeredRequest) string {
		value := r.header(name, first)
		if value == "" && second != "" {
			value = r.header(name, second)
		}
		if limited {
			value = value[:min(len(value), longest)]
		}
		return value
	}, nil
}

// plainOperators are those without a parameter. Nobody proxies an admin request, so no host is
// upstream.
var plainOperators = map[string]func(*answeredRequest) string{
	"START_TIME":     func(r *answeredRequest) string { return r.began.UTC().Format(startTime) },
	"PROTOCOL":       func(r *answeredRequest) string { return r.request.Proto },
	"RESPONSE_CODE":  func(r *answeredRequest) string { return strconv.Itoa(r.code) },
	"RESPONSE_FLAGS": func(*answeredRequest) string { return "" },
	"BYTES_RECEIVED": func(r *answeredRequest) string { return decimal(r.received) },
	"BYTES_SENT":     func(r *answeredRequest) string { return decimal(r.sent) },
	"DURATION":       func(r *answeredRequest) string { return decimal(r.took.Milliseconds()) },
	"UPSTREAM_HOST":  func(*answeredRequest) string { return "" },
	"HOSTNAME":       func(*answeredRequest) string { name, _ := os.Hostname(); return name },

	"DOWNSTREAM_REMOTE_ADDRESS": func(r *answeredRequest) string { return r.request.RemoteAddr },
	"DOWNSTREAM_LOCAL_ADDRESS": func(r *answeredRequest) string {
		if local, ok := r.request.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			return local.String()
		}
		return ""
	},
}

const startTime = "2006-01-02T15:04:05.000Z"

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// header is a header's value; :method, :path, :authority and :scheme are what HTTP/2 calls the
// parts of the request line. What a client sent is shown as it is, but for line breaks, which
// net/http refuses.
func (r *answeredRequest) header(of, name string) string {
	if of == "RESP" {
		return r.Header().Get(name)
	}
	switch strings.ToLower(name) {
	case ":method":
		return r.request.Method
	case ":path":
		return r.request.RequestURI
	case ":authority":
		return r.request.Host
	case ":scheme":
		return "http"
	}
	return r.request.Header.Get(name)
}
