package stats

import (
	"math"
	"slices"
	"testing"
)

func TestABucketHoldsTheValuesWithItsFirstTwoDigits(t *testing.T) {
	for _, v := range []uint64{0, 1, 9, 10, 11, 99, 100, 101, 109, 110, 999, 1000, 123456,
		1e18, 1e19 - 5e16, 1e19, math.MaxUint64} {
		left, width := bounds(bucketOf(v))
		if float64(v) < left || (width > 0 && float64(v) >= left+width) || (width == 0 && v != 0) {
			t.Errorf("%d fell into the bucket from %g, %g wide", v, left, width)
		}
	}
}

func TestBucketsLieSideBySide(t *testing.T) {
	for b := 1; b < buckets-1; b++ {
		left, width := bounds(b)
		next, _ := bounds(b + 1)
		if math.Abs(left+width-next) > next*1e-12 {
			t.Fatalf("bucket %d ends at %g, the next begins at %g", b, left+width, next)
		}
	}
}

func TestQuantilesOfZeroToNinetyNineAreTheirPercents(t *testing.T) {
	h := newHistogram("h")
	for v := range uint64(100) {
		h.RecordValue(v)
	}
	_, got := h.Quantiles()
	// Below 10 a bucket is a tenth wide, from 10 on it is 1 wide.
	want := []float64{0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-9 {
			t.Errorf("quantile %v is %v, want %v", supported[i], got[i], want[i])
		}
	}
}

func TestAnIntervalEndsAtTheFlush(t *testing.T) {
	s := NewStore()
	h := s.Scope("").Histogram("h_ms")
	h.RecordValue(0)
	interval, cumulative := h.Quantiles()
	if !math.IsNaN(interval[5]) || cumulative[5] != 0 {
		t.Errorf("before the first flush: %v, %v", interval[5], cumulative[5])
	}
	s.Flush()
	if interval, _ = h.Quantiles(); interval[5] != 0 {
		t.Errorf("after the first flush: %v", interval[5])
	}
	h.RecordValue(100)
	s.Flush()
	if interval, _ = h.Quantiles(); interval[0] != 100 || interval[9] != 110 {
		t.Errorf("after the second flush: %v", interval)
	}
	s.Flush()
	interval, cumulative = h.Quantiles()
	if !math.IsNaN(interval[0]) || cumulative[0] != 0 || cumulative[9] != 110 {
		t.Errorf("after a quiet interval: %v, %v", interval, cumulative)
	}
}

func TestQuantilesNeverFallAndStayWithinWhatWasRecorded(t *testing.T) {
	h := newHistogram("h")
	for v := uint64(3); v < 1e15; v = v*7/3 + 1 {
		h.RecordValue(v)
	}
	_, got := h.Quantiles()
	if !slices.IsSorted(got) || got[0] < 3 {
		t.Errorf("quantiles are not in order: %v", got)
	}
}

func TestNumbersPrintAsEnvoyPrintsThem(t *testing.T) {
	for want, f := range map[string]float64{"nan": math.NaN(), "0.0": 0, "1.05": 1.05,
		"120000.0": 120000, "1e+17": 1e17} {
		if got := formatFloat(f); got != want {
			t.Errorf("%v prints as %s, want %s", f, got, want)
		}
	}
	if got := SupportedQuantiles(); len(got) != 10 || got[9] != 1 {
		t.Errorf("the supported quantiles are %v", got)
	}
}

func BenchmarkRecordValue(b *testing.B) {
	h := newHistogram("h")
	for i := range b.N {
		h.RecordValue(uint64(i))
	}
}
