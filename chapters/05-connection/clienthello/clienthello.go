// Package clienthello looks at the first bytes of a connection: do they begin TLS, and which server and
// which protocols does the client ask for? It only parses, and decrypts nothing: a ClientHello is
// readable by everybody on the way.
package clienthello

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"time"
)

// Verdict is what the bytes are.
type Verdict int

const (
	NeedMore Verdict = iota // TLS so far, and the ClientHello goes on
	NotTLS                  // more bytes change nothing
	Found                   // a whole ClientHello
)

// Hello is what a client asks for.
type Hello struct {
	ServerName string   // SNI; "" if it names none
	Protocols  []string // ALPN, the client's favourite first; nil if it names none
}

// Sizes in bytes, and kinds, of TLS's outer shells.
const (
	recordHeader    = 5
	maxRecord       = 1 << 14
	handshakeRecord = 22
	messageHeader   = 4
	maxMessage      = 1 << 14 // BoringSSL's limit for a server that asks for no client certificate
	clientHello     = 1
)

// Parse reads the ClientHello at the beginning of a connection. b is all that arrived so far, from the
// first byte. What only almost is a ClientHello is not TLS: no server could answer it. A whole one
// costs some microseconds, everything before that nearly nothing: the TLS library is asked once, when
// there is nothing more to wait for.
//
// Envoy: TlsInspector::Filter::parseClientHello, with BoringSSL
func Parse(b []byte) (Hello, Verdict) {
	verdict := whole(b)
	if verdict != Found {
		return Hello{}, verdict
	}
	return read(b)
}

// whole says whether the first handshake message, over however many records, is here.
func whole(b []byte) Verdict {
	var head [messageHeader]byte
	for got, want := 0, messageHeader; got < want; {
		if len(b) < recordHeader {
			return NeedMore
		}
		size := int(binary.BigEndian.Uint16(b[3:]))
		if b[0] != handshakeRecord || b[1] != tls.VersionTLS10>>8 || size == 0 || size > maxRecord {
			return NotTLS
		}
		b = b[recordHeader:]
		part := b[:min(size, len(b))]
		if got < messageHeader {
			copy(head[got:], part)
		}
		if got += len(part); got >= messageHeader {
			length := int(binary.BigEndian.Uint32(head[:]) & 0xffffff)
			if head[0] != clientHello || length > maxMessage {
				return NotTLS
			}
			want = messageHeader + length
		}
		if len(part) < size {
			return NeedMore // TLS reads whole records
		}
		b = b[size:]
	}
	return Found
}

// read lets the TLS library begin a handshake and ends it as soon as the ClientHello is understood.
func read(b []byte) (h Hello, v Verdict) {
	v = NotTLS
	config := &tls.Config{GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.ContainsFunc(info.SupportedVersions, known) {
			h, v = Hello{info.ServerName, info.SupportedProtos}, Found
		}
		return nil, errSeen
	}}
	tls.Server(&replay{rest: bytes.NewReader(b)}, config).HandshakeContext(context.Background())
	return h, v
}

var errSeen = errors.New("seen enough")

// known: TLS 1.0 to 1.3.
func known(version uint16) bool { return version >= tls.VersionTLS10 && version <= tls.VersionTLS13 }

// replay is a connection whose client has said its piece and hears nothing.
type replay struct{ rest *bytes.Reader }

func (r *replay) Read(b []byte) (int, error)     { return r.rest.Read(b) }
func (*replay) Write(b []byte) (int, error)      { return len(b), nil }
func (*replay) Close() error                     { return nil }
func (*replay) LocalAddr() net.Addr              { return nil }
func (*replay) RemoteAddr() net.Addr             { return nil }
func (*replay) SetDeadline(time.Time) error      { return nil }
func (*replay) SetReadDeadline(time.Time) error  { return nil }
func (*replay) SetWriteDeadline(time.Time) error { return nil }
