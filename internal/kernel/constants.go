//go:build linux && (amd64 || arm64)

package kernel

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// The errnos that callers sort into fates. Nobody else imports the kernel's numbers.
const (
	EAGAIN        = unix.EAGAIN
	EINTR         = unix.EINTR
	EINVAL        = unix.EINVAL
	EBADF         = unix.EBADF
	EEXIST        = unix.EEXIST
	ENOTSOCK      = unix.ENOTSOCK
	EFAULT        = unix.EFAULT
	O_NONBLOCK    = unix.O_NONBLOCK
	EMFILE        = unix.EMFILE
	ENFILE        = unix.ENFILE
	ENOBUFS       = unix.ENOBUFS
	ENOMEM        = unix.ENOMEM
	ENOENT        = unix.ENOENT
	EPERM         = unix.EPERM
	EPROTO        = unix.EPROTO
	EACCES        = unix.EACCES
	EADDRINUSE    = unix.EADDRINUSE
	EADDRNOTAVAIL = unix.EADDRNOTAVAIL
	EAFNOSUPPORT  = unix.EAFNOSUPPORT
	ECONNABORTED  = unix.ECONNABORTED
	ECONNREFUSED  = unix.ECONNREFUSED
	EINPROGRESS   = unix.EINPROGRESS
	EPROTOTYPE    = unix.EPROTOTYPE
	ENETDOWN      = unix.ENETDOWN
	ENETUNREACH   = unix.ENETUNREACH
	EHOSTDOWN     = unix.EHOSTDOWN
	EHOSTUNREACH  = unix.EHOSTUNREACH
	ENOPROTOOPT   = unix.ENOPROTOOPT
	ENONET        = unix.ENONET
	EOPNOTSUPP    = unix.EOPNOTSUPP
	ECONNRESET    = unix.ECONNRESET
	EPIPE         = unix.EPIPE
	ENOTCONN      = unix.ENOTCONN
	EISCONN       = unix.EISCONN
	ETIMEDOUT     = unix.ETIMEDOUT
)

// Address families and shutdown directions.
const (
	AF_INET   = unix.AF_INET
	AF_INET6  = unix.AF_INET6
	AF_UNIX   = unix.AF_UNIX
	SHUT_RD   = unix.SHUT_RD
	SHUT_WR   = unix.SHUT_WR
	SHUT_RDWR = unix.SHUT_RDWR
)

// epoll's operations and readiness bits.
const (
	EPOLL_CTL_ADD  = unix.EPOLL_CTL_ADD
	EPOLL_CTL_DEL  = unix.EPOLL_CTL_DEL
	EPOLL_CTL_MOD  = unix.EPOLL_CTL_MOD
	EPOLLIN        = unix.EPOLLIN
	EPOLLOUT       = unix.EPOLLOUT
	EPOLLRDHUP     = unix.EPOLLRDHUP
	EPOLLERR       = unix.EPOLLERR
	EPOLLHUP       = unix.EPOLLHUP
	EPOLLEXCLUSIVE = unix.EPOLLEXCLUSIVE
	EPOLLET        = unix.EPOLLET
)

// Socket option levels and names.
const (
	SOL_SOCKET       = unix.SOL_SOCKET
	IPPROTO_IP       = unix.IPPROTO_IP
	IPPROTO_IPV6     = unix.IPPROTO_IPV6
	IPPROTO_TCP      = unix.IPPROTO_TCP
	SO_REUSEADDR     = unix.SO_REUSEADDR
	SO_REUSEPORT     = unix.SO_REUSEPORT
	SO_ERROR         = unix.SO_ERROR
	IP_TRANSPARENT   = unix.IP_TRANSPARENT
	IPV6_TRANSPARENT = unix.IPV6_TRANSPARENT
	IP_FREEBIND      = unix.IP_FREEBIND
	IPV6_FREEBIND    = unix.IPV6_FREEBIND
	IPV6_V6ONLY      = unix.IPV6_V6ONLY
	TCP_FASTOPEN     = unix.TCP_FASTOPEN

	SO_KEEPALIVE            = unix.SO_KEEPALIVE
	SO_LINGER               = unix.SO_LINGER
	TCP_NODELAY             = unix.TCP_NODELAY
	TCP_KEEPIDLE            = unix.TCP_KEEPIDLE
	TCP_KEEPINTVL           = unix.TCP_KEEPINTVL
	TCP_KEEPCNT             = unix.TCP_KEEPCNT
	TCP_USER_TIMEOUT        = unix.TCP_USER_TIMEOUT
	IP_BIND_ADDRESS_NO_PORT = unix.IP_BIND_ADDRESS_NO_PORT
	SO_ORIGINAL_DST         = unix.SO_ORIGINAL_DST
	IP6T_SO_ORIGINAL_DST    = 80 // netfilter's name and number; package unix lacks it
)

