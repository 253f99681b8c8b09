package streaminfo

// Flag is a set of response flags: what went wrong with a stream.
//
// Envoy: StreamInfo::ResponseFlag
type Flag uint32

// The response flags, in the order in which they are written.
const (
	FailedLocalHealthCheck           Flag = 1 << iota // LH
	NoHealthyUpstream                                 // UH
	UpstreamRequestTimeout                            // UT
	LocalReset                                        // LR
	UpstreamRemoteReset                               // UR
	UpstreamConnectionFailure                         // UF
	UpstreamConnectionTermination                     // UC
	UpstreamOverflow                                  // UO
	NoRouteFound                                      // NR: also no filter chain
	DelayInjected                                     // DI
	FaultInjected                                     // FI
	RateLimited                                       // RL
	UnauthorizedExternalService                       // UAEX
	RateLimitServiceError                             // RLSE
	DownstreamConnectionTermination                   // DC
	UpstreamRetryLimitExceeded                        // URX
	StreamIdleTimeout                                 // SI
	InvalidEnvoyRequestHeaders                        // IH
	DownstreamProtocolError                           // DPE
	UpstreamMaxStreamDurationReached                  // UMSDR
	ResponseFromCacheFilter                           // RFCF
	NoFilterConfigFound                               // NFCF
	DurationTimeout                                   // DT
)

// shortNames are the flags' names, by bit.
var shortNames = [...]string{"LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL",
	"UAEX", "RLSE", "DC", "URX", "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT"}

// AppendShort appends the flags' short names, comma separated, or "-" if there are none.
//
// Envoy: StreamInfo::ResponseFlagUtils::toShortString
func (f Flag) AppendShort(dst []byte) []byte {
	if f == 0 {
		return append(dst, '-')
	}
	comma := false
	for bit, name := range shortNames {
		if f&(1<<bit) == 0 {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		dst, comma = append(dst, name...), true
	}
	return dst
}

// String is the flags' short names: UF,URX.
func (f Flag) String() string { return string(f.AppendShort(nil)) }
