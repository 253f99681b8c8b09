package accesslog

import (
	"os"
	"strconv"
	"time"

	"envoywalk/internal/network"
	"envoywalk/internal/streaminfo"
)

type info = streaminfo.StreamInfo

// fields are the operators without an argument. Streams here have no TLS that ends in this
// process, so what is known of certificates is known of none.
//
// Envoy: Formatter::StreamInfoFormatter
var fields = map[string]operator{
	"REQUEST_DURATION":     duration(func(s *info) time.Duration { return http(s).LastDownstreamRxByte }),
	"RESPONSE_DURATION":    duration(func(s *info) time.Duration { return http(s).FirstUpstreamRxByte }),
	"RESPONSE_TX_DURATION": duration(responseTxDuration),
	"DURATION":             duration(func(s *info) time.Duration { return s.Duration }),

	"BYTES_RECEIVED": number(func(s *info) uint64 { return s.BytesReceived }),
	"BYTES_SENT":     number(func(s *info) uint64 { return s.BytesSent }),
	"RESPONSE_CODE":  number(func(s *info) uint64 { return uint64(http(s).ResponseCode) }),
	"CONNECTION_ID":  number(func(s *info) uint64 { return s.ConnectionID }),

	"PROTOCOL":              text(func(s *info) string { return http(s).Protocol }),
	"RESPONSE_CODE_DETAILS": text(func(s *info) string { return s.ResponseCodeDetails }),
	"REQUESTED_SERVER_NAME": text(func(s *info) string { return s.RequestedServerName }),
	"ROUTE_NAME":            text(func(s *info) string { return s.RouteName }),
	"UPSTREAM_CLUSTER":      text(upstreamCluster),

	"UPSTREAM_TRANSPORT_FAILURE_REASON": text(func(s *info) string { return s.TransportFailure }),
	"CONNECTION_TERMINATION_DETAILS":    text(func(s *info) string { return s.TerminationDetails }),

	"RESPONSE_FLAGS": {get: func(dst []byte, s *info) ([]byte, bool) {
		return s.Flags.AppendShort(dst), true
	}},
	"LOCAL_REPLY_BODY": {get: func(dst []byte, _ *info) ([]byte, bool) {
		return dst, true // an access log is given none
	}},
	"GRPC_STATUS": {get: grpcStatus},

	"UPSTREAM_HOST":          address(func(s *info) *network.Address { return s.UpstreamHost }),
	"UPSTREAM_LOCAL_ADDRESS": address(func(s *info) *network.Address { return s.UpstreamLocal }),

	"DOWNSTREAM_LOCAL_ADDRESS":                      address(local),
	"DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT":         withoutPort(local),
	"DOWNSTREAM_LOCAL_PORT":                         justPort(local),
	"DOWNSTREAM_REMOTE_ADDRESS":                     address(remote),
	"DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT":        withoutPort(remote),
	"DOWNSTREAM_DIRECT_REMOTE_ADDRESS":              address(directRemote),
	"DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": withoutPort(directRemote),

	"DOWNSTREAM_PEER_URI_SAN":         {get: never},
	"DOWNSTREAM_LOCAL_URI_SAN":        {get: never},
	"DOWNSTREAM_PEER_SUBJECT":         {get: never},
	"DOWNSTREAM_LOCAL_SUBJECT":        {get: never},
	"DOWNSTREAM_TLS_SESSION_ID":       {get: never},
	"DOWNSTREAM_TLS_CIPHER":           {get: never},
	"DOWNSTREAM_TLS_VERSION":          {get: never},
	"DOWNSTREAM_PEER_FINGERPRINT_256": {get: never},
	"DOWNSTREAM_PEER_FINGERPRINT_1":   {get: never},
	"DOWNSTREAM_PEER_SERIAL":          {get: never},
	"DOWNSTREAM_PEER_ISSUER":          {get: never},
	"DOWNSTREAM_PEER_CERT":            {get: never},
}

func local(s *info) *network.Address        { return s.DownstreamLocal }
func remote(s *info) *network.Address       { return s.DownstreamRemote }
func directRemote(s *info) *network.Address { return s.DownstreamDirectRemote }

// tcp is the HTTP of a stream that has none.
var tcp streaminfo.HTTP

func http(s *info) *streaminfo.HTTP {
	if s.HTTP == nil {
		return &tcp
	}
	return s.HTTP
}

func responseTxDuration(s *info) time.Duration {
	h := http(s)
	if h.LastDownstreamTxByte == 0 || h.FirstUpstreamRxByte == 0 {
		return 0
	}
	return max(h.LastDownstreamTxByte-h.FirstUpstreamRxByte, 1)
}

// upstreamCluster is known once a host was chosen from it.
func upstreamCluster(s *info) string {
	if s.UpstreamHost == nil {
		return ""
	}
	return s.UpstreamCluster
}

// duration is written in whole milliseconds; one of 0 was not measured.
func duration(of func(*info) time.Duration) operator {
	return operator{number: true, get: func(dst []byte, s *info) ([]byte, bool) {
		d := of(s)
		return strconv.AppendInt(dst, d.Milliseconds(), 10), d != 0
	}}
}

func number(of func(*info) uint64) operator {
	return operator{number: true, get: func(dst []byte, s *info) ([]byte, bool) {
		return strconv.AppendUint(dst, of(s), 10), true
	}}
}

func text(of func(*info) string) operator {
	return operator{get: func(dst []byte, s *info) ([]byte, bool) {
		t := of(s)
		return append(dst, t...), t != ""
	}}
}

func address(of func(*info) *network.Address) operator {
	return operator{get: func(dst []byte, s *info) ([]byte, bool) {
		a := of(s)
		return a.AppendTo(dst), a != nil
	}}
}

// Envoy: StreamInfo::Utility::formatDownstreamAddressNoPort
func withoutPort(of func(*info) *network.Address) operator {
	return operator{get: func(dst []byte, s *info) ([]byte, bool) {
		switch a := of(s); {
		case a == nil:
			return dst, false
		case a.IsIP():
			return a.AddrPort().Addr().AppendTo(dst), true
		default:
			return append(dst, a.String()...), true
		}
	}}
}

// Envoy: StreamInfo::Utility::formatDownstreamAddressJustPort
func justPort(of func(*info) *network.Address) operator {
	return operator{get: func(dst []byte, s *info) ([]byte, bool) {
		switch a := of(s); {
		case a == nil:
			return dst, false
		case a.IsIP():
			return strconv.AppendUint(dst, uint64(a.Port()), 10), true
		default:
			return dst, true // a pipe's port is an empty text
		}
	}}
}

// hostnameOperator asks for the machine's name once.
//
// Envoy: SubstitutionFormatUtils::getHostname
func hostnameOperator() *operator {
	name, err := os.Hostname()
	return &operator{get: func(dst []byte, _ *info) ([]byte, bool) {
		return append(dst, name...), err == nil
	}}
}