var levelNames = map[int]string{SOL_SOCKET: "SOL_SOCKET", IPPROTO_IP: "SOL_IP",
	IPPROTO_IPV6: "SOL_IPV6", IPPROTO_TCP: "SOL_TCP"}

var options = map[[2]int]string{
	{SOL_SOCKET, SO_REUSEADDR}: "SO_REUSEADDR", {SOL_SOCKET, SO_REUSEPORT}: "SO_REUSEPORT",
	{SOL_SOCKET, SO_ERROR}: "SO_ERROR", {SOL_SOCKET, unix.SO_MARK}: "SO_MARK",
	{SOL_SOCKET, SO_KEEPALIVE}: "SO_KEEPALIVE", {SOL_SOCKET, unix.SO_RCVBUF}: "SO_RCVBUF",
	{SOL_SOCKET, unix.SO_SNDBUF}: "SO_SNDBUF", {SOL_SOCKET, unix.SO_PRIORITY}: "SO_PRIORITY",
	{IPPROTO_IP, IP_TRANSPARENT}: "IP_TRANSPARENT", {IPPROTO_IP, IP_FREEBIND}: "IP_FREEBIND",
	{IPPROTO_IPV6, IPV6_TRANSPARENT}: "IPV6_TRANSPARENT", {IPPROTO_IPV6, IPV6_FREEBIND}: "IPV6_FREEBIND",
	{IPPROTO_IPV6, IPV6_V6ONLY}: "IPV6_V6ONLY", {IPPROTO_TCP, TCP_FASTOPEN}: "TCP_FASTOPEN",
	{IPPROTO_TCP, TCP_NODELAY}: "TCP_NODELAY", {IPPROTO_TCP, unix.TCP_DEFER_ACCEPT}: "TCP_DEFER_ACCEPT",
	{IPPROTO_TCP, TCP_KEEPIDLE}: "TCP_KEEPIDLE", {IPPROTO_TCP, TCP_KEEPINTVL}: "TCP_KEEPINTVL",
	{IPPROTO_TCP, TCP_KEEPCNT}: "TCP_KEEPCNT", {IPPROTO_TCP, unix.TCP_MAXSEG}: "TCP_MAXSEG",
	{IPPROTO_TCP, TCP_USER_TIMEOUT}: "TCP_USER_TIMEOUT", {SOL_SOCKET, SO_LINGER}: "SO_LINGER",
	{IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT}: "IP_BIND_ADDRESS_NO_PORT",
	{IPPROTO_IP, SO_ORIGINAL_DST}:         "SO_ORIGINAL_DST",
	{IPPROTO_IPV6, IP6T_SO_ORIGINAL_DST}:  "IP6T_SO_ORIGINAL_DST",
}

func optionNames(level, name int) (string, string) {
	l, ok := levelNames[level]
	if !ok {
		l = fmt.Sprint(level)
	}
	n, ok := options[[2]int{level, name}]
	if !ok {
		n = fmt.Sprintf("%#x", name)
	}
	return l, n
}

// Describe is the errno's text as the C library has it, with a capital: Address already in use.
func Describe(e Errno) string {
	text := e.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
