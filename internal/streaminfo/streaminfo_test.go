package streaminfo

import (
	"testing"
	"time"
	"unsafe"
)

// TestFlagsAreWrittenInEnvoysOrder: the table of ResponseFlagUtils::toShortString, by hand.
func TestFlagsAreWrittenInEnvoysOrder(t *testing.T) {
	for flag, want := range map[Flag]string{
		0: "-", 1: "LH", 1 << 1: "UH", 1 << 2: "UT", 1 << 3: "LR",
		1 << 4: "UR", 1 << 5: "UF", 1 << 6: "UC", 1 << 7: "UO", 1 << 8: "NR", 1 << 9: "DI",
		1 << 10: "FI", 1 << 11: "RL", 1 << 12: "UAEX", 1 << 13: "RLSE", 1 << 14: "DC", 1 << 15: "URX",
		1 << 16: "SI", 1 << 17: "IH", 1 << 18: "DPE", 1 << 19: "UMSDR", 1 << 20: "RFCF",
		1 << 21: "NFCF", 0x400000: "DT",

		UpstreamRetryLimitExceeded | UpstreamConnectionFailure: "UF,URX",
		DurationTimeout | NoHealthyUpstream | NoRouteFound:     "UH,NR,DT",
		DownstreamConnectionTermination | UpstreamOverflow:     "UO,DC",
	} {
		if got := flag.String(); got != want {
			t.Errorf("%#x is %s, want %s", uint32(flag), got, want)
		}
	}
	if DurationTimeout != 0x400000 || len(shortNames) != 23 {
		t.Error("the flags' numbers are not Envoy's")
	}
}

func TestFlagsAddUp(t *testing.T) {
	s := &StreamInfo{}
	s.Set(UpstreamOverflow)
	s.Set(NoRouteFound)
	if !s.Has(UpstreamOverflow) || !s.Has(NoRouteFound|DurationTimeout) || s.Has(DurationTimeout) {
		t.Errorf("the flags are %s", s.Flags)
	}
}

func TestAStreamEndsOnce(t *testing.T) {
	s := &StreamInfo{Start: time.Now()}
	s.Complete(s.Start)
	if s.Duration <= 0 {
		t.Error("a stream that took no time has not ended")
	}
	s = &StreamInfo{Start: time.Now()}
	s.Complete(s.Start.Add(time.Second))
	s.Complete(s.Start.Add(time.Minute))
	if s.Duration != time.Second {
		t.Errorf("it took %v", s.Duration)
	}
	s = &StreamInfo{Start: time.Now()}
	if s.Complete(s.Start.Add(-time.Hour)); s.Duration < 0 {
		t.Errorf("a clock that went back made it %v", s.Duration)
	}
}

func TestAStreamInfoIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(StreamInfo{}); size > 256 {
		t.Errorf("%d bytes in every connection", size)
	}
}

func TestFilterStateIsMadeWhenItIsNeeded(t *testing.T) {
	s := &StreamInfo{}
	if _, found := s.FilterState["k"]; found || s.FilterState != nil {
		t.Error("there is a map before there is a value")
	}
	if s.SetFilterState("k", "v"); s.FilterState["k"] != "v" {
		t.Error("the value is lost")
	}
}
