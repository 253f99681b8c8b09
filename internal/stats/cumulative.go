package stats

// supportedBuckets are the bounds at which Envoy cuts a histogram for Prometheus. Most of its
// histograms are in milliseconds: these reach from half of one to an hour.
//
// Envoy: Stats::HistogramSettingsImpl::defaultBuckets
var supportedBuckets = [...]float64{0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000,
	30000, 60000, 300000, 600000, 1800000, 3600000}

// SupportedBuckets returns the bounds of a histogram's cumulative buckets, smallest first. The
// slice is the caller's.
func SupportedBuckets() []float64 { return append([]float64(nil), supportedBuckets[:]...) }

// Cumulative is a histogram's content as Prometheus wants it.
type Cumulative struct {
	AtMost []uint64 // for each of SupportedBuckets, how many values are surely not above it
	Count  uint64
	Sum    float64 // exact below 100; above, each value is taken for its bucket's middle
}

// Cumulative sums up all values since the start.
//
// Envoy: HistogramStatisticsImpl::refresh
func (h *Histogram) Cumulative() Cumulative {
	c := Cumulative{AtMost: make([]uint64, len(supportedBuckets))}
	for bucket, n := range h.load() {
		if n == 0 {
			continue
		}
		smallest, width := bounds(bucket)
		largest := max(smallest, smallest+width-1)
		for i, bound := range supportedBuckets {
			if largest <= bound {
				c.AtMost[i] += n
			}
		}
		c.Count += n
		c.Sum += float64(n) * (smallest + largest) / 2
	}
	return c
}
