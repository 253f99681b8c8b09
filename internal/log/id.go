package log

// ID names one of Envoy's log components; each has a level of its own.
//
// Envoy: ALL_LOGGER_IDS of source/common/common/logger.h
type ID uint8

// The components.
const (
	Admin ID = iota
	Aws
	Assert
	Backtrace
	CacheFilter
	Client
	Config
	Connection
	ConnHandler
	Decompression
	Dubbo
	EnvoyBug
	ExtAuthz
	Rocketmq
	File
	Filter
	ForwardProxy
	Grpc
	Hc
	HealthChecker
	Http
	Http2
	Hystrix
	Init
	Io
	Jwt
	Kafka
	Lua
	Main
	Matcher
	Misc
	Mongo
	Quic
	QuicStream
	Pool
	Rbac
	Redis
	Router
	Runtime
	Stats
	Secret
	Tap
	Testing
	Thrift
	Tracing
	Upstream
	Udp
	Wasm

	components // how many there are
)

var names = [components]string{
	Admin:         "admin",
	Aws:           "aws",
	Assert:        "assert",
	Backtrace:     "backtrace",
	CacheFilter:   "cache_filter",
	Client:        "client",
	Config:        "config",
	Connection:    "connection",
	ConnHandler:   "conn_handler",
	Decompression: "decompression",
	Dubbo:         "dubbo",
	EnvoyBug:      "envoy_bug",
	ExtAuthz:      "ext_authz",
	Rocketmq:      "rocketmq",
	File:          "file",
	Filter:        "filter",
	ForwardProxy:  "forward_proxy",
	Grpc:          "grpc",
	Hc:            "hc",
	HealthChecker: "health_checker",
	Http:          "http",
	Http2:         "http2",
	Hystrix:       "hystrix",
	Init:          "init",
	Io:            "io",
	Jwt:           "jwt",
	Kafka:         "kafka",
	Lua:           "lua",
	Main:          "main",
	Matcher:       "matcher",
	Misc:          "misc",
	Mongo:         "mongo",
	Quic:          "quic",
	QuicStream:    "quic_stream",
	Pool:          "pool",
	Rbac:          "rbac",
	Redis:         "redis",
	Router:        "router",
	Runtime:       "runtime",
	Stats:         "stats",
	Secret:        "secret",
	Tap:           "tap",
	Testing:       "testing",
	Thrift:        "thrift",
	Tracing:       "tracing",
	Upstream:      "upstream",
	Udp:           "udp",
	Wasm:          "wasm",
}

// String is the component's name, as in the log and on the command line.
func (id ID) String() string {
	if id >= components {
		return "unknown"
	}
	return names[id]
}
