package stats

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Log-linear buckets: one for 0, then 90 to each power of ten, so that a value is known by its
// first two digits. Twenty powers hold every uint64.
const (
	perDecade = 90
	decades   = 20
	buckets   = 1 + decades*perDecade
)

// bucketCounts is how many values fell into each bucket.
type bucketCounts [buckets]uint64

// Histogram counts values by size, to say later how large most of them were. Recording is one
// atomic addition, from any thread; the unit is the one its name says. It takes 14 KB, and twice
// that again once an interval has ended.
//
// Envoy: Stats::ParentHistogram over libcircllhist
type Histogram struct {
	name  string
	count [buckets]atomic.Uint64

	mu       sync.Mutex
	last     *bucketCounts // at the end of the last interval; nil before the first
	interval *bucketCounts // recorded during the last interval; nil before the first
}

func newHistogram(name string) *Histogram { return &Histogram{name: name} }

// Name is the full name.
func (h *Histogram) Name() string { return h.name }

// RecordValue counts one value. It never blocks and never allocates.
func (h *Histogram) RecordValue(v uint64) { h.count[bucketOf(v)].Add(1) }

// Used says whether a value was ever recorded.
func (h *Histogram) Used() bool {
	for i := range h.count {
		if h.count[i].Load() != 0 {
			return true
		}
	}
	return false
}

// Quantiles returns, for each of SupportedQuantiles, the value that this share of all values lies
// below: over the last interval, and since the start. An interval or histogram
// without values has NaN in all places.
func (h *Histogram) Quantiles() (interval, cumulative []float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var during bucketCounts
	if h.interval != nil {
		during = *h.interval
	}
	return quantiles(&during), quantiles(h.load())
}

// String sums the histogram up as /stats prints it: for each quantile the pair (last interval,
// since the start), as in `P0(nan,1.0) P25(nan,1.025) ...`; `No recorded values` if there are none.
//
// Envoy: ParentHistogramImpl::quantileSummary; there both numbers wait for the next flush, here
// the second is always of now.
func (h *Histogram) String() string {
	if !h.Used() {
		return "No recorded values"
	}
	interval, cumulative := h.Quantiles()
	var b strings.Builder
	for i, q := range supported {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("P" + strconv.FormatFloat(100*q, 'g', 6, 64))
		b.WriteString("(" + formatFloat(interval[i]) + "," + formatFloat(cumulative[i]) + ")")
	}
	return b.String()
}

// load reads all counts. Values recorded meanwhile may or may not be among them.
func (h *Histogram) load() *bucketCounts {
	var now bucketCounts
	for i := range h.count {
		now[i] = h.count[i].Load()
	}
	return &now
}

// endInterval makes what was recorded since the last call the last interval.
func (h *Histogram) endInterval() {
	h.mu.Lock()
	defer h.mu.Unlock()
	now, during := h.load(), &bucketCounts{}
	for i := range now {
		during[i] = now[i]
		if h.last != nil {
			during[i] -= h.last[i]
		}
	}
	h.last, h.interval = now, during
}

// formatFloat writes a number as Envoy's fmt 7 does: the shortest text that reads back, with ".0"
// after whole numbers.
func formatFloat(f float64) string {
	if math.IsNaN(f) {
		return "nan"
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e16 {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
