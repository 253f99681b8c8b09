package accesslog

import (
	"time"

	"envoywalk/internal/streaminfo"
)

// timeOperators are the operators that take a format of strftime. Those of certificates have
// nothing to show.
var timeOperators = map[string]func(*streaminfo.StreamInfo) time.Time{
	"START_TIME":                   func(s *streaminfo.StreamInfo) time.Time { return s.Start },
	"DOWNSTREAM_PEER_CERT_V_START": func(*streaminfo.StreamInfo) time.Time { return time.Time{} },
	"DOWNSTREAM_PEER_CERT_V_END":   func(*streaminfo.StreamInfo) time.Time { return time.Time{} },
}

// defaultTime is Envoy's %Y-%m-%dT%H:%M:%E3SZ.
//
// Envoy: AccessLogDateTimeFormatter::fromTime
const defaultTime = "2006-01-02T15:04:05.000Z"

// timeOperator writes a time, always in UTC.
//
// Envoy: Formatter::SystemTimeFormatter
func timeOperator(name, format string) (*operator, error) {
	of := timeOperators[name]
	pieces := parseTime(format)
	for _, p := range pieces {
		if p.verb == 'n' {
			return nil, errNewline
		}
	}
	return &operator{get: func(dst []byte, s *streaminfo.StreamInfo) ([]byte, bool) {
		t := of(s)
		switch {
		case t.IsZero():
			return dst, false
		case format == "":
			return t.UTC().AppendFormat(dst, defaultTime), true
		}
		return appendTime(dst, pieces, t.UTC()), true
	}}, nil
}
