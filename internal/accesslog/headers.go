package accesslog

import (
	"errors"
	"strconv"
	"strings"

	"envoywalk/internal/streaminfo"
)

// headerOperator is REQ(name?other):length, RESP or TRAILER: the first value of a header, or of
// another if there is none.
//
// Envoy: Formatter::HeaderFormatter, SubstitutionFormatParser::parseCommandHeader
func headerOperator(token string) (*operator, error) {
	names, most, err := arguments(token, "?")
	switch {
	case err != nil:
		return nil, err
	case len(names) > 2:
		return nil, errors.New("More than 1 alternative header specified in token: " + token)
	case strings.Contains(token, "\n"):
		return nil, errNewline
	}
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	of := headersOf(token)
	return &operator{get: cut(func(dst []byte, s *info) ([]byte, bool) {
		for _, name := range names {
			if v, found := get(of(s), name); found {
				return append(dst, v...), true
			}
		}
		return dst, false
	}, most)}, nil
}

var errNewline = errors.New("Invalid header configuration. Format string contains newline.")

func headersOf(token string) func(*info) streaminfo.Headers {
	switch token[:4] {
	case "REQ(":
		return func(s *info) streaminfo.Headers { return http(s).Request }
	case "RESP":
		return func(s *info) streaminfo.Headers { return http(s).Response }
	}
	return func(s *info) streaminfo.Headers { return http(s).Trailers }
}

func get(h streaminfo.Headers, name string) (string, bool) {
	if h == nil || name == "" {
		return "", false
	}
	return h.Get(name)
}

// grpcNames are the status codes' names, by number.
var grpcNames = [...]string{"OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded",
	"NotFound", "AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
	"Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss", "Unauthenticated"}

// grpcStatus is in the trailers, or in the headers of a response without a body, or is made of the
// response code.
//
// Envoy: Formatter::GrpcStatusFormatter, Grpc::Common::getGrpcStatus
func grpcStatus(dst []byte, s *info) ([]byte, bool) {
	h := http(s)
	for _, from := range [...]streaminfo.Headers{h.Trailers, h.Response} {
		if v, _ := get(from, "grpc-status"); v != "" {
			return appendGrpcStatus(dst, v), true
		}
	}
	if h.ResponseCode == 0 {
		return dst, false
	}
	return append(dst, grpcNames[grpcOfHTTP(h.ResponseCode)]...), true
}

func appendGrpcStatus(dst []byte, code string) []byte {
	n, err := strconv.ParseUint(strings.TrimSpace(code), 10, 63)
	switch {
	case err != nil:
		return append(dst, "-1"...) // InvalidCode
	case n < uint64(len(grpcNames)):
		return append(dst, grpcNames[n]...)
	}
	return strconv.AppendUint(dst, n, 10)
}

// Envoy: Grpc::Utility::httpToGrpcStatus
func grpcOfHTTP(code int) int {
	switch code {
	case 400:
		return 13
	case 401:
		return 16
	case 403:
		return 7
	case 404:
		return 12
	case 429, 502, 503, 504:
		return 14
	}
	return 2
}
